import { bytes, layout, u16, u32, zero } from '../../core/layout.ts'

/** Fixed structures of a quote (intel-dcap.md §1), all integers little-endian. */

/** Versions 3 to 5. `qeAndPceSvn` is reserved in TDX; the QE's report and the PCK certificate say both with authority. */
export const QUOTE_HEADER = layout('QUOTE_HEADER', 48, {
  version: u16(0),
  attestationKeyType: u16(2),
  teeType: u32(4),
  qeAndPceSvn: bytes(8, 4),
  qeVendorId: bytes(12, 16),
  userData: bytes(28, 20),
})

/** REPORTBODY of an enclave. The fields of KSS (key separation and sharing) lie between reserved ones. */
export const SGX_REPORT_BODY = layout('SGX_REPORT_BODY', 384, {
  cpuSvn: bytes(0, 16),
  miscSelect: u32(16),
  reserved20: zero(20, 12),
  isvExtProdId: bytes(32, 16),
  attributes: bytes(48, 16),
  mrEnclave: bytes(64, 32),
  reserved96: zero(96, 32),
  mrSigner: bytes(128, 32),
  reserved160: zero(160, 32),
  configId: bytes(192, 64),
  isvProdId: u16(256),
  isvSvn: u16(258),
  configSvn: u16(260),
  reserved262: zero(262, 42),
  isvFamilyId: bytes(304, 16),
  reportData: bytes(320, 64),
})

const TD_REPORT = {
  teeTcbSvn: bytes(0, 16),
  mrSeam: bytes(16, 48),
  mrSignerSeam: bytes(64, 48),
  seamAttributes: bytes(112, 8),
  tdAttributes: bytes(120, 8),
  xfam: bytes(128, 8),
  mrTd: bytes(136, 48),
  mrConfigId: bytes(184, 48),
  mrOwner: bytes(232, 48),
  mrOwnerConfig: bytes(280, 48),
  rtmr0: bytes(328, 48),
  rtmr1: bytes(376, 48),
  rtmr2: bytes(424, 48),
  rtmr3: bytes(472, 48),
  reportData: bytes(520, 64),
} as const

/** TD report of TDX module 1.0: the only body of version 4, body type 2 of version 5. */
export const TD_REPORT_1_0 = layout('TD_REPORT_1_0', 584, TD_REPORT)

/** TD report of TDX module 1.5, body type 3 of version 5. */
export const TD_REPORT_1_5 = layout('TD_REPORT_1_5', 648, {
  ...TD_REPORT,
  teeTcbSvn2: bytes(584, 16),
  mrServiceTd: bytes(600, 48),
})

/** What certification data of types 1 to 3 say after the PPID: for which TCB the PCK was derived. */
const PCK_TCB = (offset: number) => ({
  cpuSvn: bytes(offset, 16),
  pceSvn: u16(offset + 16),
  pceId: bytes(offset + 18, 2),
})

/** Certification data by type: the PPID plain, or encrypted with RSA of 2048 or 3072 bits, so that only Intel can read it. */
export const PCK_ID = {
  1: layout('PCK_ID_PLAIN', 36, { ppid: bytes(0, 16), ...PCK_TCB(16) }),
  2: layout('PCK_ID_RSA_2048', 276, { encryptedPpid: bytes(0, 256), ...PCK_TCB(256) }),
  3: layout('PCK_ID_RSA_3072', 404, { encryptedPpid: bytes(0, 384), ...PCK_TCB(384) }),
} as const
