import { concatBytes, utf8 } from '../../core/bytes.ts'
import { fromBase64 } from '../../core/encodings.ts'
import { fail, type Outcome, ok } from '../../core/outcome.ts'
import type { KeyBinding, SealedSecret } from '../ports.ts'

export const NONCE_BYTES = 12
export const TAG_BYTES = 16
/** AES-256-GCM; `data` is nonce (12 bytes) ‖ ciphertext ‖ tag (16 bytes). */
export const ALGORITHM = 'A256GCM'

const LABEL = utf8('vouchsafe/sealed-key/1\0')

/**
 * What a sealed key is bound to, as associated data: a label of its own, then tenant, key id and policy digest in UTF-8, each
 * behind its length (32 bits, big-endian), so that no two bindings have the same bytes.
 * @throws TypeError for text with a lone surrogate, which UTF-8 would make equal to another
 */
export function associatedData({ tenant, keyId, policyDigest }: KeyBinding): Uint8Array {
  return concatBytes(LABEL, ...[tenant, keyId, policyDigest].flatMap(lengthAndText))
}

function lengthAndText(text: string): readonly Uint8Array[] {
  if (!text.isWellFormed()) throw new TypeError('a key is named in well-formed Unicode')
  const bytes = utf8(text)
  const length = new Uint8Array(4)
  new DataView(length.buffer).setUint32(0, bytes.length)
  return [length, bytes]
}

/** Nonce, ciphertext and tag of a sealed secret, or RELEASE_KEY_TAMPERED. */
export function unpacked(
  sealed: SealedSecret,
): Outcome<{ nonce: Uint8Array; ciphertext: Uint8Array; tag: Uint8Array }> {
  const bytes = fromBase64(sealed.data, 'sealed.data')
  if (sealed.algorithm !== ALGORITHM || !bytes.ok || bytes.value.length <= NONCE_BYTES + TAG_BYTES) return tampered()
  const [data, end] = [bytes.value, bytes.value.length - TAG_BYTES]
  return ok({
    nonce: data.subarray(0, NONCE_BYTES),
    ciphertext: data.subarray(NONCE_BYTES, end),
    tag: data.subarray(end),
  })
}

export const tampered = (): Outcome<never> => fail('RELEASE_KEY_TAMPERED', 'sealed')

export const unavailable = (path: string, actual: string, expected?: string): Outcome<never> =>
  fail('RELEASE_VAULT_UNAVAILABLE', path, { actual, ...(expected === undefined ? {} : { expected }) })

/** @throws TypeError for no secret at all: an empty key is a mistake of whoever registers it */
export function checkSecret(secret: Uint8Array): void {
  if (!(secret instanceof Uint8Array) || secret.length === 0) throw new TypeError('secret is at least one byte')
}
