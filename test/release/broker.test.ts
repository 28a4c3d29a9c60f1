import { generateKeyPairSync } from 'node:crypto'
import { flattenedDecrypt, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../src/core/bytes.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { take } from '../../src/core/outcome.ts'
import type { Policy } from '../../src/policy/policy.ts'
import type { KeyLimits } from '../../src/release/ports.ts'
import { fileVault } from '../../src/release/vault/index.ts'
import { type FlattenedJwe, openWrapped } from '../../src/release/wrap/index.ts'
import { leaseId } from '../gate/support.ts'
import { OTHER_SIGNER, referenceValue } from '../reject/signer.ts'
import { cpuPolicy, GPU_RULE, policyOf } from '../reject/stage.ts'
import { record } from '../stores/release-rows.ts'
import { newKekFile } from './files.ts'
import {
  FOR_GUESTS,
  findingsOf,
  KEY,
  KEY_DOCUMENT,
  KEY_POLICY,
  LIMITLESS,
  ONE,
  P256,
  SECRET,
  TWO,
  testBroker,
  X25519,
} from './support.ts'

const LEASE = Object.values(leaseId()).join('/')

describe('a release', () => {
  it('goes to the key inside the evidence, and is written down', async () => {
    const t = await testBroker()
    const answer = await t.ask()
    expect(findingsOf(answer)).toEqual([])
    if (!answer.released) throw new Error(JSON.stringify(answer))
    expect(take(await openWrapped(answer.key, X25519.privateKey, answer.binding))).toEqual(SECRET)
    expect(answer.credential).toBe(null)
    expect(answer.auditSequence).toBe(2)
    expect(t.vault.opened).toEqual([`${KEY.tenant}/${KEY.keyId}`])
    const [, entry] = await t.entries()
    expect(entry).toMatchObject({ type: 'key.released', ...KEY, actor: 'gate', codes: [] })
    expect(entry?.decisionDigest).toMatch(/^sha256:/)
  })

  it('brings a credential where the key can hold one', async () => {
    const t = await testBroker()
    const answer = await t.ask({ key: P256.publicKey })
    expect(answer).toMatchObject({ released: true, credential: expect.stringMatching(/^credential-/) })
    expect(t.gate.issued[0]).toMatchObject({ purpose: 'key-release', ttlSeconds: 120 })
  })

  it('is a JWE where that is asked', async () => {
    const t = await testBroker()
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-521' })
    const answer = await t.ask({ key: pair.publicKey, request: { format: 'jwe', wrapKey: null } })
    if (!answer.released) throw new Error(JSON.stringify(answer))
    const key = await importJWK(pair.privateKey.export({ format: 'jwk' }), 'ECDH-ES+A256KW')
    const opened = await flattenedDecrypt(answer.key as FlattenedJwe, key)
    expect(new Uint8Array(opened.plaintext)).toEqual(SECRET)
  })

  it('takes a challenge that was asked for a key of this lease', async () => {
    const t = await testBroker()
    expect(findingsOf(await t.ask({ purpose: 'lease' }))).toMatchObject([{ code: 'BIND_CHALLENGE_SCOPE' }])
    const request = await t.request()
    const other = { ...request, proof: { ...request.proof, lease: leaseId('2') } } as typeof request
    expect(findingsOf(await t.broker.release(other))).toMatchObject([{ code: 'BIND_CHALLENGE_SCOPE' }])
    expect(t.vault.opened).toEqual([])
  })

  it('judges by what the signers of the key’s own policy vouch for, whatever those of other tenants do', async () => {
    const others = referenceValue({}, 'stranger', 'other-team')
    const one = async (values: readonly string[], policy: Policy = KEY_POLICY) =>
      (await testBroker({ gate: { referenceValues: values }, policy })).ask({ policy })
    const theirs: Policy = cpuPolicy(
      {},
      { referenceValues: { signers: [OTHER_SIGNER] }, keyRelease: { minLevel: 5, ttlSeconds: 120 } },
      { level: 5 },
    )
    expect(await one([others, referenceValue()])).toMatchObject({ released: true })
    expect(await one([others, referenceValue()], theirs)).toMatchObject({ released: true })
    const refused = { released: false, findings: [{ code: 'RELEASE_NOT_ACCEPTED' }] }
    const codes = async (values: readonly string[]) => {
      const answer = await one(values)
      expect(answer).toMatchObject(refused)
      return answer.released ? [] : answer.evidence.map(({ code }) => code)
    }
    expect(await codes([others])).toContain('SNP_MEASUREMENT_UNKNOWN')
    // In the name of our own team, it is not passed over.
    expect(await codes([referenceValue(), referenceValue({}, 'stranger')])).toEqual(['REFERENCE_VALUE_UNTRUSTED'])
  })

  it('tells what is wrong with the evidence, and nothing of what was expected', async () => {
    const t = await testBroker()
    const answer = await t.ask({ shown: { amd: { report: { measurement: new Uint8Array(48).fill(9) } } } })
    expect(answer).toMatchObject({ released: false, verdict: 'reject', findings: [{ code: 'RELEASE_NOT_ACCEPTED' }] })
    if (answer.released) throw new Error()
    expect(answer.evidence.length).toBeGreaterThan(0)
    for (const told of answer.evidence) expect(Object.keys(told).sort()).toEqual(['code', 'hint', 'item', 'verdict'])
    expect((await t.entries()).at(-1)).toMatchObject({
      type: 'key.refused',
      codes: ['RELEASE_NOT_ACCEPTED', ...answer.evidence.map((e) => e.code)],
    })
  })
})

describe('a session of the KBS protocol', () => {
  it('gives each key once, to the key that was hashed into the evidence', async () => {
    const t = await testBroker({ limits: FOR_GUESTS })
    await t.admin.register({ ...KEY, keyId: 'weights-2', secret: SECRET, policy: KEY_POLICY, limits: FOR_GUESTS }, ONE)
    const session = take(await t.broker.openSession({ workload: 'inference', ttlSeconds: 300 }))
    const proof = take(await t.attest(session))
    const ask = (keyId = KEY.keyId) => t.broker.release({ ...KEY, keyId, proof, wrapKey: null, format: 'jwe' })
    const answer = await ask()
    if (!answer.released) throw new Error(JSON.stringify(answer))
    expect(take(await openWrapped(answer.key, P256.privateKey, answer.binding))).toEqual(SECRET)
    expect(findingsOf(await ask())).toMatchObject([{ code: 'RELEASE_CHALLENGE_CONSUMED' }])
    expect((await ask('weights-2')).released).toBe(true)
    expect((await t.entries()).filter((e) => e.type === 'key.released')).toMatchObject([
      { actor: 'kbs', lease: 'inference' },
      { actor: 'kbs' },
    ])
  })

  it('is attested once, with the nonce it was given', async () => {
    const t = await testBroker({ limits: FOR_GUESTS })
    const open = async () => take(await t.broker.openSession({ workload: 'inference', ttlSeconds: 300 }))
    const session = await open()
    expect(await t.attest(session)).toMatchObject({ ok: true })
    expect(await t.attest(session)).toMatchObject({ ok: false, faults: [{ code: 'RELEASE_CHALLENGE_CONSUMED' }] })
    expect(await t.attest({ ...session, id: 'f'.repeat(32) })).toMatchObject({
      ok: false,
      faults: [{ code: 'RELEASE_CHALLENGE_UNKNOWN' }],
    })
    const other = await open()
    const proof = take(await t.attest(await open(), { nonce: other.nonce }))
    expect(await t.broker.release({ ...KEY, proof, wrapKey: null, format: 'jwe' })).toMatchObject({
      findings: [{ code: 'RELEASE_NOT_ACCEPTED' }],
      evidence: [{ code: 'BIND_NONCE_MISMATCH' }],
    })
    t.gate.pass(301)
    expect(await t.attest(other)).toMatchObject({ ok: false, faults: [{ code: 'BIND_CHALLENGE_EXPIRED' }] })
  })

  it('is no challenge of the gate', async () => {
    const t = await testBroker()
    const { id } = take(await t.broker.openSession({ workload: 'inference', ttlSeconds: 300 }))
    const asked = await t.request()
    if (asked.proof.kind !== 'challenge') throw new Error('a challenge is asked')
    const answer = await t.broker.release({ ...asked, proof: { ...asked.proof, challengeId: id } })
    expect(findingsOf(answer)).toMatchObject([{ code: 'RELEASE_CHALLENGE_UNKNOWN' }])
    expect((await t.broker.release(asked)).released).toBe(true)
  })

  it('does not become a lease in an edited database', async () => {
    const t = await testBroker({ limits: { ...LIMITLESS, onlyLeases: ['inference', LEASE] } })
    const released = async (workload: string) => {
      const proof = take(await t.attest(take(await t.broker.openSession({ workload: 'inference', ttlSeconds: 300 }))))
      t.sql('UPDATE session SET workload = ? WHERE id = ?', workload, proof.id)
      return findingsOf(await t.broker.release({ ...KEY, proof, wrapKey: null, format: 'jwe' })).map((f) => f.code)
    }
    expect(await released(LEASE)).toEqual(['RELEASE_SESSION_TAMPERED'])
    expect(await released('inference')).toEqual([])
  })

  it('is for no lease, which a challenge of the gate is asked for', async () => {
    const t = await testBroker()
    const workload = Object.values(leaseId()).join('/')
    await expect(t.broker.openSession({ workload, ttlSeconds: 60 })).rejects.toThrow(TypeError)
  })

  it('proves nothing with evidence of another session, nor elsewhere', async () => {
    const t = await testBroker({ limits: FOR_GUESTS })
    const first = take(await t.broker.openSession({ workload: 'inference', ttlSeconds: 300 }))
    const second = take(await t.broker.openSession({ workload: 'inference', ttlSeconds: 300 }))
    // Evidence that answers the first nonce, brought for the second session.
    const proof = take(await t.attest({ ...first, id: second.id }, { nonce: second.nonce }))
    const answer = await t.broker.release({ ...KEY, proof, wrapKey: null, format: 'jwe' })
    expect(answer).toMatchObject({
      findings: [{ code: 'RELEASE_NOT_ACCEPTED' }],
      evidence: [{ code: 'BIND_RUNTIME_DATA_MISMATCH' }],
    })
    const elsewhere = await testBroker({ limits: FOR_GUESTS })
    expect(await elsewhere.broker.release({ ...KEY, proof, wrapKey: null, format: 'jwe' })).toMatchObject({
      findings: [{ code: 'RELEASE_CHALLENGE_UNKNOWN' }],
    })
    expect([...t.vault.opened, ...elsewhere.vault.opened]).toEqual([])
  })

  it('gets no key that is for any lease, since there is none', async () => {
    const t = await testBroker()
    const session = take(await t.broker.openSession({ workload: 'inference', ttlSeconds: 300 }))
    const proof = take(await t.attest(session))
    const answer = await t.broker.release({ ...KEY, proof, wrapKey: null, format: 'jwe' })
    expect(findingsOf(answer)).toMatchObject([{ code: 'RELEASE_KEY_SCOPE' }])
    expect(t.vault.opened).toEqual([])
  })
})

describe('administration', () => {
  it('takes no secret that holds the private key of who seals, and the same without it', async () => {
    const t = await testBroker()
    const master = { kty: 'oct', alg: 'aes256gcm', kid: 'm', k: 'AAAA' }
    const register = (verify: object) => {
      const secret = utf8(JSON.stringify({ keys: [master, verify] }))
      return t.admin.register({ ...KEY, keyId: 'sealed', secret, policy: KEY_POLICY, limits: LIMITLESS }, ONE)
    }
    const sealing = { kty: 'okp', alg: 'ed25519', kid: 's', x: 'AAAA' }
    expect(await register({ ...sealing, d: 'AAAA' })).toMatchObject({
      ok: false,
      faults: [{ code: 'ADMIN_REQUEST_INVALID', path: 'secret.keys.d' }],
    })
    expect(await register(sealing)).toMatchObject({ ok: true })
  })

  it('takes two for what opens more', async () => {
    const t = await testBroker()
    const refused = { ok: false, faults: [{ code: 'ADMIN_APPROVAL_MISSING' }] }
    expect(await t.admin.suspend(KEY, ONE)).toMatchObject({ ok: true, value: { state: 'suspended' } })
    expect(await t.admin.resume(KEY, ONE)).toMatchObject(refused)
    expect(await t.admin.resume(KEY, { by: 'alice', approvedBy: 'Alice' })).toMatchObject(refused)
    expect(await t.admin.resume(KEY, TWO)).toMatchObject({ ok: true, value: { state: 'active' } })
    expect(await t.admin.changeLimits(KEY, { ...LIMITLESS, releases: 3 }, ONE)).toMatchObject({ ok: true })
    expect(await t.admin.changeLimits(KEY, { ...LIMITLESS, releases: 4 }, ONE)).toMatchObject(refused)
    const may = { ok: true }
    for (const [onlyLeases, done] of [
      [['inference'], refused],
      [[LEASE, 'inference'], refused],
      [[LEASE], may],
    ] as const)
      expect(await t.admin.changeLimits(KEY, { ...LIMITLESS, releases: 3, onlyLeases }, ONE)).toMatchObject(done)
    const again = { ...KEY, secret: SECRET, policy: KEY_POLICY, limits: LIMITLESS }
    expect(await t.admin.register(again, ONE)).toMatchObject(refused)
    expect(await t.admin.register(again, TWO)).toMatchObject({ ok: true })
    expect(await t.admin.retire(KEY, ONE)).toMatchObject({ ok: true })
    expect(await t.admin.resume(KEY, TWO)).toMatchObject({ ok: false, faults: [{ code: 'ADMIN_KEY_RETIRED' }] })
    expect(await t.admin.register(again, TWO)).toMatchObject({ ok: false, faults: [{ code: 'ADMIN_KEY_RETIRED' }] })
    const told = await t.entries()
    expect(told.filter((e) => e.type === 'admin.approved').map((e) => [e.actor, e.codes])).toEqual([
      ['bob', ['resume']],
      ['bob', ['replace']],
    ])
    expect(told.filter((e) => e.type === 'admin.refused')).toHaveLength(6)
  })

  it('lets one of two changes at once through', async () => {
    const t = await testBroker()
    const both = [t.admin.suspend(KEY, ONE), t.admin.changeLimits(KEY, { ...LIMITLESS, releases: 3 }, ONE)]
    const done = await Promise.all(both)
    expect(done.filter((d) => d.ok)).toHaveLength(1)
    expect(done.flatMap((d) => (d.ok ? [] : d.faults.map((f) => f.code)))).toEqual(['ADMIN_KEY_CHANGED'])
  })

  it('refuses what it cannot mean', async () => {
    const t = await testBroker()
    const codes = async (change: object) => {
      const done = await t.admin.register(
        { ...KEY, keyId: 'k', secret: SECRET, policy: KEY_POLICY, limits: LIMITLESS, ...change },
        ONE,
      )
      return done.ok ? [] : done.faults.map((f) => f.code)
    }
    expect(await codes({})).toEqual([])
    expect(await codes({ keyId: '' })).toEqual(['ADMIN_REQUEST_INVALID'])
    expect(await codes({ secret: new Uint8Array() })).toEqual(['ADMIN_REQUEST_INVALID'])
    for (const bad of [{ releases: 0 }, { window: { releases: 1 } }, { onlyLeases: [] }, { chips: undefined }])
      expect(await codes({ limits: { ...LIMITLESS, ...bad } })).toEqual(['ADMIN_REQUEST_INVALID'])
    expect(await t.admin.suspend({ ...KEY, keyId: 'other' }, ONE)).toMatchObject({
      ok: false,
      faults: [{ code: 'ADMIN_KEY_UNKNOWN' }],
    })
  })

  it.each([
    ['require.gpu.count', { gpu: { ...GPU_RULE, count: 'lease' } }],
    ['require.lease', { lease: 'required' }],
    ['require.leaseBinding', { leaseBinding: 'host-data' }],
  ])('refuses a key that nothing without lease could get, for workloads alone (%s)', async (rule, require) => {
    const policy = policyOf({ ...KEY_DOCUMENT, require: { ...(KEY_DOCUMENT.require as JsonObject), ...require } })
    const t = await testBroker({ policy })
    const workloads: KeyLimits = { ...LIMITLESS, onlyLeases: ['inference', 'others'] }
    const both: KeyLimits = { ...LIMITLESS, onlyLeases: ['inference', LEASE] }
    const about = { ...KEY, keyId: 'k', secret: SECRET, policy, limits: workloads }
    const refused = (path: string) => ({
      ok: false,
      faults: [{ code: 'ADMIN_REQUEST_INVALID', path, actual: expect.stringContaining(rule) }],
    })
    expect(await t.admin.register(about, ONE)).toMatchObject(refused('limits.onlyLeases'))
    expect(await t.admin.changeLimits(KEY, workloads, TWO)).toMatchObject(refused('onlyLeases'))
    expect(await t.admin.register({ ...about, limits: both }, ONE)).toMatchObject({ ok: true })
    expect(await t.admin.changeLimits(KEY, both, TWO)).toMatchObject({ ok: true })
    expect(await t.admin.register({ ...about, policy: KEY_POLICY, keyId: 'k2' }, ONE)).toMatchObject({ ok: true })
  })

  it('shows how often a key went out, and the last hundred times', async () => {
    const t = await testBroker()
    const ids = Array.from({ length: 103 }, (_, i) => `c${i}`)
    await Promise.all(ids.map((id) => record(t.store, id, KEY, t.gate.now())))
    const shown = take(await t.admin.show(KEY))
    expect([shown.released, shown.releases.map((r) => r.challengeId)]).toEqual([103, ids.slice(3)])
  })

  it('shows a release by the time of the log, where the clock of whoever released was behind', async () => {
    const t = await testBroker()
    expect((await t.ask()).released).toBe(true)
    t.gate.pass(-1)
    expect((await t.ask()).released).toBe(true)
    const at = t.gate.now() + 1
    expect(take(await t.admin.show(KEY)).releases.map((r) => r.at)).toEqual([at, at])
  })

  it('puts every key under the new KEK, and they go out as before', async () => {
    const kekFile = await newKekFile()
    const vault = take(await fileVault(kekFile))
    const t = await testBroker({ vault })
    const before = vault.currentKek
    take(await vault.rotate())
    expect(take(await t.admin.rewrapAll(KEY.tenant, ONE))).toEqual({ rewrapped: [KEY.keyId], left: [] })
    take(await vault.drop(before))
    expect(take(await t.admin.show(KEY)).kek).toBe(vault.currentKek)
    expect((await t.ask()).released).toBe(true)
  })
})
