import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { TcbStatus } from '../../../src/attestation/claims.ts'
import { authenticateEndorsements } from '../../../src/attestation/dcap/collateral.ts'
import { evaluateTcb } from '../../../src/attestation/dcap/tcb.ts'
import { utf8 } from '../../../src/core/bytes.ts'
import { attempt, attemptAsync } from '../../../src/core/outcome.ts'
import { anchorFromCertificate } from '../../support/anchors.ts'
import { describeEvidence, evidence, evidenceJson, evidencePath, hasEvidence } from '../../support/evidence.ts'
import { contextAt, pckPath, quoteFacts, sorted } from './collateral-support.ts'

interface Case {
  readonly verificationTime: number
  readonly verified?: {
    readonly intelAlgorithm?: {
      readonly status: TcbStatus | 'NoMatchingTcbLevel'
      readonly advisoryIds?: readonly string[]
    }
    readonly tcbEvaluationDataNumber?: number
    readonly qeEvaluationDataNumber?: number
  }
}

interface Row {
  readonly path: string
  readonly status?: string
  readonly advisoryIds?: readonly string[]
}

const casesBelow = (folder: string): readonly string[] =>
  readdirSync(evidencePath(folder)).filter((name) => hasEvidence(`${folder}/${name}/collateral.json`))

/** Authenticates and evaluates what one folder holds, at the time of the case. */
async function evaluated(
  folder: string,
  root: string,
  now: number,
  file: Uint8Array = evidence(`${folder}/collateral.json`),
) {
  const anchor = anchorFromCertificate(evidence(root), 'intel/sgx-root')
  const context = contextAt(now, anchor)
  const { collateral, faults } = await sorted(context, file)
  const { tee, facts, chain } = quoteFacts(evidence(`${folder}/quote.bin`))
  const path = await pckPath(context, chain, anchor)
  const endorsed = await attemptAsync(() =>
    authenticateEndorsements(context, tee, { path, extension: facts.pck }, collateral),
  )
  if (!endorsed.ok) return { faults, codes: endorsed.faults.map((f) => f.code), endorsed: undefined, claims: undefined }
  const { tcbInfo, qeIdentity, missing } = endorsed.value
  if (tcbInfo === undefined || qeIdentity === undefined) {
    return { faults, codes: missing.map((f) => f.code), endorsed: endorsed.value, claims: undefined }
  }
  const outcome = attempt(() => evaluateTcb(tee, facts, tcbInfo, qeIdentity))
  return {
    faults,
    codes: outcome.ok ? [] : outcome.faults.map((f) => f.code),
    endorsed: endorsed.value,
    claims: outcome.ok ? outcome.value : undefined,
  }
}

const REAL_ROOT = 'intel/_anchors/intel_sgx_root_ca.der'

describeEvidence('intel', () => {
  const cases = casesBelow('intel')
  const real = (name: string) =>
    evaluated(`intel/${name}`, REAL_ROOT, evidenceJson<Case>(`intel/${name}/case.json`).verificationTime)
  const rows = evidenceJson<readonly Row[]>('index.json')

  it('has every case with collateral', () => {
    expect(cases).toHaveLength(47)
  })

  /** These three were captured without revocation lists. */
  const WITHOUT_LISTS = ['sgx-v3-oasis-2022', 'tdx-v4-oasis-c0806f', 'tdx-v4-oasis-outofdate']

  it.each(cases)('%s: collateral is read, proved and evaluated as Intel’s algorithm does', async (name) => {
    const { verified } = evidenceJson<Case>(`intel/${name}/case.json`)
    const expected = verified?.intelAlgorithm
    const { faults, codes, endorsed, claims } = await real(name)
    expect(faults).toEqual([])
    expect(endorsed?.missing).toEqual([])
    expect(endorsed?.revocation).toEqual({
      chain: 'intel-pck',
      status: WITHOUT_LISTS.includes(name) ? 'notGiven' : 'good',
      stapled: false,
      faults: [],
    })
    if (expected?.status === 'NoMatchingTcbLevel') {
      expect(codes).toEqual([name.includes('tdx') ? 'TDX_TCB_NO_LEVEL' : 'SGX_TCB_NO_LEVEL'])
      return
    }
    expect({ codes, status: claims?.status, advisoryIds: claims?.advisoryIds }).toEqual({
      codes: [],
      status: expected?.status,
      advisoryIds: expected?.advisoryIds,
    })
    expect([claims?.tcbEvaluationDataNumber, claims?.qeEvaluationDataNumber]).toEqual([
      verified?.tcbEvaluationDataNumber,
      verified?.qeEvaluationDataNumber,
    ])
    const row = rows.find((r) => r.path === `intel/${name}`)
    if (row?.advisoryIds != null && isStatus(row.status)) {
      expect([claims?.status, claims?.advisoryIds]).toEqual([row.status, row.advisoryIds])
    }
    // Whoever is out of date is told what to raise, and nobody else is.
    expect((claims?.deficits.length ?? 0) > 0).toBe(claims?.status === 'OutOfDate')
  })

  describe('two TDX quotes on which verifiers disagree: TEE_TCB_SVN[0] and [1] are the module’s, and no platform components', () => {
    it('derived-tdx-v4-00b2526a-00806f050000-ev17 is UpToDate, where comparing all 16 says OutOfDate', async () => {
      const { claims } = await real('derived-tdx-v4-00b2526a-00806f050000-ev17')
      expect(claims).toMatchObject({
        status: 'UpToDate',
        advisoryIds: [],
        platform: { status: 'UpToDate', tcbDate: '2024-03-13T00:00:00Z' },
        module: { status: 'UpToDate', tcbDate: '2024-03-13T00:00:00Z' },
        deficits: [],
      })
    })

    it.each(['ev17', 'ev18'])('derived-tdx-v4-a187b0da-00806f050000-%s has a level, OutOfDate', async (number) => {
      const { claims, codes } = await real(`derived-tdx-v4-a187b0da-00806f050000-${number}`)
      expect(codes).toEqual([])
      expect(claims).toMatchObject({
        status: 'OutOfDate',
        platform: { status: 'OutOfDate', tcbDate: '2023-08-09T00:00:00Z' },
        module: { status: 'OutOfDate' },
      })
      expect(claims?.deficits.map((d) => d.component)).toContain('tdxModule.isvsvn')
      expect(claims?.deficits.map((d) => d.component)).not.toContain('tdxtcbcomponents[0]')
    })
  })

  it('says what to raise in the words of the document', async () => {
    const { claims } = await real('derived-tdx-v4-f51db4d1-00806f050000-ev19')
    expect(claims?.deficits).toEqual([
      deficit('sgxtcbcomponents[0]', 7, 8, 'BIOS: Early Microcode Update'),
      deficit('sgxtcbcomponents[1]', 7, 8, 'OS/VMM: SGX Late Microcode Update'),
      deficit('sgxtcbcomponents[4]', 3, 4, 'BIOS'),
      deficit('sgxtcbcomponents[7]', 3, 6, 'OS/VMM: SEAMLDR ACM'),
      deficit('tdxtcbcomponents[2]', 7, 8, 'OS/VMM: TDX Late Microcode Update'),
      deficit('tdxModule.isvsvn', 4, 6, 'TDX module'),
    ])
  })

  it('rests on the signer, both documents and both lists, each with its dates', async () => {
    const { endorsed } = await real('derived-tdx-v4-f51db4d1-00806f050000-ev19')
    expect(endorsed?.uses.map((u) => u.kind)).toEqual([
      'x509-certificate',
      'intel-tcb-info',
      'intel-qe-identity',
      'x509-crl',
      'x509-crl',
    ])
    expect(endorsed?.injectedAnchors).toEqual(['injected/Intel SGX Root CA'])
    expect(endorsed?.uses[1]).toMatchObject({
      issuedAt: endorsed?.tcbInfo?.issueDate,
      validUntil: endorsed?.tcbInfo?.nextUpdate,
    })
  })

  it('refuses real collateral once it is out of date, whatever its signature says', async () => {
    const name = 'derived-tdx-v4-00b2526a-00806f050000-ev17'
    const now = Date.parse('2026-11-01T00:00:00Z') / 1000
    expect((await evaluated(`intel/${name}`, REAL_ROOT, now)).codes).toEqual(['COLLATERAL_EXPIRED'])
  })
})

const deficit = (component: string, actual: number, required: number, raisedBy: string) => ({
  ...{ component, actual, required, raisedBy },
})

const isStatus = (status: string | undefined): boolean =>
  status === 'UpToDate' || /Needed$|^OutOfDate/.test(status ?? '')

interface Synthetic {
  readonly name: string
  readonly verificationTime: number
  readonly expect: {
    readonly accept: boolean | 'optional'
    readonly status?: string
    readonly advisoryIds?: readonly string[]
  }
}

/** What each case that is wrong in its collateral, or below it in its TCB, comes back with. */
const REFUSED: Readonly<Record<string, readonly string[]>> = {
  tcb_signer_revoked: ['X509_REVOKED'],
  intermediate_revoked: ['X509_REVOKED'],
  pck_revoked_crl_stripped: ['CRL_SIGNATURE_INVALID'],
  root_crl_wrong_key: ['CRL_SIGNATURE_INVALID'],
  tcb_expired: ['COLLATERAL_EXPIRED'],
  tcb_issue_date_future: ['COLLATERAL_NOT_YET_VALID'],
  invalid_tcb_signature: ['TDX_COLLATERAL_SIGNATURE'],
  tcb_reserialised: ['TDX_COLLATERAL_SIGNATURE'],
  ca_used_as_end_entity_tcb: ['TDX_COLLATERAL_SIGNATURE'],
  sgx_tcb_id_mismatch: ['SGX_TCB_INFO_KIND'],
  tdx_quote_sgx_tcb: ['TDX_TCB_INFO_KIND'],
  fmspc_mismatch: ['TDX_FMSPC_MISMATCH'],
  pceid_mismatch: ['TDX_FMSPC_MISMATCH'],
  unknown_tcb_status: ['TDX_TCB_NO_LEVEL'],
  sgx_component_svn_mismatch: ['TDX_TCB_NO_LEVEL'],
  pcesvn_too_low: ['TDX_TCB_NO_LEVEL'],
  tcb_components_truncated: ['TDX_TCB_COMPONENTS'],
  tcb_status_unknown_string: ['TDX_TCB_STATUS_UNKNOWN'],
  revoked_platform_tcb: ['TDX_TCB_REVOKED'],
  tdx_module_unknown_version: ['TDX_MODULE_UNKNOWN'],
  tdx_module_mrsignerseam: ['TDX_SEAM_UNTRUSTED'],
  tdx_module_svn_below_all: ['TDX_TCB_NO_LEVEL'],
  invalid_qe_identity_json: ['TDX_QE_IDENTITY_MISSING'],
  invalid_qe_identity_signature: ['TDX_COLLATERAL_SIGNATURE'],
  qe_identity_unsigned_forged: ['TDX_COLLATERAL_SIGNATURE'],
  tdx_qe_identity_id_mismatch: ['TDX_QE_IDENTITY_MISMATCH'],
  sgx_qe_identity_id_mismatch: ['SGX_QE_IDENTITY_MISMATCH'],
  qe_identity_version_1: ['TDX_COLLATERAL_MALFORMED'],
  qe_isvprodid_mismatch: ['TDX_QE_IDENTITY_MISMATCH'],
  qe_miscselect_mismatch: ['TDX_QE_IDENTITY_MISMATCH'],
  qe_attributes_mismatch: ['TDX_QE_IDENTITY_MISMATCH'],
  qe_debug_enabled: ['TDX_QE_IDENTITY_MISMATCH'],
  revoked_qe_tcb: ['TDX_TCB_REVOKED'],
  qe_isvsvn_below_all: ['TDX_TCB_NO_LEVEL'],
  tdx_missing_components: ['TDX_TCB_COMPONENTS'],
  invalid_cert_format: ['TDX_TCB_INFO_MISSING'],
}

/** Revocation that is not `good`, which a policy that asks for it never accepts. */
const REVOCATION: Readonly<Record<string, readonly string[]>> = {
  pck_crl_garbage: ['unknown', 'CRL_MISSING crl.pck'],
  pck_crl_missing: ['unknown', 'CRL_MISSING crl.pck'],
  root_crl_expired: ['unknown', 'CRL_STALE crl.root.nextUpdate'],
  crls_swapped: ['notGiven'],
}

describeEvidence('intel/synthetic', () => {
  const rows = evidenceJson<readonly Synthetic[]>('intel/synthetic/index.json')
  const about = (name: string) => rows.find((r) => r.name === name)
  const ROOT = 'intel/synthetic/_pki/root_ca.der'
  const judged = (name: string) =>
    evaluated(`intel/synthetic/${name}`, ROOT, about(name)?.verificationTime ?? Number.NaN)

  it.each(Object.entries(REFUSED))('%s: %s', async (name, expected) => {
    expect(about(name)?.expect.accept).toBe(false)
    const { codes, claims } = await judged(name)
    expect({ codes, claims }).toEqual({ codes: expected, claims: undefined })
  })

  it.each(Object.entries(REVOCATION))('%s: revocation is %s', async (name, expected) => {
    expect(about(name)?.expect.accept).toBe(false)
    const { endorsed } = await judged(name)
    const { status, faults = [] } = endorsed?.revocation ?? {}
    expect([status, ...faults.map((f) => `${f.code} ${f.path}`)]).toEqual(expected)
  })

  // The document is genuine and so is the key that signed it; only its certificate was issued anew under a root of the same
  // name. What was delivered as the chain of an answer is its chain: a genuine copy in the chain of another does not mend it.
  it('tcb_chain_other_root: a document is held to the chain that came with it', async () => {
    const name = 'tcb_chain_other_root'
    expect((await judged(name)).codes).toEqual(['X509_ROOT_UNTRUSTED'])
    const file = evidenceJson<Record<string, string>>(`intel/synthetic/${name}/collateral.json`)
    const { tcb_info_issuer_chain: _, ...mended } = file
    const now = about(name)?.verificationTime ?? Number.NaN
    const { codes } = await evaluated(`intel/synthetic/${name}`, ROOT, now, utf8(JSON.stringify(mended)))
    expect(codes).toEqual([])
  })

  const accepted = rows.filter((r) => r.expect.status !== undefined).map((r) => r.name)
  it('has all statuses', () => {
    expect(accepted.length).toBe(15)
  })

  it.each(accepted)('%s', async (name) => {
    const wanted = about(name)?.expect
    const { faults, codes, endorsed, claims } = await judged(name)
    expect({ faults, codes, status: claims?.status }).toEqual({ faults: [], codes: [], status: wanted?.status })
    if (wanted?.advisoryIds !== undefined) expect(claims?.advisoryIds).toEqual(wanted.advisoryIds)
    expect(endorsed?.revocation.status).toBe('good')
  })
})
