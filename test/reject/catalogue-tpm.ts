import type { Row } from './catalogue.ts'

/** TPM: quotes, keys, logs, Azure's runtime data. */
export const TPM_AREAS: readonly string[] = ['TPM']

export const TPM_ROWS = [
  { id: 'RJ-TPM-01', code: 'TPM_MAGIC', verdict: 'reject', what: 'an attestation without the magic number of a TPM' },
  { id: 'RJ-TPM-02', code: 'TPM_TYPE', verdict: 'reject', what: 'an attestation that is no quote' },
  { id: 'RJ-TPM-03', code: 'BIND_NONCE_MISMATCH', verdict: 'reject', what: 'a quote over another challenge' },
  {
    id: 'RJ-TPM-04',
    code: 'TPM_PCR_DIGEST_MISMATCH',
    verdict: 'reject',
    what: 'PCR values that are not those quoted',
  },
  {
    id: 'RJ-TPM-05',
    code: 'TPM_PCR_NOT_QUOTED',
    verdict: 'reject',
    what: 'a quote without a PCR that the policy names, or that is shown',
  },
  { id: 'RJ-TPM-06', code: 'TPM_BANK_WEAK', verdict: 'reject', what: 'a quote or a log that rests on SHA-1' },
  {
    id: 'RJ-TPM-07',
    code: 'TPM_SIGNATURE_INVALID',
    verdict: 'reject',
    what: 'a signature of another scheme, hash or key',
  },
  { id: 'RJ-TPM-08', code: 'TPM_SIZE_MISMATCH', verdict: 'reject', what: 'a structure cut short or with a tail' },
  {
    id: 'RJ-TPM-09',
    code: 'TPM_AK_NOT_BOUND',
    verdict: 'reject',
    what: 'a quote by another key than the CPU report covers',
  },
  {
    id: 'RJ-TPM-10',
    code: 'TPM_AK_ATTRIBUTES',
    verdict: 'reject',
    what: 'a key that is not restricted, not fixed, brought in, or decrypts',
  },
  {
    id: 'RJ-TPM-11',
    code: 'X509_ROOT_UNTRUSTED',
    verdict: 'reject',
    what: 'a key certified by nobody that is pinned',
    otherCodes: ['X509_SIGNATURE_INVALID'],
    mended:
      'A stranger under the name of the pinned maker is told as one only where his own root came along; with intermediate certificates alone there is a signature that does not verify, and nothing else to see.',
  },
  { id: 'RJ-TPM-12', code: 'TPM_EVENT_LOG_MISMATCH', verdict: 'reject', what: 'a log that does not replay' },
  {
    id: 'RJ-TPM-13',
    code: 'TPM_EVENT_LOG_MALFORMED',
    verdict: 'reject',
    what: 'a log with a length bomb or a wrong count',
  },
  { id: 'RJ-TPM-14', code: 'TPM_SECURE_BOOT_OFF', verdict: 'reject', what: 'secure boot off where it is required' },
  {
    id: 'RJ-TPM-15',
    code: 'TPM_CLOCK_ROLLBACK',
    verdict: 'reject',
    what: 'a clock that is not safe, or counters back',
  },
  {
    id: 'RJ-TPM-16',
    code: 'TPM_RUNTIME_DATA_INVALID',
    verdict: 'reject',
    what: 'runtime data with members twice or missing',
  },
  {
    id: 'RJ-TPM-17',
    code: 'TPM_RUNTIME_DATA_NOT_BOUND',
    verdict: 'reject',
    what: 'runtime data that the CPU report does not cover',
  },
] as const satisfies readonly Row[]
