import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createVerificationCache } from '../src/core/context.ts'
import type { Judge } from '../src/gate/ports.ts'
import type { ReleaseRequest } from '../src/release/index.ts'
import { median } from './measure.ts'

/** Most time of a release over that of its decision alone. */
export const RELEASE_CEILING = 2

/** Machines that ask at the same time; they share writes. */
const AT_ONCE = 64
const ROUNDS = 9

export interface ReleaseFigures {
  /** milliseconds of processor time for one */
  readonly release: number
  readonly decision: number
  /** medians of the rounds' own ratios, by processor time and by the clock: the disk's speed, to which each waits, is not ours */
  readonly ratio: number
  readonly clockRatio: number
}

/**
 * Releases over SQLite, a KEK file and an anchored log, all synced, against the decisions on the very same evidence: challenges
 * were asked and evidence collected before, chains are known.
 */
export async function releaseFigures(machines: readonly Machine[]): Promise<ReadonlyMap<Machine, ReleaseFigures>> {
  const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-bench-'))
  // Tests put their files where this says; without it they would ask the test runner to remove them.
  process.env.VOUCHSAFE_TEST_FOLDER = folder
  try {
    const figures = new Map<Machine, ReleaseFigures>()
    for (const machine of machines) figures.set(machine, await figuresOf(machine))
    return figures
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function figuresOf(machine: Machine): Promise<ReleaseFigures> {
  const rounds: { readonly release: Spent; readonly decision: Spent }[] = []
  for (let round = 0; round <= ROUNDS; round++) {
    const measured = await oneRound(machine)
    // The first one warms up.
    if (round > 0) rounds.push(measured)
  }
  const of = (value: (round: (typeof rounds)[number]) => number) => median(rounds.map(value))
  return {
    release: of((r) => r.release.processor / AT_ONCE),
    decision: of((r) => r.decision.processor / AT_ONCE),
    ratio: of((r) => r.release.processor / r.decision.processor),
    clockRatio: of((r) => r.release.clock / r.decision.clock),
  }
}

/** What asks: the machine that the product is about, and one with a CPU report alone, whose decision is half of that. */
export type Machine = 'SNP + H100' | 'SNP'

async function oneRound(kind: Machine): Promise<{ readonly release: Spent; readonly decision: Spent }> {
  const [{ machine }, { trustingTestAnchors }] = await Promise.all([
    import('./release-machines.ts'),
    import('../test/gate/support.ts'),
  ])
  const judged: Parameters<Judge>[] = []
  const judge: Judge = (...about) => {
    judged.push(about)
    return trustingTestAnchors(...about)
  }
  const { request, broker, store } = await machine(kind, judge)
  // Chains are known to both sides, and neither has seen the reports themselves.
  const first = await broker.release(await request())
  if (!first.released) throw new TypeError(JSON.stringify(first))
  const cache = createVerificationCache()
  const again = ([evidence, context]: Parameters<Judge>) => trustingTestAnchors(evidence, { ...context, cache })
  await Promise.all(judged.splice(0).map(again))
  const requests: ReleaseRequest[] = []
  for (let i = 0; i < AT_ONCE; i++) requests.push(await request())
  const release = await spent(async () => {
    const answers = await Promise.all(requests.map((one) => broker.release(one)))
    if (answers.some((answer) => !answer.released)) throw new TypeError('not released')
  })
  const decision = await spent(async () => {
    const decisions = await Promise.all(judged.map(again))
    if (decisions.length !== AT_ONCE || decisions.some(({ verdict }) => verdict !== 'accept'))
      throw new TypeError('not accepted')
  })
  await store.close()
  return { release, decision }
}

/** Milliseconds, of the processors over all threads. */
interface Spent {
  readonly clock: number
  readonly processor: number
}

async function spent(work: () => Promise<void>): Promise<Spent> {
  const [start, before] = [performance.now(), process.cpuUsage()]
  await work()
  const { user, system } = process.cpuUsage(before)
  return { clock: performance.now() - start, processor: (user + system) / 1000 }
}
