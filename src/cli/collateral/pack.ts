import { Command } from 'commander'
import type { CollateralCache } from '../../collateral/cache/cache.ts'
import { heldOnly } from '../../collateral/cache/fetch.ts'
import { requestKey } from '../../collateral/cache/key.ts'
import { obtainCollateral } from '../../collateral/index.ts'
import type { PackedAnswer } from '../../collateral/pack/pack.ts'
import type { Fault } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { TrustAnchor } from '../../core/trust-anchors.ts'
import { timeOfJudgement } from '../arguments.ts'
import { EXIT } from '../exit.ts'
import { faultText } from '../faults.ts'
import { readFiles, UsageError } from '../input.ts'
import { jsonText } from '../style.ts'
import { anchorsFrom } from '../trust-anchors.ts'
import { cacheFlag, cachePath, many, openCache } from './options.ts'
import { signingKeyFrom } from './signing-key.ts'
import { writePack } from './write-pack.ts'

interface PackOptions {
  readonly out: string
  readonly cache?: string
  readonly key?: string
  readonly trustAnchor?: readonly string[]
  readonly at?: string
  readonly json?: boolean
}

/** `vouchsafe collateral pack [EVIDENCE…] --out FILE` */
export function packCommand(): Command {
  return cacheFlag(new Command('pack'))
    .description('put what the cache holds into one file: for this evidence, or everything')
    .argument('[evidence...]', 'files or folders of evidence')
    .requiredOption('--out <file>', 'the pack to write')
    .option('--key <file>', 'private key (JWK, P-256 or Ed25519, mode 0600) to sign the pack with')
    .option('--trust-anchor <file>', 'inject a root for tests; repeatable', many)
    .option('--at <time>', 'time of judgement, RFC 3339 in UTC')
    .option('--json', 'print JSON')
    .exitOverride()
    .action(async (paths: readonly string[], options: PackOptions) => {
      const key = options.key === undefined ? undefined : await signingKeyFrom(options.key)
      const anchors = (await Promise.all((options.trustAnchor ?? []).map(anchorsFrom))).flat()
      const { now } = timeOfJudgement(options.at)
      const cache = await openCache(cachePath(options.cache))
      try {
        const { answers, faults } =
          paths.length === 0 ? await everything(cache) : await neededFor(paths, cache, anchors, now)
        if (answers.length === 0) throw new UsageError('the cache holds nothing to pack')
        const { digest, objects } = await writePack(options.out, answers, key)
        if (faults.length > 0) process.stderr.write(`not held, and not in the pack:\n${faultText(faults)}\n`)
        process.stdout.write(
          options.json === true
            ? `${jsonText({ pack: options.out, digest, objects, signed: key !== undefined, missing: faults })}\n`
            : `packed ${objects} objects into ${options.out}\n${digest}\n`,
        )
        process.exitCode = faults.length > 0 ? EXIT.inconclusive : EXIT.ok
      } finally {
        await cache.close()
      }
    })
}

interface Gathered {
  readonly answers: readonly PackedAnswer[]
  readonly faults: readonly Fault[]
}

const everything = async (cache: CollateralCache): Promise<Gathered> => ({
  answers: await cache.everything(),
  faults: [],
})

async function neededFor(
  paths: readonly string[],
  cache: CollateralCache,
  injectedAnchors: readonly TrustAnchor[],
  now: UnixSeconds,
): Promise<Gathered> {
  const fetchObject = heldOnly(cache, () => now)
  const answers: PackedAnswer[] = []
  const faults: Fault[] = []
  for (const path of paths) {
    const files = await readFiles(path)
    const evidence = files.length === 1 && files[0] !== undefined ? files[0].bytes : files
    const obtained = await obtainCollateral(evidence, { fetchObject, injectedAnchors })
    for (const { request, files: held } of obtained.objects) {
      const key = requestKey(request)
      // Revisions of a manifest are answers of their own.
      const revisions = request.kind === 'nvidia-rim' ? held.map((file) => [file]) : [held]
      answers.push(...revisions.map((revision) => ({ key, files: revision })))
    }
    faults.push(...obtained.faults.map((f) => f.fault))
  }
  return { answers, faults }
}
