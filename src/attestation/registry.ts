import { latin1 } from '../core/bytes.ts'
import { cca } from './cca/index.ts'
import type { EvidenceKind } from './evidence.ts'
import type { KindVerifier } from './kind.ts'
import { nitro } from './nitro/index.ts'
import { nvidiaGpu } from './nvidia-gpu/index.ts'
import { nvidiaSwitch } from './nvidia-switch/index.ts'
import { sevSnp } from './sev-snp/index.ts'
import { sgx } from './sgx/index.ts'
import { tdx } from './tdx/index.ts'
import { tpm } from './tpm/index.ts'

/** Adding a kind is adding a folder and a row here. Quotes come first: SNP reports of versions 4 and 5 may begin like one. */
const VERIFIERS: Readonly<Record<EvidenceKind, KindVerifier>> = {
  'intel/tdx-quote': tdx,
  'intel/sgx-quote': sgx,
  'amd/snp-report': sevSnp,
  'nvidia/gpu-report': nvidiaGpu,
  'nvidia/switch-report': nvidiaSwitch,
  'aws/nitro': nitro,
  'arm/cca-token': cca,
  'tpm/quote': tpm,
}

export const verifierOf = (kind: EvidenceKind): KindVerifier => VERIFIERS[kind]

/**
 * What bytes are, by their own form. `mock` and `intel/tdreport` are recognised to be refused by name; `unknown` leaves
 * the choice to the slot in which the bytes stand.
 */
export function kindOf(bytes: Uint8Array): EvidenceKind | 'mock' | 'intel/tdreport' | 'unknown' {
  const magic = latin1(bytes.subarray(0, 4))
  if (magic === 'MOCK' || magic === 'MGPU') return 'mock'
  if (bytes.length === 1024 && bytes[0] === 0x81) return 'intel/tdreport'
  return Object.values(VERIFIERS).find((v) => v.recognise(bytes))?.kind ?? 'unknown'
}
