import type { Tee } from '../../attestation/dcap/model.ts'
import { toHex } from '../../core/encodings.ts'
import type { JsonObject } from '../../core/json.ts'
import { shifted } from '../pki/instants.ts'
import { QUOTING_ENCLAVES } from './names.ts'
import { MODULE_LEVELS, PLATFORM_LEVELS, type PlatformLevel, QE_LEVELS, type SvnLevel } from './world.ts'

const DAY = 86_400
const upper = (bytes: Uint8Array): string => toHex(bytes).toUpperCase()

/** Issued ten days before the time of judgement and good for thirty, as Intel's documents are. */
const dates = (at: string): JsonObject => ({
  issueDate: shifted(at, -10 * DAY),
  nextUpdate: shifted(at, 20 * DAY),
})

const advisories = (ids: readonly string[]): JsonObject => (ids.length === 0 ? {} : { advisoryIDs: ids })

const svnLevel = ({ isvSvn, tcbDate, status, advisoryIds }: SvnLevel): JsonObject => ({
  tcb: { isvsvn: isvSvn },
  tcbDate,
  tcbStatus: status,
  ...advisories(advisoryIds),
})

const INTEL_MODULE = {
  mrsigner: '0'.repeat(96),
  attributes: '0'.repeat(16),
  attributesMask: 'F'.repeat(16),
} as const

/** Whom a TCB info is for and how it is written. */
export interface TcbInfoSpec {
  readonly tee: Tee
  /** 2 is the older form, which knows SGX only. */
  readonly version: 2 | 3
  readonly at: string
  /** 6 bytes */
  readonly fmspc: Uint8Array
  /** 2 bytes */
  readonly pceId: Uint8Array
  readonly tcbEvaluationDataNumber: number
}

/** The members of a TCB info, in Intel's order (intel-dcap.md §7). */
export function tcbInfoContent(spec: TcbInfoSpec): JsonObject {
  return {
    ...(spec.version === 3 ? { id: spec.tee } : {}),
    version: spec.version,
    ...dates(spec.at),
    fmspc: upper(spec.fmspc),
    pceId: upper(spec.pceId),
    tcbType: 0,
    tcbEvaluationDataNumber: spec.tcbEvaluationDataNumber,
    ...(spec.tee === 'TDX' ? modules() : {}),
    tcbLevels: PLATFORM_LEVELS[spec.tee].map((level) => ({
      tcb: spec.version === 2 ? flatTcb(level) : tcbOf(level, spec.tee),
      tcbDate: level.tcbDate,
      tcbStatus: level.status,
      ...advisories(level.advisoryIds),
    })),
  }
}

const modules = (): JsonObject => ({
  tdxModule: INTEL_MODULE,
  tdxModuleIdentities: Object.entries(MODULE_LEVELS).map(([id, levels]) => ({
    id,
    ...INTEL_MODULE,
    tcbLevels: levels.map(svnLevel),
  })),
})

const SGX_ABOUT: readonly JsonObject[] = [
  { category: 'BIOS', type: 'Early Microcode Update' },
  { category: 'OS/VMM', type: 'SGX Late Microcode Update' },
  { category: 'OS/VMM', type: 'TXT SINIT' },
  { category: 'BIOS' },
  { category: 'BIOS' },
  { category: 'BIOS' },
]
const TDX_ABOUT: readonly JsonObject[] = [
  { category: 'OS/VMM', type: 'TDX Module' },
  { category: 'OS/VMM', type: 'TDX Module' },
  { category: 'OS/VMM', type: 'TDX Late Microcode Update' },
]
/** Only on platforms with TDX. */
const SEAM_LOADER: JsonObject = { category: 'OS/VMM', type: 'SEAMLDR ACM' }

const components = (svns: readonly number[], about: readonly (JsonObject | undefined)[]): JsonObject[] =>
  Array.from({ length: 16 }, (_, i) => ({ svn: svns[i] ?? 0, ...about[i] }))

const tcbOf = ({ sgx, pceSvn, tdx }: PlatformLevel, tee: Tee): JsonObject => ({
  sgxtcbcomponents: components(sgx, tee === 'TDX' ? [...SGX_ABOUT, undefined, SEAM_LOADER] : SGX_ABOUT),
  pcesvn: pceSvn,
  ...(tee === 'TDX' ? { tdxtcbcomponents: components(tdx, TDX_ABOUT) } : {}),
})

const flatTcb = ({ sgx, pceSvn }: PlatformLevel): JsonObject => ({
  ...Object.fromEntries(
    Array.from({ length: 16 }, (_, i) => [`sgxtcbcomp${String(i + 1).padStart(2, '0')}svn`, sgx[i] ?? 0]),
  ),
  pcesvn: pceSvn,
})

/** The members of a quoting enclave's identity, in Intel's order. */
export function qeIdentityContent(tee: Tee, at: string, tcbEvaluationDataNumber: number): JsonObject {
  const { id, mrSigner, isvProdId } = QUOTING_ENCLAVES[tee]
  return {
    id,
    version: 2,
    ...dates(at),
    tcbEvaluationDataNumber,
    miscselect: '00000000',
    miscselectMask: 'FFFFFFFF',
    attributes: '11000000000000000000000000000000',
    attributesMask: 'FBFFFFFFFFFFFFFF0000000000000000',
    mrsigner: mrSigner.toUpperCase(),
    isvprodid: isvProdId,
    tcbLevels: QE_LEVELS[tee].map(svnLevel),
  }
}
