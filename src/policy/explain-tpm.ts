import type { RuleSentence } from './explain-rules.ts'
import { listed, or, type Say } from './explain-words.ts'
import type { TpmRule } from './policy.ts'
import { PCR_INDEXES } from './rules-tpm.ts'

const TRUST = {
  activated: 'the TPM proved to this verifier that it holds it beside a certified endorsement key',
  certificate: 'its maker certifies it',
  'cpu-report': 'the CPU report covers it',
  pinned: 'the policy names it',
} as const satisfies Record<TpmRule['akTrust'][number], string>

/** What the policy asks of a TPM, in plain words; nothing where it has no rules for one. */
export function explainTpm(rule: TpmRule | undefined): readonly RuleSentence[] {
  if (rule === undefined) return []
  const said: RuleSentence[] = []
  const say: Say = (member, text) => said.push({ member, text })
  say('', 'A TPM quote that answers the challenge must come with the CPU evidence.')
  say('/akTrust', `Its attestation key counts because ${or(rule.akTrust.map((by) => TRUST[by]))}.`)
  listed(rule.akNames, '/akNames', 'The name of the attestation key', say)
  if (rule.gceProjects !== 'any') say('/gceProjects', `Its certificate must name the project ${or(rule.gceProjects)}.`)
  if (rule.akTrust.includes('certificate'))
    say(
      '/revocation',
      rule.revocation === 'required'
        ? "Revocation lists must clear the chain of the key's certificate."
        : "Revocation lists for the key's certificate are not looked at.",
    )
  for (const index of PCR_INDEXES) {
    const list = rule.pcrs[index]
    if (list !== undefined) listed(list, `/pcrs/${index}`, `PCR ${index} of the bank ${rule.bank}`, say)
  }
  if (rule.secureBoot === 'required')
    say('/secureBoot', 'An event log that replays to PCR 7 must show that secure boot was on.')
  if (rule.clock === 'safe') say('/clock', 'The TPM must know that its clock is right.')
  say(
    '/counters',
    rule.counters === 'known'
      ? 'The verifier must have seen the key before, and its counters must not have gone back.'
      : 'Where the verifier has seen the key before, its counters must not have gone back.',
  )
  if (rule.minResetCount > 0) say('/minResetCount', `The TPM must have been reset ${rule.minResetCount} times or more.`)
  return said
}
