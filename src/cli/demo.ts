import { Command } from 'commander'
import type { Freshness } from '../attestation/evidence-set/binding.ts'
import { createVerificationCache } from '../core/context.ts'
import type { Decision } from '../decision/decision.ts'
import { prepareCollateral, verify } from '../index.ts'
import { freshnessFrom, leaseFrom, policyFrom, timeOfJudgement } from './arguments.ts'
import { demoBidsCommand } from './demo-bids.ts'
import { EXIT } from './exit.ts'
import { explained } from './faults.ts'
import { type FixtureCase, type Fixtures, openFixtures } from './fixtures.ts'
import { readFiles, readTree } from './input.ts'
import { layers, renderDecision } from './render-decision.ts'
import { bold, dim, green, jsonText, red, verdictWord, wrap } from './style.ts'
import { anchorsFrom } from './trust-anchors.ts'

interface Judged {
  readonly about: FixtureCase
  readonly decision: Decision
  readonly asExpected: boolean
}

/** `vouchsafe demo`: the fixtures judged, and compared with what must come out. `demo bids` decides an auction. */
export function demoCommand(): Command {
  return new Command('demo')
    .enablePositionalOptions() // --json behind `bids` is its own
    .addCommand(demoBidsCommand())
    .description('judge the evidence that comes with this package: one machine accepted, four wrong ones refused')
    .option('--json', 'machine-readable')
    .exitOverride()
    .action(async (options: { json?: boolean }) => {
      const fixtures = await openFixtures()
      const judged = await judgeAll(fixtures)
      process.stdout.write(
        `${options.json === true ? jsonText(asJson(fixtures, judged)) : renderDemo(fixtures, judged)}\n`,
      )
      process.exitCode = judged.every((j) => j.asExpected) ? EXIT.ok : EXIT.reject
    })
}

async function judgeAll({ index, path }: Fixtures): Promise<Judged[]> {
  const { now } = timeOfJudgement(index.at)
  const policy = await policyFrom(index.policy)
  const freshness: Freshness = await freshnessFrom({ challenge: path(index.challenge) })
  const injectedAnchors = await anchorsFrom(path(index.trustAnchors))
  const lease = await leaseFrom(path(index.lease))
  const { collateral } = await prepareCollateral(await readTree(path(index.collateral)))
  const cache = createVerificationCache()
  const judged: Judged[] = []
  for (const about of index.cases) {
    const decision = await verify(await readFiles(path(about.evidence)), {
      now,
      policy,
      freshness,
      collateral,
      lease,
      physical: 'unknown',
      referenceValues: [],
      injectedAnchors,
      cache,
    })
    judged.push({ about, decision, asExpected: isExpected(about, decision) })
  }
  return judged
}

const codesOf = (decision: Decision): readonly string[] => [...new Set(decision.findings.map((f) => f.code))]

const isExpected = (about: FixtureCase, decision: Decision): boolean =>
  decision.verdict === about.verdict && codesOf(decision).join() === about.codes.join()

const asJson = ({ index }: Fixtures, judged: readonly Judged[]) => ({
  schema: 'vouchsafe/demo/1',
  madeBy: index.madeBy,
  at: index.at,
  asExpected: judged.every((j) => j.asExpected),
  cases: judged.map(({ about, decision, asExpected }) => ({
    id: about.id,
    title: about.title,
    asExpected,
    expected: { verdict: about.verdict, codes: about.codes },
    decision,
  })),
})

function renderDemo({ index, path }: Fixtures, judged: readonly Judged[]): string {
  const intro = [
    `The evidence below was made by ${index.madeBy}. The test roots are injected for this demonstration, which is why`,
    'every decision says so and opens nothing.',
    `Judged offline at ${index.at} under the preset ${index.policy}.`,
  ]
  const out = [bold('Vouchsafe demonstration'), wrap(intro.join(' '), ''), dim(`fixtures: ${path('')}`)]
  for (const [i, { about, decision, asExpected }] of judged.entries()) {
    out.push('', bold(wrap(`${i + 1}. ${about.title}`, '')), '')
    out.push(decision.verdict === 'accept' ? renderDecision(decision, false) : renderRefusal(decision))
    if (!asExpected) out.push(red(`   not as expected: ${about.verdict} ${about.codes.join(', ')}`))
  }
  return [...out, '', ...summary(judged)].join('\n')
}

/** Verdict, layers, and the findings with their remedies; of several findings of one code, the first speaks for all. */
function renderRefusal(decision: Decision): string {
  const first = decision.findings.filter((f, i, all) => all.findIndex((other) => other.code === f.code) === i)
  const lines = first.map((f) => {
    const times = decision.findings.filter((other) => other.code === f.code).length
    return explained(f) + (times === 1 ? '' : dim(`\n     ${times} findings of this code`))
  })
  return [bold(verdictWord(decision.verdict)), ...layers(decision), '', ...lines].join('\n')
}

function summary(judged: readonly Judged[]): readonly [string, string] {
  const accepted = judged.filter((j) => j.decision.verdict === 'accept').length
  const refused = judged.filter((j) => j.decision.verdict === 'reject').length
  const wrong = judged.filter((j) => !j.asExpected).length
  return [
    `${accepted} accepted, ${refused} refused, each with its own code and remedy. ${dim('`vouchsafe codes` lists every code.')}`,
    wrong === 0 ? green('All as fixtures/expected.json says.') : red(`${wrong} not as fixtures/expected.json says.`),
  ]
}
