import type { Context } from '../core/context.ts'
import type { Certificate } from '../core/x509/certificate.ts'
import type { Held } from './collateral.ts'

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
