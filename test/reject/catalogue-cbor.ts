import type { Row } from './catalogue.ts'

/** CB: CBOR, COSE, AWS Nitro, Arm CCA. Areas are listed once all their rows are. */
export const CBOR_AREAS: readonly string[] = ['CB']

export const CBOR_ROWS = [
  { id: 'RJ-CB-01', code: 'CBOR_DUPLICATE_KEY', verdict: 'reject', what: 'a map key twice' },
  { id: 'RJ-CB-02', code: 'CBOR_TRAILING_BYTES', verdict: 'reject', what: 'bytes after the end' },
  {
    id: 'RJ-CB-03',
    code: 'CBOR_NOT_DETERMINISTIC',
    verdict: 'reject',
    what: 'indefinite lengths, long heads, keys out of order where order is due',
  },
  {
    id: 'RJ-CB-04',
    code: 'CBOR_UNEXPECTED_ITEM',
    verdict: 'reject',
    what: '__proto__ and other keys nobody knows, unknown tags, records of cbor-x, undefined, floats',
  },
  { id: 'RJ-CB-05', code: 'LIMIT_CBOR', verdict: 'reject', what: 'too deep, or more declared than there is' },
  {
    id: 'RJ-CB-06',
    code: 'COSE_ALGORITHM',
    verdict: 'reject',
    what: 'another signature algorithm, or one that is not protected',
  },
  {
    id: 'RJ-CB-07',
    code: 'COSE_HEADER_INVALID',
    verdict: 'reject',
    what: 'a critical header nobody knows, or other external data',
    otherCodes: ['COSE_SIGNATURE_INVALID'],
    mended:
      'External data is no header and stands nowhere in the structure: it goes into the signature alone. A document signed over other external data has a signature that does not verify, and nothing else to see: COSE_SIGNATURE_INVALID.',
  },
  { id: 'RJ-CB-08', code: 'NITRO_DEBUG', verdict: 'reject', what: 'a Nitro enclave in debug mode' },
  {
    id: 'RJ-CB-09',
    code: 'NITRO_DOCUMENT_INVALID',
    verdict: 'reject',
    what: 'PCRs of another length, number or digest',
  },
  {
    id: 'RJ-CB-10',
    code: 'NITRO_TIMESTAMP',
    verdict: 'reject',
    what: 'a Nitro document from outside the life of its key, or with a key that is over',
  },
  {
    id: 'RJ-CB-11',
    code: 'CCA_BINDING_INVALID',
    verdict: 'reject',
    what: 'a realm token that its platform token does not name',
  },
  { id: 'RJ-CB-12', code: 'CCA_LIFECYCLE', verdict: 'reject', what: 'an Arm platform that is not secured' },
] as const satisfies readonly Row[]
