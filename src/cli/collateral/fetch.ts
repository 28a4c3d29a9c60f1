import { Command } from 'commander'
import { cachedFetch } from '../../collateral/cache/fetch.ts'
import { requestKey } from '../../collateral/cache/key.ts'
import { scopeOf } from '../../collateral/cache/remember.ts'
import { obtainCollateral } from '../../collateral/index.ts'
import type { FetchObject } from '../../collateral/objects.ts'
import { type Fault, verdictOf } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { TrustAnchor } from '../../core/trust-anchors.ts'
import { timeOfJudgement } from '../arguments.ts'
import { EXIT } from '../exit.ts'
import { explained } from '../faults.ts'
import { readFiles } from '../input.ts'
import { green, jsonText, red, safe, yellow } from '../style.ts'
import { anchorsFrom } from '../trust-anchors.ts'
import { cachePath, many, openCache, type VendorOptions, vendorClient, vendorFlags } from './options.ts'

interface FetchOptions extends VendorOptions {
  readonly refresh?: boolean
  readonly trustAnchor?: readonly string[]
  readonly at?: string
  readonly json?: boolean
}

/** What became of one object. */
interface Progress {
  readonly object: string
  readonly faults: readonly Fault[]
}

/** `vouchsafe collateral fetch EVIDENCE…` */
export function fetchCommand(): Command {
  return vendorFlags(new Command('fetch'))
    .description('fetch what judging this evidence takes from the vendors, and keep it')
    .argument('<evidence...>', 'files or folders of evidence, or - for standard input')
    .option('--refresh', 'ask for everything anew, whatever is held')
    .option('--trust-anchor <file>', 'inject a root for tests; repeatable', many)
    .option('--at <time>', 'time of judgement, RFC 3339 in UTC')
    .option('--json', 'print JSON')
    .exitOverride()
    .action(async (paths: readonly string[], options: FetchOptions) => {
      const anchors = (await Promise.all((options.trustAnchor ?? []).map(anchorsFrom))).flat()
      const { now } = timeOfJudgement(options.at)
      const progress = await fetchAll(paths, options, anchors, now)
      const faults = progress.flatMap((p) => p.faults)
      if (options.json === true) process.stdout.write(`${jsonText({ objects: progress })}\n`)
      else {
        const failed = progress.filter((p) => p.faults.length > 0).length
        process.stdout.write(`${progress.length - failed} of ${progress.length} objects held\n`)
      }
      process.exitCode = faults.some((f) => verdictOf(f) === 'reject')
        ? EXIT.reject
        : faults.length > 0
          ? EXIT.inconclusive
          : EXIT.ok
    })
}

async function fetchAll(
  paths: readonly string[],
  options: FetchOptions,
  injectedAnchors: readonly TrustAnchor[],
  now: UnixSeconds,
): Promise<readonly Progress[]> {
  const client = await vendorClient(options, {})
  const cache = await openCache(cachePath(options.cache))
  try {
    const progress = new Map<string, Progress>()
    const tell = (told: Progress): void => {
      if (progress.has(told.object)) return
      progress.set(told.object, told)
      if (options.json !== true) process.stdout.write(`${lineOf(told)}\n`)
    }
    const fetchObject = watched(
      cachedFetch(client, cache, () => now, {
        scope: scopeOf(injectedAnchors),
        useHeld: options.refresh === true ? 'never' : 'while in date',
      }),
      tell,
    )
    for (const path of paths) {
      const files = await readFiles(path)
      if (options.json !== true) process.stdout.write(`${safe(path)}\n`)
      const evidence = files.length === 1 && files[0] !== undefined ? files[0].bytes : files
      const { faults } = await obtainCollateral(evidence, { fetchObject, injectedAnchors })
      for (const { item, fault } of faults)
        if (item !== 'collateral') tell({ object: `${path}: ${item}`, faults: [fault] })
    }
    await cache.prune(now)
    return [...progress.values()]
  } finally {
    await cache.close()
  }
}

/** Tells of every object once it is there, or is known not to come. */
const watched =
  (fetchObject: FetchObject, tell: (progress: Progress) => void): FetchObject =>
  async (request) => {
    const outcome = await fetchObject(request)
    tell({ object: requestKey(request), faults: outcome.ok ? [] : outcome.faults })
    return outcome
  }

function lineOf({ object, faults }: Progress): string {
  if (faults.length === 0) return `  ${green('held')}     ${safe(object)}`
  const word = faults.some((f) => verdictOf(f) === 'reject') ? red('refused') : yellow('missing')
  return [`  ${word}  ${safe(object)}`, ...faults.map((f) => explained(f))].join('\n')
}
