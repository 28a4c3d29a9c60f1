import { toHex } from '../../core/encodings.ts'
import { drawnBytes, flipBit } from '../bytes.ts'
import { rememberedKey } from '../pki/remembered.ts'
import { inContent, inDocument, inQe } from './bend.ts'
import { faultTable, type IntelPlan } from './plan.ts'
import type { SgxReport } from './report-fields.ts'
import { QE_LEVELS } from './world.ts'

const enclave = (what: string, fields: SgxReport | ((plan: IntelPlan) => SgxReport)) => ({
  what,
  stage: 'match' as const,
  rows: ['RJ-TDX-16'],
  bend: inQe(fields),
})

const attributes = ({ quote }: IntelPlan): Uint8Array => quote.qe.report.attributes ?? new Uint8Array(16)

const svn = (what: string, isvSvn: (plan: IntelPlan) => number) => ({
  what,
  stage: 'tcb' as const,
  rows: ['RJ-TDX-17'],
  bend: inQe((plan) => ({ isvSvn: isvSvn(plan) })),
})

const svnOf = (tee: IntelPlan['tee'], status: string): number =>
  QE_LEVELS[tee].find((level) => level.status === status)?.isvSvn ?? 0

const FOREIGN_SIGNER = drawnBytes('intel', 'all', 'signer of another enclave', 32)

/** Faults of the quoting enclave. Its report is signed anew by the PCK. */
export const QE_FAULTS = faultTable({
  'qe-mrsigner': enclave('a quoting enclave of another signer', { mrSigner: FOREIGN_SIGNER }),
  'qe-isvprodid': enclave('another enclave of Intel’s, by its product id', ({ quote }) => ({
    isvProdId: (quote.qe.report.isvProdId ?? 0) + 8,
  })),
  'qe-miscselect': enclave('a bit of MISCSELECT set', { miscSelect: 1 }),
  'qe-miscselect-high-byte': enclave('a bit of the highest byte of MISCSELECT set', { miscSelect: 0x01000000 }),
  'qe-attributes': enclave('no PROVISION_KEY', (plan) => ({ attributes: flipBit(attributes(plan), 4) })),
  'qe-attributes-last-flag': enclave('the last of the attribute flags set', (plan) => ({
    attributes: flipBit(attributes(plan), 63),
  })),
  'qe-debug': enclave('a quoting enclave that may be debugged', (plan) => ({
    attributes: flipBit(attributes(plan), 1),
  })),
  'qe-out-of-date': svn('a quoting enclave out of date', ({ tee }) => svnOf(tee, 'OutOfDate')),
  'qe-revoked': svn('a revoked quoting enclave', ({ tee }) => svnOf(tee, 'Revoked')),
  'qe-isvsvn-below-all': svn('a quoting enclave below every level', () => 0),
  'qe-forged': {
    what: 'an enclave of another signer, with an identity to match that Intel never signed',
    stage: 'collateral',
    rows: ['RJ-TDX-28', 'RJ-TDX-16'],
    bend: (plan) => {
      const identity = inContent('qeIdentity', ['mrsigner'], () => toHex(FOREIGN_SIGNER).toUpperCase())(plan)
      const unsigned = inDocument('qeIdentity', ({ qeIdentity }) => ({
        ...qeIdentity,
        ...identity.qeIdentity,
        signer: (made) => ({ ...qeIdentity.signer(made), key: rememberedKey('P-256', 'intel/nobody') }),
      }))(plan)
      return { ...unsigned, ...inQe({ mrSigner: FOREIGN_SIGNER })(plan) }
    },
  },
  'qe-revoked-and-unsigned': {
    what: 'a revoked quoting enclave whose report is not signed either',
    stage: 'signature',
    rows: ['RJ-TDX-10'],
    bend: (plan) => {
      const revoked = { ...plan, ...inQe({ isvSvn: svnOf(plan.tee, 'Revoked') })(plan) }
      return { quote: { ...revoked.quote, qe: { ...revoked.quote.qe, signature: 'tampered' } } }
    },
  },
})
