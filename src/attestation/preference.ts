import { equalBytes } from '../core/bytes.ts'
import type { Context } from '../core/context.ts'
import type { Certificate } from '../core/x509/certificate.ts'
import type { Crl } from '../core/x509/crl.ts'
import type { Brought, Held } from './collateral.ts'

/**
 * Certificates in the order in which they are tried, whatever the order in which they were found: in date before out of
 * date, then the one that ends last, then by digest.
 */
export function inOrderOfPreference<T extends Held<Certificate>>(
  certificates: readonly T[],
  { now }: Pick<Context, 'now'>,
): readonly T[] {
  const isInDate = ({ value }: T): boolean => value.notBefore <= now && now <= value.notAfter
  return [...certificates].sort(
    (a, b) =>
      Number(isInDate(b)) - Number(isInDate(a)) ||
      b.value.notAfter - a.value.notAfter ||
      (a.sha256 < b.sha256 ? -1 : Number(a.sha256 > b.sha256)),
  )
}

/** A complete list repeats what older ones say, so even a folder that keeps old ones needs few under one name. */
const MOST_LISTS = 8

/**
 * The revocation lists under one issuer's name that are looked at, at most 8: the newest first, and what the sender brought
 * behind what the verifier holds, so that it cannot crowd that out. Whether the issuer made them is not proved.
 * @param issuer name, DER
 */
export function listsOf(crls: readonly Brought<Crl>[], issuer: Uint8Array): readonly Brought<Crl>[] {
  const own = crls.filter(({ value }) => equalBytes(value.issuer.der, issuer))
  return own
    .sort(
      (a, b) =>
        Number(a.origin === 'evidence') - Number(b.origin === 'evidence') ||
        b.value.thisUpdate - a.value.thisUpdate ||
        (a.sha256 < b.sha256 ? -1 : Number(a.sha256 > b.sha256)),
    )
    .slice(0, MOST_LISTS)
}
