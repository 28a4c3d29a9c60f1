import type { Module, Pointing } from './module.ts'

/** OASIS PKCS #11 v2.40: the constants that are used, by their names there. */
export const CK = {
  CKF_OS_LOCKING_OK: 0x2,
  CKF_RW_SESSION: 0x2,
  CKF_SERIAL_SESSION: 0x4,
  CKU_USER: 1,
  CKO_SECRET_KEY: 0x4,
  CKK_GENERIC_SECRET: 0x10,
  CKK_AES: 0x1f,
  CKM_SHA256_HMAC: 0x251,
  CKM_GENERIC_SECRET_KEY_GEN: 0x350,
  CKM_AES_KEY_GEN: 0x1080,
  CKM_AES_GCM: 0x1087,
} as const

export const CKA = {
  CLASS: 0x0,
  TOKEN: 0x1,
  PRIVATE: 0x2,
  LABEL: 0x3,
  KEY_TYPE: 0x100,
  SENSITIVE: 0x103,
  ENCRYPT: 0x104,
  DECRYPT: 0x105,
  WRAP: 0x106,
  UNWRAP: 0x107,
  SIGN: 0x108,
  VERIFY: 0x10a,
  VALUE_LEN: 0x161,
  EXTRACTABLE: 0x162,
} as const

export const CKR = {
  GENERAL_ERROR: 0x5,
  ENCRYPTED_DATA_INVALID: 0x40,
  ENCRYPTED_DATA_LEN_RANGE: 0x41,
  AEAD_DECRYPT_FAILED: 0x42,
  USER_ALREADY_LOGGED_IN: 0x100,
  CRYPTOKI_ALREADY_INITIALIZED: 0x191,
} as const

export type AttributeValue = boolean | number | Uint8Array

/** CK_ULONGs or pointers one after the other, as a structure of nothing else lies in memory. */
export function words(...values: readonly (bigint | number)[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of values.entries()) view.setBigUint64(8 * i, BigInt(value), true)
  return bytes
}

export const wordAt = (bytes: Uint8Array, index: number): bigint =>
  new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(8 * index, true)

/** CK_ATTRIBUTE[]: type, pValue, ulValueLen each. */
export function template(module: Module, attributes: readonly (readonly [number, AttributeValue])[]): Pointing {
  const values = attributes.map(([, value]) =>
    typeof value === 'boolean' ? Uint8Array.of(value ? 1 : 0) : typeof value === 'number' ? words(value) : value,
  )
  const flat = attributes.flatMap(([type], i) => {
    const value = values[i] ?? new Uint8Array()
    return [type, module.address(value), value.length]
  })
  return { bytes: words(...flat), keeps: values }
}

/** CK_MECHANISM without a parameter. */
export const mechanism = (type: number): Uint8Array => words(type, 0, 0)

/** CK_MECHANISM of CKM_AES_GCM with its CK_GCM_PARAMS: pIv, ulIvLen, ulIvBits, pAAD, ulAADLen, ulTagBits. */
export function gcmMechanism(module: Module, nonce: Uint8Array, aad: Uint8Array, tagBytes: number): Pointing {
  const parameters = words(
    ...[module.address(nonce), nonce.length, 8 * nonce.length],
    ...[module.address(aad), aad.length, 8 * tagBytes],
  )
  return {
    bytes: words(CK.CKM_AES_GCM, module.address(parameters), parameters.length),
    keeps: [parameters, nonce, aad],
  }
}
