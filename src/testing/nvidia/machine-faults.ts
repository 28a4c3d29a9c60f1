import { CHAIN_FAULTS } from './chain-faults.ts'
import type { Fault, MachineFault } from './fault.ts'
import type { MachinePlan, OcspPlan, OcspSubject } from './machine-plan.ts'
import { hoursAfter } from './ocsp.ts'
import { SET_FAULTS } from './set-faults.ts'

const answer = (
  what: string,
  row: string,
  subject: OcspSubject,
  ocsp: OcspPlan | ((plan: MachinePlan) => OcspPlan),
): Fault<MachinePlan> => ({
  what,
  row,
  apply: (plan) => ({ ...plan, ocsp: { ...plan.ocsp, [subject]: typeof ocsp === 'function' ? ocsp(plan) : ocsp } }),
})

const MONTH = 24 * 30

const revoked = ({ at }: MachinePlan): OcspPlan => ({
  status: { revoked: { date: hoursAfter(at, -MONTH), reason: 'keyCompromise' } },
})

const onHold = ({ at }: MachinePlan): OcspPlan => ({
  status: { revoked: { date: hoursAfter(at, -MONTH), reason: 'certificateHold' } },
})

/** What OCSP says of the machine's certificates; the answers are rightly signed and fresh. */
const ANSWER_FAULTS = {
  'ocsp-missing': answer('no answer for the last GPU’s identity', 'RJ-GPU-20', 'identity', { missing: true }),
  'ocsp-unknown': answer('the last GPU’s identity is unknown', 'RJ-GPU-21', 'identity', { status: 'unknown' }),
  'ocsp-revoked': answer('the last GPU’s identity is revoked', 'RJ-GPU-21', 'identity', revoked),
  'ocsp-hold': answer('the last GPU’s identity is on hold', 'RJ-GPU-21', 'identity', onHold),
  'ocsp-provisioner-revoked': answer('the provisioner is revoked', 'RJ-GPU-21', 'provisioner', revoked),
  'ocsp-architecture-revoked': answer('the architecture authority is revoked', 'RJ-GPU-21', 'architecture', revoked),
  'ocsp-rim-signer-revoked': answer('the manifest signer is revoked', 'RJ-RIM-16', 'rim-signer', revoked),
  'ocsp-rim-signer-hold': answer('the manifest signer is on hold', 'RJ-RIM-16', 'rim-signer', onHold),
  'ocsp-rim-issuer-revoked': answer('the manifest signer’s issuer is revoked', 'RJ-RIM-16', 'rim-issuer', revoked),
  'ocsp-rim-missing': answer('no answer for the manifest signer', 'RJ-GPU-20', 'rim-signer', { missing: true }),
} as const satisfies Record<string, MachineFault<MachinePlan>>

/** Everything that can be wrong with a machine besides single reports, manifests and OCSP answers. */
export const MACHINE_FAULTS = { ...SET_FAULTS, ...CHAIN_FAULTS, ...ANSWER_FAULTS } as const
