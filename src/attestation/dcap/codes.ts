import type { Code } from '../../core/codes.ts'
import type { Tee } from './model.ts'

/** The code of every check that quotes of both TEEs go through: an SGX quote is never told in the words of TDX. */
export interface DcapCodes {
  /** ends too soon, or lengths that contradict each other */
  readonly size: Code
  /** what follows the declared end */
  readonly trailing: Code
  readonly version: Code
  /** body descriptor of version 5 */
  readonly bodyType: Code
  readonly keyType: Code
  readonly vendor: Code
  /** certification data: type, nesting, length, contents */
  readonly certData: Code
  /** the certificate that certification data of types 1 to 3 only names is not among the collateral */
  readonly pckMissing: Code
  /** a certificate of the chain that does not bear the name of its place */
  readonly pckRole: Code
  readonly pckExtension: Code
  readonly qeSignature: Code
  /** the quoting enclave's report does not vouch for the attestation key */
  readonly qeBinding: Code
  /** of the quote, by the attestation key */
  readonly signature: Code
}

export const DCAP_CODES: Readonly<Record<Tee, DcapCodes>> = {
  TDX: {
    size: 'TDX_SIZE_MISMATCH',
    trailing: 'TDX_TRAILING_BYTES',
    version: 'TDX_VERSION_UNSUPPORTED',
    bodyType: 'TDX_BODY_TYPE_INVALID',
    keyType: 'TDX_KEY_TYPE_UNSUPPORTED',
    vendor: 'TDX_QE_VENDOR_UNKNOWN',
    certData: 'TDX_CERT_DATA_INVALID',
    pckMissing: 'TDX_PCK_CERT_MISSING',
    pckRole: 'TDX_PCK_CERT_ROLE',
    pckExtension: 'TDX_PCK_EXTENSION_INVALID',
    qeSignature: 'TDX_QE_SIGNATURE_INVALID',
    qeBinding: 'TDX_QE_BINDING_INVALID',
    signature: 'TDX_SIGNATURE_INVALID',
  },
  SGX: {
    size: 'SGX_FORMAT_INVALID',
    trailing: 'SGX_FORMAT_INVALID',
    version: 'SGX_FORMAT_INVALID',
    bodyType: 'SGX_FORMAT_INVALID',
    keyType: 'SGX_FORMAT_INVALID',
    vendor: 'SGX_FORMAT_INVALID',
    certData: 'SGX_CERT_DATA_INVALID',
    pckMissing: 'SGX_PCK_CERT_MISSING',
    pckRole: 'SGX_PCK_CERT_ROLE',
    pckExtension: 'SGX_PCK_EXTENSION_INVALID',
    qeSignature: 'SGX_QE_SIGNATURE_INVALID',
    qeBinding: 'SGX_QE_BINDING_INVALID',
    signature: 'SGX_SIGNATURE_INVALID',
  },
}
