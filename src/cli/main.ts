#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import { auditCommand } from './audit.ts'
import { codesCommand } from './codes.ts'
import { collateralCommand } from './collateral.ts'
import { demoCommand } from './demo.ts'
import { doctorCommand } from './doctor.ts'
import { EXIT } from './exit.ts'
import { fetchKeyCommand } from './fetch-key.ts'
import { gateCommand } from './gate.ts'
import { UsageError } from './input.ts'
import { inspectCommand } from './inspect.ts'
import { discardWhenInterrupted } from './interrupted.ts'
import { keysCommand } from './keys.ts'
import { ocicryptCommand } from './ocicrypt.ts'
import { policyCommand } from './policy.ts'
import { selftestCommand } from './selftest.ts'
import { serveCommand } from './serve.ts'
import { safeLines } from './style.ts'
import { verifyCommand } from './verify.ts'
import { VERSION } from './version.ts'
import { weightsCommand } from './weights.ts'

const program = new Command('vouchsafe')
  .description(
    'Judges hardware-signed evidence of confidential machines, locally and offline, and explains every refusal.',
  )
  .version(VERSION)
  .enablePositionalOptions() // behind a command, -V is none of ours
  .exitOverride()
  .showHelpAfterError('(vouchsafe help shows every command)')
  .addHelpText('after', '\nExit codes: 0 accept or ok · 1 reject · 2 usage or unreadable input · 3 inconclusive')

/** In the order in which people meet them. */
const COMMANDS: readonly (() => Command)[] = [
  verifyCommand,
  inspectCommand,
  policyCommand,
  gateCommand,
  collateralCommand,
  weightsCommand,
  keysCommand,
  auditCommand,
  serveCommand,
  fetchKeyCommand,
  ocicryptCommand,
  selftestCommand,
  doctorCommand,
  codesCommand,
  demoCommand,
]
for (const command of COMMANDS) program.addCommand(command())
discardWhenInterrupted()

// A reader that has seen enough (`| head`) ends the run, and the answer stays what it was.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit()
  process.stderr.write(`vouchsafe: the answer could not be written: ${error.code ?? 'error'}\n`)
  process.exit(EXIT.usage)
})

/**
 * Help is an answer where nothing else was asked. Beside options it may be the name of a file that somebody else chose, and
 * exit code 0 would say that it was accepted.
 */
const asksForHelpOnly = (args: readonly string[]): boolean =>
  args.length <= 2 || !['verify', 'gate', 'weights', 'selftest'].includes(args[0] ?? '')

/** Older ones lack what some commands are made of, and would say so of something else. */
const LEAST_NODE = [22, 13] as const
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const isTooOld = major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1])

try {
  if (isTooOld) throw new UsageError(`Node ${LEAST_NODE.join('.')} or later is needed; this is ${process.version}`)
  await program.parseAsync()
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 && asksForHelpOnly(process.argv.slice(2)) ? EXIT.ok : EXIT.usage
  } else if (error instanceof UsageError) {
    process.stderr.write(`vouchsafe: ${safeLines(error.message)}\n`)
    process.exitCode = EXIT.usage
  } else {
    // Our own mistake must not look like a refusal of somebody's evidence, which is what Node's exit code 1 would say.
    process.stderr.write(
      `vouchsafe: internal error\n${safeLines(error instanceof Error ? (error.stack ?? error.message) : String(error))}\n`,
    )
    process.exitCode = EXIT.usage
  }
}
