import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  type AkashPackingFault,
  akashGpuReport,
  MACHINE_FAULTS,
  type MachineDevice,
  type NvidiaFault,
  type NvidiaMachine,
  type NvidiaMachineSpec,
  nvidiaFaults,
  nvidiaMachine,
  OPAQUE,
} from '../../src/testing/nvidia/index.ts'
import { describeEvidence, evidence } from '../support/evidence.ts'
import { linked, pemCertificates, rimSignatureHolds, signedBy, walkReport } from './nvidia-walk.ts'

const nonce = Uint8Array.from({ length: 32 }, (_, i) => 255 - i)
const single: NvidiaMachineSpec = {
  architecture: 'hopper',
  gpuCount: 1,
  nonce,
  driverVersion: '580.159.03',
  vbiosVersion: '96.00.74.00.20',
  featureFlag: 'spt',
}
const board: NvidiaMachineSpec = { ...single, gpuCount: 8, switchCount: 4, featureFlag: 'ppcie' }
const small: NvidiaMachineSpec = { ...single, gpuCount: 2, switchCount: 2, featureFlag: 'ppcie' }

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const field = (device: MachineDevice, type: number): Buffer =>
  walkReport(device.report).opaque.find((f) => f.type === type)?.data ?? Buffer.alloc(0)

/** Every eight bytes of a table, least significant byte first where that is how they are written. */
const entries = (table: Buffer, reversed: boolean): string[] =>
  Array.from({ length: table.length / 8 }, (_, i) => {
    const entry = Buffer.from(table.subarray(8 * i, 8 * i + 8))
    return (reversed ? entry.reverse() : entry).toString('hex')
  })

const identityTail = (chainPem: string): string =>
  (pemCertificates(chainPem)[1]?.serialNumber ?? '').slice(2).toLowerCase()

/** PDIs the GPUs see, PDIs the switches see, and the certified identities of both. */
function topology(
  gpus: readonly { report: Uint8Array; chainPem: string }[],
  switches: readonly { report: Uint8Array; chainPem: string }[],
) {
  const table = (report: Uint8Array, type: number) =>
    walkReport(report).opaque.find((f) => f.type === type)?.data ?? Buffer.alloc(0)
  const sorted = (values: readonly string[]) => [...new Set(values)].filter((pdi) => !/^0*$/.test(pdi)).sort()
  return {
    seenByGpus: gpus.map(({ report }) => sorted(entries(table(report, OPAQUE.switchPdi), true))),
    seenBySwitches: switches.map(({ report }) => sorted(entries(table(report, OPAQUE.gpuPdis).subarray(0, 64), false))),
    reported: sorted(switches.map(({ report }) => table(report, OPAQUE.devicePdi).toString('hex'))),
    gpus: sorted(gpus.map(({ chainPem }) => identityTail(chainPem))),
    switches: sorted(switches.map(({ chainPem }) => identityTail(chainPem))),
  }
}

function topologyHolds(of: ReturnType<typeof topology>): boolean {
  const same = (a: string[], b: string[]) => a.join() === b.join()
  return (
    same(of.reported, of.switches) &&
    of.seenByGpus.every((seen) => same(seen, of.switches)) &&
    of.seenBySwitches.every((seen) => same(seen, of.gpus))
  )
}

const reportHolds = ({ report, chainPem }: MachineDevice): boolean => {
  const [leaf] = pemCertificates(chainPem)
  return leaf !== undefined && signedBy(report, leaf.publicKey)
}

const chainHolds = (machine: NvidiaMachine, { chainPem }: MachineDevice): boolean => {
  const chain = pemCertificates(chainPem)
  return chain.length === 5 && linked(chain) && hex(chain[4]?.raw ?? Buffer.alloc(0)) === hex(machine.roots.device)
}

describe('a rightful machine', () => {
  const machine = nvidiaMachine('machine tests', board)

  it('has every signature and chain in order', () => {
    const devices = [...machine.gpus, ...machine.switches]
    expect(devices).toHaveLength(12)
    for (const device of devices) {
      expect(reportHolds(device)).toBe(true)
      expect(chainHolds(machine, device)).toBe(true)
      expect(walkReport(device.report).nonce).toBe(hex(nonce))
    }
    expect(new Set(devices.map(({ device }) => device.attestationSerial)).size).toBe(12)
    for (const rim of [machine.driverRim, machine.vbiosRim, machine.switchRim]) {
      expect(rim !== undefined && rimSignatureHolds(rim.bytes)).toBe(true)
    }
  })

  it('ties its topology to its identities', () => {
    expect(topologyHolds(topology(machine.gpus, machine.switches))).toBe(true)
    expect(machine.switches.map((device) => field(device, OPAQUE.positionId).readUInt16LE())).toEqual([0, 1, 2, 3])
    expect(machine.switches.every((device) => field(device, OPAQUE.lockStatus).readUInt16LE() === 1)).toBe(true)
  })

  it('has one OCSP answer for every certificate NVIDIA asks about', () => {
    expect(machine.ocspResponses.map(({ of }) => of)).toEqual([
      'gpu-0/identity',
      'hopper/provisioner',
      'hopper/architecture',
      ...[1, 2, 3, 4, 5, 6, 7].map((i) => `gpu-${i}/identity`),
      'switch-0/identity',
      'ls10/provisioner',
      ...[1, 2, 3].map((i) => `switch-${i}/identity`),
      'driver/rim-signer',
      'driver/rim-issuer',
      'driver/rim-authority',
      'switch/rim-signer',
      'switch/rim-issuer',
      'switch/rim-authority',
    ])
  })

  it('is the same for the same arguments', () => {
    expect(nvidiaMachine('machine tests', board)).toMatchObject(comparable(machine))
    expect(nvidiaMachine('other', board).gpus[0]?.report).not.toEqual(machine.gpus[0]?.report)
  })

  it('is the same on every machine and in every process', () => {
    const made = nvidiaMachine('fixed', { ...board, gpuCount: 2, switchCount: 2 })
    const hash = createHash('sha256')
    for (const { report, chainPem } of [...made.gpus, ...made.switches]) hash.update(report).update(chainPem)
    for (const rim of [made.driverRim, made.vbiosRim, made.switchRim]) hash.update(rim?.bytes ?? '')
    for (const { der } of made.ocspResponses) hash.update(der)
    hash.update(made.roots.device).update(made.roots.rim)
    // Changes when the kit means to write other bytes, and at no other time.
    expect(hash.digest('hex')).toBe('d0a31fc6cea1f617f1f223992bf9a668197cbc5deb1978af1f3b13f5d210ccbc')
  })

  it('takes edits of single reports', () => {
    const edited = nvidiaMachine('machine tests', {
      ...small,
      gpu: (report, i) => (i === 1 ? { ...report, featureFlag: 'mpt' } : report),
    })
    const twin = nvidiaMachine('machine tests', small)
    expect(edited.gpus[0]?.report).toEqual(twin.gpus[0]?.report)
    expect(edited.gpus[1]?.report).not.toEqual(twin.gpus[1]?.report)
  })

  it('may be a Blackwell', () => {
    const blackwell = nvidiaMachine('machine tests', {
      ...single,
      architecture: 'blackwell',
      vbiosVersion: '97.00.88.00.0F',
      featureFlag: 'mpt',
    })
    expect(blackwell.gpus.every((gpu) => reportHolds(gpu) && chainHolds(blackwell, gpu))).toBe(true)
    expect(blackwell.driverRim.id).toBe('NV_GPU_CC_DRIVER_GB100_580.159.03')
    expect(blackwell.switches).toEqual([])
    expect(blackwell.switchRim).toBeUndefined()
  })
})

/** The bytes of a machine by part. */
const comparable = (machine: NvidiaMachine) => ({
  gpus: machine.gpus.map(({ report, chainPem }) => ({ report, chainPem })),
  switches: machine.switches.map(({ report, chainPem }) => ({ report, chainPem })),
  driverRim: { id: machine.driverRim.id, bytes: machine.driverRim.bytes },
  vbiosRim: { id: machine.vbiosRim.id, bytes: machine.vbiosRim.bytes },
  ocspResponses: machine.ocspResponses,
  roots: machine.roots,
})

/** Parts of two machines that differ. */
function differences(a: NvidiaMachine, b: NvidiaMachine): string[] {
  const differ = (x: readonly Uint8Array[], y: readonly Uint8Array[]) => x.map(hex).join() !== y.map(hex).join()
  const text = (devices: readonly MachineDevice[]) => devices.map(({ chainPem }) => Buffer.from(chainPem))
  const reports = (devices: readonly MachineDevice[]) => devices.map(({ report }) => report)
  const rims = (m: NvidiaMachine) => [m.driverRim.bytes, m.vbiosRim.bytes, ...(m.switchRim ? [m.switchRim.bytes] : [])]
  const answers = (m: NvidiaMachine) => m.ocspResponses.map(({ der }) => der)
  return [
    ...(differ(reports(a.gpus), reports(b.gpus)) || differ(text(a.gpus), text(b.gpus)) ? ['gpus'] : []),
    ...(differ(reports(a.switches), reports(b.switches)) || differ(text(a.switches), text(b.switches))
      ? ['switches']
      : []),
    ...(differ(rims(a), rims(b)) ? ['rims'] : []),
    ...(differ(answers(a), answers(b)) ? ['ocsp'] : []),
  ]
}

type MachineFaultName = keyof typeof MACHINE_FAULTS

/** Faults after which some report is not signed by the leaf it is shown with. */
const OTHER_LEAF: ReadonlySet<MachineFaultName> = new Set<MachineFaultName>([
  'chain-root-only',
  'chain-reversed',
  'chain-empty',
  'chain-of-another',
])

/** Faults after which some chain is not five certificates, each issued by the next, up to the root. */
const BROKEN_CHAIN: ReadonlySet<MachineFaultName> = new Set<MachineFaultName>([
  'chain-without-root',
  'chain-without-identity',
  'chain-root-only',
  'chain-leaf-only',
  'chain-six',
  'chain-reversed',
  'chain-swapped',
  'chain-empty',
  'chain-foreign',
  'chain-foreign-root-swapped',
  'identity-signs',
  'identity-signs-five',
  'leaf-signature',
  'provisioner-key-usage',
])

/** Faults after which PDIs seen, reported and certified are not the same sets. */
const BROKEN_TOPOLOGY: ReadonlySet<MachineFaultName> = new Set<MachineFaultName>([
  'gpu-missing',
  'gpu-none',
  'gpu-extra',
  'gpu-repeated',
  'gpu-repeated-anew',
  'gpu-all-one',
  'gpu-other-board',
  'identity-shared',
  'switch-missing',
  'switch-repeated',
  'switch-extra',
  'switch-unknown',
  'switch-unlinked',
  'switch-identity',
  'switch-pdi',
  'switch-gpu-unknown',
  'switch-gpu-repeated',
  'gpu-identity',
])

describe('one thing wrong', () => {
  const twin = nvidiaMachine('machine tests', small)
  const singleTwin = nvidiaMachine('machine tests', single)
  const names = Object.keys(MACHINE_FAULTS) as MachineFaultName[]
  const known = new Set([...twin.gpus, ...twin.switches].map(({ report, chainPem }) => hex(report) + chainPem))

  it.each(names)('%s: signatures, chains and topology hold where the fault is another', (wrong) => {
    const machine = nvidiaMachine('machine tests', { ...small, wrong })
    const devices = [...machine.gpus, ...machine.switches]
    const changed = differences(machine, twin)
    expect(changed).not.toEqual([])
    expect(changed).not.toContain('rims')
    if (wrong.startsWith('ocsp')) expect(changed).toEqual(['ocsp'])
    // What is as in the twin was looked at there.
    const anew = devices.filter(({ report, chainPem }) => !known.has(hex(report) + chainPem))
    expect(anew.every(reportHolds)).toBe(!OTHER_LEAF.has(wrong))
    expect(anew.every((device) => chainHolds(machine, device))).toBe(!BROKEN_CHAIN.has(wrong))
    if (!wrong.startsWith('chain') && !wrong.startsWith('identity-signs') && wrong !== 'switch-signs') {
      expect(topologyHolds(topology(machine.gpus, machine.switches))).toBe(!BROKEN_TOPOLOGY.has(wrong))
    }
  })

  it.each<[NvidiaFault, string[]]>([
    ['report/measurement-mismatch', ['gpus']],
    ['report/trailing-byte', ['gpus']],
    ['switch-report/nonce-differs', ['switches']],
    ['driver-rim/golden-other', ['rims']],
    ['vbios-rim/signature-missing', ['rims']],
    ['switch-rim/class-other', ['rims']],
    ['ocsp-identity/stale', ['ocsp']],
    ['ocsp-rim-signer/certid-sibling', ['ocsp']],
  ])('%s changes its part and no other', (wrong, parts) => {
    expect(differences(nvidiaMachine('machine tests', { ...small, wrong }), twin)).toEqual(parts)
  })

  it('touches the last GPU only', () => {
    const machine = nvidiaMachine('machine tests', { ...small, wrong: 'report/record-length-zero' })
    expect(machine.gpus[0]?.report).toEqual(twin.gpus[0]?.report)
    expect(() => walkReport(machine.gpus[1]?.report ?? new Uint8Array())).toThrow(RangeError)
  })

  it('lists every fault once, with its meaning and a row of the catalogue or none', () => {
    const faults = nvidiaFaults()
    expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length)
    for (const { what, row } of faults) {
      expect(what).not.toBe('')
      expect(row ?? 'RJ-GPU-01').toMatch(/^RJ-(GPU|RIM|X5)-\d\d$/)
    }
    const covered = new Set(faults.map(({ row }) => row))
    const rimRows = Array.from({ length: 18 }, (_, i) => `RJ-RIM-${String(i + 1).padStart(2, '0')}`)
    expect(rimRows.filter((row) => !covered.has(row))).toEqual([])
  })

  it('says what a fault needs', () => {
    const needs = nvidiaFaults().flatMap(({ name, needs }) => (needs === undefined || needs === 'Hopper' ? [] : [name]))
    for (const wrong of names.filter((name) => !needs.includes(name))) {
      expect(differences(nvidiaMachine('machine tests', { ...single, wrong }), singleTwin)).not.toEqual([])
    }
    expect(() =>
      nvidiaMachine('machine tests', { ...single, wrong: 'leaf-fwid-key', architecture: 'blackwell' }),
    ).toThrow(TypeError)
    expect(() => nvidiaMachine('machine tests', { ...single, wrong: 'switch-report/trailing-byte' })).toThrow(TypeError)
    expect(() => nvidiaMachine('machine tests', { ...single, wrong: 'switch-unlocked' })).toThrow(TypeError)
  })
})

describe('Akash packing', () => {
  const [gpu] = nvidiaMachine('machine tests', single).gpus
  if (gpu === undefined) throw new Error('no GPU')
  const marker = Buffer.from('-----BEGIN CERTIFICATE-----')

  it('is report ‖ CEC ‖ PEM', () => {
    const cec = Uint8Array.of(1, 2, 3)
    for (const [packed, binary] of [
      [akashGpuReport(gpu), gpu.report],
      [akashGpuReport(gpu, { cec }), Buffer.concat([gpu.report, cec])],
    ] as const) {
      const at = Buffer.from(packed).indexOf(marker)
      expect(hex(packed.subarray(0, at))).toBe(hex(binary))
      expect(pemCertificates(Buffer.from(packed.subarray(at)).toString())).toHaveLength(5)
    }
    expect(Buffer.from(akashGpuReport(gpu, { lineEnd: '\r\n' })).includes('-----\r\nM')).toBe(true)
  })

  it.each<AkashPackingFault>(['no-pem', 'pem-first', 'chain-twice', 'text-between', 'text-behind', 'nul-behind'])(
    '%s is something else',
    (wrong) => {
      expect(akashGpuReport(gpu, { wrong })).not.toEqual(akashGpuReport(gpu))
    },
  )
})

describeEvidence('nvidia/ppcie-8gpu-4switch', () => {
  it('the topology of a real board holds by the same reading', () => {
    const read = (name: string) => ({
      report: evidence(`nvidia/ppcie-8gpu-4switch/${name}.report.bin`),
      chainPem: Buffer.from(evidence(`nvidia/ppcie-8gpu-4switch/${name}.certs.pem`)).toString(),
    })
    const gpus = Array.from({ length: 8 }, (_, i) => read(`gpu-${i}`))
    const switches = Array.from({ length: 4 }, (_, i) => read(`switch-${i}`))
    expect(topologyHolds(topology(gpus, switches))).toBe(true)
    expect(topologyHolds(topology(gpus.slice(1), switches))).toBe(false)
  })
})
