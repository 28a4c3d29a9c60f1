import { Command } from 'commander'
import { CODES, type Code, isCode } from '../core/codes.ts'
import { nearestName } from '../policy/nearest.ts'
import { UsageError } from './input.ts'
import { bold, jsonText, layerWord, wrap } from './style.ts'

/** `vouchsafe codes [CODE]`: every code, those of an area such as `WEIGHTS`, or one with its remedy. */
export function codesCommand(): Command {
  return new Command('codes')
    .description('list every finding code, or explain one with its remedy')
    .argument('[code]', 'e.g. SNP_TCB_BELOW_MINIMUM, or an area such as SNP')
    .option('--json', 'machine-readable')
    .exitOverride()
    .action((code: string | undefined, options: { json?: boolean }) => {
      const names = Object.keys(CODES) as Code[]
      if (code === undefined) return list(names, options.json === true)
      const wanted = code.toUpperCase()
      if (!isCode(wanted)) {
        const area = names.filter((name) => name.startsWith(`${wanted.replace(/_$/, '')}_`))
        if (area.length > 0) return list(area, options.json === true)
        const nearest = nearestName(wanted, names)
        const near = nearest === undefined ? names.filter((c) => c.includes(wanted)).slice(0, 8) : [nearest]
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

function list(names: readonly Code[], json: boolean): void {
  if (json) {
    process.stdout.write(`${jsonText(Object.fromEntries(names.map((name) => [name, CODES[name]])))}\n`)
    return
  }
  const width = Math.max(...names.map((n) => n.length))
  process.stdout.write(
    names.map((n) => `${n.padEnd(width)}  ${CODES[n].verdict.padEnd(12)}  ${CODES[n].title}\n`).join(''),
  )
}
