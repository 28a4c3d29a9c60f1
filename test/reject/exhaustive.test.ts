import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readEvidence } from '../../src/attestation/envelopes/index.ts'
import { authenticateRim } from '../../src/attestation/nvidia/rim/index.ts'
import { nvidiaGpu } from '../../src/attestation/nvidia-gpu/index.ts'
import { nvidiaSwitch } from '../../src/attestation/nvidia-switch/index.ts'
import { decodeCertificateTable } from '../../src/attestation/sev-snp/certificate-table.ts'
import { decodeSnpReport } from '../../src/attestation/sev-snp/decode.ts'
import { SNP_REPORT_LAYOUTS } from '../../src/attestation/sev-snp/report-layout.ts'
import { concatBytes, latin1, utf8 } from '../../src/core/bytes.ts'
import type { Code } from '../../src/core/codes.ts'
import { Context, createVerificationCache } from '../../src/core/context.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { parseJson } from '../../src/core/json.ts'
import type { Outcome } from '../../src/core/outcome.ts'
import { decodePem } from '../../src/core/pem.ts'
import { PINNED_ANCHORS } from '../../src/core/trust-anchors.ts'
import { decodeCertificate } from '../../src/core/x509/certificate.ts'
import { decodeCrl } from '../../src/core/x509/crl.ts'
import { decodeOcsp } from '../../src/core/x509/ocsp.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { PRESET_DOCUMENTS, PRESET_NAMES } from '../../src/policy/presets.ts'
import { signatureBlock } from '../../src/testing/amd/signature.ts'
import { SNP_REPORT_BYTES, SNP_REPORT_FIELDS, SNP_SIGNED_BYTES } from '../../src/testing/index.ts'
import { rowTitle } from './row.ts'
import { akashQuote, cpu, gpus, json, NOW, nvidiaAnchors } from './stage.ts'
import { judgeOf, refusal, Tally } from './tally.ts'

/** A busy machine takes its time; the limit is there to end a hang. */
const LONG = 600_000

describe('reserved bytes', () => {
  /** Offsets that the test kit's own table does not know, below the signature; apart from the verifier's table on purpose. */
  function unnamed(version: number): readonly number[] {
    const since = (name: string) => (name.startsWith('cpuid') ? 3 : name.endsWith('MitVector') ? 5 : 2)
    const used = new Set(
      Object.entries(SNP_REPORT_FIELDS).flatMap(([name, [offset, size]]) =>
        since(name) <= version ? Array.from({ length: size }, (_, i) => offset + i) : [],
      ),
    )
    return Array.from({ length: SNP_SIGNED_BYTES }, (_, at) => at).filter((at) => !used.has(at))
  }
  /** Behind two components of 72 bytes. */
  const behind = Array.from({ length: SNP_REPORT_BYTES - SNP_SIGNED_BYTES - 144 }, (_, i) => SNP_SIGNED_BYTES + 144 + i)
  /** Above the 48 bytes that a component of P-384 has. */
  const above = [0, 72].flatMap((start) => Array.from({ length: 24 }, (_, i) => SNP_SIGNED_BYTES + start + 48 + i))

  it.each([
    [2, 566],
    [3, 563],
    [4, 563],
    [5, 547],
  ] as const)(
    `${rowTitle('RJ-SNP-04')}, version %i, signed anew (%i executions, and 48 above the signature)`,
    { timeout: LONG },
    async (version, count) => {
      const machine = cpu({ report: { version } })
      const judge = await judgeOf(machine)
      const signed = (body: Uint8Array) =>
        concatBytes(body, signatureBlock(machine.vekKey.signRaw(body, 'sha384'), 'valid'))
      const body = machine.report.subarray(0, SNP_SIGNED_BYTES)
      expect(signed(body)).toEqual(machine.report)
      expect((await judge(machine.report)).verdict).toBe('accept')

      const zero = SNP_REPORT_LAYOUTS[version].ordered.flatMap(([, field]) =>
        field.kind === 'zero' ? Array.from({ length: field.sizeBytes }, (_, i) => field.offset + i) : [],
      )
      const offsets = [...unnamed(version), ...behind]
      expect(zero).toEqual(offsets)
      expect(offsets.length).toBe(count)
      const tally = new Tally()
      for (const at of offsets) {
        const set = machine.report.with(at, 0x80)
        const report = at < SNP_SIGNED_BYTES ? signed(set.subarray(0, SNP_SIGNED_BYTES)) : set
        tally.add(refusal(await judge(report)))
      }
      expect(tally.counts).toEqual({ SNP_RESERVED_NOT_ZERO: count })
      const upper = new Tally()
      for (const at of above) upper.add(refusal(await judge(machine.report.with(at, 1))))
      expect(upper.counts).toEqual({ SNP_SIGNATURE_NOT_CANONICAL: 48 })
    },
  )

  it('RJ-SNP-04 SNP_RESERVED_NOT_ZERO: bytes of a TCB that no component has (28 executions)', async () => {
    const tally = new Tally()
    for (const [product, inTcb] of [
      ['Genoa', [2, 3, 4, 5]],
      ['Turin', [4, 5, 6]],
    ] as const) {
      const machine = cpu({ product })
      const judge = await judgeOf(machine)
      expect((await judge(machine.report)).verdict).toBe('accept')
      for (const tcb of ['currentTcb', 'reportedTcb', 'committedTcb', 'launchTcb'] as const) {
        for (const byte of inTcb) {
          const body = machine.report.slice(0, SNP_SIGNED_BYTES).with(SNP_REPORT_FIELDS[tcb][0] + byte, 1)
          const report = concatBytes(body, signatureBlock(machine.vekKey.signRaw(body, 'sha384'), 'valid'))
          tally.add(refusal(await judge(report)))
        }
      }
    }
    expect(tally.counts).toEqual({ SNP_RESERVED_NOT_ZERO: 28 })
  })
})

const CPU = cpu()
const ONE = gpus({ switchCount: 1, featureFlag: 'ppcie' })

type Decode = (bytes: Uint8Array) => Outcome<unknown> | Promise<Outcome<unknown>>

/** Decodes every proper prefix. Every one has to be refused; the codes that came back are returned. */
async function truncations(bytes: Uint8Array, decode: Decode): Promise<Tally> {
  const tally = new Tally()
  for (let size = 0; size < bytes.length; size++) {
    const outcome = await decode(bytes.subarray(0, size))
    if (outcome.ok) throw new TypeError(`${size} of ${bytes.length} bytes were taken`)
    tally.add(outcome.faults[0].code)
  }
  return tally
}

const text =
  (read: (text: string) => Outcome<unknown>): Decode =>
  (bytes) =>
    read(latin1(bytes))
/** A manifest is decoded and its signature checked in one go. */
const rim: Decode = async (value) => {
  const anchors = [...PINNED_ANCHORS, ...nvidiaAnchors(ONE)]
  const context = new Context({ now: NOW, anchors, crypto: nodeCrypto, cache: createVerificationCache(1) })
  return authenticateRim(
    context,
    { value, sha256: await context.digestHex('sha256', value), origin: 'verifier' },
    'rim',
  )
}
const envelope: Decode = (bytes) => readEvidence([{ name: 'evidence', bytes }])

describe('truncations', () => {
  const [gpu, nvSwitch, ocsp] = [ONE.gpus[0], ONE.switches[0], ONE.ocspResponses[0]]
  if (gpu === undefined || nvSwitch === undefined || ocsp === undefined) throw new TypeError('a machine with all parts')
  const quote = json(akashQuote(CPU, [gpu]))
  const inputs: readonly (readonly [what: string, bytes: Uint8Array, decode: Decode, codes: readonly Code[]])[] = [
    ['an SNP report', CPU.report, (b) => decodeSnpReport(b, 'report'), ['SNP_SIZE_MISMATCH']],
    ['a certificate table', CPU.table, (b) => decodeCertificateTable(b, 'table'), ['SNP_CERT_TABLE_INVALID']],
    ['a GPU report', gpu.report, (b) => nvidiaGpu.decode(b, 'report'), ['GPU_SPDM_MALFORMED']],
    ['a switch report', nvSwitch.report, (b) => nvidiaSwitch.decode(b, 'report'), ['GPU_SPDM_MALFORMED']],
    ['a quote of Akash', quote, envelope, ['ENV_EVIDENCE_EMPTY', 'JSON_SYNTAX']],
    ['a certificate of AMD', CPU.vek, (b) => decodeCertificate(b, 'certificate'), ['DER_TRUNCATED']],
    ['an authority of AMD', CPU.intermediate, (b) => decodeCertificate(b, 'certificate'), ['DER_TRUNCATED']],
    [
      'a certificate of NVIDIA',
      gpu.chainDer[0] ?? quote,
      (b) => decodeCertificate(b, 'certificate'),
      ['DER_TRUNCATED'],
    ],
    ['a revocation list', CPU.crl, (b) => decodeCrl(b, 'crl'), ['DER_TRUNCATED']],
    ['an OCSP answer', ocsp.der, (b) => decodeOcsp(b, 'ocsp'), ['DER_TRUNCATED']],
    ...PRESET_NAMES.map((name) => {
      const decode: Decode = (b) => parsePolicy(b)
      return [
        `the preset ${name}`,
        utf8(JSON.stringify(PRESET_DOCUMENTS[name], null, 2)),
        decode,
        ['JSON_SYNTAX'] as const,
      ] as const
    }),
  ]

  const counted = inputs.map(
    ([what, bytes, ...rest]) => [`${what} (${bytes.length} executions)`, bytes, ...rest] as const,
  )
  it.each(counted)('of %s', { timeout: LONG }, async (_, bytes, decode, codes) => {
    expect((await decode(bytes)).ok).toBe(true)
    const tally = await truncations(bytes, decode)
    expect(tally.executions).toBe(bytes.length)
    expect(Object.keys(tally.counts).sort()).toEqual([...codes].sort())
  })
})

describe('truncations of the fixtures', () => {
  const FIXTURES = join(import.meta.dirname, '../../fixtures')
  const decoders: readonly (readonly [name: RegExp, decode: Decode])[] = [
    [/^evidence\/.*\.json$/, envelope],
    [/\.json$/, text((t) => parseJson(t, ''))],
    [/\.crl$/, (b) => decodeCrl(b, 'crl')],
    [/\.der$/, (b) => decodeOcsp(b, 'ocsp')],
    [/\.xml$/, rim],
  ]
  const names = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' }).map((name) => name.replaceAll('\\', '/'))
  const files = names
    .filter((name) => decoders.some(([pattern]) => pattern.test(name)))
    .sort()
    .map((name) => {
      const file = new Uint8Array(readFileSync(join(FIXTURES, name)))
      // A line break at the end of a text is nothing that could be missed.
      return { name, bytes: file.at(-1) === 0x0a ? file.subarray(0, -1) : file }
    })

  it('are not none', () => expect(files.length).toBeGreaterThan(10))

  it.each(files.map(({ name, bytes }) => [`${name} (${bytes.length} executions)`, name, bytes] as const))(
    'of %s',
    { timeout: LONG },
    async (_, name, bytes) => {
      const decode = decoders.find(([pattern]) => pattern.test(name))?.[1]
      if (decode === undefined) throw new TypeError(`nothing decodes ${name}`)
      const tally = await truncations(bytes, decode)
      expect(tally.executions).toBe(bytes.length)
      expect(
        Object.keys(tally.counts).filter((code) => !/^(JSON_SYNTAX|ENV_EVIDENCE_EMPTY|DER_|XML_)/.test(code)),
      ).toEqual([])
    },
  )
})

describe('truncations of PEM', () => {
  const kept = (bytes: Uint8Array): number | string => {
    const outcome = decodePem(bytes, 'pem')
    return outcome.ok ? outcome.value.length : outcome.faults[0].code
  }
  it.each([
    ['a chain of AMD', CPU.chainPem, 3],
    ['a chain of NVIDIA', ONE.gpus[0]?.chainPem ?? '', 5],
  ])('%s is refused, or shorter by whole certificates', (_, text, count) => {
    const chain = utf8(text.trimEnd())
    expect(kept(chain)).toBe(count)
    const tally = new Tally()
    for (let size = 0; size < chain.length; size++) tally.add(String(kept(chain.subarray(0, size))))
    const { PEM_INVALID: refused, ...shorter } = tally.counts
    expect(tally.executions).toBe(chain.length)
    // Cut behind a certificate, with and without its line break.
    expect(shorter).toEqual(Object.fromEntries(Array.from({ length: count - 1 }, (_, i) => [String(i + 1), 2])))
    expect(refused).toBe(chain.length - 2 * (count - 1))
  })
})
