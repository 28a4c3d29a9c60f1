import {
  constants,
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto'
import { concatBytes, utf8 } from '../../core/bytes.ts'
import { fromBase64url, fromUtf8, toBase64url } from '../../core/encodings.ts'
import { isJsonObject, type JsonObject, parseJson } from '../../core/json.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'
import type { RandomBytes } from '../../gate/ports.ts'
import type { WrapKey } from './public-key.ts'

/** RFC 7516 §7.2.2 without optional members, as KBS clients read it. */
export interface FlattenedJwe {
  readonly protected: string
  readonly encrypted_key: string
  readonly iv: string
  readonly ciphertext: string
  readonly tag: string
}

const CEK_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16
/** RFC 3394 §2.2.3.1 */
const KW_IV = new Uint8Array(8).fill(0xa6)

/**
 * Encrypts a secret to a key of P-256, P-521 (ECDH-ES+A256KW) or RSA (RSA-OAEP-256), with A256GCM. The protected header is
 * compact JSON with its members in the order of their names, at both depths: clients that authenticate the header as they
 * write it again, sorted or in order, arrive at the same bytes.
 * @returns the JWE, or RELEASE_WRAP_KEY_INVALID for a key of X25519
 */
export function sealJwe(to: WrapKey, secret: Uint8Array, random: RandomBytes): Outcome<FlattenedJwe> {
  return attempt(() => {
    if (to.family === 'X25519')
      return refuse('RELEASE_WRAP_KEY_INVALID', 'format', {
        expected: 'P-256, P-521 or RSA for jwe',
        actual: to.family,
      })
    const cek = random(CEK_BYTES)
    try {
      const { header, encryptedKey } = to.family === 'RSA' ? wrappedByRsa(to.key, cek) : wrappedByEcdh(to, cek)
      const protectedHeader = toBase64url(utf8(header))
      const iv = random(IV_BYTES)
      const cipher = createCipheriv('aes-256-gcm', cek, iv).setAAD(utf8(protectedHeader))
      const ciphertext = concatBytes(cipher.update(secret), cipher.final())
      return {
        protected: protectedHeader,
        encrypted_key: toBase64url(encryptedKey),
        iv: toBase64url(iv),
        ciphertext: toBase64url(ciphertext),
        tag: toBase64url(cipher.getAuthTag()),
      }
    } finally {
      cek.fill(0)
    }
  })
}

interface WrappedCek {
  /** text of the protected header */
  readonly header: string
  readonly encryptedKey: Uint8Array
}

function wrappedByRsa(key: KeyObject, cek: Uint8Array): WrappedCek {
  const encryptedKey = publicEncrypt({ key, oaepHash: 'sha256', padding: constants.RSA_PKCS1_OAEP_PADDING }, cek)
  return { header: '{"alg":"RSA-OAEP-256","enc":"A256GCM"}', encryptedKey }
}

function wrappedByEcdh({ family, key }: WrapKey, cek: Uint8Array): WrappedCek {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: family })
  const { crv, x, y } = publicKey.export({ format: 'jwk' })
  const kek = agreedKey(privateKey, key)
  const wrap = createCipheriv('id-aes256-wrap', kek, KW_IV)
  const encryptedKey = concatBytes(wrap.update(cek), wrap.final())
  kek.fill(0)
  const epk = JSON.stringify({ crv, kty: 'EC', x, y })
  return { header: `{"alg":"ECDH-ES+A256KW","enc":"A256GCM","epk":${epk}}`, encryptedKey }
}

/** Concat KDF of one round (RFC 7518 §4.6.2): algorithm ECDH-ES+A256KW, no party information, 256 bits. */
function agreedKey(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  const z = diffieHellman({ privateKey, publicKey })
  const counted = (bytes: Uint8Array) => concatBytes(uint32(bytes.length), bytes)
  const otherInfo = concatBytes(counted(utf8('ECDH-ES+A256KW')), uint32(0), uint32(0), uint32(256))
  const key = createHash('sha256').update(uint32(1)).update(z).update(otherInfo).digest()
  z.fill(0)
  return key
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

/** The workload's side of `sealJwe`. @returns the secret, or RELEASE_WRAPPED_INVALID */
export function openJwe(jwe: FlattenedJwe, privateKey: KeyObject): Outcome<Uint8Array> {
  return attempt(() => {
    const bytes = (name: keyof FlattenedJwe): Uint8Array => fromBase64url(jwe[name]) ?? invalid(name)
    const header = headerOf(bytes('protected'))
    const sent = { encryptedKey: bytes('encrypted_key'), iv: bytes('iv'), text: bytes('ciphertext'), tag: bytes('tag') }
    if (sent.iv.length !== IV_BYTES || sent.tag.length !== TAG_BYTES || header.enc !== 'A256GCM')
      return invalid('protected')
    try {
      const cek =
        header.alg === 'RSA-OAEP-256'
          ? byRsa(privateKey, sent.encryptedKey)
          : byEcdh(header, privateKey, sent.encryptedKey)
      const decipher = createDecipheriv('aes-256-gcm', cek, sent.iv).setAAD(utf8(jwe.protected)).setAuthTag(sent.tag)
      const secret = concatBytes(decipher.update(sent.text), decipher.final())
      cek.fill(0)
      return secret
    } catch {
      return invalid('ciphertext')
    }
  })
}

const invalid = (path: string): never => refuse('RELEASE_WRAPPED_INVALID', path)

function headerOf(bytes: Uint8Array): JsonObject {
  const text = fromUtf8(bytes, 'protected')
  const json = text.ok ? parseJson(text.value, 'protected') : text
  return json.ok && isJsonObject(json.value) ? json.value : invalid('protected')
}

const byRsa = (key: KeyObject, encryptedKey: Uint8Array): Buffer =>
  privateDecrypt({ key, oaepHash: 'sha256', padding: constants.RSA_PKCS1_OAEP_PADDING }, encryptedKey)

function byEcdh({ alg, epk }: JsonObject, privateKey: KeyObject, encryptedKey: Uint8Array): Buffer {
  if (alg !== 'ECDH-ES+A256KW' || !isJsonObject(epk)) throw new TypeError('another algorithm')
  const { crv, x, y } = epk
  const publicKey = createPublicKey({ key: { kty: 'EC', crv: String(crv), x: String(x), y: String(y) }, format: 'jwk' })
  const kek = agreedKey(privateKey, publicKey)
  const unwrap = createDecipheriv('id-aes256-wrap', kek, KW_IV)
  return Buffer.concat([unwrap.update(encryptedKey), unwrap.final()])
}
