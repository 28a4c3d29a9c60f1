import { expect, it } from 'vitest'
import { checkChallenge, decodeChallenge, issueChallengeRecord } from '../../src/attestation/challenge.ts'
import { Context, createVerificationCache } from '../../src/core/context.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { take } from '../../src/core/outcome.ts'
import { LAST_SECOND } from '../../src/core/time.ts'
import { PINNED_ANCHORS } from '../../src/core/trust-anchors.ts'

/** 2026-08-01T00:00:00Z */
const NOW = 1785542400
const context = new Context({ now: NOW, anchors: PINNED_ANCHORS, crypto: nodeCrypto, cache: createVerificationCache() })

async function issued(iat: number) {
  const asked = { purpose: 'posture', provider: 'p', policyDigest: 'd', verifierKeyId: 'k' } as const
  const record = await issueChallengeRecord(
    { id: 'c', ...asked, iat, exp: iat + 100 },
    new Uint8Array(32).fill(7),
    (hash, bytes) => context.digest(hash, bytes),
  )
  return decodeChallenge(record)
}

async function checked(iat: number) {
  const scope = { provider: undefined, lease: undefined, policyDigest: undefined }
  return checkChallenge(context, take(await issued(iat)), scope, 60)
}

it('tells the times of a challenge as dates', async () => {
  expect(await checked(NOW)).toMatchObject({ ok: true })
  expect(await checked(NOW - 61)).toMatchObject({
    faults: [
      { code: 'BIND_CHALLENGE_EXPIRED', expected: 'at least 2026-08-01T00:00:00Z', actual: '2026-07-31T23:59:59Z' },
    ],
  })
  expect(await checked(NOW + 3600)).toMatchObject({
    faults: [{ code: 'BIND_CHALLENGE_FUTURE', actual: '2026-08-01T01:00:00Z' }],
  })
})

it('refuses a time that no date can write', async () => {
  expect(await checked(LAST_SECOND - 100)).toMatchObject({ faults: [{ code: 'BIND_CHALLENGE_FUTURE' }] })
  for (const iat of [LAST_SECOND - 99, Number.MAX_SAFE_INTEGER - 100])
    expect(await issued(iat)).toMatchObject({ faults: [{ code: 'BIND_CHALLENGE_INVALID' }] })
})
