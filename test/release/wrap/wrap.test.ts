import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { flattenedDecrypt, importJWK } from 'jose'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../src/core/bytes.ts'
import { fromHex } from '../../../src/core/encodings.ts'
import { nodeRandom } from '../../../src/gate/node-ports.ts'
import type { ReleaseBinding } from '../../../src/release/answer.ts'
import {
  type FlattenedJwe,
  openWrapped,
  type WrapFormat,
  wrap,
  wrapKeyOfJwk,
  wrapKeyOfSpki,
} from '../../../src/release/wrap/index.ts'
import { kbsJwk, spkiOf } from '../support.ts'

const SECRET = utf8('{"keys":[]}')
const BINDING: ReleaseBinding = {
  tenant: 'akash1tenant',
  keyId: 'weights',
  workload: 'akash1tenant/1/1/1/akash1provider/0',
  policyDigest: `sha256:${'a'.repeat(64)}`,
  challengeId: 'challenge-1',
}

const PAIRS = {
  X25519: generateKeyPairSync('x25519'),
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }),
}
type Family = keyof typeof PAIRS
const WAYS: readonly (readonly [WrapFormat, Family])[] = [
  ['hpke', 'X25519'],
  ['hpke', 'P-256'],
  ['jwe', 'P-256'],
  ['jwe', 'P-521'],
  ['jwe', 'RSA'],
]

const keyOf = (key: KeyObject) => {
  const read = wrapKeyOfSpki(spkiOf(key), 'key')
  if (!read.ok) throw new TypeError(JSON.stringify(read.faults))
  return read.value
}

async function wrapped(format: WrapFormat, family: Family) {
  const made = await wrap(format, keyOf(PAIRS[family].publicKey), SECRET, BINDING, nodeRandom)
  if (!made.ok) throw new TypeError(JSON.stringify(made.faults))
  return made.value
}

describe('wrapping', () => {
  it.each(WAYS)('%s to %s opens with the private key alone', async (format, family) => {
    const sent = await wrapped(format, family)
    expect(await openWrapped(sent, PAIRS[family].privateKey, BINDING)).toEqual({ ok: true, value: SECRET })
    expect(JSON.stringify(sent)).not.toContain(Buffer.from(SECRET).toString('base64').slice(0, 8))
    const stranger = {
      X25519: () => generateKeyPairSync('x25519'),
      'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
      'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
      RSA: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    }[family]()
    const opened = await openWrapped(sent, stranger.privateKey, BINDING)
    expect(opened).toMatchObject({ ok: false, faults: [{ code: 'RELEASE_WRAPPED_INVALID' }] })
  })

  it.each(['X25519', 'P-256'] as const)('hpke to %s opens for this release only', async (family) => {
    const sent = await wrapped('hpke', family)
    for (const name of Object.keys(BINDING) as (keyof ReleaseBinding)[]) {
      const opened = await openWrapped(sent, PAIRS[family].privateKey, { ...BINDING, [name]: 'another' })
      expect(opened, name).toMatchObject({ ok: false, faults: [{ code: 'RELEASE_WRAPPED_INVALID' }] })
    }
  })

  it('is different every time', async () => {
    for (const [format, family] of WAYS)
      expect(await wrapped(format, family)).not.toEqual(await wrapped(format, family))
  })

  it('has no way for some keys', async () => {
    for (const [format, family] of [
      ['hpke', 'P-521'],
      ['hpke', 'RSA'],
      ['jwe', 'X25519'],
    ] as const) {
      const made = await wrap(format, keyOf(PAIRS[family].publicKey), SECRET, BINDING, nodeRandom)
      expect(made).toMatchObject({ ok: false, faults: [{ code: 'RELEASE_WRAP_KEY_INVALID' }] })
    }
  })
})

describe('JWE, as others read it', () => {
  const JWE = WAYS.filter(([format]) => format === 'jwe').map(([, family]) => family)

  it.each(JWE)('%s: jose opens it', async (family) => {
    const jwe = (await wrapped('jwe', family)) as FlattenedJwe
    const key = await importJWK(
      PAIRS[family].privateKey.export({ format: 'jwk' }),
      family === 'RSA' ? 'RSA-OAEP-256' : 'ECDH-ES+A256KW',
    )
    const opened = await flattenedDecrypt(jwe, key, {
      keyManagementAlgorithms: ['ECDH-ES+A256KW', 'RSA-OAEP-256'],
      contentEncryptionAlgorithms: ['A256GCM'],
    })
    expect(new Uint8Array(opened.plaintext)).toEqual(SECRET)
    expect(Object.keys(jwe).sort()).toEqual(['ciphertext', 'encrypted_key', 'iv', 'protected', 'tag'])
  })

  it.each(JWE)('%s: a client that writes the header again in the order of its names opens it too', async (family) => {
    const jwe = (await wrapped('jwe', family)) as FlattenedJwe
    const header = JSON.parse(Buffer.from(jwe.protected, 'base64url').toString())
    const again = { ...jwe, protected: Buffer.from(JSON.stringify(sorted(header))).toString('base64url') }
    expect(await openWrapped(again, PAIRS[family].privateKey, BINDING)).toEqual({ ok: true, value: SECRET })
  })

  it('has the header that clients expect, to the byte', async () => {
    const text = async (family: Family) =>
      Buffer.from(((await wrapped('jwe', family)) as FlattenedJwe).protected, 'base64url').toString()
    const b64 = '[A-Za-z0-9_-]'
    expect(await text('RSA')).toBe('{"alg":"RSA-OAEP-256","enc":"A256GCM"}')
    expect(await text('P-256')).toMatch(
      new RegExp(
        `^{"alg":"ECDH-ES\\+A256KW","enc":"A256GCM","epk":{"crv":"P-256","kty":"EC","x":"${b64}{43}","y":"${b64}{43}"}}$`,
      ),
    )
    expect(await text('P-521')).toMatch(
      new RegExp(
        `^{"alg":"ECDH-ES\\+A256KW","enc":"A256GCM","epk":{"crv":"P-521","kty":"EC","x":"${b64}{88}","y":"${b64}{88}"}}$`,
      ),
    )
  })

  it('does not open once anything of it is changed', async () => {
    const jwe = (await wrapped('jwe', 'P-256')) as FlattenedJwe
    for (const name of Object.keys(jwe) as (keyof FlattenedJwe)[]) {
      const bytes = Buffer.from(jwe[name], 'base64url')
      bytes[0] = (bytes[0] ?? 0) ^ 1
      const opened = await openWrapped(
        { ...jwe, [name]: bytes.toString('base64url') },
        PAIRS['P-256'].privateKey,
        BINDING,
      )
      expect(opened, name).toMatchObject({ ok: false, faults: [{ code: 'RELEASE_WRAPPED_INVALID' }] })
    }
  })
})

/** Members in the order of their names, at every depth. */
function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sorted(v)]),
  )
}

const refusals = (spki: Uint8Array) => {
  const read = wrapKeyOfSpki(spki, 'key')
  return read.ok ? [] : read.faults.map((f) => f.code)
}
const hex = (text: string) => {
  const read = fromHex(text, text.length / 2, 'hex')
  if (!read.ok) throw new TypeError(text)
  return read.value
}

describe('keys that nothing is wrapped to', () => {
  const p256 = spkiOf(PAIRS['P-256'].publicKey)
  const p521 = spkiOf(PAIRS['P-521'].publicKey)
  const x25519Head = '302a300506032b656e032100'
  const edited = (spki: Uint8Array, at: number) => Uint8Array.from(spki, (b, i) => (i === at ? b ^ 1 : b))

  it.each([
    ['nothing', new Uint8Array()],
    ['a P-256 point off its curve', edited(p256, p256.length - 1)],
    ['a P-521 point off its curve', edited(p521, p521.length - 1)],
    ['a byte behind', Uint8Array.from([...p256, 0])],
    ['a compressed point', compressed(p256)],
    ['P-384', spkiOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey)],
    ['secp256k1', spkiOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)],
    ['Ed25519', spkiOf(generateKeyPairSync('ed25519').publicKey)],
    ['X448', spkiOf(generateKeyPairSync('x448').publicKey)],
    ['RSA of 1024 bits', spkiOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)],
    ['RSA of 2047 bits', spkiOf(generateKeyPairSync('rsa', { modulusLength: 2047 }).publicKey)],
    ['RSA with exponent 3', spkiOf(generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }).publicKey)],
    ['RSA for PSS', spkiOf(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey)],
    ['X25519 zero', hex(x25519Head + '00'.repeat(32))],
    ['X25519 one', hex(`${x25519Head}01${'00'.repeat(31)}`)],
    ['X25519 of order eight', hex(`${x25519Head}e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800`)],
  ])('%s', (_, spki) => {
    expect(refusals(spki)).toEqual(['RELEASE_WRAP_KEY_INVALID'])
  })

  it.each(Object.keys(PAIRS) as Family[])('but %s', (family) => {
    expect(refusals(spkiOf(PAIRS[family].publicKey))).toEqual([])
  })

  const jwk = kbsJwk(PAIRS['P-256'].publicKey)
  const rsa = kbsJwk(PAIRS.RSA.publicKey)
  it.each([
    ['no kty', { ...jwk, kty: undefined }],
    ['kty OKP', { ...jwk, kty: 'OKP' }],
    ['another curve', { ...jwk, crv: 'P-384' }],
    ['alg missing', { ...jwk, alg: undefined }],
    ['alg dir', { ...jwk, alg: 'dir' }],
    ['RSA1_5', { ...rsa, alg: 'RSA1_5' }],
    ['a short coordinate', { ...jwk, x: String(jwk.x).slice(0, -2) }],
    [
      'a coordinate with a zero before it',
      { ...jwk, x: Buffer.concat([Buffer.alloc(1), Buffer.from(String(jwk.x), 'base64url')]).toString('base64url') },
    ],
    ['a point off its curve', { ...jwk, x: jwk.y }],
    ['padded base64', { ...jwk, x: `${String(jwk.x)}=` }],
    [
      'a modulus with a zero before it',
      { ...rsa, n: Buffer.concat([Buffer.alloc(1), Buffer.from(String(rsa.n), 'base64url')]).toString('base64url') },
    ],
    ['an even modulus', { ...rsa, n: evenBefore(String(rsa.n)) }],
    ['exponent 3', { ...rsa, e: 'Aw' }],
    ['a key that is shared', { kty: 'oct', k: 'AAAA' }],
    ['ML-KEM', { kty: 'AKP', alg: 'ML-KEM-768+A192KW', pub: 'AAAA' }],
  ])('JWK: %s', (_, bad) => {
    const read = wrapKeyOfJwk(bad, 'tee-pubkey')
    expect(read).toMatchObject({ ok: false, faults: [{ code: 'RELEASE_WRAP_KEY_INVALID' }] })
  })

  it.each(['P-256', 'P-521', 'RSA'] as const)('but a JWK of %s', (family) => {
    const read = wrapKeyOfJwk(kbsJwk(PAIRS[family].publicKey), 'tee-pubkey')
    expect(read.ok && read.value.spki).toEqual(spkiOf(PAIRS[family].publicKey))
  })
})

function evenBefore(text: string): string {
  const modulus = Buffer.from(text, 'base64url')
  modulus[modulus.length - 1] = (modulus.at(-1) ?? 1) & 0xfe
  return modulus.toString('base64url')
}

function compressed(spki: Uint8Array): Uint8Array {
  const [x, y] = [spki.subarray(27, 59), spki.subarray(59)]
  const head = hex('3039301306072a8648ce3d020106082a8648ce3d030107032200')
  return Uint8Array.from([...head, 2 + ((y.at(-1) ?? 0) & 1), ...x])
}
