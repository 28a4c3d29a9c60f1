import { createHash, createPublicKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { decodeHclReport, decodeRuntimeData } from '../../src/attestation/azure-cvm/index.ts'
import { decodeSha1Log, decodeTcgLog, looksLikeTcgLog } from '../../src/attestation/event-log/index.ts'
import { judgeTpmEventLog } from '../../src/attestation/tpm/event-log.ts'
import {
  authenticateTpmKey,
  decodeCredentialFile,
  decodePcrFile,
  decodePublicArea,
  nameOf,
  TPM_LOG_PROFILE,
} from '../../src/attestation/tpm/index.ts'
import { utf8 } from '../../src/core/bytes.ts'
import type { Code } from '../../src/core/codes.ts'
import { Context, createVerificationCache } from '../../src/core/context.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { toBase64, toHex } from '../../src/core/encodings.ts'
import { attemptAsync } from '../../src/core/outcome.ts'
import type { TrustAnchor } from '../../src/core/trust-anchors.ts'
import { type Decision, NO_COLLATERAL, prepareCollateral, type TpmClaims, verify } from '../../src/index.ts'
import { anchorFromCertificate } from '../support/anchors.ts'
import { describeEvidence, evidence, evidenceJson, hasEvidence } from '../support/evidence.ts'

interface Row {
  readonly id: string
  readonly area: string
  readonly path: string
  readonly kind: string
  readonly expect: string
}

interface Selection {
  readonly hash: number
  readonly pcrs: readonly number[]
}

interface Case {
  readonly nonce?: string
  readonly expectedClaims?: { readonly pcr00?: string }
  readonly verifiedHere?: { readonly sel?: readonly Selection[]; readonly header?: { readonly hashType: number } }
}

type Pcrs = Readonly<Record<string, Readonly<Record<string, string>>>>

const rows = (kind: string): readonly Row[] =>
  evidenceJson<readonly Row[]>('index.json').filter((r) => r.area === 'tpm-and-clouds' && r.kind === kind)
const caseOf = ({ path }: Row): Case => evidenceJson<Case>(`${path}/case.json`)
const each = (kind: string) => rows(kind).map((row) => [row.id, row] as const)

const ROOTS = 'tpm-and-clouds/_roots'
/** Before the certificates of all cases end, and after those of the swtpm begin. */
const NOW = Date.parse('2026-12-01T00:00:00Z') / 1000
const digest = nodeCrypto.digest

interface How {
  readonly nonce?: string | undefined
  readonly collateral?: readonly Uint8Array[]
  readonly anchors?: readonly TrustAnchor[]
}

async function judged(bytes: Uint8Array, { nonce, collateral = [], anchors = [] }: How = {}): Promise<Decision> {
  const prepared = await prepareCollateral(collateral.map((file, i) => ({ name: `file-${i}`, bytes: file })))
  expect(prepared.faults).toEqual([])
  return verify(bytes, {
    now: NOW,
    policy: null,
    freshness:
      nonce === undefined
        ? { kind: 'notChecked', because: 'the case has no nonce of a length that we ask' }
        : { kind: 'nonce', nonce: Uint8Array.from(Buffer.from(nonce, 'hex')) },
    collateral: prepared.collateral,
    lease: null,
    physical: 'unknown',
    referenceValues: [],
    injectedAnchors: anchors,
    cache: createVerificationCache(),
  })
}

const codesIn = (decision: Decision): readonly Code[] => [...new Set(decision.findings.map((f) => f.code))]
const tpmClaims = (decision: Decision): TpmClaims | undefined =>
  decision.items.flatMap((i) => (i.claims?.kind === 'tpm/quote' ? [i.claims] : []))[0]

const base64 = (path: string): string => toBase64(evidence(path))
const spkiOfPem = (path: string): string =>
  toBase64(new Uint8Array(createPublicKey(Buffer.from(evidence(path))).export({ type: 'spki', format: 'der' })))

/** The files of a case as one quote; PCR values are those that the case's notes say were quoted. */
function quoteOf(path: string, pcrs: { pcrs: Pcrs } | { pcrFile: string }): Record<string, unknown> {
  const first = (...files: readonly (readonly [name: string, read: () => Record<string, string>])[]) =>
    files.find(([name]) => hasEvidence(`${path}/${name}`))?.[1]() ?? {}
  return {
    format: 'vouchsafe/tpm-quote/1',
    attest: base64(`${path}/attest.bin`),
    ...first(
      ['signature.bin', () => ({ signature: base64(`${path}/signature.bin`) })],
      ['rawsig.bin', () => ({ rawSignature: base64(`${path}/rawsig.bin`) })],
    ),
    ...first(
      ['ak.tpmt_public.bin', () => ({ akPublic: base64(`${path}/ak.tpmt_public.bin`) })],
      ['ak.tpm2b_public.bin', () => ({ akPublic: base64(`${path}/ak.tpm2b_public.bin`) })],
      ['ak.spki.der', () => ({ akSpki: base64(`${path}/ak.spki.der`) })],
      ['akpub.pem', () => ({ akSpki: spkiOfPem(`${path}/akpub.pem`) })],
      ['key.pub.pem', () => ({ akSpki: spkiOfPem(`${path}/key.pub.pem`) })],
    ),
    ...pcrs,
  }
}

const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value))
const BANKS: Readonly<Record<number, string>> = { 4: 'sha1', 11: 'sha256', 12: 'sha384' }

function quoted(all: Pcrs, selections: readonly Selection[]): Pcrs {
  return Object.fromEntries(
    selections.map(({ hash, pcrs }) => {
      const bank = BANKS[hash] ?? ''
      return [bank, Object.fromEntries(pcrs.map((pcr) => [String(pcr), all[bank]?.[String(pcr)] ?? '']))]
    }),
  )
}

const PCR_FILES: Readonly<Record<string, string>> = {
  'tpm-keylime-quote': 'quotepcr.tpm2tools-serialized.bin',
}

function pcrsOf(row: Row): { pcrs: Pcrs } | { pcrFile: string } {
  const file = PCR_FILES[row.id]
  if (file !== undefined) return { pcrFile: base64(`${row.path}/${file}`) }
  const all = evidenceJson<Pcrs>(`${row.path}/pcrs.json`)
  return { pcrs: quoted(all, caseOf(row).verifiedHere?.sel ?? []) }
}

/** A nonce is asked of a quote alone where it has 32 or 64 bytes. */
const askable = (nonce: string | undefined): string | undefined =>
  nonce?.length === 64 || nonce?.length === 128 ? nonce : undefined

describeEvidence('tpm-and-clouds', () => {
  describe('TPM quotes', () => {
    const all = rows('tpm-quote')
    const refused: Readonly<Record<string, { readonly code: Code; readonly pcrs: () => { pcrs: Pcrs } }>> = {
      'tpm-swtpm-neg-attest-time': { code: 'TPM_TYPE', pcrs: () => ({ pcrs: {} }) },
      // tpm2_checkquote of Debian 12 accepts the next two (CVE-2024-29038, CVE-2024-29039).
      'tpm-swtpm-neg-bad-magic': { code: 'TPM_MAGIC', pcrs: () => ({ pcrs: {} }) },
      'tpm-swtpm-neg-pcr16-relabelled': {
        code: 'TPM_PCR_NOT_QUOTED',
        pcrs: () => ({ pcrs: evidenceJson<Pcrs>('tpm-and-clouds/tpm-swtpm-neg-pcr16-relabelled/pcrs-claimed.json') }),
      },
      'tpm-swtpm-neg-nonce': {
        code: 'BIND_NONCE_MISMATCH',
        // Its PCRs are not beside it: the digest is that of two empty ones.
        pcrs: () => ({ pcrs: { sha256: { '0': '00'.repeat(32), '1': '00'.repeat(32) } } }),
      },
    }

    it('are all here', () => {
      expect(all).toHaveLength(12)
      expect(all.filter((r) => r.expect === 'reject').map((r) => r.id)).toEqual(Object.keys(refused).sort())
    })

    it.each(each('tpm-quote').filter(([, r]) => r.expect !== 'reject'))('%s is proved', async (_, row) => {
      const { nonce } = caseOf(row)
      const quote = quoteOf(row.path, pcrsOf(row))
      const decision = await judged(json(quote), { nonce: askable(nonce) })
      expect(codesIn(decision)).toEqual(['POLICY_MISSING'])
      // A plain TPM reaches no level, and names no machine.
      expect([decision.verdict, decision.level, decision.items[0]?.hardwareId]).toEqual(['inconclusive', 0, undefined])
      expect(tpmClaims(decision)).toMatchObject({ kind: 'tpm/quote', qualifyingData: nonce, clockSafe: true })
      if (hasEvidence(`${row.path}/ak.name.bin`))
        expect(tpmClaims(decision)?.ak.name).toBe(toHex(evidence(`${row.path}/ak.name.bin`)))

      const other = await judged(json(quote), { nonce: 'ab'.repeat(32) })
      expect(codesIn(other)).toEqual(['BIND_NONCE_MISMATCH'])
      const signature = 'rawSignature' in quote ? 'rawSignature' : 'signature'
      const bytes = Buffer.from(String(quote[signature]), 'base64')
      bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1
      const flipped = await judged(json({ ...quote, [signature]: bytes.toString('base64') }))
      expect(codesIn(flipped)).toEqual(['TPM_SIGNATURE_INVALID'])
    })

    it.each(Object.entries(refused))('%s is refused', async (id, { code, pcrs }) => {
      const row = all.find((r) => r.id === id)
      if (row === undefined) throw new TypeError(id)
      const decision = await judged(json(quoteOf(row.path, pcrs())), { nonce: caseOf(row).nonce })
      expect(codesIn(decision)).toEqual([code])
      expect(decision.verdict).toBe('reject')
    })

    it('tpm-swtpm-neg-pcr16-relabelled is refused with the file of tpm2_quote too, and proved as what it is', async () => {
      const path = 'tpm-and-clouds/tpm-swtpm-neg-pcr16-relabelled'
      const withFile = (file: string) => judged(json(quoteOf(path, { pcrFile: base64(`${path}/${file}`) })))
      expect(codesIn(await withFile('relabelled.pcrs.tpm2tools-serialized.bin'))).toEqual(['TPM_PCR_NOT_QUOTED'])
      const honest = await withFile('honest.pcrs.tpm2tools-serialized.bin')
      expect(codesIn(honest)).toEqual(['POLICY_MISSING'])
      // PCR 16 is no boot evidence: nothing can be held against a policy.
      expect(tpmClaims(honest)?.pcrs).toEqual([{ bank: 'sha256', values: [] }])
    })

    it('a file of tpm2_quote shows the values that it was written with', () => {
      const path = 'tpm-and-clouds/tpm-swtpm-quote-rsa'
      const read = decodePcrFile(evidence(`${path}/quote.pcrs.tpm2tools-serialized.bin`), 'file')
      if (!read.ok) throw new TypeError(JSON.stringify(read.faults))
      const { sha256 } = evidenceJson<Pcrs>(`${path}/pcrs.json`)
      expect(Object.fromEntries([...(read.value.get('sha256') ?? [])].map(([i, v]) => [String(i), toHex(v)]))).toEqual(
        sha256,
      )
    })

    it('CoCo evidence of a plain TPM is read as it is sent', async () => {
      const path = 'tpm-and-clouds/tpm-trustee-evidence'
      const { nonce } = evidenceJson<Case>(`${path}/case.json`)
      const decision = await judged(evidence(`${path}/evidence.json`), { nonce })
      expect(codesIn(decision)).toEqual(['POLICY_MISSING'])
      expect(tpmClaims(decision)?.pcrs[0]?.values).toHaveLength(22)
    })
  })

  describe('endorsement keys', () => {
    const path = 'tpm-and-clouds/tpm-swtpm-ek-credential'
    const der = (file: string): Uint8Array => {
      const bytes = Buffer.from(evidence(`${path}/${file}`))
      return new Uint8Array(Buffer.from(bytes.toString('latin1').replace(/-----[^-]+-----|\s/g, ''), 'base64'))
    }
    const context = (anchors: readonly TrustAnchor[]) =>
      new Context({ now: NOW, anchors, crypto: nodeCrypto, cache: createVerificationCache() })
    const chain = (file: string, spki: Uint8Array, anchors = [anchorFromCertificate(der('root.pem'), 'tpm/root')]) =>
      attemptAsync(() =>
        authenticateTpmKey(
          context(anchors),
          'endorsement',
          spki,
          [evidence(`${path}/${file}`), der('issuer.pem')],
          NO_COLLATERAL,
        ),
      )
    const area = (file: string) => {
      const decoded = decodePublicArea(evidence(`${path}/${file}`), file)
      if (!decoded.ok) throw new TypeError(JSON.stringify(decoded.faults))
      return decoded.value
    }

    it('are all here', () => expect(rows('tpm-ek').map((r) => r.path)).toEqual([path]))

    it('stand under the root of their maker, and under no other', async () => {
      const ek = area('ek_rsa.tpmt_public.bin')
      expect(await chain('ek_rsa_cert.der', ek.spki)).toMatchObject({
        ok: true,
        value: { claims: { manufacturer: 'id:00001014', model: 'swtpm' } },
      })
      expect(await chain('ek_rsa_cert.der', ek.spki, [])).toMatchObject({ faults: [{ code: 'X509_ROOT_UNTRUSTED' }] })
      expect(await chain('ek_p384_cert.der', ek.spki)).toMatchObject({
        faults: [{ code: 'TPM_AK_CERTIFICATE_MISMATCH' }],
      })
    })

    it('come with a credential that reads, for the key of that name', async () => {
      const credential = decodeCredentialFile(evidence(`${path}/cred.blob`), 'file')
      expect(credential.ok && credential.value.encryptedSecret.length).toBe(2 + 256)
      const name = await nameOf(area('ak_rsa.tpmt_public.bin'), digest)
      expect(toHex(name)).toBe(toHex(evidence(`${path}/ak_rsa.name.bin`)))
    })
  })

  describe('event logs', () => {
    it('are all here', () => expect(rows('tcg-eventlog')).toHaveLength(17))

    it.each(each('tcg-eventlog'))('%s', async (_, { path }) => {
      const log = evidence(`${path}/eventlog.bin`)
      const read = looksLikeTcgLog(log)
        ? decodeTcgLog(log, 'log', TPM_LOG_PROFILE)
        : decodeSha1Log(log, 'log', TPM_LOG_PROFILE)
      expect(read.ok).toBe(true)
      const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
      const judge = (pcrs: Pcrs) =>
        judgeTpmEventLog(
          log,
          new Map(
            Object.entries(pcrs).map(([bank, values]) => [
              bank as 'sha256',
              new Map(Object.entries(values).map(([pcr, value]) => [Number(pcr), bytesOf(value)])),
            ]),
          ),
          digest,
          'log',
        )
      if (!hasEvidence(`${path}/expected-pcrs.json`)) {
        if (!looksLikeTcgLog(log))
          expect(await judge({ sha256: { '0': '00'.repeat(32) } })).toMatchObject({
            faults: [{ code: 'TPM_BANK_WEAK' }],
          })
        return
      }
      const expected = evidenceJson<Pcrs>(`${path}/expected-pcrs.json`)
      const outcome = await judge(expected)
      if (!outcome.ok) throw new TypeError(JSON.stringify(outcome.faults))
      expect(outcome.value.replayed.map(String)).toEqual(Object.keys(expected.sha256 ?? {}))
      expect(outcome.value.unexplained).toEqual([])
      for (const pcr of Object.keys(expected.sha256 ?? {})) {
        const other = { sha256: { ...expected.sha256, [pcr]: 'ab'.repeat(32) } }
        expect(await judge(other)).toMatchObject({ faults: [{ code: 'TPM_EVENT_LOG_MISMATCH' }] })
      }
    })
  })

  describe('Google Cloud', () => {
    it('are all here', () => expect(rows('gcp-vtpm').map((r) => r.id)).toEqual(['gce-cos85-no-nonce']))

    it.each(['sha256', 'sha384', 'sha1'] as const)('gce-cos85-no-nonce, bank %s', async (bank) => {
      const path = 'tpm-and-clouds/gce-cos85-no-nonce'
      const decision = await judged(
        json({
          format: 'vouchsafe/tpm-quote/1',
          attest: base64(`${path}/quote-${bank}.attest.bin`),
          signature: base64(`${path}/quote-${bank}.sig.bin`),
          akPublic: base64(`${path}/ak.tpmt_public.bin`),
          pcrs: evidenceJson<Pcrs>(`${path}/quote-${bank}.pcrs.json`),
          certs: [base64(`${path}/ak_cert.der`), base64(`${ROOTS}/tpm_ek_intermediate_2.crt`)],
          ...(bank === 'sha1' ? {} : { eventLog: base64(`${path}/eventlog.bin`) }),
        }),
      )
      expect(codesIn(decision)).toEqual([bank === 'sha1' ? 'TPM_BANK_WEAK' : 'POLICY_MISSING'])
      expect(decision.injectedAnchors).toEqual([])
      expect(tpmClaims(decision)?.ak.certificate).toMatchObject({
        manufacturer: 'id:474F4F47',
        model: 'vTPM',
        instance: { zone: 'us-central1-a', projectId: 'google.com:wuale-gcp-testing', instanceName: 'cos-test' },
      })
      if (bank !== 'sha1')
        expect(tpmClaims(decision)?.eventLog).toMatchObject({ bank, replayed: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] })
    })
  })

  describe('Azure', () => {
    const hcls = [
      ...each('azure-hcl-snp'),
      ...each('azure-hcl-tdx'),
      ...each('azure-snp-vtpm'),
      ...each('azure-tdx-vtpm'),
    ]
    it('are all here', () => expect(hcls).toHaveLength(8))

    it.each(hcls)('%s: the report covers its runtime data', (_, { path }) => {
      const report = decodeHclReport(evidence(`${path}/hcl-report.bin`), 'hcl')
      if (!report.ok) throw new TypeError(JSON.stringify(report.faults))
      const { hardware, hardwareReport, runtimeData } = report.value
      const at = hardware === 'snp' ? 0x50 : 128
      const hash = createHash('sha256').update(runtimeData).digest('hex')
      expect(toHex(hardwareReport.subarray(at, at + 64))).toBe(`${hash}${'00'.repeat(32)}`)
      expect(decodeRuntimeData(runtimeData, 'runtime').ok).toBe(true)
    })

    it.each(each('azure-snp-vtpm'))('%s: the TPM answers with the key that the CPU covers', async (_, row) => {
      const { nonce, expectedClaims } = caseOf(row)
      const decision = await judged(evidence(`${row.path}/evidence.json`))
      expect(codesIn(decision)).toEqual(['POLICY_MISSING'])
      expect(decision.items.map((i) => [i.kind, i.verdict])).toEqual([
        ['amd/snp-report', 'accept'],
        ['tpm/quote', 'accept'],
      ])
      const claims = tpmClaims(decision)
      expect(claims?.qualifyingData).toBe(nonce)
      expect(claims?.pcrs[0]?.values[0]).toEqual({ index: 0, value: expectedClaims?.pcr00 })
      // Asked with a nonce of ours, the CPU's silence is no fault: the TPM's answer is.
      const asked = await judged(evidence(`${row.path}/evidence.json`), { nonce: 'ab'.repeat(32) })
      expect(asked.findings.map((f) => [f.item, f.code])).toEqual([['tpm', 'BIND_NONCE_MISMATCH']])
    })

    it('a quote beside the report of another VM is refused', async () => {
      const of = (version: string) =>
        evidenceJson<Record<string, unknown>>(`tpm-and-clouds/azure-snp-evidence-v${version}/evidence.json`)
      const mixed = await judged(json({ ...of('1'), tpm_quote: of('2').tpm_quote }))
      expect(codesIn(mixed)).toEqual(['TPM_SIGNATURE_INVALID'])
    })

    it.each([
      ['of the runtime data', 0x6e0, 'TPM_RUNTIME_DATA_NOT_BOUND'],
      ['in the name of the key', 0x540, 'TPM_RUNTIME_DATA_INVALID'],
      ['of the hardware report', 0x1a6, 'SNP_VCEK_TCB_MISMATCH'],
    ] as const)('a changed byte %s is refused', async (_, offset, code) => {
      const v1 = evidenceJson<Record<string, unknown>>('tpm-and-clouds/azure-snp-evidence-v1/evidence.json')
      const hcl = Buffer.from(String(v1.hcl_report), 'base64url')
      hcl[offset] = offset === 0x6e0 ? (hcl[offset] ?? 0) + 1 : 0
      const decision = await judged(
        json({ ...v1, hcl_report: hcl.toString('base64').replaceAll('+', '-').replaceAll('/', '_') }),
      )
      expect(decision.verdict).toBe('reject')
      expect(codesIn(decision)).toContain(code)
    })

    it('azure-tdx-evidence-v0: the TD quote covers the runtime data; its TCB waits for the collateral of Intel', async () => {
      const decision = await judged(evidence('tpm-and-clouds/azure-tdx-evidence-v0/evidence.json'))
      expect(decision.items.map((i) => [i.kind, i.claims?.kind])).toEqual([
        ['intel/tdx-quote', 'intel/tdx-quote'],
        ['tpm/quote', 'tpm/quote'],
      ])
      expect(decision.findings.map((f) => f.code).filter((code) => code.startsWith('TPM_'))).toEqual([])
      expect(decision.verdict).toBe('inconclusive')
    })

    it('azure-hcl-tdx-trustee: HCL report and TD quote of one folder belong together', async () => {
      const path = 'tpm-and-clouds/azure-hcl-tdx-trustee'
      const files = ['hcl-report.bin', 'td-quote.bin'].map((name) => ({ name, bytes: evidence(`${path}/${name}`) }))
      const decision = await verify(files, {
        ...{ now: NOW, policy: null, lease: null, physical: 'unknown', referenceValues: [], injectedAnchors: [] },
        freshness: { kind: 'nonce', nonce: new Uint8Array(64).fill(7) },
        collateral: NO_COLLATERAL,
        cache: createVerificationCache(),
      })
      expect(decision.items.map((i) => i.kind)).toEqual(['intel/tdx-quote'])
      expect(codesIn(decision)).toContain('TPM_QUOTE_MISSING')
      expect(codesIn(decision)).not.toContain('TPM_RUNTIME_DATA_NOT_BOUND')
      expect(codesIn(await judged(evidence(`${path}/hcl-report.bin`)))).toEqual(['ENV_TDREPORT_NOT_QUOTE'])
    })
  })
})
