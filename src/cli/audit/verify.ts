import { CODES } from '../../core/codes.ts'
import { type Fault, fail, type Outcome, ok, verdictOf } from '../../core/outcome.ts'
import { toRfc3339 } from '../../core/time.ts'
import {
  type AuditSource,
  allCheckpoints,
  type CheckedProof,
  checkProof,
  rowsAfter,
  type VerifiedAudit,
  verifyAudit,
} from '../../release/audit/index.ts'
import { EXIT, exitCodeOf } from '../exit.ts'
import { faultsForPeople } from '../faults.ts'
import { bold, dim, green, jsonText, safe, verdictWord } from '../style.ts'
import { type AnchorOptions, anchorFrom, keysFrom, openSource } from './source.ts'

export interface VerifyOptions extends AnchorOptions {
  readonly keys: string
  readonly json?: boolean
}

/** `vouchsafe audit verify SOURCE`: whether a log, an export or a proof is what was written. */
export async function verifySource(path: string, options: VerifyOptions): Promise<void> {
  const keys = await keysFrom(options.keys)
  const opened = await openSource(path)
  if (opened.kind === 'proof') return answer(await checkProof(opened.proof, keys), aboutProof, options)
  try {
    answer(await verifyLog(opened.source, options), aboutLog, options)
  } finally {
    await opened.close()
  }
}

async function verifyLog(source: AuditSource, options: VerifyOptions): Promise<Outcome<VerifiedAudit>> {
  const given = await anchorFrom(options)
  if ('ok' in given && !given.ok) return given
  const anchor = 'ok' in given ? given.value : given
  const [checkpoints, keys] = [await allCheckpoints(source), await keysFrom(options.keys)]
  const verified = await verifyAudit({ rows: rowsAfter(source), checkpoints, keys, anchor })
  if (!verified.ok) return verified
  const { covered, head } = verified.value
  return covered < head.sequence
    ? fail('AUDIT_CHECKPOINT_MISSING', `audit/row/${covered + 1}`, {
        expected: `${head.sequence} rows`,
        actual: covered,
      })
    : ok(verified.value)
}

interface Told {
  readonly json: object
  readonly text: string
}

const aboutLog = ({ head, lastCheckpoint }: VerifiedAudit): Told => {
  const time = head.at === undefined ? 'empty' : `last entry ${toRfc3339(head.at)}`
  const signed = lastCheckpoint === undefined ? 'no checkpoint' : `signed up to row ${lastCheckpoint.size}`
  return {
    json: { kind: 'log', rows: head.sequence, chain: head.chain, signed: lastCheckpoint ?? null },
    text: `${head.sequence} rows  ${time}  ${signed}  ${dim(head.chain)}`,
  }
}

const aboutProof = (proof: CheckedProof): Told =>
  proof.kind === 'consistency'
    ? {
        json: proof,
        text: `the log of ${proof.later.size} rows begins with that of ${proof.earlier.size}, ${toRfc3339(proof.earlier.at)}`,
      }
    : {
        json: proof,
        text: `row ${proof.entry.sequence} is in the log of ${proof.checkpoint.size} rows  ${safe(proof.entry.type)}  ${safe(proof.entry.tenant)}/${safe(proof.entry.keyId)}`,
      }

function answer<T>(outcome: Outcome<T>, about: (value: T) => Told, { json }: VerifyOptions): void {
  if (outcome.ok) {
    const told = about(outcome.value)
    process.stdout.write(
      `${json === true ? jsonText({ ok: true, ...told.json }) : `${green('ok')}  ${bold(told.text)}`}\n`,
    )
    process.exitCode = EXIT.ok
    return
  }
  const verdict = outcome.faults.some((f) => verdictOf(f) === 'reject') ? 'reject' : 'inconclusive'
  const text = `${verdictWord(verdict)}\n${faultsForPeople(outcome.faults)}`
  process.stdout.write(
    `${json === true ? jsonText({ ok: false, verdict, faults: outcome.faults.map(withRemedy) }) : text}\n`,
  )
  process.exitCode = exitCodeOf(verdict)
}

const withRemedy = (f: Fault) => ({ ...f, title: CODES[f.code].title, hint: CODES[f.code].hint })
