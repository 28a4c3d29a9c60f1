import type { DcapTcbClaims, PckClaims, SgxClaims, TdxClaims } from '../../src/attestation/claims.ts'
import type { AppraisedItem } from '../../src/policy/index.ts'

const LEVEL = { status: 'UpToDate', tcbDate: '2026-02-11T00:00:00Z', advisoryIds: [] } as const

export const MEASURED = {
  mrTd: 'd1'.repeat(48),
  rtmrs: ['e0'.repeat(48), 'e1'.repeat(48), 'e2'.repeat(48), 'e3'.repeat(48)],
} as const
export const MR_ENCLAVE = 'f1'.repeat(32)
export const MR_SIGNER = 'f2'.repeat(32)
export const FMSPC = '90c06f000000'
export const PPID = '0a'.repeat(16)
export const PLATFORM_INSTANCE_ID = '0b'.repeat(16)

/** A platform that Intel calls up to date. */
export const tcbClaims = (change: Partial<DcapTcbClaims> = {}): DcapTcbClaims => ({
  status: 'UpToDate',
  advisoryIds: [],
  tcbDate: '2026-02-11T00:00:00Z',
  tcbEvaluationDataNumber: 20,
  qeEvaluationDataNumber: 20,
  platform: LEVEL,
  module: LEVEL,
  qe: LEVEL,
  deficits: [],
  ...change,
})

export const pckClaims = (change: Partial<PckClaims> = {}): PckClaims => ({
  ppid: PPID,
  fmspc: FMSPC,
  pceId: '0000',
  pceSvn: 13,
  sgxTcbComponents: [4, 4, 2, 2, 4, 1, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0],
  sgxType: 'Scalable',
  platformInstanceId: PLATFORM_INSTANCE_ID,
  ca: 'platform',
  dynamicPlatform: true,
  cachedKeys: true,
  smtEnabled: false,
  ...change,
})

/** What a quote of a TD in good order says. */
export const tdxClaims = (change: Partial<TdxClaims> = {}): TdxClaims => ({
  kind: 'intel/tdx-quote',
  quoteVersion: 5,
  bodyType: 'td-1.5',
  teeTcbSvn: `0d0104${'00'.repeat(13)}`,
  mrSeam: 'aa'.repeat(48),
  mrSignerSeam: '00'.repeat(48),
  seamAttributes: '00'.repeat(8),
  tdAttributesRaw: '0000001000000000',
  tdAttributes: {
    debug: false,
    septVeDisable: true,
    migratable: false,
    pks: false,
    keyLocker: false,
    perfmon: false,
    unknownBits: '0000000000000000',
  },
  xfam: 'e702060000000000',
  ...MEASURED,
  mrConfigId: '00'.repeat(48),
  mrOwner: '00'.repeat(48),
  mrOwnerConfig: '00'.repeat(48),
  reportData: '5a'.repeat(64),
  teeTcbSvn2: `0d0104${'00'.repeat(13)}`,
  mrServiceTd: '00'.repeat(48),
  pck: pckClaims(),
  tcb: tcbClaims(),
  ...change,
})

/** What a quote of an enclave in good order says. */
export const sgxClaims = (change: Partial<SgxClaims> = {}): SgxClaims => ({
  kind: 'intel/sgx-quote',
  quoteVersion: 3,
  cpuSvn: '00'.repeat(16),
  miscSelect: '00000000',
  flags: '0500000000000000',
  xfrm: 'e700000000000000',
  debug: false,
  provisionKey: false,
  einitTokenKey: false,
  kss: false,
  mrEnclave: MR_ENCLAVE,
  mrSigner: MR_SIGNER,
  isvProdId: 7,
  isvSvn: 3,
  isvExtProdId: '00'.repeat(16),
  configId: '00'.repeat(64),
  configSvn: 0,
  isvFamilyId: '00'.repeat(16),
  reportData: '5a'.repeat(64),
  pck: pckClaims(),
  tcb: tcbClaims({ module: undefined }),
  ...change,
})

const GOOD = [{ chain: 'intel-pck', status: 'good', stapled: false, faults: [] }] as const

export const tdxItem = (
  change: Partial<TdxClaims> = {},
  revocation: AppraisedItem['revocation'] = GOOD,
): AppraisedItem => ({ id: 'cpu', claims: tdxClaims(change), revocation })

export const sgxItem = (
  change: Partial<SgxClaims> = {},
  revocation: AppraisedItem['revocation'] = GOOD,
): AppraisedItem => ({ id: 'cpu', claims: sgxClaims(change), revocation })
