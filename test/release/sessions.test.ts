import { describe, expect, it } from 'vitest'
import { type Outcome, take } from '../../src/core/outcome.ts'
import { nodeRandom } from '../../src/gate/node-ports.ts'
import { fileVault } from '../../src/release/vault/index.ts'
import { newFile, newKekFile } from './files.ts'
import { FOR_GUESTS, findingsOf, KEY, ONE, recording, type TestBroker, type TestParts, testBroker } from './support.ts'

const TAMPERED = ['RELEASE_SESSION_TAMPERED']

const guests = (parts: TestParts = {}) => testBroker({ limits: FOR_GUESTS, ...parts })
const opened = async (t: TestBroker) => take(await t.broker.openSession({ workload: 'inference', ttlSeconds: 300 }))
const attested = async (t: TestBroker) => take(await t.attest(await opened(t)))
const codesOf = (outcome: Outcome<unknown>) => (outcome.ok ? [] : outcome.faults.map((f) => f.code))
const released = async (t: TestBroker, id: string) => {
  const proof = { kind: 'session', id } as const
  return findingsOf(await t.broker.release({ ...KEY, proof, wrapKey: null, format: 'jwe' })).map((f) => f.code)
}

describe('a stored session', () => {
  /** What somebody does who can write to the database; the session's own values change nothing. */
  const edits = {
    workload: ["workload = 'other'", 'workload = workload'],
    nonce: [`nonce = '${'A'.repeat(43)}='`, 'nonce = nonce'],
    evidence: ["evidence = 'e30='", 'evidence = evidence'],
    end: ['expires_at = expires_at + 3600', 'expires_at = expires_at + 0'],
    mac: [`mac = '${'A'.repeat(43)}='`, 'mac = mac'],
    'mac, which is none': ["mac = ''", 'mac = mac'],
  } as const

  it.each(Object.entries(edits))('opens nothing where its %s was changed', async (_, [bad, good]) => {
    const t = await guests()
    const { id } = await attested(t)
    t.sql(`UPDATE session SET ${bad}`)
    expect(await released(t, id)).toEqual(TAMPERED)
    expect(t.vault.opened).toEqual([])
    expect((await t.entries()).at(-1)).toMatchObject({ type: 'key.refused', challengeId: id, codes: TAMPERED })
    const twin = await attested(t)
    t.sql(`UPDATE session SET ${good} WHERE id = ?`, twin.id)
    expect(await released(t, twin.id)).toEqual([])
  })

  it('does not live again', async () => {
    const t = await guests()
    const { id } = await attested(t)
    t.gate.pass(301)
    t.sql('UPDATE session SET expires_at = expires_at + 600')
    expect(await released(t, id)).toEqual(TAMPERED)
  })

  it('is of its own id: a copy under another is none', async () => {
    const t = await guests()
    const { id } = await attested(t)
    const copy = 'c'.repeat(32)
    t.sql('INSERT INTO session SELECT ?, workload, nonce, evidence, expires_at, kek, mac FROM session', copy)
    expect(await released(t, copy)).toEqual(TAMPERED)
    expect(await released(t, id)).toEqual([])
  })

  it('cannot be attested to a nonce that nobody issued: old evidence answers nothing', async () => {
    const t = await guests()
    const old = await opened(t)
    const again = await opened(t)
    const place = (...values: string[]) =>
      t.sql("UPDATE challenge SET record = json_set(record, '$.nonce', ?) WHERE id = ?", ...values)
    place(old.nonce, again.id)
    expect(codesOf(await t.attest({ ...old, id: again.id }))).toEqual(TAMPERED)
    const prolonged = await opened(t)
    t.sql('UPDATE challenge SET expires_at = expires_at + 3600 WHERE id = ?', prolonged.id)
    expect(codesOf(await t.attest(prolonged))).toEqual(TAMPERED)
    const twin = await opened(t)
    place(twin.nonce, twin.id)
    expect(await released(t, take(await t.attest(twin)).id)).toEqual([])
  })

  it('is told when it ends, by which every token is bound', async () => {
    const t = await guests()
    const session = await opened(t)
    t.gate.pass(100)
    expect(take(await t.attest(session)).expiresAt).toBe(session.expiresAt)
  })

  it('goes on where the key-encryption key is changed, from whichever process', async () => {
    const [file, kekFile] = [newFile('db'), await newKekFile()]
    const vault = take(await fileVault(kekFile))
    const t = await guests({ file, vault })
    const other = await guests({ file, kekFile, isEmpty: true, gate: { random: nodeRandom } })
    const [between, before] = [await attested(t), await opened(t)]
    take(await vault.rotate())
    take(await t.admin.rewrapAll(KEY.tenant, ONE))
    expect(await released(other, between.id)).toEqual([])
    expect(await released(other, take(await t.attest(before)).id)).toEqual([])
  })

  it('proves nothing to a vault that does not have its key-encryption key', async () => {
    const t = await guests()
    const { id } = await attested(t)
    t.sql("UPDATE session SET kek = 'kek-0000000000000000'")
    expect(await released(t, id)).toEqual(['RELEASE_VAULT_UNAVAILABLE'])
  })

  it('asks the vault once for each key-encryption key, however many there are', async () => {
    const vault = recording(take(await fileVault(await newKekFile())))
    let macs = 0
    const t = await guests({
      vault: {
        ...vault,
        currentKek: vault.currentKek,
        mac: (...about) => {
          macs++
          return vault.mac(...about)
        },
      },
    })
    const cost = async (work: () => Promise<unknown>) => {
      const before = macs
      await work()
      return macs - before
    }
    expect(await cost(() => opened(t))).toBe(1)
    const sessions = [await attested(t), await attested(t)]
    // The halves of the key row's own MAC.
    for (const { id } of sessions) expect(await cost(async () => expect(await released(t, id)).toEqual([]))).toBe(2)
  })
})

describe('an attestation that is refused', () => {
  const last = async (t: TestBroker) => (await t.entries()).at(-1)
  const about = {
    type: 'session.refused',
    tenant: '',
    keyId: '',
    policyDigest: null,
    decisionDigest: null,
    actor: 'kbs',
  }

  it('is written down with its session where it is one, and what was wrong', async () => {
    const t = await guests()
    const session = await opened(t)
    take(await t.attest(session))
    // Nothing was refused, and nothing is written.
    expect(await last(t)).toMatchObject({ type: 'key.registered' })
    expect(codesOf(await t.attest(session))).toEqual(['RELEASE_CHALLENGE_CONSUMED'])
    const used = { ...about, challengeId: session.id, lease: null, codes: ['RELEASE_CHALLENGE_CONSUMED'] }
    expect(await last(t)).toMatchObject(used)
    const bare = await opened(t)
    expect((await t.broker.attestSession({ sessionId: bare.id, evidence: new Uint8Array([123]) })).ok).toBe(false)
    expect(await last(t)).toMatchObject({ ...about, challengeId: bare.id, lease: 'inference' })
    const late = await opened(t)
    t.gate.pass(301)
    expect(codesOf(await t.attest(late))).toEqual(['BIND_CHALLENGE_EXPIRED'])
    expect(await last(t)).toMatchObject({ ...about, challengeId: late.id, codes: ['BIND_CHALLENGE_EXPIRED'] })
  })

  it('says nothing in anybody’s own words', async () => {
    const t = await guests()
    for (const sessionId of [null, '', 'f'.repeat(32), 'x'.repeat(100_000), 'one\nof my own']) {
      const refused = await t.broker.attestSession({ sessionId, evidence: new Uint8Array([1]) })
      expect(codesOf(refused)).toEqual(['RELEASE_CHALLENGE_UNKNOWN'])
      expect(await last(t)).toMatchObject({ ...about, challengeId: null, lease: null })
    }
    const session = await opened(t)
    const body = Buffer.from(JSON.stringify({ 'runtime-data': { words: 'anything' }, mine: 'anything' }))
    expect((await t.broker.attestSession({ sessionId: session.id, evidence: body })).ok).toBe(false)
    expect(JSON.stringify(await last(t))).not.toContain('anything')
  })

  it('is no other answer than that, where it cannot be written down', async () => {
    const t = await guests()
    t.sql(`CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'disk is full'); END`)
    const session = await opened(t)
    // What is not refused needs no entry.
    take(await t.attest(session))
    expect(codesOf(await t.attest(session))).toEqual(['RELEASE_AUDIT_UNAVAILABLE'])
  })

  it('is told apart from a store that fails', async () => {
    const t = await guests()
    const session = await opened(t)
    await t.store.close()
    expect(codesOf(await t.attest(session))).toEqual(['RELEASE_AUDIT_UNAVAILABLE'])
    expect(t.errors).toHaveLength(1)
  })
})
