import { isUnasked } from '../../selftest/layers.ts'
import type { Layer, LayerState, SelftestReport, TenantView } from '../../selftest/report.ts'

export const STATE_WORDS: Readonly<Record<LayerState, string>> = {
  pass: 'PASS',
  fail: 'FAIL',
  missing: 'MISSING',
  skip: 'SKIP',
}

const PARTS: Readonly<Record<string, string>> = {
  evidence: 'evidence',
  certificates: 'certificates',
  tcb: 'TCB',
  configuration: 'configuration',
}

/** `CPU certificates`, `GPU 0`, `source: tsm`: a layer as people call it. */
export function layerName({ id }: Pick<Layer, 'id'>): string {
  const [head = '', part] = id.split('.')
  if (head === 'source' && part !== undefined) return `source: ${part}`
  if (part !== undefined) return `${head === 'cpu' ? 'CPU' : head} ${PARTS[part] ?? part}`
  const device = /^(gpu|switch)-(\d+)$/.exec(id)
  if (device !== null) return `${device[1] === 'gpu' ? 'GPU' : 'switch'} ${device[2]}`
  return { freshness: 'freshness', set: 'binding and set', tpm: 'TPM', envelope: 'envelope' }[id] ?? id
}

export const mendTitle = (place: number): string => (place === 0 ? 'First to mend' : 'Then')

export const OUTCOME_WORDS: Readonly<Record<SelftestReport['outcome'], string>> = {
  eligible: 'ELIGIBLE',
  ineligible: 'INELIGIBLE',
  inconclusive: 'INCONCLUSIVE',
}

/** The colour of an answer that rests on injected roots: none that looks like an open door. */
export const cautious = (outcome: SelftestReport['outcome']): SelftestReport['outcome'] =>
  outcome === 'eligible' ? 'inconclusive' : outcome

/** The answer in a sentence. */
export function summaryOf({ outcome, tenants, injectedAnchors, evidenceDigest }: SelftestReport): string {
  const accepting = tenants.filter(({ verdict }) => verdict === 'accept').map(({ policy }) => policy)
  if (outcome === 'eligible' && injectedAnchors.length > 0)
    return `eligible for ${accepting.join(', ')}, but for the injected trust anchors: no tenant takes those`
  if (outcome === 'eligible') return `eligible for ${accepting.join(', ')}`
  if (evidenceDigest === undefined) return 'there is no evidence to judge'
  const stays = accepting.length === 0 ? '' : `; still eligible for ${accepting.join(', ')}`
  return outcome === 'ineligible' ? `tenants refuse this machine${stays}` : `something is missing or stale${stays}`
}

/** What tenants with one policy would say. */
export function tenantWord({ verdict, findings }: TenantView, injectedAnchors: readonly string[]): string {
  if (verdict === 'accept') return injectedAnchors.length === 0 ? 'ELIGIBLE' : 'ELIGIBLE but for the injected anchors'
  const count = new Set(findings.map(({ code }) => code)).size
  const reasons = `${count} ${count === 1 ? 'reason' : 'reasons'}`
  if (verdict === 'reject') return `INELIGIBLE (${reasons})`
  return findings.every(isUnasked)
    ? 'ELIGIBLE but for freshness, which saved evidence cannot show'
    : `OPEN (${reasons})`
}
