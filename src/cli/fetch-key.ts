import { setTimeout as sleep } from 'node:timers/promises'
import { Command } from 'commander'
import { fetchKbs } from '../agent/kbs.ts'
import { fetchNative } from '../agent/native.ts'
import { type Pause, untilDecided } from '../agent/retries.ts'
import { type Sources, sourcesOf } from '../agent/sources.ts'
import type { Outcome } from '../core/outcome.ts'
import { isLeaseId } from '../decision/credential/index.ts'
import { isKeyName } from '../release/key-row.ts'
import { type OutputOptions, outputOf } from './fetch-key/output.ts'
import { type ServiceOptions, serviceAt } from './fetch-key/service.ts'
import { UsageError } from './input.ts'
import { refused } from './keys/render.ts'
import { green, jsonText, safeLines } from './style.ts'

interface Options extends ServiceOptions, OutputOptions {
  readonly broker?: string
  readonly kbs?: string
  readonly tenant?: string
  readonly key?: string
  readonly lease?: string
  readonly attempts: string
  readonly root: string
  readonly json?: boolean
}

/** `vouchsafe fetch-key`: run inside the confidential machine; shows what it is, and gets the key. Nothing secret is ever printed. */
export function fetchKeyCommand(): Command {
  return new Command('fetch-key')
    .description('in the confidential machine: prove what it is, get a key, and put it where the workload reads it')
    .option('--broker <url>', 'the service, by its own interface: a key for the machine of a lease; with --lease')
    .option(
      '--kbs <url>',
      'the service, or any Key Broker Service, by the KBS protocol: for a workload without a lease',
    )
    .option('--tenant <name>', 'whose key')
    .option('--key <id>', 'which key of the tenant; with --kbs TYPE/TAG')
    .option('--lease <id>', 'OWNER/DSEQ/GSEQ/OSEQ/PROVIDER/BSEQ')
    .option('--fd <number>', 'write the key to this open descriptor, and close it')
    .option('--out <file>', 'write the key to this file, mode 0600; best on a tmpfs')
    .option(
      '--weights-key <file>',
      'the same for a key of sealed weights, as cryptotensors and vouchsafe weights read it',
    )
    .option('--ca <file>', 'trust these authorities (PEM) too')
    .option('--plain-http', 'speak plain HTTP to another machine')
    .option('--attempts <n>', 'ask this often in all while something is missing; a refusal is final', '5')
    .option('--root <folder>', 'look for the sources of evidence below this folder', '/')
    .option('--json', 'machine-readable')
    .addHelpText('after', '\nExit codes: 0 the key is there · 1 refused · 2 usage · 3 something is missing')
    .exitOverride()
    .action(async (options: Options) => {
      const fetch = await fetchOf(options)
      const attempts = /^[1-9]\d{0,2}$/.test(options.attempts) ? Number(options.attempts) : undefined
      if (attempts === undefined) throw new UsageError('--attempts takes a whole number from 1 to 999')
      const output = await outputOf(options, (text) => {
        process.stderr.write(`vouchsafe: ${safeLines(text)}\n`)
      })
      const sources = await sourcesOf(options.root)
      const key = await untilDecided({ attempts, sleep, onPause }, () => fetch(sources))
      if (!key.ok) return refused(key.faults, options.json === true)
      const written = await output.write(key.value)
      key.value.fill(0)
      if (!written.ok) return refused(written.faults, options.json === true)
      process.stdout.write(`${options.json === true ? jsonText({ ok: true }) : `${green('ok')}  the key is there`}\n`)
    })
}

/** Waiting looks like hanging to whoever is not told. */
function onPause({ fault: { code }, milliseconds, left }: Pause): void {
  const times = left === 1 ? 'once more' : `${left} times more`
  process.stderr.write(`vouchsafe: ${code}; asking again in ${milliseconds / 1000} s (${times})\n`)
}

/** @throws UsageError where the options do not name one key of one service */
async function fetchOf(options: Options): Promise<(sources: Sources) => Promise<Outcome<Uint8Array>>> {
  const { broker, kbs, tenant, key: keyId, lease } = options
  if ((broker === undefined) === (kbs === undefined))
    throw new UsageError('either --broker or --kbs says which service to ask, and how')
  if (tenant === undefined || !isKeyName(tenant)) throw new UsageError('--tenant NAME says whose key it is')
  if (keyId === undefined || !isKeyName(keyId)) throw new UsageError('--key ID says which key it is')
  if (kbs !== undefined) {
    if (lease !== undefined) throw new UsageError('--lease belongs to --broker; the KBS protocol knows no leases')
    if (!/^[^/]+\/[^/]+$/.test(keyId)) throw new UsageError('with --kbs, --key is TYPE/TAG')
    const service = await serviceAt('--kbs', kbs, options)
    return ({ collectors }) => fetchKbs({ service, resource: `${tenant}/${keyId}`, collectors })
  }
  if (lease === undefined || !isLeaseId(lease)) throw new UsageError('--lease takes OWNER/DSEQ/GSEQ/OSEQ/PROVIDER/BSEQ')
  const service = await serviceAt('--broker', broker ?? '', options)
  return (sources) => fetchNative({ service, tenant, keyId, lease, ...sources })
}
