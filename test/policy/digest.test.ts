import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { canonicalPolicy, policyDigest } from '../../src/policy/index.ts'
import { DIGEST, documentWith, documentWithGpu, MINIMAL, OTHER_DIGEST, policyOf } from './support.ts'

const digestOf = (document: unknown) => policyDigest(policyOf(document), (bytes) => nodeCrypto.digest('sha256', bytes))

/** The same document with the members of every object in another order. */
function shuffled(value: unknown, order: () => number): unknown {
  if (Array.isArray(value)) return value.map((v) => shuffled(v, order))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([k, v]) => [order(), k, shuffled(v, order)] as const)
  return Object.fromEntries(entries.sort((a, b) => a[0] - b[0]).map(([, k, v]) => [k, v]))
}

describe('policyDigest', () => {
  it('is the SHA-256 of the canonical effective policy', async () => {
    const bytes = canonicalPolicy(policyOf(MINIMAL))
    expect(new TextDecoder().decode(bytes)).toMatch(
      /^\{"acceptRisks":"none","collateral":\{"maxAgeSeconds":"any"\},"freshness":/,
    )
    const digest = await digestOf(MINIMAL)
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(digest).toBe(`sha256:${Buffer.from(await nodeCrypto.digest('sha256', bytes)).toString('hex')}`)
  })

  it('does not depend on the order of keys, nor of lists, nor on white space and comments', async () => {
    const document = documentWithGpu({ models: ['H100', 'H200'], denyDrivers: ['550.54.14', '535.86.09'] })
    const digest = await digestOf(document)
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.integer()), async (stream) => {
        expect(await digestOf(shuffled(document, () => stream.next().value))).toBe(digest)
      }),
      { numRuns: 50 },
    )
    const reversed = documentWithGpu({ models: ['H200', 'H100'], denyDrivers: ['535.86.09', '550.54.14'] })
    expect(await digestOf(reversed)).toBe(digest)
    expect(await digestOf(JSON.stringify(document, null, 4))).toBe(digest)
    expect(await digestOf({ ...document, comment: 'nothing of effect' })).toBe(digest)
  })

  it('does not depend on whether a default is written', async () => {
    expect(await digestOf(documentWith({ revocation: 'required', vmpl: [0] }, { acceptRisks: 'none' }))).toBe(
      await digestOf(MINIMAL),
    )
  })

  it('changes with every rule', async () => {
    const documents = [
      MINIMAL,
      documentWith({ measurements: [DIGEST] }),
      documentWith({ measurements: [OTHER_DIGEST] }),
      documentWith({ measurements: [DIGEST, OTHER_DIGEST] }),
      documentWith({ revocation: 'none' }),
      documentWith({ minTcb: { snp: 1 } }),
      documentWith({}, { name: 'other' }),
      documentWith({}, { freshness: { maxAgeSeconds: 61 } }),
      documentWith({}, {}, { level: 2 }),
      documentWithGpu(),
      documentWithGpu({ count: 'lease' }),
    ]
    const digests = await Promise.all(documents.map(digestOf))
    expect(new Set(digests).size).toBe(documents.length)
  })
})
