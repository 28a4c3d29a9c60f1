import type { Row } from './catalogue.ts'

/** GATE and RES: admission, attestation results. Areas are listed once all their rows are. */
export const GATE_AREAS: readonly string[] = ['GATE', 'RES']

export const GATE_ROWS = [
  // GATE: admission of bids and leases.
  {
    id: 'RJ-GATE-01',
    code: 'GATE_SCOPE_MISMATCH',
    verdict: 'reject',
    what: 'a decision for another order, provider or policy digest',
  },
  { id: 'RJ-GATE-02', code: 'GATE_DECISION_EXPIRED', verdict: 'reject', what: 'a decision that has expired' },
  {
    id: 'RJ-GATE-03',
    code: 'GATE_IDENTITY_MISMATCH',
    verdict: 'reject',
    what: 'a provider account that is not the one that attested',
  },
  { id: 'RJ-GATE-04', code: 'GATE_DEVICE_IN_USE', verdict: 'reject', what: 'a GPU that is in another live lease' },
  { id: 'RJ-GATE-05', code: 'GATE_CHIP_CAP', verdict: 'reject', what: 'twenty-one accounts on one chip' },
  { id: 'RJ-GATE-06', code: 'GATE_CHIP_DENIED', verdict: 'reject', what: 'a chip denied one second ago' },
  { id: 'RJ-GATE-07', code: 'GATE_NOT_ACCEPTED', verdict: 'reject', what: 'an inconclusive decision' },
  {
    id: 'RJ-GATE-08',
    code: 'GATE_ATTRIBUTE_MISMATCH',
    verdict: 'reject',
    what: 'eight GPUs advertised, four attested',
  },
  {
    id: 'RJ-GATE-09',
    code: 'GATE_DENYLIST_UNAVAILABLE',
    verdict: 'inconclusive',
    what: 'a deny-list that cannot be read',
  },
  // RES: the eligibility credential.
  { id: 'RJ-RES-01', code: 'RESULT_INVALID', verdict: 'reject', what: 'a signature, algorithm or type that is wrong' },
  { id: 'RJ-RES-02', code: 'RESULT_AUDIENCE', verdict: 'reject', what: 'issued for another relying party' },
  {
    id: 'RJ-RES-03',
    code: 'RESULT_HOLDER_NOT_PROVED',
    verdict: 'reject',
    what: 'presented without proof of the bound key',
  },
  {
    id: 'RJ-RES-04',
    code: 'RESULT_POLICY_MISMATCH',
    verdict: 'reject',
    what: 'resting on another policy than the relying party set',
  },
  {
    id: 'RJ-RES-05',
    code: 'RESULT_EXPIRED',
    verdict: 'reject',
    what: 'expired, or with a longer life than its purpose allows',
    mended:
      'Five minutes as one limit would refuse every posture credential. ARCHITECTURE §7 sets it by purpose: posture 6 h, lease 30 min, key release 2 min.',
  },
  { id: 'RJ-RES-06', code: 'RESULT_KEY_RETIRED', verdict: 'reject', what: 'signed by a retired key' },
] as const satisfies readonly Row[]
