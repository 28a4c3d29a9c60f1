import { describe, expect, it } from 'vitest'
import { inTurns } from '../../src/gate/turns.ts'

/** Work that ends when it is told to, and how often it was begun. */
function stage() {
  const runs: PromiseWithResolvers<void>[] = []
  const ask = inTurns(() => {
    const run = Promise.withResolvers<void>()
    runs.push(run)
    return run.promise
  })
  const settle = async (i: number, error?: Error) => {
    while (runs[i] === undefined) await new Promise(setImmediate)
    if (error === undefined) runs[i].resolve()
    else runs[i].reject(error)
  }
  return { runs, ask, settle }
}
const down = new Error('down')
const outcomes = async (asked: readonly Promise<void>[]) =>
  (await Promise.allSettled(asked)).map(({ status }) => status)

describe('work in turns', () => {
  it('is shared by all who ask before it begins, and by nobody who asks after', async () => {
    const { runs, ask, settle } = stage()
    const first = ask()
    await new Promise(setImmediate)
    expect(runs).toHaveLength(1)
    const others = [ask(), ask(), ask()]
    await settle(0)
    await first
    await new Promise(setImmediate)
    expect(runs).toHaveLength(2)
    const late = ask()
    await settle(1)
    await Promise.all(others)
    await settle(2)
    await late
    expect(runs).toHaveLength(3)
  })

  it('gives those who joined a run that failed one more, and its error to whoever began it', async () => {
    const { runs, ask, settle } = stage()
    const asked = [ask(), ask(), ask()]
    await settle(0, down)
    await settle(1)
    expect(await outcomes(asked)).toEqual(['rejected', 'fulfilled', 'fulfilled'])
    expect(runs).toHaveLength(2)
  })

  it('fails for all where it fails again, and works for whoever asks then', async () => {
    const { runs, ask, settle } = stage()
    const asked = [ask(), ask(), ask()]
    await settle(0, down)
    await settle(1, down)
    expect(await outcomes(asked)).toEqual(['rejected', 'rejected', 'rejected'])
    const then = ask()
    await settle(2)
    await then
    expect(runs).toHaveLength(3)
  })
})
