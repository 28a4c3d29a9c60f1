import type { Check, HostReport } from '../../collect/index.ts'
import { verdictOf } from '../../core/outcome.ts'
import { explained } from '../faults.ts'
import { bold, dim, layerWord, padEnd, safe, wrap } from '../style.ts'

const ROLES: Readonly<Record<HostReport['role'], string>> = {
  guest: 'a confidential guest',
  host: 'a host of confidential guests',
  neither: 'no confidential machine',
}

const SUMMARIES: Readonly<Record<HostReport['verdict'], string>> = {
  ok: 'Nothing stands in the way of evidence.',
  reject: 'Tenants would refuse this machine as it stands.',
  inconclusive: 'Something is missing, or not known; nothing seen is bad in itself.',
}

/** One line for each thing that was looked at; below what is wrong, its remedy. */
export function renderReport({ role, verdict, checks }: HostReport): string {
  const width = Math.max(...checks.map(({ id }) => id.length))
  return [bold(`This is ${ROLES[role]}.`), ...checks.map((check) => line(check, width)), bold(SUMMARIES[verdict])].join(
    '\n',
  )
}

function line(check: Check, width: number): string {
  const head = `${padEnd(check.id, width)}  `
  const hanging = ' '.repeat(width + 8)
  if (check.state === 'wrong') return `${head}${layerWord(verdictOf(check.fault))}\n${explained(check.fault)}`
  const [word, text] = check.state === 'ok' ? [layerWord('accept'), check.seen] : [dim('SKIP'), check.because]
  return wrap(safe(text), `${head}${word}  `, undefined, hanging)
}
