import { concatBytes } from '../../core/bytes.ts'
import { fromHex } from '../../core/encodings.ts'
import { take } from '../../core/outcome.ts'
import { ALG, sized, u16, u32 } from './wire.ts'

/** ECC: P-256 · RSA: 2048 bits. */
export type KeyKind = 'ecc' | 'rsa'

const CURVE_P256 = 0x0003
const RSA_BITS = 2048
const NULL = u16(ALG.null)

/** PolicySecret(TPM_RH_ENDORSEMENT): who has the endorsement authorisation may use the key. */
const EK_POLICY = take(fromHex('837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa', 32, 'ekPolicy'))

/** fixedTPM, fixedParent, sensitiveDataOrigin, adminWithPolicy, restricted, decrypt */
const EK_ATTRIBUTES = 0x000300b2
/** fixedTPM, fixedParent, sensitiveDataOrigin, userWithAuth, restricted, sign: it signs nothing that only looks like a quote */
const AK_ATTRIBUTES = 0x00050072

const EK_SYMMETRIC = concatBytes(u16(ALG.aes), u16(128), u16(ALG.cfb))

/**
 * TPM2B_PUBLIC of the endorsement key by TCG's default template, so that it is the key of the manufacturer's certificate.
 * @see TCG EK Credential Profile, templates L-1 and L-2
 */
export function ekTemplate(kind: KeyKind): Uint8Array {
  const type = kind === 'rsa' ? ALG.rsa : ALG.ecc
  const parameters =
    kind === 'rsa'
      ? concatBytes(EK_SYMMETRIC, NULL, u16(RSA_BITS), u32(0), sized(new Uint8Array(RSA_BITS / 8)))
      : concatBytes(EK_SYMMETRIC, NULL, u16(CURVE_P256), NULL, sized(new Uint8Array(32)), sized(new Uint8Array(32)))
  return sized(concatBytes(u16(type), u16(ALG.sha256), u32(EK_ATTRIBUTES), sized(EK_POLICY), parameters))
}

/** TPM2B_PUBLIC of an attestation key: restricted signing, RSASSA or ECDSA, with SHA-256. */
export function akTemplate(kind: KeyKind): Uint8Array {
  const type = kind === 'rsa' ? ALG.rsa : ALG.ecc
  const nothing = sized(new Uint8Array())
  const parameters =
    kind === 'rsa'
      ? concatBytes(NULL, u16(ALG.rsassa), u16(ALG.sha256), u16(RSA_BITS), u32(0), nothing)
      : concatBytes(NULL, u16(ALG.ecdsa), u16(ALG.sha256), u16(CURVE_P256), NULL, nothing, nothing)
  return sized(concatBytes(u16(type), u16(ALG.sha256), u32(AK_ATTRIBUTES), nothing, parameters))
}
