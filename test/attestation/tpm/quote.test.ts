import { describe, expect, it } from 'vitest'
import type { Code } from '../../../src/core/codes.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { type Decision, derivedQualifyingData, keyReportData } from '../../../src/index.ts'
import { ecKey, type TpmFault, type TpmKeyKind, type TpmSpec, tpmMaker } from '../../../src/testing/index.ts'
import { bundleItem, cpu, cpuPolicy, json, judged, NONCE, nonceOf, type Scene, SEED } from '../../reject/stage.ts'
import { azurePolicy, judgedAzure, judgedTpm, tpm, tpmDocument, tpmPolicy, tpmScene } from '../../reject/tpm-stage.ts'

const codes = ({ findings }: Decision): readonly Code[] => [...new Set(findings.map((f) => f.code))].sort()

describe('a TPM quote beside a CPU', () => {
  it.each<[TpmKeyKind]>([['ecdsa-p256'], ['ecdsa-p384'], ['rsassa'], ['rsapss']])('is accepted by %s', async (key) => {
    const decision = await judgedTpm({ key })
    expect([decision.verdict, decision.level, codes(decision)]).toEqual(['accept', 2, []])
    expect(decision.items.map((i) => [i.id, i.hardwareId === undefined])).toEqual([
      ['cpu', false],
      ['tpm', true],
    ])
  })

  it.each<[TpmFault, Code]>([
    ['bank-twice', 'TPM_PCR_SELECTION_INVALID'],
    ['selects-nothing', 'TPM_PCR_SELECTION_INVALID'],
    ['signature-none', 'TPM_ALGORITHM_FORBIDDEN'],
    ['signature-hmac', 'TPM_ALGORITHM_FORBIDDEN'],
    ['signature-sha1', 'TPM_ALGORITHM_FORBIDDEN'],
    ['certificate-of-another', 'TPM_AK_CERTIFICATE_MISMATCH'],
    ['certificate-purpose', 'TPM_CERTIFICATE_INVALID'],
    ['certificate-without-name', 'TPM_CERTIFICATE_INVALID'],
    ['certificate-name-not-critical', 'TPM_CERTIFICATE_INVALID'],
    ['certificate-manufacturer', 'TPM_CERTIFICATE_INVALID'],
    ['certificate-not-production', 'TPM_CERTIFICATE_INVALID'],
    ['second-separator', 'TPM_EVENT_ORDER_INVALID'],
    ['error-separator', 'TPM_EVENT_ORDER_INVALID'],
    ['secure-boot-late', 'TPM_EVENT_ORDER_INVALID'],
  ])('is refused with %s', async (wrong, code) => {
    expect(codes(await judgedTpm({ wrong }))).toEqual([code])
  })

  it.each<[string, NonNullable<TpmSpec['certificate']>, Code]>([
    ['an authority for a leaf', { ca: true }, 'X509_LEAF_IS_CA'],
    ['a certificate that may not sign', { keyUsage: ['keyEncipherment'] }, 'X509_KEY_USAGE'],
    ['a certificate that is over', { notAfter: '2026-07-01T00:00:00Z' }, 'X509_VALIDITY'],
  ])('is refused with %s', async (_, certificate, code) => {
    expect(codes(await judgedTpm({ certificate }))).toEqual([code])
    expect(codes(await judgedTpm())).toEqual([])
  })

  it('is judged for its signature and not for its PCRs where the policy has no rules for a TPM', async () => {
    const policy = cpuPolicy()
    const decision = await judgedTpm({}, { policy })
    expect([decision.verdict, codes(decision)]).toEqual(['accept', []])
    expect(decision.notChecked.map((n) => n.what)).toContain('tpm: PCR values, secure boot and clock')
    expect(codes(await judgedTpm({ wrong: 'attest-changed' }, { policy }))).toEqual(['TPM_SIGNATURE_INVALID'])
    expect(codes(await judgedTpm({ nonce: await nonceOf('challenge B') }, { policy }))).toEqual(['BIND_NONCE_MISMATCH'])
  })

  it('alone reaches no level and meets no policy', async () => {
    const { quote, certificates, eventLog, root } = tpm()
    const b64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
    const evidence = json({ ...quote, certs: certificates.map(b64), eventLog: b64(eventLog) } as JsonObject)
    const scene: Scene = { ...tpmScene(tpm()), evidence }
    expect(root).toEqual(tpmMaker(SEED).root.der)
    const decision = await judged(scene, { policy: tpmPolicy() })
    expect([decision.level, codes(decision)]).toEqual([0, ['APPRAISAL_CPU_MISSING']])
  })

  it('comes once', async () => {
    const scene = tpmScene(tpm())
    const bundle = JSON.parse(Buffer.from(scene.evidence as Uint8Array).toString()) as { items: JsonObject[] }
    const [cpu, quote] = bundle.items
    const twice = json({ ...bundle, items: [cpu ?? {}, quote ?? {}, { ...quote, id: 'tpm-1' }] })
    expect(codes(await judged({ ...scene, evidence: twice }, { policy: tpmPolicy() }))).toEqual(['ENV_ITEM_DUPLICATE'])
  })
})

describe('rules for a TPM', () => {
  it('refuse evidence without a quote', async () => {
    const scene = tpmScene(tpm())
    const bundle = JSON.parse(Buffer.from(scene.evidence as Uint8Array).toString()) as { items: JsonObject[] }
    const cpuAlone = json({ ...bundle, items: bundle.items.slice(0, 1) })
    expect(codes(await judged({ ...scene, evidence: cpuAlone }, { policy: tpmPolicy() }))).toEqual([
      'TPM_QUOTE_MISSING',
    ])
  })

  it('refuse a key that nobody vouches for', async () => {
    const bare = { certificates: [] }
    expect(codes(await judgedTpm({}, {}, bare))).toEqual(['TPM_AK_UNTRUSTED'])
    const { akName } = tpm()
    const pinned = tpmPolicy({ akTrust: ['pinned'], akNames: [akName] })
    expect(codes(await judgedTpm({}, { policy: pinned }, bare))).toEqual([])
    const other = tpmPolicy({ akTrust: ['pinned', 'certificate'], akNames: [`000b${'ab'.repeat(32)}`] })
    expect(codes(await judgedTpm({}, { policy: other }))).toEqual(['TPM_AK_UNTRUSTED'])
    const activated = { policy: tpmPolicy({ akTrust: ['activated'] }) }
    const known = { akName, activated: true, resetCount: 0, restartCount: 0 }
    expect(codes(await judgedTpm({}, { ...activated, knownTpms: [known] }, bare))).toEqual([])
    expect(codes(await judgedTpm({}, { ...activated, knownTpms: [{ ...known, activated: false }] }, bare))).toEqual([
      'TPM_AK_UNTRUSTED',
    ])
    expect(codes(await judgedTpm({}, activated, bare))).toEqual(['TPM_AK_UNTRUSTED'])
  })

  it('refuse a bare key where its name is asked, and say that its attributes were not looked at', async () => {
    const { quote, key } = tpm()
    const { akPublic: _, ...others } = quote
    const shown = { ...others, akSpki: Buffer.from(key.spki).toString('base64') } as JsonObject
    const scene = tpmScene({ ...tpm(), quote: shown as typeof quote })
    const decision = await judged(scene, { policy: tpmPolicy() })
    expect(codes(decision)).toEqual([])
    expect(decision.notChecked.map((n) => n.what)).toContain('tpm: attributes of the attestation key')
    const named = tpmPolicy({ akNames: [tpm().akName] })
    expect(codes(await judged(scene, { policy: named }))).toEqual(['TPM_AK_UNTRUSTED'])
  })

  it('compare PCRs of the one bank', async () => {
    const value = tpm().shown.sha256?.['8'] ?? ''
    const rule = (pcrs: JsonObject, more: JsonObject = {}) => ({ policy: tpmPolicy({ pcrs, ...more }) })
    expect(codes(await judgedTpm({}, rule({ '8': [value] })))).toEqual([])
    expect(codes(await judgedTpm({}, rule({ '8': ['cd'.repeat(32)] })))).toEqual(['TPM_PCR_VALUE_UNKNOWN'])
    expect(codes(await judgedTpm({}, rule({ '15': [value] })))).toEqual(['TPM_PCR_NOT_QUOTED'])
    expect(codes(await judgedTpm({}, rule({ '8': ['cd'.repeat(48)] }, { bank: 'sha384' })))).toEqual([
      'TPM_PCR_NOT_QUOTED',
    ])
    const both = tpm({ banks: ['sha384', 'sha256'] }).shown.sha384?.['8'] ?? ''
    const strong = rule({ '8': [both] }, { bank: 'sha384' })
    expect(codes(await judgedTpm({ banks: ['sha384', 'sha256'] }, strong))).toEqual([])
  })

  it('hold a certified key to its project and to revocation', async () => {
    const of = (projectId: string) => judgedTpm({ certificate: { instance: { projectId } } }, inProject)
    const inProject = { policy: tpmPolicy({ gceProjects: ['ours'] }) }
    expect(codes(await of('ours'))).toEqual([])
    expect(codes(await of('theirs'))).toEqual(['TPM_AK_UNTRUSTED'])
    expect(codes(await judgedTpm({}, { policy: tpmPolicy({ revocation: 'required' }) }))).toEqual(['CRL_MISSING'])
    // Whatever vouches for the key: its project is the word of the certificate.
    const pinned = { akTrust: ['pinned'], akNames: [tpm().akName], revocation: 'required' }
    const certificate = { instance: { projectId: 'ours' } }
    const pinnedKey = (more: JsonObject) => judgedTpm({ certificate }, { policy: tpmPolicy({ ...pinned, ...more }) })
    expect(codes(await pinnedKey({}))).toEqual([])
    expect(codes(await pinnedKey({ gceProjects: ['ours'] }))).toEqual(['CRL_MISSING'])
  })

  it('compare counters where the key was seen before', async () => {
    const seen = (resetCount: number, restartCount = 0) => ({
      knownTpms: [{ akName: tpm().akName, activated: false, resetCount, restartCount }],
    })
    expect(codes(await judgedTpm({ resetCount: 7 }, seen(6, 9)))).toEqual([])
    expect(codes(await judgedTpm({ resetCount: 7 }, seen(8)))).toEqual(['TPM_CLOCK_ROLLBACK'])
    expect(codes(await judgedTpm({ resetCount: 7, restartCount: 1 }, seen(7, 2)))).toEqual(['TPM_CLOCK_ROLLBACK'])
    const floor = { policy: tpmPolicy({ minResetCount: 8 }) }
    expect(codes(await judgedTpm({ resetCount: 8 }, floor))).toEqual([])
    expect(codes(await judgedTpm({ resetCount: 7 }, floor))).toEqual(['TPM_CLOCK_ROLLBACK'])
    const unsafe = { policy: tpmPolicy({ clock: 'any' }) }
    expect(codes(await judgedTpm({ clockSafe: false }, unsafe))).toEqual([])
  })
})

describe('an Azure VM', () => {
  it('is accepted through its TPM, at the level that its CPU reaches', async () => {
    const decision = await judgedAzure()
    expect([decision.verdict, decision.level, codes(decision)]).toEqual(['accept', 2, []])
    expect(decision.notChecked.map((n) => n.what)).toContain('cpu: VM configuration and user data of the HCL report')
  })

  it('is refused without a quote, and with one over another challenge', async () => {
    const policy = azurePolicy()
    expect(codes(await judgedAzure({}, { policy }))).toEqual([])
    expect(codes(await judgedAzure({ withoutQuote: true }, { policy }))).toEqual(['TPM_QUOTE_MISSING'])
    const other = await nonceOf('challenge B')
    expect(codes(await judgedAzure({ tpm: { nonce: other } }, { policy }))).toEqual(['BIND_NONCE_MISMATCH'])
    // The challenge in REPORT_DATA as well does not stand in for the quote: REPORT_DATA is what the key hangs on.
    expect(codes(await judgedAzure({ report: { reportData: NONCE } }, { policy }))).toEqual([
      'TPM_RUNTIME_DATA_NOT_BOUND',
    ])
  })

  it('does not lend its key to another TPM', async () => {
    const signer = ecKey('P-256', 'a software key')
    expect(codes(await judgedAzure({ tpm: { signer, key: 'ecdsa-p256' } }, { policy: cpuPolicy() }))).toEqual([
      'TPM_AK_NOT_BOUND',
    ])
  })
})

describe('a policy', () => {
  it('names no PCR that anybody can reset, and no bank of SHA-1', () => {
    expect(() => tpmPolicy({ pcrs: { '16': ['ab'.repeat(32)] } })).toThrow('POLICY_UNKNOWN_KEY')
    expect(() => tpmPolicy({ pcrs: { '23': ['ab'.repeat(32)] } })).toThrow('POLICY_UNKNOWN_KEY')
    expect(() => tpmPolicy({ bank: 'sha1' })).toThrow('POLICY_VALUE_INVALID')
    expect(() => tpmPolicy({ pcrs: { '0': ['ab'.repeat(20)] } })).toThrow('POLICY_HEX')
    expect(() => tpmPolicy({ pcrs: { '0': ['ab'.repeat(48)] } })).toThrow('POLICY_UNSATISFIABLE')
    expect(() => tpmPolicy({ akTrust: ['pinned'] })).toThrow('POLICY_UNSATISFIABLE')
    expect(() => tpmPolicy({ akTrust: [] })).toThrow('POLICY_LIST_EMPTY')
    expect(() => tpmPolicy({ pcrs: {}, secureBoot: 'any' })).toThrow('POLICY_MEASUREMENT_REQUIRED')
    const { akTrust: _, ...rule } = tpmDocument()
    expect(() => cpuPolicy({}, {}, { tpm: rule })).toThrow('POLICY_KEY_MISSING')
  })
})

describe('qualifying data', () => {
  it('of the derived form are 32 bytes that cover nonce and key', async () => {
    const spki = ecKey('P-256', 'workload').spki
    const digest = nodeCrypto.digest
    const derived = await derivedQualifyingData(digest, NONCE, spki)
    expect(derived).toHaveLength(32)
    expect(derived).not.toEqual(await derivedQualifyingData(digest, NONCE, undefined))
    const key = { spki: Buffer.from(spki).toString('base64'), domain: 'vouchsafe/1' }
    const machine = cpu({ report: { reportData: await keyReportData(digest, NONCE, spki) } })
    const of = (nonce: Uint8Array) => {
      const scene = tpmScene(tpm({ nonce }), {}, { binding: 'derived', key })
      const bundle = JSON.parse(Buffer.from(scene.evidence as Uint8Array).toString()) as { items: JsonObject[] }
      const [, quote = {}] = bundle.items
      const items = [bundleItem('cpu', 'amd/snp-report', machine.report, [machine.table]), quote]
      return judged({ ...scene, evidence: json({ ...bundle, items }) }, { policy: tpmPolicy() })
    }
    expect(codes(await of(derived))).toEqual([])
    expect(codes(await of(NONCE))).toEqual(['BIND_NONCE_MISMATCH'])
  })
})
