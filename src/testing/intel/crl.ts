import { type CrlSpec, crl, type RevokedEntry } from '../pki/crl.ts'
import { ext } from '../pki/extensions.ts'
import { keyId } from '../pki/spki.ts'
import type { IntelAuthority } from './authority.ts'

/** A list as Intel publishes it may be told this about itself besides who issues it. */
export type IntelCrlEdits = Partial<CrlSpec>

/**
 * Revocation list (DER) with the shape of Intel's: version 2, number 1 and the issuer's key identifier, in that order;
 * entries bear the reason keyCompromise.
 */
export function intelCrl(
  issuer: Pick<IntelAuthority, 'name' | 'key'>,
  serials: readonly Uint8Array[],
  thisUpdate: string,
  nextUpdate: string | undefined,
  { extensions = [], ...edits }: IntelCrlEdits = {},
): Uint8Array {
  const revoked: readonly RevokedEntry[] = serials.map((serial) => ({
    serial,
    date: thisUpdate,
    reason: 'keyCompromise',
  }))
  return crl({
    issuer: issuer.name,
    signer: issuer.key,
    thisUpdate,
    ...(nextUpdate === undefined ? {} : { nextUpdate }),
    revoked,
    extensions:
      edits.version === 0 ? [] : [ext.crlNumber(1), ext.authorityKeyId(keyId(issuer.key.spki)), ...extensions],
    ...edits,
  })
}
