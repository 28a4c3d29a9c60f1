import { name } from '../pki/names.ts'

/** Where the kit stands in time unless told: its Intel collateral is current then. */
export const INTEL_TEST_TIME = '2026-08-01T00:00:00Z'

/** Certificates of Intel's hierarchy by what they are for. `platform` and `processor` issue PCK certificates. */
export type IntelAuthorityRole = 'root' | 'platform' | 'processor' | 'tcbSigner'
export type PckCa = 'platform' | 'processor'

/** Common names, Intel's own (intel-dcap.md §3). */
export const INTEL_NAMES = {
  root: 'Intel SGX Root CA',
  platform: 'Intel SGX PCK Platform CA',
  processor: 'Intel SGX PCK Processor CA',
  tcbSigner: 'Intel SGX TCB Signing',
  pck: 'Intel SGX PCK Certificate',
} as const

/** Name as Intel orders it: CN, O, L, ST, C. */
export const intelName = (commonName: string): Uint8Array =>
  name([
    ['CN', commonName],
    ['O', 'Intel Corporation'],
    ['L', 'Santa Clara'],
    ['ST', 'CA'],
    ['C', 'US'],
  ])

const SERVICE = 'https://api.trustedservices.intel.com'

/** Where the lists are published, as the certificates say. The TCB signer and the authorities name the root's list. */
export const CRL_URL = {
  root: 'https://certificates.trustedservices.intel.com/IntelSGXRootCA.der',
  platform: `${SERVICE}/sgx/certification/v4/pckcrl?ca=platform&encoding=der`,
  processor: `${SERVICE}/sgx/certification/v4/pckcrl?ca=processor&encoding=der`,
} as const

/** Intel's quoting enclaves: signer and product, which their identities name (intel-dcap.md §7). */
export const QUOTING_ENCLAVES = {
  SGX: { id: 'QE', mrSigner: '8c4f5775d796503e96137f77c68a829a0056ac8ded70140b081b094490c57bff', isvProdId: 1 },
  TDX: { id: 'TD_QE', mrSigner: 'dc9e2a7c6f948f17474e34a7fc43ed030f7c1563f1babddf6340c82e0e54a8c5', isvProdId: 2 },
} as const

/** QE vendor id of Intel, 16 bytes. */
export const INTEL_VENDOR_ID = '939a7233f79c4ca9940a0db3957f0607'
