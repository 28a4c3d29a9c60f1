import { concatBytes } from '../../core/bytes.ts'
import { flipBit, must } from './bytes.ts'
import type { Fault } from './fault.ts'
import { GPU_REPORT_FAULTS } from './gpu-report-faults.ts'
import { p384Key } from './keys.ts'
import { duplicateOpaque, lieAboutOpaqueSize, OPAQUE } from './opaque.ts'
import { block, missing, opaque, type ReportEdit, set } from './report-edits.ts'
import type { SignatureForm, SpdmFields } from './spdm.ts'

const signature = (signatureForm: SignatureForm, what: string): Fault<SpdmFields> => ({
  what,
  row: 'RJ-GPU-11',
  apply: set({ signatureForm }),
})

const afterSigning = (tamper: (report: Uint8Array) => Uint8Array): ReportEdit => set({ tamper })

const recordLength = (of: SpdmFields): number => of.blocks.reduce((sum, b) => sum + 7 + b.value.length, 0)
const opaqueLength = (of: SpdmFields): number => of.opaque.reduce((sum, f) => sum + 4 + f.data.length, 0)

/** Faults of a report of any device class. The report is validly signed unless the fault is the signature or comes after it. */
export const COMMON_REPORT_FAULTS = {
  'request-version-1.0': { what: 'request in SPDM 1.0', row: 'RJ-GPU-07', apply: set({ requestVersion: 0x10 }) },
  'request-version-1.2': { what: 'request in SPDM 1.2', row: 'RJ-GPU-07', apply: set({ requestVersion: 0x12 }) },
  'request-code': { what: 'request is not GET_MEASUREMENTS', row: 'RJ-GPU-07', apply: set({ requestCode: 0xe1 }) },
  'response-version': { what: 'response in SPDM 1.2', row: 'RJ-GPU-07', apply: set({ responseVersion: 0x12 }) },
  'response-code': { what: 'response carries a request code', row: 'RJ-GPU-07', apply: set({ responseCode: 0xe1 }) },
  'response-error': { what: 'response is ERROR (0x7F)', row: 'RJ-GPU-07', apply: set({ responseCode: 0x7f }) },
  'signature-not-requested': { what: 'request did not ask for a signature', apply: set({ requestParam1: 0 }) },
  'operation-one-block': { what: 'request asked for one block', apply: set({ requestParam2: 1 }) },
  'record-length-plus-one': {
    what: 'measurement record length one too high',
    row: 'RJ-GPU-08',
    apply: (of) => ({ ...of, recordLength: recordLength(of) + 1 }),
  },
  'record-length-minus-one': {
    what: 'measurement record length one too low',
    row: 'RJ-GPU-08',
    apply: (of) => ({ ...of, recordLength: recordLength(of) - 1 }),
  },
  'record-length-zero': { what: 'measurement record length 0', row: 'RJ-GPU-08', apply: set({ recordLength: 0 }) },
  'record-length-past-end': {
    what: 'measurement record longer than the report',
    row: 'RJ-GPU-08',
    apply: set({ recordLength: 0xffffff }),
  },
  'opaque-length-plus-one': {
    what: 'opaque length one too high',
    row: 'RJ-GPU-08',
    apply: (of) => ({ ...of, opaqueLength: opaqueLength(of) + 1 }),
  },
  'opaque-length-minus-one': {
    what: 'opaque length one too low',
    row: 'RJ-GPU-08',
    apply: (of) => ({ ...of, opaqueLength: opaqueLength(of) - 1 }),
  },
  'opaque-length-past-end': {
    what: 'opaque data longer than the report',
    row: 'RJ-GPU-08',
    apply: set({ opaqueLength: 0xffff }),
  },
  'opaque-rest': {
    what: 'three bytes behind the last opaque field',
    row: 'RJ-GPU-08',
    apply: set({ opaqueRest: new Uint8Array(3) }),
  },
  'measurement-size': {
    what: 'measurement size is not 3 + value size',
    row: 'RJ-GPU-08',
    apply: block(5, (b) => ({ ...b, measurementSize: b.value.length + 4 })),
  },
  'value-size': {
    what: 'value size one too high, measurement size with it',
    row: 'RJ-GPU-08',
    apply: block(5, (b) => ({ ...b, valueSize: b.value.length + 1 })),
  },
  'value-short': {
    what: 'a value of 47 bytes, sizes telling the truth',
    row: 'RJ-GPU-17',
    apply: block(10, (b) => ({ ...b, value: b.value.subarray(1) })),
  },
  specification: {
    what: 'a block that is not of the DMTF specification',
    row: 'RJ-GPU-08',
    apply: block(5, (b) => ({ ...b, specification: 2 })),
  },
  'value-type': {
    what: 'a raw bit stream (0x81) where a digest is due',
    apply: block(5, (b) => ({ ...b, valueType: 0x81 })),
  },
  'index-duplicate': {
    what: 'index 7 twice, index 8 not at all',
    row: 'RJ-GPU-09',
    apply: block(8, (b) => ({ ...b, index: 7 })),
  },
  'index-skipped': {
    what: 'no block with index 3',
    row: 'RJ-GPU-09',
    apply: (of) => ({ ...of, blocks: of.blocks.filter((b) => b.index !== 3) }),
  },
  'index-zero': { what: 'a block with index 0', row: 'RJ-GPU-09', apply: block(1, (b) => ({ ...b, index: 0 })) },
  'block-count-high': {
    what: 'one block fewer than counted',
    row: 'RJ-GPU-09',
    apply: (of) => ({ ...of, blockCount: of.blocks.length + 1 }),
  },
  'block-count-low': {
    what: 'one block more than counted',
    row: 'RJ-GPU-09',
    apply: (of) => ({ ...of, blockCount: of.blocks.length - 1 }),
  },
  'opaque-duplicate': {
    what: 'VBIOS_VERSION twice, the same',
    row: 'RJ-GPU-10',
    apply: opaque(duplicateOpaque(OPAQUE.vbiosVersion)),
  },
  'opaque-invalid-type': {
    what: 'a field of type 255',
    apply: (of) => ({ ...of, opaque: [...of.opaque, { type: OPAQUE.invalid, data: Uint8Array.of(0) }] }),
  },
  'opaque-size-past-end': {
    what: 'last opaque field reaches beyond the opaque data',
    row: 'RJ-GPU-08',
    apply: (of) => ({
      ...of,
      opaque: lieAboutOpaqueSize(must(of.opaque.at(-1), 'opaque field').type, 0xff)(of.opaque),
    }),
  },
  'vbios-version-missing': missing(OPAQUE.vbiosVersion, 'no VBIOS_VERSION'),
  'nonce-differs': {
    what: 'one bit of the request nonce turned over',
    row: 'RJ-GPU-05',
    apply: (of) => ({ ...of, nonce: flipBit(of.nonce, 255) }),
  },
  'nonce-in-response-only': {
    what: 'the challenge stands in the responder nonce, another value in the request',
    row: 'RJ-GPU-29',
    apply: (of) => ({ ...of, nonce: of.responderNonce, responderNonce: of.nonce }),
  },
  'measurement-mismatch': {
    what: 'the measurement of manifest index 9 differs in one bit',
    row: 'RJ-GPU-17',
    apply: block(10, (b) => ({ ...b, value: flipBit(b.value, 0) })),
  },
  'signature-bit': {
    what: 'one bit of the signature turned over',
    row: 'RJ-GPU-11',
    apply: afterSigning((report) => flipBit(report, (report.length - 1) * 8)),
  },
  'signed-byte': {
    what: 'one bit of a measurement turned over after signing',
    row: 'RJ-GPU-11',
    apply: afterSigning((report) => flipBit(report, 60 * 8)),
  },
  'signature-swapped': signature('swapped', 's ‖ r'),
  'signature-r-zero': signature('r-zero', 'r = 0'),
  'signature-s-zero': signature('s-zero', 's = 0'),
  'signature-zero': signature('zero', 'r = s = 0'),
  'signature-r-order': signature('r-order', 'r = n'),
  'signature-s-order': signature('s-order', 's = n'),
  'signature-all-ones': signature('all-ones', 'r and s all ones'),
  'signature-der': signature('der', 'DER in place of r ‖ s'),
  'signature-short': { ...signature('one-byte-short', '95 bytes of signature'), row: 'RJ-GPU-08' },
  'signature-long': { ...signature('one-byte-long', '97 bytes of signature'), row: 'RJ-GPU-26' },
  'signer-stranger': {
    what: 'signed by a key that is in no certificate',
    row: 'RJ-GPU-11',
    apply: (of) => ({ ...of, signer: p384Key('stranger') }),
  },
  'trailing-byte': {
    what: 'one byte after the signature',
    row: 'RJ-GPU-26',
    apply: afterSigning((report) => concatBytes(report, Uint8Array.of(0))),
  },
  'cut-one-byte': {
    what: 'last byte missing',
    row: 'RJ-GPU-08',
    apply: afterSigning((report) => report.subarray(0, -1)),
  },
  'cut-signature': {
    what: 'signature missing',
    row: 'RJ-GPU-08',
    apply: afterSigning((report) => report.subarray(0, -96)),
  },
  'cut-in-record': {
    what: 'ends inside the measurement record',
    row: 'RJ-GPU-08',
    apply: afterSigning((report) => report.subarray(0, 500)),
  },
  empty: { what: 'no bytes at all', row: 'RJ-GPU-08', apply: afterSigning(() => new Uint8Array()) },
} as const satisfies Record<string, Fault<SpdmFields>>

/** Everything that can be wrong in one report. */
export const REPORT_FAULTS = { ...COMMON_REPORT_FAULTS, ...GPU_REPORT_FAULTS } as const

/** Names of the faults of `REPORT_FAULTS`. */
export type ReportFault = keyof typeof REPORT_FAULTS

/** Those that a switch report can have too. */
export type CommonReportFault = keyof typeof COMMON_REPORT_FAULTS

export const reportFault = (name: ReportFault, fields: SpdmFields): SpdmFields => REPORT_FAULTS[name].apply(fields)
