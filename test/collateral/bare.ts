import type { AmdMachine, AmdMachineOptions, NvidiaMachineSpec, TdxMachineOptions } from '../../src/testing/index.ts'
import { td, tdxPolicy } from '../reject/intel-stage.ts'
import {
  ASKED,
  AT,
  amdAnchors,
  bundle,
  bundleItem,
  cpu,
  cpuPolicy,
  gpuPolicy,
  gpus,
  LEASE,
  nvidiaAnchors,
  nvidiaItems,
} from '../reject/stage.ts'
import { anchorFromCertificate } from '../support/anchors.ts'
import type { Bare } from './stage.ts'
import { pemOf, VendorObjects } from './vendor-objects.ts'

/** A piece of evidence of the kit without its collateral, and what the vendors have about it. */
export interface BareScene extends Bare {
  readonly stock: (objects: VendorObjects) => VendorObjects
}

/** What AMD has about a machine. */
export const stockOf =
  ({ product, kind, intermediate, ark, crl, vek }: AmdMachine) =>
  (objects: VendorObjects): VendorObjects => {
    const key = kind === 'VLEK' ? 'vlek' : 'vcek'
    objects.amd(product, { chain: pemOf(intermediate, ark), crl, key })
    return key === 'vcek' ? objects.vcek(vek) : objects
  }

/** A report and nothing else. */
export function bareSnp(options: AmdMachineOptions = {}, rule = {}): BareScene {
  const machine = cpu(options)
  return {
    evidence: bundle([bundleItem('cpu', 'amd/snp-report', machine.report, [])]),
    at: AT,
    anchors: amdAnchors(machine),
    how: { policy: cpuPolicy(rule), freshness: ASKED },
    stock: stockOf(machine),
  }
}

/** A quote, which carries its PCK chain, and nothing else. */
export function bareTdx(options: TdxMachineOptions = {}): BareScene {
  const machine = td(options)
  return {
    evidence: bundle([bundleItem('cpu', 'intel/tdx-quote', machine.quote, [])]),
    at: AT,
    anchors: [anchorFromCertificate(machine.trustedRoot, 'intel/sgx-root')],
    how: { policy: tdxPolicy(), freshness: ASKED },
    stock: (objects) => objects.intel(machine.collateral),
  }
}

/** A CPU report, and GPU reports with their device chains. */
export function bareBoth(options: AmdMachineOptions = {}, spec: Partial<NvidiaMachineSpec> = {}): BareScene {
  const [machine, devices] = [cpu(options), gpus(spec)]
  const snp = bareSnp(options)
  return {
    evidence: bundle([bundleItem('cpu', 'amd/snp-report', machine.report, []), ...nvidiaItems(devices)]),
    at: AT,
    anchors: [...snp.anchors, ...nvidiaAnchors(devices)],
    how: {
      policy: gpuPolicy({ revocation: 'required' }),
      freshness: ASKED,
      lease: { ...LEASE, gpuCount: devices.gpus.length },
    },
    stock: (objects) => snp.stock(objects).nvidia(devices, AT),
  }
}

export const stockFor = (...scenes: readonly BareScene[]): VendorObjects =>
  scenes.reduce((objects, { stock }) => stock(objects), new VendorObjects())
