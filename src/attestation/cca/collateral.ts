import type { Context } from '../../core/context.ts'
import { type CoseSign1, isCoseSigned } from '../../core/cose.ts'
import { refuse } from '../../core/outcome.ts'
import { LAST_SECOND } from '../../core/time.ts'
import { keyFits, type PublicKeyInfo } from '../../core/x509/algorithms.ts'
import type { Held } from '../collateral.ts'
import type { CollateralUse } from '../kind.ts'

/** A platform attestation key that the verifier vouches for. */
export interface EndorsedKey {
  /** `arm/cpak#…`, by the digest of the key */
  readonly id: string
  readonly sha256: string
  readonly use: CollateralUse
}

const NO_EXTERNAL_AAD = new Uint8Array()

/**
 * Finds, inside `attemptAsync`, the endorsed platform key (CPAK) that signed the platform token. There is no root of Arm's:
 * a platform's key is known because its manufacturer named it to the verifier, so only the verifier's own collateral is
 * asked, never what travels with the evidence. Each check is charged to the evidence, which bounds the keys at 64.
 * Ends it with CCA_PLATFORM_KEY_UNAVAILABLE · CCA_PLATFORM_SIGNATURE_INVALID.
 */
export async function endorsedKeyOf(
  context: Context,
  sign1: CoseSign1,
  keys: readonly Held<PublicKeyInfo>[],
): Promise<EndorsedKey> {
  if (keys.length === 0) {
    refuse('CCA_PLATFORM_KEY_UNAVAILABLE', 'token.platform', { expected: 'the public key of the platform (CPAK)' })
  }
  for (const { value, sha256 } of keys) {
    if (!keyFits(value, sign1.algorithm)) continue
    if (!(await isCoseSigned(context, 'evidence', sign1, value.spki, NO_EXTERNAL_AAD))) continue
    return {
      id: `arm/cpak#${sha256.slice(0, 8)}`,
      sha256,
      use: { kind: 'cca-platform-key', digest: sha256, issuedAt: undefined, validUntil: LAST_SECOND },
    }
  }
  return refuse('CCA_PLATFORM_SIGNATURE_INVALID', 'token.platform.signature', {
    expected: `a signature by one of ${keys.length} keys`,
  })
}
