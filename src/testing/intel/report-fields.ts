import type { FieldTable, FieldValues } from './fields.ts'

/*
 * The structures of a quote (intel-dcap.md §1). Written apart from the verifier's own tables on purpose, so that a slip in
 * one is caught by the other. Bytes that no field names are reserved.
 */

/** Header of a quote, 48 bytes. In version 3 the TEE type is reserved; in TDX quotes the two SVNs are. */
export const QUOTE_HEADER_FIELDS = {
  version: [0, 2, 'number'],
  attestationKeyType: [2, 2, 'number'],
  teeType: [4, 4, 'number'],
  qeSvn: [8, 2, 'number'],
  pceSvn: [10, 2, 'number'],
  qeVendorId: [12, 16, 'bytes'],
  userData: [28, 20, 'bytes'],
} as const satisfies FieldTable
export const QUOTE_HEADER_BYTES = 48

/** SGX report body, 384 bytes: of an enclave, and of the quoting enclave. */
export const SGX_REPORT_FIELDS = {
  cpuSvn: [0, 16, 'bytes'],
  miscSelect: [16, 4, 'number'],
  isvExtProdId: [32, 16, 'bytes'],
  attributes: [48, 16, 'bytes'],
  mrEnclave: [64, 32, 'bytes'],
  mrSigner: [128, 32, 'bytes'],
  configId: [192, 64, 'bytes'],
  isvProdId: [256, 2, 'number'],
  isvSvn: [258, 2, 'number'],
  configSvn: [260, 2, 'number'],
  isvFamilyId: [304, 16, 'bytes'],
  reportData: [320, 64, 'bytes'],
} as const satisfies FieldTable
export const SGX_REPORT_BYTES = 384

/** TD report body, 584 bytes in TDX 1.0 and 648 in TDX 1.5, which adds the last two fields. */
export const TD_REPORT_FIELDS = {
  teeTcbSvn: [0, 16, 'bytes'],
  mrSeam: [16, 48, 'bytes'],
  mrSignerSeam: [64, 48, 'bytes'],
  seamAttributes: [112, 8, 'bytes'],
  tdAttributes: [120, 8, 'bytes'],
  xfam: [128, 8, 'bytes'],
  mrTd: [136, 48, 'bytes'],
  mrConfigId: [184, 48, 'bytes'],
  mrOwner: [232, 48, 'bytes'],
  mrOwnerConfig: [280, 48, 'bytes'],
  rtmr0: [328, 48, 'bytes'],
  rtmr1: [376, 48, 'bytes'],
  rtmr2: [424, 48, 'bytes'],
  rtmr3: [472, 48, 'bytes'],
  reportData: [520, 64, 'bytes'],
  teeTcbSvn2: [584, 16, 'bytes'],
  mrServiceTd: [600, 48, 'bytes'],
} as const satisfies FieldTable
export const TD_REPORT_BYTES = { 'td-1.0': 584, 'td-1.5': 648 } as const

export type QuoteHeader = FieldValues<typeof QUOTE_HEADER_FIELDS>
export type SgxReport = FieldValues<typeof SGX_REPORT_FIELDS>
export type TdReport = FieldValues<typeof TD_REPORT_FIELDS>

/** What a quote is about, and the type by which a version 5 quote names it. */
export type QuoteBodyKind = 'sgx' | 'td-1.0' | 'td-1.5'
export const BODY_TYPE: Readonly<Record<QuoteBodyKind, number>> = { sgx: 1, 'td-1.0': 2, 'td-1.5': 3 }
