import type { Row } from './catalogue.ts'

/** GATE and RES: admission, attestation results. Areas are listed once all their rows are. */
export const GATE_AREAS: readonly string[] = ['RES']

export const GATE_ROWS = [
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
