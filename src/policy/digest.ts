import { utf8 } from '../core/bytes.ts'
import { toHex } from '../core/encodings.ts'
import { canonicalJson, type Json } from '../core/json.ts'
import type { Policy } from './policy.ts'

/** The policy as it takes effect, in canonical form (RFC 8785): equal bytes for equal rules, however they were written. */
export const canonicalPolicy = (policy: Policy): Uint8Array<ArrayBuffer> =>
  utf8(canonicalJson(policy as unknown as Json))

/**
 * Names a policy by its effect.
 * @param sha256 e.g. `(bytes) => context.digest('sha256', bytes)`
 * @returns `sha256:` and 64 hexadecimal digits
 */
export async function policyDigest(
  policy: Policy,
  sha256: (bytes: Uint8Array) => Promise<Uint8Array>,
): Promise<string> {
  return `sha256:${toHex(await sha256(canonicalPolicy(policy)))}`
}
