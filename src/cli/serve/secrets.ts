import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { utf8 } from '../../core/bytes.ts'
import { fromUtf8 } from '../../core/encodings.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import { isKid } from '../../decision/credential/keys.ts'
import { createPrivateFile, readPrivateFile } from '../../files/private-file.ts'
import type { ServiceKey } from '../../service/keys.ts'
import { UsageError } from '../input.ts'
import { messageOf } from '../keys/opened.ts'

const SALT_BYTES = 32
const ALGORITHMS = { 'P-256': 'ES256', Ed25519: 'EdDSA' } as const

/** A file that nobody but its owner may open. @throws UsageError */
export async function privateBytes(path: string): Promise<Uint8Array> {
  try {
    return await readPrivateFile(path)
  } catch (error) {
    throw new UsageError(`${path}: ${messageOf(error)}`)
  }
}

/** The same as text, without what an editor leaves at its end. @throws UsageError */
export async function privateText(path: string): Promise<string> {
  const text = fromUtf8(await privateBytes(path), path)
  if (!text.ok) throw new UsageError(`${path} is not UTF-8 text`)
  return text.value.trim()
}

/** A private JWK of P-256 or Ed25519 with a `kid`. Nothing of it is ever in a message. @throws UsageError */
export async function readSigningKey(path: string): Promise<ServiceKey> {
  const wrong = (): never => {
    throw new UsageError(`${path} should be a private JWK of P-256 or Ed25519 with a kid`)
  }
  const json = parseJson(await privateText(path), 'signingKey')
  if (!json.ok || !isJsonObject(json.value)) return wrong()
  const { kid, crv, kty, d } = json.value
  if (typeof kid !== 'string' || !isKid(kid) || (crv !== 'P-256' && crv !== 'Ed25519')) return wrong()
  if (typeof kty !== 'string' || typeof d !== 'string') return wrong()
  try {
    const privateKey = createPrivateKey({ key: { ...json.value, kty, d, crv }, format: 'jwk' })
    return { kid, algorithm: ALGORITHMS[crv], privateKey, publicKey: createPublicKey(privateKey) }
  } catch {
    return wrong()
  }
}

export async function createSigningKey(path: string, kid: string): Promise<void> {
  const jwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  await createPrivateFile(path, utf8(`${JSON.stringify({ kid, ...jwk })}\n`))
}

/** What hardware ids are salted with: the same for all replicas. @throws UsageError */
export async function readSalt(path: string): Promise<Uint8Array> {
  const salt = await privateBytes(path)
  if (salt.length !== SALT_BYTES) throw new UsageError(`${path} should have ${SALT_BYTES} bytes`)
  return new Uint8Array(salt)
}

export const createSalt = (path: string): Promise<void> => createPrivateFile(path, randomBytes(SALT_BYTES))
