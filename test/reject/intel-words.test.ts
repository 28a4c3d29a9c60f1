import { describe, expect, it } from 'vitest'
import { type Code, isCode } from '../../src/core/codes.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Policy } from '../../src/policy/policy.ts'
import type { SgxFault } from '../../src/testing/index.ts'
import { judgedIntel, MR_ENCLAVE, SGX_KIT, sgxPolicy, TDX_KIT, td, tdxPolicy } from './intel-stage.ts'
import { accepted, refused } from './row.ts'

/*
 * Faults of the kit that no row of TDX or SGX has: rows of other areas, which are about AMD and NVIDIA in their own files,
 * on Intel's chains, lists and documents; and the rows of TDX on enclaves, which are told in words of their own.
 */

/** Each fault belongs to exactly one line. */
type Lines = readonly (readonly [code: string, faults: RegExp])[]

const DOCUMENT = '(tcb-info|qe-identity)'
const LIST = '(root|pck)-crl'
const of = (pattern: string): RegExp => new RegExp(`^(${pattern})$`)

/** `TEE_` stands for `TDX_` and `SGX_`. */
const OTHER_AREAS: Lines = [
  ['BIND_NONCE_MISMATCH', of('report-data-.*')],
  ['X509_ROOT_UNTRUSTED', of(`chain-foreign-root|chain-root-same-name|${DOCUMENT}-signed-by-foreign-signer`)],
  ['X509_SIGNATURE_INVALID', of(`chain-foreign-issuer|(pck|issuer|${DOCUMENT}-signer)-signature-tampered`)],
  ['X509_NAME_CHAIN', of('chain-other-authority|pck-issuer-name')],
  ['X509_VALIDITY', of(`(pck|issuer|root|${DOCUMENT}-signer)-(expired|not-yet-valid)`)],
  ['X509_LEAF_IS_CA', of('pck-is-ca')],
  ['X509_NOT_CA', of('issuer-(not-ca|no-basic-constraints)')],
  ['X509_KEY_USAGE', of('pck-no-digital-signature|issuer-no-cert-sign')],
  ['X509_CRITICAL_EXTENSION', of('(pck|issuer)-unknown-critical-ext')],
  ['X509_EXTENSION_DUPLICATE', of('pck-duplicate-extension')],
  ['X509_KEY_UNSUPPORTED', of('pck-key-p384')],
  ['X509_ALGORITHM_FORBIDDEN', of('pck-signed-with-sha1')],
  ['X509_REVOKED', of('(pck|issuer|tcb-signer|root)-revoked')],
  ['PEM_INVALID', of('chain-(garbage|text-between|text-behind|bytes-behind-nul)')],
  ['TEE_CERT_DATA_INVALID', of('chain-(leaf-only|extra-certificate|duplicate|pck-as-authority)')],
  ['TEE_PCK_CERT_ROLE', of('chain-(without-issuer|reversed|reordered|tcb-signer-as-pck)|pck-common-name')],
  [
    'CRL_SIGNATURE_INVALID',
    of(`${LIST}-(signature-tampered|other-key|foreign|signed-by-pck)|pck-revoked-list-stripped`),
  ],
  // Lists that cannot be read, or that are another issuer's, leave their place empty.
  ['CRL_MISSING', of(`${LIST}-(missing|garbage|trailing-byte|version-1|of-other-authority)|crls-swapped`)],
  ['CRL_STALE', of(`${LIST}-expired`)],
  ['CRL_TIME_INVALID', of(`${LIST}-future`)],
  ['CRL_UNSUPPORTED', of(`${LIST}-(no-next-update|unknown-critical-ext|delta)`)],
  ['COLLATERAL_EXPIRED', of(`${DOCUMENT}-expired`)],
  ['COLLATERAL_NOT_YET_VALID', of(`${DOCUMENT}-future`)],
  ['COLLATERAL_EVALUATION_TOO_LOW', of(`${DOCUMENT}-evaluation-number-low`)],
  ['TEE_COLLATERAL_MALFORMED', of(`${DOCUMENT}-(no-next-update|date-malformed|evaluation-number-missing)`)],
  ['TEE_COLLATERAL_SIGNATURE', of(`${DOCUMENT}-chain-without-signer`)],
  ['TEE_TCB_INFO_MISSING', of('tcb-info-(missing|chain-garbage)')],
  ['TEE_QE_IDENTITY_MISSING', of('qe-identity-(missing|chain-garbage)')],
  // The root is pinned by name and key: its certificate need not come along, and its own constraints are no input (RFC 5280
  // §6.1.1). A document without a chain is proved by the signer that came with the other one.
  ['', of(`chain-without-root|root-path-length-0|${DOCUMENT}-chain-missing`)],
]

const OF_ENCLAVES: Lines = [
  ['ENV_EVIDENCE_EMPTY', of('quote-empty')],
  ['ENV_KIND_MISMATCH', of('tee-type-(other|unknown)')],
  [
    'SGX_FORMAT_INVALID',
    of('quote-(truncated-.*|noise|trailing-.*|padding-.*)|auth-length-(?!minus-1).*|(version|key-type)-[0-9]+'),
  ],
  ['SGX_FORMAT_INVALID', of('body-(type|size)-.*|vendor-unknown')],
  ['SGX_CERT_DATA_INVALID', of('(outer|qe-auth|certification)-length-.*|auth-length-minus-1|outer-type-5')],
  ['SGX_CERT_DATA_INVALID', of('certification-type-[14678]')],
  ['SGX_PCK_CERT_MISSING', of('certification-type-[23]')],
  ['SGX_SIGNATURE_INVALID', of('quote-signature-.*|(body|header)-tampered|auth-of-another-quote')],
  ['SGX_SIGNATURE_INVALID', of('attestation-key-off-curve')],
  ['SGX_QE_SIGNATURE_INVALID', of('qe-signature-.*|qe-report-tampered|qe-revoked-and-unsigned|chain-other-pck')],
  ['SGX_QE_BINDING_INVALID', of('attestation-key-(tampered|swapped)|qe-auth-data-tampered|qe-report-data-tail')],
  ['SGX_QE_IDENTITY_MISMATCH', of('qe-(mrsigner|isvprodid|miscselect.*|attributes.*|debug)')],
  ['SGX_QE_IDENTITY_MISMATCH', of('qe-identity-(other-tee|mrsigner|isvprodid|miscselect|attributes)')],
  ['SGX_COLLATERAL_MALFORMED', of('qe-identity-(id-unknown|version-1|mask-short)|(qe-)?levels-missing')],
  ['SGX_COLLATERAL_MALFORMED', of('tcb-info-(fmspc-short|version-4|id-unknown|type-1)')],
  ['SGX_QE_TCB_OUT_OF_DATE', of('qe-out-of-date')],
  ['SGX_TCB_OUT_OF_DATE', of('platform-OutOfDate.*')],
  ['SGX_TCB_STATUS_NOT_ALLOWED', of('platform-(SWHardening|Configuration).*')],
  ['SGX_TCB_REVOKED', of('qe-revoked|platform-Revoked')],
  ['SGX_TCB_NO_LEVEL', of('(qe-)?levels-empty|qe-isvsvn-below-all|platform-(.*-)?below-all')],
  ['SGX_TCB_STATUS_UNKNOWN', of('(qe-)?level-status-unknown')],
  ['SGX_TCB_LEVEL_MALFORMED', of('level-svn-(string|256|negative|missing)|qe-level-svn-.*|level-status-missing')],
  ['SGX_TCB_LEVEL_MALFORMED', of('level-(pcesvn-.*|date-.*|advisories-string|malformed-at-the-end)')],
  ['SGX_TCB_COMPONENTS', of('level-components-.*')],
  ['SGX_FMSPC_MISMATCH', of('tcb-info-(fmspc|pceid)')],
  ['SGX_TCB_INFO_KIND', of('tcb-info-other-tee')],
  ['SGX_ADVISORY_PRESENT', of('level-advisory')],
  ['SGX_COLLATERAL_SIGNATURE', of(`${DOCUMENT}-(signature-(tampered|zero)|signed-by-.*|signer-common-name)`)],
  ['SGX_COLLATERAL_SIGNATURE', of(`${DOCUMENT}-(reserialised|reordered|line-end-behind)`)],
  ['SGX_COLLATERAL_SIGNATURE', of('tcb-info-levels-edited|qe-forged')],
  ['SGX_TCB_INFO_MISSING', of('tcb-info-(signature-(short|der|missing)|not-json|not-an-object|duplicate-key)')],
  ['SGX_QE_IDENTITY_MISSING', of('qe-identity-(signature-(short|der|missing)|not-json|not-an-object|duplicate-key)')],
  ['SGX_PCK_EXTENSION_INVALID', of('sgx-(?!extension-twice).*')],
  ['X509_EXTENSION_DUPLICATE', of('sgx-extension-twice')],
  ['JSON_TYPE_MISMATCH', of('level-svn-fraction')],
]

/** undefined: accepted */
function codeOf(lines: Lines, wrong: string, tee: 'TDX' | 'SGX'): Code | undefined {
  const found = lines.filter(([, faults]) => faults.test(wrong))
  if (found.length !== 1) throw new TypeError(`${wrong} belongs to ${found.length} lines`)
  const code = (found[0]?.[0] ?? '').replace(/^TEE_/, `${tee}_`)
  if (code !== '' && !isCode(code)) throw new TypeError(`${code} is no code`)
  return code === '' ? undefined : code
}

const isOther = (rows: readonly string[]): boolean => rows.every((id) => !/^RJ-(TDX|SGX)-/.test(id))

/** Faults by the first word of their names, so that no test takes long. */
function inParts<Name extends string>(names: readonly Name[]): readonly (readonly [string, readonly Name[]])[] {
  const parts = new Map<string, Name[]>()
  for (const name of names) {
    const [word = ''] = name.split('-')
    parts.set(word, [...(parts.get(word) ?? []), name])
  }
  return [...parts]
}

/** Rules that a machine in order meets, and by which a fault that only a policy can see is seen. */
const ASKING: JsonObject = { minTcbEvaluationDataNumber: 20, denyAdvisories: ['INTEL-SA-01397'] }

interface Judged<Fault> {
  readonly tee: 'TDX' | 'SGX'
  readonly kit: {
    readonly needsOf: (wrong: Fault) => object
    readonly judge: (
      options: { readonly wrong?: Fault },
      how: { readonly policy: Policy },
    ) => ReturnType<typeof judgedIntel>
  }
  readonly policy: Policy
}

async function compare<Fault extends string>(lines: Lines, names: readonly Fault[], how: Judged<Fault>): Promise<void> {
  const { tee, kit, policy } = how
  for (const wrong of names) {
    const code = codeOf(lines, wrong, tee)
    const needs = kit.needsOf(wrong)
    if (code !== undefined) accepted(await kit.judge(needs, { policy }), `twin of ${wrong}`)
    const decision = await kit.judge({ ...needs, wrong }, { policy })
    if (code === undefined) accepted(decision, wrong)
    else refused(decision, [code], wrong)
  }
}

const TDS = { tee: 'TDX', kit: TDX_KIT, policy: tdxPolicy(ASKING) } as const
const ENCLAVES = { tee: 'SGX', kit: SGX_KIT, policy: sgxPolicy({ mrEnclave: [MR_ENCLAVE], ...ASKING }) } as const

describe.each(inParts(TDX_KIT.faults.filter((f) => isOther(TDX_KIT.rowsOf(f)))))('TDs, %s-…', (_, names) => {
  it(`are judged by the rows of other areas (${names.length})`, () => compare(OTHER_AREAS, names, TDS))
})

describe.each(inParts(SGX_KIT.faults.filter((f) => isOther(SGX_KIT.rowsOf(f)))))('enclaves, %s-…', (_, names) => {
  it(`are judged by the rows of other areas (${names.length})`, () => compare(OTHER_AREAS, names, ENCLAVES))
})

/** Faults that TDX rows are about, of enclaves; those that SGX rows name as well are judged there too. */
const shared = SGX_KIT.faults.filter((f: SgxFault) => SGX_KIT.rowsOf(f).some((id) => id.startsWith('RJ-TDX-')))

describe.each(inParts(shared))('enclaves, %s-…', (_, names) => {
  it(`are judged by the rows of TDX, in words of their own (${names.length})`, () =>
    compare(OF_ENCLAVES, names, ENCLAVES))
})

describe('no revocation list at all', () => {
  it('is no accept where the policy asks for them', async () => {
    const machine = td()
    const none = {
      ...machine,
      collateral: { ...machine.collateral, rootCaCrl: new Uint8Array(), pckCrl: new Uint8Array() },
    }
    accepted(await judgedIntel(machine))
    refused(await judgedIntel(none), ['CRL_MISSING'])
    const { verdict, notChecked } = await judgedIntel(none, { policy: tdxPolicy({ revocation: 'none' }) })
    expect([verdict, notChecked.length > 0]).toEqual(['accept', true])
  })
})
