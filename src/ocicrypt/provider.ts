import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { attemptAsync, type Outcome, refuse, take } from '../core/outcome.ts'
import { decodeRequest, encodeAnnotation, unwrapAnswer, type WrappedLayerKey, wrapAnswer } from './protocol.ts'

/** The key-encryption key of this id, 32 bytes: from a file, or from the broker. The caller's copy is overwritten after use. */
export type KekSource = (keyId: string) => Promise<Outcome<Uint8Array>>

const KEK_BYTES = 32
const TAG_BYTES = 16

/**
 * Answers one request of ocicrypt.
 * @returns what goes to standard output, or OCICRYPT_REQUEST_INVALID · OCICRYPT_KEY_INVALID · OCICRYPT_UNWRAP_FAILED · those of the source
 */
export function answerRequest(request: Uint8Array, kekFor: KekSource): Promise<Outcome<string>> {
  return attemptAsync(async () => {
    const asked = take(decodeRequest(request))
    const keyId = asked.op === 'keywrap' ? asked.keyId : asked.annotation.keyId
    const kek = take(await kekFor(keyId))
    try {
      if (kek.length !== KEK_BYTES)
        refuse('OCICRYPT_KEY_INVALID', 'key', { expected: `${KEK_BYTES} bytes`, actual: `${kek.length} bytes` })
      return asked.op === 'keywrap'
        ? wrapAnswer(encodeAnnotation(wrapped(kek, keyId, asked.layerKey)))
        : unwrapAnswer(take(unwrapped(kek, asked.annotation)))
    } finally {
      kek.fill(0)
    }
  })
}

function wrapped(kek: Uint8Array, keyId: string, layerKey: Uint8Array): WrappedLayerKey {
  const iv = new Uint8Array(randomBytes(12))
  const cipher = createCipheriv('aes-256-gcm', kek, iv)
  const data = Buffer.concat([cipher.update(layerKey), cipher.final(), cipher.getAuthTag()])
  return { keyId, iv, wrapped: new Uint8Array(data) }
}

function unwrapped(kek: Uint8Array, { iv, wrapped: data }: WrappedLayerKey): Outcome<Uint8Array> {
  const end = data.length - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', kek, iv, { authTagLength: TAG_BYTES })
  decipher.setAuthTag(data.subarray(end))
  try {
    const plain = Buffer.concat([decipher.update(data.subarray(0, end)), decipher.final()])
    return { ok: true, value: new Uint8Array(plain) }
  } catch {
    return { ok: false, faults: [{ code: 'OCICRYPT_UNWRAP_FAILED', path: 'annotation.wrapped_data' }] }
  }
}
