import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { NO_COLLATERAL, sortCollateral } from '../../../src/attestation/collateral.ts'
import { authenticateKey } from '../../../src/attestation/sev-snp/collateral.ts'
import { offersInEvidence } from '../../../src/attestation/sev-snp/endorsements.ts'
import { vekExtensions } from '../../../src/attestation/sev-snp/vek-extensions.ts'
import type { Code } from '../../../src/core/codes.ts'
import { attemptAsync } from '../../../src/core/outcome.ts'
import { decodeCertificate } from '../../../src/core/x509/certificate.ts'
import { anchorFromCertificate } from '../../support/anchors.ts'
import { describeEvidence, evidence, evidenceJson, evidencePath, hasEvidence } from '../../support/evidence.ts'
import { ACCEPTED, contextAt, judgeReport, refusedWith, verdictOf } from './support.ts'

const at = (folder: string) => evidenceJson<{ verificationTime: string }>(`${folder}/case.json`).verificationTime

/** Certificates of a case in files of their own; lists, the trusted root and certificates of other machines apart. */
const certificatesOf = (folder: string) =>
  readdirSync(evidencePath(folder))
    .filter((f) => /\.(der|pem)$/.test(f) && !/^(trusted_ark|crl|other_vcek|kds_cert_chain)\./.test(f))
    .map((f) => evidence(`${folder}/${f}`))

interface How {
  readonly travel: 'with the report' | 'in the collateral'
  readonly crls?: readonly Uint8Array[]
  readonly time?: string
}

async function judgeCase(folder: string, { travel, crls = [], time = at(folder) }: How) {
  const trusted = `${folder}/trusted_ark.der`
  const context = contextAt(
    time,
    ...(hasEvidence(trusted) ? [anchorFromCertificate(evidence(trusted), 'amd/ark')] : []),
  )
  const lists = hasEvidence(`${folder}/crl.der`) ? [evidence(`${folder}/crl.der`), ...crls] : crls
  const certificates = certificatesOf(folder)
  const files = [...lists, ...(travel === 'in the collateral' ? certificates : [])]
  const { collateral } = await sortCollateral(
    context,
    files.map((bytes, i) => ({ name: `${i}`, bytes })),
    'verifier',
  )
  const endorsements = travel === 'with the report' ? certificates : []
  return judgeReport(context, evidence(`${folder}/report.bin`), endorsements, collateral)
}

const REAL = {
  'automata-milan-v2': 'Milan',
  'gosev-milan-v2-vcek': 'Milan',
  'ms-crypto-milan-vcek': 'Milan',
  'ms-milan-vcek': 'Milan',
  'trustee-azure-hcl-bin': 'Milan',
  'trustee-azure-hcl-genoa': 'Genoa',
  'trustee-azure-hcl-v0': 'Milan',
  'trustee-azure-hcl-v1': 'Milan',
  'trustee-e2e-evidence': 'Genoa',
  'trustee-milan-vcek': 'Milan',
  'veraison-genoa-tsm-auxblob': 'Genoa',
  'virtee-milan-v2-vcek': 'Milan',
} as const

const TRAVEL = ['with the report', 'in the collateral'] as const

describeEvidence('sev-snp', () => {
  describe.each(TRAVEL)('certificates %s', (travel) => {
    it.each(Object.entries(REAL))('%s is genuine', async (id, product) => {
      const judgement = await judgeCase(`sev-snp/${id}`, { travel })
      expect(verdictOf(judgement)).toEqual(ACCEPTED)
      expect(judgement.claims?.value).toMatchObject({ product, vmpl: 0, policy: { migrationAgentAllowed: false } })
      expect(judgement.hardwareId).toMatch(/^amd-chip:[0-9a-f]{64}$/)
      expect(judgement.revocation).toEqual([{ chain: 'amd', status: 'notGiven', stapled: false, faults: [] }])
      expect(judgement.injectedAnchors).toEqual([])
    })

    it.each([
      ['ms-neg-milan-tampered-byte100', 'SNP_SIGNATURE_INVALID'],
      ['trustee-neg-vcek-byte42', 'SNP_SIGNATURE_INVALID'],
      ['kinvolk-azure-hcl-snp', 'SNP_VCEK_UNAVAILABLE'],
    ] as [string, Code][])('%s is not: %s', async (id, code) => {
      expect(verdictOf(await judgeCase(`sev-snp/${id}`, { travel }))).toEqual(refusedWith(code))
    })
  })

  it('reads the certificate table of a real guest', async () => {
    const folder = 'sev-snp/veraison-genoa-tsm-auxblob'
    const table = evidence(`${folder}/cert_table.bin`)
    const judgement = await judgeReport(contextAt(at(folder)), evidence(`${folder}/report.bin`), [table], NO_COLLATERAL)
    expect(verdictOf(judgement)).toEqual(ACCEPTED)
    expect(judgement.collateral).toHaveLength(2)
  })

  it('needs no certificate but that of the key: the rest is pinned', async () => {
    for (const [id, leaf] of [
      ['ms-milan-vcek', 'vek.pem'],
      ['trustee-azure-hcl-genoa', 'vek.pem'],
    ] as const) {
      const folder = `sev-snp/${id}`
      const endorsements = [evidence(`${folder}/${leaf}`)]
      const short = await judgeReport(
        contextAt(at(folder)),
        evidence(`${folder}/report.bin`),
        endorsements,
        NO_COLLATERAL,
      )
      expect(verdictOf(short)).toEqual(ACCEPTED)
      expect(short.claims).toEqual((await judgeCase(folder, { travel: 'with the report' })).claims)
    }
  })

  it('says what peers read in the same report', async () => {
    const { claims } = await judgeCase('sev-snp/trustee-azure-hcl-genoa', { travel: 'with the report' })
    expect(claims?.value).toMatchObject({
      reportVersion: 3,
      cpuid: { family: 0x19, model: 0x11, stepping: 1 },
      policy: { abiMajor: 0, abiMinor: 31, smtAllowed: true, debugAllowed: false },
      platformInfo: { smtEnabled: false, eccEnabled: true, aliasCheckComplete: true, unknownBits: '0' },
      reportedTcb: { fmc: undefined, bootloader: 10, tee: 0, snp: 0x17, microcode: 0x54 },
      currentFirmware: { major: 1, minor: 55, build: 40 },
      reportIdMa: 'ff'.repeat(32),
    })
    const debuggable = await judgeCase('sev-snp/gosev-milan-v2-vcek', { travel: 'with the report' })
    expect(debuggable.claims?.value).toMatchObject({ policy: { debugAllowed: true } })
  })

  it('refuses the VCEK of another machine, and finds its own among several', async () => {
    const folder = 'sev-snp/automata-milan-v2'
    const report = evidence(`${folder}/report.bin`)
    const context = contextAt(at(folder))
    const other = await judgeReport(context, report, [evidence(`${folder}/other_vcek.pem`)], NO_COLLATERAL)
    expect(verdictOf(other)).toEqual(refusedWith('SNP_VCEK_CHIP_MISMATCH'))
    const both = [evidence(`${folder}/other_vcek.pem`), evidence(`${folder}/vek.der`)]
    expect(verdictOf(await judgeReport(context, report, both, NO_COLLATERAL))).toEqual(ACCEPTED)
  })

  it('refuses a report of one product with the chain of another', async () => {
    const report = evidence('sev-snp/ms-milan-vcek/report.bin')
    const genoa = [evidence('sev-snp/trustee-azure-hcl-genoa/vek.pem')]
    const judgement = await judgeReport(contextAt('2026-06-01T00:00:00Z'), report, genoa, NO_COLLATERAL)
    expect(verdictOf(judgement)).toEqual(refusedWith('SNP_PRODUCT_MISMATCH'))
  })

  it('reads AMD’s own revocation lists: good in their time, unknown after it', async () => {
    const milan = { folder: 'sev-snp/virtee-milan-v2-vcek', crls: [evidence('sev-snp/roots/milan_vcek_crl.der')] }
    const genoa = { folder: 'sev-snp/veraison-genoa-tsm-auxblob', crls: [evidence('sev-snp/roots/genoa_vcek_crl.der')] }
    for (const { folder, crls } of [milan, genoa]) {
      const good = await judgeCase(folder, { travel: 'in the collateral', crls, time: '2025-06-01T00:00:00Z' })
      expect(verdictOf(good)).toEqual(ACCEPTED)
      expect(good.revocation).toEqual([{ chain: 'amd', status: 'good', stapled: false, faults: [] }])
      const late = await judgeCase(folder, { travel: 'in the collateral', crls, time: '2026-06-01T00:00:00Z' })
      expect(verdictOf(late)).toEqual(ACCEPTED)
      expect(late.revocation[0]).toMatchObject({ status: 'unknown', faults: [{ code: 'CRL_STALE' }] })
    }
    const swapped = { travel: 'in the collateral', crls: milan.crls, time: '2025-06-01T00:00:00Z' } as const
    expect(verdictOf(await judgeCase(genoa.folder, swapped))).toEqual(refusedWith('CRL_SIGNATURE_INVALID'))
  })

  describe('certificates without a report', () => {
    async function authenticate(file: string, ...more: readonly string[]) {
      const context = contextAt('2026-06-01T00:00:00Z')
      const offers = await offersInEvidence(
        context,
        [file, ...more].map((f) => evidence(`sev-snp/${f}`)),
        'endorsements',
      )
      const [key] = offers.ok ? offers.value.keys : []
      if (!offers.ok || key === undefined) return offers.ok ? 'no key' : offers.faults[0].code
      const outcome = await attemptAsync(() => authenticateKey(context, 'evidence', key, offers.value, NO_COLLATERAL))
      return outcome.ok ? outcome.value : outcome.faults[0].code
    }

    it('are genuine: Turin, with its own set of extensions', async () => {
      for (const more of [[], ['virtee-turin-vcek-only/ask.der'], ['virtee-turin-vcek-only/kds_cert_chain.pem']]) {
        const key = await authenticate('virtee-turin-vcek-only/vek.der', ...more)
        expect(key).toMatchObject({
          kind: 'vcek',
          product: 'Turin',
          extensions: { structVersion: 1, productName: 'Turin' },
        })
        expect(typeof key === 'object' && key.extensions.hwId).toHaveLength(8)
        expect(typeof key === 'object' && key.extensions.tcb.fmc).toBeTypeOf('number')
      }
    })

    it.each(['legacy', 'new'])('are forged, though their extensions decode (%s)', async (encoding) => {
      const file = `trustee-neg-vcek-invalid-${encoding}/vek.der`
      const certificate = decodeCertificate(evidence(`sev-snp/${file}`), 'vek')
      const extensions = certificate.ok ? vekExtensions(certificate.value) : certificate
      expect(extensions.ok && extensions.value.hwId).toEqual(Uint8Array.from({ length: 64 }, (_, i) => i))
      expect(await authenticate(file)).toBe('X509_SIGNATURE_INVALID')
    })

    it('are altered: one byte off', async () => {
      expect(await authenticate('trustee-neg-vcek-cert-byte42/vek.der')).toBe('X509_ALGORITHM_MISMATCH')
    })

    it('do not become an ASVK’s by lying beside it: the issuer is the one that the key names', async () => {
      const files = ['trustee-neg-vcek-under-asvk/vek.der', 'trustee-neg-vcek-under-asvk/asvk.der'] as const
      expect(await authenticate(...files)).toMatchObject({ kind: 'vcek', anchor: { id: 'amd/SEV-Milan' } })
    })
  })
})

/** What this kind says of the synthetic cases that it refuses itself; `undefined` where a policy is there to refuse. */
const SYNTHETIC: Readonly<Record<string, Code | undefined>> = {
  'ask-expired': 'X509_VALIDITY',
  'ask-not-ca': 'X509_NOT_CA',
  'chain-rogue-ark': 'X509_ROOT_UNTRUSTED',
  'crl-ask-revoked': 'X509_REVOKED',
  'crl-no-nextupdate': 'CRL_UNSUPPORTED',
  'crl-other-product': 'CRL_SIGNATURE_INVALID',
  'crl-signed-by-ask': 'CRL_SIGNATURE_INVALID',
  'crl-wrong-issuer': 'CRL_SIGNATURE_INVALID',
  'ext-duplicate-bl': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-hwid-63': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-missing-bl': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-missing-hwid': 'SNP_VCEK_EXTENSION_INVALID',
  'ext-vlek-without-csp': 'SNP_VCEK_EXTENSION_INVALID',
  'hwid-mismatch': 'SNP_VCEK_CHIP_MISMATCH',
  'leaf-alg-mismatch': 'X509_ALGORITHM_MISMATCH',
  'leaf-expired': 'X509_VALIDITY',
  'leaf-not-yet-valid': 'X509_VALIDITY',
  'leaf-pkcs1': 'X509_ALGORITHM_FORBIDDEN',
  'leaf-pss-salt32': 'X509_ALGORITHM_FORBIDDEN',
  'leaf-signed-by-ark': 'X509_SIGNATURE_INVALID',
  'leaf-under-asvk-claims-vcek': 'X509_NAME_CHAIN',
  'leaf-unknown-critical-ext': 'X509_CRITICAL_EXTENSION',
  'leaf-wrong-cn': 'SNP_SIGNER_KIND_MISMATCH',
  'mbz-18b': 'SNP_RESERVED_NOT_ZERO',
  'mbz-1eb': 'SNP_RESERVED_NOT_ZERO',
  'mbz-1ef': 'SNP_RESERVED_NOT_ZERO',
  'mbz-208': 'SNP_RESERVED_NOT_ZERO',
  'mbz-29f': 'SNP_RESERVED_NOT_ZERO',
  'mbz-4c': 'SNP_RESERVED_NOT_ZERO',
  'mbz-v2-cpuid': 'SNP_RESERVED_NOT_ZERO',
  'mbz-v3-mitvector': 'SNP_RESERVED_NOT_ZERO',
  'policy-mbo17-clear': 'SNP_POLICY_RESERVED_BIT',
  'sig-r-high-byte': 'SNP_SIGNATURE_NOT_CANONICAL',
  'sig-tail-nonzero': 'SNP_RESERVED_NOT_ZERO',
  'signer-kind-vlek-in-report-vcek-cert': 'SNP_SIGNER_KIND_MISMATCH',
  'signer-none': 'SNP_SIGNER_UNSUPPORTED',
  'tcb-cert-higher-ucode': 'SNP_VCEK_TCB_MISMATCH',
  'tcb-cert-lower-bl': 'SNP_VCEK_TCB_MISMATCH',
  'tcb-cert-lower-snp': 'SNP_VCEK_TCB_MISMATCH',
  'tcb-cert-lower-tee': 'SNP_VCEK_TCB_MISMATCH',
  'turin-chipid-tail-nonzero': 'SNP_VCEK_CHIP_MISMATCH',
  'turin-fmc-mismatch': 'SNP_VCEK_TCB_MISMATCH',
  'turin-fmc-missing': 'SNP_VCEK_EXTENSION_INVALID',
  'turin-structversion-0': 'SNP_VCEK_EXTENSION_INVALID',
  'version-6': 'SNP_VERSION_UNSUPPORTED',
  'vmpl-4': 'SNP_VMPL_MISMATCH',
  'vmpl-host': 'SNP_HOST_REQUESTED',
  // The intermediate where a root is expected: another certificate of the serial that the true one has.
  'chain-ask-as-ark': 'X509_SERIAL_REUSED',
  'maskchipkey-nonzero-chip': undefined,
  'platforminfo-unknown-bit8': undefined,
  'policy-debug': undefined,
  'policy-migrate-ma': undefined,
  'provisional-firmware': undefined,
  'tcb-below-floor': undefined,
  'vcek-chipid-zero': undefined,
  'vmpl-1': undefined,
}

describeEvidence('sev-snp/synthetic', () => {
  const folders = readdirSync(evidencePath('sev-snp/synthetic')).filter((f) => !f.endsWith('.json'))

  it.each(folders)('%s', async (id) => {
    const judgement = await judgeCase(`sev-snp/synthetic/${id}`, { travel: 'with the report' })
    if (id === 'smt-forbidden-but-enabled') {
      expect(verdictOf(judgement)).toEqual({ codes: ['SNP_PLATFORM_CONTRADICTS_POLICY'], proved: true })
      return
    }
    if (!id.startsWith('ok-')) expect(Object.keys(SYNTHETIC)).toContain(id)
    const code = SYNTHETIC[id]
    expect(verdictOf(judgement)).toEqual(code === undefined ? ACCEPTED : refusedWith(code))
    if (judgement.claims !== undefined) expect(judgement.injectedAnchors).toHaveLength(1)
  })
})
