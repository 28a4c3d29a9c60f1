import type { Claims } from '../attestation/claims.ts'
import type { EvidenceKind } from '../attestation/evidence.ts'
import type { CollateralUse, NotChecked } from '../attestation/kind.ts'
import type { Finding } from '../core/outcome.ts'

export type Verdict = 'accept' | 'reject' | 'inconclusive'

/** ARCHITECTURE §5. */
export type Level = 0 | 1 | 2 | 3 | 4 | 5
export const LEVEL_NAMES = ['claimed', 'genuine', 'fresh', 'measured', 'workload', 'key-bound'] as const

export type GpuBinding = 'none' | 'shared-nonce' | 'measured-guest' | 'tdisp'
export type PhysicalAssurance = 'unknown' | 'audited' | 'hyperscaler'

export interface ItemDecision {
  readonly id: string
  readonly kind: EvidenceKind
  readonly verdict: Verdict
  /** there exactly where the item's signature was proved */
  readonly claims?: Claims
  readonly hardwareId?: string
  readonly findings: readonly Finding[]
}

/** The answer, `vouchsafe/decision/1`: plain JSON, the same bytes for the same inputs. Only `accept` opens anything. */
export interface Decision {
  readonly schema: 'vouchsafe/decision/1'
  readonly verdict: Verdict
  readonly level: Level
  readonly gpuBinding: GpuBinding
  /** a fact from outside cryptography; never implied by a level */
  readonly physical: PhysicalAssurance
  readonly items: readonly ItemDecision[]
  /** every finding: those of the items, those between items, those of the policy */
  readonly findings: readonly Finding[]
  readonly notChecked: readonly NotChecked[]
  readonly policy: { readonly name: string; readonly version: number; readonly digest: string } | null
  /** SHA-256 over the canonical challenge, where one was given */
  readonly challenge?: { readonly digest: string; readonly purpose: string }
  readonly evidenceDigest: string
  readonly collateral: readonly {
    readonly kind: CollateralUse['kind']
    readonly digest: string
    readonly validUntil: string
  }[]
  /** anchors that the caller injected and the evidence rests on: such a decision opens nothing */
  readonly injectedAnchors: readonly string[]
  /** statements by whoever vouches for the reference values that levels 3 and above rest on */
  readonly statements: readonly {
    readonly guarantee: string
    readonly signer: string
    readonly referenceValue: string
    readonly validUntil: string
  }[]
  readonly acceptedRisks: readonly string[]
  /** PPCIE board as it was proved: which GPU sees which switch */
  readonly topology?: { readonly gpus: readonly string[]; readonly switches: readonly string[] }
  readonly decidedAt: string
  /** the earliest end of anything that the decision rests on; equal to `decidedAt` unless it is an accept */
  readonly validUntil: string
}
