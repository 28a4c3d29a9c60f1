import type { Tee } from '../../attestation/dcap/model.ts'
import { concatBytes } from '../../core/bytes.ts'
import { fromHex } from '../../core/encodings.ts'
import type { JsonObject } from '../../core/json.ts'
import { take } from '../../core/outcome.ts'
import { drawnBytes } from '../bytes.ts'
import { shifted } from '../pki/instants.ts'
import { rememberedKey } from '../pki/remembered.ts'
import type { IntelPkiOptions } from './authority.ts'
import { qeIdentityContent, tcbInfoContent } from './documents.ts'
import { bits64 } from './fields.ts'
import { INTEL_TEST_TIME, INTEL_VENDOR_ID, type PckCa, QUOTING_ENCLAVES } from './names.ts'
import type { DocumentPlan, IntelFaultNeeds, IntelPlan, ListPlan } from './plan.ts'
import type { QuoteSpec } from './quote.ts'
import type { QuoteHeader, SgxReport, TdReport } from './report-fields.ts'
import type { PlatformFacts } from './sgx-extension.ts'
import { type LevelStatus, platformLevel } from './world.ts'

/** Evaluation data number of the kit's documents unless told. */
export const TCB_EVALUATION_DATA_NUMBER = 20

/** What both kinds of machine may be told. */
export interface IntelMachineOptions {
  /** The time of judgement the collateral is made for, RFC 3339. Default `INTEL_TEST_TIME`. */
  readonly at?: string
  /** Who issues the PCK certificate. Default `platform`. */
  readonly ca?: PckCa
  /** The platform has exactly the SVNs of the level with this status. Default UpToDate. */
  readonly level?: LevelStatus
  /** Facts of the platform that differ; ids derive from the seed, SVNs from the level. */
  readonly platform?: Partial<PlatformFacts>
  readonly header?: QuoteHeader
  /** Fields of the quoting enclave's report. Its REPORTDATA is made, not given. */
  readonly qe?: Omit<SgxReport, 'reportData'>
  /** Zero bytes after the quote up to this many in all, as transports add them (5006 and 8000 are met). */
  readonly padTo?: number
  /** Whether a NUL ends the PEM chain, as in most genuine quotes. Default true. */
  readonly chainEndsWithNul?: boolean
  /** Another valid form of the quote's signature: (r, n − s). */
  readonly signature?: 'valid' | 's-negated'
  readonly tcbEvaluationDataNumber?: number
  readonly qeEvaluationDataNumber?: number
  /** Order in which the document lists its levels. Default `descending`, as Intel does. */
  readonly levelOrder?: 'descending' | 'ascending'
  /** Changes to the members of the documents before they are signed; `editedJson` helps. */
  readonly tcbInfo?: (content: JsonObject) => JsonObject
  readonly qeIdentity?: (content: JsonObject) => JsonObject
  readonly pki?: IntelPkiOptions
}

export interface TdxOptions extends IntelMachineOptions {
  /** Default 4. */
  readonly version?: 4 | 5
  /** Default `td-1.0`, and `td-1.5` in version 5. Version 4 knows no other. */
  readonly body?: 'td-1.0' | 'td-1.5'
  readonly td?: TdReport
}

export interface SgxOptions extends IntelMachineOptions {
  /** Default 3. */
  readonly version?: 3 | 4 | 5
  readonly enclave?: SgxReport
  /** Form of the TCB info. Default 3. */
  readonly tcbInfoVersion?: 2 | 3
}

const MODULE = { isvSvn: 11, major: 1 } as const

/** TEE_TCB_SVN, 16 bytes: SVN and major version of the TDX module, and the third component. */
export const teeTcbSvn = (isvSvn: number, major: number, lateMicrocode: number): Uint8Array<ArrayBuffer> =>
  concatBytes(Uint8Array.of(isvSvn, major, lateMicrocode), new Uint8Array(13))

/** SEPT_VE_DISABLE alone, as most TDs have it. */
export const TD_ATTRIBUTES = bits64(28)
/** x87, SSE, AVX, AVX-512, PKRU and AMX: e702060000000000, the value most TDs have. */
export const TD_XFAM = bits64(0, 1, 2, 5, 6, 7, 9, 17, 18)
/** INIT and MODE64BIT, with the XFRM of AVX-512 and AMX-less servers. */
export const ENCLAVE_ATTRIBUTES = concatBytes(bits64(0, 2), bits64(0, 1, 2, 5, 6, 7))
/** A quoting enclave also has PROVISION_KEY. */
export const QE_ATTRIBUTES = concatBytes(bits64(0, 2, 4), bits64(0, 1, 2, 5, 6, 7))

export function tdxPlan(seed: string, options: TdxOptions, needs: IntelFaultNeeds = {}): IntelPlan {
  const needed = needs.body === undefined ? needs.version : 5
  if (needed === 3) throw new TypeError('TDX quotes have no version 3')
  const version = agreed('version', options.version, needed) ?? 4
  const kind = agreed('body', options.body, needs.body) ?? (version === 4 ? 'td-1.0' : 'td-1.5')
  if (version === 4 && kind === 'td-1.5') throw new TypeError('a version 4 quote has a TD report 1.0')
  const level = platformLevel('TDX', options.level ?? 'UpToDate')
  const svn = teeTcbSvn(MODULE.isvSvn, MODULE.major, level.tdx[2])
  const draw = (label: string, length: number) => drawnBytes('intel', seed, label, length)
  const report: TdReport = {
    teeTcbSvn: svn,
    mrSeam: draw('mrseam', 48),
    tdAttributes: TD_ATTRIBUTES,
    xfam: TD_XFAM,
    mrTd: draw('mrtd', 48),
    mrConfigId: draw('mrconfigid', 48),
    rtmr0: draw('rtmr0', 48),
    rtmr1: draw('rtmr1', 48),
    rtmr2: draw('rtmr2', 48),
    rtmr3: draw('rtmr3', 48),
    reportData: draw('report data', 64),
    ...(kind === 'td-1.5' ? { teeTcbSvn2: svn } : {}),
    ...options.td,
  }
  return planOf(seed, 'TDX', options, { kind, report }, version, 3)
}

export function sgxPlan(seed: string, options: SgxOptions, needs: IntelFaultNeeds = {}): IntelPlan {
  const version = agreed('version', options.version, needs.version) ?? 3
  const draw = (label: string, length: number) => drawnBytes('intel', seed, label, length)
  const report: SgxReport = {
    cpuSvn: rawCpuSvn(platformLevel('SGX', options.level ?? 'UpToDate').sgx),
    attributes: ENCLAVE_ATTRIBUTES,
    mrEnclave: draw('mrenclave', 32),
    mrSigner: draw('mrsigner', 32),
    isvProdId: 7,
    isvSvn: 3,
    reportData: draw('report data', 64),
    ...options.enclave,
  }
  return planOf(seed, 'SGX', options, { kind: 'sgx', report }, version, options.tcbInfoVersion ?? 3)
}

function agreed<T>(what: string, asked: T | undefined, needed: T | undefined): T | undefined {
  if (asked !== undefined && needed !== undefined && asked !== needed) {
    throw new TypeError(`this fault needs ${what} ${needed}, not ${asked}`)
  }
  return needed ?? asked
}

/** CPUSVN as the processor reports it: another encoding than the certified components, which verifiers have confused. */
const rawCpuSvn = (sgx: readonly number[]): Uint8Array =>
  Uint8Array.from({ length: 16 }, (_, i) => (i === 2 || i === 3 ? 0x10 + (sgx[i] ?? 0) : i === 6 ? 1 : (sgx[i] ?? 0)))

const FMSPC = {
  TDX: { platform: 'b0c06f000000', processor: '20a06f000000' },
  SGX: { platform: '00606a000000', processor: '00706e470000' },
} as const

const hex = (text: string): Uint8Array => take(fromHex(text, text.length / 2, 'test kit'))

function platformOf(seed: string, tee: Tee, { ca = 'platform', level, platform }: IntelMachineOptions): PlatformFacts {
  const { sgx, pceSvn } = platformLevel(tee, level ?? 'UpToDate')
  return {
    ppid: drawnBytes('intel', seed, 'ppid', 16),
    fmspc: hex(FMSPC[tee][ca]),
    pceId: new Uint8Array(2),
    components: Array.from({ length: 16 }, (_, i) => sgx[i] ?? 0),
    pceSvn,
    sgxType: ca === 'platform' ? 1 : 0,
    ...(ca === 'platform' ? { platformInstanceId: drawnBytes('intel', seed, 'platform instance', 16) } : {}),
    dynamicPlatform: true,
    cachedKeys: true,
    smtEnabled: true,
    ...platform,
  }
}

function planOf(
  seed: string,
  tee: Tee,
  options: IntelMachineOptions,
  body: QuoteSpec['body'],
  version: 3 | 4 | 5,
  tcbInfoVersion: 2 | 3,
): IntelPlan {
  const at = options.at ?? INTEL_TEST_TIME
  const ca = options.ca ?? 'platform'
  const platform = platformOf(seed, tee, options)
  const number = options.tcbEvaluationDataNumber ?? TCB_EVALUATION_DATA_NUMBER
  const { fmspc, pceId } = platform
  const tcbInfo = tcbInfoContent({ tee, version: tcbInfoVersion, at, fmspc, pceId, tcbEvaluationDataNumber: number })
  return {
    seed,
    tee,
    at,
    ca,
    pki: options.pki ?? {},
    platform,
    pck: () => ({}),
    chain: ({ pki, pck }) => [pck.certificate, pki.authority(ca).certificate, pki.authority('root').certificate],
    quote: quoteOf(seed, tee, options, body, version),
    certification: (pem) => ({
      type: 5,
      data: options.chainEndsWithNul === false ? pem : concatBytes(pem, Uint8Array.of(0)),
    }),
    tcbInfo: documentPlan(
      (options.tcbInfo ?? same)(
        options.levelOrder === 'ascending' ? { ...tcbInfo, tcbLevels: [...levelsOf(tcbInfo)].reverse() } : tcbInfo,
      ),
    ),
    qeIdentity: documentPlan(
      (options.qeIdentity ?? same)(qeIdentityContent(tee, at, options.qeEvaluationDataNumber ?? number)),
    ),
    rootCrl: listPlan('root', shifted(at, -100 * DAY), shifted(at, 265 * DAY), []),
    pckCrl: listPlan(ca, shifted(at, -10 * DAY), shifted(at, 20 * DAY), []),
    collateral: (collateral) => collateral,
  }
}

const levelsOf = ({ tcbLevels }: DocumentPlan['content']): readonly NonNullable<typeof tcbLevels>[] =>
  Array.isArray(tcbLevels) ? tcbLevels : []

const DAY = 86_400
const same = <T>(value: T): T => value

const documentPlan = (content: DocumentPlan['content']): DocumentPlan => ({
  content,
  text: same,
  signer: ({ pki }) => {
    const { key, certificate } = pki.authority('tcbSigner')
    return { key, chain: [certificate, pki.authority('root').certificate] }
  },
  delivered: same,
  signature: same,
  chain: same,
})

const listPlan = (
  by: 'root' | PckCa,
  thisUpdate: string,
  nextUpdate: string,
  revokes: ListPlan['revokes'],
): ListPlan => ({
  issuer: ({ pki }) => pki.authority(by),
  revokes,
  thisUpdate,
  nextUpdate,
  edits: {},
  delivered: same,
})

function quoteOf(
  seed: string,
  tee: Tee,
  options: IntelMachineOptions,
  body: QuoteSpec['body'],
  layout: 3 | 4 | 5,
): IntelPlan['quote'] {
  const { mrSigner, isvProdId } = QUOTING_ENCLAVES[tee]
  const isvSvn = tee === 'TDX' ? 6 : 9
  const sgx = platformLevel(tee, options.level ?? 'UpToDate').sgx
  return {
    layout,
    header: {
      version: layout,
      attestationKeyType: 2,
      teeType: tee === 'TDX' ? 0x81 : 0,
      // TDX quotes leave both reserved.
      ...(tee === 'SGX' ? { qeSvn: isvSvn, pceSvn: platformLevel(tee, options.level ?? 'UpToDate').pceSvn } : {}),
      qeVendorId: hex(INTEL_VENDOR_ID),
      userData: concatBytes(drawnBytes('intel', seed, 'qe id', 16), new Uint8Array(4)),
      ...options.header,
    },
    body,
    descriptor: {},
    patches: [],
    attestationKey: rememberedKey('P-256', `intel/attestation/${seed}`),
    signature: options.signature ?? 'valid',
    qe: {
      report: {
        cpuSvn: rawCpuSvn(sgx),
        attributes: QE_ATTRIBUTES,
        mrEnclave: drawnBytes('intel', 'all', `${tee} qe`, 32),
        mrSigner: hex(mrSigner),
        isvProdId,
        isvSvn,
        ...options.qe,
      },
      // Most genuine quotes carry the numbers 0 to 31, Google’s carry zeros.
      authData: Uint8Array.from({ length: 32 }, (_, i) => i),
      reportDataTail: new Uint8Array(32),
      signature: 'valid',
    },
    outerType: 6,
    lengths: {},
    afterSigning: padded(options.padTo),
  }
}

const padded =
  (sizeBytes: number | undefined): QuoteSpec['afterSigning'] =>
  (quote) =>
    sizeBytes === undefined ? quote : concatBytes(quote, new Uint8Array(Math.max(0, sizeBytes - quote.length)))
