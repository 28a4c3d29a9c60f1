import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Context, createVerificationCache, type Payer, type VerificationCache } from '../../src/core/context.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import type { CryptoPort } from '../../src/core/crypto/port.ts'
import { LIMITS } from '../../src/core/limits.ts'
import { fail, ok } from '../../src/core/outcome.ts'
import { ecKey } from '../../src/testing/pki/keys.ts'
import { codesOf, valueIn } from './support.ts'
import { device } from './x509/pki.ts'

const NOW = 1_750_000_000
const KEY = ecKey('P-384', 'context')
const OTHER = ecKey('P-384', 'context, another')

/** node:crypto that counts what it is asked. */
function counting(): CryptoPort & { readonly verified: () => number } {
  let verified = 0
  return {
    name: 'counting',
    digest: nodeCrypto.digest,
    aesBlock: nodeCrypto.aesBlock,
    verify: (...check) => {
      verified++
      return nodeCrypto.verify(...check)
    },
    verified: () => verified,
  }
}

const contextOf = (crypto: CryptoPort, cache: VerificationCache = createVerificationCache()) =>
  new Context({ now: NOW, anchors: [], crypto, cache })

const messageOf = (n: number) => new TextEncoder().encode(`message ${n}`)

const signatures = new Map<number, Uint8Array>()
function signatureOf(n: number): Uint8Array {
  const signature = signatures.get(n) ?? KEY.signRaw(messageOf(n))
  signatures.set(n, signature)
  return signature
}

const ask = (context: Context, n: number, o: { payer?: Payer; memo?: 'remember' | 'once'; key?: typeof KEY } = {}) =>
  context.verify(
    o.payer ?? 'evidence',
    'ES384',
    (o.key ?? KEY).spki,
    messageOf(n),
    signatureOf(n),
    o.memo ?? 'remember',
  )

describe('Context', () => {
  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 253_402_300_800, 1_750_000_000_000])(
    'is not for %s',
    (now) => {
      expect(() => new Context({ now, anchors: [], crypto: nodeCrypto, cache: createVerificationCache() })).toThrow(
        TypeError,
      )
    },
  )

  it('gives digests as bytes and as hexadecimal', async () => {
    const context = contextOf(nodeCrypto)
    const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    expect(await context.digestHex('sha256', new Uint8Array())).toBe(empty)
    expect(Buffer.from(await context.digest('sha256', new Uint8Array())).toString('hex')).toBe(empty)
  })
})

describe('Context.verify', () => {
  it('answers as the port does', async () => {
    const context = contextOf(nodeCrypto)
    expect(await ask(context, 1)).toBe(true)
    expect(await ask(context, 1, { key: OTHER })).toBe(false)
    expect(await ask(context, 1, { memo: 'once' })).toBe(true)
    expect(await ask(context, 1, { memo: 'once', key: OTHER })).toBe(false)
  })

  it('checks once what many ask at the same time, and what is asked again', async () => {
    const crypto = counting()
    const context = contextOf(crypto)
    expect(await Promise.all(Array.from({ length: 20 }, () => ask(context, 1)))).toEqual(Array(20).fill(true))
    expect(await ask(context, 1)).toBe(true)
    expect(await Promise.all(Array.from({ length: 5 }, () => ask(context, 1, { key: OTHER })))).toEqual(
      Array(5).fill(false),
    )
    expect(crypto.verified()).toBe(2)
  })

  it('does not take one check for another: key, message, signature and algorithm are all told apart', async () => {
    const context = contextOf(nodeCrypto)
    const signature = KEY.signRaw(messageOf(1))
    const verify = (algorithm: 'ES384' | 'PS384', spki: Uint8Array, message: Uint8Array, s: Uint8Array) =>
      context.verify('evidence', algorithm, spki, message, s, 'remember')
    expect(await verify('ES384', KEY.spki, messageOf(1), signature)).toBe(true)
    expect(await verify('ES384', OTHER.spki, messageOf(1), signature)).toBe(false)
    expect(await verify('ES384', KEY.spki, messageOf(2), signature)).toBe(false)
    expect(await verify('ES384', KEY.spki, messageOf(1), KEY.signRaw(messageOf(2)))).toBe(false)
    expect(await verify('PS384', KEY.spki, messageOf(1), signature)).toBe(false)
  })

  it('remembers across judgements what held, and asks again what did not', async () => {
    const cache = createVerificationCache()
    const crypto = counting()
    for (let i = 0; i < 3; i++) {
      const context = contextOf(crypto, cache)
      expect([await ask(context, 1), await ask(context, 1, { key: OTHER })]).toEqual([true, false])
    }
    expect(crypto.verified()).toBe(1 + 3)
  })

  it('never remembers a check that is asked once', async () => {
    const cache = createVerificationCache()
    const crypto = counting()
    await ask(contextOf(crypto, cache), 1, { memo: 'once' })
    await ask(contextOf(crypto, cache), 1, { memo: 'once' })
    expect(crypto.verified()).toBe(2)
  })

  it('believes nothing in the cache but what it wrote', async () => {
    for (const lie of [1, 'true', {}, null, false]) {
      const context = contextOf(nodeCrypto, { get: () => lie, set: () => undefined })
      expect(await ask(context, 1, { key: OTHER })).toBe(false)
    }
  })
})

describe('the budget of signature checks', () => {
  const N = LIMITS.signatureChecks

  it('is spent by distinct checks of the evidence alone', async () => {
    const context = contextOf(nodeCrypto)
    for (let i = 0; i < N; i++) expect(await ask(context, i)).toBe(true)
    for (let i = 0; i < N; i++) expect(await ask(context, i)).toBe(true)
    for (let i = N; i < N + 5; i++) expect(await ask(context, i, { payer: 'collateral' })).toBe(true)
    expect(context.overBudget).toBe(false)
    expect(await ask(context, N + 9)).toBe(false)
    expect(context.overBudget).toBe(true)
    expect(await ask(context, N + 8, { payer: 'collateral' })).toBe(true)
  })

  it('is spent by checks that are asked once, too', async () => {
    const context = contextOf(nodeCrypto)
    for (let i = 0; i < N; i++) expect(await ask(context, 1, { memo: 'once' })).toBe(true)
    expect(context.overBudget).toBe(false)
    expect(await ask(context, 1, { memo: 'once' })).toBe(false)
    expect(context.overBudget).toBe(true)
  })

  it('costs no more checks than its size, however many are asked', async () => {
    const crypto = counting()
    const context = contextOf(crypto)
    await Promise.all(Array.from({ length: 3 * N }, (_, i) => ask(context, i)))
    expect(crypto.verified()).toBe(N)
    expect(context.overBudget).toBe(true)
  })

  it('is spent by the evidence also for what the collateral asked before, or asks after', async () => {
    const all = Array.from({ length: N + 1 }, (_, i) => i)
    const judge = async (...payers: Payer[]) => {
      const context = contextOf(nodeCrypto)
      for (const payer of payers) for (const n of all) await ask(context, n, { payer })
      return context.overBudget
    }
    expect(await judge('collateral', 'evidence')).toBe(true)
    expect(await judge('evidence', 'collateral')).toBe(true)
    expect(await judge('collateral', 'collateral')).toBe(false)
  })

  it('comes out the same with a cold and a warm cache, and in any order of askers', async () => {
    const questions = fc.array(
      fc.record({
        n: fc.nat(N + 6),
        payer: fc.constantFrom<Payer>('evidence', 'evidence', 'evidence', 'collateral'),
      }),
      { minLength: 3 * N, maxLength: 5 * N },
    )
    const warm = createVerificationCache()
    for (let i = 0; i <= N + 6; i++) await ask(contextOf(nodeCrypto, warm), i)
    await fc.assert(
      fc.asyncProperty(questions, async (asked) => {
        const judge = async (cache: VerificationCache, order: typeof asked) => {
          const context = contextOf(nodeCrypto, cache)
          await Promise.all(order.map(({ n, payer }) => ask(context, n, { payer })))
          return context.overBudget
        }
        const distinct = new Set(asked.filter((q) => q.payer === 'evidence').map((q) => q.n)).size
        const results = [
          await judge(warm, asked),
          await judge(warm, asked.toReversed()),
          await judge(createVerificationCache(), asked),
          await judge(
            createVerificationCache(),
            asked.toSorted((a, b) => a.payer.localeCompare(b.payer)),
          ),
        ]
        expect(results).toEqual(Array(4).fill(distinct > N))
      }),
      { numRuns: 6 },
    )
  })
})

describe('Context.decodeOnce', () => {
  const bytes = Uint8Array.of(1, 2, 3)

  it('decodes once, also for those who ask at the same time, and in later judgements', async () => {
    const cache = createVerificationCache()
    let runs = 0
    const decode = async () => {
      runs++
      await Promise.resolve()
      return ok({ decoded: true })
    }
    const context = contextOf(nodeCrypto, cache)
    const all = await Promise.all(Array.from({ length: 8 }, () => context.decodeOnce('n', bytes.slice(), 8, decode)))
    expect(new Set(all.map(valueIn)).size).toBe(1)
    expect(valueIn(await contextOf(nodeCrypto, cache).decodeOnce('n', bytes, 8, decode))).toBe(
      valueIn(all[0] ?? fail('XML_SYNTAX', '')),
    )
    expect(runs).toBe(1)
  })

  it('remembers across judgements only what is as small as the vendor makes it', async () => {
    const cache = createVerificationCache()
    let runs = 0
    const decode = () => ok(++runs)
    for (const [mostBytes, expected] of [
      [3, [1, 1, 1]],
      [2, [2, 2, 3]],
    ] as const) {
      const name = `up to ${mostBytes}`
      const [context, later] = [contextOf(nodeCrypto, cache), contextOf(nodeCrypto, cache)]
      const values = [context, context, later].map((c) => () => c.decodeOnce(name, bytes, mostBytes, decode))
      const decoded: unknown[] = []
      for (const value of values) decoded.push(valueIn(await value()))
      expect(decoded).toEqual(expected)
    }
  })

  it('tells names and bytes apart', async () => {
    const context = contextOf(nodeCrypto)
    const decode = (value: string) => () => ok(value)
    expect([
      valueIn(await context.decodeOnce('a', bytes, 8, decode('1'))),
      valueIn(await context.decodeOnce('b', bytes, 8, decode('2'))),
      valueIn(await context.decodeOnce('a', Uint8Array.of(1, 2), 8, decode('3'))),
      valueIn(await context.decodeOnce('a', bytes, 8, decode('4'))),
    ]).toEqual(['1', '2', '3', '1'])
  })

  it('tells everyone who asks what is wrong under their own path', async () => {
    const context = contextOf(nodeCrypto)
    const failing = (path: string) => context.decodeOnce('n', bytes, 8, async () => fail('XML_SYNTAX', path))
    const outcomes = await Promise.all([failing('a'), failing('b')])
    expect(outcomes.map((o) => (o.ok ? '' : o.faults[0].path))).toEqual(['a', 'b'])
    expect(codesOf(await failing('c'))).toEqual(['XML_SYNTAX'])
  })
})

describe('Context.certificate', () => {
  const leaf = device().der.leaf

  // `slice` of a Buffer is a view of it, and files and sockets give Buffers.
  it.each([
    ['an array', () => leaf.slice()],
    ['a Buffer', () => Buffer.from(leaf)],
  ])('is decoded once and not disturbed by what happens to %s that was given', async (_what, copy) => {
    const context = contextOf(nodeCrypto)
    const given = copy()
    const pending = context.certificate(given, 'c')
    given.fill(0)
    const certificate = valueIn(await pending)
    expect(certificate.der).toEqual(leaf)
    expect(valueIn(await context.certificate(leaf, 'other path'))).toBe(certificate)
    expect(certificate.der.buffer.byteLength).toBe(leaf.length)
  })

  it('is refused, under the path of the asker, where it does not decode', async () => {
    const context = contextOf(nodeCrypto)
    const bad = leaf.slice(0, -1)
    for (const path of ['a', 'b']) {
      expect(await context.certificate(bad, path)).toMatchObject({
        faults: [{ code: 'DER_TRUNCATED', path: expect.stringContaining(path) }],
      })
    }
    expect(codesOf(await context.certificate(new Uint8Array(LIMITS.evidenceBytes + 1), 'c'))).toEqual([
      'LIMIT_EVIDENCE_BYTES',
    ])
  })

  it('does not fill the cache when it is larger than any vendor makes them', async () => {
    const remembered: string[] = []
    const cache: VerificationCache = { get: () => undefined, set: (key) => remembered.push(key) }
    const large = device({ leaf: { padding: 9000 } }).der.leaf
    expect((await contextOf(nodeCrypto, cache).certificate(large, 'c')).ok).toBe(true)
    expect(remembered).toEqual([])
    expect((await contextOf(nodeCrypto, cache).certificate(leaf, 'c')).ok).toBe(true)
    expect(remembered).toHaveLength(1)
  })
})

describe('createVerificationCache', () => {
  it('forgets the oldest entry when full', () => {
    const cache = createVerificationCache(2)
    cache.set('a', 1, 1)
    cache.set('b', 2, 1)
    cache.set('a', 3, 1)
    cache.set('c', 4, 1)
    expect(['a', 'b', 'c'].map((key) => cache.get(key))).toEqual([3, undefined, 4])
  })

  it('forgets the oldest entries when they take too much memory together, and keeps none that does so alone', () => {
    const cache = createVerificationCache(8, 100)
    cache.set('a', 1, 50)
    cache.set('b', 2, 40)
    cache.set('c', 3, 10)
    expect(['a', 'b', 'c'].map((key) => cache.get(key))).toEqual([1, 2, 3])
    cache.set('d', 4, 60)
    cache.set('e', 5, 101)
    expect(['a', 'b', 'c', 'd', 'e'].map((key) => cache.get(key))).toEqual([undefined, undefined, 3, 4, undefined])
    expect(() => createVerificationCache(8, 0)).toThrow(TypeError)
  })

  it.each([0, -1, 1.5, Number.NaN])('has no capacity of %s', (capacity) => {
    expect(() => createVerificationCache(capacity)).toThrow(TypeError)
  })
})
