import { expect, it } from 'vitest'
import { NO_COLLATERAL } from '../../../src/attestation/collateral.ts'
import { decodeNitroDocument, nitro } from '../../../src/attestation/nitro/index.ts'
import { Context, createVerificationCache } from '../../../src/core/context.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { nitroDocument } from '../../../src/testing/index.ts'
import { valueIn } from '../../core/support.ts'
import { anchorFromCertificate } from '../../support/anchors.ts'
import { NOW, SEED } from './support.ts'

const { document, root } = nitroDocument(SEED, { nonce: new Uint8Array(64).fill(7) })
const anchors = [anchorFromCertificate(root, 'aws/nitro-root')]
const cache = createVerificationCache()

async function isProved(bytes: Uint8Array): Promise<boolean> {
  const context = new Context({ now: NOW, anchors, crypto: nodeCrypto, cache })
  const item = { id: 'cpu', kind: 'aws/nitro', bytes, endorsements: [] } as const
  const { claims, faults } = await nitro.verify(item, NO_COLLATERAL, context)
  if (claims === undefined && faults.length === 0) throw new TypeError('neither proved nor refused')
  return claims !== undefined
}

/** Everything that the signature covers, and the signature. Heads of the outer structure are none of it. */
function signedRanges(): readonly (readonly [from: number, to: number])[] {
  const { sign1 } = valueIn(decodeNitroDocument(document, 'document')).value
  return [sign1.protectedBytes, sign1.payload, sign1.signature].map((part) => {
    const from = part.byteOffset - document.byteOffset
    return [from, from + part.length] as const
  })
}

it('proves the document itself', async () => {
  expect(await isProved(document)).toBe(true)
})

/** The document with each bit of one byte flipped, judged side by side. */
const flipsOf = (at: number): Promise<readonly boolean[]> =>
  Promise.all(Array.from({ length: 8 }, (_, bit) => isProved(document.with(at, (document[at] ?? 0) ^ (1 << bit)))))
const NONE = new Array(8).fill(false)

it('refuses the document with any one bit of its header, payload or signature flipped', async () => {
  let flips = 0
  for (const [from, to] of signedRanges()) {
    for (let at = from; at < to; at++) {
      expect([at, ...(await flipsOf(at))]).toEqual([at, ...NONE])
      flips += 8
    }
  }
  expect(flips).toBeGreaterThan(8 * 3000)
}, 240_000)

it('refuses it with any bit of the heads around them flipped', async () => {
  const covered = signedRanges()
  for (let at = 0; at < document.length; at++) {
    if (covered.some(([from, to]) => at >= from && at < to)) continue
    expect([at, ...(await flipsOf(at))]).toEqual([at, ...NONE])
  }
})
