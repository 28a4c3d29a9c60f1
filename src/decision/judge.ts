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
import type { CollateralUse, ItemJudgement, NotChecked } from '../attestation/kind.ts'
import { verifierOf } from '../attestation/registry.ts'
import { floorsFor } from '../attestation/sev-snp/index.ts'
import { concatBytes, utf8 } from '../core/bytes.ts'
import type { Context } from '../core/context.ts'
import { toHex } from '../core/encodings.ts'
import { canonicalJson, type JsonObject } from '../core/json.ts'
import { type Fault, type Finding, fault, finding, type Outcome, verdictOf } from '../core/outcome.ts'
import { toRfc3339, type UnixSeconds } from '../core/time.ts'
import type { Appraisal, AppraisalSubject, KnownTpm } from '../policy/appraisal.ts'
import { appraise } from '../policy/appraise.ts'
import { presetPolicy } from '../policy/parse.ts'
import { acceptsRisk, type GpuRule, type Policy } from '../policy/policy.ts'
import type { AuthenticReferenceValue } from '../policy/reference-values.ts'
import type { Decision, ItemDecision, PhysicalAssurance, Verdict } from './decision.ts'
import { bindingAtLeast, type Grounds, gpuBindingOf, levelOf, signsForAnyone } from './level.ts'

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

function ladderFaults(
  policy: Policy,
  level: ReturnType<typeof levelOf>,
  gpuBinding: ReturnType<typeof gpuBindingOf>,
  set: EvidenceSet,
  grounds: Grounds,
): ItemFault[] {
  const faults: ItemFault[] = []
  const add = (f: Fault) => faults.push({ item: 'set', fault: f })
  // A level that is missed because something else was refused would only repeat that refusal.
  if (!grounds.genuine || !grounds.binding.fresh) return faults
  const acceptsOracle = acceptsRisk(policy, 'open-quote-oracle')
  const closed = !signsForAnyone(set) && grounds.statements.some((s) => s.guarantee === 'closed-quoting')
  if ((policy.require.level > 3 || policy.keyRelease !== 'none') && !closed && !acceptsOracle) {
    add(
      fault('BIND_QUOTE_ORACLE', 'set.level', {
        expected: 'an image vouched for as closed-quoting',
        actual: set.carrier,
        source: 'policy#/acceptRisks',
      }),
    )
  } else if (level < policy.require.level) {
    add(
      fault('APPRAISAL_LEVEL_TOO_LOW', 'set.level', {
        expected: policy.require.level,
        actual: level,
        source: 'policy#/require/level',
      }),
    )
  }
  const gpu = gpuRule(policy)
  if (gpu !== undefined && !bindingAtLeast(gpuBinding, gpu.binding)) {
    add(
      fault('GPU_BINDING_INSUFFICIENT', 'set.gpuBinding', {
        expected: gpu.binding,
        actual: gpuBinding,
        source: 'policy#/require/gpu/binding',
      }),
    )
  }
  return faults
}

/** A manifest that was there and was refused is no missing one: what refused it is told, and nothing else. */
const repeatsRefusedManifest = ({ item, fault: { code } }: ItemFault, judgements: readonly ItemJudgement[]): boolean =>
  code === 'GPU_RIM_UNAVAILABLE' &&
  judgements.some((j) => j.id === item && j.faults.length > 0 && j.faults.every((f) => f.code !== code))

/** A label without its GPUs and a policy that wants GPUs say the same thing, which is told once. */
const repeatsMissingGpus = ({ fault: { code } }: ItemFault, members: readonly ItemFault[]): boolean =>
  code === 'GPU_COUNT_ZERO' && members.some((m) => m.fault.code === code)

/** Equal entries once, in the order they came in; equal are those of the same key. */
function distinct<T extends Finding | NotChecked>(entries: readonly T[], keyOf: (entry: T) => string): T[] {
  const seen = new Set<string>()
  return entries.filter((entry) => {
    const key = keyOf(entry)
    if (seen.has(key)) return false
    seen.add(key)
    return true
  })
}

/** What refuses stands before what is only missing; within each, the order of the contract. */
const refusalsFirst = (findings: readonly Finding[]): Finding[] => [
  ...findings.filter((f) => f.verdict === 'reject'),
  ...findings.filter((f) => f.verdict === 'inconclusive'),
]

const verdictFrom = (findings: readonly { readonly verdict: 'reject' | 'inconclusive' }[]): Verdict =>
  findings.some((f) => f.verdict === 'reject') ? 'reject' : findings.length > 0 ? 'inconclusive' : 'accept'

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

function notCheckedOf(
  set: EvidenceSet,
  judgements: readonly ItemJudgement[],
  ignored: readonly string[],
  about: Case,
): readonly NotChecked[] {
  const list: NotChecked[] = judgements.flatMap((j) => j.notChecked)
  for (const j of judgements) {
    for (const r of j.revocation) {
      if (r.status !== 'good' && (about.policy !== null || r.status === 'notGiven')) {
        const because =
          r.status === 'notGiven' ? 'no revocation material was given' : 'the material given does not answer'
        list.push({ what: `${j.id}: revocation of the ${r.chain} chain`, because })
      }
    }
  }
  if (about.freshness.kind === 'nonce')
    list.push({ what: 'age of the nonce', because: 'a bare nonce says nothing of when it was asked; a challenge does' })
  if (about.freshness.kind === 'notGiven')
    list.push({ what: 'freshness', because: 'no challenge and no nonce were given' })
  if (about.freshness.kind === 'notChecked') list.push({ what: 'freshness', because: about.freshness.because })
  if (about.policy === null) list.push({ what: 'appraisal', because: 'no policy was given' })
  for (const { id, unread, runtimeData } of set.items) {
    if (runtimeData !== undefined)
      list.push({ what: `${id}: VM configuration and user data of the HCL report`, because: 'no rule is about them' })
    if (unread === undefined) continue
    const what = `${id}: ${unread.length} bytes between the SPDM report and its certificates (a CEC report)`
    list.push({ what, because: 'nothing signs them for us' })
  }
  for (const name of ignored) list.push({ what: `file ${name}`, because: 'it is neither evidence nor collateral' })
  return list
}

/** The rule for GPUs, where the policy has one. */
const gpuRule = ({ require }: Policy): GpuRule | undefined =>
  typeof require.gpu === 'string' ? undefined : require.gpu

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

/**
 * Over what the judgement read: the carrier's own claims, and kind and bytes of every item with what travelled beside it;
 * zeros behind a quote of Intel's, which its buffer leaves there, are no part of it. Not the digest of a file, an identity of nothing, and no replay key.
 */
async function evidenceDigest(
  context: Context,
  set: EvidenceSet,
  judgements: readonly ItemJudgement[],
): Promise<string> {
  const items = await Promise.all(
    set.items.map(async (i, at) => ({
      id: i.id,
      kind: i.kind,
      sha256: await context.digestHex('sha256', judgements[at]?.unpadded ?? verifierOf(i.kind).withoutPadding(i.bytes)),
      endorsements: await Promise.all(i.endorsements.map((e) => context.digestHex('sha256', e))),
      ...(i.eventLogs === undefined
        ? {}
        : { eventLogs: await Promise.all(i.eventLogs.map((log) => context.digestHex('sha256', log))) }),
      ...(i.unread === undefined ? {} : { unread: await context.digestHex('sha256', i.unread) }),
      ...(i.runtimeData === undefined
        ? {}
        : { runtimeData: await context.digestHex('sha256', i.runtimeData.bytes), runtimeHash: i.runtimeData.hash }),
    })),
  )
  return `sha256:${await context.digestHex('sha256', utf8(canonicalJson({ ...(await carrierClaims(context, set)), items })))}`
}

async function carrierClaims(context: Context, set: EvidenceSet): Promise<JsonObject> {
  const { carrier, binding, platformLabel, tlsBound, tlsSpki, key, runtimeData, initData } = set
  return {
    carrier,
    binding,
    ...(platformLabel === undefined ? {} : { platformLabel }),
    ...(tlsBound === undefined ? {} : { tlsBound }),
    ...(tlsSpki === undefined ? {} : { tlsSpki: await context.digestHex('sha256', tlsSpki) }),
    ...(runtimeData === undefined
      ? {}
      : { runtimeData: await context.digestHex('sha256', utf8(canonicalJson({ ...runtimeData }))) }),
    ...(initData === undefined ? {} : { initData: await context.digestHex('sha256', initData.body) }),
    ...(key === undefined ? {} : { key: { domain: key.domain, spki: await context.digestHex('sha256', key.spki) } }),
  }
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

/** Digest of what arrived, before any envelope was opened. */
export async function inputDigest(
  context: Context,
  files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): Promise<string> {
  const parts = await Promise.all(
    files.map(async (f) => concatBytes(utf8(`${f.name}\0`), await context.digest('sha256', f.bytes))),
  )
  return `sha256:${toHex(await context.digest('sha256', concatBytes(...parts)))}`
}
