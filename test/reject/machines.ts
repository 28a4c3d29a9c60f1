import type { Lease } from '../../src/attestation/evidence-set/group.ts'
import type { Code } from '../../src/core/codes.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Finding } from '../../src/core/outcome.ts'
import type { Decision } from '../../src/decision/decision.ts'
import type { Policy } from '../../src/policy/policy.ts'
import {
  type MachineDevice,
  type NvidiaFault,
  type NvidiaMachine,
  type NvidiaMachineSpec,
  nvidiaFaults,
} from '../../src/testing/index.ts'
import type { RowId } from './catalogue.ts'
import { type Check, type OtherCode, row } from './row.ts'
import { akashScene, bothScene, cpu, gpuPolicy, gpuScene, gpus, type How, judged, LEASE, policyOf } from './stage.ts'

/** The CPU of every machine here: the faults are all in what stands beside it. */
export const CPU = cpu()

/** The preset that a tenant starts from, tightened by these rules. */
export const h100 = (gpu: JsonObject = {}, more: JsonObject = {}): Policy =>
  policyOf({ version: 1, name: 'row', extends: 'h100-confidential', require: { gpu }, ...more })

/** The same rules with plain NVLink accepted, which the preset does not let a tenant do. */
export const plainNvLink = (gpu: JsonObject = {}): Policy => gpuPolicy(gpu, { acceptRisks: ['plain-nvlink'] })

export const leased = (gpuCount: number): Lease => ({ ...LEASE, gpuCount })

export function firstOf({ gpus: [gpu] }: Pick<NvidiaMachine, 'gpus'>): MachineDevice {
  if (gpu === undefined) throw new TypeError('the machine has no GPU')
  return gpu
}

/** What a fault needs of its machine, and how that machine is judged. */
interface Setting {
  readonly spec: Partial<NvidiaMachineSpec>
  readonly how: How
  readonly show: (nvidia: NvidiaMachine) => ReturnType<typeof akashScene>
}

const inAkash = (nvidia: NvidiaMachine) => akashScene(CPU, nvidia)

export const ONE_H100: Setting = { spec: {}, how: { policy: h100(), lease: LEASE }, show: inAkash }
export const TWO_H100: Setting = {
  spec: { gpuCount: 2 },
  how: { policy: plainNvLink(), lease: leased(2) },
  show: inAkash,
}
/** AEP-83 has no place for switches, so a board comes in a bundle. */
export const BOARD: Setting = {
  spec: { gpuCount: 8, switchCount: 4, featureFlag: 'ppcie' },
  how: { policy: h100({ modes: ['PPCIE'] }), lease: leased(8) },
  show: (nvidia) => bothScene(CPU, nvidia),
}

export const judgedIn = (
  { spec, how, show }: Setting,
  change: Partial<NvidiaMachineSpec> = {},
  more: How = {},
): Promise<Decision> => judged(show(gpus({ ...spec, ...change })), { ...how, ...more })

const twins = new Map<Setting, Promise<Decision>>()

/** The machine of a setting with nothing wrong; judged once, since the same arguments give the same decision. */
export function twinIn(setting: Setting): Promise<Decision> {
  const twin = twins.get(setting) ?? judgedIn(setting)
  twins.set(setting, twin)
  return twin
}

const FAULTS = nvidiaFaults()

/** Every fault of the test kit for this row. */
export const named = (id: string): readonly NvidiaFault[] => FAULTS.filter((f) => f.row === id).map((f) => f.name)

export function settingOf(wrong: NvidiaFault): Setting {
  const needs = FAULTS.find((f) => f.name === wrong)?.needs
  return needs === 'switches' ? BOARD : needs === 'two GPUs' ? TWO_H100 : ONE_H100
}

export interface KitRow {
  /** faults that are cases of their own, or of another row */
  readonly but?: readonly NvidiaFault[]
  /** faults that the kit does not count to this row */
  readonly and?: readonly NvidiaFault[]
  readonly codes?: Readonly<Partial<Record<NvidiaFault, Code>>>
  readonly more?: How
}

/** Every fault that the test kit has for this row, each beside the machine without it. */
export function kitRow(id: RowId, { but = [], and = [], codes = {}, more = {} }: KitRow = {}): void {
  const faults = [...named(id), ...and].filter((wrong) => !but.includes(wrong))
  row(id, {
    twin: Object.fromEntries(faults.map((wrong) => [wrong, () => twinIn(settingOf(wrong))])),
    bad: Object.fromEntries(
      faults.map((wrong): [string, Check | OtherCode] => {
        const check = () => judgedIn(settingOf(wrong), { wrong }, more)
        const code = codes[wrong]
        return [wrong, code === undefined ? check : { code, check }]
      }),
    ),
  })
}

/**
 * NVIDIA evidence alone, judged without a policy, since every policy asks for CPU evidence too. Such a decision is never an
 * accept: where nothing is wrong, POLICY_MISSING is all that is found, and it is left out here.
 */
export async function alone(nvidia: NvidiaMachine, how: How = {}): Promise<readonly Finding[]> {
  const { findings } = await judged(gpuScene(nvidia), { policy: null, ...how })
  return findings.filter((f) => f.code !== 'POLICY_MISSING')
}
