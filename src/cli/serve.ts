import { Command } from 'commander'
import { isKeyName } from '../release/key-row.ts'
import { UsageError } from './input.ts'
import { refused } from './keys/render.ts'
import { readConfig } from './serve/config.ts'
import { initService } from './serve/init.ts'
import { Refused } from './serve/refused.ts'
import { runService } from './serve/run.ts'
import { green, jsonText, safe } from './style.ts'

interface Options {
  readonly config?: string
  readonly init?: string
  readonly tenant?: string
  readonly json?: boolean
}

/** `vouchsafe serve`: keys for attested machines, over HTTP. Its log is NDJSON on stderr. */
export function serveCommand(): Command {
  return new Command('serve')
    .description(
      'run the service that releases keys: its own interface, and the KBS protocol of Confidential Containers',
    )
    .option('--config <file>', 'run by this configuration')
    .option('--init <folder>', 'make a folder with a configuration and every file that it names, to start from')
    .option('--tenant <name>', 'with --init: whose keys the first administrator looks after')
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      '\nSIGTERM ends it, SIGHUP reads the collateral anew.\nExit codes: 0 ended as told · 1 the audit log is broken · 2 usage, configuration, or a store that is not there or\ncannot be opened · 3 clock, vault or anchor, or a store that fails while it is read',
    )
    .exitOverride()
    .action(async (options: Options) => {
      const { config, init, tenant } = options
      if ((config === undefined) === (init === undefined))
        throw new UsageError('either --config FILE runs the service, or --init FOLDER makes what it needs')
      if (config !== undefined) {
        if (tenant !== undefined)
          throw new UsageError('--tenant belongs to --init; the configuration names the tenants')
        return serveBy(config, options)
      }
      if (tenant === undefined || !isKeyName(tenant))
        throw new UsageError('--init takes --tenant NAME: up to 128 characters without spaces')
      return made(init ?? '', tenant, options)
    })
}

async function made(folder: string, tenant: string, { json }: Options): Promise<void> {
  const files = await initService(folder, tenant)
  const text = [
    `${green('ok')}  ${safe(files.config)}`,
    `    token of ${safe(tenant)}'s administrator: in ${safe(files.token)}, mode 0600`,
    `    keep ${safe(files.kek)} and ${safe(files.anchor)} out of the backups of ${safe(files.store)}`,
    '    it asks no vendor for collateral until the configuration names vendors, or collateral is filled (docs/service.md)',
    `    next: vouchsafe serve --config ${safe(files.config)}`,
  ]
  process.stdout.write(`${json === true ? jsonText({ ok: true, files }) : text.join('\n')}\n`)
}

async function serveBy(path: string, { json }: Options): Promise<void> {
  try {
    await runService(await readConfig(path), (address) => {
      process.stdout.write(`${json === true ? JSON.stringify({ ok: true, address }) : `listening on ${address}`}\n`)
    })
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    refused(error.faults, json === true)
  }
}
