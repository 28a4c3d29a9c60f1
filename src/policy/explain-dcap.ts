import type { RuleSentence } from './explain-rules.ts'
import { listed, or, type Say } from './explain-words.ts'
import { RTMR_INDEXES } from './measurement.ts'
import type { DcapRule, SgxRule, TdxRule } from './policy.ts'

/** What one alternative asks of a TDX quote. Rules that ask for nothing have no sentence. */
export function explainTdx(rule: TdxRule): readonly RuleSentence[] {
  const said: RuleSentence[] = []
  const say: Say = (member, text) => said.push({ member, text })
  say('/platform', 'An Intel TDX quote.')
  platform(rule, say)
  const { tdAttributes: bits } = rule
  const forbidden = [
    ['debug', 'debugging'],
    ['migratable', 'migration'],
    ['perfmon', 'shared performance counters'],
    ['pks', 'supervisor protection keys'],
    ['keyLocker', 'Key Locker'],
  ] as const
  const refused = forbidden.filter(([name]) => bits[name] === 'forbidden').map(([, text]) => text)
  const allowed = forbidden.filter(([name]) => bits[name] === 'allowed').map(([, text]) => text)
  if (refused.length > 0) say('/tdAttributes', `The TD must not allow ${or(refused)}.`)
  if (allowed.length > 0) say('/tdAttributes', `The TD may allow ${or(allowed)}.`)
  say(
    '/tdAttributes/septVeDisable',
    bits.septVeDisable === 'required'
      ? 'A page that the host takes away must end the TD (SEPT_VE_DISABLE).'
      : 'The host may raise exceptions in the TD by taking pages away (SEPT_VE_DISABLE is not asked for).',
  )
  if (bits.unknownBits === 'allowed') say('/tdAttributes/unknownBits', 'Attribute bits that are not known are allowed.')
  listed(rule.xfam, '/xfam', 'XFAM', say)
  say(
    '/serviceTds',
    rule.serviceTds === 'none'
      ? 'No service TD may be bound to it.'
      : `Service TDs that are bound to it must be ${rule.serviceTds.length === 1 ? 'the one' : `among the ${rule.serviceTds.length}`} in the policy.`,
  )
  listed(rule.mrSeam, '/mrSeam', 'The TDX module (MRSEAM)', say)
  listed(rule.mrTd, '/mrTd', 'The firmware of the TD (MRTD)', say)
  for (const i of RTMR_INDEXES) listed(rule.rtmr[i], `/rtmr/${i}`, `RTMR${i}`, say)
  listed(rule.mrConfigId, '/mrConfigId', 'MRCONFIGID', say)
  listed(rule.mrOwner, '/mrOwner', 'MROWNER', say)
  listed(rule.mrOwnerConfig, '/mrOwnerConfig', 'MROWNERCONFIG', say)
  listed(rule.dstack.composeHash, '/dstack/composeHash', 'The compose file that dstack measured', say)
  listed(rule.dstack.appId, '/dstack/appId', 'The application id that dstack measured', say)
  listed(rule.dstack.osImageHash, '/dstack/osImageHash', 'The OS image that dstack measured', say)
  return said
}

/** What one alternative asks of an SGX quote. */
export function explainSgx(rule: SgxRule): readonly RuleSentence[] {
  const said: RuleSentence[] = []
  const say: Say = (member, text) => said.push({ member, text })
  say('/platform', 'An Intel SGX quote.')
  platform(rule, say)
  const attributes = [
    ['debug', 'be debugged'],
    ['provisionKey', 'use the provisioning key'],
    ['einitTokenKey', 'decide which enclaves are launched'],
  ] as const
  const refused = attributes.filter(([name]) => rule.attributes[name] === 'forbidden').map(([, text]) => text)
  const allowed = attributes.filter(([name]) => rule.attributes[name] === 'allowed').map(([, text]) => text)
  if (refused.length > 0) say('/attributes', `The enclave must not be able to ${or(refused)}.`)
  if (allowed.length > 0) say('/attributes', `The enclave may ${or(allowed)}.`)
  listed(rule.mrEnclave, '/mrEnclave', 'The enclave (MRENCLAVE)', say)
  listed(rule.mrSigner, '/mrSigner', 'The signer of the enclave (MRSIGNER)', say)
  if (rule.isvProdId !== 'any') say('/isvProdId', `Its product id must be ${or(rule.isvProdId)}.`)
  if (rule.minIsvSvn > 0) say('/minIsvSvn', `Its security version must be ${rule.minIsvSvn} or more.`)
  listed(rule.configId, '/configId', 'CONFIGID', say)
  return said
}

function platform(rule: DcapRule, say: Say): void {
  say('/tcbStatus', `Intel's TCB status must be ${or(rule.tcbStatus)}.`)
  if (rule.advisories !== 'any') say('/advisories', `Of Intel's advisories only ${or(rule.advisories)} may apply.`)
  if (rule.denyAdvisories !== 'none') say('/denyAdvisories', `None of ${or(rule.denyAdvisories)} may apply.`)
  if (rule.minTcbEvaluationDataNumber > 0) {
    say(
      '/minTcbEvaluationDataNumber',
      `Intel's collateral must be of evaluation ${rule.minTcbEvaluationDataNumber} or later.`,
    )
  }
  if (rule.minTcbDate !== 'any') say('/minTcbDate', `The TCB must date from ${rule.minTcbDate} or later.`)
  listed(rule.fmspcs, '/fmspcs', 'The platform family (FMSPC)', say)
  listed(rule.platforms, '/platforms', 'The platform', say)
  if (rule.denyPlatforms !== 'none')
    say('/denyPlatforms', `${rule.denyPlatforms.length} platforms or families are denied.`)
  if (rule.smt === 'forbidden') say('/smt', 'Hyper-threading must be off, as Intel certifies it.')
  say(
    '/revocation',
    {
      required: "Intel's current revocation lists must be there, obtained by the verifier, and clear the chain.",
      stapled: "Intel's current revocation lists must be there, if only with the evidence, and clear the chain.",
      none: "Intel's revocation lists are not looked at.",
    }[rule.revocation],
  )
}
