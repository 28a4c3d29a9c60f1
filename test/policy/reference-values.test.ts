import { beforeAll, describe, expect, it } from 'vitest'
import { createVerificationCache } from '../../src/core/context.ts'
import { authenticateReferenceValue, type SignerKey } from '../../src/policy/index.ts'
import { referenceValuesOf } from '../../src/policy/reference-values.ts'
import { newSigner, PAYLOAD, type TestSigner } from './signers.ts'
import { DIGEST, documentWith, type Json, OTHER_DIGEST, policyOf, told } from './support.ts'

let team: TestSigner
let stranger: TestSigner
beforeAll(async () => {
  team = await newSigner('image-team')
  stranger = await newSigner('image-team')
})

const read = (jws: string, signers: readonly SignerKey[] = [team.key], cache = createVerificationCache()) =>
  authenticateReferenceValue(jws, signers, cache, 'rv')
const without = (name: keyof typeof PAYLOAD): Json =>
  Object.fromEntries(Object.entries(PAYLOAD).filter(([key]) => key !== name))

async function refused(payload: unknown, fault: string, header: Json = {}) {
  expect(told(await read(await team.sign(PAYLOAD)))).toEqual([])
  expect(told(await read(await team.sign(payload, header)))).toEqual([fault])
}

describe('authenticateReferenceValue', () => {
  it.each(['ES256', 'ES384', 'EdDSA'] as const)('proves a value signed with %s', async (alg) => {
    const signer = await newSigner('someone', alg)
    const policy = policyOf(documentWith({}, { referenceValues: { signers: [signer.key] } }))
    const signers = policy.referenceValues === 'none' ? [] : policy.referenceValues.signers
    const outcome = await read(`${await signer.sign(PAYLOAD)}\n`, signers)
    expect(outcome).toMatchObject({
      ok: true,
      value: {
        name: 'inference-guest 3.28',
        measurements: [DIGEST],
        withdrawn: [],
        guarantees: ['workload-pinned', 'gpu-local'],
        notBefore: 1777593600,
        expires: 1782864000,
        signer: { kid: 'someone' },
      },
    })
    if (outcome.ok) expect(Object.isFrozen(outcome.value.measurements)).toBe(true)
  })

  it('RJ-POL-17 refuses another key under the same name', async () => {
    expect(told(await read(await stranger.sign(PAYLOAD)))).toEqual(['REFERENCE_VALUE_UNTRUSTED rv.signature'])
  })

  it('RJ-POL-17 remembers what a key proved, and for no other key under its name', async () => {
    const cache = createVerificationCache()
    const jws = await team.sign(PAYLOAD)
    const first = await read(jws, [team.key], cache)
    expect(told(first)).toEqual([])
    expect(await read(jws, [{ ...team.key }], cache)).toEqual(first)
    expect(told(await read(jws, [stranger.key], cache))).toEqual(['REFERENCE_VALUE_UNTRUSTED rv.signature'])
    expect(told(await read(jws, [], cache))).toEqual(['REFERENCE_VALUE_UNTRUSTED rv.kid'])
    const forged = `${jws.slice(0, -9)}${jws.at(-9) === 'A' ? 'B' : 'A'}${jws.slice(-8)}`
    for (const _ of [1, 2])
      expect(told(await read(forged, [team.key], cache))).toEqual(['REFERENCE_VALUE_UNTRUSTED rv.signature'])
  })

  it('RJ-POL-17 refuses a signer that the policy does not name', async () => {
    const other = await newSigner('elsewhere')
    expect(told(await read(await other.sign(PAYLOAD)))).toEqual(['REFERENCE_VALUE_UNTRUSTED rv.kid'])
    expect(told(await read(await team.sign(PAYLOAD), []))).toEqual(['REFERENCE_VALUE_UNTRUSTED rv.kid'])
  })

  it('RJ-POL-17 refuses every changed character of a signed value', async () => {
    const jws = await team.sign(PAYLOAD)
    const swap = (at: number) => `${jws.slice(0, at)}${jws[at] === 'A' ? 'B' : 'A'}${jws.slice(at + 1)}`
    const accepted = []
    for (let at = 0; at < jws.length; at++) {
      const outcome = await read(swap(at))
      if (outcome.ok) accepted.push(at)
    }
    expect(accepted).toEqual([])
  })

  it('refuses another algorithm than the key has, in the header and in fact', async () => {
    const es384 = await newSigner('image-team', 'ES384')
    expect(told(await read(await es384.sign(PAYLOAD)))).toEqual(['REFERENCE_VALUE_UNTRUSTED rv.alg'])
    const jws = await team.sign(PAYLOAD)
    const [, payload, signature] = jws.split('.')
    const header = (members: Json) => Buffer.from(JSON.stringify(members)).toString('base64url')
    const none = header({ alg: 'none', kid: 'image-team', typ: 'vouchsafe-reference-value+jws' })
    expect(told(await read(`${none}.${payload}.${signature}`))).toEqual(['REFERENCE_VALUE_UNTRUSTED rv.alg'])
    const hmac = header({ alg: 'HS256', kid: 'image-team', typ: 'vouchsafe-reference-value+jws' })
    expect(told(await read(`${hmac}.${payload}.${signature}`))).toEqual(['REFERENCE_VALUE_UNTRUSTED rv.alg'])
  })

  it('refuses what the same key signed for another purpose', async () => {
    await refused(PAYLOAD, 'REFERENCE_VALUE_INVALID rv.header.typ', { typ: 'eat+jwt' })
  })

  it.each([
    ['jku', 'https://example.org/keys'],
    ['jwk', { kty: 'EC' }],
    ['x5u', 'https://example.org/cert'],
    ['cty', 'json'],
  ])('refuses header member %s', async (name, value) => {
    await refused(PAYLOAD, `REFERENCE_VALUE_INVALID rv.header/${name}`, { [name]: value })
  })

  it('refuses text that is no compact JWS', async () => {
    const jws = await team.sign(PAYLOAD)
    const [header, payload, signature] = jws.split('.')
    for (const text of ['', 'x', `${header}.${payload}`, `${jws}.x`, JSON.stringify({ payload, signature })]) {
      expect(told(await read(text))).toEqual(['REFERENCE_VALUE_INVALID rv'])
    }
    for (const text of [`${header}.${payload}.`, `${header}.${payload}.${signature}=`, `${header}.${payload}.+/==`]) {
      expect(told(await read(text))).toEqual(['REFERENCE_VALUE_INVALID rv.signature'])
    }
    expect(told(await read('x'.repeat(300_000)))).toEqual(['REFERENCE_VALUE_INVALID rv'])
  })

  it('reads the payload as strictly as a policy', async () => {
    await refused({ ...PAYLOAD, guarentees: ['gpu-local'] }, 'REFERENCE_VALUE_INVALID rv/guarentees')
    await refused(`{"version":1,"version":1}`, 'JSON_DUPLICATE_KEY rv/version')
    await refused('[]', 'REFERENCE_VALUE_INVALID rv')
    for (const name of ['version', 'name', 'kind', 'measurements', 'notBefore', 'expires'] as const) {
      await refused(without(name), `REFERENCE_VALUE_INVALID rv/${name}`)
    }
    await refused({ ...PAYLOAD, version: 2 }, 'REFERENCE_VALUE_INVALID rv/version')
    await refused({ ...PAYLOAD, kind: 'nvidia/gpu-report' }, 'REFERENCE_VALUE_INVALID rv/kind')
    await refused({ ...PAYLOAD, kind: 'intel/tdx-quote' }, 'REFERENCE_VALUE_INVALID rv/measurements/0')
    await refused({ ...PAYLOAD, kind: 'intel/sgx-quote' }, 'REFERENCE_VALUE_INVALID rv/measurements/0')
    await refused({ ...PAYLOAD, measurements: [] }, 'REFERENCE_VALUE_INVALID rv/measurements')
    await refused({ ...PAYLOAD, measurements: [DIGEST, DIGEST] }, 'REFERENCE_VALUE_INVALID rv/measurements')
    await refused({ ...PAYLOAD, measurements: [DIGEST.toUpperCase()] }, 'REFERENCE_VALUE_INVALID rv/measurements/0')
    await refused({ ...PAYLOAD, measurements: ['0'.repeat(96)] }, 'REFERENCE_VALUE_INVALID rv/measurements/0')
    await refused({ ...PAYLOAD, guarantees: [] }, 'REFERENCE_VALUE_INVALID rv/guarantees')
    await refused({ ...PAYLOAD, guarantees: ['everything'] }, 'REFERENCE_VALUE_INVALID rv/guarantees/0')
    await refused({ ...PAYLOAD, expires: PAYLOAD.notBefore }, 'REFERENCE_VALUE_INVALID rv/expires')
    await refused({ ...PAYLOAD, expires: '2026-07-01' }, 'REFERENCE_VALUE_INVALID rv/expires')
    await refused({ ...PAYLOAD, expires: 1782864000 }, 'REFERENCE_VALUE_INVALID rv/expires')
    await refused({ ...PAYLOAD, name: 'a\u001b[31m' }, 'REFERENCE_VALUE_INVALID rv/name')
  })

  it('names a TD by MRTD and RTMR0 to RTMR2, all of them, and an enclave by MRENCLAVE', async () => {
    const td = { mrTd: DIGEST, rtmr0: DIGEST, rtmr1: OTHER_DIGEST, rtmr2: DIGEST }
    const tdx = { ...PAYLOAD, kind: 'intel/tdx-quote', measurements: [td] }
    expect(await read(await team.sign(tdx))).toMatchObject({
      value: { kind: 'intel/tdx-quote', measurements: [[DIGEST, DIGEST, OTHER_DIGEST, DIGEST].join(' ')] },
    })
    const { rtmr2: _, ...firmware } = td
    await refused({ ...tdx, measurements: [firmware] }, 'REFERENCE_VALUE_INVALID rv/measurements/0/rtmr2')
    await refused(
      { ...tdx, measurements: [{ ...td, rtmr3: DIGEST }] },
      'REFERENCE_VALUE_INVALID rv/measurements/0/rtmr3',
    )
    const sgx = { ...PAYLOAD, kind: 'intel/sgx-quote', measurements: ['c3'.repeat(32)] }
    expect(await read(await team.sign(sgx))).toMatchObject({ value: { measurements: ['c3'.repeat(32)] } })
  })

  it('takes a value without guarantees, and one that withdraws', async () => {
    expect(await read(await team.sign(without('guarantees')))).toMatchObject({ value: { guarantees: [] } })
    const withdrawing = await team.sign({ ...PAYLOAD, withdrawn: [OTHER_DIGEST] })
    expect(await read(withdrawing)).toMatchObject({ value: { withdrawn: [OTHER_DIGEST] } })
  })
})

describe('referenceValuesOf', () => {
  it('gives a policy what names a signer of its own, and what nobody can read', async () => {
    const other = await newSigner('elsewhere')
    const [ours, forged, theirs] = await Promise.all([team, stranger, other].map((one) => one.sign(PAYLOAD)))
    const all = [ours, forged, theirs, 'no statement'].map(String)
    const of = (signers: readonly SignerKey[]) =>
      referenceValuesOf(policyOf(documentWith({}, { referenceValues: { signers } })), all)
    expect(of([team.key])).toEqual([ours, forged, 'no statement'])
    expect(of([other.key])).toEqual([theirs, 'no statement'])
    expect(referenceValuesOf(policyOf(documentWith({}, {})), all)).toEqual(['no statement'])
    const policy = policyOf(documentWith({}, { referenceValues: { signers: [team.key] } }))
    expect(referenceValuesOf(policy, all)).toBe(referenceValuesOf(policy, all))
    expect(referenceValuesOf(policy, [String(theirs)])).toEqual([])
  })
})
