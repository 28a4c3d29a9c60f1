import { Command } from 'commander'
import { exportLog, type ProveOptions, prove } from './audit/give.ts'
import { newAnchor } from './audit/new-anchor.ts'
import { type ShowOptions, showRows } from './audit/show.ts'
import { type VerifyOptions, verifySource } from './audit/verify.ts'

const LOG = 'a SQLite file of the service, postgres://… without a password, or an export'

/** `vouchsafe audit verify|show|export|prove|new-anchor`: the log of every release and refusal. Reads it, and changes nothing of it. */
export function auditCommand(): Command {
  const audit = new Command('audit')
    .description('verify, show, export and prove the audit log, and make its anchors')
    .exitOverride()
  audit.addCommand(
    command('verify', 'whether a log is the one that was written, or a proof is one', `${LOG}; or a proof`)
      .requiredOption('--keys <jwks>', 'public keys whose checkpoints count, as the service publishes them')
      .option('--anchor <file>', "the service's anchor: without it a log that was cut off may pass")
      .option('--without-anchor <reason>', 'there is none here; only rows under a checkpoint are then accepted')
      .option('--json', 'machine-readable')
      .action((source: string, options: VerifyOptions) => verifySource(source, options)),
  )
  audit.addCommand(
    command('show', 'the entries, as they are', LOG)
      .option('--after <row>', 'only rows behind this one', '0')
      .option('--limit <count>', 'at most so many', '100')
      .option('--tenant <name>', 'only of this tenant')
      .option('--key <id>', 'only of keys of this id')
      .option('--json', 'machine-readable')
      .action((source: string, options: ShowOptions) => showRows(source, options)),
  )
  audit.addCommand(
    command('export', 'rows and checkpoints as lines of JSON, which verify anywhere', LOG)
      .option('--out <file>', 'a new file instead of standard output')
      .option('--json', 'as it is: an export is JSON')
      .action((source: string, options: { readonly out?: string }) => exportLog(source, options)),
  )
  audit.addCommand(
    command('prove', 'a proof for somebody who sees nothing else of the log', LOG)
      .option('--row <number>', 'that this entry is in the newest checkpoint')
      .option('--since <size>', 'that since the checkpoint of so many rows the log has only grown')
      .option('--json', 'as it is: a proof is JSON')
      .action((source: string, options: ProveOptions) => prove(source, options)),
  )
  audit.addCommand(
    new Command('new-anchor')
      .description('make an empty anchor for a service: for a further replica, or where one is lost for good')
      .argument('<file>', 'a new file, outside the database and its backups')
      .option('--json', 'machine-readable')
      .exitOverride()
      .action((path: string, options: { readonly json?: boolean }) => newAnchor(path, options)),
  )
  return audit
}

const command = (name: string, description: string, argument: string): Command =>
  new Command(name).description(description).argument('<source>', argument).exitOverride()
