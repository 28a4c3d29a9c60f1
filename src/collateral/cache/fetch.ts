import type { Code } from '../../core/codes.ts'
import { type Fault, fail, failed, fault, type NonEmpty, type Outcome, ok } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { CollateralRequest, FetchedObject, FetchObject } from '../objects.ts'
import { answered, judgeAnswered } from './answer.ts'
import type { CachedAnswer, CollateralCache } from './cache.ts'
import { requestKey, requestKeys } from './key.ts'

/** That a vendor has no such object is believed for so long. */
const ABSENCE_SECONDS = 600
/** A refresh that failed is not tried again at every use. */
const REFRESH_PAUSE_SECONDS = 60
/** Manifests are re-issued under one id and do not expire. */
const REISSUE_SECONDS = 7 * 86_400
/** Lists and documents hold for months, and say of themselves for how long: nobody has proved that when they are held. */
const NEWS_SECONDS = 86_400

export interface CacheRules {
  /** whose roots the verifier trusts beside the pinned ones: marks of other roots are not compared with */
  readonly scope: string
  /** `never` asks the vendor for everything anew, and still keeps what comes */
  readonly useHeld: 'while in date' | 'never'
  /** how long a failure is believed, so that a vendor that is down is not asked by everybody in turn; not at all unless said */
  readonly failureSeconds?: number
  /** documents of Intel's of a lower tcbEvaluationDataNumber are asked for anew before they are given, once in a minute at most */
  readonly leastEvaluationNumber?: () => number
  /** hears of every object that was given without a question */
  readonly onHeld?: (request: CollateralRequest) => void
}

/**
 * Asks a cache, and the vendor behind it.
 * @param issuedSince a list, OCSP answer or document that was issued before is asked for anew before it is given, once in a minute at
 * most; 0 unless said. What is given may still be older: to call it so is the decision's business.
 */
export type CachedFetch = (request: CollateralRequest, issuedSince?: UnixSeconds) => Promise<Outcome<FetchedObject>>

/**
 * `fetchObject` with a memory: what is held and in date is given without asking; at half of its remaining life, lists and documents after a day, it is asked
 * for anew in the background; that a vendor has no such object is believed for ten minutes; and whoever asks for the same
 * object at the same time waits for one question. What comes is judged before it is held (`judgeAnswered`).
 * @param clock the time of judgement
 * @returns the object with every revision that is held of it, or what `fetchObject` and `judgeAnswered` return
 */
export function cachedFetch(
  fetchObject: FetchObject,
  cache: CollateralCache,
  clock: () => UnixSeconds,
  rules: CacheRules,
): CachedFetch {
  const { scope, useHeld, failureSeconds = 0, leastEvaluationNumber = () => 0, onHeld } = rules
  const flights = new Map<string, Promise<Outcome<FetchedObject>>>()

  const fetchAndKeep = async (request: CollateralRequest): Promise<Outcome<FetchedObject>> => {
    const key = requestKey(request)
    const fetched = await fetchObject(request)
    if (!fetched.ok) {
      await remember(key, fetched.faults, believedSeconds(fetched.faults[0].code))
      return fetched
    }
    const now = clock()
    const marks = (line: string) => cache.marks(scope, line)
    const { answer, faults } = await judgeAnswered(answered(fetched.value), requestKeys(request), now, marks)
    const [first, ...more] = faults
    if (first !== undefined) {
      await remember(key, [first, ...more], failureSeconds)
      return failed([first, ...more])
    }
    await cache.keep(answer)
    return ok(withRevisions(request, await cache.held(key)) ?? fetched.value)
  }

  const believedSeconds = (code: Code): number => {
    if (code === 'COLLATERAL_NOT_PUBLISHED') return ABSENCE_SECONDS
    // That no turn came in time is no failure of the vendor's, and whoever comes next may have one; a host that asked for a pause is
    // left alone by the client itself.
    return code === 'COLLATERAL_THROTTLED' ? 0 : failureSeconds
  }

  const remember = async (key: string, faults: NonEmpty<Fault>, seconds: number): Promise<void> => {
    const since = clock()
    if (seconds > 0) await cache.remember(key, { faults, since, until: since + seconds })
  }

  const inOneFlight = (request: CollateralRequest): Promise<Outcome<FetchedObject>> => {
    const key = requestKey(request)
    const flight = flights.get(key) ?? fetchAndKeep(request).finally(() => flights.delete(key))
    flights.set(key, flight)
    return flight
  }

  const refresh = async (request: CollateralRequest, issuedSince: UnixSeconds): Promise<void> => {
    const key = `refresh ${requestKey(request)}`
    if (cache.absence(key, clock()) !== undefined) return
    const outcome = await inOneFlight(request)
    const faults = outcome.ok ? await stillBehind(request, issuedSince) : outcome.faults
    if (faults !== undefined) await remember(key, faults, REFRESH_PAUSE_SECONDS)
  }

  /** how it falls short of what is asked for */
  const behind = ({ newest }: Held, issuedSince: UnixSeconds): Code | undefined => {
    if ((newest.evaluationNumber ?? Infinity) < leastEvaluationNumber()) return 'COLLATERAL_EVALUATION_TOO_LOW'
    return newest.line !== undefined && newest.issuedAt < issuedSince ? 'COLLATERAL_TOO_OLD' : undefined
  }

  const stillBehind = async (
    request: CollateralRequest,
    issuedSince: UnixSeconds,
  ): Promise<NonEmpty<Fault> | undefined> => {
    const held = await heldFor(cache, request, clock())
    const code = held === undefined ? undefined : behind(held, issuedSince)
    return code === undefined ? undefined : [fault(code, requestKey(request))]
  }

  return async (request, issuedSince = 0) => {
    const now = clock()
    if (useHeld === 'never') return inOneFlight(request)
    const held = await heldFor(cache, request, now)
    if (held !== undefined && behind(held, issuedSince) !== undefined) {
      await refresh(request, issuedSince)
      return ok(((await heldFor(cache, request, now)) ?? held).object)
    }
    if (held !== undefined) {
      if (refreshAt(request, held.newest) <= now) cache.inBackground(refresh(request, issuedSince))
      onHeld?.(request)
      return ok(held.object)
    }
    const absence = cache.absence(requestKey(request), now)
    return absence === undefined ? inOneFlight(request) : failed(absence.faults)
  }
}

/** What is held and in date, and nothing else: asks nobody. */
export const heldOnly =
  (cache: CollateralCache, clock: () => UnixSeconds): FetchObject =>
  async (request) => {
    const held = await heldFor(cache, request, clock())
    if (held !== undefined) return ok(held.object)
    return fail('COLLATERAL_UNAVAILABLE', requestKey(request), { actual: 'not held, and not fetched off line' })
  }

interface Held {
  readonly object: FetchedObject
  readonly newest: CachedAnswer
}

async function heldFor(
  cache: CollateralCache,
  request: CollateralRequest,
  now: UnixSeconds,
): Promise<Held | undefined> {
  for (const key of requestKeys(request)) {
    const answers = (await cache.held(key)).filter((a) => a.issuedAt <= now && now < a.validUntil)
    const object = withRevisions(request, answers)
    const [newest] = answers
    if (object !== undefined && newest !== undefined) return { object, newest }
  }
  return undefined
}

/** What does not change while it holds is asked for at half of its life; what may be issued anew at any time, in a day. */
const refreshAt = ({ kind }: CollateralRequest, { fetchedAt, validUntil }: CachedAnswer): UnixSeconds => {
  if (kind === 'nvidia-rim') return fetchedAt + REISSUE_SECONDS
  const half = Math.floor((validUntil - fetchedAt) / 2)
  const isCertificate = kind === 'amd-vcek' || kind === 'amd-chain'
  return fetchedAt + (isCertificate ? half : Math.min(half, NEWS_SECONDS))
}

function withRevisions(request: CollateralRequest, answers: readonly CachedAnswer[]): FetchedObject | undefined {
  const [newest] = answers
  if (newest === undefined) return undefined
  return { request, files: answers.flatMap((a) => a.files), fetchedAt: newest.fetchedAt }
}
