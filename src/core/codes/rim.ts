import type { CodeTable } from './entry.ts'

export const RIM_CODES = {
  // Reference manifests (RIM): XML, signature and content.
  RIM_ID_MISMATCH: {
    verdict: 'reject',
    title: 'The reference manifest is for another product, or not the one asked for.',
    hint: 'Download the manifest by the id that vouchsafe inspect shows for this device and put it into --collateral DIR. A switch, a GPU driver and a VBIOS each have their own.',
  },
  RIM_VERSION_MISMATCH: {
    verdict: 'reject',
    title: 'The reference manifest is for another version than the device reports.',
    hint: 'Supply the manifest of exactly the driver and VBIOS in the report; neighbouring versions do not stand in for it. If the device was updated, refresh the folder given with --collateral.',
  },
  RIM_MALFORMED: {
    verdict: 'reject',
    title: 'The reference manifest cannot be read.',
    hint: 'Download it again from the NVIDIA RIM service and store the decoded XML, not the JSON answer around it.',
  },
  RIM_SCHEMA_INVALID: {
    verdict: 'reject',
    title: 'The reference manifest does not have the structure of an NVIDIA manifest.',
    hint: 'Use the file as NVIDIA publishes it, with its namespaces and elements unchanged. If the published file itself is refused, update Vouchsafe.',
  },
  RIM_EMPTY: {
    verdict: 'reject',
    title: 'The reference manifest has no active measurement.',
    hint: 'A manifest that measures nothing would pass every device. Use the one NVIDIA publishes for this version.',
  },
  RIM_INDEX_DUPLICATE: {
    verdict: 'reject',
    title: 'The reference manifest lists one measurement index twice.',
    hint: 'Download the manifest again; published ones list every index once. If the published file has this fault, report it to NVIDIA.',
  },
  RIM_VALUE_INVALID: {
    verdict: 'reject',
    title: 'A reference measurement is not a SHA-384 value in lower-case hexadecimal.',
    hint: 'Do not edit manifests; download the file again. Every value has 96 digits.',
  },
  RIM_SIGNATURE_COUNT: {
    verdict: 'reject',
    title: 'The reference manifest does not have exactly one signature.',
    hint: 'Use the file as published. Tools that pretty-print or re-sign XML remove or add signatures.',
  },
  RIM_SIGNATURE_MALFORMED: {
    verdict: 'reject',
    title: 'The signature block of the reference manifest is not well formed.',
    hint: 'Download the manifest again. Comments or markup inside signature values are never NVIDIA work; do not use this copy.',
  },
  RIM_SIGNATURE_SCOPE: {
    verdict: 'reject',
    title: 'The signature of the reference manifest does not cover the content that would be read.',
    hint: 'This is how forged manifests are built. Discard the file, download it again from the NVIDIA RIM service and find out where the copy came from.',
  },
  RIM_REFERENCE_INVALID: {
    verdict: 'reject',
    title: 'The signature of the reference manifest refers to something other than the whole document.',
    hint: 'Discard the file and download it again; NVIDIA signs the whole document with one reference.',
  },
  RIM_TRANSFORM_FORBIDDEN: {
    verdict: 'reject',
    title: 'The signature of the reference manifest uses a transformation that is not allowed.',
    hint: 'NVIDIA uses the enveloped-signature transform and canonical XML only. Discard the file and download it again.',
  },
  RIM_ALGORITHM_FORBIDDEN: {
    verdict: 'reject',
    title: 'The reference manifest is signed with a weak or unexpected algorithm.',
    hint: 'NVIDIA signs with ECDSA P-384 and SHA-384. Discard the file and download it again.',
  },
  RIM_KEYINFO_FORBIDDEN: {
    verdict: 'reject',
    title: 'The reference manifest names its key by something other than certificates.',
    hint: 'Genuine manifests carry X509Data only. A bare key beside it is an attempt to bring in another signer; discard the file.',
  },
  RIM_SIGNER_NOT_BOUND: {
    verdict: 'reject',
    title: 'The reference manifest was signed by a key other than the one in its leaf certificate.',
    hint: 'Somebody combined a signature of their own with NVIDIA certificates. Discard the file and download it again from the NVIDIA RIM service.',
  },
  RIM_SIGNER_UNTRUSTED: {
    verdict: 'reject',
    title: 'The certificate that signed the reference manifest is revoked or not meant for manifests.',
    hint: 'Download the current revision of the manifest, which has a new signer. If its signer is revoked as well, NVIDIA has withdrawn it: the provider should move to another driver or VBIOS.',
  },
  RIM_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The signature of the reference manifest does not fit its content.',
    hint: 'The file was changed, often by an editor that reformatted it. Download it again and keep it byte for byte.',
  },
  XML_SYNTAX: {
    verdict: 'reject',
    title: 'The file is not well-formed XML.',
    hint: 'The download was probably cut or is an error page. Fetch the manifest again and store the decoded XML.',
  },
  XML_DTD_FORBIDDEN: {
    verdict: 'reject',
    title: 'The XML has a document type declaration.',
    hint: 'Manifests need none, and entities could reach other files. Discard the file and download it again.',
  },
  XML_ENCODING: {
    verdict: 'reject',
    title: 'The XML is not plain UTF-8.',
    hint: 'Store the manifest as downloaded, without converting it to UTF-16 or adding a byte order mark.',
  },
} as const satisfies CodeTable
