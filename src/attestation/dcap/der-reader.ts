import { equalBytes } from '../../core/bytes.ts'
import { type Outcome, ok } from '../../core/outcome.ts'
import { type Certificate, decodeCertificate } from '../../core/x509/certificate.ts'
import { type Crl, decodeCrl } from '../../core/x509/crl.ts'

/** Intel's collateral of one quote has four certificates and two lists; in a folder of thousands each is compared with few. */
const MOST_KEPT = 8

/**
 * Decodes the certificates and lists of one set of collateral. The same chain stands in several of Intel's answers, and is
 * decoded once; failures are not kept, since their paths belong to whoever asked.
 */
export class DerReader {
  readonly #certificates: Certificate[] = []
  readonly #crls: Crl[] = []

  /** `decodeCertificate` */
  certificate(der: Uint8Array, path: string): Outcome<Certificate> {
    return once(this.#certificates, der, () => decodeCertificate(der, path))
  }

  /** `decodeCrl` */
  crl(der: Uint8Array, path: string): Outcome<Crl> {
    return once(this.#crls, der, () => decodeCrl(der, path))
  }

  /** A list that was decoded before: it is not a certificate, and need not be tried as one. */
  knownCrl(der: Uint8Array): Crl | undefined {
    return keptIn(this.#crls, der)
  }
}

const keptIn = <T extends { readonly der: Uint8Array }>(kept: readonly T[], der: Uint8Array): T | undefined =>
  kept.find((one) => equalBytes(one.der, der))

function once<T extends { readonly der: Uint8Array }>(
  kept: T[],
  der: Uint8Array,
  decode: () => Outcome<T>,
): Outcome<T> {
  const known = keptIn(kept, der)
  if (known !== undefined) return ok(known)
  const outcome = decode()
  if (outcome.ok) {
    kept.push(outcome.value)
    if (kept.length > MOST_KEPT) kept.shift()
  }
  return outcome
}
