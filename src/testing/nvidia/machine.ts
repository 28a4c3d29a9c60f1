import { pem } from '../pki/certificate.ts'
import { ARCHITECTURES, type GpuArchitecture, type RimKind } from './architectures.ts'
import { must } from './bytes.ts'
import type { NvidiaDevice } from './device-pki.ts'
import type { Fault } from './fault.ts'
import type { IssuedCertificate } from './issue.ts'
import { MACHINE_FAULTS } from './machine-faults.ts'
import { type DevicePlan, type MachinePlan, type MachineSpec, machinePlan, type OcspSubject } from './machine-plan.ts'
import { OCSP_FAULTS, type OcspFault } from './ocsp.ts'
import { createNvidiaTestPki, NVIDIA_TEST_TIME, type NvidiaTestPki } from './pki.ts'
import { gpuReport, switchReport } from './report.ts'
import { COMMON_REPORT_FAULTS, type CommonReportFault, REPORT_FAULTS, type ReportFault } from './report-faults.ts'
import { RIM_FAULTS, type Rim, type RimFault, rim } from './rim.ts'

/**
 * One thing wrong with a machine: a fault of the set or of a chain by its name in `MACHINE_FAULTS`, a fault of one report
 * (of the last GPU or switch), of one manifest, or of one OCSP answer behind the name of the part it is in.
 */
export type NvidiaFault =
  | keyof typeof MACHINE_FAULTS
  | `report/${ReportFault}`
  | `switch-report/${CommonReportFault}`
  | `driver-rim/${RimFault}`
  | `vbios-rim/${RimFault}`
  | `switch-rim/${SwitchRimFault}`
  | `ocsp-identity/${StapledFault}`
  | `ocsp-rim-signer/${StapledFault}`

/** A switch has one manifest, which cannot be at odds with another. */
type SwitchRimFault = Exclude<RimFault, 'index-conflict'>

/** Stapled answers carry no nonce, so none of them can be the wrong one. */
type StapledFault = Exclude<OcspFault, 'nonce-other'>

export interface NvidiaMachineSpec extends MachineSpec {
  readonly wrong?: NvidiaFault | undefined
}

/** What a device hands out, and the keys behind it. */
export interface MachineDevice {
  readonly report: Uint8Array
  readonly chainPem: string
  /** Leaf first. */
  readonly chainDer: readonly Uint8Array[]
  readonly device: NvidiaDevice
}

/** An OCSP answer and the certificate it is for. */
export interface MachineOcspResponse {
  /** e.g. `gpu-0/identity`, `hopper/provisioner`, `driver/rim-signer`. */
  readonly of: string
  readonly der: Uint8Array
}

export interface NvidiaMachine {
  readonly pki: NvidiaTestPki
  readonly gpus: readonly MachineDevice[]
  readonly switches: readonly MachineDevice[]
  readonly driverRim: Rim
  readonly vbiosRim: Rim
  readonly switchRim?: Rim
  /** One for every distinct certificate NVIDIA asks about: identity, provisioner, architecture, and the RIM chains less the root. */
  readonly ocspResponses: readonly MachineOcspResponse[]
  readonly roots: NvidiaTestPki['roots']
}

/**
 * A whole machine's evidence and endorsements: everything verifies and matches, or all but the one thing named. The same
 * arguments give the same bytes; the accepted twin of a fault is the same call without `wrong`.
 */
export function nvidiaMachine(seed: string, spec: NvidiaMachineSpec): NvidiaMachine {
  const pki = createNvidiaTestPki(seed)
  const rightful = machinePlan(pki, spec, spec.at ?? NVIDIA_TEST_TIME)
  return makeMachine(spec.wrong === undefined ? rightful : applyFault(spec.wrong, rightful))
}

const PARTS = {
  report: (plan: MachinePlan, wrong: string): MachinePlan => ({ ...plan, gpus: lastReport(plan.gpus, wrong) }),
  'switch-report': (plan: MachinePlan, wrong: string): MachinePlan => ({
    ...plan,
    switches: lastReport(plan.switches, wrong),
  }),
  'driver-rim': (plan: MachinePlan, wrong: string): MachinePlan => oneRim(plan, 'driver', wrong),
  'vbios-rim': (plan: MachinePlan, wrong: string): MachinePlan => oneRim(plan, 'vbios', wrong),
  'switch-rim': (plan: MachinePlan, wrong: string): MachinePlan => oneRim(plan, 'switch-bios', wrong),
  'ocsp-identity': (plan: MachinePlan, wrong: string): MachinePlan => oneAnswer(plan, 'identity', wrong),
  'ocsp-rim-signer': (plan: MachinePlan, wrong: string): MachinePlan => oneAnswer(plan, 'rim-signer', wrong),
}

function applyFault(name: NvidiaFault, plan: MachinePlan): MachinePlan {
  const [part, wrong] = name.split('/')
  if (wrong !== undefined) return PARTS[part as keyof typeof PARTS](plan, wrong)
  const fault: Fault<MachinePlan> = MACHINE_FAULTS[name as keyof typeof MACHINE_FAULTS]
  return fault.apply(plan)
}

function lastReport<E extends object>(devices: readonly DevicePlan<E>[], wrong: string): readonly DevicePlan<E>[] {
  const last = must(devices.at(-1), 'device whose report is to be wrong')
  return devices.with(devices.length - 1, { ...last, report: { ...last.report, wrong: wrong as ReportFault } })
}

function oneRim(plan: MachinePlan, kind: RimKind, wrong: string): MachinePlan {
  const of = must(plan.rims[kind], `${kind} manifest`)
  return { ...plan, rims: { ...plan.rims, [kind]: { ...of, wrong: wrong as RimFault } } }
}

const oneAnswer = (plan: MachinePlan, subject: OcspSubject, wrong: string): MachinePlan => ({
  ...plan,
  ocsp: { ...plan.ocsp, [subject]: { wrong: wrong as StapledFault } },
})

/** A fault by name: what it is, the row of the must-reject catalogue, and what the machine has to have for it. */
export interface NvidiaFaultEntry {
  readonly name: NvidiaFault
  readonly what: string
  readonly row?: string
  readonly needs?: 'two GPUs' | 'switches' | 'Hopper'
}

type Described = Omit<NvidiaFaultEntry, 'name'>

/** Every fault `nvidiaMachine` knows. */
export function nvidiaFaults(): readonly NvidiaFaultEntry[] {
  const named = (prefix: string, faults: Readonly<Record<string, Described>>, part: Partial<Described> = {}) =>
    Object.entries(faults).map(([name, { what, row, needs }]) => ({
      name: `${prefix}${name}` as NvidiaFault,
      what,
      ...(row !== undefined && { row }),
      ...(needs !== undefined && { needs }),
      ...part,
    }))
  const { 'nonce-other': _nonce, ...stapled } = OCSP_FAULTS
  const { 'index-conflict': _conflict, ...switchRim } = RIM_FAULTS
  return [
    ...named('', MACHINE_FAULTS),
    ...named('report/', REPORT_FAULTS),
    ...named('switch-report/', COMMON_REPORT_FAULTS, { needs: 'switches' }),
    ...named('driver-rim/', RIM_FAULTS),
    ...named('vbios-rim/', RIM_FAULTS),
    ...named('switch-rim/', switchRim, { needs: 'switches' }),
    ...named('ocsp-identity/', stapled),
    ...named('ocsp-rim-signer/', stapled),
  ]
}

function makeMachine(plan: MachinePlan): NvidiaMachine {
  const gpus = plan.gpus.map((gpu) =>
    madeDevice(gpu, (device) => gpuReport({ ...gpu.report, seed: plan.pki.seed, device: asGpu(device) })),
  )
  const switches = plan.switches.map((one) =>
    madeDevice(one, (device) => switchReport({ ...one.report, seed: plan.pki.seed, device: asSwitch(device) })),
  )
  const made = (kind: RimKind): Rim => rim({ pki: plan.pki, kind, ...must(plan.rims[kind], `${kind} manifest`) })
  const driverRim = made('driver')
  const vbiosRim = made('vbios')
  const switchRim = plan.rims['switch-bios'] && made('switch-bios')
  const rims = { driver: driverRim, vbios: vbiosRim, ...(switchRim && { switch: switchRim }) }
  return {
    pki: plan.pki,
    gpus,
    switches,
    driverRim,
    vbiosRim,
    ...(switchRim && { switchRim }),
    ocspResponses: answers(plan, gpus, switches, rims),
    roots: plan.pki.roots,
  }
}

function madeDevice<E>(plan: DevicePlan<E>, report: (device: NvidiaDevice) => Uint8Array): MachineDevice {
  const device = plan.pki.device(plan.device)
  const chainDer = plan.chain(device)
  return { report: report(device), chainDer, chainPem: pem(chainDer), device }
}

function asGpu(device: NvidiaDevice): NvidiaDevice & { readonly architecture: GpuArchitecture } {
  const { architecture } = device
  if (architecture === 'ls10') throw new TypeError('a switch makes no GPU report')
  return { ...device, architecture }
}

function asSwitch(device: NvidiaDevice): NvidiaDevice & { readonly architecture: 'ls10' } {
  const { architecture } = device
  if (architecture !== 'ls10') throw new TypeError(`${ARCHITECTURES[architecture].product} makes no switch report`)
  return { ...device, architecture }
}

interface Question {
  readonly of: string
  readonly subject: OcspSubject
  readonly certificate: IssuedCertificate
  /** Whether a plan for the subject is about this certificate. */
  readonly meant: boolean
}

function answers(
  plan: MachinePlan,
  gpus: readonly MachineDevice[],
  switches: readonly MachineDevice[],
  rims: Readonly<Record<string, Rim>>,
): readonly MachineOcspResponse[] {
  const devices = [
    ...gpus.map((one, i) => ({ device: one.device, label: `gpu-${i}`, meant: i === gpus.length - 1 })),
    ...switches.map((one, i) => ({ device: one.device, label: `switch-${i}`, meant: false })),
  ]
  const questions: Question[] = [
    ...devices.flatMap(({ device, label, meant }) => deviceQuestions(device, label, meant)),
    ...Object.entries(rims).flatMap(([kind, { chain }]) =>
      (['signer', 'issuer', 'authority'] as const).map((role) => ({
        of: `${kind}/rim-${role}`,
        subject: `rim-${role}` as const,
        certificate: chain.certificates[role],
        meant: kind !== 'switch',
      })),
    ),
  ]
  const seen = new Set<string>()
  return questions.flatMap(({ of, subject, certificate, meant }) => {
    const key = certificate.der.join()
    const { missing, ...answer } = (meant ? plan.ocsp[subject] : undefined) ?? {}
    if (seen.has(key) || missing === true) return []
    seen.add(key)
    return [{ of, der: plan.pki.ocsp({ certificate, at: plan.at, ...answer }) }]
  })
}

function deviceQuestions(device: NvidiaDevice, label: string, meant: boolean): Question[] {
  const { identity, provisioner, architecture } = device.certificates
  const shared = device.architecture !== 'ls10'
  return [
    { of: `${label}/identity`, subject: 'identity', certificate: identity, meant },
    { of: `${device.architecture}/provisioner`, subject: 'provisioner', certificate: provisioner, meant: shared },
    { of: `${device.architecture}/architecture`, subject: 'architecture', certificate: architecture, meant: shared },
  ]
}
