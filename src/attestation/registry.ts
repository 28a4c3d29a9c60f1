import { latin1 } from '../core/bytes.ts'
import { cca } from './cca/index.ts'
import type { EvidenceKind } from './evidence.ts'
import type { KindVerifier } from './kind.ts'
import { nitro } from './nitro/index.ts'
import { nvidiaGpu } from './nvidia-gpu/index.ts'
import { nvidiaSwitch } from './nvidia-switch/index.ts'
import { sevSnp } from './sev-snp/index.ts'

const SNP_REPORT_BYTES = 1184

/** Adding a kind is adding a folder and a row here. */
const VERIFIERS: readonly KindVerifier[] = [sevSnp, nvidiaGpu, nvidiaSwitch, nitro, cca]

export const verifierOf = (kind: EvidenceKind): KindVerifier | undefined => VERIFIERS.find((v) => v.kind === kind)

/**
 * What bytes are, by their own form. `mock` and `intel/tdreport` are recognised to be refused by name; `unknown` leaves
 * the choice to the slot in which the bytes stand.
 */
export function kindOf(bytes: Uint8Array): EvidenceKind | 'mock' | 'intel/tdreport' | 'unknown' {
  const magic = latin1(bytes.subarray(0, 4))
  if (magic === 'MOCK' || magic === 'MGPU') return 'mock'
  if (bytes.length === 1024 && bytes[0] === 0x81) return 'intel/tdreport'
  const [v0 = 0, v1 = 0, , , t0 = 0, t1 = 0, t2 = 0, t3 = 0] = bytes
  const version = v0 | (v1 << 8)
  const teeType = (t0 | (t1 << 8) | (t2 << 16) | (t3 << 24)) >>> 0
  // SNP reports of versions 4 and 5 begin alike; a quote carries its signature data and is always longer.
  if ((version === 4 || version === 5) && teeType === 0x81 && bytes.length > SNP_REPORT_BYTES) return 'intel/tdx-quote'
  if (version === 3 && bytes[2] === 2 && bytes[3] === 0 && teeType === 0 && bytes.length > 436) return 'intel/sgx-quote'
  return VERIFIERS.find((v) => v.recognise(bytes))?.kind ?? 'unknown'
}
