import { describe, expect, test } from 'vitest'
import { complaint, execute, type FuzzTarget, inputOf } from './execute.ts'
import { TARGETS } from './targets.ts'

/** What `npm run fuzz` does a million times; here enough to notice a decoder that throws. */
const EXECUTIONS = { decoder: 2000, judgement: 200 }

describe('any bytes come back as an outcome', () => {
  test.each(TARGETS.map((target) => [target.name, target] as const))('%s', async (_, target) => {
    const to = EXECUTIONS[target.pace]
    const { failure, executions, accepted } = await execute(target, { seed: 'ci', from: 0, to, step: 1 })
    expect(failure).toBeUndefined()
    expect(executions).toBe(to)
    expect(accepted).toBeGreaterThan(target.corpus().seeds.length - 1)
  })

  test('each target has a name of its own', () => {
    expect(new Set(TARGETS.map((t) => t.name)).size).toBe(TARGETS.length)
  })
})

describe('the fuzzer', () => {
  const corpus = { seeds: [Uint8Array.of(1, 2, 3, 4)], heavy: [], tokens: [], maxBytes: 64 } as const
  const broken = (run: FuzzTarget['run']): FuzzTarget => ({
    name: 'broken',
    corpus: () => corpus,
    run,
    pace: 'decoder',
  })
  const run = (target: FuzzTarget) => execute(target, { seed: 's', from: 0, to: 5000, step: 1 })
  const good = { ok: true, value: null } as const

  test('makes the same inputs from the same seed, and others from another', () => {
    const target = broken(() => good)
    const inputs = (seed: string) => Array.from({ length: 50 }, (_, i) => inputOf(target, corpus, seed, i))
    expect(inputs('a')).toEqual(inputs('a'))
    expect(inputs('a')).not.toEqual(inputs('b'))
  })

  test('finds a throw that needs two bytes to be right, and says which input shows it', async () => {
    const target = broken((bytes) => {
      if (bytes[0] === 0xff && (bytes[1] ?? 0) >= 0x80) throw new RangeError('out of bounds')
      return good
    })
    const { failure } = await run(target)
    expect(failure?.what).toContain('RangeError: out of bounds')
    expect(inputOf(target, corpus, 's', failure?.index ?? -1)).toEqual(
      Uint8Array.from(Buffer.from(failure?.input ?? '', 'hex')),
    )
  })

  test('finds a rejected promise', async () => {
    expect((await run(broken(() => Promise.reject(new Error('late'))))).failure?.what).toContain('late')
  })

  test('finds a decoder that writes to its input', async () => {
    expect((await run(broken((bytes) => ({ ok: true, value: bytes.fill(9) })))).failure?.what).toBe(
      'wrote to its input',
    )
  })

  test('finds a seed that is refused', async () => {
    const target = {
      ...broken(() => ({ ok: false, faults: [{ code: 'DER_TRUNCATED', path: 'x' }] })),
      acceptsSeeds: true,
    } as const
    expect((await run(target)).failure?.what).toContain('seed 0 was refused: DER_TRUNCATED')
  })

  test.each([
    ['no fault', { ok: false, faults: [] }],
    ['a code outside the table', { ok: false, faults: [{ code: 'NO_SUCH_CODE', path: '' }] }],
    ['a control character', { ok: false, faults: [{ code: 'DER_TRUNCATED', path: '', actual: '\u001b[2J' }] }],
    ['a long text', { ok: false, faults: [{ code: 'DER_TRUNCATED', path: 'a'.repeat(700) }] }],
    ['neither', {}],
  ])('does not take %s for an outcome', (_, outcome) => {
    expect(complaint(outcome as never)).toBeDefined()
  })
})
