import { Command } from 'commander'
import { EXIT } from './exit.ts'
import { faultsForPeople } from './faults.ts'
import { readFiles, UsageError } from './input.ts'
import { inspect } from './inspect/read.ts'
import { renderInspection } from './inspect/render.ts'
import { jsonText } from './style.ts'

/** `vouchsafe inspect EVIDENCE`: every field with its place and meaning. Judges nothing. */
export function inspectCommand(): Command {
  return new Command('inspect')
    .description(
      'show every field of a report, quote, certificate, revocation list, OCSP answer, manifest or event log; verifies nothing',
    )
    .argument('<evidence>', 'file, folder, or - for standard input; evidence in any carrier, or collateral')
    .option('--full', 'long values whole')
    .option('--json', 'machine-readable')
    .exitOverride()
    .action(async (evidence: string, options: { full?: boolean; json?: boolean }) => {
      const outcome = await inspect(await readFiles(evidence))
      if (!outcome.ok) throw new UsageError(`${evidence} cannot be read:\n${faultsForPeople(outcome.faults)}`)
      const inspection = outcome.value
      process.stdout.write(
        `${options.json === true ? jsonText(inspection) : renderInspection(inspection, options.full === true)}\n`,
      )
      const { items, unread, eventLogs = [] } = inspection
      const logs = [...eventLogs, ...items.flatMap((item) => item.eventLogs ?? [])]
      const problems = [...unread, ...[...items, ...logs].flatMap((shown) => shown.problems)]
      if (problems.length === 0) return
      process.stderr.write(
        `vouchsafe: not everything could be read: ${[...new Set(problems.map((p) => p.code))].join(', ')}\n`,
      )
      process.exitCode = EXIT.usage
    })
}
