import { Command } from 'commander'
import type { CollateralCache } from '../../collateral/cache/cache.ts'
import { recognise, recognisePack } from '../../collateral/files/recognise.ts'
import { looksLikePack } from '../../collateral/pack/pack.ts'
import { type Fault, verdictOf } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { PublicJwk } from '../../decision/credential/jws.ts'
import { timeOfJudgement } from '../arguments.ts'
import { EXIT } from '../exit.ts'
import { faultsForPeople } from '../faults.ts'
import { readBytes, readTree, UsageError } from '../input.ts'
import { jsonText, safe } from '../style.ts'
import { packKeyFrom, readPack } from './files.ts'
import { cachedFrom, keyed } from './holdings.ts'
import { cacheFlag, cachePath, openCache } from './options.ts'

interface ImportOptions {
  readonly cache?: string
  readonly packKey?: string
  readonly at?: string
  readonly json?: boolean
}

/** `vouchsafe collateral import PATH…` */
export function importCommand(): Command {
  return cacheFlag(new Command('import'))
    .description('take files of other tools, or packs, into the cache; recognised by content')
    .argument(
      '<path...>',
      'files and folders: stores of trustee, snpguest and go-sev-guest, answers of Intel’s and NVIDIA’s services, packs',
    )
    .option('--pack-key <file>', 'public key (JWK) with which packs must be signed')
    .option('--at <time>', 'time of judgement, RFC 3339 in UTC')
    .option('--json', 'print JSON')
    .exitOverride()
    .action(async (paths: readonly string[], options: ImportOptions) => {
      const key = options.packKey === undefined ? undefined : await packKeyFrom(options.packKey)
      const { now } = timeOfJudgement(options.at)
      const cache = await openCache(cachePath(options.cache))
      try {
        const { kept, faults } = await importAll(paths, key, cache, now)
        if (faults.length > 0) process.stderr.write(`left out:\n${faultsForPeople(faults)}\n`)
        const names = [...new Set(kept)].sort()
        process.stdout.write(
          options.json === true
            ? `${jsonText({ objects: names, leftOut: faults })}\n`
            : `${names.map((name) => `  held     ${safe(name)}\n`).join('')}${names.length} objects taken in\n`,
        )
        process.exitCode =
          names.length > 0 ? EXIT.ok : faults.some((f) => verdictOf(f) === 'reject') ? EXIT.reject : EXIT.inconclusive
      } finally {
        await cache.close()
      }
    })
}

async function importAll(
  paths: readonly string[],
  key: PublicJwk | undefined,
  cache: CollateralCache,
  now: UnixSeconds,
): Promise<{ readonly kept: readonly string[]; readonly faults: readonly Fault[] }> {
  const faults: Fault[] = []
  const kept: string[] = []
  for (const path of paths) {
    const found = await answersAt(path, key)
    faults.push(...found.faults)
    // All at once, so that they share writes.
    await Promise.all(
      keyed(found.answers).map(async (packed) => {
        const { answer, faults: refusals } = await cachedFrom(packed, now, cache)
        if (refusals.length > 0) return void faults.push(...refusals)
        await cache.keep(answer)
        kept.push(answer.key)
      }),
    )
  }
  return { kept, faults }
}

/** A pack may be larger than what a folder of files may have. */
async function answersAt(path: string, key: PublicJwk | undefined) {
  const isPack = path !== '-' && (await isFilePack(path))
  if (isPack) return recognisePack((await readPack(path, key)).pack)
  const files = await readTree(path)
  if (key !== undefined && files.some((file) => looksLikePack(file.bytes)))
    throw new UsageError(`${path}: with --pack-key a pack is named by itself`)
  return recognise(files)
}

async function isFilePack(path: string): Promise<boolean> {
  try {
    return looksLikePack(await readBytes(path, 64))
  } catch (error) {
    if (error instanceof UsageError) return false // a folder, or a file that reading tells about
    throw error
  }
}
