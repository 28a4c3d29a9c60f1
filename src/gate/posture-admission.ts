import { toBase64 } from '../core/encodings.ts'
import type { Finding } from '../core/outcome.ts'
import { toRfc3339, type UnixSeconds } from '../core/time.ts'
import type { Level } from '../decision/decision.ts'
import type { Evidence } from '../index.ts'
import type { Admission, Judged, Recorded } from './admission.ts'
import { type AdvertisedMachine, answered, type GateDecision, type PostureAnswer } from './answer.ts'
import type { GateCore } from './core.ts'
import { end } from './ended.ts'
import { eventOf } from './events.ts'
import { gateFinding } from './finding.ts'
import { type Claimed, claim, holdersOf, isUnresolved } from './hardware.ts'
import { postureStatement } from './identity.ts'
import { denialOf, isAccepted, type Machine, type Posture, postureOf, withMachine } from './posture.ts'
import type { GateChange, HardwareRow } from './store.ts'
import { CONFLICT } from './view.ts'

/** Where a posture is kept for the transaction; `PostureRow` is what the view is made of. */
const ledgerOf = (policyDigest: string, provider: string): string => `posture:${policyDigest}:${provider}`

/**
 * Judges a provider's own machine and records what it showed. Nothing is recorded that the provider's account did not sign
 * for: evidence can be relayed, and bad evidence could be brought in somebody else's name.
 */
export function answerPosture(core: GateCore, evidence: Evidence, answer: PostureAnswer): Promise<GateDecision> {
  checkAdvertised(answer.advertised)
  const { provider, policy } = answer
  const policyDigest = core.digestOf(policy)
  return answered(core, { provider, lease: null, policyDigest }, async (admission) => {
    const challenge = await admission.consume(answer.challengeId)
    const purpose = admission.inScope(challenge, { provider, lease: undefined, policyDigest }, ['posture'])
    await admission.freshView()
    const collateral = await admission.collateralFor(evidence)
    const { teeType, gpuCount, gpuModel } = answer.advertised
    const judged = await admission.judge(evidence, collateral, challenge, purpose, answer, {
      provider,
      teeType,
      gpuCount: gpuCount > 0 ? gpuCount : undefined,
      gpuModel: gpuModel ?? undefined,
    })
    if (!(await isSignedFor(core, judged, answer.providerProof))) {
      const finding = gateFinding('posture', 'GATE_IDENTITY_MISMATCH', 'providerProof', {
        expected: `a signature of ${provider} over ${judged.identified.hardwareDigest}`,
        actual: answer.providerProof === null ? 'none' : 'another',
      })
      return { judged, recorded: { level: 0, findings: [finding], jti: '' } }
    }
    return { judged, recorded: await record(core, admission, judged, teeType) }
  })
}

function checkAdvertised({ teeType, gpuCount }: AdvertisedMachine): void {
  if (!['cpu', 'cpu-gpu'].includes(teeType)) throw new TypeError('advertised.teeType is cpu or cpu-gpu')
  if (!(Number.isSafeInteger(gpuCount) && gpuCount >= 0 && gpuCount > 0 === (teeType === 'cpu-gpu')))
    throw new TypeError('advertised.gpuCount is a positive integer for cpu-gpu, and 0 for cpu')
}

/** Whether the provider's account signed for exactly this hardware and challenge. Ends with GATE_IDENTITY_UNAVAILABLE */
async function isSignedFor(core: GateCore, { challenge, identified }: Judged, proof: unknown): Promise<boolean> {
  if (proof === null || proof === undefined) return false
  const { provider, id: challengeId } = challenge
  const nonce = toBase64(challenge.nonce)
  const statement = postureStatement({ provider, challengeId, nonce, hardwareDigest: identified.hardwareDigest })
  try {
    return (await core.options.verifyProviderProof({ provider, statement, proof })) === true
  } catch (error) {
    core.options.onError(error)
    return end('posture', 'GATE_IDENTITY_UNAVAILABLE', 'providerProof')
  }
}

interface Outcome extends Recorded {
  readonly changed: boolean
}

async function record(
  core: GateCore,
  admission: Admission,
  judged: Judged,
  teeType: AdvertisedMachine['teeType'],
): Promise<Recorded> {
  const { identified, policyDigest, challenge } = judged
  const ledger = ledgerOf(policyDigest, challenge.provider)
  const jti = core.newId()
  const recorded = await admission.stored(() =>
    core.options.store.updateHardware<Outcome>([...identified.hardware, ledger], (rows) =>
      recordIn(core, rows, ledger, judged, teeType, jti),
    ),
  )
  if (recorded.changed) await admission.freshView()
  const denied = denialOf(identified, challenge.provider, core.view.denied)
  return denied === undefined ? recorded : { ...recorded, findings: [...recorded.findings, denied] }
}

/** The transaction: claims of the hardware, the provider's machines, and the events that tell of both. Pure. */
function recordIn(
  core: GateCore,
  rows: ReadonlyMap<string, HardwareRow>,
  ledger: string,
  judged: Judged,
  teeType: AdvertisedMachine['teeType'],
  jti: string,
): { rows: readonly HardwareRow[]; change: GateChange; result: Outcome } {
  const { decision, identified, policy, policyDigest, challenge, now, until, isSound } = judged
  const { provider } = challenge
  const before = postureOf(rows.get(ledger)?.holders)
  const kept = { rows: [], change: {}, result: { level: decision.level, findings: [], jti, changed: false } }
  // What was only missing something says nothing against what is known.
  if (decision.verdict === 'inconclusive' && before.machines.some((m) => isAccepted(m) && m.validUntil > now))
    return kept

  const claims = isSound ? claimAll(core, rows, judged) : []
  const refusals = new Set(judged.findings.map((f) => f.code))
  if (isSound && !identified.hasChip && core.options.rules.maskedHardware === 'refused')
    refusals.add('GATE_HARDWARE_MASKED')
  for (const { claimed } of claims) if (claimed.refusal === 'GATE_CHIP_CAP') refusals.add('GATE_CHIP_CAP')
  const contested = claims.some(({ claimed }) => claimed.refusal === 'GATE_HARDWARE_CONFLICT')
  const unresolved = claims.filter(({ claimed }) => isUnresolved(claimed.holders, now)).map(({ id }) => id)
  const isCapped = contested || unresolved.length > 0
  const level = isCapped ? (Math.min(decision.level, 1) as Level) : decision.level
  const shown: Machine = {
    hardware: identified.hardware,
    gpuModels: identified.gpuModels,
    teeType,
    level: decision.level,
    decidedAt: now,
    validUntil: isSound ? until : now,
    evidenceDigest: decision.evidenceDigest,
    subjects: identified.subjects,
    refusals: [...refusals],
    decisionCodes: decision.verdict === 'accept' ? [] : [...new Set(decision.findings.map((f) => f.code))],
    contested,
    jti: isSound && refusals.size === 0 && level >= policy.require.level ? jti : null,
    earlier: [],
  }
  const isKept = isAccepted(shown) && !isCapped
  const earlier = before.machines.flatMap((m) => (isKept && isSame(m, shown) ? issuedFor(m, now) : []))
  const machine: Machine = { ...shown, earlier }
  const after = withMachine(before, machine, policy.require.level, now)
  const findings = ownFindings(judged, machine, level)
  const codes = [...findings.map((f) => f.code), ...machine.decisionCodes]
  const verdict = codes.length === 0 ? 'accept' : decision.verdict === 'inconclusive' ? 'inconclusive' : 'reject'
  const shared = new Set(unresolved.filter((id) => !core.view.unresolved(id)))
  const revoked = revokedBy(core, judged, before, after, isKept, shared)
  const validUntil = toRfc3339(machine.validUntil)
  const events = [
    eventOf('posture.changed', now, { provider, policyDigest, verdict, level, codes, validUntil }),
    ...revoked.map((members) => eventOf('credential.revoked', now, { ...members })),
    ...conflictEvents(claims, judged),
  ]
  const posture = { ...after } as unknown as HardwareRow['holders']
  return {
    rows: [
      ...claims.map(({ id, claimed }) => ({
        id,
        holders: { ...claimed.holders } as unknown as HardwareRow['holders'],
      })),
      { id: ledger, holders: posture },
    ],
    change: {
      postures: [{ provider, policyDigest, decidedAt: now, validUntil: machine.validUntil, posture }],
      denials: [
        ...unresolved.map((id) => ({ subject: `${CONFLICT}${id}`, reason: 'two accounts prove it', since: now })),
        ...revoked.map(({ jti, reason }) => ({ subject: `jti:${jti}`, reason, since: now })),
      ],
      withdrawnDenials: claims
        .filter(({ id }) => !unresolved.includes(id) && core.view.unresolved(id))
        .map(({ id }) => `${CONFLICT}${id}`),
      events,
    },
    result: { level, findings, jti, changed: true },
  }
}

/** A credential that was issued for a machine, and its end. */
type Issued = Machine['earlier'][number]

/** The credentials of one entry that have not ended. */
const issuedFor = ({ jti, validUntil, earlier }: Machine, now: UnixSeconds): readonly Issued[] =>
  [...earlier, ...(jti === null ? [] : [{ jti, validUntil }])].filter((c) => c.validUntil > now)

const isSame = (a: Machine, b: Machine): boolean => a.hardware.length > 0 && a.hardware.join() === b.hardware.join()

interface Revoked {
  readonly provider: string
  readonly policyDigest: string
  readonly jti: string
  readonly reason: string
}

/**
 * Credentials that do not stand any more: of machines that were taken apart or are refused now, and of those that another
 * account was just found to hold as well, whoever's they are. A machine that is shown again as it was keeps what it has.
 * @param shared hardware that nothing tells the holders of apart since this answer
 */
function revokedBy(
  core: GateCore,
  { now, policyDigest, challenge: { provider } }: Judged,
  before: Posture,
  after: Posture,
  isKept: boolean,
  shared: ReadonlySet<string>,
): readonly Revoked[] {
  const machine = after.machines.at(-1)
  const gone = before.machines.filter((m) => !after.machines.includes(m))
  const own = gone.flatMap((m) => {
    const isShown = machine !== undefined && isSame(m, machine)
    if (isShown && isKept) return []
    const reason = isShown ? 'its evidence was refused' : 'replaced'
    return issuedFor(m, now).map(({ jti }) => ({ provider, policyDigest, jti, reason }))
  })
  const known = shared.size === 0 ? [] : [...core.view.machines()]
  const others = known.flatMap(({ lease, jti, validUntil, hardware, ...m }) =>
    lease === null && jti !== null && validUntil > now && hardware.some((id) => shared.has(id))
      ? [{ provider: m.provider, policyDigest: m.policyDigest, jti, reason: 'another account proves it' }]
      : [],
  )
  return [...new Map([...own, ...others].map((r) => [r.jti, r])).values()]
}

interface HardwareClaim {
  readonly id: string
  readonly claimed: Claimed
  /** this provider was not among the challengers before */
  readonly isNew: boolean
}

function claimAll(
  core: GateCore,
  rows: ReadonlyMap<string, HardwareRow>,
  { identified, challenge: { provider }, now, until }: Judged,
): readonly HardwareClaim[] {
  return identified.hardware.map((id) => {
    const before = holdersOf(rows.get(id)?.holders)
    const claimed = claim(before, { provider, until }, now, core.options.rules)
    const wasKnown = before.challengers.some((c) => c.provider === provider && c.until > now)
    return { id, claimed, isNew: claimed.refusal === 'GATE_HARDWARE_CONFLICT' && !wasKnown }
  })
}

/** One event for all hardware of the machine: whoever hears it asks both accounts for fresh answers at the same time. */
function conflictEvents(claims: readonly HardwareClaim[], { now, challenge }: Judged): ReturnType<typeof eventOf>[] {
  const fresh = claims.filter((c) => c.isNew)
  const [first] = fresh
  if (first === undefined) return []
  const holder = first.claimed.holders.holder?.provider
  const providers = [...(holder === undefined ? [] : [holder]), challenge.provider]
  return [eventOf('hw.conflict', now, { providers, hardware: fresh.map((c) => c.id) })]
}

function ownFindings(judged: Judged, machine: Machine, level: Level): readonly Finding[] {
  const { policy, findings: earlier, identified } = judged
  const told = new Set(earlier.map((f) => f.code))
  const findings = machine.refusals
    .filter((code) => !told.has(code))
    .map((code) => gateFinding('hardware', code, 'hardware'))
  if (level < machine.level && level < policy.require.level) {
    const detail = { expected: policy.require.level, actual: level }
    findings.push(gateFinding('hardware', 'GATE_HARDWARE_CONFLICT', identified.hardware[0] ?? 'hardware', detail))
  }
  return findings
}
