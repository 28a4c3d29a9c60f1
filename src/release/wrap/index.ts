import type { KeyObject } from 'node:crypto'
import type { Outcome } from '../../core/outcome.ts'
import type { RandomBytes } from '../../gate/ports.ts'
import type { ReleaseBinding } from '../answer.ts'
import { type HpkeEnvelope, openHpke, sealHpke } from './hpke.ts'
import { type FlattenedJwe, openJwe, sealJwe } from './jwe.ts'
import type { WrapKey } from './public-key.ts'

export type { HpkeEnvelope } from './hpke.ts'
export type { FlattenedJwe } from './jwe.ts'
export { type WrapKey, wrapKeyOfJwk, wrapKeyOfSpki } from './public-key.ts'

/** A secret for one public key only. Plain JSON. */
export type WrappedKey = HpkeEnvelope | FlattenedJwe

export type WrapFormat = 'hpke' | 'jwe'

/** Families of keys that a format takes. */
const FAMILIES: Readonly<Record<WrapFormat, readonly WrapKey['family'][]>> = {
  hpke: ['X25519', 'P-256'],
  jwe: ['P-256', 'P-521', 'RSA'],
}

export const canWrap = (format: WrapFormat, { family }: WrapKey): boolean => FAMILIES[format].includes(family)

/** Wraps a secret. @returns the wrapped secret, or RELEASE_WRAP_KEY_INVALID where the format has no way for this key */
export const wrap = async (
  format: WrapFormat,
  to: WrapKey,
  secret: Uint8Array,
  binding: ReleaseBinding,
  random: RandomBytes,
): Promise<Outcome<WrappedKey>> => (format === 'hpke' ? sealHpke(to, secret, binding) : sealJwe(to, secret, random))

/**
 * The workload's side: opens what was released to its key.
 * @param binding what was asked; under `hpke` a wrapped key opens for exactly that, a JWE carries no binding
 * @returns the secret, or RELEASE_WRAPPED_INVALID · ENV_BASE64_NOT_CANONICAL
 */
export const openWrapped = async (
  wrapped: WrappedKey,
  privateKey: KeyObject,
  binding: ReleaseBinding,
): Promise<Outcome<Uint8Array>> =>
  'format' in wrapped ? openHpke(wrapped, privateKey, binding) : openJwe(wrapped, privateKey)
