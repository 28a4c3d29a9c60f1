import {
  type CollateralFile,
  type CollateralSet,
  type SortedCollateral,
  sortCollateral,
} from '../../attestation/collateral.ts'
import { Context, createVerificationCache } from '../../core/context.ts'
import { nodeCrypto } from '../../core/crypto/node.ts'
import { type Fault, fault } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { FetchedObject } from '../objects.ts'
import type { CachedAnswer } from './cache.ts'
import { factsOf, isRimOf, type ObjectFacts } from './facts.ts'
import { requestKey } from './key.ts'
import { judgeFacts, type Mark, markAt } from './marks.ts'

/** Sorted and decoded; nothing is proved. */
export function sortedWithFaults(files: readonly CollateralFile[]): Promise<SortedCollateral> {
  const context = new Context({ now: 0, anchors: [], crypto: nodeCrypto, cache: createVerificationCache(1) })
  return sortCollateral(context, files, 'verifier')
}

export const sorted = async (files: readonly CollateralFile[]): Promise<CollateralSet> =>
  (await sortedWithFaults(files)).collateral

/** The line of an object that was asked for under a key; undefined where several come into question, or none. */
export const lineOf = ({ lines }: ObjectFacts, key: string | undefined): string | undefined =>
  lines.length === 1 ? lines[0] : lines.find((line) => line === key)

/** What is decoded by nobody here holds for so long: keys of an issuer, and Intel's list of evaluation numbers. */
const OPAQUE_SECONDS: Readonly<Record<string, number>> = { jwks: 3600, 'intel-evaluation-numbers': 86_400 }

/** Files that came as the answer to a request. */
export interface Answered {
  readonly key: string
  readonly files: readonly CollateralFile[]
  readonly fetchedAt: UnixSeconds
}

export const answered = ({ request, files, fetchedAt }: FetchedObject): Answered => ({
  key: requestKey(request),
  files,
  fetchedAt,
})

/** What a vendor answered, judged by what it says of itself. */
export interface JudgedAnswer {
  readonly answer: CachedAnswer
  /** why it must not be used, the first that holds; empty where it may */
  readonly faults: readonly Fault[]
}

/**
 * Judges an answer before it is held: about the object asked for, in date at `now`, and not older than what was authenticated
 * before it. It is not proved; that is done on every use.
 * @param keys all those under which the object may be known
 * @param marks of a line, whose roots are those of the verifier
 * @returns faults COLLATERAL_SUBJECT_MISMATCH · COLLATERAL_NOT_YET_VALID · COLLATERAL_EXPIRED · COLLATERAL_ROLLBACK ·
 * COLLATERAL_EQUIVOCATION
 */
export async function judgeAnswered(
  { key, files, fetchedAt }: Answered,
  keys: readonly string[],
  now: UnixSeconds,
  marks: (line: string) => readonly Mark[],
): Promise<JudgedAnswer> {
  const [kind = '', id = ''] = key.split('/')
  const opaque = Object.hasOwn(OPAQUE_SECONDS, kind) ? OPAQUE_SECONDS[kind] : undefined
  if (opaque !== undefined) return { answer: unsorted({ key, files, fetchedAt }, opaque), faults: [] }
  const set = await sorted(files)
  const all = factsOf(set)
  const own = kind === 'nvidia-rim' ? rimsOf(id, set, all) : about(keys, all)
  const judged = (own.length > 0 ? own : all.slice(0, 1)).map((facts) => {
    const line = lineOf(facts, key)
    const mark = line === undefined ? undefined : markAt(marks(line), now)
    const found = own.length > 0 ? key : (facts.keys[0] ?? 'another object')
    return judgeFacts(facts, mark, { asked: key, answered: found }, now)
  })
  const nothing = fault('COLLATERAL_SUBJECT_MISMATCH', key, { expected: key, actual: 'nothing that can be read' })
  const faults = all.length === 0 ? [nothing] : (judged.find((f) => f.length > 0) ?? [])
  const [first] = own
  return {
    answer: {
      key,
      files,
      fetchedAt,
      issuedAt: Math.max(0, ...own.map((f) => f.issuedAt)),
      validUntil: Math.min(...own.map((f) => f.validUntil)),
      line: first === undefined ? undefined : lineOf(first, key),
      evaluationNumber: first?.evaluationNumber,
      sequenceNumber: first?.sequenceNumber,
    },
    faults,
  }
}

const about = (keys: readonly string[], all: readonly ObjectFacts[]): readonly ObjectFacts[] =>
  all.filter((facts) => facts.keys.some((key) => keys.includes(key)))

function rimsOf(id: string, set: CollateralSet, all: readonly ObjectFacts[]): readonly ObjectFacts[] {
  const digests = set.rims.filter((held) => isRimOf(id, held)).map((held) => held.sha256)
  return all.filter((facts) => digests.includes(facts.digest))
}

const unsorted = (of: Answered, seconds: number): CachedAnswer => ({
  ...of,
  issuedAt: of.fetchedAt,
  validUntil: of.fetchedAt + seconds,
  line: undefined,
  evaluationNumber: undefined,
  sequenceNumber: undefined,
})
