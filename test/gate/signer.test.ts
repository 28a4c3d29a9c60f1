import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, webcrypto } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { generateKeyPair } from 'jose'
import { afterAll, describe, expect, it } from 'vitest'
import { utf8 } from '../../src/core/bytes.ts'
import { toBase64 } from '../../src/core/encodings.ts'
import { bidRef } from '../../src/gate/akash-ids.ts'
import { credentialSigner } from '../../src/gate/signer.ts'
import {
  type AccountProof,
  accountAddress,
  accountProof,
  accountThumbprint,
  adr36Document,
  type CredentialExpectation,
  checkCredential,
  type GateStore,
  type HolderProof,
  holderStatementText,
  holderThumbprint,
  jwksOf,
  proveHolder,
} from '../../src/index.ts'
import { sqliteStore } from '../../src/stores/index.ts'
import { valueIn } from '../core/support.ts'
import { MEASUREMENT } from '../reject/signer.ts'
import { AT, cpuPolicy, NOW } from '../reject/stage.ts'
import { CPU_POLICY, codesOf, leaseId, OTHER, orderOf, testGate } from './support.ts'

const SECRET = new Uint8Array(32).fill(7)
const PUBLIC_KEY = secp256k1.getPublicKey(SECRET, true)
const PROVIDER = await accountAddress(PUBLIC_KEY, 'akash')
const ACCOUNT_JKT = await accountThumbprint(PUBLIC_KEY)
const teeKey = await generateKeyPair('ES256')
const TEE_JKT = await holderThumbprint(teeKey.publicKey)
const SPKI = new Uint8Array(await webcrypto.subtle.exportKey('spki', teeKey.publicKey as webcrypto.CryptoKey))
const verifierKey = await generateKeyPair('ES256')
const KEYS = await jwksOf([{ kid: 'key-1', publicKey: verifierKey.publicKey, retiredAt: null }], NOW)
const SIGNER = credentialSigner({
  ...{ kid: 'key-1', alg: 'ES256', key: verifierKey.privateKey },
  verifier: { developer: 'https://vouchsafe.example', build: '0.1.0' },
})
/** Keys at level 3, with the open oracle accepted by name. */
const RELEASING = cpuPolicy(
  { measurements: [MEASUREMENT] },
  { keyRelease: { minLevel: 3 }, acceptRisks: ['open-quote-oracle'] },
  { level: 3 },
)
const NONCE = 'nonce-of-the-relying-party'
const ISSUER = 'https://gate.example'
const AUDIENCE = 'market.example'

const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-signer-'))
const stores: GateStore[] = []
afterAll(async () => {
  for (const store of stores) await store.close()
  rmSync(folder, { recursive: true, force: true })
})

/** What the provider's wallet answers when it is asked to sign these bytes. */
function walletProof(provider: string, statement: Uint8Array): AccountProof {
  const signature = secp256k1.sign(adr36Document(provider, statement), SECRET)
  return {
    pub_key: { type: 'tendermint/PubKeySecp256k1', value: toBase64(PUBLIC_KEY) },
    signature: toBase64(signature),
  }
}

/** A gate as a marketplace runs it: a file, a key, accounts that sign. */
async function realGate(overrides: Parameters<typeof testGate>[0] = {}) {
  const store = sqliteStore(join(folder, `${stores.length}.db`))
  stores.push(store)
  const t = await testGate({ store, signer: SIGNER, verifyProviderProof: accountProof, ...overrides })
  await t.gate.refresh()
  const lease = (dseq: string) => leaseId(dseq, PROVIDER)
  return {
    ...t,
    posture: (shown = {}, how = {}) =>
      t.posture(PROVIDER, shown, { proof: walletProof, holderJkt: ACCOUNT_JKT, ...how }),
    open: (dseq: string, policy = CPU_POLICY) =>
      t.gate.openLease({ lease: lease(dseq), order: orderOf({}, dseq), policy, hostData: null }),
    attest: (dseq: string, how = {}, shown = {}) => t.lease(lease(dseq), shown, { holderJkt: TEE_JKT, ...how }),
  }
}

const lease = (dseq: string): string => valueIn(bidRef(leaseId(dseq, PROVIDER))).bid

const claimsOf = (jwt: string | null) =>
  JSON.parse(Buffer.from(jwt?.split('.')[1] ?? '', 'base64url').toString()) as {
    readonly jti: string
    readonly vouchsafe: { readonly level: number; readonly policy: string; readonly purpose: string }
  }

async function checked(jwt: string | null, expected: Pick<CredentialExpectation, 'purpose' | 'lease'>) {
  const { jti, vouchsafe } = claimsOf(jwt)
  const stated = { jti, aud: AUDIENCE, iat: NOW, nonce: NONCE }
  const signature = secp256k1.sign(adr36Document(PROVIDER, utf8(holderStatementText(stated))), SECRET)
  const proof: HolderProof =
    vouchsafe.purpose === 'posture'
      ? { kind: 'adr36', publicKey: PUBLIC_KEY, signature, iat: NOW }
      : await proveHolder(stated, teeKey)
  const outcome = await checkCredential(jwt ?? '', {
    ...{ keys: KEYS, issuer: ISSUER, audience: AUDIENCE, subject: PROVIDER, order: null, ...expected },
    ...{ policyDigest: vouchsafe.policy, holder: { nonce: NONCE, proof }, revoked: () => false, now: NOW },
  })
  return outcome.ok ? 'accepted' : outcome.faults.map((f) => `${f.code} ${f.path}`)
}

/** What a relying party finds that has nothing but `jose` and the JWKS. */
function checkedByExample(jwt: string | null, { purpose, lease: of }: Parameters<typeof checked>[1]): boolean {
  const jwks = join(folder, 'jwks.json')
  writeFileSync(jwks, JSON.stringify(KEYS))
  const args = [resolve('examples/check-credential.mjs'), jwks, ISSUER, AUDIENCE, purpose, of ?? '-']
  const policy = claimsOf(jwt).vouchsafe.policy
  return spawnSync(process.execPath, [...args, policy, AT], { input: jwt ?? '', encoding: 'utf8' }).status === 0
}

describe('credentials of the gate', () => {
  it('are for the posture that was shown, and open no lease', async () => {
    const t = await realGate()
    const decision = await t.posture()
    expect(decision).toMatchObject({ verdict: 'accept', findings: [], withoutCredential: null })
    const posture = { purpose: 'posture', lease: null } as const
    const asLease = { purpose: 'lease', lease: lease('1') } as const
    expect(await checked(decision.credential, posture)).toBe('accepted')
    expect(await checked(decision.credential, asLease)).toEqual(['GATE_SCOPE_MISMATCH credential.vouchsafe.purpose'])
    expect(checkedByExample(decision.credential, posture)).toBe(true)
    expect(checkedByExample(decision.credential, asLease)).toBe(false)
    expect(t.errors).toEqual([])
  })

  it('are for one lease, and for no other of the same provider', async () => {
    const t = await realGate()
    for (const dseq of ['1', '2']) await t.open(dseq)
    const decision = await t.attest('1')
    expect(decision).toMatchObject({ verdict: 'accept', findings: [], withoutCredential: null })
    const own = { purpose: 'lease', lease: lease('1') } as const
    const other = { purpose: 'lease', lease: lease('2') } as const
    expect(await checked(decision.credential, own)).toBe('accepted')
    expect(await checked(decision.credential, other)).toEqual(['GATE_SCOPE_MISMATCH credential.vouchsafe.lease'])
    expect(await checked(decision.credential, { purpose: 'posture', lease: null })).toHaveLength(1)
    expect(checkedByExample(decision.credential, own)).toBe(true)
    expect(checkedByExample(decision.credential, other)).toBe(false)
  })

  it('renew a lease that is attested again, and release a key for itself alone', async () => {
    const t = await realGate()
    await t.open('1', RELEASING)
    const again = await t.attest('1', { purpose: 'reattest', policy: RELEASING })
    expect(await checked(again.credential, { purpose: 'lease', lease: lease('1') })).toBe('accepted')
    const release = await t.attest('1', { purpose: 'key-release', policy: RELEASING }, { spki: SPKI })
    expect(await checked(release.credential, { purpose: 'key-release', lease: lease('1') })).toBe('accepted')
    expect(await checked(release.credential, { purpose: 'lease', lease: lease('1') })).toHaveLength(1)
  })

  it('are bound to the key in the evidence, and release none without it or where the policy releases none', async () => {
    const t = await realGate()
    await t.open('1', RELEASING)
    const asked = { purpose: 'key-release', policy: RELEASING } as const
    const without = { verdict: 'accept', credential: null }
    const other = await t.attest('1', { ...asked, holderJkt: ACCOUNT_JKT }, { spki: SPKI })
    expect(other).toMatchObject({ ...without, withoutCredential: 'holder-not-attested' })
    expect(await t.attest('1', asked)).toMatchObject({ ...without, withoutCredential: 'holder-not-attested' })
    const x25519 = new Uint8Array(generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'der' }))
    const unable = await t.attest('1', asked, { spki: x25519 })
    expect(unable).toMatchObject({ ...without, withoutCredential: 'holder-not-attested' })
    await t.open('2', CPU_POLICY)
    const unreleased = await t.attest('2', { purpose: 'key-release' }, { spki: SPKI })
    expect(unreleased).toMatchObject({ ...without, withoutCredential: 'not-releasable' })
    expect((await t.attest('1', asked, { spki: SPKI })).withoutCredential).toBeNull()
    expect((await t.attest('2', {}, { spki: SPKI })).withoutCredential).toBeNull()
    expect(t.errors).toEqual([])
  })

  it('are never issued to nobody, by no key, or for what is not accepted, and the answer says which', async () => {
    const nobody = await realGate()
    const without = { verdict: 'accept', credential: null }
    expect(await nobody.posture({}, { holderJkt: null })).toMatchObject({ ...without, withoutCredential: 'no-holder' })
    expect(nobody.types()).toEqual(['posture.changed'])
    const unsigned = await realGate({ signer: null })
    expect(await unsigned.posture()).toMatchObject({ ...without, withoutCredential: 'no-signer' })
    const refused = await nobody.posture({}, { proof: () => null })
    expect(refused).toMatchObject({ verdict: 'reject', credential: null, withoutCredential: 'not-accepted' })
    await expect(async () => nobody.posture({}, { holderJkt: 'me' })).rejects.toThrow(TypeError)
  })

  it('say no more than the gate: hardware of two accounts is level 1', async () => {
    const policy = cpuPolicy({}, {}, { level: 1 })
    const t = await testGate({ signer: SIGNER })
    await t.posture(PROVIDER, {}, { policy })
    const decision = await t.posture(OTHER, {}, { policy })
    expect([decision.verdict, decision.level, decision.decision?.level]).toEqual(['accept', 1, 2])
    expect(claimsOf(decision.credential).vouchsafe.level).toBe(1)
  })

  it('are refused to evidence that rests on an injected anchor, whatever the gate thinks', async () => {
    const issued = await testGate()
    await issued.posture(PROVIDER)
    const [request] = issued.issued
    if (request === undefined) throw new TypeError('nothing was issued')
    expect(await SIGNER.issue(request)).toMatch(/^ey/)
    const decision = { ...request.decision, injectedAnchors: ['amd/ark'] }
    await expect(SIGNER.issue({ ...request, decision })).rejects.toThrow('GATE_ANCHORS_INJECTED at decision')
  })

  it('are left out where the key does not sign', async () => {
    const broken = credentialSigner({
      ...{ kid: 'key-1', alg: 'EdDSA', key: verifierKey.privateKey },
      verifier: { developer: 'https://vouchsafe.example', build: '0.1.0' },
    })
    const t = await realGate({ signer: broken })
    const decision = await t.posture()
    expect(codesOf(decision)).toEqual(['GATE_SIGNER_UNAVAILABLE'])
    expect(decision).toMatchObject({ verdict: 'inconclusive', credential: null })
    expect(() =>
      credentialSigner({
        ...{ kid: 'key-1', alg: 'ES256', key: verifierKey.publicKey },
        verifier: { developer: 'a', build: 'b' },
      }),
    ).toThrow(TypeError)
  })
})

describe('accountProof', () => {
  const statement = utf8('a statement')
  const good = walletProof('', statement)
  const proof = walletProof(PROVIDER, statement)
  const ask = (given: unknown, provider = PROVIDER) => accountProof({ provider, statement, proof: given })

  it('takes what the account’s wallet signed', async () => {
    expect(await ask(proof)).toBe(true)
    expect(await ask(JSON.parse(JSON.stringify(proof)))).toBe(true)
  })

  it.each<[string, unknown]>([
    ['nothing', null],
    ['a text', 'signed'],
    ['a list', [proof]],
    ['no key', { signature: proof.signature }],
    ['a key of another kind', { ...proof, pub_key: { ...proof.pub_key, type: 'tendermint/PubKeyEd25519' } }],
    ['a key that is no base64', { ...proof, pub_key: { ...proof.pub_key, value: '*' } }],
    ['a key that is no point', { ...proof, pub_key: { ...proof.pub_key, value: toBase64(new Uint8Array(33)) } }],
    ['a signature that is too short', { ...proof, signature: proof.signature.slice(0, 84) }],
    ['a signature of zeros', { ...proof, signature: toBase64(new Uint8Array(64)) }],
    ['a signature for another signer', good],
    ['a signature over other bytes', walletProof(PROVIDER, utf8('another statement'))],
    ['members of the prototype', Object.create(proof)],
  ])('refuses %s', async (_, given) => {
    expect(await ask(given)).toBe(false)
  })

  it('refuses the same for another account', async () => {
    expect(await ask(proof, leaseId().provider)).toBe(false)
  })
})
