import { pointer } from '../core/json.ts'
import { explainSgx, explainTdx } from './explain-dcap.ts'
import { explainGpu, explainSnp, type RuleSentence } from './explain-rules.ts'
import { explainTpm } from './explain-tpm.ts'
import { pinsLaunch } from './measurement.ts'
import type { CpuRule, Policy } from './policy.ts'
import { type ResidualRisk, residualRisks } from './residual-risks.ts'

/** One rule as a sentence, with the pointer of its member. */
export interface ExplainedRule {
  readonly rule: string
  readonly text: string
}

/** A policy in plain words: what it asks, what nobody may conclude from it, and what its author may have overlooked. */
export interface Explanation {
  readonly rules: readonly ExplainedRule[]
  readonly residualRisks: readonly ResidualRisk[]
  readonly advice: readonly string[]
}

const LEVELS = [
  ['1 (genuine)', "the vendor's hardware signed, nothing is revoked, nobody can debug, the firmware is at its floor"],
  ['2 (fresh)', 'the evidence also answers our own challenge'],
  ['3 (measured)', 'the launch measurement is also one that the policy or a signer of it names'],
  ['4 (workload)', 'a publisher also vouches that the image runs only the containers it was launched for'],
  ['5 (key-bound)', "the workload's own key is also inside the evidence, and the image signs nothing else"],
] as const

/** Every rule of a policy as it takes effect, in the order of its members. */
export function explainPolicy(policy: Policy): Explanation {
  const { require, freshness, collateral, referenceValues, keyRelease } = policy
  const rules: ExplainedRule[] = []
  const say = (rule: string, text: string) => rules.push({ rule, text })
  const [name, meaning] = LEVELS[require.level - 1] ?? ['', '']
  if (policy.profile === 'development')
    say('/profile', 'For development only: no key is released and no bid is admitted under this policy.')
  say('/require/level', `The machine must reach assurance level ${name}: ${meaning}.`)
  const several = require.cpu.any.length > 1
  if (several) say('/require/cpu/any', `The CPU must meet one of ${require.cpu.any.length} alternatives in full.`)
  for (const [i, rule] of require.cpu.any.entries()) {
    const at = pointer('/require/cpu/any', i)
    for (const { member, text } of explainCpu(rule))
      say(`${at}${member}`, several ? `Alternative ${i + 1}: ${text}` : text)
  }
  for (const { member, text } of explainGpu(policy)) say(`/require/gpu${member}`, text)
  for (const { member, text } of explainTpm(require.tpm)) say(`/require/tpm${member}`, text)
  if (require.physical !== 'any') {
    say(
      '/require/physical',
      `Somebody trusted must vouch for the place of the machine: ${require.physical.join(' or ')}.`,
    )
  }
  if (require.lease === 'required')
    say('/require/lease', 'The lease must be given, and the machine must be the one leased.')
  if (require.lease === 'required-with-gpu-count')
    say(
      '/require/lease',
      'The lease must be given and say how many GPUs it is for, and the machine must be the one leased.',
    )
  if (require.leaseBinding === 'host-data')
    say('/require/leaseBinding', 'HOST_DATA, or MRCONFIGID of a TD, must be the value made for this very lease.')
  say(
    '/freshness/maxAgeSeconds',
    `The evidence must answer a challenge that is at most ${freshness.maxAgeSeconds} seconds old.`,
  )
  if (collateral.maxAgeSeconds !== 'any') {
    say(
      '/collateral/maxAgeSeconds',
      `Revocation lists, OCSP answers and Intel’s TCB documents must have been issued in the last ${duration(collateral.maxAgeSeconds)}.`,
    )
  }
  if (referenceValues !== 'none') {
    const names = referenceValues.signers.map((s) => s.kid).join(', ')
    say('/referenceValues/signers', `Signed statements about images count if signed by ${names}.`)
  }
  if (policy.acceptRisks !== 'none')
    say('/acceptRisks', `The tenant accepts by name: ${policy.acceptRisks.join(', ')}.`)
  if (keyRelease !== 'none') {
    say(
      '/keyRelease',
      `Keys are released to machines of level ${keyRelease.minLevel} or more, within ${keyRelease.ttlSeconds} seconds.`,
    )
  }
  const retry = policy.onInconclusive === 'retry' ? 'the caller may ask again' : 'the caller denies'
  say('/onInconclusive', `Where something needed is missing, ${retry}; nothing is opened either way.`)
  return { rules, residualRisks: residualRisks(policy), advice: adviceFor(policy) }
}

function explainCpu(rule: CpuRule): readonly RuleSentence[] {
  switch (rule.platform) {
    case 'amd/snp':
      return explainSnp(rule)
    case 'intel/tdx':
      return explainTdx(rule)
    case 'intel/sgx':
      return explainSgx(rule)
  }
}

function duration(seconds: number): string {
  if (seconds % 86_400 === 0) return `${seconds / 86_400} days`
  return seconds % 3600 === 0 ? `${seconds / 3600} hours` : `${seconds} seconds`
}

/** Rules that are allowed and may not be what their author meant. */
function adviceFor({ require, keyRelease, referenceValues }: Policy): readonly string[] {
  const advice: string[] = []
  if (keyRelease !== 'none' && keyRelease.minLevel > require.level) {
    advice.push(
      `keyRelease.minLevel is ${keyRelease.minLevel} and require.level is ${require.level}: a machine may be accepted and still be refused the key.`,
    )
  }
  for (const [i, rule] of require.cpu.any.entries()) {
    const at = `Alternative ${i + 1}`
    const isPartly = rule.platform === 'intel/tdx' && rule.mrTd !== 'any'
    if (!pinsLaunch(rule) && !isPartly && referenceValues === 'none') {
      advice.push(
        `${at} pins no measurement. Take the digest from the publisher of the image, never from the machine that is judged.`,
      )
    }
    advice.push(...adviceForCpu(rule).map((text) => `${at} ${text}`))
  }
  return advice
}

function adviceForCpu(rule: CpuRule): readonly string[] {
  const advice: string[] = []
  if (rule.platform === 'amd/snp') {
    const open = rule.measurements === 'any'
    if (open && rule.idKeyDigests !== 'any')
      advice.push('trusts ID keys and pins no measurement: every image that such a key ever signed is accepted.')
    if (rule.minTcb.microcode > 0 && rule.products.length > 1)
      advice.push('has one microcode minimum for several products, and AMD numbers microcode per processor model.')
    if (rule.vmpl.some((level) => level > 0) && open)
      advice.push('takes reports from above VMPL 0 without pinning what runs at VMPL 0.')
    return advice
  }
  if (rule.platform === 'intel/tdx' && rule.mrTd !== 'any' && !pinsLaunch(rule)) {
    advice.push(
      'pins MRTD, which is the firmware alone: the owner of a machine may let the genuine one load any kernel. Name rtmr 0, 1 and 2 too.',
    )
  }
  if (rule.minTcbEvaluationDataNumber === 0) {
    advice.push(
      "names no minTcbEvaluationDataNumber: until a document expires, older collateral may call a machine up to date that Intel's newest does not.",
    )
  }
  return advice
}
