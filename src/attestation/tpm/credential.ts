import { concatBytes, utf8 } from '../../core/bytes.ts'
import { coordinateBytes } from '../../core/crypto/ecdsa.ts'
import type { CryptoPort } from '../../core/crypto/port.ts'
import { attempt, attemptAsync, type Outcome, refuse } from '../../core/outcome.ts'
import { BANK_BYTES } from './algorithms.ts'
import { hmac, kdfA, kdfE, oaepEncoded } from './kdf.ts'
import type { PublicArea } from './public-area.ts'
import { TpmReader } from './reader.ts'

/** What `TPM2_ActivateCredential` takes. */
export interface Credential {
  /** TPM2B_ID_OBJECT with its size */
  readonly idObject: Uint8Array
  /** TPM2B_ENCRYPTED_SECRET with its size */
  readonly encryptedSecret: Uint8Array
}

/** Randomness of one credential, never used again. */
export interface CredentialRandomness {
  /** as long as a digest of the endorsement key's name algorithm: the seed of an RSA key */
  readonly seed: Uint8Array
  /** as long: the padding of an RSA key */
  readonly padding: Uint8Array
  /** as long as a coordinate: the ephemeral key of an elliptic curve */
  readonly ephemeral: Uint8Array
}

const AES_BYTES = 16

/** Loaded when an ECC key is to be enciphered for, so that who verifies alone does not pay for it. */
async function curveOf(name: 'P-256' | 'P-384') {
  const { p256, p384 } = await import('@noble/curves/nist.js')
  return name === 'P-256' ? p256 : p384
}

/**
 * Enciphers a secret for the TPM that has the endorsement key, to be opened only where an attestation key of that Name is
 * loaded beside it (MakeCredential). A TPM that returns the secret has proved both; what the key may do follows from the
 * public area that hashes to the Name. Whether the endorsement key is a genuine TPM's, its certificate says.
 * @param ek public area of the endorsement key: decrypts, restricted, AES-128-CFB, as all templates of the TCG have it
 * @param akName 34 bytes and more: algorithm and digest, from `nameOf`
 * @param secret 1 to 32 bytes
 * @returns the credential, or TPM_ALGORITHM_FORBIDDEN for a key that is none to encipher for
 * @throws TypeError for a name, a secret or randomness of another size
 * @see TPM 2.0 Library Part 1 §24; ../shared/spec/tpm-and-clouds.md §1
 */
export async function makeCredential(
  crypto: Pick<CryptoPort, 'digest' | 'aesBlock'>,
  ek: PublicArea,
  akName: Uint8Array,
  secret: Uint8Array,
  random: CredentialRandomness,
): Promise<Outcome<Credential>> {
  return attemptAsync(() => credentialFor(crypto, ek, akName, secret, random))
}

async function credentialFor(
  crypto: Pick<CryptoPort, 'digest' | 'aesBlock'>,
  ek: PublicArea,
  akName: Uint8Array,
  secret: Uint8Array,
  random: CredentialRandomness,
): Promise<Credential> {
  const hash = ek.nameAlg
  const digest: CryptoPort['digest'] = (name, bytes) => crypto.digest(name, bytes)
  if (!ek.attributes.decrypt || !ek.attributes.restricted || ek.attributes.sign)
    refuse('TPM_ALGORITHM_FORBIDDEN', 'ek', { expected: 'a restricted key that decrypts', actual: 'another' })
  if (akName.length < 34 || secret.length === 0 || secret.length > 32) throw new TypeError('a name and a secret')
  const { seed, encrypted } =
    ek.kind === 'rsa'
      ? await rsaSecret(digest, ek, random)
      : await sharedSecret(digest, ek, await curveOf(ek.kind), coordinateBytes(ek.kind), random)
  const nothing = new Uint8Array()
  const key = await kdfA(digest, hash, seed, 'STORAGE', { u: akName, v: nothing }, 8 * AES_BYTES)
  const encIdentity = await cfbEnciphered(crypto, key, sized(secret))
  const macKey = await kdfA(digest, hash, seed, 'INTEGRITY', { u: nothing, v: nothing }, 8 * BANK_BYTES[hash])
  const integrity = await hmac(digest, hash, macKey, concatBytes(encIdentity, akName))
  return { idObject: sized(concatBytes(sized(integrity), encIdentity)), encryptedSecret: sized(encrypted) }
}

/** TPM2B around so many bytes. */
const sized = (bytes: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes)

interface Secret {
  readonly seed: Uint8Array
  readonly encrypted: Uint8Array
}

const IDENTITY = 'IDENTITY'

async function rsaSecret(digest: CryptoPort['digest'], ek: PublicArea, random: CredentialRandomness): Promise<Secret> {
  const size = BANK_BYTES[ek.nameAlg]
  if (random.seed.length !== size || random.padding.length !== size)
    throw new TypeError(`seed and padding have ${size} bytes`)
  const modulus = modulusOf(ek)
  const label = utf8(`${IDENTITY}\0`)
  const encoded = await oaepEncoded(digest, ek.nameAlg, random.seed, label, modulus.length, random.padding)
  return { seed: random.seed, encrypted: bytesOf(power65537(numberOf(encoded), numberOf(modulus)), modulus.length) }
}

/** Its modulus is what stands between the fixed head and the exponent of its SubjectPublicKeyInfo. */
function modulusOf({ spki }: PublicArea): Uint8Array {
  const exponentBytes = 5
  const end = spki.length - exponentBytes
  const sizeBytes = [256, 384, 512].find((size) => size < end && end - size < 64) ?? 256
  return spki.subarray(end - sizeBytes, end)
}

async function sharedSecret(
  digest: CryptoPort['digest'],
  ek: PublicArea,
  { Point }: Awaited<ReturnType<typeof curveOf>>,
  size: number,
  { ephemeral }: CredentialRandomness,
): Promise<Secret> {
  const scalar = numberOf(ephemeral)
  if (ephemeral.length !== size || scalar === 0n || scalar >= Point.Fn.ORDER)
    throw new TypeError(`ephemeral has ${size} bytes, below the order of the curve`)
  const theirs = Point.fromBytes(ek.spki.subarray(ek.spki.length - 2 * size - 1))
  const own = Point.BASE.multiply(scalar).toBytes(false)
  const z = theirs
    .multiply(scalar)
    .toBytes(false)
    .subarray(1, 1 + size)
  const [x, y] = [own.subarray(1, 1 + size), own.subarray(1 + size)]
  const theirX = theirs.toBytes(false).subarray(1, 1 + size)
  const seed = await kdfE(digest, ek.nameAlg, z, IDENTITY, { u: x, v: theirX })
  return { seed, encrypted: concatBytes(sized(x), sized(y)) }
}

/** AES-128 in CFB mode with an IV of zeros (SP 800-38A §6.3, s = 128). */
async function cfbEnciphered(
  crypto: Pick<CryptoPort, 'aesBlock'>,
  key: Uint8Array,
  plain: Uint8Array,
): Promise<Uint8Array> {
  const out = new Uint8Array(plain.length)
  let feedback: Uint8Array = new Uint8Array(AES_BYTES)
  for (let at = 0; at < plain.length; at += AES_BYTES) {
    const stream = await crypto.aesBlock(key, feedback)
    const block = plain.subarray(at, at + AES_BYTES).map((byte, i) => byte ^ (stream[i] ?? 0))
    out.set(block, at)
    feedback = block
  }
  return out
}

const numberOf = (bytes: Uint8Array): bigint => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)

function bytesOf(value: bigint, sizeBytes: number): Uint8Array {
  const out = new Uint8Array(sizeBytes)
  let rest = value
  for (let i = sizeBytes - 1; i >= 0; i--) {
    out[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return out
}

/** base^65537 mod modulus: 16 squarings and a product. */
function power65537(base: bigint, modulus: bigint): bigint {
  let value = base
  for (let i = 0; i < 16; i++) value = (value * value) % modulus
  return (value * base) % modulus
}

const FILE_MAGIC = 0xbadcc0de
const FILE_VERSION = 1

/** The file that `tpm2_activatecredential` takes. */
export function credentialFile({ idObject, encryptedSecret }: Credential): Uint8Array {
  const head = Uint8Array.of(0xba, 0xdc, 0xc0, 0xde, 0, 0, 0, FILE_VERSION)
  return concatBytes(head, idObject, encryptedSecret)
}

/**
 * Reads the file that `tpm2_makecredential` writes.
 * @returns the credential, or TPM_MAGIC · TPM_SIZE_MISMATCH
 */
export function decodeCredentialFile(bytes: Uint8Array, path: string): Outcome<Credential> {
  return attempt(() => {
    const reader = new TpmReader(bytes, path)
    const magic = reader.u32('magic')
    const version = reader.u32('version')
    if (magic !== FILE_MAGIC || version !== FILE_VERSION)
      refuse('TPM_MAGIC', `${path}.magic`, { expected: 'badcc0de, 1', actual: `${magic.toString(16)}, ${version}` })
    const idObject = sized(reader.sized('idObject'))
    const encryptedSecret = sized(reader.sized('encryptedSecret'))
    reader.end()
    return { idObject, encryptedSecret }
  })
}
