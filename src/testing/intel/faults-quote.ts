import { concatBytes } from '../../core/bytes.ts'
import { drawnBytes, flipBit, littleEndian } from '../bytes.ts'
import { rememberedKey } from '../pki/remembered.ts'
import { afterSigning, inHeader, inQeSpec, inQuote } from './bend.ts'
import { patched } from './fields.ts'
import { faultTable, type IntelFaultNeeds, type IntelPlan, type Made } from './plan.ts'
import { type Certification, flippedAt, type QuoteLength, rawPoint } from './quote.ts'
import type { EcdsaForm } from './signature.ts'

const V4: IntelFaultNeeds = { version: 4 }
const V5: IntelFaultNeeds = { version: 5 }

const cut = (what: string, row: string, at: (length: number) => number) => ({
  what,
  stage: 'decode' as const,
  rows: [row],
  bend: afterSigning((quote) => quote.slice(0, at(quote.length))),
})

const version = (number: number) => ({
  what: `quote version ${number}`,
  stage: 'decode' as const,
  rows: ['RJ-TDX-03', 'RJ-SGX-01'],
  bend: inHeader({ version: number }),
})

const keyType = (number: number) => ({
  what: `attestation key type ${number}`,
  stage: 'decode' as const,
  rows: ['RJ-TDX-06'],
  bend: inHeader({ attestationKeyType: number }),
})

const length = (what: string, which: QuoteLength, lie: (sizeBytes: number) => number, needs?: IntelFaultNeeds) => ({
  what,
  stage: 'decode' as const,
  rows: [which === 'auth' ? 'RJ-TDX-01' : 'RJ-TDX-08'],
  ...(needs === undefined ? {} : { needs }),
  bend: inQuote(({ quote }) => ({ lengths: { ...quote.lengths, [which]: lie } })),
})

const certified = (what: string, certification: (pem: Uint8Array, made: Made) => Certification) => ({
  what,
  stage: 'decode' as const,
  rows: ['RJ-TDX-08'],
  bend: (_: IntelPlan) => ({ certification }),
})

const signature = (what: string, form: EcdsaForm) => ({
  what,
  stage: 'signature' as const,
  rows: ['RJ-TDX-09'],
  bend: inQuote({ signature: form }),
})

const flipped = (
  what: string,
  row: string,
  where: Parameters<typeof flippedAt>[0],
  stage: 'match' | 'signature' = 'signature',
) => ({
  what,
  stage,
  rows: [row],
  bend: afterSigning(flippedAt(where)),
})

const descriptor = (what: string, lie: { readonly type?: number; readonly sizeBytes?: number }) => ({
  what,
  stage: 'decode' as const,
  rows: ['RJ-TDX-04'],
  needs: V5,
  bend: inQuote({ descriptor: lie }),
})

const stranger = (plan: IntelPlan) => rememberedKey('P-256', `intel/attestation/other/${plan.seed}`)

/** Certification data of the kinds that hold no chain: PPID in clear or encrypted, CPUSVN, PCESVN, PCEID. */
const ppidData = (ppidBytes: number): Uint8Array =>
  concatBytes(drawnBytes('intel', 'all', `ppid of ${ppidBytes} bytes`, ppidBytes), new Uint8Array(20))

/** Faults in the bytes of the quote around its report. */
export const QUOTE_FAULTS = faultTable({
  'quote-empty': cut('a quote of no bytes', 'RJ-TDX-01', () => 0),
  'quote-truncated-header': cut('40 bytes of a quote', 'RJ-TDX-01', () => 40),
  'quote-truncated-body': cut('the first 100 bytes of a quote', 'RJ-TDX-01', () => 100),
  'quote-truncated-auth': cut('a quote without its last 10 bytes', 'RJ-TDX-01', (n) => n - 10),
  'quote-truncated-by-one': cut('a quote without its last byte', 'RJ-TDX-01', (n) => n - 1),
  'quote-noise': {
    what: 'bytes that are no quote',
    stage: 'decode',
    rows: ['RJ-TDX-01'],
    bend: afterSigning((quote) => drawnBytes('intel', 'all', 'noise', quote.length)),
  },
  'quote-trailing-byte': {
    what: 'a byte that is not zero behind the declared end',
    stage: 'decode',
    rows: ['RJ-TDX-02'],
    bend: afterSigning((quote) => concatBytes(quote, Uint8Array.of(1))),
  },
  'quote-trailing-byte-in-padding': {
    what: 'zero padding to 5006 bytes whose last byte is not zero',
    stage: 'decode',
    rows: ['RJ-TDX-02'],
    bend: afterSigning((quote) => concatBytes(quote, new Uint8Array(5005 - quote.length), Uint8Array.of(1))),
  },
  'quote-padding-too-long': {
    what: 'zero padding to 8193 bytes',
    stage: 'decode',
    rows: ['RJ-TDX-02'],
    bend: afterSigning((quote) => concatBytes(quote, new Uint8Array(8193 - quote.length))),
  },
  'version-0': version(0),
  'version-1': version(1),
  'version-2': version(2),
  'version-6': version(6),
  'version-255': version(255),
  'key-type-0': keyType(0),
  'key-type-1': keyType(1),
  'key-type-3': keyType(3),
  'key-type-255': keyType(255),
  'tee-type-other': {
    what: 'TEE type of the other kind: SGX for a TD, TDX for an enclave',
    stage: 'decode',
    rows: ['RJ-TDX-05'],
    bend: (plan) => inHeader({ teeType: plan.tee === 'TDX' ? 0 : 0x81 })(plan),
  },
  'tee-type-unknown': {
    what: 'TEE type 0x82',
    stage: 'decode',
    rows: ['RJ-TDX-05'],
    bend: inHeader({ teeType: 0x82 }),
  },
  'vendor-unknown': {
    what: 'one bit of the QE vendor id changed, correctly signed',
    stage: 'decode',
    rows: ['RJ-TDX-07'],
    bend: inQuote(({ quote: { header } }) => ({
      header: { ...header, qeVendorId: flipBit(header.qeVendorId ?? new Uint8Array(16), 0) },
    })),
  },
  'body-type-0': descriptor('body type 0 in a version 5 quote', { type: 0 }),
  'body-type-9': descriptor('body type 9 in a version 5 quote', { type: 9 }),
  'body-type-other-tee': {
    what: 'body type of the other TEE, its size unchanged',
    stage: 'decode',
    rows: ['RJ-TDX-04'],
    needs: V5,
    bend: (plan) => inQuote({ descriptor: { type: plan.tee === 'TDX' ? 1 : 2 } })(plan),
  },
  'body-size-short': {
    what: 'a body size one byte short',
    stage: 'decode',
    rows: ['RJ-TDX-04'],
    needs: V5,
    bend: (plan) => inQuote({ descriptor: { sizeBytes: (plan.tee === 'TDX' ? 648 : 384) - 1 } })(plan),
  },
  'body-size-of-another-type': descriptor('body size 584 for a body of another type and size', { sizeBytes: 584 }),
  'body-size-huge': descriptor('body size 0xffffffff', { sizeBytes: 0xffffffff }),

  'auth-length-zero': length('length of the authentication data 0', 'auth', () => 0),
  'auth-length-short': length('length of the authentication data 100', 'auth', () => 100),
  'auth-length-minus-1': length('length of the authentication data one short', 'auth', (n) => n - 1),
  'auth-length-plus-1': length('length of the authentication data one over', 'auth', (n) => n + 1),
  'auth-length-huge': length('length of the authentication data 0xffffffff', 'auth', () => 0xffffffff),
  'outer-length-minus-1': length('outer certification data one byte short', 'outer', (n) => n - 1, V4),
  'outer-length-plus-1': length('outer certification data one byte over', 'outer', (n) => n + 1, V4),
  'outer-length-huge': length('outer certification data of 0xffffffff bytes', 'outer', () => 0xffffffff, V4),
  'qe-auth-length-huge': length('QE authentication data of 0xffff bytes', 'qeAuth', () => 0xffff),
  'certification-length-minus-1': length('certification data one byte short', 'certification', (n) => n - 1),
  'certification-length-plus-1': length('certification data one byte over', 'certification', (n) => n + 1),
  'certification-length-huge': length('certification data of 0xffffffff bytes', 'certification', () => 0xffffffff),
  'outer-type-5': {
    what: 'the quoting enclave’s part as certification data of type 5, where 6 belongs',
    stage: 'decode',
    rows: ['RJ-TDX-08'],
    needs: V4,
    bend: inQuote({ outerType: 5 }),
  },
  'certification-type-1': certified('PPID in clear, and no chain', () => ({ type: 1, data: ppidData(384) })),
  'certification-type-2': certified('PPID encrypted with RSA-2048, and no chain', () => ({
    type: 2,
    data: ppidData(256),
  })),
  'certification-type-3': certified('PPID encrypted with RSA-3072, and no chain', () => ({
    type: 3,
    data: ppidData(384),
  })),
  'certification-type-4': certified('the PCK certificate alone, in DER', (_, { pck }) => ({
    type: 4,
    data: pck.certificate,
  })),
  'certification-type-6': certified('certification data of type 6 inside type 6', (pem) => ({
    type: 6,
    data: concatBytes(littleEndian(5, 2), littleEndian(pem.length, 4), pem),
  })),
  'certification-type-7': certified('a platform manifest', (pem) => ({ type: 7, data: pem })),
  'certification-type-8': certified('a type of certification data that nobody knows', (pem) => ({
    type: 8,
    data: pem,
  })),

  'quote-signature-tampered': signature('one bit of the quote’s signature changed', 'tampered'),
  'quote-signature-zero': signature('a signature of 64 zero bytes', 'zero'),
  'quote-signature-r-zero': signature('a signature with r = 0', 'r-zero'),
  'quote-signature-s-zero': signature('a signature with s = 0', 's-zero'),
  'quote-signature-r-is-n': signature('a signature with r = n', 'r-is-n'),
  'quote-signature-s-is-n': signature('a signature with s = n', 's-is-n'),
  'quote-signature-other-key': {
    what: 'the quote signed by a key that is not the one it shows',
    stage: 'signature',
    rows: ['RJ-TDX-09'],
    bend: inQuote((plan) => ({ signer: stranger(plan) })),
  },
  'body-tampered': flipped('one bit of the report changed after signing', 'RJ-TDX-09', (o) => o.body + 136),
  'header-tampered': flipped('one bit of the user data changed after signing', 'RJ-TDX-09', () => 30),
  'auth-of-another-quote': {
    what: 'a report with the authentication data of another quote of the same machine',
    stage: 'signature',
    rows: ['RJ-TDX-09'],
    bend: (plan) =>
      afterSigning((quote, { body }) => {
        const reportData = body + (plan.tee === 'TDX' ? 520 : 320)
        return patched(quote, [{ offset: reportData, bytes: drawnBytes('intel', 'all', 'another quote', 64) }])
      })(plan),
  },

  'qe-signature-tampered': {
    what: 'one bit of the QE report’s signature changed',
    stage: 'signature',
    rows: ['RJ-TDX-10'],
    bend: inQeSpec({ signature: 'tampered' }),
  },
  'qe-signature-zero': {
    what: 'a QE report signature of 64 zero bytes',
    stage: 'signature',
    rows: ['RJ-TDX-10'],
    bend: inQeSpec({ signature: 'zero' }),
  },
  'qe-signature-other-pck': {
    what: 'the QE report signed by the PCK of another machine',
    stage: 'signature',
    rows: ['RJ-TDX-10'],
    bend: inQeSpec((plan) => ({ signer: rememberedKey('P-256', `intel/pck/other/${plan.seed}`) })),
  },
  'qe-report-tampered': flipped('one bit of the QE’s SVN changed after signing', 'RJ-TDX-10', (o) => o.qeReport + 258),
  'attestation-key-tampered': flipped(
    'one bit of the attestation key changed',
    'RJ-TDX-11',
    (o) => o.attestationKey,
    'match',
  ),
  'attestation-key-swapped': {
    what: 'signed by a key that it shows, and the quoting enclave vouches for another',
    stage: 'match',
    rows: ['RJ-TDX-11'],
    bend: inQuote((plan) => ({ attestationKey: stranger(plan), vouchedKey: rawPoint(plan.quote.attestationKey) })),
  },
  'attestation-key-off-curve': {
    what: 'an attestation key that is no point of the curve, vouched for all the same',
    stage: 'signature',
    rows: ['RJ-TDX-11'],
    bend: inQuote((plan) => {
      // Only y and p − y fit an x, and p is odd: with one bit of y changed neither does.
      const point = flipBit(rawPoint(plan.quote.attestationKey), 8 * 63 + 1)
      return { shownKey: point, vouchedKey: point }
    }),
  },
  'qe-auth-data-tampered': flipped(
    'one bit of the QE authentication data changed',
    'RJ-TDX-11',
    (o) => o.qeAuthLength + 2,
    'match',
  ),
  'qe-report-data-tail': {
    what: 'upper half of the QE’s report data not zero',
    stage: 'match',
    rows: ['RJ-TDX-11'],
    bend: inQeSpec({ reportDataTail: flipBit(new Uint8Array(32), 0) }),
  },
})
