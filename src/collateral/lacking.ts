import type { CollateralSet } from '../attestation/collateral.ts'
import type { Code } from '../core/codes.ts'
import { ok } from '../core/outcome.ts'
import type { UnixSeconds } from '../core/time.ts'
import type { Decision } from '../decision/decision.ts'
import type { Policy } from '../policy/policy.ts'
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

/** What a decision asks of vendors' objects beyond that they are in date: what falls short of it counts as not held. */
export interface Least {
  /** of Intel's documents: their tcbEvaluationDataNumber */
  readonly evaluationNumber: number
  /** of what is issued anew all the time: lists, OCSP answers, Intel's documents */
  readonly issuedAt: UnixSeconds
}

/** From when on an object must have been issued for none of these policies to call it too old; 0 where they take any that is in date. */
export const leastIssuedAt = (policies: readonly (Policy | null)[], now: UnixSeconds): UnixSeconds =>
  Math.max(
    0,
    ...policies.map((policy) => {
      const maxAgeSeconds = policy?.collateral.maxAgeSeconds ?? 'any'
      return maxAgeSeconds === 'any' ? 0 : now - maxAgeSeconds
    }),
  )

/** `fetchObject` for whoever has some of it already: an object that is among `held`, in date at `now` and good enough is not asked for. */
export function unlessHeld(fetchObject: FetchObject, held: CollateralSet, now: UnixSeconds, least: Least): FetchObject {
  const isEnough = ({ evaluationNumber, lines, issuedAt }: ObjectFacts) =>
    (evaluationNumber ?? Infinity) >= least.evaluationNumber && (lines.length === 0 || issuedAt >= least.issuedAt)
  const inDate = factsOf(held).filter((f) => f.issuedAt <= now && now < f.validUntil && isEnough(f))
  const keys = new Set(inDate.flatMap((f) => f.keys))
  const isHeld = (request: CollateralRequest) =>
    request.kind === 'nvidia-rim'
      ? held.rims.some((rim) => isRimOf(request.id, rim))
      : requestKeys(request).some((key) => keys.has(key))
  return async (request) => (isHeld(request) ? ok({ request, files: [], fetchedAt: now }) : fetchObject(request))
}

/** A decision, and what it was made with. */
export interface JudgedByNewest {
  readonly decision: Decision
  readonly collateral: CollateralSet
}

/**
 * Judges with everything; and where that is called too old, without the lists and answers of `held` of which a newer one was
 * obtained, since it repeats what they say. What is refused with everything stays refused, whatever was obtained.
 * @param all `held`, and what was obtained beside it
 */
export async function judgedByNewest(
  judge: (collateral: CollateralSet) => Promise<Decision>,
  held: CollateralSet,
  all: CollateralSet,
): Promise<JudgedByNewest> {
  const decision = await judge(all)
  if (decision.verdict !== 'inconclusive' || !isTooOld(decision)) return { decision, collateral: all }
  const collateral = withoutSuperseded(held, all)
  const again = await judge(collateral)
  return again.verdict === 'accept' ? { decision: again, collateral } : { decision, collateral: all }
}

/** Whether the policy calls something too old that the decision rests on. */
export const isTooOld = ({ findings }: Decision): boolean => findings.some(({ code }) => code === 'COLLATERAL_TOO_OLD')

function withoutSuperseded(held: CollateralSet, all: CollateralSet): CollateralSet {
  const before = factsOf(held)
  const digests = new Set(before.map(({ digest }) => digest))
  const obtained = factsOf(all).filter(({ digest }) => !digests.has(digest))
  const isSuperseded = (f: ObjectFacts) =>
    obtained.some((newer) => newer.issuedAt > f.issuedAt && newer.lines.some((line) => f.lines.includes(line)))
  // An answer may speak of several certificates.
  const kept = new Set([...obtained, ...before.filter((f) => !isSuperseded(f))].map(({ digest }) => digest))
  const isKept = ({ sha256 }: { readonly sha256: string }) => kept.has(sha256)
  return { ...all, crls: all.crls.filter(isKept), ocspResponses: all.ocspResponses.filter(isKept) }
}
