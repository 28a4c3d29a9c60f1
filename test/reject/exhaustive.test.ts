import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { CollateralSet } from '../../src/attestation/collateral.ts'
import { readEvidence } from '../../src/attestation/envelopes/index.ts'
import type { ItemJudgement } from '../../src/attestation/kind.ts'
import { rimIdentityOf } from '../../src/attestation/nvidia/rim/index.ts'
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
import { type Decision, prepareCollateral, verify } from '../../src/index.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import { PRESET_DOCUMENTS, PRESET_NAMES } from '../../src/policy/presets.ts'
import { signatureBlock } from '../../src/testing/amd/signature.ts'
import { SNP_REPORT_BYTES, SNP_REPORT_FIELDS, SNP_SIGNED_BYTES } from '../../src/testing/index.ts'
import { rowTitle } from './row.ts'
import {
  ASKED,
  akashQuote,
  amdAnchors,
  amdCollateral,
  bundle,
  bundleItem,
  cpu,
  cpuPolicy,
  gpus,
  json,
  NOW,
  nvidiaAnchors,
  nvidiaCollateral,
} from './stage.ts'

/** How often each code came back, most frequent first. */
class Tally {
  readonly #counts = new Map<string, number>()
  add(code: string): void {
    this.#counts.set(code, (this.#counts.get(code) ?? 0) + 1)
  }
  get executions(): number {
    return [...this.#counts.values()].reduce((a, b) => a + b, 0)
  }
  get counts(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)))
  }
}

const sorted = (files: readonly Uint8Array[]): Promise<CollateralSet> =>
  prepareCollateral(files.map((bytes, i) => ({ name: `file-${i}`, bytes }))).then((s) => s.collateral)

const OPEN = cpuPolicy({ minReportVersion: 2 })

/** Judges many reports of one machine end to end, with what does not change prepared once. */
async function judgeOf(machine: ReturnType<typeof cpu>): Promise<(report: Uint8Array) => Promise<Decision>> {
  const collateral = await sorted(amdCollateral(machine))
  const injectedAnchors = amdAnchors(machine)
  const cache = createVerificationCache()
  return (report) =>
    verify(bundle([bundleItem('cpu', 'amd/snp-report', report, [machine.table])]), {
      now: NOW,
      policy: OPEN,
      freshness: ASKED,
      collateral,
      lease: null,
      physical: 'unknown',
      referenceValues: [],
      injectedAnchors,
      cache,
    })
}

/** The one code of a refusal that nobody could take for anything else. */
function refusal(decision: Decision): Code {
  const [item, ...others] = decision.items
  expect([decision.verdict, item?.verdict, item?.claims, others.length]).toEqual(['reject', 'reject', undefined, 0])
  expect(decision.findings.length).toBe(1)
  return decision.findings[0]?.code ?? 'ENV_UNREADABLE'
}

const flipped = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)))

/** Few at a time: signatures are checked side by side, and a report is not kept longer than it takes. */
async function inBatches(count: number, each: (n: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += 64) {
    const size = Math.min(64, count - from)
    await Promise.all(Array.from({ length: size }, (_, i) => each(from + i)))
  }
}

describe('bit flips', () => {
  it(`${rowTitle('RJ-SNP-09')} (5,376 executions)`, async () => {
    const machine = cpu()
    const judge = await judgeOf(machine)
    expect((await judge(machine.report)).verdict).toBe('accept')
    const tally = new Tally()
    await inBatches(SNP_SIGNED_BYTES * 8, async (bit) => tally.add(refusal(await judge(flipped(machine.report, bit)))))
    expect(tally.executions).toBe(5376)
    expect(tally.counts).toEqual({})
  })

  it(`${rowTitle('RJ-GPU-11')}: every bit of the report`, async () => {
    const machine = gpus()
    const [gpu] = machine.gpus
    if (gpu === undefined) throw new TypeError('one GPU')
    const anchors = [...PINNED_ANCHORS, ...nvidiaAnchors(machine)]
    const cache = createVerificationCache()
    const collateral = await sorted(nvidiaCollateral(machine))
    const judge = (bytes: Uint8Array): Promise<ItemJudgement> =>
      nvidiaGpu.verify(
        { id: 'gpu-0', kind: 'nvidia/gpu-report', bytes, endorsements: [utf8(gpu.chainPem)] },
        collateral,
        new Context({ now: NOW, anchors, crypto: nodeCrypto, cache }),
      )
    expect((await judge(gpu.report)).faults).toEqual([])
    const tally = new Tally()
    await inBatches(gpu.report.length * 8, async (bit) => {
      const { claims, faults } = await judge(flipped(gpu.report, bit))
      if (claims !== undefined || faults.length !== 1) throw new TypeError(`bit ${bit}: ${JSON.stringify(faults)}`)
      tally.add(faults[0]?.code ?? 'none')
    })
    expect(tally.executions).toBe(gpu.report.length * 8)
    expect(tally.counts).toEqual({})
  })
})

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

  it('RJ-SNP-04 SNP_RESERVED_NOT_ZERO: bytes of a TCB that no component has (31 executions)', async () => {
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

type Decode = (bytes: Uint8Array) => Outcome<unknown> | readonly { readonly code: Code }[]

/** Decodes every proper prefix. Every one has to be refused; the codes that came back are returned. */
function truncations(bytes: Uint8Array, decode: Decode): Tally {
  const tally = new Tally()
  for (let size = 0; size < bytes.length; size++) {
    const outcome = decode(bytes.subarray(0, size))
    const faults = 'ok' in outcome ? (outcome.ok ? [] : outcome.faults) : outcome
    if (faults.length === 0) throw new TypeError(`${size} of ${bytes.length} bytes were taken`)
    tally.add(faults[0]?.code ?? 'none')
  }
  return tally
}

const text =
  (read: (text: string) => Outcome<unknown>): Decode =>
  (bytes) =>
    read(latin1(bytes))
const rim: Decode = (bytes) => rimIdentityOf({ value: bytes, sha256: '' })
const envelope: Decode = (bytes) => readEvidence([{ name: 'evidence', bytes }])

describe('truncations', () => {
  const CPU = cpu()
  const ONE = gpus({ switchCount: 1, featureFlag: 'ppcie' })
  const [gpu, nvSwitch, ocsp] = [ONE.gpus[0], ONE.switches[0], ONE.ocspResponses[0]]
  if (gpu === undefined || nvSwitch === undefined || ocsp === undefined) throw new TypeError('a machine with all parts')
  const quote = json(akashQuote(CPU, [gpu]))
  const inputs: readonly (readonly [what: string, bytes: Uint8Array, decode: Decode, codes: readonly Code[]])[] = [
    ['an SNP report', CPU.report, (b) => decodeSnpReport(b, 'report'), ['SNP_SIZE_MISMATCH']],
    ['a certificate table', CPU.table, (b) => decodeCertificateTable(b, 'table'), ['SNP_CERT_TABLE_INVALID']],
    ['a GPU report', gpu.report, (b) => nvidiaGpu.decode(b, 'report'), ['GPU_SPDM_MALFORMED']],
    ['a switch report', nvSwitch.report, (b) => nvidiaSwitch.decode(b, 'report'), ['GPU_SPDM_MALFORMED']],
    ['a quote of Akash', quote, envelope, ['ENV_EVIDENCE_EMPTY', 'JSON_SYNTAX']],
    ['a certificate of AMD', CPU.vek, (b) => decodeCertificate(b, 'certificate'), ['DER_NOT_CANONICAL']],
    ['an authority of AMD', CPU.intermediate, (b) => decodeCertificate(b, 'certificate'), ['DER_NOT_CANONICAL']],
    [
      'a certificate of NVIDIA',
      gpu.chainDer[0] ?? quote,
      (b) => decodeCertificate(b, 'certificate'),
      ['DER_NOT_CANONICAL'],
    ],
    ['a revocation list', CPU.crl, (b) => decodeCrl(b, 'crl'), ['DER_NOT_CANONICAL']],
    ['an OCSP answer', ocsp.der, (b) => decodeOcsp(b, 'ocsp'), ['DER_NOT_CANONICAL']],
    ['a driver manifest', ONE.driverRim.bytes, rim, ['XML_SYNTAX']],
    ['a VBIOS manifest', ONE.vbiosRim.bytes, rim, ['XML_SYNTAX']],
    ['a switch manifest', ONE.switchRim?.bytes ?? quote, rim, ['XML_SYNTAX']],
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

  it.each(inputs)('of %s', (_, bytes, decode, codes) => {
    expect(decode(bytes)).toMatchObject('ok' in decode(bytes) ? { ok: true } : [])
    const tally = truncations(bytes, decode)
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
  const files = readdirSync(FIXTURES, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => /\.(json|crl|der|xml)$/.test(name))
    .sort()

  it('are not none', () => expect(files.length).toBeGreaterThan(10))

  it.each(files)('of %s', (name) => {
    const file = new Uint8Array(readFileSync(join(FIXTURES, name)))
    const decode = decoders.find(([pattern]) => pattern.test(name))?.[1]
    if (decode === undefined) throw new TypeError(`nothing decodes ${name}`)
    // A line break at the end of a text is nothing that could be missed.
    const bytes = file.at(-1) === 0x0a ? file.subarray(0, -1) : file
    const tally = truncations(bytes, decode)
    expect(tally.executions).toBe(bytes.length)
    expect(
      Object.keys(tally.counts).filter((code) => !/^(JSON_SYNTAX|ENV_EVIDENCE_EMPTY|DER_|XML_)/.test(code)),
    ).toEqual([])
  })

  it('a PEM chain cut anywhere is refused, or shorter by whole certificates and so a chain to nowhere', () => {
    const chain = utf8(cpu().chainPem)
    const whole = decodePem(chain, 'pem')
    const all = whole.ok ? whole.value.length : 0
    expect(all).toBe(3)
    const shorter = new Tally()
    for (let size = 0; size < chain.length - 1; size++) {
      const outcome = decodePem(chain.subarray(0, size), 'pem')
      shorter.add(outcome.ok ? `${outcome.value.length} certificates` : outcome.faults[0].code)
    }
    expect(shorter.counts).toEqual({})
  })
})
