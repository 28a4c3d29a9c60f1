/**
 * Signature algorithms that evidence and collateral use, each fixed by the caller, never read from the input's own
 * say-so. ECDSA signatures are r ‖ s, big-endian, of fixed length (IEEE P1363).
 *  ES256  ECDSA P-256 with SHA-256 (64 bytes)
 *  ES384  ECDSA P-384 with SHA-384 (96 bytes)
 *  RS256  RSASSA-PKCS1-v1_5 with SHA-256
 *  RS384  RSASSA-PKCS1-v1_5 with SHA-384
 *  PS256  RSASSA-PSS with SHA-256, MGF1-SHA-256, salt of 32 bytes
 *  PS384  RSASSA-PSS with SHA-384, MGF1-SHA-384, salt of 48 bytes
 */
export type SignatureAlgorithm = 'ES256' | 'ES384' | 'RS256' | 'RS384' | 'PS256' | 'PS384'

/** `sha1` exists for OCSP CertIDs (RFC 6960 §4.1.1) and for naming a TPM's weak bank; it never carries a signature. */
export type HashName = 'sha1' | 'sha256' | 'sha384' | 'sha512'

/**
 * The one door to cryptography. Implementations hold no policy and agree on every input: `verify` answers false for a
 * signature of the wrong length, a key of another type or a point off the curve; it does not throw for hostile input.
 */
export interface CryptoPort {
  readonly name: string
  digest(hash: HashName, bytes: Uint8Array): Promise<Uint8Array>
  /** @param spki SubjectPublicKeyInfo, DER; pass the same array object again and the parsed key is reused */
  verify(algorithm: SignatureAlgorithm, spki: Uint8Array, message: Uint8Array, signature: Uint8Array): Promise<boolean>
  /** One block of AES-128 (FIPS 197), forward direction: what TPM credentials are enciphered with. Key and block have 16 bytes. */
  aesBlock(key: Uint8Array, block: Uint8Array): Promise<Uint8Array>
}

/** @throws TypeError where key or block of `aesBlock` has another size: both come from a program */
export function checkBlock(key: Uint8Array, block: Uint8Array): void {
  if (key.length !== 16 || block.length !== 16) throw new TypeError('key and block of AES-128 have 16 bytes')
}
