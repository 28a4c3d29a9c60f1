import { describe, expect, it } from 'vitest'
import { type CollateralSet, type Origin, sortCollateral } from '../../../src/attestation/collateral.ts'
import { provedEndorsements } from '../../../src/attestation/dcap/endorsement-memo.ts'
import { utf8 } from '../../../src/core/bytes.ts'
import { Context, createVerificationCache, type VerificationCache } from '../../../src/core/context.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { attemptAsync, take } from '../../../src/core/outcome.ts'
import { type Certificate, decodeCertificate } from '../../../src/core/x509/certificate.ts'
import { mergeCollateral } from '../../../src/index.ts'
import { contextAt, pckPath } from './collateral-support.ts'
import {
  ANCHOR,
  answer,
  chainPem,
  EXTENSION,
  NOW,
  PCK,
  PLATFORM_CA,
  pckCrl,
  qeIdentityOf,
  rootCrl,
  SERIALS,
  signerCertificate,
  tcbInfoOf,
} from './intel-authority.ts'

const DAY = 86_400
const certificate = (der: Uint8Array): Certificate => take(decodeCertificate(der, 'pck'))
const CHAIN = [PCK, PLATFORM_CA].map(certificate)

const ALL = [answer(tcbInfoOf('TDX')), answer(qeIdentityOf('TDX')), utf8(chainPem()), rootCrl(), pckCrl()]

async function setOf(files: readonly Uint8Array[], origin: Origin = 'verifier'): Promise<CollateralSet> {
  const named = files.map((bytes, i) => ({ name: `file-${i}`, bytes }))
  return (await sortCollateral(contextAt(NOW), named, origin)).collateral
}

/** A judgement at a time, with a cache, and how many signatures it asked the port for. */
async function judged(
  collateral: CollateralSet,
  now: number,
  cache: VerificationCache,
  { chain = CHAIN, anchor = ANCHOR, isForgetful = false } = {},
) {
  let asked = 0
  const known: VerificationCache = isForgetful
    ? { get: (key) => (key.startsWith('signature ') ? undefined : cache.get(key)), set: cache.set }
    : cache
  const crypto: typeof nodeCrypto = {
    ...nodeCrypto,
    verify: (...check) => {
      asked++
      return nodeCrypto.verify(...check)
    },
  }
  const context = new Context({ now, anchors: [anchor], crypto, cache: known })
  const path = await pckPath(contextAt(now, anchor), chain, anchor)
  const pck = { path, extension: EXTENSION, ca: 'platform' } as const
  const outcome = await attemptAsync(() => provedEndorsements(context, 'TDX', 'leaf', pck, collateral))
  return { outcome, asked }
}

/** Whether a judgement of the same collateral was answered from what is remembered: no signature is asked for. */
async function isRemembered(collateral: CollateralSet, cache: VerificationCache, ...more: [number, object?]) {
  const [now, about = {}] = more
  return (await judged(collateral, now, cache, { ...about, isForgetful: true })).asked === 0
}

describe('endorsements that were proved before', () => {
  it('are proved once for one machine with one set, and never with what a sender brings', async () => {
    const cache = createVerificationCache()
    const held = await setOf(ALL)
    const first = await judged(held, NOW, cache)
    expect([first.outcome.ok, first.asked]).toEqual([true, 5])
    const again = await judged(held, NOW, cache)
    expect(again).toEqual({ outcome: first.outcome, asked: 0 })
    expect(await isRemembered(held, cache, NOW)).toBe(true)

    const brought = () => setOf([rootCrl({ number: 9 })], 'evidence')
    expect(await isRemembered(mergeCollateral(held, await brought()), cache, NOW)).toBe(false)
    expect(await isRemembered(mergeCollateral(held, await brought()), cache, NOW)).toBe(false)
    expect(await isRemembered(await setOf(ALL), cache, NOW)).toBe(false)
    expect(await isRemembered(held, createVerificationCache(), NOW)).toBe(false)
  })

  it('hold for the anchor and the CA that they were proved for, however the anchor was copied', async () => {
    const cache = createVerificationCache()
    const held = await setOf(ALL)
    await judged(held, NOW, cache)
    expect(await isRemembered(held, cache, NOW, { anchor: { ...ANCHOR } })).toBe(true)
    for (const other of [{ injected: !ANCHOR.injected }, { id: 'other' }, { notAfter: ANCHOR.notAfter - 1 }]) {
      expect(await isRemembered(held, cache, NOW, { anchor: { ...ANCHOR, ...other } })).toBe(false)
      await judged(held, NOW, cache)
    }
    expect(await isRemembered(held, cache, NOW, { chain: [PCK, PLATFORM_CA].map(certificate) })).toBe(false)
  })

  const DATED = [
    answer(tcbInfoOf('TDX', { nextUpdate: '2026-08-05T00:00:00Z', issueDate: '2026-07-25T00:00:00Z' })),
    answer(qeIdentityOf('TDX', { nextUpdate: '2026-08-07T00:00:00Z', issueDate: '2026-07-24T00:00:00Z' })),
    utf8(chainPem(signerCertificate({ notBefore: '2026-07-22T00:00:00Z', notAfter: '2026-08-11T00:00:00Z' }))),
    rootCrl({ thisUpdate: '2026-07-26T00:00:00Z', nextUpdate: '2026-08-09T00:00:00Z' }),
    pckCrl({ thisUpdate: '2026-07-28T00:00:00Z', nextUpdate: '2026-08-03T00:00:00Z' }),
  ]
  const NEWER = [
    answer(tcbInfoOf('TDX', { issueDate: '2026-08-02T00:00:00Z', tcbEvaluationDataNumber: 21 })),
    pckCrl({
      ...{ thisUpdate: '2026-08-02T00:00:00Z', nextUpdate: '2026-08-08T00:00:00Z', number: 2 },
      revoked: [{ serial: SERIALS.pck, date: '2026-07-30T00:00:00Z' }],
    }),
  ]

  it.each<[string, readonly Uint8Array[]]>([
    ['one of each', DATED],
    ['newer ones beside them, one of which revokes', [...DATED, ...NEWER]],
    ['a newer document beside them', [...DATED, ...NEWER.slice(0, 1)]],
  ])('come out at every time as they do without memory: %s', async (_, files) => {
    const held = await setOf(files)
    const days = Array.from({ length: 22 }, (_, day) => NOW + (day - 11) * DAY)
    const times = days.flatMap((at) => [at - 1, at])
    const signatures = createVerificationCache()
    const anew = await Promise.all(times.map((at) => judged(held, at, signaturesOf(signatures))))
    const isAccepted = anew.map(({ outcome }) => outcome.ok)
    expect([isAccepted.includes(true), isAccepted.includes(false)]).toEqual([true, true])
    for (const earlier of days.filter((_, i) => i % 2 === 1)) {
      for (const [i, now] of times.entries()) {
        const cache = signaturesOf(signatures)
        await judged(held, earlier, cache)
        expect((await judged(held, now, cache)).outcome).toEqual(anew[i]?.outcome)
      }
    }
  })

  it('hold up to the last second before a date, and from that date on are proved anew', async () => {
    const cache = createVerificationCache()
    const held = await setOf(DATED)
    await judged(held, NOW, cache)
    const [from, until] = ['2026-07-28T00:00:00Z', '2026-08-03T00:00:00Z'].map((text) => Date.parse(text) / 1000)
    if (from === undefined || until === undefined) throw new TypeError('dates')
    const remembered = [from - 1, from, until - 1, until].map((at) => isRemembered(held, cache, at))
    expect(await Promise.all(remembered)).toEqual([false, true, true, false])
  })
})

/** A cache of its own, but for the signatures that all of them share. */
function signaturesOf(shared: VerificationCache): VerificationCache {
  const own = createVerificationCache()
  const holder = (key: string) => (key.startsWith('signature ') ? shared : own)
  return {
    get: (key) => holder(key).get(key),
    set: (key, value, costBytes) => holder(key).set(key, value, costBytes),
  }
}
