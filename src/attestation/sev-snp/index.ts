import type { KindVerifier } from '../kind.ts'
import { decodeSnpReport, looksLikeSnpReport } from './decode.ts'
import { verifySnpReport } from './verify.ts'

/** AMD SEV-SNP attestation reports, versions 2 to 5, of Milan, Genoa and Turin processors. */
export const sevSnp: KindVerifier = {
  kind: 'amd/snp-report',
  recognise: looksLikeSnpReport,
  decode: decodeSnpReport,
  withoutPadding: (bytes) => bytes,
  verify: verifySnpReport,
}

export { contradictions } from './claims.ts'
export { decodeSnpReport, looksLikeSnpReport, type SnpReport } from './decode.ts'
export { SNP_REPORT_LAYOUTS } from './report-layout.ts'
export {
  componentsBelow,
  decodeTcb,
  differingComponents,
  TCB_COMPONENTS,
  type TcbComponent,
  type TcbMinimum,
} from './tcb.ts'
export {
  BULLETINS_WITHOUT_FLOOR,
  type FloorSubject,
  floorsFor,
  type MergedFloors,
  TCB_FLOORS,
  type TcbFloor,
} from './tcb-floors.ts'
