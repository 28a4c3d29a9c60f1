import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { type PublicJwk, publicJwk } from '../../decision/credential/jws.ts'
import { readText, UsageError } from '../input.ts'

/** A private key to sign packs with. */
export interface SigningKey {
  readonly privateKey: KeyObject
  /** its public half */
  readonly jwk: PublicJwk
}

/**
 * Reads a private key of P-256 or Ed25519 as a JWK, from a file that nobody else may open. What is in it is never told.
 * @throws UsageError where it is none, or the file is open to others
 */
export async function signingKeyFrom(path: string): Promise<SigningKey> {
  const text = await readText(path)
  if (((await stat(path)).mode & 0o077) !== 0)
    throw new UsageError(`${path} is open to other users; allow its owner alone: chmod 600 ${path}`)
  const privateKey = keyIn(text)
  const jwk = privateKey === undefined ? undefined : publicJwk(createPublicKey(privateKey).export({ format: 'jwk' }))
  if (privateKey === undefined || jwk === undefined)
    throw new UsageError(`${path} is not a private key of P-256 or Ed25519 as a JWK`)
  return { privateKey, jwk }
}

/** Whatever is wrong with a key, its text must not stand in a message. */
function keyIn(text: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: JSON.parse(text), format: 'jwk' })
  } catch {
    return undefined
  }
}
