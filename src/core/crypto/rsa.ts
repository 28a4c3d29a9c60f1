import { concatBytes } from '../bytes.ts'

const RSA_ENCRYPTION = Uint8Array.of(0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0)
const EXPONENT_65537 = Uint8Array.of(2, 3, 1, 0, 1)
/** Sizes of the moduli that are taken: 2048, 3072 and 4096 bits. */
export const RSA_MODULUS_BYTES: readonly number[] = [256, 384, 512]

/** TLV with a length of two octets, which every part of such a key has. */
const long = (tag: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const content = concatBytes(...parts)
  return concatBytes(Uint8Array.of(tag, 0x82, content.length >> 8, content.length & 0xff), content)
}

/**
 * SubjectPublicKeyInfo of an RSA key that travels as its bare modulus, with exponent 65537.
 * @param modulus big-endian, of one of the sizes above, top bit set
 * @throws TypeError for another modulus
 * @see RFC 3279 §2.3.1
 */
export function spkiOfModulus(modulus: Uint8Array): Uint8Array {
  if (!RSA_MODULUS_BYTES.includes(modulus.length) || (modulus[0] ?? 0) < 0x80)
    throw new TypeError(`a modulus of ${modulus.length} bytes`)
  const key = long(0x30, long(0x02, Uint8Array.of(0), modulus), EXPONENT_65537)
  return long(0x30, RSA_ENCRYPTION, long(0x03, Uint8Array.of(0), key))
}
