import { expect, test } from 'vitest'
import { CODES, type Code } from '../../src/core/codes.ts'
import type { Outcome } from '../../src/core/outcome.ts'
import type { Decision } from '../../src/decision/decision.ts'
import { CATALOGUE, type Row, type RowId } from './catalogue.ts'

type Verdict = 'accept' | 'reject' | 'inconclusive'

/**
 * What a row looks at: a whole decision, the outcome of a reader, or what was found (faults, findings, item faults; an
 * empty list is an accept).
 */
export type Judged = Decision | Outcome<unknown> | readonly { readonly code: Code }[]

export type Check = () => Judged | Promise<Judged>

/**
 * A case that comes back with other codes than its row; the row then lists them in `otherCodes`, and says why. `also`: what
 * the fault of this case cannot come without.
 */
export interface OtherCode {
  readonly code: Code
  readonly also?: readonly Code[]
  readonly check: Check
}

export interface RowSpec {
  /** the same with the one thing right: one for all cases, or one for each case of the same name */
  readonly twin: Check | Readonly<Record<string, Check>>
  /** with the one thing wrong, case by case where the row has a range */
  readonly bad: Check | Readonly<Record<string, Check | OtherCode>>
  /** codes that no case comes without; the row lists them in `otherCodes` */
  readonly inherent?: readonly Code[]
  /** where one row has several tests, what this one is about */
  readonly about?: string
}

/**
 * A row of the must-reject catalogue as one test, named `ID CODE: what`. Every case of its range has to come back with
 * exactly the row's code and verdict, and its twin has to be accepted, so that nothing but the check under test can refuse.
 */
export function row(id: RowId, spec: RowSpec): void {
  const bad = Object.entries(typeof spec.bad === 'function' ? { '': spec.bad } : spec.bad)
  if (bad.length === 0) throw new TypeError(`${id} has no case`)
  const executions = bad.length === 1 ? '' : ` (${bad.length} executions)`
  test(`${rowTitle(id)}${spec.about === undefined ? '' : `, ${spec.about}`}${executions}`, async () => {
    const about = rowOf(id)
    if (typeof spec.twin === 'function') accepted(await spec.twin(), 'twin')
    for (const [name, entry] of bad) {
      if (typeof spec.twin !== 'function') accepted(await twinOf(spec.twin, name)(), `twin of ${name}`)
      const { code, also = [], check } = typeof entry === 'function' ? { code: about.code, check: entry } : entry
      const codes = [code, ...also, ...(spec.inherent ?? [])]
      const unlisted = codes.find((c) => c !== about.code && about.otherCodes?.includes(c) !== true)
      if (unlisted !== undefined) throw new TypeError(`${id} does not list ${unlisted} in otherCodes`)
      refused(await check(), codes, name)
    }
  })
}

/** `RJ-SNP-17 SNP_POLICY_DEBUG_ALLOWED: what is wrong`, for a row whose test has a form of its own. */
export function rowTitle(id: RowId): string {
  const { code, what } = rowOf(id)
  return `${id} ${code}: ${what}`
}

export function rowOf(id: RowId): Row {
  const found = CATALOGUE.find((r) => r.id === id)
  if (found === undefined) throw new TypeError(`${id} is not in the catalogue`)
  return found
}

function twinOf(twins: Readonly<Record<string, Check>>, name: string): Check {
  const twin = twins[name]
  if (twin === undefined) throw new TypeError(`${name} has no twin`)
  return twin
}

/** The twin's half: accepted, with nothing found and for some time. */
export function accepted(judged: Judged, what = 'twin'): void {
  if ('schema' in judged && judged.verdict === 'accept') expect(judged.validUntil > judged.decidedAt, what).toBe(true)
  const { verdict, codes, told } = summary(judged)
  expect({ codes, verdict }, `${what}\n${told}`).toEqual({ codes: [], verdict: 'accept' })
}

/** The other half: exactly these codes, no more, and the verdict that they carry; such a decision holds for no time at all. */
export function refused(judged: Judged, codes: readonly Code[], what = ''): void {
  const seen = summary(judged)
  if ('schema' in judged) expect(judged.validUntil, what).toBe(judged.decidedAt)
  expect({ codes: seen.codes, verdict: seen.verdict }, `${what}\n${seen.told}`).toEqual({
    codes: [...new Set(codes)].sort(),
    verdict: verdictOfCodes(codes),
  })
}

interface Summary {
  readonly verdict: Verdict
  /** distinct, sorted */
  readonly codes: readonly Code[]
  readonly told: string
}

function summary(judged: Judged): Summary {
  if ('ok' in judged) return summaryOf(judged.ok ? [] : judged.faults)
  if (!('schema' in judged)) return summaryOf(judged)
  const found = summaryOf(judged.findings)
  return { ...found, verdict: judged.verdict }
}

function summaryOf(found: readonly { readonly code: Code }[]): Summary {
  const codes = [...new Set(found.map((f) => f.code))].sort()
  return { codes, verdict: verdictOfCodes(codes), told: JSON.stringify(found, null, 1).slice(0, 4000) }
}

const verdictOfCodes = (codes: readonly Code[]): Verdict =>
  codes.length === 0 ? 'accept' : codes.some((c) => CODES[c].verdict === 'reject') ? 'reject' : 'inconclusive'
