import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type DecipherGCM,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { concatBytes } from '../core/bytes.ts'

/** The AEADs of CryptoTensors, under the names that its files use. All have IVs of 12 and tags of 16 bytes. */
export const AEADS = {
  aes256gcm: { cipher: 'aes-256-gcm', keyBytes: 32 },
  aes128gcm: { cipher: 'aes-128-gcm', keyBytes: 16 },
  chacha20poly1305: { cipher: 'chacha20-poly1305', keyBytes: 32 },
} as const

export type AeadName = keyof typeof AEADS

export const IV_BYTES = 12
export const TAG_BYTES = 16

/** `AES-256-GCM` and `aes256gcm` are one algorithm, as the Python package reads them; undefined for any other. */
export function aeadName(text: string): AeadName | undefined {
  const name = text.replaceAll('-', '').toLowerCase()
  return Object.hasOwn(AEADS, name) ? (name as AeadName) : undefined
}

export const sealing = (aead: AeadName, key: KeyObject | Uint8Array, iv: Uint8Array): CipherGCM =>
  createCipheriv(AEADS[aead].cipher as 'aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })

export const opening = (aead: AeadName, key: KeyObject | Uint8Array, iv: Uint8Array, tag: Uint8Array): DecipherGCM => {
  const decipher = createDecipheriv(AEADS[aead].cipher as 'aes-256-gcm', key, iv, { authTagLength: TAG_BYTES })
  decipher.setAuthTag(tag)
  return decipher
}

/** A data key under the master key: what `__encryption__` has for a tensor and the manifest for a file. */
export interface WrappedKey {
  readonly wrappedKey: Uint8Array
  readonly keyIv: Uint8Array
  readonly keyTag: Uint8Array
}

export interface MasterKey {
  readonly aead: AeadName
  readonly key: KeyObject
}

/** Seals a data key with the master key under a fresh random IV, without associated data. */
export function wrapKey(master: MasterKey, dataKey: Uint8Array): WrappedKey {
  const keyIv = randomBytes(IV_BYTES)
  const cipher = sealing(master.aead, master.key, keyIv)
  const wrappedKey = concatBytes(cipher.update(dataKey), cipher.final())
  return { wrappedKey, keyIv, keyTag: cipher.getAuthTag() }
}

/** The data key, or undefined where it was not wrapped under this master key. */
export function unwrapKey(master: MasterKey, { wrappedKey, keyIv, keyTag }: WrappedKey): Uint8Array | undefined {
  const decipher = opening(master.aead, master.key, keyIv, keyTag)
  const dataKey = decipher.update(wrappedKey)
  return finishes(decipher) ? dataKey : undefined
}

/** Whether the tag is right. The only error that `final` has is that it is not. */
export function finishes(decipher: DecipherGCM): boolean {
  try {
    decipher.final()
    return true
  } catch {
    return false
  }
}

export const secretKey = (bytes: Uint8Array): KeyObject => createSecretKey(bytes)
