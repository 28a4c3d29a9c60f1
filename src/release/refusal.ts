import type { Code } from '../core/codes.ts'
import {
  type Fault,
  type FaultDetail,
  type Finding,
  fault,
  finding,
  type NonEmpty,
  type Outcome,
} from '../core/outcome.ts'
import type { EvidenceRemedy, Refused } from './answer.ts'

/** Ends a release with what was found; never leaves `src/release`. Carries no stack: it is data. */
export class Refusal {
  readonly findings: NonEmpty<Finding>
  readonly evidence: readonly EvidenceRemedy[]

  constructor(findings: NonEmpty<Finding>, evidence: readonly EvidenceRemedy[] = []) {
    this.findings = findings
    this.evidence = evidence
  }
}

/** What a finding of the broker is about. */
export type ReleaseItem = 'challenge' | 'key' | 'lease' | 'policy' | 'evidence' | 'collateral' | 'store'

export const releaseFinding = (item: ReleaseItem, code: Code, path: string, detail: FaultDetail = {}): Finding =>
  finding(fault(code, path, detail), item)

/** Ends the surrounding release with one finding. */
export function refuseRelease(...about: Parameters<typeof releaseFinding>): never {
  throw new Refusal([releaseFinding(...about)])
}

/** The value, or the end of the surrounding release with its faults. */
export function taken<T>(outcome: Outcome<T>, item: ReleaseItem): T {
  if (outcome.ok) return outcome.value
  const [first, ...more] = outcome.faults
  const told = (f: Fault) => finding(f, item)
  throw new Refusal([told(first), ...more.map(told)])
}

/**
 * As `taken`, of our own vault and log: whoever asks from outside is told the code, and no path, name or message of this machine.
 */
export function ours<T>(outcome: Outcome<T>, item: 'key' | 'challenge' | 'store'): T {
  return outcome.ok ? outcome.value : refuseRelease(item, outcome.faults[0].code, item)
}

/**
 * The evidence is not accepted. Codes and remedies alone are told, each once for each item: the same for every measurement
 * that is not the one looked for.
 */
export const notAccepted = (found: readonly Finding[]): Refusal =>
  new Refusal([releaseFinding('evidence', 'RELEASE_NOT_ACCEPTED', 'evidence')], remediesOf(found))

/** The evidence could not be judged for want of what this verifier has to obtain; told as sparingly. */
export const notObtained = (
  code: 'COLLATERAL_UNAVAILABLE' | 'COLLATERAL_CACHE_UNAVAILABLE',
  found: readonly Finding[],
): Refusal => new Refusal([releaseFinding('collateral', code, 'collateral')], remediesOf(found))

function remediesOf(found: readonly Finding[]): readonly EvidenceRemedy[] {
  const remedies = new Map<string, EvidenceRemedy>()
  for (const { code, verdict, item, hint } of found) remedies.set(`${item} ${code}`, { code, verdict, item, hint })
  return [...remedies.values()]
}

/** As the one who asked is told. */
export const refusedAnswer = ({ findings, evidence }: Refusal): Refused => ({
  released: false,
  verdict: findings.some((f) => f.verdict === 'reject') ? 'reject' : 'inconclusive',
  findings,
  evidence,
})
