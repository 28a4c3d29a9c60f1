import { isZero } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import { attempt, type Outcome, refuse, take } from '../../core/outcome.ts'
import { type DcapQuote, decodeQuote, decodeSgxReport, type SgxReportFields } from '../dcap/quote.ts'
import { type Decoded, decoded } from '../kind.ts'

/** An SGX quote as a structure. Nothing in it is proved; byte fields are views into a private copy. */
export interface SgxQuote {
  readonly quote: DcapQuote
  readonly enclave: SgxReportFields
  readonly debug: boolean
  readonly provisionKey: boolean
  readonly einitTokenKey: boolean
  /** key separation and sharing: the enclave was built to have the fields that are otherwise reserved */
  readonly kss: boolean
}

/** Bits of the first byte of ATTRIBUTES. */
const INIT = 0x01
const DEBUG = 0x02
const PROVISION_KEY = 0x10
const EINITTOKEN_KEY = 0x20
const KSS = 0x80

/** INIT, DEBUG, MODE64BIT, PROVISION_KEY, EINITTOKEN_KEY, CET, KSS and AEX-NOTIFY (10): no other attribute is defined. */
const FLAGS = Uint8Array.of(0xf7, 0x04, 0, 0, 0, 0, 0, 0)

/**
 * Decodes an SGX quote of version 3, 4 or 5: every length exact, reserved bytes and attributes zero, and so the fields of
 * KSS where the enclave was not built with it.
 * @returns the quote, or LIMIT_EVIDENCE_BYTES · ENV_KIND_MISMATCH · SGX_FORMAT_INVALID · SGX_CERT_DATA_INVALID ·
 * SGX_RESERVED_NOT_ZERO
 * @see ../shared/spec/intel-dcap.md §1
 */
export function decodeSgxQuote(bytes: Uint8Array, path: string): Outcome<Decoded<SgxQuote>> {
  return attempt(() => {
    const quote = decodeQuote(bytes, 'SGX', path)
    const at = `${path}.body`
    const enclave = take(decodeSgxReport(quote.body, at, 'SGX_RESERVED_NOT_ZERO'))
    const [flags = 0] = enclave.attributes
    if (!FLAGS.every((defined, i) => ((enclave.attributes[i] ?? 0) & ~defined) === 0)) {
      refuse('SGX_RESERVED_NOT_ZERO', `${at}.attributes`, {
        expected: `no flag outside ${toHex(FLAGS)}`,
        actual: toHex(enclave.attributes),
      })
    }
    if ((flags & INIT) === 0) {
      refuse('SGX_FORMAT_INVALID', `${at}.attributes`, { expected: 'INIT set', actual: toHex(enclave.attributes) })
    }
    const kss = (flags & KSS) !== 0
    if (!kss) checkNoKss(enclave, at)
    return decoded<SgxQuote>({
      quote,
      enclave,
      debug: (flags & DEBUG) !== 0,
      provisionKey: (flags & PROVISION_KEY) !== 0,
      einitTokenKey: (flags & EINITTOKEN_KEY) !== 0,
      kss,
    })
  })
}

function checkNoKss({ isvExtProdId, configId, isvFamilyId, configSvn }: SgxReportFields, path: string): void {
  const without = { expected: 'zero, as KSS is clear' }
  for (const [name, bytes] of Object.entries({ isvExtProdId, configId, isvFamilyId })) {
    if (!isZero(bytes)) refuse('SGX_RESERVED_NOT_ZERO', `${path}.${name}`, { ...without, actual: toHex(bytes) })
  }
  if (configSvn !== 0) refuse('SGX_RESERVED_NOT_ZERO', `${path}.configSvn`, { ...without, actual: configSvn })
}
