import { listed, or, type Say } from './explain-words.ts'
import { allowsBoard, allowsHopper, allowsHopperOnly, allowsOtherModes, allowsPpcie } from './nvlink.ts'
import { acceptsRisk, type GpuRule, type Policy, type SnpRule, type SnpTcbMinimum } from './policy.ts'
import { PPCIE_BOARD_GPUS, PPCIE_BOARD_SWITCHES } from './rules-gpu.ts'

/** A sentence, and the member it is about, as a pointer within its group. */
export interface RuleSentence {
  readonly member: string
  readonly text: string
}

const PROTECTIONS = {
  singleSocket: 'insist on a single socket',
  memAes256Xts: 'insist on AES-256-XTS memory encryption',
  raplDisabled: 'insist that power metering be off',
  ciphertextHiding: 'insist that its ciphertext be hidden from the host',
  pageSwapDisabled: 'forbid the host to move or swap its pages',
} as const

/** What one alternative asks of an SEV-SNP report. Rules that ask for nothing have no sentence. */
export function explainSnp(rule: SnpRule): readonly RuleSentence[] {
  const said: RuleSentence[] = []
  const say = (member: string, text: string) => said.push({ member, text })
  const keys = rule.signingKeys.map((key) => (key === 'vcek' ? 'a chip key (VCEK)' : 'a cloud key (VLEK)'))
  say('/products', `An AMD SEV-SNP report of ${or(rule.products)}, version ${rule.minReportVersion} or later.`)
  say('/signingKeys', `It must be signed by ${or(keys)} and asked for at VMPL ${or(rule.vmpl)}.`)
  say(
    '/tcbFloors',
    rule.tcbFloors.bulletins === 'all'
      ? 'The firmware must have the fixes of every AMD bulletin whose levels are known.'
      : `The firmware must have the fixes of the AMD bulletins published up to ${rule.tcbFloors.bulletins}.`,
  )
  minimum(rule.minTcb, '/minTcb', 'The reported firmware level', say)
  minimum(rule.minLaunchTcb, '/minLaunchTcb', 'The firmware level at launch', say)
  if (rule.minFirmware !== '0.0.0') say('/minFirmware', `The SEV firmware must be ${rule.minFirmware} or later.`)
  if (rule.minGuestSvn > 0) say('/minGuestSvn', `The guest's security version must be ${rule.minGuestSvn} or more.`)
  if (rule.minAbi !== '0.0') say('/minAbi', `The guest must insist on firmware interface ${rule.minAbi} or later.`)
  say('/provisionalFirmware', `Firmware that is not committed is ${rule.provisionalFirmware}.`)
  say('/maskedChipId', `A report that hides its chip is ${rule.maskedChipId}.`)
  guestPolicy(rule, say)
  const bits = Object.entries(rule.platformInfo).filter(([name, value]) => name !== 'unknownBits' && value !== 'any')
  for (const [name, value] of bits) say(`/platformInfo/${name}`, `Platform bit ${name} is ${value}.`)
  if (rule.platformInfo.unknownBits === 'allowed')
    say('/platformInfo/unknownBits', 'Platform bits that are not known yet are allowed.')
  for (const name of ['launch', 'current'] as const) {
    if (!/^0+$/.test(rule.mitigations[name]))
      say(`/mitigations/${name}`, `Mitigation bits ${rule.mitigations[name]} must be set (${name}).`)
  }
  listed(rule.measurements, '/measurements', 'The launch measurement', say)
  listed(rule.hostData, '/hostData', 'HOST_DATA', say)
  listed(rule.idKeyDigests, '/idKeyDigests', 'The ID key', say)
  listed(rule.authorKeyDigests, '/authorKeyDigests', 'The author key', say)
  listed(rule.chipIds, '/chipIds', 'The chip', say)
  if (rule.cspIds !== 'any') say('/cspIds', `The cloud operator must be ${or(rule.cspIds)}.`)
  say(
    '/revocation',
    rule.revocation === 'required'
      ? 'A current revocation list of AMD must be there and clear the chain.'
      : 'The revocation list of AMD is not looked at.',
  )
  return said
}

function minimum(levels: SnpTcbMinimum, member: string, subject: string, say: Say): void {
  const asked = Object.entries(levels).filter(([, level]) => level > 0)
  if (asked.length > 0)
    say(member, `${subject} must be at least ${asked.map(([name, level]) => `${name} ${level}`).join(', ')}.`)
}

function guestPolicy({ guestPolicy: guest }: SnpRule, say: Say): void {
  const forbidden = [
    ['debug', 'debugging'],
    ['migrationAgent', 'a migration agent'],
    ['smt', 'hyper-threading'],
    ['cxl', 'CXL memory'],
  ] as const
  const refused = forbidden.filter(([name]) => guest[name] === 'forbidden').map(([, text]) => text)
  const allowed = forbidden.filter(([name]) => guest[name] === 'allowed').map(([, text]) => text)
  if (refused.length > 0) say('/guestPolicy', `The guest must not allow ${or(refused)}.`)
  if (allowed.length > 0) say('/guestPolicy', `The guest may allow ${or(allowed)}.`)
  for (const name of Object.keys(PROTECTIONS) as (keyof typeof PROTECTIONS)[]) {
    if (guest[name] === 'required') say(`/guestPolicy/${name}`, `The guest must ${PROTECTIONS[name]}.`)
  }
}

const BINDINGS = {
  'shared-nonce': 'GPU and CPU must answer the same challenge, which does not prove that they are one machine.',
  'measured-guest': 'A measured guest image must vouch that it took the GPU evidence from its own driver.',
  tdisp: 'The hardware must prove that the GPU is attached to this guest.',
} as const
const NONCES = {
  raw: 'The GPU nonce is the first half of the CPU report data.',
  derived: 'The GPU nonce must be derived from the challenge under our label.',
  composite: 'The CPU report must cover the list of GPU reports.',
} as const
const REVOCATIONS = {
  required: 'Revocation answers of NVIDIA must be there, obtained by the verifier, and clear device and manifests.',
  stapled: 'Revocation answers of NVIDIA must be there, if only with the evidence, and count while they are valid.',
  none: 'Revocation by NVIDIA is not looked at.',
} as const

/** What is asked of the GPUs. */
export function explainGpu(policy: Policy): readonly RuleSentence[] {
  const rule = policy.require.gpu
  if (rule === 'none') return [{ member: '', text: 'The machine must have no GPU.' }]
  if (rule === 'any')
    return [{ member: '', text: 'GPUs may be there or not; nothing is asked of them and nothing rests on them.' }]
  const said: RuleSentence[] = []
  const say = (member: string, text: string) => said.push({ member, text })
  const count =
    rule.count === 'lease' ? 'as many GPUs as the lease says' : rule.count === 1 ? 'one GPU' : `${rule.count} GPUs`
  const models = rule.models === 'any' ? 'of any model' : `of model ${or(rule.models)}`
  say('/count', `Exactly ${count}, ${models}, each a device of its own.`)
  if (rule.modes !== 'any') say('/modes', `They must run in mode ${or(rule.modes)}, and say so.`)
  const several = rule.count === 1 ? undefined : nvLink(rule, acceptsRisk(policy, 'plain-nvlink'))
  if (several !== undefined) say('/modes', several)
  versions(rule, say)
  say(
    '/rim',
    rule.rim === 'required'
      ? 'Their measurements must match the manifests that NVIDIA signed.'
      : 'Their measurements are not compared with anything.',
  )
  say('/revocation', REVOCATIONS[rule.revocation])
  say('/binding', BINDINGS[rule.binding])
  say('/nonce', NONCES[rule.nonce])
  say(
    '/devtools',
    rule.devtools === 'excluded'
      ? 'A measured guest image must vouch that devtools mode is off.'
      : 'That devtools mode is off is not proved.',
  )
  listed(rule.deviceIds, '/deviceIds', 'Each GPU', say)
  return said
}

const BOARD = `a whole board in protected PCIe mode (PPCIE), all ${PPCIE_BOARD_GPUS} GPUs and ${PPCIE_BOARD_SWITCHES} switches of it`
const ONLY_WHOLE = `GPUs in PPCIE mode are accepted only as ${BOARD}.`

/** What holds where there is more than one GPU; undefined where nothing does. */
function nvLink(rule: GpuRule, isPlainAccepted: boolean): string | undefined {
  if (!allowsOtherModes(rule)) return `They must be ${BOARD}; no accepted risk stands in for a part of it.`
  if (!allowsHopper(rule)) return allowsPpcie(rule) ? ONLY_WHOLE : undefined
  const hopper = allowsHopperOnly(rule) ? 'GPUs' : 'Hopper GPUs'
  if (isPlainAccepted) {
    const plain = `NVLink traffic between several ${hopper} may be in the clear, since acceptRisks has plain-nvlink`
    return allowsPpcie(rule) ? `${plain}; ${ONLY_WHOLE}` : `${plain}.`
  }
  const otherwise = 'outside such a board their NVLink traffic is in the clear, and acceptRisks has no plain-nvlink'
  return allowsBoard(rule)
    ? `Several ${hopper} are accepted only as ${BOARD}: ${otherwise}.`
    : `Several ${hopper} are refused, as the policy leaves no room for ${BOARD}: ${otherwise}.`
}

function versions(rule: GpuRule, say: Say): void {
  if (rule.minDriver !== '0') say('/minDriver', `Their driver must be ${rule.minDriver} or later.`)
  if (rule.denyDrivers !== 'none') say('/denyDrivers', `Their driver must not be ${or(rule.denyDrivers)}.`)
  if (rule.minVbios !== '00.00.00.00.00') say('/minVbios', `Their VBIOS must be ${rule.minVbios} or later.`)
  if (rule.denyVbios !== 'none') say('/denyVbios', `Their VBIOS must not be ${or(rule.denyVbios)}.`)
}
