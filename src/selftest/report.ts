import type { Finding } from '../core/outcome.ts'
import type { Level, Verdict } from '../decision/decision.ts'

/**
 * `pass`: looked at and right · `fail`: tenants refuse it · `missing`: something that is needed was not there or is stale ·
 * `skip`: not looked at, and the text says why
 */
export type LayerState = 'pass' | 'fail' | 'missing' | 'skip'

/** One line of the report: a thing that has to be right before the next one matters. */
export interface Layer {
  /** `source.tsm`, `cpu.certificates`, `gpu-0`, `freshness` */
  readonly id: string
  readonly state: LayerState
  /** what was seen, in short pieces */
  readonly seen: readonly string[]
  readonly findings: readonly Finding[]
}

/** What tenants would say who ask for one policy. */
export interface TenantView {
  readonly policy: string
  /** a preset that everybody is told about, or a policy that the caller asked for */
  readonly asked: boolean
  /** false for a policy with rules for GPUs on a machine that has none: its refusal says nothing of the machine */
  readonly applies: boolean
  readonly verdict: Verdict
  readonly level: Level
  /** level that the policy wants */
  readonly wanted: number
  readonly findings: readonly Finding[]
  /** the lease that was assumed, in words */
  readonly assumed: string
}

/** Something that is right today and will not be. */
export interface Warning {
  readonly what: string
  /** RFC 3339, or undefined where no day is known */
  readonly at: string | undefined
  readonly advice: string
}

/** A certificate of a drawn chain. Names are what the certificates say; what was proved is in the layers. */
export interface ChainLink {
  readonly name: string
  /** RFC 3339; empty for a pinned root whose certificate did not travel */
  readonly notAfter: string
  /** pinned anchor, one that the caller injected, or neither */
  readonly anchor: 'pinned' | 'injected' | 'none'
}

/** Root first; behind the last certificate stands the report that it signs. */
export interface Chain {
  readonly item: string
  readonly kind: string
  readonly state: LayerState
  readonly links: readonly ChainLink[]
}

/** `vouchsafe/selftest/1` */
export interface SelftestReport {
  readonly format: 'vouchsafe/selftest/1'
  readonly outcome: 'eligible' | 'ineligible' | 'inconclusive'
  readonly judgedAt: string
  /** where the evidence came from, in words */
  readonly source: string
  /** of the evidence as it was judged; undefined where there was none */
  readonly evidenceDigest: string | undefined
  /** rung of the ladder that the evidence reaches under the best of the policies */
  readonly level: Level
  readonly nextLevel: { readonly level: Level; readonly needs: string } | undefined
  readonly layers: readonly Layer[]
  readonly tenants: readonly TenantView[]
  readonly ahead: readonly Warning[]
  readonly chains: readonly Chain[]
  /** roots that the caller injected and the evidence rests on: no tenant takes them */
  readonly injectedAnchors: readonly string[]
  readonly redacted: boolean
}

/**
 * The layers to explain: the first that fails, else the first for which something is missing. Where there was no evidence at all,
 * everything that kept it away.
 */
export function toMend({ layers, evidenceDigest }: SelftestReport): readonly Layer[] {
  const open = layers.filter(({ state }) => state === 'fail' || state === 'missing')
  if (evidenceDigest === undefined) return open
  const first = open.find(({ state }) => state === 'fail') ?? open[0]
  return first === undefined ? [] : [first]
}
