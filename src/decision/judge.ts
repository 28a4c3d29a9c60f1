import type { CollateralSet } from '../attestation/collateral.ts'
import type { ReadEvidence } from '../attestation/envelopes/index.ts'
import { type EvidenceItem, type EvidenceSet, isCpuKind } from '../attestation/evidence.ts'
import {
  type BindingJudgement,
  type Freshness,
  type ItemFault,
  judgeBinding,
  type ProvedItem,
} from '../attestation/evidence-set/binding.ts'
import { judgeMembers, judgeTopology, type Lease } from '../attestation/evidence-set/group.ts'
import { judgeRuntimeData, type RuntimeJudgement } from '../attestation/evidence-set/runtime-data.ts'
import type { CollateralUse, ItemJudgement } from '../attestation/kind.ts'
import { verifierOf } from '../attestation/registry.ts'
import { floorsFor } from '../attestation/sev-snp/index.ts'
import { utf8 } from '../core/bytes.ts'
import type { Context } from '../core/context.ts'
import { canonicalJson } from '../core/json.ts'
import { type Fault, type Finding, fault, finding, type Outcome, verdictOf } from '../core/outcome.ts'
import { toRfc3339, type UnixSeconds } from '../core/time.ts'
import type { Appraisal, AppraisalSubject, KnownTpm } from '../policy/appraisal.ts'
import { appraise } from '../policy/appraise.ts'
import { presetPolicy } from '../policy/parse.ts'
import type { Policy } from '../policy/policy.ts'
import type { AuthenticReferenceValue } from '../policy/reference-values.ts'
import type { Decision, ItemDecision, PhysicalAssurance } from './decision.ts'
import { evidenceDigest } from './evidence-digest.ts'
import { distinct, refusalsFirst, repeatsMissingGpus, repeatsRefusedManifest, verdictFrom } from './findings.ts'
import { gpuRule, ladderFaults } from './ladder-faults.ts'
import { type Grounds, gpuBindingOf, levelOf } from './level.ts'
import { notCheckedOf } from './not-checked.ts'

/** Everything that a judgement depends on beside the evidence. Nothing is optional; what is not there is said. */
export interface Case {
  readonly policy: { readonly policy: Policy; readonly digest: string } | null
  readonly freshness: Freshness
  readonly lease: Lease | null
  /** TPMs that the verifier has met before; empty where it has met none */
  readonly knownTpms: readonly KnownTpm[]
  readonly physical: PhysicalAssurance
  readonly referenceValues: readonly AuthenticReferenceValue[]
  /** faults found while reading what the caller gave: collateral files, reference values */
  readonly inputFaults: readonly Fault[]
  readonly collateral: CollateralSet
}

const NO_APPRAISAL: Appraisal = { faults: [], measured: 'no', statements: [], alternative: undefined, notChecked: [] }

/** Longest life of a decision, whatever it rests on: posture, the longest-lived use, lasts six hours (ARCHITECTURE §7). */
const MAX_DECISION_SECONDS = 6 * 60 * 60

/**
 * Judges one machine's evidence. Pure: the same evidence, case and time give the same decision to the byte, whatever the
 * cache knows and in whatever order the checks finish.
 */
export async function judge(
  context: Context,
  read: Outcome<ReadEvidence>,
  rawDigest: () => Promise<string>,
  about: Case,
): Promise<Decision> {
  if (!read.ok) return unreadable(context, read.faults, rawDigest, about)
  const { set, ignored } = read.value
  const judgements = (await Promise.all(set.items.map((item) => judgeItem(context, item, about.collateral)))).map((j) =>
    withoutWaived(j, about),
  )
  if (context.overBudget) return unreadable(context, [fault('LIMIT_SIGNATURE_BUDGET', 'evidence')], rawDigest, about)

  const proved = provedItems(context, set, judgements)
  const members = judgeMembers(set, proved, about.lease)
  const topology = judgeTopology(set, proved)
  const runtime = await judgeRuntimeData(context, set, proved)
  const binding = await bindingOf(context, set, proved, runtime, about)
  const subject = subjectOf(context, judgements, runtime, about)
  const appraisal = about.policy === null ? NO_APPRAISAL : appraise(about.policy.policy, subject)
  const grounds = groundsOf(
    subject,
    set,
    judgements,
    [...members, ...topology.faults, ...runtime.faults],
    binding,
    appraisal,
    about,
  )
  const level = levelOf(set, grounds)
  const gpuBinding = gpuBindingOf(set, grounds)

  const faults: ItemFault[] = [
    ...judgements.flatMap((j) => j.faults.map((f) => ({ item: j.id, fault: f }))),
    ...members,
    ...topology.faults,
    ...runtime.faults,
    ...binding.faults,
    ...appraisal.faults.filter((f) => !repeatsRefusedManifest(f, judgements) && !repeatsMissingGpus(f, members)),
    ...(about.policy === null
      ? evidenceOnlyFaults(judgements)
      : ladderFaults(about.policy.policy, level, gpuBinding, set, grounds)),
    ...about.inputFaults.map((f) => ({ item: 'collateral', fault: f })),
  ]
  const findings = refusalsFirst(
    distinct(
      faults.map(({ item, fault: f }) => finding(f, item)),
      JSON.stringify,
    ),
  )
  if (about.policy === null && !findings.some((f) => f.verdict === 'reject'))
    findings.push(finding(fault('POLICY_MISSING', 'policy'), 'set'))
  const verdict = verdictFrom(findings)
  const uses = usesOf(judgements)
  return {
    schema: 'vouchsafe/decision/1',
    verdict,
    level,
    gpuBinding,
    physical: about.physical,
    items: set.items.map((item, i) => itemDecision(item, judgements[i], findings)),
    findings,
    notChecked: distinct(
      [...notCheckedOf(set, judgements, ignored, about), ...appraisal.notChecked],
      ({ what, because }) => `${what.length} ${what}${because}`,
    ),
    policy: policySummary(about),
    ...(await challengeSummary(context, about)),
    evidenceDigest: await evidenceDigest(context, set, judgements),
    collateral: uses.map(({ kind, digest, validUntil: until }) => ({ kind, digest, validUntil: toRfc3339(until) })),
    injectedAnchors: [...new Set(judgements.flatMap((j) => j.injectedAnchors))].sort(),
    statements: appraisal.statements.map((g) => ({ ...g, validUntil: toRfc3339(g.validUntil) })),
    acceptedRisks: risksOf(about),
    ...(topology.topology === undefined ? {} : { topology: topology.topology }),
    decidedAt: toRfc3339(context.now),
    validUntil: toRfc3339(verdict === 'accept' ? validUntil(context.now, uses, appraisal) : context.now),
  }
}

const judgeItem = (context: Context, item: EvidenceItem, collateral: CollateralSet): Promise<ItemJudgement> =>
  verifierOf(item.kind).verify(item, collateral, context)

/**
 * A policy that does not ask for reference manifests, or does not rely on GPUs at all, is not held up by their absence; what
 * was therefore not compared is listed. Manifests that are all there and contradict the device refuse it under
 * any policy.
 */
function withoutWaived(judgement: ItemJudgement, about: Case): ItemJudgement {
  const gpu = about.policy?.policy.require.gpu
  const waives = gpu === 'any' || (typeof gpu === 'object' && gpu.rim === 'none')
  const faults = judgement.faults.filter((f) => f.code !== 'GPU_RIM_UNAVAILABLE')
  if (!waives || faults.length === judgement.faults.length) return judgement
  const missing = judgement.faults.filter((f) => f.code === 'GPU_RIM_UNAVAILABLE').map((f) => f.expected)
  const because = `the policy does not ask for it, and none is compared without ${missing.join(', ')}`
  return {
    ...judgement,
    faults,
    notChecked: [
      ...judgement.notChecked,
      { what: `${judgement.id}: measurements against NVIDIA's manifests`, because },
    ],
  }
}

function provedItems(context: Context, set: EvidenceSet, judgements: readonly ItemJudgement[]): readonly ProvedItem[] {
  return judgements.flatMap((j, i) => {
    const item = set.items[i]
    if (j.claims === undefined || item === undefined) return []
    return [{ id: j.id, claims: j.claims.value, digest: () => context.digest('sha256', item.bytes) }]
  })
}

async function bindingOf(
  context: Context,
  set: EvidenceSet,
  proved: readonly ProvedItem[],
  runtime: RuntimeJudgement,
  about: Case,
): Promise<BindingJudgement> {
  const policy = about.policy?.policy
  const gpu = policy === undefined ? undefined : gpuRule(policy)
  const scope = { provider: about.lease?.provider, lease: about.lease?.id, policyDigest: about.policy?.digest }
  const maxAge = policy?.freshness.maxAgeSeconds ?? 120
  const judged = await judgeBinding(
    ...([context, set, proved, runtime, about.freshness, gpu?.nonce ?? 'raw', scope, maxAge] as const),
  )
  const unasked = policy === undefined ? undefined : unaskedFault(about.freshness)
  return unasked === undefined
    ? judged
    : { ...judged, fresh: false, faults: [...judged.faults, { item: 'set', fault: unasked }] }
}

/** Under a policy, freshness is never optional: whoever skips it is told so under its own code. */
function unaskedFault(freshness: Freshness): Fault | undefined {
  if (freshness.kind === 'notGiven') return fault('BIND_CHALLENGE_MISSING', 'challenge')
  if (freshness.kind === 'notChecked') return fault('BIND_NOT_CHECKED', 'challenge', { actual: freshness.because })
  return undefined
}

function subjectOf(
  context: Context,
  judgements: readonly ItemJudgement[],
  runtime: RuntimeJudgement,
  about: Case,
): AppraisalSubject {
  return {
    now: context.now,
    presented: judgements.map(({ id, kind }) => ({ id, kind })),
    items: judgements.flatMap((j) =>
      j.claims === undefined ? [] : [{ id: j.id, claims: j.claims.value, revocation: j.revocation }],
    ),
    lease: about.lease,
    referenceValues: about.referenceValues,
    physical: about.physical,
    collateral: judgements.flatMap((j) => j.collateral),
    tcbFloors: floorsFor,
    tpm: {
      known: about.knownTpms,
      bound: runtime.bound,
      refused: runtime.isCarried
        ? judgements.flatMap((j) => (j.kind === 'tpm/quote' && !runtime.bound.includes(j.id) ? [j.id] : []))
        : [],
    },
  }
}

/** Judged without a policy, material that does not answer is told; material that is not there is listed as not checked. */
function evidenceOnlyFaults(judgements: readonly ItemJudgement[]): ItemFault[] {
  return judgements.flatMap((j) => j.revocation.flatMap((r) => r.faults.map((f) => ({ item: j.id, fault: f }))))
}

function groundsOf(
  subject: AppraisalSubject,
  set: EvidenceSet,
  judgements: readonly ItemJudgement[],
  between: readonly ItemFault[],
  binding: BindingJudgement,
  appraisal: Appraisal,
  about: Case,
): Grounds {
  const sound = judgements.every((j) => j.faults.length === 0 && j.claims !== undefined) && between.length === 0
  const answered = judgements.every((j) => j.revocation.every((r) => r.status === 'good'))
  // A lease that nobody gave says nothing about the machine. Without a policy the preset's floor stands in: no debug, no
  // migration agent, TCB at or above every bulletin; whose key may answer for a CPU, nobody said.
  const withoutTpm: AppraisalSubject = { ...subject, tpm: { ...subject.tpm, bound: [] } }
  const floor =
    about.policy !== null
      ? appraisal.faults.every(({ fault: f }) => f.code === 'APPRAISAL_LEASE_MISSING')
      : answered && appraise(presetPolicy('cpu-confidential'), withoutTpm).faults.length === 0
  const hasCpu = set.items.some((i) => isCpuKind(i.kind))
  return { genuine: sound && floor && hasCpu, binding, measured: appraisal.measured, statements: appraisal.statements }
}

function itemDecision(
  item: EvidenceItem,
  judgement: ItemJudgement | undefined,
  findings: readonly Finding[],
): ItemDecision {
  const own = findings.filter((f) => f.item === item.id)
  return {
    id: item.id,
    kind: item.kind,
    verdict: verdictFrom(own),
    ...(judgement?.claims === undefined ? {} : { claims: judgement.claims.value }),
    ...(judgement?.hardwareId === undefined ? {} : { hardwareId: judgement.hardwareId }),
    findings: own,
  }
}

const risksOf = (about: Case): readonly string[] =>
  about.policy === null || about.policy.policy.acceptRisks === 'none' ? [] : about.policy.policy.acceptRisks

const policySummary = (about: Case): Decision['policy'] =>
  about.policy === null
    ? null
    : { name: about.policy.policy.name, version: about.policy.policy.version, digest: about.policy.digest }

async function challengeSummary(context: Context, about: Case): Promise<Pick<Decision, 'challenge'>> {
  if (about.freshness.kind !== 'challenge') return {}
  const { record, purpose } = about.freshness.challenge
  return { challenge: { digest: await context.digestHex('sha256', utf8(canonicalJson(record))), purpose } }
}

function usesOf(judgements: readonly ItemJudgement[]): readonly CollateralUse[] {
  const byDigest = new Map<string, CollateralUse>()
  for (const { collateral } of judgements) for (const use of collateral) byDigest.set(`${use.kind} ${use.digest}`, use)
  return [...byDigest.keys()].sort().flatMap((key) => byDigest.get(key) ?? [])
}

function validUntil(now: UnixSeconds, uses: readonly CollateralUse[], appraisal: Appraisal): UnixSeconds {
  return Math.min(
    now + MAX_DECISION_SECONDS,
    ...uses.map((u) => u.validUntil),
    ...appraisal.statements.map((s) => s.validUntil),
    ...(appraisal.validUntil === undefined ? [] : [appraisal.validUntil]),
  )
}

/** Evidence that no envelope or limit let through: a decision all the same. */
async function unreadable(
  context: Context,
  faults: readonly Fault[],
  rawDigest: () => Promise<string>,
  about: Case,
): Promise<Decision> {
  const findings = faults.map((f) => finding(f, 'set'))
  return {
    schema: 'vouchsafe/decision/1',
    verdict: faults.some((f) => verdictOf(f) === 'reject') ? 'reject' : 'inconclusive',
    level: 0,
    gpuBinding: 'none',
    physical: about.physical,
    items: [],
    findings,
    notChecked: [{ what: 'everything', because: 'the evidence could not be read' }],
    policy: policySummary(about),
    ...(await challengeSummary(context, about)),
    evidenceDigest: await rawDigest(),
    collateral: [],
    injectedAnchors: [],
    statements: [],
    acceptedRisks: risksOf(about),
    decidedAt: toRfc3339(context.now),
    validUntil: toRfc3339(context.now),
  }
}
