import type { CollateralSet } from '../../src/attestation/collateral.ts'
import type { Code } from '../../src/core/codes.ts'
import { toHex } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Decision } from '../../src/decision/decision.ts'
import { type Evidence, prepareCollateral, verify } from '../../src/index.ts'
import type { Policy } from '../../src/policy/policy.ts'
import {
  type IntelCollateral,
  type IntelMachine,
  quoteCollateralV3,
  SGX_FAULTS,
  type SgxFault,
  type SgxMachine,
  type SgxMachineOptions,
  sgxMachine,
  TDX_FAULTS,
  type TdxFault,
  type TdxMachine,
  type TdxMachineOptions,
  tdxMachine,
} from '../../src/testing/index.ts'
import { anchorFromCertificate } from '../support/anchors.ts'
import type { RowId } from './catalogue.ts'
import { type Check, type OtherCode, row } from './row.ts'
import {
  ASKED,
  AT,
  bundle,
  bundleItem,
  cache,
  cpuDocument,
  type How,
  json,
  NONCE,
  NOW,
  policyOf,
  SEED,
} from './stage.ts'

/** A TD that answers `NONCE`. */
export const td = (options: TdxMachineOptions = {}): TdxMachine =>
  tdxMachine(SEED, { at: AT, ...options, td: { reportData: NONCE, ...options.td } })

/** An enclave that answers `NONCE`. */
export const enclave = (options: SgxMachineOptions = {}): SgxMachine =>
  sgxMachine(SEED, { at: AT, ...options, enclave: { reportData: NONCE, ...options.enclave } })

/** A policy as a tenant would write it, with one alternative: level 2, TCB up to date. */
export const tdxPolicy = (rule: JsonObject = {}, more: JsonObject = {}, require: JsonObject = {}): Policy =>
  policyOf(intelDocument({ platform: 'intel/tdx', ...rule }, more, require))
export const intelDocument = (rule: JsonObject, more: JsonObject = {}, require: JsonObject = {}): JsonObject =>
  cpuDocument({}, more, { cpu: { any: [rule] }, ...require })

const { mrEnclave } = enclave().expected
export const MR_ENCLAVE = toHex(mrEnclave ?? new Uint8Array())
export const sgxDocument = (rule: JsonObject = {}): JsonObject => intelDocument({ platform: 'intel/sgx', ...rule })
export const sgxPolicy = (rule: JsonObject = { mrEnclave: [MR_ENCLAVE] }): Policy => policyOf(sgxDocument(rule))

/** A quote in the slot of its kind. */
export const inSlot = (quote: Uint8Array, format = 'intel/tdx-quote'): Evidence =>
  bundle([bundleItem('cpu', format, quote, [])])

const formatOf = ({ tee }: Pick<IntelMachine<unknown>, 'tee'>): string =>
  tee === 'TDX' ? 'intel/tdx-quote' : 'intel/sgx-quote'

export interface IntelHow extends Pick<How, 'lease' | 'referenceValues'> {
  readonly policy?: Policy
  /** instead of the machine's quote in its slot */
  readonly evidence?: Evidence
  /** instead of the machine's collateral in one file */
  readonly files?: readonly Uint8Array[]
  /** the same, prepared */
  readonly collateral?: CollateralSet
}

export const collateralFile = (collateral: IntelCollateral): Uint8Array => json(quoteCollateralV3(collateral))

export const prepared = async (files: readonly Uint8Array[]): Promise<CollateralSet> =>
  (await prepareCollateral(files.map((bytes, i) => ({ name: `file-${i}`, bytes })))).collateral

const own = new WeakMap<IntelMachine<unknown>, Promise<CollateralSet>>()

/** A machine's own collateral, prepared once. */
function ownCollateral(machine: IntelMachine<unknown>): Promise<CollateralSet> {
  const collateral = own.get(machine) ?? prepared([collateralFile(machine.collateral)])
  own.set(machine, collateral)
  return collateral
}

const POLICIES = { TDX: tdxPolicy(), SGX: sgxPolicy() } as const

/** Judges a machine end to end as a tenant does: its quote, the files of collateral that can be read, its root injected. */
export async function judgedIntel(machine: IntelMachine<unknown>, how: IntelHow = {}): Promise<Decision> {
  const { policy = POLICIES[machine.tee], lease = null, referenceValues = [] } = how
  return verify(how.evidence ?? inSlot(machine.quote, formatOf(machine)), {
    now: NOW,
    policy,
    freshness: ASKED,
    collateral: how.collateral ?? (await (how.files === undefined ? ownCollateral(machine) : prepared(how.files))),
    lease,
    physical: 'unknown',
    referenceValues,
    injectedAnchors: [anchorFromCertificate(machine.trustedRoot, 'intel/sgx-root')],
    cache,
  })
}

export const judgedTd = (options: TdxMachineOptions = {}, how: IntelHow = {}): Promise<Decision> =>
  judgedIntel(td(options), how)
export const judgedEnclave = (options: SgxMachineOptions = {}, how: IntelHow = {}): Promise<Decision> =>
  judgedIntel(enclave(options), how)

/** What the fault cannot be made without; its accepted twin is the machine made with these alone. */
export function tdNeeds(wrong: TdxFault): TdxMachineOptions {
  const { needs } = TDX_FAULTS[wrong]
  if (needs?.body !== undefined) return { version: 5, body: needs.body }
  return needs?.version === 4 || needs?.version === 5 ? { version: needs.version } : {}
}
export function enclaveNeeds(wrong: SgxFault): SgxMachineOptions {
  const version = SGX_FAULTS[wrong].needs?.version
  return version === undefined ? {} : { version }
}

interface Kit<Fault extends string, Options> {
  readonly faults: readonly Fault[]
  readonly rowsOf: (wrong: Fault) => readonly string[]
  readonly needsOf: (wrong: Fault) => Options
  readonly judge: (options: Options & { readonly wrong?: Fault }, how: IntelHow) => Promise<Decision>
}

export const TDX_KIT: Kit<TdxFault, TdxMachineOptions> = {
  faults: Object.keys(TDX_FAULTS) as TdxFault[],
  rowsOf: (wrong) => TDX_FAULTS[wrong].rows,
  needsOf: tdNeeds,
  judge: judgedTd,
}
export const SGX_KIT: Kit<SgxFault, SgxMachineOptions> = {
  faults: Object.keys(SGX_FAULTS) as SgxFault[],
  rowsOf: (wrong) => SGX_FAULTS[wrong].rows,
  needsOf: enclaveNeeds,
  judge: judgedEnclave,
}

export interface KitRow<Fault extends string, Options> {
  readonly policy?: Policy
  /** what the machine has beside the fault, and its twin has too */
  readonly options?: Options
  /** faults that are cases of their own */
  readonly but?: readonly Fault[]
  /** these faults of the row alone */
  readonly only?: readonly Fault[]
  readonly codes?: Readonly<Partial<Record<Fault, Code>>>
  readonly about?: string
}

/** Every fault that the kit has for this row, each beside the machine without it. */
const kitRowOf =
  <Fault extends string, Options extends object>({ faults, rowsOf, needsOf, judge }: Kit<Fault, Options>) =>
  (id: RowId, { policy, options, but = [], only, codes, about }: KitRow<Fault, Options> = {}): void => {
    const meant = faults.filter((f) => rowsOf(f).includes(id) && !but.includes(f) && (only?.includes(f) ?? true))
    const other: Readonly<Record<string, Code | undefined>> = codes ?? {}
    const how: IntelHow = policy === undefined ? {} : { policy }
    const made = (wrong: Fault) => ({ ...needsOf(wrong), ...options }) as Options
    const twins = new Map<string, Promise<Decision>>()
    // The twins of a row differ by what its faults need alone.
    const twin = (wrong: Fault): Promise<Decision> => {
      const key = JSON.stringify(needsOf(wrong))
      const known = twins.get(key) ?? judge(made(wrong), how)
      twins.set(key, known)
      return known
    }
    row(id, {
      twin: Object.fromEntries(meant.map((wrong) => [wrong, () => twin(wrong)])),
      bad: Object.fromEntries(
        meant.map((wrong): [string, Check | OtherCode] => {
          const check = () => judge({ ...made(wrong), wrong }, how)
          const code = other[wrong]
          return [wrong, code === undefined ? check : { code, check }]
        }),
      ),
      ...(about === undefined ? {} : { about }),
    })
  }

export const tdxKitRow = kitRowOf(TDX_KIT)
export const sgxKitRow = kitRowOf(SGX_KIT)
