import { describe, expect, it } from 'vitest'
import { type ChallengeRecord, issueChallengeRecord } from '../../src/attestation/challenge.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import type { StoredChallenge } from '../../src/gate/store.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { answerOf, CPU_POLICY, codesOf, HOLDER_JKT, leaseId, nonceOf, orderOf, testGate } from './support.ts'

/** A gate with an open lease; what it stores of its questions is `put`, and `plant` is for whoever can write to the store. */
async function gateWithLease() {
  const store = memoryStore()
  const plant = store.putChallenge.bind(store)
  const put: StoredChallenge[] = []
  store.putChallenge = (stored) => {
    put.push(stored)
    return plant(stored)
  }
  const t = await testGate({ store })
  await t.gate.refresh()
  await t.gate.openLease({ lease: leaseId(), order: orderOf(), policy: CPU_POLICY, hostData: null })
  const ask = () => t.gate.issueChallenge({ purpose: 'lease', lease: leaseId(), policy: CPU_POLICY, teeKey: null })
  const answer = (question: ChallengeRecord, challengeId: string = question.id) =>
    t.gate.verify(answerOf(nonceOf(question)), {
      ...{ challengeId, policy: CPU_POLICY, lease: leaseId(), holderJkt: HOLDER_JKT },
    })
  return { t, plant, put, ask, answer }
}

const UNKNOWN = ['GATE_CHALLENGE_UNKNOWN']

describe('a challenge that somebody wrote into the store', () => {
  it.each<[string, (question: ChallengeRecord) => StoredChallenge['record']]>([
    ['by itself', (question) => question],
    ['without a MAC', (question) => ({ question })],
    ['with a MAC of its own', (question) => ({ question, mac: 'A'.repeat(43) })],
  ])('is none that was asked, though its record is sound and its answer right: %s', async (_, recordOf) => {
    const { t, plant, ask, answer } = await gateWithLease()
    const asked = await ask()
    const said = (name: string) => String(asked[name])
    const [iat, exp] = [t.now() + 3600, t.now() + 3700]
    const forged = await issueChallengeRecord(
      {
        ...{ id: 'forged', purpose: 'lease', provider: said('provider'), lease: said('lease'), iat, exp },
        ...{ policyDigest: said('policyDigest'), verifierKeyId: said('verifierKeyId') },
      },
      new Uint8Array(32),
      nodeCrypto.digest,
    )
    t.pass(3600)
    await plant({ id: 'forged', record: recordOf(forged), expiresAt: exp })
    expect(codesOf(await answer(forged))).toEqual(UNKNOWN)
    expect((await answer(await ask())).verdict).toBe('accept')
  })

  it.each<[string, (stored: StoredChallenge) => StoredChallenge]>([
    ['under another id, as if it had not been used', (stored) => ({ ...stored, id: 'again' })],
    ['with another end', (stored) => ({ ...stored, id: 'again', expiresAt: stored.expiresAt + 3600 })],
    [
      'for another lease',
      ({ record, ...stored }) => ({
        ...stored,
        id: 'again',
        record: { ...record, question: { ...(record.question as object), id: 'again', lease: 'a/1/1/1/b/0' } },
      }),
    ],
  ])('is not a real one %s', async (_, change) => {
    const { plant, put, ask, answer } = await gateWithLease()
    const question = await ask()
    expect((await answer(question)).verdict).toBe('accept')
    const [stored] = put
    if (stored === undefined) throw new TypeError('nothing was stored')
    await plant(change(stored))
    expect(codesOf(await answer(question, 'again'))).toEqual(UNKNOWN)
  })
})
