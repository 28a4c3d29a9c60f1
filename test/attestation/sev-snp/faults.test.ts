import { describe, expect, it } from 'vitest'
import type { Code } from '../../../src/core/codes.ts'
import { AMD_FAULTS, type AmdFault, amdMachine } from '../../../src/testing/amd/index.ts'
import { ACCEPTED, judgeMachine, refusedWith, verdictOf } from './support.ts'

/**
 * Every fault of the test kit that this kind refuses by itself. The evidence is re-signed with the genuine keys, so only the
 * check under test can have refused it; each stands beside the same machine without the fault.
 */
const REFUSED: Readonly<Partial<Record<AmdFault, Code>>> = {
  'report-truncated': 'SNP_SIZE_MISMATCH',
  'report-trailing-byte': 'SNP_SIZE_MISMATCH',
  'version-0': 'SNP_VERSION_UNSUPPORTED',
  'version-1': 'SNP_VERSION_UNSUPPORTED',
  'version-6': 'SNP_VERSION_UNSUPPORTED',
  'version-max': 'SNP_VERSION_UNSUPPORTED',
  'mbz-4c': 'SNP_RESERVED_NOT_ZERO',
  'mbz-18b': 'SNP_RESERVED_NOT_ZERO',
  'mbz-1eb': 'SNP_RESERVED_NOT_ZERO',
  'mbz-1ef': 'SNP_RESERVED_NOT_ZERO',
  'mbz-208': 'SNP_RESERVED_NOT_ZERO',
  'mbz-29f': 'SNP_RESERVED_NOT_ZERO',
  'mbz-v2-cpuid': 'SNP_RESERVED_NOT_ZERO',
  'mbz-v3-mitvector': 'SNP_RESERVED_NOT_ZERO',
  'keyinfo-bit5': 'SNP_RESERVED_NOT_ZERO',
  'tcb-reserved-byte': 'SNP_RESERVED_NOT_ZERO',
  'sigalgo-0': 'SNP_SIGNATURE_ALGORITHM',
  'sigalgo-2': 'SNP_SIGNATURE_ALGORITHM',
  'signer-none': 'SNP_SIGNER_UNSUPPORTED',
  'signer-reserved-2': 'SNP_SIGNER_UNSUPPORTED',
  'policy-mbo17-clear': 'SNP_POLICY_RESERVED_BIT',
  'policy-bit26': 'SNP_POLICY_RESERVED_BIT',
  'vmpl-host': 'SNP_HOST_REQUESTED',
  'vmpl-4': 'SNP_VMPL_MISMATCH',
  'sig-r-high-byte': 'SNP_SIGNATURE_NOT_CANONICAL',
  'sig-s-high-byte': 'SNP_SIGNATURE_NOT_CANONICAL',
  'sig-tail-nonzero': 'SNP_RESERVED_NOT_ZERO',
  'sig-r-zero': 'SNP_SIGNATURE_RANGE',
  'sig-s-zero': 'SNP_SIGNATURE_RANGE',
  'sig-r-is-n': 'SNP_SIGNATURE_RANGE',
  'sig-s-is-n': 'SNP_SIGNATURE_RANGE',
  'sig-r-plus-n': 'SNP_SIGNATURE_RANGE',
  'sig-s-plus-n': 'SNP_SIGNATURE_RANGE',
  'sig-zero': 'SNP_SIGNATURE_RANGE',
  'sig-be': 'SNP_SIGNATURE_INVALID',
  'report-byte-flip': 'SNP_SIGNATURE_INVALID',
  'signed-by-other-key': 'SNP_SIGNATURE_INVALID',
  'product-mismatch-fms': 'SNP_PRODUCT_MISMATCH',
  'product-unknown-fms': 'SNP_PRODUCT_MISMATCH',
  'product-venice': 'SNP_PRODUCT_MISMATCH',
  'ext-product-name': 'SNP_PRODUCT_MISMATCH',

  'hwid-mismatch': 'SNP_VCEK_CHIP_MISMATCH',
  'turin-chipid-tail-nonzero': 'SNP_VCEK_CHIP_MISMATCH',
  'tcb-cert-lower-bl': 'SNP_VCEK_TCB_MISMATCH',
  'tcb-cert-lower-tee': 'SNP_VCEK_TCB_MISMATCH',
  'tcb-cert-lower-snp': 'SNP_VCEK_TCB_MISMATCH',
  'tcb-cert-lower-ucode': 'SNP_VCEK_TCB_MISMATCH',
  'tcb-cert-higher-bl': 'SNP_VCEK_TCB_MISMATCH',
  'tcb-cert-higher-tee': 'SNP_VCEK_TCB_MISMATCH',
  'tcb-cert-higher-snp': 'SNP_VCEK_TCB_MISMATCH',
  'tcb-cert-higher-ucode': 'SNP_VCEK_TCB_MISMATCH',
  'turin-fmc-mismatch': 'SNP_VCEK_TCB_MISMATCH',
  'turin-fmc-higher': 'SNP_VCEK_TCB_MISMATCH',
  'ext-missing-structversion': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-missing-product': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-missing-hwid': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-missing-bl': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-missing-spl5': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-missing-ucode': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-vlek-without-csp': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-vlek-with-hwid': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-hwid-and-csp': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-duplicate-bl': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-duplicate-ucode': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-hwid-63': 'SNP_VCEK_EXTENSION_INVALID',
  'turin-hwid-64': 'SNP_VCEK_EXTENSION_INVALID',
  'turin-fmc-missing': 'SNP_VCEK_EXTENSION_INVALID',
  'turin-structversion-0': 'SNP_VCEK_EXTENSION_INVALID',
  'turin-spl4-present': 'SNP_VCEK_EXTENSION_INVALID',
  'genoa-fmc-present': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-structversion': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-spl5-nonzero': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-non-minimal-integer': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-integer-two-bytes': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-integer-negative': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-value-trailing-byte': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-value-not-integer': 'SNP_VCEK_EXTENSION_INVALID',

  'signer-kind-vlek-in-report-vcek-cert': 'SNP_SIGNER_KIND_MISMATCH',
  'signer-kind-vcek-in-report-vlek-cert': 'SNP_SIGNER_KIND_MISMATCH',
  'leaf-under-asvk-claims-vcek': 'SNP_SIGNER_KIND_MISMATCH',
  'leaf-under-ask-claims-vlek': 'SNP_SIGNER_KIND_MISMATCH',
  'leaf-wrong-cn': 'SNP_SIGNER_KIND_MISMATCH',

  'leaf-expired': 'X509_VALIDITY',
  'leaf-not-yet-valid': 'X509_VALIDITY',
  'leaf-pss-salt32': 'X509_ALGORITHM_FORBIDDEN',
  'leaf-pkcs1': 'X509_ALGORITHM_FORBIDDEN',
  'leaf-md5': 'X509_ALGORITHM_FORBIDDEN',
  'leaf-sha1': 'X509_ALGORITHM_FORBIDDEN',
  'leaf-alg-mismatch': 'X509_ALGORITHM_MISMATCH',
  'leaf-signature-tampered': 'X509_SIGNATURE_INVALID',
  'leaf-signed-by-ark': 'X509_SIGNATURE_INVALID',
  'leaf-issuer-name': 'X509_NAME_CHAIN',
  'leaf-unknown-critical-ext': 'X509_CRITICAL_EXTENSION',
  'leaf-is-ca': 'X509_LEAF_IS_CA',
  'leaf-p256': 'X509_KEY_UNSUPPORTED',
  'leaf-explicit-curve': 'X509_KEY_UNSUPPORTED',
  'leaf-point-off-curve': 'X509_KEY_INVALID',
  'leaf-point-infinity': 'X509_KEY_INVALID',
  'leaf-point-compressed': 'X509_KEY_INVALID',
  'leaf-unused-bits': 'DER_TRAILING_BYTES',
  'leaf-trailing-byte': 'DER_TRAILING_BYTES',
  'leaf-indefinite-length': 'DER_NOT_CANONICAL',
  'leaf-long-form-length': 'DER_NOT_CANONICAL',
  'leaf-oid-arc-overflow': 'DER_OID_INVALID',

  'chain-rogue-ark': 'X509_ROOT_UNTRUSTED',
  'chain-ask-as-ark': 'X509_ROOT_UNTRUSTED',
  'ask-expired': 'X509_VALIDITY',
  'ask-not-yet-valid': 'X509_VALIDITY',
  'ask-not-ca': 'X509_NOT_CA',
  'ask-no-basic-constraints': 'X509_NOT_CA',
  'ask-no-cert-sign': 'X509_KEY_USAGE',
  'ask-unknown-critical-ext': 'X509_CRITICAL_EXTENSION',
  'ask-duplicate-extension': 'X509_EXTENSION_DUPLICATE',
  'ask-issuer-name': 'X509_NAME_CHAIN',
  'ask-signature-tampered': 'X509_SIGNATURE_INVALID',
  'ask-pss-salt32': 'X509_ALGORITHM_FORBIDDEN',
  'ask-rsa-16384': 'X509_KEY_SIZE',
  'ask-rsa-2048': 'X509_KEY_SIZE',
  'ask-rsa-huge-exponent': 'X509_KEY_SIZE',
  'ark-expired': 'X509_VALIDITY',
  'ark-not-yet-valid': 'X509_VALIDITY',

  'crl-ask-revoked': 'X509_REVOKED',
  'crl-ark-revoked': 'X509_REVOKED',
  'crl-ask-on-hold': 'X509_REVOKED',
  'crl-no-nextupdate': 'CRL_UNSUPPORTED',
  'crl-unknown-critical-ext': 'CRL_UNSUPPORTED',
  'crl-delta': 'CRL_UNSUPPORTED',
  'crl-signed-by-ask': 'CRL_SIGNATURE_INVALID',
  'crl-wrong-issuer': 'CRL_SIGNATURE_INVALID',
  'crl-signature-tampered': 'CRL_SIGNATURE_INVALID',
  'crl-other-product': 'CRL_SIGNATURE_INVALID',

  'table-offset-wraps': 'SNP_CERT_TABLE_INVALID',
  'table-offset-in-header': 'SNP_CERT_TABLE_INVALID',
  'table-length-past-end': 'SNP_CERT_TABLE_INVALID',
  'table-truncated-header': 'SNP_CERT_TABLE_INVALID',
  'table-no-terminator': 'SNP_CERT_TABLE_INVALID',
  'table-duplicate-vek': 'SNP_CERT_TABLE_AMBIGUOUS',
}

/** Faults that a policy, the challenge or the freshness of collateral is there to refuse: the report itself is genuine. */
const LEFT_TO_APPRAISAL: readonly AmdFault[] = [
  ...(['vmpl-1', 'vmpl-2', 'vmpl-3', 'platforminfo-unknown-bit8', 'platforminfo-alias-clear', 'policy-debug'] as const),
  ...(['policy-migrate-ma', 'maskchipkey-nonzero-chip', 'vcek-chipid-zero', 'mitigation-bit-clear'] as const),
  ...(['author-key-without-digest', 'id-key-other', 'measurement-one-bit-off', 'host-data-other'] as const),
  ...(['report-data-other', 'tcb-below-floor-bl', 'tcb-below-floor-tee', 'tcb-below-floor-snp'] as const),
  ...(['tcb-below-floor-ucode', 'tcb-below-floor-fmc', 'tcb-below-advisory', 'provisional-firmware'] as const),
  ...(['launch-tcb-low', 'crl-expired', 'crl-future'] as const),
]

/** Facts of the trusted root that an anchor does not carry; and a list that is no list to us, told when collateral is read. */
const NOT_SEEN_HERE: readonly AmdFault[] = ['ark-path-length-0', 'ark-no-crl-sign', 'crl-pss-salt32']

/** Proved, and yet refused: told beside the claims. */
const CONTRADICTIONS: Readonly<Partial<Record<AmdFault, Code>>> = {
  'smt-forbidden-but-enabled': 'SNP_PLATFORM_CONTRADICTS_POLICY',
  'committed-above-current': 'SNP_TCB_INCONSISTENT',
  'reported-above-current': 'SNP_TCB_INCONSISTENT',
}

const refusals = Object.entries(REFUSED) as [AmdFault, Code][]

describe('faults of the test kit', () => {
  it.each(refusals)('%s is refused with %s, its twin is not', async (wrong, code) => {
    const { needs = {} } = AMD_FAULTS[wrong]
    const { report, ...options } = needs
    const twin = amdMachine('faults', { ...options, ...(report === undefined ? {} : { report }) })
    expect(verdictOf(await judgeMachine(twin))).toEqual(ACCEPTED)
    expect(verdictOf(await judgeMachine(amdMachine('faults', { wrong })))).toEqual(refusedWith(code))
  })

  it.each(LEFT_TO_APPRAISAL)('%s is genuine and left to appraisal', async (wrong) => {
    expect(verdictOf(await judgeMachine(amdMachine('faults', { wrong })))).toEqual(ACCEPTED)
  })

  it.each(Object.entries(CONTRADICTIONS) as [AmdFault, Code][])('%s is proved and told as %s', async (wrong, code) => {
    const judgement = await judgeMachine(amdMachine('faults', { wrong }))
    expect(verdictOf(judgement)).toEqual({ codes: [code], proved: true })
  })

  it('knows every fault of the kit', () => {
    // `v2-turin-like-chip` is made with its own chip id below, in certificate and report alike.
    const elsewhere = [...LEFT_TO_APPRAISAL, ...NOT_SEEN_HERE, 'v2-turin-like-chip']
    const known = [...Object.keys(REFUSED), ...Object.keys(CONTRADICTIONS), ...elsewhere]
    expect(Object.keys(AMD_FAULTS).filter((f) => !known.includes(f))).toEqual([])
  })
})

describe('products, kinds and versions', () => {
  const sound = (['Milan', 'Genoa', 'Turin'] as const).flatMap((product) =>
    (['VCEK', 'VLEK'] as const).flatMap((kind) =>
      (product === 'Turin' ? [3, 4, 5] : [2, 3, 4, 5]).map((version) => ({ product, kind, version })),
    ),
  )

  it.each(sound)('accepts $product $kind version $version', async ({ product, kind, version }) => {
    const machine = amdMachine('sound', { product, kind, report: { version } })
    expect(verdictOf(await judgeMachine(machine))).toEqual(ACCEPTED)
  })

  it('refuses a processor of another product line, whose TCB has the same layout', async () => {
    const milan = { cpuidFamId: 0x19, cpuidModId: 0x01 }
    expect(verdictOf(await judgeMachine(amdMachine('line', { report: milan })))).toEqual(
      refusedWith('SNP_PRODUCT_MISMATCH'),
    )
    const bergamo = { cpuidFamId: 0x19, cpuidModId: 0xa0 }
    expect(verdictOf(await judgeMachine(amdMachine('line', { report: bergamo })))).toEqual(ACCEPTED)
  })

  it('refuses version 2 under a Turin chain, whose TCB that version cannot express', async () => {
    const tcb = { fmc: 0, bl: 2, tee: 0, snp: 0, ucode: 0x54 } // fits both layouts byte for byte but for its first two
    const turin = amdMachine('v2', { product: 'Turin', kind: 'VLEK', tcb, report: { version: 2 } })
    expect(verdictOf(await judgeMachine(turin))).toEqual(refusedWith('SNP_PRODUCT_MISMATCH'))
  })

  it('refuses version 2 with a chip id of eight bytes', async () => {
    const chipId = new Uint8Array(64).fill(7, 0, 8)
    const options = { report: { version: 2 }, chipId }
    expect(verdictOf(await judgeMachine(amdMachine('v2', options)))).toEqual(refusedWith('SNP_PRODUCT_MISMATCH'))
    const twin = { report: { version: 2 }, chipId: new Uint8Array(64).fill(7) }
    expect(verdictOf(await judgeMachine(amdMachine('v2', twin)))).toEqual(ACCEPTED)
  })
})
