import { Command } from 'commander'
import { CODES, type Code, isCode } from '../core/codes.ts'
import { UsageError } from './input.ts'
import { bold, layerWord, wrap } from './style.ts'

/** `vouchsafe codes [CODE]`: every code, or one with its remedy. */
export function codesCommand(): Command {
  return new Command('codes')
    .description('list every finding code, or explain one with its remedy')
    .argument('[code]', 'e.g. SNP_TCB_BELOW_MINIMUM')
    .option('--json', 'machine-readable')
    .exitOverride()
    .action((code: string | undefined, options: { json?: boolean }) => {
      if (code === undefined) return listAll(options.json === true)
      const wanted = code.toUpperCase()
      if (!isCode(wanted)) {
        const near = Object.keys(CODES)
          .filter((c) => c.includes(wanted) || wanted.includes(c))
          .slice(0, 8)
        throw new UsageError(`no code ${wanted}${near.length === 0 ? '' : `; do you mean ${near.join(', ')}?`}`)
      }
      const entry = CODES[wanted]
      if (options.json === true) process.stdout.write(`${JSON.stringify({ code: wanted, ...entry }, null, 2)}\n`)
      else
        process.stdout.write(
          `${bold(wanted)}  ${layerWord(entry.verdict)} (${entry.verdict})\n${wrap(entry.title, '  ')}\n${wrap(entry.hint, '  ')}\n`,
        )
    })
}

function listAll(json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(CODES, null, 2)}\n`)
    return
  }
  const names = Object.keys(CODES) as Code[]
  const width = Math.max(...names.map((n) => n.length))
  process.stdout.write(
    names.map((n) => `${n.padEnd(width)}  ${CODES[n].verdict.padEnd(12)}  ${CODES[n].title}\n`).join(''),
  )
}
