import type { Row } from './catalogue.ts'

/** TDX and SGX: quotes, their collateral, event logs. Areas are listed once all their rows are. */
export const INTEL_AREAS: readonly string[] = ['TDX', 'SGX']

export const INTEL_ROWS = [
  // TDX: the bytes of the quote, and who signed it.
  {
    id: 'RJ-TDX-01',
    code: 'TDX_SIZE_MISMATCH',
    verdict: 'reject',
    what: 'a quote cut short, or whose lengths contradict each other',
    otherCodes: [
      'ENV_EVIDENCE_EMPTY',
      'ENV_UNREADABLE',
      'TDX_VERSION_UNSUPPORTED',
      'TDX_TRAILING_BYTES',
      'TDX_CERT_DATA_INVALID',
    ],
    mended:
      'No bytes at all are refused by the envelope, and so are as few as show no kind outside of a slot. Noise shows no version first. A length that is too low leaves bytes behind the declared end, or contradicts the certification data inside.',
  },
  { id: 'RJ-TDX-02', code: 'TDX_TRAILING_BYTES', verdict: 'reject', what: 'more than zero padding behind the quote' },
  { id: 'RJ-TDX-03', code: 'TDX_VERSION_UNSUPPORTED', verdict: 'reject', what: 'a version other than 4 and 5' },
  {
    id: 'RJ-TDX-04',
    code: 'TDX_BODY_TYPE_INVALID',
    verdict: 'reject',
    what: 'a body whose type or size contradicts the quote',
  },
  { id: 'RJ-TDX-05', code: 'ENV_KIND_MISMATCH', verdict: 'reject', what: 'a quote of another TEE in the slot of TDX' },
  {
    id: 'RJ-TDX-06',
    code: 'TDX_KEY_TYPE_UNSUPPORTED',
    verdict: 'reject',
    what: 'an attestation key that is not ECDSA P-256',
  },
  { id: 'RJ-TDX-07', code: 'TDX_QE_VENDOR_UNKNOWN', verdict: 'reject', what: 'a quoting enclave that is not Intel’s' },
  {
    id: 'RJ-TDX-08',
    code: 'TDX_CERT_DATA_INVALID',
    verdict: 'reject',
    what: 'certification data of an unsupported type, or nested wrongly',
    otherCodes: ['TDX_PCK_CERT_MISSING'],
    mended:
      'Types 1 to 3 are no fault: they name a PCK certificate that the verifier may hold. Where it does not, that certificate is what is missing, and a retry with it may help.',
  },
  {
    id: 'RJ-TDX-09',
    code: 'TDX_SIGNATURE_INVALID',
    verdict: 'reject',
    what: 'a quote that its attestation key did not sign: every bit of header and body, one at a time',
    otherCodes: [
      'TDX_VERSION_UNSUPPORTED',
      'TDX_KEY_TYPE_UNSUPPORTED',
      'TDX_QE_VENDOR_UNKNOWN',
      'TDX_BODY_TYPE_INVALID',
      'TDX_ATTRIBUTE_RESERVED_BIT',
      'ENV_KIND_MISMATCH',
    ],
    mended:
      'Decoding comes before the signature and answers for what it reads: version, key type, TEE type, QE vendor id, and the bits of TDATTRIBUTES and XFAM that have no meaning. The test states how many flips each code answers.',
  },
  {
    id: 'RJ-TDX-10',
    code: 'TDX_QE_SIGNATURE_INVALID',
    verdict: 'reject',
    what: 'a QE report that the PCK did not sign',
  },
  {
    id: 'RJ-TDX-11',
    code: 'TDX_QE_BINDING_INVALID',
    verdict: 'reject',
    what: 'a QE report that does not vouch for the attestation key',
    otherCodes: ['TDX_SIGNATURE_INVALID'],
    mended: 'A key that is no point of the curve may be vouched for, but nothing verifies under it.',
  },
  // TDX: what the TD is.
  { id: 'RJ-TDX-12', code: 'TDX_DEBUG', verdict: 'reject', what: 'a TD that the host may debug' },
  {
    id: 'RJ-TDX-13',
    code: 'TDX_ATTRIBUTE_RESERVED_BIT',
    verdict: 'reject',
    what: 'each reserved bit of TDATTRIBUTES and XFAM',
    otherCodes: ['TDX_ATTRIBUTE_FORBIDDEN', 'TDX_SEPT_VE_ENABLED'],
    mended:
      'Bits with a meaning are told by it: migration, performance counters, protection keys and Key Locker are forbidden by the policy, and SEPT_VE_DISABLE must be set.',
  },
  {
    id: 'RJ-TDX-14',
    code: 'TDX_SERVICE_TD_NOT_ALLOWED',
    verdict: 'reject',
    what: 'a service TD that the policy does not name',
  },
  {
    id: 'RJ-TDX-15',
    code: 'TDX_SEAM_UNTRUSTED',
    verdict: 'reject',
    what: 'a TDX module that Intel did not sign, or with attributes',
  },
  // TDX: Intel's collateral, and the TCB.
  {
    id: 'RJ-TDX-16',
    code: 'TDX_QE_IDENTITY_MISMATCH',
    verdict: 'reject',
    what: 'a quoting enclave that is not the one of the identity',
    otherCodes: ['TDX_COLLATERAL_MALFORMED', 'TDX_COLLATERAL_SIGNATURE'],
    mended:
      'An identity that cannot be one of a quoting enclave, by its version, id or the length of a mask, is malformed before it is compared; one that Intel did not sign is compared with nothing.',
  },
  {
    id: 'RJ-TDX-17',
    code: 'TDX_QE_TCB_OUT_OF_DATE',
    verdict: 'reject',
    what: 'a quoting enclave of an old version',
    otherCodes: ['TDX_TCB_NO_LEVEL', 'TDX_TCB_REVOKED'],
    mended:
      'Below every level of the identity there is no status that a policy could accept, and Intel’s own library stops there; a revoked level is revoked. Out of date is what the policy refuses.',
  },
  { id: 'RJ-TDX-18', code: 'TDX_TCB_REVOKED', verdict: 'reject', what: 'a revoked TCB, whatever the policy accepts' },
  {
    id: 'RJ-TDX-19',
    code: 'TDX_TCB_STATUS_UNKNOWN',
    verdict: 'reject',
    what: 'a TCB status that nobody knows',
    otherCodes: ['TDX_TCB_LEVEL_MALFORMED'],
    mended: 'A level without a status is a level without a member it must have.',
  },
  {
    id: 'RJ-TDX-20',
    code: 'TDX_TCB_OUT_OF_DATE',
    verdict: 'reject',
    what: 'a platform whose TCB is out of date',
    otherCodes: ['TDX_TCB_STATUS_NOT_ALLOWED'],
    mended:
      'Statuses that ask for configuration or software hardening are not out of date: updating the platform would mend nothing, so they have their own code and remedy.',
  },
  {
    id: 'RJ-TDX-21',
    code: 'TDX_MODULE_OUT_OF_DATE',
    verdict: 'reject',
    what: 'a TDX module out of date on a current platform',
  },
  {
    id: 'RJ-TDX-22',
    code: 'TDX_MODULE_UNKNOWN',
    verdict: 'reject',
    what: 'a TDX module that the TCB info does not describe',
  },
  {
    id: 'RJ-TDX-23',
    code: 'TDX_FMSPC_MISMATCH',
    verdict: 'reject',
    what: 'a TCB info for another FMSPC or PCEID',
    otherCodes: ['TDX_COLLATERAL_MALFORMED', 'TDX_TCB_INFO_MISSING'],
    mended:
      'An FMSPC of another length is malformed. Among several TCB infos of other platforms none contradicts the quote: the right one is missing.',
  },
  {
    id: 'RJ-TDX-24',
    code: 'TDX_TCB_INFO_KIND',
    verdict: 'reject',
    what: 'a TCB info for SGX under a TDX quote',
    otherCodes: ['TDX_COLLATERAL_MALFORMED', 'TDX_TCB_COMPONENTS'],
    mended:
      'A version or a TEE that nobody knows is malformed. A TCB info that calls itself version 2 must have its components in the flat form of that version.',
  },
  { id: 'RJ-TDX-25', code: 'TDX_TCB_COMPONENTS', verdict: 'reject', what: 'a level without exactly 16 components' },
  {
    id: 'RJ-TDX-26',
    code: 'TDX_TCB_LEVEL_MALFORMED',
    verdict: 'reject',
    what: 'a level with a member missing or of another type',
    otherCodes: ['JSON_TYPE_MISMATCH', 'TDX_COLLATERAL_MALFORMED', 'TDX_TCB_NO_LEVEL'],
    mended:
      'Numbers that are not whole are no numbers of these documents at all. What is wrong outside of a level, an identity twice or no list of levels, is malformed as a document, and in an empty list no level matches.',
  },
  {
    id: 'RJ-TDX-27',
    code: 'TDX_TCB_NO_LEVEL',
    verdict: 'reject',
    what: 'a platform below every level',
    otherCodes: ['TDX_COLLATERAL_MALFORMED'],
    mended: 'A TCB info without a list of levels is malformed; an empty list has no level that matches.',
  },
  {
    id: 'RJ-TDX-28',
    code: 'TDX_COLLATERAL_SIGNATURE',
    verdict: 'reject',
    what: 'a TCB info or QE identity that the TCB signer did not sign',
    otherCodes: ['TDX_TCB_INFO_MISSING', 'TDX_QE_IDENTITY_MISSING'],
    mended:
      'A document with no signature of 64 bytes cannot be read and is left out with its file’s fault, so it is missing: inconclusive, and no accept.',
  },
  {
    id: 'RJ-TDX-29',
    code: 'TDX_COLLATERAL_SIGNATURE',
    verdict: 'reject',
    what: 'a document whose text is not the one that was signed',
    otherCodes: ['TDX_TCB_INFO_MISSING', 'TDX_QE_IDENTITY_MISSING'],
    mended:
      'Text that is no strict JSON object, whoever signed it, cannot be read and is left out with its file’s fault, so the document is missing: inconclusive, and no accept.',
  },
  {
    id: 'RJ-TDX-30',
    code: 'TDX_PCK_EXTENSION_INVALID',
    verdict: 'reject',
    what: 'a PCK certificate whose SGX extension is malformed',
    otherCodes: ['X509_EXTENSION_DUPLICATE'],
    mended: 'One extension twice is refused in any certificate, before its value is looked at (RFC 5280 §4.2).',
  },
  // TDX: what the policy asks for.
  { id: 'RJ-TDX-31', code: 'TDX_PLATFORM_DENIED', verdict: 'reject', what: 'a platform that the policy denies' },
  {
    id: 'RJ-TDX-32',
    code: 'TDX_MEASUREMENT_UNKNOWN',
    verdict: 'reject',
    what: 'MRTD or an RTMR one bit off what is known',
  },
  {
    id: 'RJ-TDX-33',
    code: 'TDX_CONFIG_MISMATCH',
    verdict: 'reject',
    what: 'MRCONFIGID, MROWNER or MROWNERCONFIG of another lease',
  },
  {
    id: 'RJ-TDX-34',
    code: 'TDX_EVENT_LOG_MISMATCH',
    verdict: 'reject',
    what: 'an event log that does not replay to the RTMRs',
  },
  {
    id: 'RJ-TDX-35',
    code: 'TDX_ADVISORY_PRESENT',
    verdict: 'reject',
    what: 'an advisory that the policy does not take',
  },
  {
    id: 'RJ-TDX-36',
    code: 'ENV_TDREPORT_NOT_QUOTE',
    verdict: 'reject',
    what: 'a TDREPORT presented as a quote',
    mended:
      'The envelope recognises a TDREPORT by its form before any kind decodes it, in every carrier and in every slot: one refusal has one code.',
  },
  // SGX.
  {
    id: 'RJ-SGX-01',
    code: 'SGX_FORMAT_INVALID',
    verdict: 'reject',
    what: 'a quote of another version or with wrong sizes',
    otherCodes: ['SGX_CERT_DATA_INVALID', 'ENV_EVIDENCE_EMPTY'],
    mended:
      'A quote of version 3 that calls itself version 4 has no certification data where that version has them. No bytes at all are refused by the envelope.',
  },
  {
    id: 'RJ-SGX-02',
    code: 'SGX_DEBUG',
    verdict: 'reject',
    what: 'an enclave that the host may debug',
    otherCodes: ['SGX_FORMAT_INVALID'],
    mended: 'A report without INIT is of no enclave that ever ran, debug or not.',
  },
  {
    id: 'RJ-SGX-03',
    code: 'SGX_MEASUREMENT_UNKNOWN',
    verdict: 'reject',
    what: 'an enclave that the policy does not name',
    otherCodes: ['SGX_ATTRIBUTE_FORBIDDEN', 'POLICY_MEASUREMENT_REQUIRED'],
    mended:
      'Keys that an enclave should not have are told as attributes. A policy of MRSIGNER alone admits whatever that signer ever signed, and is refused when it is read, before there is evidence.',
  },
  {
    id: 'RJ-SGX-04',
    code: 'SGX_RESERVED_NOT_ZERO',
    verdict: 'reject',
    what: 'reserved bytes or attributes, or fields of KSS without KSS',
  },
] as const satisfies readonly Row[]
