import { Command } from 'commander'
import { toRfc3339 } from '../core/time.ts'
import type { PostureRow } from '../gate/store.ts'
import { digestOfPolicy } from '../index.ts'
import { memoryStore } from '../stores/memory.ts'
import { policyFrom, timeOfJudgement } from './arguments.ts'
import { EXIT } from './exit.ts'
import { type FixtureBids, type Fixtures, openFixtures } from './fixtures.ts'
import { bidRows, leaseRows } from './gate/decide.ts'
import { decidingGate } from './gate/known.ts'
import { readMarket } from './gate/objects.ts'
import { judged, type Report, renderReport } from './gate/render.ts'
import { readText, readTree, UsageError } from './input.ts'
import { bold, dim, green, jsonText, red, wrap } from './style.ts'

type Rows = FixtureBids['rows']

interface DemoBidsOptions {
  readonly policy?: string
  readonly json?: boolean
}

/** `vouchsafe demo bids`: the auction that comes with this package, or bids of one's own, by what its fixtures know. */
export function demoBidsCommand(): Command {
  return new Command('bids')
    .description('decide the bids that come with this package: one provider eligible, and why the others are not')
    .argument('[file...]', 'bids, leases, orders, providers as for gate, instead of those of the package')
    .option('--policy <policy>', "policy file or preset; the fixtures' own if not given")
    .option('--json', 'machine-readable')
    .exitOverride()
    .action(async (files: readonly string[], options: DemoBidsOptions) => {
      const fixtures = await openFixtures()
      const { report, isKnown } = await decide(fixtures, files, options.policy)
      const { rows } = fixtures.index.bids
      const isComparable = isKnown && report.bids.some(({ bid }) => rows.some((row) => row.bid === bid))
      const unexpected = isComparable ? unexpectedOf(report, rows) : null
      const asExpected = unexpected === null ? null : unexpected.length === 0
      const text =
        options.json === true
          ? jsonText({ schema: 'vouchsafe/demo-bids/1', madeBy: fixtures.index.madeBy, asExpected, ...report })
          : render(fixtures, report, isKnown, unexpected)
      process.stdout.write(`${text}\n`)
      process.exitCode = asExpected === false ? EXIT.reject : EXIT.ok
    })
}

/** @returns what was decided, and whether the fixtures know anything under this policy */
async function decide(
  { index, path }: Fixtures,
  given: readonly string[],
  source = index.policy,
): Promise<{ readonly report: Report; readonly isKnown: boolean }> {
  const { now } = timeOfJudgement(index.at)
  const policy = await policyFrom(source)
  const market = await readMarket(
    given.length > 0 ? given : (await readTree(path(index.bids.folder))).map(({ name }) => name),
  )
  if (market.bids.length + market.leases.length + market.documents.length === 0)
    throw new UsageError('there is no bid, no lease and no SDL in these files')
  const store = memoryStore()
  const { postures } = JSON.parse(await readText(path(index.bids.known))) as { readonly postures: PostureRow[] }
  await store.commit({ postures })
  const gate = await decidingGate(store, now, true)
  const digest = await digestOfPolicy(policy)
  const report: Report = {
    decidedAt: toRfc3339(now),
    policy: { name: policy.name, version: policy.version, digest },
    enforced: true,
    bids: bidRows(gate, market, policy, [], []),
    leases: leaseRows(gate, market, policy, []),
    documents: judged(market.documents),
    evidence: [],
  }
  return { report, isKnown: postures.some((p) => p.policyDigest === digest) }
}

/** Bids of the fixtures that came out otherwise than they must; both presets decide them alike. */
const unexpectedOf = ({ bids }: Report, rows: Rows): Rows =>
  rows.filter((expected) =>
    bids.some(
      ({ bid, verdict, findings }) =>
        bid === expected.bid &&
        (verdict !== expected.verdict || findings.map((f) => f.code).join() !== expected.codes.join()),
    ),
  )

function render({ index }: Fixtures, report: Report, isKnown: boolean, unexpected: Rows | null): string {
  const intro = [
    `The bids and what is known of their providers were made by ${index.madeBy}. What is known was recorded by a gate that`,
    "takes the test roots for the vendors', which no real gate does. Decided offline, as of the fixtures' own time.",
  ]
  const titles = report.bids.flatMap(({ bid }, i) => {
    const title = index.bids.rows.find((row) => row.bid === bid)?.title
    return title === undefined ? [] : [wrap(title, `${i + 1}  `, undefined, '   ')]
  })
  const gate = dim('`vouchsafe gate FILE… --policy P --store FILE.db` decides by what your own gate knows.')
  return [
    `${bold('Vouchsafe demonstration: an auction')}\n${wrap(intro.join(' '), '')}`,
    ...(titles.length === 0 ? [] : [titles.join('\n')]),
    renderReport(report),
    `${gate}\n${comparison(isKnown, unexpected)}`,
  ].join('\n\n')
}

function comparison(isKnown: boolean, unexpected: Rows | null): string {
  if (!isKnown)
    return wrap(
      'Nothing in the fixtures was judged by this policy, and no decision moves to another: a gate would ask.',
      '',
    )
  if (unexpected === null) return 'None of these bids is of the fixtures.'
  return unexpected.length === 0
    ? green('All as fixtures/expected.json says.')
    : red(`${unexpected.length} not as fixtures/expected.json says.`)
}
