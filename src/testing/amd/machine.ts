import { pem } from '../pki/certificate.ts'
import { shifted } from '../pki/instants.ts'
import { ecKey, type TestKey } from '../pki/keys.ts'
import { digest } from '../pki/pss.ts'
import type { AmdTestPkiOptions } from './authority.ts'
import { chosenKey } from './chosen-key.ts'
import { CHAIN_FAULTS, type ChainFault, serialOf } from './faults-chain.ts'
import { LEAF_FAULTS, type LeafFault } from './faults-leaf.ts'
import { REPORT_FAULTS, type ReportFault } from './faults-report.ts'
import type { AmdVek, LeafOverrides } from './leaf.ts'
import { type AmdTestPki, createAmdTestPki } from './pki.ts'
import type { FaultTable, MachineCrl, MachinePlan, MachineReport } from './plan.ts'
import { type AmdProduct, type AmdTcb, type AuthorityRole, PRODUCTS, type VekKind } from './products.ts'
import { type SnpReportBodySpec, snpReport, snpReportBody, TEST_MEASUREMENT, testChipId } from './report.ts'
import { certificateTable, type TableEntry } from './table.ts'

/** One thing wrong with a machine; `AMD_FAULTS` says what each name means. */
export type AmdFault = ReportFault | LeafFault | ChainFault

/** Every fault with its meaning, the stage at which it shows, its rows of the must-reject table and what it needs. */
export const AMD_FAULTS: FaultTable<AmdFault> = { ...REPORT_FAULTS, ...LEAF_FAULTS, ...CHAIN_FAULTS }

export interface AmdMachineOptions {
  /** Default Genoa. */
  readonly product?: AmdProduct
  /** Kind of the endorsement key. Default VCEK. */
  readonly kind?: VekKind
  /** The time of judgement the collateral is made for, RFC 3339. Default 2026-08-01T00:00:00Z. */
  readonly at?: string
  /** Components that differ from the product's usual TCB. */
  readonly tcb?: Partial<AmdTcb>
  /** 64 bytes; by default derived from the seed. */
  readonly chipId?: Uint8Array
  /** Owner of a VLEK. */
  readonly cspId?: string
  readonly report?: MachineReport
  readonly leaf?: LeafOverrides
  readonly pki?: AmdTestPkiOptions
  readonly crl?: MachineCrl
  /** Default `derived`. With `chosen` the machine's signature has a small r and s, see `chosenKey`. */
  readonly vekKey?: 'derived' | 'chosen'
  /** Encoding and contents of the certificate table. Default DER bodies: root, intermediate, leaf. */
  readonly table?: {
    readonly format?: 'der' | 'pem'
    /** `both-veks`: a key of the kind that did not sign stands before the one that did. */
    readonly contents?: 'chain' | 'vek-only' | 'both-veks'
  }
  readonly wrong?: AmdFault
}

/** A machine's evidence and the collateral to judge it with; everything fits together except what `wrong` names. */
export interface AmdMachine {
  readonly product: AmdProduct
  readonly kind: VekKind
  /** Time of judgement, RFC 3339. */
  readonly at: string
  /** ATTESTATION_REPORT, 1184 bytes. */
  readonly report: Uint8Array
  /** VCEK or VLEK certificate, DER. */
  readonly vek: Uint8Array
  /** ASK or ASVK certificate, DER. */
  readonly intermediate: Uint8Array
  /** The root as the evidence presents it, DER. */
  readonly ark: Uint8Array
  /** The root to trust, DER. Differs from `ark` only where that is the fault. */
  readonly trustedArk: Uint8Array
  /** Revocation list of the root, DER. */
  readonly crl: Uint8Array
  /** Certificate table of an extended report (`auxblob`). */
  readonly table: Uint8Array
  /** Leaf, intermediate and root in PEM, in that order. */
  readonly chainPem: string
  /** Key of the leaf. */
  readonly vekKey: TestKey
  readonly tcb: AmdTcb
  /** 64 bytes; the report of a VLEK machine does not show it. */
  readonly chipId: Uint8Array
  /** What a relying party expects to find; a fault may put something else into the report. */
  readonly expected: {
    readonly reportData: Uint8Array
    readonly measurement: Uint8Array
    readonly hostData: Uint8Array
  }
}

/**
 * A whole machine from a seed: report, certificates, revocation list and certificate table that fit together, or with the
 * one thing wrong that `wrong` names, signed anew so that only the check for it can refuse. The accepted twin is the same
 * call without `wrong`; where `AMD_FAULTS[wrong].needs` names options, both calls take them. Deterministic.
 */
export function amdMachine(seed: string, options: AmdMachineOptions = {}): AmdMachine {
  const healthy = planOf(seed, options)
  const plan = options.wrong === undefined ? healthy : { ...healthy, ...AMD_FAULTS[options.wrong].bend(healthy) }
  const { product, kind } = plan
  const pki = createAmdTestPki(seed, plan.pki)
  const trusted = plan.pki.rogue === true ? createAmdTestPki(seed, { ...plan.pki, rogue: false }) : pki
  const body: SnpReportBodySpec & MachineReport = { product, tcb: plan.tcb, ...plan.report }
  const vek = vekOf(plan, pki, plan.vekKey === 'chosen' ? chosenKey(snpReportBody(body)) : undefined)
  const intermediate = pki.authority(product, intermediateRole(plan)).certificate
  const ark = plan.rootSlot === 'ark' ? pki.authority(product, 'ark').certificate : intermediate
  return {
    product,
    kind,
    at: plan.at,
    report: snpReport({ ...body, signer: plan.reportSigner === 'vek' ? vek.key : ecKey('P-384', `${seed}/other`) }),
    vek: vek.certificate,
    intermediate,
    ark,
    trustedArk: trusted.authority(product, 'ark').certificate,
    crl: crlOf(plan, pki),
    table: tableOf(plan, pki, options.table ?? {}, { ark, intermediate, vek: vek.certificate }),
    chainPem: pem([vek.certificate, intermediate, ark]),
    vekKey: vek.key,
    tcb: plan.tcb,
    chipId: plan.chipId,
    expected: pick(healthy.report),
  }
}

type Expected = AmdMachine['expected']

const pick = ({ reportData, measurement, hostData }: Expected): Expected => ({ reportData, measurement, hostData })

function planOf(seed: string, options: AmdMachineOptions): MachinePlan & { readonly report: MachineReport & Expected } {
  const needs = (options.wrong === undefined ? undefined : AMD_FAULTS[options.wrong].needs) ?? {}
  const product = agreed('product', options.product, needs.product) ?? 'Genoa'
  const kind = agreed('kind', options.kind, needs.kind) ?? 'VCEK'
  const version = agreed('version', options.report?.version, needs.report?.version)
  const chipId = options.chipId ?? testChipId(product, seed)
  return {
    seed,
    product,
    kind,
    at: options.at ?? '2026-08-01T00:00:00Z',
    tcb: { ...PRODUCTS[product].tcb, ...options.tcb },
    chipId,
    cspId: options.cspId ?? 'CN=cc-test-1.cloud.example',
    report: {
      reportData: bytesOf(seed, 'report data'),
      measurement: TEST_MEASUREMENT,
      hostData: bytesOf(seed, 'host data').subarray(0, 32),
      // AWS, whose machines are signed for by a VLEK, masks the chip id.
      chipId: kind === 'VCEK' ? chipId : new Uint8Array(64),
      signingKey: kind === 'VCEK' ? 0 : 1,
      ...options.report,
      ...(version === undefined ? {} : { version }),
    },
    leaf: options.leaf ?? {},
    vekKey: agreed('vekKey', options.vekKey, needs.vekKey) ?? 'derived',
    reportSigner: 'vek',
    pki: options.pki ?? {},
    rootSlot: 'ark',
    crl: crlValidity(options),
    crlProduct: product,
    crlRevokes: [],
    tableOptions: {},
    tableRepeatsVek: false,
  }
}

const bytesOf = (seed: string, what: string): Uint8Array =>
  digest('sha512', new TextEncoder().encode(`${what}/${seed}`))

function agreed<T>(what: string, asked: T | undefined, needed: T | undefined): T | undefined {
  if (asked !== undefined && needed !== undefined && asked !== needed) {
    throw new TypeError(`this fault needs ${what} ${needed}, not ${asked}`)
  }
  return needed ?? asked
}

const DAY = 86_400

const crlValidity = ({ at = '2026-08-01T00:00:00Z', crl = {} }: AmdMachineOptions): MachineCrl => ({
  thisUpdate: shifted(at, -30 * DAY),
  nextUpdate: shifted(at, 335 * DAY),
  ...crl,
})

const intermediateRole = ({ kind, leaf }: MachinePlan): AuthorityRole =>
  leaf.issuedBy ?? (kind === 'VCEK' ? 'ask' : 'asvk')

function vekOf({ product, kind, cspId, ...plan }: MachinePlan, pki: AmdTestPki, key: TestKey | undefined): AmdVek {
  const common = { product, tcb: plan.leafTcb ?? plan.tcb, ...(key === undefined ? {} : { key }), ...plan.leaf }
  return kind === 'VCEK'
    ? pki.vcek({ chipId: plan.leafChipId ?? plan.chipId, ...common })
    : pki.vlek({ cspId, ...common })
}

/** The list of AMD's own Genoa authorities has revoked one ASK since 2022; ours does too. */
const GENOA_REVOKED = [{ serial: Uint8Array.of(2, 0, 1), date: '2022-10-31T12:00:00Z' }]

function crlOf(plan: MachinePlan, pki: AmdTestPki): Uint8Array {
  const usual = plan.crlProduct === 'Genoa' && plan.kind === 'VCEK' ? GENOA_REVOKED : []
  const named = plan.crlRevokes.map((which) => {
    const role = which === 'ark' ? 'ark' : intermediateRole(plan)
    return { serial: serialOf(pki.authority(plan.product, role).certificate), date: '2025-01-01T00:00:00Z' }
  })
  return pki.crl({
    product: plan.crlProduct,
    endpoint: plan.kind === 'VCEK' ? 'vcek' : 'vlek',
    revoked: [...usual, ...named],
    thisUpdate: shifted(plan.at, -30 * DAY),
    ...plan.crl,
  })
}

function tableOf(
  plan: MachinePlan,
  pki: AmdTestPki,
  { format = 'der', contents = 'chain' }: NonNullable<AmdMachineOptions['table']>,
  chain: { readonly ark: Uint8Array; readonly intermediate: Uint8Array; readonly vek: Uint8Array },
): Uint8Array {
  const body = (der: Uint8Array) => (format === 'der' ? der : new TextEncoder().encode(pem(der)))
  const vek: TableEntry = { kind: plan.kind, body: body(chain.vek) }
  const entries: TableEntry[] = []
  if (contents !== 'vek-only') {
    entries.push({ kind: 'ARK', body: body(chain.ark) }, { kind: 'ASK', body: body(chain.intermediate) })
  }
  if (contents === 'both-veks') {
    const { product, tcb, cspId, chipId } = plan
    const other = plan.kind === 'VCEK' ? pki.vlek({ product, tcb, cspId }) : pki.vcek({ product, tcb, chipId })
    entries.push({ kind: other.kind, body: body(other.certificate) })
  }
  entries.push(vek)
  if (plan.tableRepeatsVek) entries.push(vek)
  return certificateTable(entries, plan.tableOptions)
}
