import type { Finding } from '../core/outcome.ts'
import { parseRfc3339, type UnixSeconds } from '../core/time.ts'
import type { Decision } from '../decision/decision.ts'
import type { Evidence } from '../index.ts'
import type { Policy } from '../policy/policy.ts'
import { referenceValuesOf } from '../policy/reference-values.ts'
import { Admission, LIFE_SECONDS } from './admission.ts'
import type { GateCore } from './core.ts'
import { Ended } from './ended.ts'
import { gateFinding } from './finding.ts'
import { identify } from './identity.ts'
import { denialOf } from './posture.ts'

/** The gate's word on a machine without lease. Nothing of it was recorded. */
export interface SessionDecision {
  /** null where the evidence was not judged */
  readonly decision: Decision | null
  /** the gate's own findings; where there are any, or the decision is no accept, nothing may be opened */
  readonly findings: readonly Finding[]
  /** salted ids of the hardware that was proved */
  readonly hardware: readonly string[]
  readonly decidedAt: UnixSeconds
  readonly validUntil: UnixSeconds
}

export async function judgeSession(
  core: GateCore,
  evidence: Evidence,
  { policy, nonce }: { readonly policy: Policy; readonly nonce: Uint8Array },
): Promise<SessionDecision> {
  const admission = new Admission(core)
  const decidedAt = admission.now
  try {
    await admission.freshView()
    const collateral = await admission.collateralFor(evidence)
    const { options } = core
    const decision = await core.judge(evidence, {
      now: decidedAt,
      policy,
      freshness: { kind: 'nonce', nonce },
      collateral,
      lease: null,
      // Nobody vouches for the place of a machine that no provider stands for.
      physical: 'unknown',
      referenceValues: referenceValuesOf(policy, options.referenceValues),
      injectedAnchors: options.injectedAnchors,
      cache: options.cache,
    })
    const identified = identify(decision, core.salt)
    const findings = [...admission.against(decision, policy)]
    const denial = denialOf(identified, '', core.view.denied)
    if (denial !== undefined) findings.push(denial)
    if (!identified.hasChip && options.rules.maskedHardware === 'refused')
      findings.push(gateFinding('hardware', 'GATE_HARDWARE_MASKED', 'hardware'))
    const proved = parseRfc3339(decision.validUntil) ?? decidedAt
    const validUntil = Math.min(proved, decidedAt + LIFE_SECONDS['key-release'])
    return { decision, findings, hardware: identified.hardware, decidedAt, validUntil }
  } catch (error) {
    if (!(error instanceof Ended)) throw error
    return { decision: null, findings: [error.finding], hardware: [], decidedAt, validUntil: decidedAt }
  }
}
