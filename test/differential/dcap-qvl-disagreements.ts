import type { Code } from '../../src/core/codes.ts'

export interface Disagreement {
  /** ours / theirs; `+` and `-` are advisories that only they tell, or only we */
  readonly told: string
  /** the rule by which ours is right: a section of intel-dcap.md, or of RFC 5280 */
  readonly because: string
  /** what a policy refuses by default, where the quote is genuine and what it says is the policy's to judge */
  readonly byPolicy?: Code
}

const all = (ids: readonly string[], disagreement: Disagreement): Readonly<Record<string, Disagreement>> =>
  Object.fromEntries(ids.map((id) => [id, disagreement]))

/** They accept what Intel, RFC 5280 or the layout forbids. */
const FALSE_ACCEPTS: Readonly<Record<string, Disagreement>> = {
  crls_swapped: {
    told: 'COLLATERAL_SUBJECT_MISMATCH / UpToDate',
    because:
      '§2.4: a list counts for the issuer that it names; under the names of each other they are not what they say',
  },
  pck_crl_garbage: {
    told: 'COLLATERAL_UNRECOGNISED, CRL_MISSING / UpToDate',
    because: '§2.4: what cannot be read is no list, and then nobody says that the PCK is not revoked',
  },
  pck_crl_missing: {
    told: 'CRL_MISSING / UpToDate',
    because: '§2.4: without the list of the PCK CA nobody says that the PCK is not revoked',
  },
  root_crl_expired: {
    told: 'CRL_STALE / UpToDate',
    because: 'RFC 5280 §6.3.3 and §2.4: a list after its nextUpdate says nothing of today',
  },
  ...all(['pck_revoked_crl_stripped', 'root_crl_wrong_key'], {
    told: 'CRL_SIGNATURE_INVALID / UpToDate',
    because:
      'RFC 5280 §6.3.3(g) and §2.4: a list counts if its issuer signed it; here a revoked PCK hides behind another',
  }),
  pceid_mismatch: {
    told: 'TDX_FMSPC_MISMATCH / UpToDate',
    because: '§9, precheck: FMSPC and PCEID of the TCB info must both be those of the PCK certificate',
  },
  qe_vendor_unknown: {
    told: 'TDX_QE_VENDOR_UNKNOWN / UpToDate',
    because: '§1, header at 12: another vendor than Intel has another quoting enclave, whose rules are not these',
  },
  outer_cert_type_5_v4: {
    told: 'TDX_CERT_DATA_INVALID / UpToDate',
    because: '§1, auth data: in versions 4 and 5 the outer type is 6, and nothing else holds a QE report',
  },
  v5_body_size_lie: {
    told: 'TDX_BODY_TYPE_INVALID / UpToDate',
    because: '§1, v5 body descriptor: the size must equal that of the body type exactly',
  },
  qe_report_data_tail_nonzero: {
    told: 'TDX_QE_BINDING_INVALID / UpToDate',
    because: '§2.7: the half of REPORTDATA behind the digest is zero in all that Intel’s QE makes; stricter than QVL',
  },
  tdx_xfam_no_sse: {
    told: 'TDX_ATTRIBUTE_RESERVED_BIT / UpToDate',
    because: '§5: bits 0 and 1 of XFAM must be 1; no TD can be launched without them',
  },
  tdx_module_mrsignerseam: {
    told: 'TDX_SEAM_UNTRUSTED / UpToDate',
    because: '§9.4: MRSIGNERSEAM must be the signer of the module that the TCB info names',
  },
  tdx_module_unknown_version: {
    told: 'TDX_MODULE_UNKNOWN / UpToDate',
    because: '§9.4: a module without identity in the TCB info is a mismatch',
  },
  tdx_module_svn_below_all: {
    told: 'TDX_TCB_NO_LEVEL / UpToDate',
    because: '§9.4: a module below all levels of its identity is not supported',
  },
}

const SKIPS_TWO =
  '§9.3: where TEE_TCB_SVN[1] is above 0, components 0 and 1 are the module’s, and are not compared here'

/** Both accept, with another status or other advisories. */
const OTHER_STATUS: Readonly<Record<string, Disagreement>> = {
  'derived-tdx-v4-00b2526a-00806f050000-ev17': {
    told: 'UpToDate / OutOfDate +INTEL-SA-00960 +INTEL-SA-00982 +INTEL-SA-00986',
    because: SKIPS_TWO,
  },
  'derived-tdx-v4-00b2526a-00806f050000-ev19': {
    told: 'OutOfDate / OutOfDate +INTEL-SA-00960 +INTEL-SA-00982 +INTEL-SA-00986',
    because: SKIPS_TWO,
  },
  tdx_module_svn_skip_first_two: { told: 'UpToDate / OutOfDate +INTEL-SA-01036', because: SKIPS_TWO },
  tcb_levels_shuffled: {
    told: 'UpToDate / OutOfDate +INTEL-SA-00106 +INTEL-SA-01036',
    because: '§9: levels are sorted, highest first, before the first that is reached is taken',
  },
  tdx_module_out_of_date: {
    told: 'OutOfDate / UpToDate -INTEL-SA-01099',
    because: '§9.5 and 9.7: the level of the module joins that of the platform, and brings its advisories',
  },
  tdx_td_relaunch_advised: {
    told: 'TDRelaunchAdvised / UpToDate -INTEL-SA-01099',
    because: '§9.6: the module that was loaded at launch is out of date, the one that runs now is not',
  },
}

const NO_LISTS =
  '§2.4: lists were not captured; ours says that revocation was not checked and proves the rest, theirs crashes'

/** They refuse what Intel's library takes. */
const FALSE_REFUSALS: Readonly<Record<string, Disagreement>> = {
  ...all(['derived-tdx-v4-a187b0da-00806f050000-ev17', 'derived-tdx-v4-a187b0da-00806f050000-ev18'], {
    told: 'OutOfDate / No matching TCB level found',
    because: SKIPS_TWO,
  }),
  'sgx-v3-automata-0625': {
    told: 'SWHardeningNeeded / Failed to decode TcbInfo',
    because: '§7: a TCB info of version 2 is flat and about SGX; Intel’s PCS v3 still serves it',
  },
  ...all(['sgx-v3-automata-dcaprs-2025-02', 'sgx-v3-teepot-out-of-date'], {
    told: 'OutOfDate / Failed to decode TcbInfo',
    because: '§7: a TCB info of version 2 is flat and about SGX; Intel’s PCS v3 still serves it',
  }),
  ...all(['sgx_v4', 'sgx_v5_body1'], {
    told: 'UpToDate / SGX TEE quote must have version 3',
    because: '§1, v5 body descriptor: QVL takes SGX in versions 4 (TEE 0) and 5 (body type 1)',
  }),
  'sgx-v3-oasis-2022': { told: 'SWHardeningNeeded / TypeError', because: NO_LISTS, byPolicy: 'CRL_MISSING' },
  'tdx-v4-oasis-c0806f': { told: 'UpToDate / TypeError', because: NO_LISTS, byPolicy: 'CRL_MISSING' },
}

const DEBUG =
  '§2.11: a debug bit in a genuine report is for the policy, which refuses it unless it is written otherwise'
const SEPT =
  '§4: Azure’s TDs are genuine and have no SEPT_VE_DISABLE: refused by default, taken by a policy that says so'

/** They refuse for good what is proved and then the policy's to judge: ours proves, and refuses by any policy's default. */
const POLICY_SCOPE: Readonly<Record<string, Disagreement>> = {
  'derived-sgx-v3-ecd2fabd-00606a000000-ev17': {
    told: 'OutOfDate / Debug mode is enabled',
    because: DEBUG,
    byPolicy: 'SGX_DEBUG',
  },
  'sgx-v3-teepot-vault-proxy': {
    told: 'SWHardeningNeeded / Debug mode is enabled',
    because: DEBUG,
    byPolicy: 'SGX_DEBUG',
  },
  tdx_debug_enabled: { told: 'UpToDate / Debug mode is enabled', because: DEBUG, byPolicy: 'TDX_DEBUG' },
  'derived-tdx-v4-f51db4d1-00806f050000-ev17': {
    told: 'UpToDate / SEPT_VE_DISABLE is not enabled',
    because: SEPT,
    byPolicy: 'TDX_SEPT_VE_ENABLED',
  },
  'derived-tdx-v4-f51db4d1-00806f050000-ev19': {
    told: 'OutOfDate / SEPT_VE_DISABLE is not enabled',
    because: SEPT,
    byPolicy: 'TDX_SEPT_VE_ENABLED',
  },
  tdx_sept_ve_disabled: {
    told: 'UpToDate / SEPT_VE_DISABLE is not enabled',
    because: SEPT,
    byPolicy: 'TDX_SEPT_VE_ENABLED',
  },
  tdx_bit29_set: {
    told: 'UpToDate / Reserved bits in TD attributes are set',
    because: '§4: bit 29 is MIGRATABLE in the ABI of module 1.5; a policy refuses it by default',
    byPolicy: 'TDX_ATTRIBUTE_FORBIDDEN',
  },
  tdx_migratable: {
    told: 'UpToDate / Invalid mr service td',
    because: '§1, TD report 1.5: real quotes name service TDs (Alibaba); a policy takes none that it does not name',
    byPolicy: 'TDX_SERVICE_TD_NOT_ALLOWED',
  },
}

/** Everything that the two verifiers say differently about the cases of `index.json`; about all others they agree. */
export const DISAGREEMENTS: Readonly<Record<string, Disagreement>> = {
  ...FALSE_ACCEPTS,
  ...OTHER_STATUS,
  ...FALSE_REFUSALS,
  ...POLICY_SCOPE,
}

/** Quotes that came without collateral: both verifiers take nothing from them, and there is nothing more to compare. */
export const NOTHING_TO_EVALUATE: readonly string[] = [
  'eventlog-ccel-gcp-cos113',
  'eventlog-dstack-1d0342e3',
  'eventlog-dstack-b9e238b2',
  'eventlog-dstack-cbdb5b2f',
  'nocol-sgx-v3-e9794f00',
  'sgx-v3-oasis-eppid-cert3',
  'tdx-v4-trustee-debug-quote4',
]
