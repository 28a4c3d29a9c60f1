import { createPublicKey, type KeyObject } from 'node:crypto'
import { utf8 } from '../../core/bytes.ts'
import { fromBase64, toBase64 } from '../../core/encodings.ts'
import { canonicalJson } from '../../core/json.ts'
import { attemptAsync, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { ReleaseBinding } from '../answer.ts'
import { hkdfSha256 } from './hkdf.ts'
import type { WrapKey } from './public-key.ts'

/** A secret under HPKE (RFC 9180), base mode, HKDF-SHA256 and AES-256-GCM; bytes in base64. */
export interface HpkeEnvelope {
  readonly format: 'hpke'
  readonly kem: 'DHKEM(X25519, HKDF-SHA256)' | 'DHKEM(P-256, HKDF-SHA256)'
  readonly enc: string
  readonly ciphertext: string
}

/** `info` of the key schedule: no other protocol derives the same keys. */
export const HPKE_INFO = utf8('vouchsafe/1 release\0')

/** What is authenticated beside the secret: lease, policy and challenge in canonical JSON, so that no two bindings share a text. */
export const hpkeAad = ({
  tenant,
  keyId,
  workload,
  policyDigest,
  challengeId,
}: ReleaseBinding): Uint8Array<ArrayBuffer> =>
  utf8(canonicalJson({ tenant, keyId, workload, policyDigest, challengeId }))

const KEM_OF = { X25519: 'DHKEM(X25519, HKDF-SHA256)', 'P-256': 'DHKEM(P-256, HKDF-SHA256)' } as const
const ENC_BYTES: Readonly<Record<HpkeEnvelope['kem'], number>> = {
  'DHKEM(X25519, HKDF-SHA256)': 32,
  'DHKEM(P-256, HKDF-SHA256)': 65,
}

/** A suite holds no key: one serves all. */
const SUITES = new Map<HpkeEnvelope['kem'], ReturnType<typeof newSuite>>()

function suiteOf(kem: HpkeEnvelope['kem']): ReturnType<typeof newSuite> {
  const known = SUITES.get(kem)
  if (known !== undefined) return known
  const suite = newSuite(kem)
  SUITES.set(kem, suite)
  // What could not be loaded now may be later.
  suite.catch(() => SUITES.delete(kem))
  return suite
}

async function newSuite(kem: HpkeEnvelope['kem']) {
  const { Aes256Gcm, CipherSuite, DhkemP256HkdfSha256, DhkemX25519HkdfSha256 } = await import('@hpke/core')
  const chosen = kem === KEM_OF.X25519 ? new DhkemX25519HkdfSha256() : new DhkemP256HkdfSha256()
  return new CipherSuite({ kem: chosen, kdf: await hkdfSha256(), aead: new Aes256Gcm() })
}

/** The public key as RFC 9180 §7.1.1 serialises it: the end of the SPKI, 32 bytes or the uncompressed point. */
const serialised = (spki: Uint8Array, kem: HpkeEnvelope['kem']): Uint8Array<ArrayBuffer> =>
  new Uint8Array(spki.subarray(spki.length - ENC_BYTES[kem]))

/**
 * Seals a secret to a key of X25519 or P-256, under a fresh ephemeral key.
 * @returns the envelope, or RELEASE_WRAP_KEY_INVALID for other keys
 */
export function sealHpke(to: WrapKey, secret: Uint8Array, binding: ReleaseBinding): Promise<Outcome<HpkeEnvelope>> {
  return attemptAsync(async () => {
    const { family } = to
    if (family !== 'X25519' && family !== 'P-256')
      return refuse('RELEASE_WRAP_KEY_INVALID', 'format', { expected: 'X25519 or P-256 for hpke', actual: family })
    const kem = KEM_OF[family]
    const suite = await suiteOf(kem)
    const recipientPublicKey = await suite.kem.deserializePublicKey(serialised(to.spki, kem))
    const { ct, enc } = await suite.seal(
      { recipientPublicKey, info: HPKE_INFO },
      new Uint8Array(secret),
      hpkeAad(binding),
    )
    return { format: 'hpke', kem, enc: toBase64(new Uint8Array(enc)), ciphertext: toBase64(new Uint8Array(ct)) }
  })
}

/** The workload's side of `sealHpke`. @returns the secret, or RELEASE_WRAPPED_INVALID · ENV_BASE64_NOT_CANONICAL */
export function openHpke(
  { kem, enc, ciphertext }: HpkeEnvelope,
  privateKey: KeyObject,
  binding: ReleaseBinding,
): Promise<Outcome<Uint8Array>> {
  return attemptAsync(async () => {
    const sent = { enc: take(fromBase64(enc, 'enc')), ciphertext: take(fromBase64(ciphertext, 'ciphertext')) }
    const suite = await suiteOf(kem)
    try {
      const own = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }))
      const scalar = privateScalar(privateKey, kem)
      const recipientKey = {
        privateKey: await suite.kem.deserializePrivateKey(scalar),
        publicKey: await suite.kem.deserializePublicKey(serialised(own, kem)),
      }
      const opened = await suite.open(
        { recipientKey, enc: sent.enc, info: HPKE_INFO },
        sent.ciphertext,
        hpkeAad(binding),
      )
      return new Uint8Array(opened)
    } catch {
      // Whatever it was, it does not open: a library's word for why would tell a forger more.
      return refuse('RELEASE_WRAPPED_INVALID', 'ciphertext')
    }
  })
}

/** RFC 9180 §7.1.2: the scalar, 32 bytes for both. */
function privateScalar(privateKey: KeyObject, kem: HpkeEnvelope['kem']): Uint8Array<ArrayBuffer> {
  const { d, crv } = privateKey.export({ format: 'jwk' })
  if (typeof d !== 'string' || KEM_OF[crv as keyof typeof KEM_OF] !== kem) throw new TypeError(`no key for ${kem}`)
  return new Uint8Array(Buffer.from(d, 'base64url'))
}
