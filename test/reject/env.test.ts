import net from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { utf8 } from '../../src/core/bytes.ts'
import { toBase64 } from '../../src/core/encodings.ts'
import type { Json, JsonObject } from '../../src/core/json.ts'
import type { Decision } from '../../src/decision/decision.ts'
import {
  akashGpuReport,
  type CertificateSpec,
  ext,
  type GpuReportSpec,
  type MachineDevice,
  pem,
} from '../../src/testing/index.ts'
import { row, rowTitle } from './row.ts'
import {
  akashQuote,
  akashScene,
  amdAnchors,
  amdCollateral,
  bundle,
  bundleItem,
  cpu,
  cpuScene,
  gpuPolicy,
  gpus,
  type How,
  judged,
  LEASE,
  loneGpu,
  nvidiaAnchors,
  nvidiaCollateral,
  nvidiaItems,
  type Scene,
} from './stage.ts'

const CPU = cpu()
const ONE = gpus()
const CPU_QUOTE = akashQuote(CPU, undefined)
const GPU_QUOTE = akashQuote(CPU, ONE.gpus)
const REPORT = toBase64(CPU.report)

const scene = (evidence: Uint8Array): Scene => ({
  evidence,
  collateral: [...amdCollateral(CPU), ...nvidiaCollateral(ONE)],
  anchors: [...amdAnchors(CPU), ...nvidiaAnchors(ONE)],
})
const text = (evidence: string, how: How = {}): Promise<Decision> => judged(scene(utf8(evidence)), how)

/** The CPU quote with members changed; the twin of all of them is the quote itself. */
const quote = (members: JsonObject, how: How = {}) => text(JSON.stringify({ ...CPU_QUOTE, ...members }), how)
const good = () => quote({})

const WITH_GPU: How = { policy: gpuPolicy(), lease: LEASE }
const gpuQuote = (members: JsonObject) => text(JSON.stringify({ ...GPU_QUOTE, ...members }), WITH_GPU)
const firstGpu = (GPU_QUOTE.gpu_reports as readonly JsonObject[])[0] ?? {}
const gpuEntry = (members: JsonObject) => gpuQuote({ gpu_reports: [{ ...firstGpu, ...members }] })

const cpuItem = bundleItem('cpu', 'amd/snp-report', CPU.report, [CPU.table])
const item = (members: JsonObject, more: JsonObject = {}) => judged(scene(bundle([{ ...cpuItem, ...members }], more)))

describe('limits', () => {
  const padded = (size: number): string => JSON.stringify(CPU_QUOTE).padEnd(size, ' ')
  row('RJ-ENV-01', {
    twin: () => text(padded(1_048_576)),
    bad: () => text(padded(1_048_577)),
  })

  const large = new Uint8Array(65_537)
  large.set(CPU.report)
  row('RJ-ENV-02', {
    twin: good,
    bad: {
      'in a quote': () => quote({ report: toBase64(large) }),
      'in a bundle': () => item({ data: toBase64(large) }),
      'as configfs-tsm JSON': () => text(JSON.stringify({ outblob: toBase64(large) })),
      'a GPU report': () => gpuEntry({ report: toBase64(large) }),
    },
  })

  const sixteen = gpus({ gpuCount: 16 })
  const many: How = {
    policy: gpuPolicy({ count: 16 }, { acceptRisks: ['plain-nvlink'] }),
    lease: { ...LEASE, gpuCount: 16 },
  }
  const copies = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ ...firstGpu, device_index: i }) satisfies JsonObject)
  row('RJ-ENV-03', {
    twin: () => judged(akashScene(CPU, sixteen), many),
    bad: {
      'in a quote': () => judged(akashScene(CPU, ONE, { gpu_reports: copies(17) }), many),
      'in a bundle': () => {
        const [first = {}] = nvidiaItems(ONE)
        const items = Array.from({ length: 17 }, (_, i) => ({ ...first, id: `gpu-${i}` }))
        return judged(scene(bundle([cpuItem, ...items])), many)
      },
      "in NVIDIA's own form": () => {
        const [gpu] = ONE.gpus
        const device = {
          arch: 'HOPPER',
          evidence: toBase64(gpu?.report ?? new Uint8Array()),
          certificate: toBase64(utf8(gpu?.chainPem ?? '')),
        }
        return text(JSON.stringify(Array.from({ length: 17 }, () => device)), many)
      },
    },
  })

  const unrelated = sixteen.gpus.map((g) => g.chainDer[1] ?? new Uint8Array())
  const chain = (more: number) => [CPU.vek, CPU.intermediate, CPU.ark, ...unrelated.slice(0, more)]
  const inPem = (more: number) => quote({ auxblob: '', cert_chain: toBase64(utf8(pem(chain(more)))) })
  const inBundle = (more: number) => item({ certs: chain(more).map(toBase64) })
  row('RJ-ENV-04', {
    twin: {
      'in PEM': () => inPem(5),
      'in a bundle': () => inBundle(5),
      'beside a table': () => quote({}),
      'of a GPU': () => gpuQuote({}),
    },
    bad: {
      'in PEM': () => inPem(6),
      'in a bundle': () => inBundle(6),
      'beside a table': () => quote({ cert_chain: toBase64(utf8(pem(unrelated.slice(0, 6)))) }),
      'of a GPU': () => {
        const [gpu] = ONE.gpus
        const chainPem = pem([...(gpu?.chainDer ?? []), ...unrelated.slice(0, 4)])
        return gpuEntry({ report: toBase64(akashGpuReport({ report: gpu?.report ?? new Uint8Array(), chainPem })) })
      },
    },
  })

  // Each GPU comes under authorities of its own, so that none of its five checks is shared: 3 for the CPU, 5 a GPU.
  const lone = Array.from({ length: 13 }, (_, i) => {
    const issued: (role: number) => (spec: CertificateSpec) => CertificateSpec = (role) => (spec) => ({
      ...spec,
      notBefore: `2022-0${role}-${String(i + 1).padStart(2, '0')}T00:00:00Z`,
    })
    return loneGpu(`lone-${i}`, { edit: { architecture: issued(1), provisioner: issued(2) } })
  })
  const machineOf = (devices: readonly (MachineDevice & { ocsp: readonly Uint8Array[] })[]) =>
    judged(
      {
        evidence: utf8(JSON.stringify(akashQuote(CPU, devices))),
        collateral: [...amdCollateral(CPU), ...nvidiaCollateral(ONE), ...devices.flatMap((d) => d.ocsp)],
        anchors: [...amdAnchors(CPU), ...nvidiaAnchors(ONE)],
      },
      {
        policy: gpuPolicy({ count: devices.length }, { acceptRisks: ['plain-nvlink'] }),
        lease: { ...LEASE, gpuCount: devices.length },
      },
    )
  row('RJ-ENV-05', { twin: () => machineOf(lone.slice(0, 12)), bad: () => machineOf(lone) })

  it('a warm cache buys no further checks', async () => {
    await machineOf(lone.slice(0, 12))
    await machineOf(lone.slice(1))
    expect((await machineOf(lone)).findings.map((f) => f.code)).toEqual(['LIMIT_SIGNATURE_BUDGET'])
  })
})

describe('labels and members', () => {
  // 1184 bytes leave two unused bits in the last digit before the padding.
  const stray = REPORT.replace(/(.)=$/, (_, c: string) => `${String.fromCharCode(c.charCodeAt(0) + 1)}=`)
  row('RJ-ENV-06', {
    twin: good,
    bad: {
      'trailing bits set': () => quote({ report: stray }),
      'url alphabet': () => quote({ report: REPORT.replaceAll('+', '-').replaceAll('/', '_') }),
      'a line break inside': () => quote({ report: `${REPORT.slice(0, 76)}\n${REPORT.slice(76)}` }),
      'a line break behind': () => quote({ report: `${REPORT}\n` }),
      'no padding': () => quote({ report: REPORT.replaceAll('=', '') }),
      'padding twice': () => quote({ report: `${REPORT}=` }),
      'a space': () => quote({ auxblob: ` ${toBase64(CPU.table)}` }),
      'of a GPU report': () => gpuEntry({ report: `${String(firstGpu.report)}\n` }),
      'in a bundle': () => item({ data: stray }),
    },
  })

  // Header of a TDX quote: version 4, attestation key type 2, TEE type 0x81.
  const quoteOfTdx = new Uint8Array(5000)
  quoteOfTdx.set([4, 0, 2, 0, 0x81, 0, 0, 0])
  const tdx = toBase64(quoteOfTdx)
  row('RJ-ENV-07', {
    twin: good,
    bad: {
      'a TDX quote as snp': () => quote({ report: tdx }),
      'a TDX quote as snp-gpu': () => gpuQuote({ report: tdx }),
      'an SNP report as tdx': () => quote({ tee_platform: 'tdx' }),
      'a GPU report as snp': () => quote({ report: toBase64(ONE.gpus[0]?.report ?? new Uint8Array()) }),
      'a TDX quote in a bundle': () => item({ data: tdx }),
      'an SNP report as GPU report in a bundle': () => item({ format: 'nvidia/gpu-report' }),
      'GPU reports beside the label snp': () => text(JSON.stringify({ ...GPU_QUOTE, tee_platform: 'snp' })),
    },
  })

  row('RJ-ENV-08', {
    twin: good,
    bad: {
      sample: () => quote({ tee_platform: 'sample' }),
      'another case': () => quote({ tee_platform: 'SNP' }),
      'an empty label': () => quote({ tee_platform: '' }),
      'the name of a member of every object': () => quote({ tee_platform: 'constructor' }),
      'a test purpose': () => quote({ test_purpose: 'integration' }),
      'a test purpose in camel case': () => quote({ testPurpose: '' }),
      'a bundle of another kind': () => judged(scene(utf8(JSON.stringify({ kind: 'vouchsafe/2', items: [cpuItem] })))),
      'a sample item in a bundle': () => item({ format: 'sample' }),
      'an item of the name of a member of every object': () => item({ format: 'constructor', data: 'AAAA' }),
      'an item of the name of what every object comes from': () => item({ format: '__proto__', data: 'AAAA' }),
      'another binding in a bundle': () => item({}, { binding: 'trusted' }),
    },
  })

  // The number is left out: a lease that states one is also compared with what is shown.
  const order: How = { lease: { ...LEASE, gpuCount: undefined } }
  row('RJ-ENV-09', {
    twin: () => text(JSON.stringify(GPU_QUOTE), order),
    bad: {
      'a quote that says snp': () => quote({}, order),
      'a bundle without GPU': () => judged(cpuScene(CPU), order),
      'a raw report': () =>
        judged({ ...cpuScene(CPU), evidence: CPU.report, collateral: [CPU.crl, CPU.vek, CPU.intermediate] }, order),
    },
  })

  row('RJ-ENV-11', {
    twin: good,
    bad: {
      'in a quote': () => quote({ report: '' }),
      'in a bundle': () => item({ data: '' }),
      'of a GPU': () => gpuEntry({ report: '' }),
      'as configfs-tsm JSON': () => text('{"outblob":""}'),
      'a file without bytes': () => text(''),
    },
  })

  const hostile = { 'a colour code': 'snp\u001b[31m', 'a direction override': 'snp\u202e', 'a line break': 'snp\nok' }
  row('RJ-ENV-12', {
    twin: good,
    bad: {
      ...Object.fromEntries(
        Object.entries(hostile).map(([name, label]) => [name, () => quote({ tee_platform: label })]),
      ),
      'in the id of an item': () => item({ id: 'cpu\u0007' }),
      'in the form of an item': () => item({ format: 'amd/snp-report\u200b' }),
    },
  })

  it.each(Object.entries(hostile))('%s never reaches a finding as it is', async (_, label) => {
    const decision = await quote({ tee_platform: label })
    expect(JSON.stringify(decision.findings)).toMatch(/^[\x20-\x7e]*$/)
  })

  const doubled = (member: string, value: Json) =>
    text(`{${JSON.stringify(member)}:${JSON.stringify(value)},${JSON.stringify(CPU_QUOTE).slice(1)}`)
  row('RJ-ENV-13', {
    twin: good,
    bad: {
      'the report, another first': () => doubled('report', toBase64(cpu({ wrong: 'policy-debug' }).report)),
      'the report, the same': () => doubled('report', REPORT),
      'under an escaped name': () => text(`{"rep\\u006frt":"",${JSON.stringify(CPU_QUOTE).slice(1)}`),
      'in both spellings': () => quote({ teePlatform: 'snp' }),
      'in an item of a bundle': () =>
        text(JSON.stringify({ kind: 'vouchsafe/1', items: [cpuItem] }).replace('"id":"cpu"', '"id":"cpu","id":"gpu"')),
    },
  })

  row('RJ-ENV-14', {
    twin: good,
    bad: {
      'reprot beside report': () => quote({ reprot: REPORT }),
      'in an entry of a GPU': () => gpuEntry({ nonce: 'x' }),
      'in a bundle': () => item({}, { policy: 'any' }),
      'in an item of a bundle': () => item({ trusted: true }),
      'beside a wrapped quote': () => text(JSON.stringify({ quote: CPU_QUOTE, verified: true })),
    },
  })

  row('RJ-ENV-15', {
    twin: good,
    bad: {
      'GPU reports as an object': () => gpuQuote({ gpu_reports: { 0: firstGpu } }),
      'an index as text': () => gpuEntry({ device_index: '0' }),
      'an entry as text': () => gpuQuote({ gpu_reports: ['x'] }),
      'a flag as text': () => quote({ tls_bound: 'false' }),
      'the report as a list': () => quote({ report: [...CPU.report] }),
      'the report as null': () => quote({ report: null }),
      'the label as a number': () => quote({ tee_platform: 1 }),
      'a chain as a list': () => quote({ cert_chain: [] }),
      'no report at all': () => {
        const { report: _, ...rest } = CPU_QUOTE
        return text(JSON.stringify(rest))
      },
      'items as an object': () => text(JSON.stringify({ kind: 'vouchsafe/1', items: { 0: cpuItem } })),
    },
  })
})

describe('addresses', () => {
  let connections = 0
  beforeEach(() => {
    connections = 0
    const counted = (): never => {
      connections++
      throw new TypeError('no network in here')
    }
    vi.stubGlobal('fetch', counted)
    vi.spyOn(net.Socket.prototype, 'connect').mockImplementation(counted)
  })
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
    expect(connections).toBe(0)
  })

  const leafWith = (...append: readonly Uint8Array[]) => judged(cpuScene(cpu({ leaf: { extensions: { append } } })))
  const attestationWith = (extension: Uint8Array, report: Partial<GpuReportSpec> = {}) => {
    const edit = { attestation: (spec: CertificateSpec) => ({ ...spec, extensions: [extension, ...spec.extensions] }) }
    const gpu = loneGpu('gpu-0', { edit }, report)
    return judged(
      {
        ...scene(utf8(JSON.stringify(akashQuote(CPU, [gpu])))),
        collateral: [...amdCollateral(CPU), ...nvidiaCollateral(ONE), ...gpu.ocsp],
      },
      WITH_GPU,
    )
  }
  const AMD = 'https://kdsintf.amd.com/vcek/v1/Genoa/crl'
  const elsewhere = {
    'this very machine': 'http://127.0.0.1:8080/crl',
    'the metadata service of a cloud': 'http://169.254.169.254/latest/meta-data/',
    'a host that begins like the vendor': 'https://kdsintf.amd.com.example/crl',
    'the vendor as user name': 'https://kdsintf.amd.com@127.0.0.1/crl',
    'a file': 'file:///etc/passwd',
    'a directory service': 'ldap://127.0.0.1/cn=crl',
  }
  row('RJ-ENV-10', {
    about: 'in a leaf of AMD',
    twin: () => leafWith(ext.crlDistributionPoint(AMD), ext.authorityInfoAccess('https://kdsintf.amd.com')),
    bad: Object.fromEntries(
      Object.entries(elsewhere).flatMap(([name, address]) => [
        [`${name}, for revocation`, () => leafWith(ext.crlDistributionPoint(address))],
        [`${name}, for the issuer`, () => leafWith(ext.authorityInfoAccess(address))],
      ]),
    ),
  })
  row('RJ-ENV-10', {
    about: 'in a leaf of NVIDIA',
    twin: () => attestationWith(ext.authorityInfoAccess('http://ocsp.ndis.nvidia.com')),
    bad: {
      'for OCSP': () => attestationWith(ext.authorityInfoAccess('http://127.0.0.1/ocsp')),
      'for revocation': () => attestationWith(ext.crlDistributionPoint('http://127.0.0.1/l1.crl')),
    },
  })

  it(`${rowTitle('RJ-ENV-10')}, and nothing is ever fetched, from an address of the vendor's neither`, async () => {
    await leafWith(ext.crlDistributionPoint(AMD))
    expect(connections).toBe(0)
  })
})
