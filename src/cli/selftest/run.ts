import { type Challenge, decodeChallenge, issueChallengeRecord } from '../../attestation/challenge.ts'
import type { CollateralSet } from '../../attestation/collateral.ts'
import type { Freshness } from '../../attestation/evidence-set/binding.ts'
import type { Lease } from '../../attestation/evidence-set/group.ts'
import { judgedByNewest, lacksCollateral } from '../../collateral/lacking.ts'
import { createVerificationCache } from '../../core/context.ts'
import { nodeCrypto } from '../../core/crypto/node.ts'
import { type Fault, finding } from '../../core/outcome.ts'
import { toRfc3339, type UnixSeconds } from '../../core/time.ts'
import type { TrustAnchor } from '../../core/trust-anchors.ts'
import type { Decision } from '../../decision/decision.ts'
import { verify } from '../../index.ts'
import type { Policy } from '../../policy/index.ts'
import { PRESET_NAMES, presetPolicy } from '../../policy/index.ts'
import { earlyStatus, expiringSoon, floorsAnnounced } from '../../selftest/ahead.ts'
import { layer, layersOf } from '../../selftest/layers.ts'
import { identifiersIn, redactor, type TokenOf } from '../../selftest/redact.ts'
import type { Layer, SelftestReport, TenantView } from '../../selftest/report.ts'
import { applies, assumedLease, bestLevel, nextLevel, outcomeOf, tenantView } from '../../selftest/tenants.ts'
import type { Supplied } from '../collateral/supply.ts'
import { essence } from '../render-decision.ts'
import { chainsOf, namesOf } from './chains.ts'
import { withoutNewestIntel } from './early.ts'
import { type Gathered, gather } from './gather.ts'
import type { Source } from './sources.ts'

export interface SelftestSettings {
  readonly clock: () => UnixSeconds
  /** why the clock cannot be believed */
  readonly clockFaults: readonly Fault[]
  /** policies that the caller asked for, beside the presets */
  readonly policies: readonly Policy[]
  /** GPUs that there should be; undefined takes those that answer */
  readonly gpus: number | undefined
  /** for saved evidence: the question of its day; undefined where none was given */
  readonly answered: Freshness | undefined
  readonly collateral: CollateralSet
  /** obtains what this evidence needs beside `collateral`; null where nobody is to be asked and nothing is kept */
  readonly supply: ((evidence: Uint8Array, now: UnixSeconds) => Promise<Pick<Supplied, 'collateral' | 'faults'>>) | null
  readonly referenceValues: readonly string[]
  readonly injectedAnchors: readonly TrustAnchor[]
  /** 32 bytes that nobody can foresee */
  readonly random: Uint8Array
  /** replaces identities, where the report shall be shared */
  readonly tokenOf: TokenOf | undefined
}

/** A policy that is tried, and the lease that is assumed for it. */
interface Terms {
  readonly policy: Policy
  readonly lease: Lease
}

/** @param terms null judges the evidence alone */
type Judge = (evidence: Uint8Array, terms: Terms | null) => Promise<Decision>

/** Asks the source, judges what it answers as tenants would, and writes down what they would say. */
export async function selftest(source: Source, settings: SelftestSettings): Promise<SelftestReport> {
  const challenge = await challengeFor(settings)
  const gathered = await gather(source, {
    nonce: challenge.nonce,
    key: undefined,
    binding: bindingFor(source, settings),
  })
  const now = settings.clock()
  const judgeBy = (collateral: CollateralSet) => judgeWith(source, { ...settings, collateral }, challenge, now)
  const tpm = await tpmLayer(gathered, judgeBy(settings.collateral))
  const clock = settings.clockFaults.map((f) => finding(f, 'clock'))
  const clockLayers = clock.length === 0 ? [] : [layer('clock', clock, [])]
  if (gathered.evidence === undefined) {
    const { clean } = cleaner(source, settings, gathered, [])
    return clean(withoutEvidence(source, settings, [...clockLayers, ...gathered.layers, tpm], now))
  }
  const { evidence } = gathered
  const { judged, collateral, vendors } = await judgedWithSupply(evidence, judgeBy, settings, now)
  const { decisions, clean } = cleaner(source, settings, gathered, [judged.base, ...judged.presetDecisions])
  const [base, ...presets] = decisions
  if (base === undefined) throw new TypeError('the evidence alone was judged')
  const relevant = [base, ...presets.filter((_, i) => judged.counts[i])]
  const findings = relevant.flatMap((d) => d.findings)
  const tenants = judged.tenants
  const level = bestLevel([base, ...tenants])
  const before = withoutNewestIntel(collateral)
  return clean({
    format: 'vouchsafe/selftest/1',
    outcome: outcomeOf(tenants, [...clockLayers, ...gathered.layers]),
    judgedAt: toRfc3339(now),
    source: source.label,
    evidenceDigest: base.evidenceDigest,
    level,
    nextLevel: nextLevel(level),
    layers: [
      ...clockLayers,
      ...gathered.layers,
      ...layersOf(base, findings, (item) => (item.claims === undefined ? ['not proved'] : essence(item.claims))),
      ...vendors,
      tpm,
    ],
    tenants,
    ahead: [
      ...expiringSoon(judged.base.collateral, await namesOf(evidence, collateral), now),
      ...floorsAnnounced(judged.base, now),
      ...(before === undefined ? [] : earlyStatus(judged.base, await judgeBy(before)(evidence, null))),
    ],
    chains: await chainsOf(evidence, collateral, findings, settings.injectedAnchors),
    injectedAnchors: judged.base.injectedAnchors,
    redacted: settings.tokenOf !== undefined,
  })
}

async function challengeFor({ clock, random }: SelftestSettings): Promise<Challenge> {
  const iat = clock()
  const record = await issueChallengeRecord(
    {
      ...{ id: 'selftest', purpose: 'selftest', provider: 'self', policyDigest: 'none', verifierKeyId: 'none' },
      ...{ iat, exp: iat + 120 },
    },
    random,
    nodeCrypto.digest,
  )
  const challenge = decodeChallenge(record)
  if (!challenge.ok) throw new TypeError('our own challenge is one')
  return challenge.value
}

/** A machine of our own is asked in the strongest form that a policy wants; documents know the bare nonce alone. */
function bindingFor({ collectors }: Source, { policies }: SelftestSettings): 'raw' | 'derived' | 'composite' {
  if (collectors.some(({ makes }) => makes === 'document')) return 'raw'
  const forms = policies.flatMap(({ require: { gpu } }) => (typeof gpu === 'string' ? [] : [gpu.nonce]))
  return (['composite', 'derived'] as const).find((form) => forms.includes(form)) ?? 'raw'
}

/** A judgement by the library, of one evidence against one policy or none. */
function judgeWith(source: Source, settings: SelftestSettings, challenge: Challenge, now: UnixSeconds): Judge {
  const { collateral, referenceValues, injectedAnchors } = settings
  const cache = createVerificationCache()
  return (evidence, terms) =>
    verify(evidence, {
      ...{ now, collateral, referenceValues, injectedAnchors, cache, physical: 'unknown' },
      policy: terms?.policy ?? null,
      lease: terms?.lease ?? null,
      freshness: freshnessOf(source, settings, challenge, terms?.policy ?? null, now),
    })
}

/**
 * A challenge names one policy, and here one answer is tried with several: so its age is held against each policy first,
 * and where that is right, its nonce is what counts.
 */
function freshnessOf(
  { isSaved }: Source,
  { answered }: SelftestSettings,
  challenge: Challenge,
  policy: Policy | null,
  now: UnixSeconds,
): Freshness {
  if (isSaved) return answered ?? { kind: 'notChecked', because: 'saved evidence answers the challenge of its day' }
  const isInTime = policy !== null && now - challenge.iat <= Math.min(policy.freshness.maxAgeSeconds, 120)
  return isInTime ? { kind: 'nonce', nonce: challenge.nonce } : { kind: 'challenge', challenge }
}

interface Judged {
  readonly base: Decision
  readonly presetDecisions: readonly Decision[]
  /** whether one of them, or of the caller's policies, waits for something that a vendor has */
  readonly isShort: boolean
  /** whether a preset speaks of this machine: one with rules for GPUs says nothing of a machine that has none */
  readonly counts: readonly boolean[]
  readonly tenants: readonly TenantView[]
}

interface JudgedWithSupply {
  readonly judged: Judged
  /** what it was judged with in the end */
  readonly collateral: CollateralSet
  /** what the vendors did not bring, where something still waits for it */
  readonly vendors: readonly Layer[]
}

/** As `verify` does: judged with what is at hand, and where that waits for something a vendor has, with that as well. */
async function judgedWithSupply(
  evidence: Uint8Array,
  judgeBy: (collateral: CollateralSet) => Judge,
  settings: SelftestSettings,
  now: UnixSeconds,
): Promise<JudgedWithSupply> {
  const first = await judgeAll(evidence, judgeBy(settings.collateral), settings)
  if (settings.supply === null || !first.isShort) return { judged: first, collateral: settings.collateral, vendors: [] }
  const { collateral, faults } = await settings.supply(evidence, now)
  const judge: Judge = async (bytes, terms) =>
    (await judgedByNewest((by) => judgeBy(by)(bytes, terms), settings.collateral, collateral)).decision
  const judged = await judgeAll(evidence, judge, settings)
  const missing = judged.isShort ? faults.map(({ item, fault: f }) => finding(f, item)) : []
  return { judged, collateral, vendors: missing.length === 0 ? [] : [layer('vendors', missing, [])] }
}

async function judgeAll(evidence: Uint8Array, judgeOne: Judge, settings: SelftestSettings): Promise<Judged> {
  const base = await judgeOne(evidence, null)
  const gpus = settings.gpus ?? base.items.filter(({ kind }) => kind === 'nvidia/gpu-report').length
  const names: readonly string[] = PRESET_NAMES
  const policies = [
    ...PRESET_NAMES.map(presetPolicy),
    ...settings.policies.filter((policy) => !names.includes(policy.name)),
  ]
  const tries = policies.map((policy) => ({ policy, lease: assumedLease(policy, gpus) }))
  const decisions = await Promise.all(tries.map((terms) => judgeOne(evidence, terms)))
  const presets = tries.slice(0, names.length)
  return {
    base,
    presetDecisions: decisions.slice(0, names.length),
    isShort: [base, ...decisions].some(lacksCollateral),
    counts: presets.map(({ policy }) => applies(policy, gpus)),
    tenants: decisions.flatMap((decision, i) => {
      const terms = tries[i]
      if (terms === undefined) return []
      const asked = settings.policies.some(({ name }) => name === terms.policy.name)
      return [tenantView(terms.policy, { asked, gpus }, decision)]
    }),
  }
}

async function tpmLayer({ tpm, tpmEvidence }: Gathered, judge: Judge): Promise<Layer> {
  if (tpmEvidence === undefined) return tpm
  const decision = await judge(tpmEvidence, null)
  const seen = decision.items.flatMap(({ claims }) => (claims === undefined ? [] : essence(claims)))
  return layer(
    'tpm',
    decision.findings.filter(({ code }) => code !== 'POLICY_MISSING'),
    ['proves its registers and answers our challenge', ...seen],
  )
}

/** Decisions and report as they may be shown. Decisions go first, so that no short form of an identity is made of one. */
function cleaner(source: Source, settings: SelftestSettings, gathered: Gathered, decisions: readonly Decision[]) {
  const { tokenOf } = settings
  if (tokenOf === undefined) return { decisions, clean: (report: SelftestReport) => report }
  const clean = redactor([...source.identifiers, ...gathered.identifiers, ...identifiersIn(decisions)], tokenOf)
  return { decisions: clean(decisions), clean }
}

function withoutEvidence(
  source: Source,
  settings: SelftestSettings,
  layers: readonly Layer[],
  now: UnixSeconds,
): SelftestReport {
  return {
    format: 'vouchsafe/selftest/1',
    outcome: layers.some(({ state }) => state === 'fail') ? 'ineligible' : 'inconclusive',
    judgedAt: toRfc3339(now),
    source: source.label,
    evidenceDigest: undefined,
    level: 0,
    nextLevel: nextLevel(0),
    layers,
    ...{ tenants: [], ahead: [], chains: [], injectedAnchors: [] },
    redacted: settings.tokenOf !== undefined,
  }
}
