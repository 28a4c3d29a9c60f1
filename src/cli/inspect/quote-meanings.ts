import type { PCK_ID, QUOTE_HEADER, SGX_REPORT_BODY } from '../../attestation/dcap/quote-layout.ts'
import { bytes, layout, u16, u32 } from '../../core/layout.ts'
import { bitMeaning, SGX_FLAG_BITS, XFRM_BITS } from './bits.ts'
import type { Meanings } from './layout-view.ts'
import { type Meaning, number, optional, says } from './meanings.ts'

const uint = (raw: Uint8Array): number => raw.reduceRight((sum, byte) => sum * 256 + byte, 0)
const named = (names: Readonly<Record<number, string>>) => (raw: Uint8Array) =>
  number(uint(raw), names[uint(raw)] ?? 'unknown')
const follow = (what: string) => (raw: Uint8Array) => number(uint(raw), `bytes of ${what} follow`)

/** What the header says, in the words of Intel's DCAP quote format. */
export const HEADER_MEANINGS: Meanings<typeof QUOTE_HEADER> = {
  version: (raw) => number(uint(raw), 'format of the quote'),
  attestationKeyType: named({ 2: 'ECDSA P-256 with SHA-256' }),
  teeType: named({ 0: 'SGX', 129: 'TDX' }),
  qeAndPceSvn: says('security versions of QE and PCE in quotes of SGX; nothing rests on them'),
  qeVendorId: says('Intel’s quoting enclave'),
  userData: says('of the quoting enclave; no meaning is published'),
}

/** In front of the body from version 5 on. */
export const BODY_DESCRIPTOR = layout('BODY_DESCRIPTOR', 6, { bodyType: u16(0), bodySize: u32(2) })
export const DESCRIPTOR_MEANINGS: Meanings<typeof BODY_DESCRIPTOR> = {
  bodyType: named({ 1: 'SGX report', 2: 'TD report 1.0', 3: 'TD report 1.5' }),
  bodySize: follow('body'),
}

/** Behind the body. */
export const SIGNATURE_DATA = layout('SIGNATURE_DATA', 132, {
  signatureDataSize: u32(0),
  signatureR: bytes(4, 32),
  signatureS: bytes(36, 32),
  attestationKeyX: bytes(68, 32),
  attestationKeyY: bytes(100, 32),
})
export const SIGNATURE_MEANINGS: Meanings<typeof SIGNATURE_DATA> = {
  signatureDataSize: follow('signatures and certification'),
  signatureR: says('r of the signature over all before the size above; big-endian'),
  signatureS: says('s of the signature'),
  attestationKeyX: says('key that signed the quote, made by the quoting enclave; P-256, big-endian'),
  attestationKeyY: says('y of the key'),
}

/** Type and size in front of certification data. */
export const CERTIFICATION = layout('CERTIFICATION', 6, { certificationType: u16(0), certificationSize: u32(2) })
export const CERTIFICATION_MEANINGS: Meanings<typeof CERTIFICATION> = {
  certificationType: named({
    1: 'names the PCK certificate by the platform id (PPID)',
    2: 'names the PCK certificate by a PPID encrypted with RSA-2048',
    3: 'names the PCK certificate by a PPID encrypted with RSA-3072',
    5: 'PCK certificate chain',
    6: 'report of the quoting enclave, with certification data of its own',
  }),
  certificationSize: follow('certification data'),
}

/** Between the report of the quoting enclave and its authentication data. */
export const QE_SIGNATURE = layout('QE_SIGNATURE', 66, {
  qeReportSignatureR: bytes(0, 32),
  qeReportSignatureS: bytes(32, 32),
  qeAuthDataSize: u16(64),
})
export const QE_SIGNATURE_MEANINGS: Meanings<typeof QE_SIGNATURE> = {
  qeReportSignatureR: says('r of the signature over the report of the quoting enclave, by the PCK; big-endian'),
  qeReportSignatureS: says('s of the signature'),
  qeAuthDataSize: follow('authentication data'),
}

const attributes = (raw: Uint8Array): Meaning => {
  const flags = bitMeaning(raw.subarray(0, 8), SGX_FLAG_BITS, 'flags')
  const xfrm = bitMeaning(raw.subarray(8), XFRM_BITS, 'processor state (XFRM)', 'XFRM ')
  return { text: `${flags.text}; ${xfrm.text}`, parts: [...(flags.parts ?? []), ...(xfrm.parts ?? [])] }
}

/** What every field of an enclave's report says. @param reportData what that field stands for in this enclave */
export const sgxMeanings = (reportData: string): Meanings<typeof SGX_REPORT_BODY> => ({
  cpuSvn: says('security version of the processor; the PCK certificate says what it stands for'),
  miscSelect: (raw) => optional(raw, 'more state is saved on an exit', 'no more state is saved on an exit'),
  isvExtProdId: (raw) => optional(raw, 'extended product id (KSS)', 'none'),
  attributes,
  mrEnclave: says('SHA-256 of the enclave as it was built'),
  mrSigner: says('SHA-256 of the key that signed the enclave'),
  configId: (raw) => optional(raw, 'given by the host at launch (KSS)', 'none'),
  isvProdId: (raw) => number(uint(raw), 'product of the signer'),
  isvSvn: (raw) => number(uint(raw), 'security version of the enclave'),
  configSvn: (raw) => number(uint(raw), 'security version of what CONFIGID names (KSS)'),
  isvFamilyId: (raw) => optional(raw, 'family of products (KSS)', 'none'),
  reportData: says(reportData),
})

/** Of certification data of types 1 to 3. */
export const PCK_ID_MEANINGS: Meanings<(typeof PCK_ID)[1]> & Meanings<(typeof PCK_ID)[2]> = {
  ppid: says('names the platform'),
  encryptedPpid: says('names the platform, for Intel alone'),
  cpuSvn: says('security version of the processor that the PCK was made for'),
  pceSvn: (raw) => number(uint(raw), 'security version of the PCE that the PCK was made for'),
  pceId: says('names the PCE'),
}
