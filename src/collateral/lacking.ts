import type { CollateralSet } from '../attestation/collateral.ts'
import type { Code } from '../core/codes.ts'
import { ok } from '../core/outcome.ts'
import type { UnixSeconds } from '../core/time.ts'
import type { Decision } from '../decision/decision.ts'
import { factsOf, isRimOf, type ObjectFacts } from './cache/facts.ts'
import { requestKeys } from './cache/key.ts'
import type { CollateralRequest, FetchObject } from './objects.ts'

/** What a vendor's object can mend. */
const MENDABLE: ReadonlySet<Code> = new Set<Code>([
  ...([
    'SNP_VCEK_UNAVAILABLE',
    'CRL_MISSING',
    'CRL_STALE',
    'OCSP_MISSING',
    'OCSP_STALE',
    'GPU_OCSP_UNAVAILABLE',
  ] as const),
  ...(['GPU_RIM_UNAVAILABLE', 'GPU_REVOCATION_UNKNOWN'] as const),
  ...(['TDX_TCB_INFO_MISSING', 'TDX_QE_IDENTITY_MISSING', 'TDX_TCB_SIGNER_MISSING'] as const),
  ...(['SGX_TCB_INFO_MISSING', 'SGX_QE_IDENTITY_MISSING', 'SGX_TCB_SIGNER_MISSING'] as const),
  ...(['COLLATERAL_EXPIRED', 'COLLATERAL_TOO_OLD'] as const),
])

const UNLOOKED_UP = /: revocation of the \S+ chain$/

/**
 * Whether a decision waits for something that a vendor has: then, and only then, is it worth asking. What was accepted
 * needs nothing more, and what was refused is refused whatever comes.
 */
export const lacksCollateral = ({ verdict, findings, notChecked }: Decision): boolean =>
  verdict === 'inconclusive' &&
  (findings.some((f) => MENDABLE.has(f.code)) || notChecked.some(({ what }) => UNLOOKED_UP.test(what)))

/**
 * `fetchObject` for whoever has some of it already: an object that is among `held` and in date at `now` is not asked for.
 * @param leastEvaluationNumber a document of Intel's below this tcbEvaluationDataNumber counts as not held
 */
export function unlessHeld(
  fetchObject: FetchObject,
  held: CollateralSet,
  now: UnixSeconds,
  leastEvaluationNumber = 0,
): FetchObject {
  const isCurrent = ({ evaluationNumber }: ObjectFacts) => (evaluationNumber ?? Infinity) >= leastEvaluationNumber
  const inDate = factsOf(held).filter((f) => f.issuedAt <= now && now < f.validUntil && isCurrent(f))
  const keys = new Set(inDate.flatMap((f) => f.keys))
  const isHeld = (request: CollateralRequest) =>
    request.kind === 'nvidia-rim'
      ? held.rims.some((rim) => isRimOf(request.id, rim))
      : requestKeys(request).some((key) => keys.has(key))
  return async (request) => (isHeld(request) ? ok({ request, files: [], fetchedAt: now }) : fetchObject(request))
}
