import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CODES, type Code, type CodeEntry, isCode } from '../../src/core/codes.ts'

const entries = Object.entries(CODES) as [Code, CodeEntry][]

/** First words a code may have. A new area is added here on purpose, a mistyped one is caught here. */
const AREAS = new Set([
  ...['LIMIT', 'ENV', 'JSON', 'HEX', 'UTF8', 'BIND', 'SNP', 'GPU', 'RIM', 'XML', 'X509', 'DER', 'PEM', 'CRL', 'OCSP'],
  ...['TDX', 'SGX', 'CBOR', 'COSE', 'NITRO', 'CCA', 'TPM'],
  ...['COLLATERAL', 'REFERENCE', 'POLICY', 'APPRAISAL', 'CLOCK'],
  ...['GATE', 'RESULT', 'SDL', 'AKASH', 'RELEASE', 'ADMIN', 'AUDIT', 'COLLECT', 'DOCTOR', 'WEIGHTS'],
  ...['SERVICE', 'KBS', 'OCICRYPT', 'AGENT'],
])

/** Every code that may be asked again. All others are final, and a code never moves between the two lists. */
const INCONCLUSIVE = [
  ...[
    'ENV_KIND_NOT_SUPPORTED',
    'BIND_TLS_KEY_MISSING',
    'SNP_VCEK_UNAVAILABLE',
    'SNP_TCB_FLOOR_UNKNOWN',
    'GPU_CERT_CHAIN_MISSING',
  ],
  ...['GPU_MODE_UNKNOWN', 'GPU_OCSP_UNAVAILABLE', 'GPU_REVOCATION_UNKNOWN', 'GPU_RIM_UNAVAILABLE'],
  ...['CRL_MISSING', 'CRL_STALE', 'CRL_TIME_INVALID', 'OCSP_INVALID', 'OCSP_MISSING', 'OCSP_STALE'],
  ...['COLLATERAL_EXPIRED', 'COLLATERAL_NOT_YET_VALID', 'COLLATERAL_RESPONSE_INVALID', 'COLLATERAL_TOO_OLD'],
  ...['COLLATERAL_NOT_PUBLISHED', 'COLLATERAL_THROTTLED', 'COLLATERAL_VENDOR_FAILED', 'COLLATERAL_REQUEST_REFUSED'],
  ...['COLLATERAL_DEADLINE_PASSED', 'COLLATERAL_TRUNCATED', 'COLLATERAL_OVERSIZE', 'COLLATERAL_EMPTY'],
  ...['COLLATERAL_REDIRECTED', 'COLLATERAL_TLS_FAILED', 'COLLATERAL_HOST_UNKNOWN', 'COLLATERAL_ANSWER_MISMATCH'],
  ...['COLLATERAL_CHIP_MASKED', 'COLLATERAL_VLEK_NOT_SERVED'],
  ...['COLLATERAL_UNAVAILABLE', 'COLLATERAL_CACHE_UNAVAILABLE', 'POLICY_MISSING', 'APPRAISAL_LEASE_MISSING'],
  ...['TDX_PCK_CERT_MISSING', 'SGX_PCK_CERT_MISSING'],
  ...['TDX_TCB_INFO_MISSING', 'TDX_QE_IDENTITY_MISSING', 'TDX_TCB_SIGNER_MISSING'],
  ...['SGX_TCB_INFO_MISSING', 'SGX_QE_IDENTITY_MISSING', 'SGX_TCB_SIGNER_MISSING'],
  'CCA_PLATFORM_KEY_UNAVAILABLE',
  'SDL_GPU_MODEL_UNKNOWN',
  ...[
    'AKASH_ENDPOINT_INVALID',
    'AKASH_GATEWAY_UNREACHABLE',
    'AKASH_TLS_FAILED',
    'AKASH_CERTIFICATE_EXPIRED',
    'AKASH_REQUEST_REFUSED',
    'AKASH_TOKEN_REFUSED',
    'AKASH_SCOPE_DENIED',
    'AKASH_SIDECAR_ABSENT',
    'AKASH_RATE_LIMITED',
    'AKASH_SIDECAR_UNREACHABLE',
    'AKASH_QUOTE_FAILED',
    'AKASH_STATUS_UNEXPECTED',
    'AKASH_REDIRECT_REFUSED',
    'AKASH_CONTENT_TYPE_INVALID',
    'AKASH_RESPONSE_OVERSIZE',
    'AKASH_RESPONSE_TRUNCATED',
    'AKASH_DEADLINE_PASSED',
  ],
  ...['GATE_EVIDENCE_NEEDED', 'GATE_DENYLIST_UNAVAILABLE', 'GATE_REPLICA_MISSING', 'GATE_STORE_UNAVAILABLE'],
  ...['GATE_SIGNER_UNAVAILABLE', 'GATE_IDENTITY_UNAVAILABLE'],
  ...['RELEASE_REPLICA_STALE', 'RELEASE_VAULT_UNAVAILABLE', 'RELEASE_AUDIT_UNAVAILABLE', 'ADMIN_KEY_CHANGED'],
  ...['AUDIT_CHECKPOINT_MISSING', 'AUDIT_ANCHOR_UNAVAILABLE'],
  ...['SERVICE_BODY_BROKEN', 'SERVICE_RATE_LIMITED', 'AGENT_SERVICE_UNREACHABLE'],
  ...[
    'COLLECT_CPU_TEE_ABSENT',
    'COLLECT_CONFIGFS_NOT_MOUNTED',
    'COLLECT_TSM_ABSENT',
    'COLLECT_TDREPORT_ONLY',
    'COLLECT_TSM_PROVIDER_ABSENT',
    'COLLECT_TSM_PERMISSION',
    'COLLECT_TSM_BUSY',
    'COLLECT_TSM_GENERATION_CHANGED',
    'COLLECT_TSM_REPORT_FAILED',
    'COLLECT_TSM_PROVIDER_UNKNOWN',
    'COLLECT_TSM_REPORT_UNREADABLE',
    'COLLECT_TSM_ENTRY_LEFT',
    'COLLECT_FFI_ABSENT',
    'COLLECT_NVML_LIBRARY_ABSENT',
    'COLLECT_NVML_DRIVER_NOT_LOADED',
    'COLLECT_NVML_VERSION_MISMATCH',
    'COLLECT_NVML_PERMISSION',
    'COLLECT_NVML_NO_GPU',
    'COLLECT_NVML_NOT_SUPPORTED',
    'COLLECT_NVML_OUTDATED',
    'COLLECT_NVML_BUSY',
    'COLLECT_NVML_FAILED',
    'COLLECT_NVML_ANSWER_INVALID',
    'COLLECT_GPU_UNUSABLE',
    'COLLECT_GPU_RESET_NEEDED',
    'COLLECT_GPU_CC_OFF',
    'COLLECT_TPM_LIBRARY_ABSENT',
    'COLLECT_TPM_UNREACHABLE',
    'COLLECT_TPM_FAILED',
    'COLLECT_TPM_LOCKED_OUT',
    'COLLECT_TPM_AUTHORISATION_REFUSED',
    'COLLECT_TPM_OUT_OF_MEMORY',
    'COLLECT_TPM_NV_ABSENT',
    'COLLECT_TPM_KEY_ABSENT',
    'COLLECT_TPM_PCR_ABSENT',
    'COLLECT_TPM_CREDENTIAL_REFUSED',
    'COLLECT_EVENT_LOG_UNREADABLE',
    'COLLECT_SIDECAR_UNREACHABLE',
    'COLLECT_SIDECAR_ANSWER_UNUSABLE',
    'COLLECT_SAVED_UNREADABLE',
    'DOCTOR_CPU_TEE_ABSENT',
    'DOCTOR_TEE_DISABLED',
    'DOCTOR_KERNEL_OLD',
    'DOCTOR_IOMMU_OFF',
    'DOCTOR_CLOCK_UNSYNCHRONISED',
    'DOCTOR_VENDOR_UNREACHABLE',
    'DOCTOR_KUBECONFIG_UNUSABLE',
    'DOCTOR_CLUSTER_UNREACHABLE',
    'DOCTOR_CLUSTER_DENIED',
    'DOCTOR_NODE_LABEL_MISSING',
    'DOCTOR_NODE_LABELS_MIXED',
    'DOCTOR_NODE_CC_OFF',
    'DOCTOR_RUNTIME_CLASS_MISSING',
    'DOCTOR_WEBHOOK_MISSING',
  ],
  ...['CLOCK_BEFORE_BUILD', 'CLOCK_JUMP', 'CLOCK_SOURCES_DISAGREE', 'CLOCK_WENT_BACK'],
]

/** Sentences end with a full stop before white space or at the end; `report.bin` and `1.55.38` do not end one. */
const sentences = (text: string): number => text.split(/[.!?](?=\s|$)/).filter((part) => part.trim() !== '').length

const offenders = (wrong: (code: Code, entry: CodeEntry) => boolean): string[] =>
  entries.filter(([code, entry]) => wrong(code, entry)).map(([code]) => code)

describe('CODES', () => {
  it('names every code AREA_OBJECT_CONDITION with a known area', () => {
    expect(offenders((code) => !/^[A-Z][A-Z0-9]*(_[A-Z][A-Z0-9]*)+$/.test(code))).toEqual([])
    expect(offenders((code) => !AREAS.has(code.slice(0, code.indexOf('_'))))).toEqual([])
  })

  it('titles every code with one sentence of its own', () => {
    expect(offenders((_, { title }) => !/^[A-Z][^\n]*[^.\s]\.$/.test(title) || sentences(title) !== 1)).toEqual([])
    expect(offenders((_, { title }) => title.length > 120)).toEqual([])
    const titles = entries.map(([, { title }]) => title)
    expect(titles.filter((title, i) => titles.indexOf(title) !== i)).toEqual([])
  })

  it('gives every code a remedy of one to three sentences', () => {
    expect(offenders((_, { hint }) => !/^[A-Z][^\n]*[^.\s]\.$/.test(hint))).toEqual([])
    expect(offenders((_, { hint }) => sentences(hint) < 1 || sentences(hint) > 3)).toEqual([])
    expect(offenders((_, { hint }) => hint.length < 40)).toEqual([])
    expect(offenders((_, { title, hint }) => title === hint)).toEqual([])
  })

  it('writes plain printable ASCII without markup, so that it can be shown anywhere', () => {
    expect(offenders((_, { title, hint }) => /[^\x20-\x7e]| {2}/.test(title + hint))).toEqual([])
    expect(offenders((_, { title, hint }) => /[`*<>[\]]|^#|\b(TODO|pending)\b/.test(title + hint))).toEqual([])
  })

  it('is inconclusive for the named codes only', () => {
    expect(offenders((_, { verdict }) => verdict !== 'reject').sort()).toEqual([...INCONCLUSIVE].sort())
    expect(offenders((_, { verdict }) => verdict !== 'reject' && verdict !== 'inconclusive')).toEqual([])
  })
})

describe('isCode', () => {
  it('knows every code of the table', () => {
    expect(entries.length).toBeGreaterThan(200)
    expect(offenders((code) => !isCode(code))).toEqual([])
  })

  it.each(['', 'SNP', 'snp_signature_invalid', 'SNP_SIGNATURE_INVALID ', 'constructor', '__proto__', 'toString'])(
    'refuses %j',
    (name) => {
      expect(isCode(name)).toBe(false)
    },
  )
})

interface Row {
  readonly id: string
  readonly area: string
  readonly code: string
  readonly verdict: string
}

// VOUCHSAFE_REJECT names the folder of reject.json; else it lies beside the evidence, as in ../shared.
const folder =
  process.env.VOUCHSAFE_REJECT ?? resolve(process.env.VOUCHSAFE_EVIDENCE ?? '../shared/evidence', '../reject')
const catalogue = resolve(folder, 'reject.json')
const COVERED = new Set(['ENV', 'BIND', 'SNP', 'GPU', 'RIM', 'X5', 'POL', 'COL', 'TIME', 'CB', 'GATE', 'RES'])

// Without the catalogue this is reported as skipped by its name; where CI=true it must be there, and reading it fails.
describe.runIf(existsSync(catalogue) || process.env.CI === 'true')('the must-reject catalogue (reject.json)', () => {
  const rows = () => JSON.parse(readFileSync(catalogue, 'utf8')) as readonly Row[]

  it('has a code here for every row of the areas that are judged', () => {
    const covered = rows().filter((row) => COVERED.has(row.area))
    expect(new Set(covered.map((row) => row.area))).toEqual(COVERED)
    expect(covered.filter((row) => !isCode(row.code)).map((row) => `${row.id} ${row.code}`)).toEqual([])
  })

  it('has the same verdict for every code of any area that is shared', () => {
    const differing = rows().filter((row) => isCode(row.code) && CODES[row.code].verdict !== row.verdict)
    expect(differing.map((row) => `${row.id} ${row.code}: ${row.verdict} in the catalogue`)).toEqual([])
  })
})
