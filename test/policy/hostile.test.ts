import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isCode } from '../../src/core/codes.ts'
import { explainPolicy, parsePolicy } from '../../src/policy/index.ts'
import { DIGEST, documentWithGpu, SIGNER } from './support.ts'

const DOCUMENT = JSON.stringify(
  documentWithGpu(
    { minDriver: '550.90.07' },
    { referenceValues: { signers: [SIGNER] }, acceptRisks: ['plain-nvlink'] },
  ),
)

/** Any outcome will do, but an outcome it must be: faults of the table, printable, and a policy that holds together. */
function judged(input: string | Uint8Array): void {
  const outcome = parsePolicy(input)
  if (outcome.ok) {
    expect(explainPolicy(outcome.value).rules.length).toBeGreaterThan(0)
    return
  }
  expect(outcome.faults.length).toBeLessThanOrEqual(64)
  for (const { code, path, expected = '', actual = '' } of outcome.faults) {
    expect(isCode(code)).toBe(true)
    expect(path + expected + actual).toMatch(/^[\x20-\x7e…]*$/)
  }
}

describe('hostile policies', () => {
  it('any text', () => fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), judged), { numRuns: 1000 }))

  it('any bytes', () => fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), judged), { numRuns: 1000 }))

  it('any JSON', () =>
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (v) => judged(JSON.stringify(v))),
      { numRuns: 1000 },
    ))

  it('a policy with some characters replaced', () => {
    const edits = fc.array(fc.tuple(fc.nat(DOCUMENT.length - 1), fc.constantFrom(...'{}[]",:0a-\\\u0000é'.split(''))), {
      maxLength: 4,
    })
    fc.assert(
      fc.property(edits, (list) => {
        const text = [...DOCUMENT]
        for (const [at, character] of list) text[at] = character
        judged(text.join(''))
      }),
      { numRuns: 3000 },
    )
  })

  it('a policy cut anywhere', () => {
    for (let length = 0; length < DOCUMENT.length; length++) {
      expect(parsePolicy(DOCUMENT.slice(0, length)).ok).toBe(false)
      judged(DOCUMENT.slice(0, length))
    }
  })

  it('many members that do not exist, and long ones', () => {
    judged(`{"version":1,${Array.from({ length: 500 }, (_, i) => `"k${i}":{}`).join()}}`)
    judged(`{"version":1,"${'x'.repeat(60_000)}":1}`)
    judged(JSON.stringify(documentWithGpu({ models: Array.from({ length: 500 }, () => DIGEST) })).slice(0, 65_536))
  })
})
