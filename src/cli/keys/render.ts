import { CODES } from '../../core/codes.ts'
import { type Fault, verdictOf } from '../../core/outcome.ts'
import { toRfc3339 } from '../../core/time.ts'
import type { Rewrapped } from '../../release/administration.ts'
import type { KeyDetails, KeyView } from '../../release/key-view.ts'
import type { KeyLimits } from '../../release/ports.ts'
import { EXIT } from '../exit.ts'
import { faultsForPeople } from '../faults.ts'
import { bold, green, jsonText, padEnd, red, safe, yellow } from '../style.ts'

const stateWord = (state: KeyView['state']): string =>
  state === 'active' ? green(state) : state === 'suspended' ? yellow(state) : red(state)

export const renderKey = (key: KeyView): string =>
  `${padEnd(stateWord(key.state), 10)}${bold(safe(key.keyId))}  ${key.policyDigest}`

export function renderDetails(key: KeyDetails): string {
  const row = (name: string, text: string) => `  ${name.padEnd(12)}${safe(text)}`
  const released = key.releases.map((r) => row('', `${toRfc3339(r.at)}  ${r.lease}  audit ${r.auditSequence}`))
  return [
    renderKey(key),
    row('tenant', key.tenant),
    row('registered', toRfc3339(key.registeredAt)),
    row('KEK', key.kek),
    row('limits', limitsText(key.limits)),
    row('released', timesText(key)),
    ...released,
  ].join('\n')
}

const timesText = ({ released, releases }: KeyDetails): string =>
  releases.length < released ? `${released} times, of which the last ${releases.length}:` : `${released} times`

function limitsText({ releases, window, leases, chips, onlyLeases }: KeyLimits): string {
  const rate = window === 'unlimited' ? 'at any rate' : `at most ${window.releases} in ${window.seconds} s`
  const to = onlyLeases === 'any' ? 'any lease of the tenant' : onlyLeases.join(', ')
  return `${releases} releases, ${rate}, to ${leases} leases, ${chips} machines; ${to}`
}

export function renderRewrapped(kek: string, { rewrapped, left }: Rewrapped): string {
  const lines = [`${green('ok')}  ${rewrapped.length} keys are under ${bold(kek)} now`]
  for (const { keyId, faults } of left) lines.push(`${red('left')}  ${bold(safe(keyId))}`, faultsForPeople(faults))
  return lines.join('\n')
}

/** A refusal is the answer, and the exit code says so; without --json it is for people. */
export function refused(faults: readonly Fault[], isJson: boolean): void {
  const isFinal = faults.some((f) => verdictOf(f) === 'reject')
  process.exitCode = isFinal ? EXIT.reject : EXIT.inconclusive
  const told = faults.map((f) => ({ ...f, title: CODES[f.code].title, hint: CODES[f.code].hint }))
  if (isJson) process.stdout.write(`${jsonText({ ok: false, faults: told })}\n`)
  else
    process.stderr.write(`${isFinal ? red('refused') : yellow('something is missing')}\n${faultsForPeople(faults)}\n`)
}
