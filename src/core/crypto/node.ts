import { constants, createPublicKey, hash, type KeyObject, type VerifyKeyObjectInput, verify } from 'node:crypto'
import type { CryptoPort, HashName, SignatureAlgorithm } from './port.ts'

interface Scheme {
  readonly hash: 'sha256' | 'sha384'
  readonly fits: (key: KeyObject) => boolean
  readonly signatureBytes: (key: KeyObject) => number
  readonly options: Omit<VerifyKeyObjectInput, 'key'>
}

const onCurve = (curve: string) => (key: KeyObject) =>
  key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === curve

const SCHEMES: Record<SignatureAlgorithm, Scheme> = {
  ES256: {
    hash: 'sha256',
    fits: onCurve('prime256v1'),
    signatureBytes: () => 64,
    options: { dsaEncoding: 'ieee-p1363' },
  },
  ES384: {
    hash: 'sha384',
    fits: onCurve('secp384r1'),
    signatureBytes: () => 96,
    options: { dsaEncoding: 'ieee-p1363' },
  },
  PS384: {
    hash: 'sha384',
    fits: (key) => key.asymmetricKeyType === 'rsa',
    signatureBytes: (key) => Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8),
    options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 },
  },
}

/** Parsing a key costs more than half a verification, so a parsed key lives as long as its SPKI array. */
const keys = new WeakMap<Uint8Array, KeyObject | 'unusable'>()

function keyOf(spki: Uint8Array): KeyObject | 'unusable' {
  const known = keys.get(spki)
  if (known !== undefined) return known
  let key: KeyObject | 'unusable'
  try {
    key = createPublicKey({ key: Buffer.from(spki.buffer, spki.byteOffset, spki.length), format: 'der', type: 'spki' })
  } catch {
    key = 'unusable' // OpenSSL could not read it: no signature can be valid under it, and `verify` says so
  }
  keys.set(spki, key)
  return key
}

/** node:crypto; signatures run on libuv's thread pool, so independent checks of one machine run side by side. */
export const nodeCrypto: CryptoPort = {
  name: 'node:crypto',
  digest: async (name: HashName, bytes) => new Uint8Array(hash(name, bytes, 'buffer')),
  verify: (algorithm, spki, message, signature) => {
    const scheme = SCHEMES[algorithm]
    const key = keyOf(spki)
    if (key === 'unusable' || !scheme.fits(key) || signature.length !== scheme.signatureBytes(key)) {
      return Promise.resolve(false)
    }
    return new Promise((resolve) => {
      // An error here is OpenSSL's word for a signature it cannot even interpret: not valid.
      verify(scheme.hash, message, { key, ...scheme.options }, signature, (error, valid) =>
        resolve(error === null && valid),
      )
    })
  },
}
