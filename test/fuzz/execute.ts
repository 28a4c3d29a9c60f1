import { equalBytes } from '../../src/core/bytes.ts'
import { CODES } from '../../src/core/codes.ts'
import { toHex } from '../../src/core/encodings.ts'
import type { Outcome } from '../../src/core/outcome.ts'
import { type Corpus, mutant } from './mutate.ts'
import { Random } from './random.ts'

/** One decoder to be fed with bytes. Another one is another entry of `TARGETS`. */
export interface FuzzTarget {
  readonly name: string
  /** Made once per process; it may take a while. */
  readonly corpus: () => Corpus
  /** Must answer with an outcome for any bytes, and must not throw, hang, or write to them. */
  readonly run: (bytes: Uint8Array) => Outcome<unknown> | Promise<Outcome<unknown>>
  /** A whole judgement takes a hundred times as long as a decoder, and gets a hundredth of the executions. */
  readonly pace: 'decoder' | 'judgement'
}

export interface Failure {
  readonly target: string
  readonly index: number
  readonly what: string
  /** The input, hex. */
  readonly input: string
}

export interface Tally {
  readonly executions: number
  readonly accepted: number
  readonly slowestMilliseconds: number
  readonly failure: Failure | undefined
}

const HANG_MILLISECONDS = 1000

/** Which mutants: `from`, `from + step`, … below `to`. */
export interface Share {
  readonly seed: string
  readonly from: number
  readonly to: number
  readonly step: number
}

/** The input of one execution, from nothing but the seed text, the target and the number. */
export const inputOf = (target: FuzzTarget, corpus: Corpus, seed: string, index: number): Uint8Array =>
  mutant(corpus, new Random(`${seed}/${target.name}`, index), index)

/**
 * Runs a share of the mutants until one of them shows a fault.
 * @param before is told the number of each execution before it starts, so that a watcher knows where one hangs
 */
export async function execute(
  target: FuzzTarget,
  share: Share,
  before: (index: number) => void = () => {},
): Promise<Tally> {
  const corpus = target.corpus()
  let executions = 0
  let accepted = 0
  let slowestMilliseconds = 0
  for (let index = share.from; index < share.to; index += share.step) {
    before(index)
    const input = inputOf(target, corpus, share.seed, index)
    const failed = (what: string): Tally => {
      const failure = { target: target.name, index, what, input: toHex(inputOf(target, corpus, share.seed, index)) }
      return { executions, accepted, slowestMilliseconds, failure }
    }
    let outcome: Outcome<unknown>
    const start = performance.now()
    try {
      const answer = target.run(input)
      outcome = answer instanceof Promise ? await answer : answer
    } catch (error) {
      return failed(`threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    }
    const milliseconds = performance.now() - start
    executions++
    slowestMilliseconds = Math.max(slowestMilliseconds, milliseconds)
    const fault = complaint(outcome)
    if (fault !== undefined) return failed(fault)
    // Mutants start deep inside the decoder only where the seeds get through it.
    if (outcome.ok) accepted++
    else if (index < corpus.seeds.length) {
      return failed(`seed ${index} was refused: ${outcome.faults[0].code} at ${outcome.faults[0].path}`)
    }
    if (milliseconds > HANG_MILLISECONDS && (await isSlow(target, input)))
      return failed(`took ${Math.round(milliseconds)} ms`)
    if (index % 64 === 0 && !equalBytes(input, inputOf(target, corpus, share.seed, index)))
      return failed('wrote to its input')
  }
  return { executions, accepted, slowestMilliseconds, failure: undefined }
}

/** A shared machine may stall: only what is slow every time is slow. */
async function isSlow(target: FuzzTarget, input: Uint8Array): Promise<boolean> {
  for (let i = 0; i < 3; i++) {
    const start = performance.now()
    await target.run(input)
    if (performance.now() - start <= HANG_MILLISECONDS) return false
  }
  return true
}

const PRINTABLE = /^[\x20-\x7e…]*$/
const LONGEST = 640

/** What is wrong with an answer as an answer; undefined where it is an outcome as the contract has it. */
export function complaint(outcome: Outcome<unknown>): string | undefined {
  if (outcome.ok === true) return 'value' in outcome ? undefined : 'accepted without a value'
  if (outcome.ok !== false) return 'neither accepted nor refused'
  if (outcome.faults.length === 0) return 'refused without a fault'
  for (const { code, path, expected, actual, source } of outcome.faults) {
    if (!Object.hasOwn(CODES, code)) return `unknown code ${code}`
    const texts = [path, expected, actual, source].filter((text) => text !== undefined)
    const bad = texts.find((text) => !PRINTABLE.test(text) || unescapedLength(text) > LONGEST)
    if (bad !== undefined) return `${code} carries text that is not printable or too long: ${JSON.stringify(bad)}`
  }
  return undefined
}

/** An escape stands for one character of the input. */
const unescapedLength = (text: string): number => text.replaceAll(/\\u[0-9a-f]{4}/g, '.').length
