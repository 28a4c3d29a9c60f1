import { Command } from 'commander'
import { LAST_SECOND, toRfc3339, type UnixSeconds } from '../../core/time.ts'
import { timeOfJudgement } from '../arguments.ts'
import { EXIT } from '../exit.ts'
import { dim, jsonText, padEnd, red, safe, WIDTH, yellow } from '../style.ts'
import { packKeyFrom, readPack } from './files.ts'
import { type Holding, holdingOf, holdingsIn } from './holdings.ts'
import { cacheFlag, cachePath, openCache } from './options.ts'

interface ShowOptions {
  readonly cache?: string
  readonly packKey?: string
  readonly at?: string
  readonly json?: boolean
}

const SOON_SECONDS = 30 * 86_400

type State = 'valid' | 'expires soon' | 'expired' | 'unread'

/** `vouchsafe collateral show [PACK]` */
export function showCommand(): Command {
  return cacheFlag(new Command('show'))
    .description('what a cache or a pack holds, until when it is valid, and what ends within 30 days')
    .argument('[pack]', 'a pack; the cache if not given')
    .option('--pack-key <file>', 'public key (JWK) with which the pack must be signed')
    .option('--at <time>', 'time of judgement, RFC 3339 in UTC')
    .option('--json', 'print JSON')
    .exitOverride()
    .action(async (pack: string | undefined, options: ShowOptions) => {
      const { now } = timeOfJudgement(options.at)
      const shown = pack === undefined ? await ofCache(options) : await ofPack(pack, options, now)
      const rows = shown.holdings.map((holding) => ({ ...holding, state: stateOf(holding, now) }))
      process.stdout.write(
        `${options.json === true ? jsonText(report(shown.from, shown.digest, rows)) : table(shown.from, shown.digest, rows)}\n`,
      )
      process.exitCode = EXIT.ok
    })
}

interface Shown {
  readonly from: string
  readonly digest: string | undefined
  readonly holdings: readonly Holding[]
}

async function ofCache(options: ShowOptions): Promise<Shown> {
  const path = cachePath(options.cache)
  const cache = await openCache(path)
  try {
    return { from: path, digest: undefined, holdings: (await cache.everything()).map(holdingOf) }
  } finally {
    await cache.close()
  }
}

async function ofPack(path: string, options: ShowOptions, now: UnixSeconds): Promise<Shown> {
  const key = options.packKey === undefined ? undefined : await packKeyFrom(options.packKey)
  const { pack, digest } = await readPack(path, key)
  return { from: path, digest, holdings: await holdingsIn(pack, now) }
}

function stateOf({ validUntil }: Holding, now: UnixSeconds): State {
  if (validUntil === undefined) return 'unread'
  if (validUntil <= now) return 'expired'
  return validUntil - now <= SOON_SECONDS ? 'expires soon' : 'valid'
}

type Row = Holding & { readonly state: State }

const untilText = ({ validUntil }: Holding): string =>
  validUntil === undefined ? 'unknown' : validUntil >= LAST_SECOND ? 'no end' : toRfc3339(validUntil)

const report = (from: string, digest: string | undefined, rows: readonly Row[]) => ({
  schema: 'vouchsafe/collateral-holdings/1',
  from,
  ...(digest === undefined ? {} : { digest }),
  objects: rows.map((row) => ({
    object: row.key,
    sizeBytes: row.sizeBytes,
    ...(row.validUntil === undefined || row.validUntil >= LAST_SECOND ? {} : { validUntil: toRfc3339(row.validUntil) }),
    ...(row.fetchedAt === undefined ? {} : { fetchedAt: toRfc3339(row.fetchedAt) }),
    state: row.state,
  })),
})

function table(from: string, digest: string | undefined, rows: readonly Row[]): string {
  const painted: Readonly<Record<State, (text: string) => string>> = {
    valid: (text) => text,
    'expires soon': yellow,
    expired: red,
    unread: dim,
  }
  const lines = rows.map((row) => {
    const beside = `${padEnd(untilText(row), 22)}${padEnd(painted[row.state](row.state), 14)}`
    return `  ${beside}${shortened(safe(row.key), WIDTH - 2 - 36)}`
  })
  const count = (state: State) => rows.filter((row) => row.state === state).length
  return [
    `${from}${digest === undefined ? '' : `, ${digest}`}`,
    dim(`  ${padEnd('valid until', 22)}${padEnd('', 14)}object`),
    ...lines,
    `${rows.length} held, ${count('expires soon')} end within 30 days, ${count('expired')} are past their end`,
  ].join('\n')
}

/** Names of chips and certificates are long, and differ in their middle too: the whole name is in --json. */
function shortened(text: string, width: number): string {
  if (text.length <= width) return text
  const half = Math.floor((width - 1) / 2)
  return `${text.slice(0, half)}…${text.slice(-half)}`
}
