import type { AmdTestPkiOptions } from './authority.ts'
import type { LeafOverrides } from './leaf.ts'
import type { AmdCrlSpec } from './pki.ts'
import type { AmdProduct, AmdTcb, VekKind } from './products.ts'
import type { SnpReportSpec } from './report.ts'
import type { TableOptions } from './table.ts'

/** What a machine's report may be told besides its signer and product. */
export type MachineReport = Omit<SnpReportSpec, 'signer' | 'product' | 'tcb'>

/** What a machine's revocation list may be told besides its product. */
export type MachineCrl = Partial<Omit<AmdCrlSpec, 'product'>>

/** Everything a machine is made from; a fault changes some of it. */
export interface MachinePlan {
  readonly seed: string
  readonly product: AmdProduct
  readonly kind: VekKind
  /** Time at which the machine's collateral is current, RFC 3339. */
  readonly at: string
  /** TCB of the report and, unless `leafTcb` says otherwise, of the leaf. */
  readonly tcb: AmdTcb
  /** 64 bytes. In the report and, unless `leafChipId` says otherwise, in the leaf. */
  readonly chipId: Uint8Array
  readonly cspId: string
  readonly report: MachineReport
  readonly leafTcb?: AmdTcb
  readonly leafChipId?: Uint8Array
  readonly leaf: LeafOverrides
  /** `chosen`: a key made to fit a signature with small r and s, see `chosenKey`. */
  readonly vekKey: 'derived' | 'chosen'
  /** `other`: the report is signed by a key that is not the leaf's. */
  readonly reportSigner: 'vek' | 'other'
  readonly pki: AmdTestPkiOptions
  /** Which authority is presented as the root. */
  readonly rootSlot: 'ark' | 'intermediate'
  readonly crl: MachineCrl
  readonly crlProduct: AmdProduct
  /** What the list revokes besides what it revokes anyway. */
  readonly crlRevokes: readonly ('ark' | 'intermediate')[]
  readonly tableOptions: TableOptions
  /** The leaf's entry stands twice in the table. */
  readonly tableRepeatsVek: boolean
}

/** Where, in the order of the checks, the fault shows. */
export type AmdFaultStage = 'decode' | 'chain' | 'revocation' | 'match' | 'signature' | 'appraisal' | 'table'

/** Options without which the fault cannot exist; the accepted twin is the machine made with these alone. */
export interface AmdFaultNeeds {
  readonly product?: AmdProduct
  readonly kind?: VekKind
  readonly vekKey?: 'chosen'
  readonly report?: { readonly version: number }
}

/** One thing wrong with a machine. */
export interface AmdFaultEntry {
  readonly what: string
  readonly stage: AmdFaultStage
  /** Rows of the must-reject table that this is a case of. */
  readonly rows: readonly string[]
  readonly needs?: AmdFaultNeeds
  /** @internal */
  readonly bend: (plan: MachinePlan) => Partial<MachinePlan>
}

export type FaultTable<Name extends string> = Readonly<Record<Name, AmdFaultEntry>>

/** Keeps the names of a table while checking its entries. */
export const faultTable = <Name extends string>(table: FaultTable<Name>): FaultTable<Name> => table

/** Adds to the report; patches and tampering come on top of those already there. */
export const inReport =
  (fields: MachineReport | ((plan: MachinePlan) => MachineReport)) =>
  (plan: MachinePlan): Partial<MachinePlan> => {
    const added = typeof fields === 'function' ? fields(plan) : fields
    const patch = [...(plan.report.patch ?? []), ...(added.patch ?? [])]
    const tamper = [...(plan.report.tamper ?? []), ...(added.tamper ?? [])]
    return { report: { ...plan.report, ...added, patch, tamper } }
  }

/** Adds to the leaf, one member of its certificate or extensions at a time. */
export const inLeaf =
  (overrides: (plan: MachinePlan) => LeafOverrides) =>
  (plan: MachinePlan): Partial<MachinePlan> => {
    const added = overrides(plan)
    const certificate = { ...plan.leaf.certificate, ...added.certificate }
    const extensions = { ...plan.leaf.extensions, ...added.extensions }
    return { leaf: { ...plan.leaf, ...added, certificate, extensions } }
  }

/** The product that `product` is confused with. */
export const otherProduct = (product: AmdProduct): AmdProduct => (product === 'Turin' ? 'Genoa' : 'Turin')

/** `tcb` with one component moved. */
export const moved = (tcb: AmdTcb, component: keyof AmdTcb, by: number): AmdTcb => ({
  ...tcb,
  [component]: (tcb[component] ?? 0) + by,
})
