import { readFileSync } from 'node:fs'
import { uptime } from 'node:os'
import type { CollateralSet } from '../../attestation/collateral.ts'
import { checkClock } from '../../core/clock.ts'
import type { Code } from '../../core/codes.ts'
import type { Fault } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { Decision } from '../../decision/decision.ts'
import { lineOf } from './answer.ts'
import type { ClockReadings, CollateralCache } from './cache.ts'
import { factsOf, type ObjectFacts } from './facts.ts'
import { requestKey } from './key.ts'
import { isNewer, judgeFacts, markAt } from './marks.ts'

/** Names the roots beside the pinned ones: what they authenticated counts among themselves only. */
export const scopeOf = (injectedAnchors: readonly { readonly spkiSha256: string }[]): string =>
  [...new Set(injectedAnchors.map((a) => a.spkiSha256))].sort().join()

/**
 * Compares what a decision rests on, and has therefore authenticated, with what was authenticated before it; and remembers the
 * newest of each line. Of several objects of one line the newest counts: a complete list repeats what older ones say.
 * @param sets the collateral that was judged with, the verifier's own and what travelled with the evidence
 * @returns COLLATERAL_ROLLBACK · COLLATERAL_EQUIVOCATION, by which the decision must not stand
 */
export async function rememberUsed(
  cache: CollateralCache,
  scope: string,
  decision: Decision,
  sets: readonly CollateralSet[],
  now: UnixSeconds,
): Promise<readonly Fault[]> {
  const used = new Set(decision.collateral.map((u) => u.digest))
  const newest = new Map<string, { readonly facts: ObjectFacts; readonly isCertain: boolean }>()
  for (const facts of sets.flatMap(factsOf)) {
    if (facts.lines.length === 0 || !used.has(facts.digest)) continue
    const certain = lineOf(
      facts,
      cache.keysOf(facts.digest).find((key) => facts.lines.includes(key)),
    )
    const line = certain ?? facts.lines.find((name) => listsAskedFor(decision).includes(name))
    if (line === undefined) continue
    const other = newest.get(line)
    if (other === undefined || isNewer(facts, other.facts))
      newest.set(line, { facts, isCertain: certain !== undefined })
  }
  const judged = [...newest].map(([line, { facts, isCertain }]) => {
    const marks = cache.marks(scope, line)
    // In date is what the judgement found it to be.
    const faults = judgeFacts(facts, markAt(marks, now), { asked: line, answered: line }, now).filter(({ code }) =>
      REFUSALS.includes(code),
    )
    return { line, facts, faults, raises: isCertain && faults.length === 0 && marks.every((m) => isNewer(facts, m)) }
  })
  const raising = judged.filter(({ raises }) => raises)
  if (raising.length > 0) await cache.raise(scope, raising)
  return judged.flatMap(({ faults }) => faults)
}

const REFUSALS: readonly Code[] = ['COLLATERAL_ROLLBACK', 'COLLATERAL_EQUIVOCATION']

/** A list of AMD's that came by hand does not say which of a product's two it is: taken for the one that the report needs. */
const listsAskedFor = ({ items }: Decision): readonly string[] =>
  items.flatMap(({ claims }) =>
    claims?.kind === 'amd/snp-report'
      ? [requestKey({ kind: 'amd-crl', product: claims.product, key: claims.signingKey })]
      : [],
  )

/**
 * Reads the clock of this machine, and compares it with what the cache remembers.
 * @returns the time, and CLOCK_BEFORE_BUILD · CLOCK_WENT_BACK · CLOCK_JUMP where it cannot be believed
 */
export function readClock(
  cache: CollateralCache,
  builtAt: UnixSeconds,
  read: () => ClockReadings = readingsOfMachine,
): Promise<{ readonly now: UnixSeconds; readonly clockFaults: readonly Fault[] }> {
  return cache.tick(read, (now, before) => {
    const isSameStart = before?.boot !== undefined && before.boot === now.boot
    const clockFaults = checkClock({
      now: now.instant,
      builtAt,
      lastPersisted: before === undefined ? { notKept: 'this is the first reading' } : before.latest,
      previous:
        before !== undefined && isSameStart
          ? { now: before.instant, elapsedSeconds: now.uptimeSeconds - before.uptimeSeconds }
          : { notKept: 'the machine was started since, or does not tell' },
      otherSources: [],
    })
    return { result: { now: now.instant, clockFaults }, isSound: clockFaults.length === 0 }
  })
}

/** Linux names each start of the machine, and its uptime goes on while the machine sleeps. */
export function readingsOfMachine(): ClockReadings {
  return { instant: Math.floor(Date.now() / 1000), boot: bootId(), uptimeSeconds: uptime() }
}

function bootId(): string | undefined {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch (error) {
    // Other systems have no such file; nothing is compared there.
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}
