import type { Claims, SnpClaims, SnpPlatformInfo, SnpTcb } from '../attestation/claims.ts'
import type { EvidenceKind } from '../attestation/evidence.ts'
import type { CollateralUse, NotChecked, RevocationReport } from '../attestation/kind.ts'
import type { Code } from '../core/codes.ts'
import { type Fault, type FaultDetail, fault } from '../core/outcome.ts'
import type { UnixSeconds } from '../core/time.ts'
import type { AuthenticReferenceValue, Guarantee } from './reference-values.ts'

/** What the lease says that a policy may compare with. */
export interface LeaseTerms {
  readonly teeType: 'cpu' | 'cpu-gpu'
  readonly gpuCount?: number | undefined
  readonly gpuModel?: string | undefined
  /** HOST_DATA that binds the guest to the lease, hex of 32 bytes */
  readonly hostData?: string | undefined
  /** MRCONFIGID that binds the TD to the lease, hex of 48 bytes */
  readonly mrConfigId?: string | undefined
}

/** Firmware levels that bulletins ask of one processor, as the kind's own table merges them. */
export interface FirmwareFloors {
  readonly levels: readonly { readonly component: keyof SnpTcb; readonly minimum: number; readonly source: string }[]
  readonly platformInfo: readonly {
    readonly protection: Exclude<keyof SnpPlatformInfo, 'unknownBits'>
    readonly source: string
  }[]
  /** bulletins that have no number for this processor */
  readonly notCovered: readonly string[]
}

/** What the verifier knows of a TPM from before: its own record, never something that came with the evidence. */
export interface KnownTpm {
  /** Name of the attestation key, hex: hash algorithm and digest of its public area */
  readonly akName: string
  /** whether the TPM proved by credential activation that the key lives beside a certified endorsement key */
  readonly activated: boolean
  /** counters as they were seen last */
  readonly resetCount: number
  readonly restartCount: number
}

export interface AppraisedItem {
  readonly id: string
  /** proved: of an item whose signature held */
  readonly claims: Claims
  readonly revocation: readonly RevocationReport[]
}

/** Everything an appraisal looks at. Freshness, labels, distinctness and levels are judged beside it, not here. */
export interface AppraisalSubject {
  readonly now: UnixSeconds
  /** every item that was shown, proved or not: what is missing is judged by these */
  readonly presented: readonly { readonly id: string; readonly kind: EvidenceKind }[]
  readonly items: readonly AppraisedItem[]
  readonly lease: LeaseTerms | null
  readonly referenceValues: readonly AuthenticReferenceValue[]
  /** who vouches for the place of the machine: a fact from outside the evidence */
  readonly physical: 'unknown' | 'audited' | 'hyperscaler'
  readonly collateral: readonly CollateralUse[]
  /** `floorsFor` of sev-snp: a table, handed in because policy knows no kind */
  readonly tpm: {
    readonly known: readonly KnownTpm[]
    /** ids of TPM quotes whose key the proved CPU report covers */
    readonly bound: readonly string[]
    /** ids of TPM quotes whose key that report was to cover and does not, which was told */
    readonly refused: readonly string[]
  }
  readonly tcbFloors: (processor: Pick<SnpClaims, 'product' | 'cpuid'>, bulletinsUpTo: UnixSeconds) => FirmwareFloors
}

/** A guarantee for the measurement that was found, in force at the time of judgement. */
export interface Statement {
  readonly guarantee: Guarantee
  /** `kid` of the signer */
  readonly signer: string
  /** name of the reference value */
  readonly referenceValue: string
  readonly validUntil: UnixSeconds
}

/** An unmet rule. Its path is the claim, `cpu.policy.debugAllowed`; its source the rule, `policy#/require/…`, or a bulletin. */
export interface AppraisalFault {
  /** id of the item, or `set` */
  readonly item: string
  readonly fault: Fault
}

export interface Appraisal {
  /** every unmet rule; of the CPU alternatives those of the nearest, none where one is met */
  readonly faults: readonly AppraisalFault[]
  /** the launch measurement is among the policy's own digests, or a trusted signer vouches for it */
  readonly measured: 'no' | 'digest' | 'vouched'
  readonly statements: readonly Statement[]
  /** index of the CPU alternative that is met, or else the nearest; undefined without CPU evidence */
  readonly alternative: number | undefined
  /** earliest end of the reference values that `measured` and `statements` rest on, where there are any */
  readonly validUntil?: UnixSeconds
  readonly notChecked: readonly NotChecked[]
}

/** Tells one unmet rule: path of the claim within the item (empty for the item itself), pointer of the rule within its group. */
export type Report = (code: Code, claim: string, rule: string, detail?: FaultDetail) => void

/**
 * Collects the unmet rules of one group.
 * @param item id of the item that the claims belong to, or `set`
 * @param at pointer of the group, e.g. `/require/gpu`
 */
export function reportFor(item: string, at: string, into: AppraisalFault[]): Report {
  return (code, claim, rule, { source, ...detail } = {}) => {
    const path = claim === '' ? item : `${item}.${claim}`
    into.push({ item, fault: fault(code, path, { ...detail, source: source ?? `policy#${at}${rule}` }) })
  }
}
