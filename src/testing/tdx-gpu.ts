import { utf8 } from '../core/bytes.ts'
import { toBase64 } from '../core/encodings.ts'
import type { JsonObject } from '../core/json.ts'
import { must } from './bytes.ts'
import { type TdxMachine, type TdxMachineOptions, tdxMachine } from './intel/machine.ts'
import { INTEL_TEST_TIME } from './intel/names.ts'
import { type AkashPacking, akashGpuReport } from './nvidia/akash.ts'
import { type NvidiaMachine, type NvidiaMachineSpec, nvidiaMachine } from './nvidia/machine.ts'

export interface TdxGpuOptions {
  readonly tdx?: TdxMachineOptions
  /** The devices; their nonce is given by the TD. */
  readonly gpus: Omit<NvidiaMachineSpec, 'nonce' | 'at'> & { readonly nonce?: Uint8Array }
  /** How Akash packs the GPU reports. */
  readonly packing?: AkashPacking
}

/** A TDX machine with GPUs, and its evidence as two carriers have it. */
export interface TdxGpuMachine {
  readonly cpu: TdxMachine
  readonly devices: NvidiaMachine
  /** Akash's quote response (AEP-83), label `tdx-gpu`; switches do not travel in it. */
  readonly akash: JsonObject
  /** The generic bundle `vouchsafe/1`, switches included. */
  readonly bundle: JsonObject
}

/**
 * A TD and the GPUs behind it, each signed by its own vendor of the kit. The GPUs answer the first 32 bytes of the report
 * data that the relying party asked for, as on Akash, unless another nonce is given; what a fault puts into the quote does
 * not change theirs.
 */
export function tdxGpuMachine(seed: string, { tdx = {}, gpus, packing = {} }: TdxGpuOptions): TdxGpuMachine {
  const cpu = tdxMachine(seed, tdx)
  const reportData = must(cpu.expected.reportData, 'report data')
  const devices = nvidiaMachine(seed, { nonce: reportData.slice(0, 32), at: tdx.at ?? INTEL_TEST_TIME, ...gpus })
  return { cpu, devices, akash: akashOf(cpu, devices, packing), bundle: bundleOf(cpu, devices) }
}

const akashOf = (cpu: TdxMachine, { gpus }: NvidiaMachine, packing: AkashPacking): JsonObject => ({
  report: toBase64(cpu.quote),
  cert_chain: '',
  auxblob: '',
  tee_platform: 'tdx-gpu',
  tls_bound: false,
  gpu_reports: gpus.map((gpu, i) => ({ device_index: i, report: toBase64(akashGpuReport(gpu, packing)) })),
})

const bundleOf = (cpu: TdxMachine, { gpus, switches }: NvidiaMachine): JsonObject => ({
  kind: 'vouchsafe/1',
  items: [
    { id: 'cpu', format: 'intel/tdx-quote', data: toBase64(cpu.quote) },
    ...gpus.map((gpu, i) => device(`gpu-${i}`, 'nvidia/gpu-report', gpu)),
    ...switches.map((one, i) => device(`switch-${i}`, 'nvidia/switch-report', one)),
  ],
  binding: 'raw',
})

const device = (id: string, format: string, of: NvidiaMachine['gpus'][number]): JsonObject => ({
  id,
  format,
  data: toBase64(of.report),
  certs: [toBase64(utf8(of.chainPem))],
})
