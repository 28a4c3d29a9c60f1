import { Command } from 'commander'
import { toRfc3339 } from '../core/time.ts'
import { digestOfPolicy } from '../index.ts'
import { policyFrom, timeOfJudgement } from './arguments.ts'
import { EXIT, exitCodeOf } from './exit.ts'
import { bidRows, leaseRows, worstOf } from './gate/decide.ts'
import { type EvidenceOptions, judgeGiven } from './gate/evidence.ts'
import { decidingGate, withStore } from './gate/known.ts'
import { readMarket } from './gate/objects.ts'
import { judged, type Report, renderReport } from './gate/render.ts'
import { UsageError } from './input.ts'
import { jsonText } from './style.ts'

interface GateOptions extends EvidenceOptions {
  readonly policy?: string
  readonly store?: string
  readonly at?: string
  readonly shadow?: boolean
  readonly json?: boolean
}

const many = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** `vouchsafe gate FILE…`: which bids a gate would admit, and why not the others. Reads, and changes nothing. */
export function gateCommand(): Command {
  return new Command('gate')
    .description('decide bids and leases as a gate would, and look through orders (SDL) before they are broadcast')
    .argument(
      '<file...>',
      'JSON of bids, leases, orders, providers (chain REST, Console or SDK spelling), or SDL; - for standard input',
    )
    .option(
      '--policy <policy>',
      'policy file, or a preset: cpu-confidential, h100-confidential; bids and leases need it',
    )
    .option('--store <file>', "the SQLite store of a gate, for what is known of the providers; it isn't changed")
    .option(
      '--evidence <provider=path>',
      'evidence given by hand for a provider: judged, never a posture; repeatable',
      many,
    )
    .option('--challenge <file>', 'the challenge that evidence given by hand must answer; repeatable', many)
    .option('--collateral <path>', 'collateral for evidence given by hand, as for verify; repeatable', many)
    .option('--lease <file>', 'what the machines of --evidence are said to be, JSON as for verify')
    .option('--trust-anchor <file>', 'inject a root for tests, for evidence given by hand; repeatable', many)
    .option('--at <time>', 'time of the decision, RFC 3339 in UTC')
    .option('--shadow', 'report only: exit 0 whatever the rows say')
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      '\nExit codes: 0 all eligible · 1 at least one refused · 2 usage or unreadable input · 3 none refused, some inconclusive',
    )
    .exitOverride()
    .action(async (files: readonly string[], options: GateOptions) => {
      const report = await decide(files, options)
      process.stdout.write(
        `${options.json === true ? jsonText({ schema: 'vouchsafe/gate/1', ...report }) : renderReport(report)}\n`,
      )
      const verdicts = [...report.bids, ...report.leases, ...report.documents].map((row) => row.verdict)
      process.exitCode = report.enforced ? exitCodeOf(worstOf(verdicts)) : EXIT.ok
    })
}

async function decide(files: readonly string[], options: GateOptions): Promise<Report> {
  const { now, clockFaults } = timeOfJudgement(options.at)
  const market = await readMarket(files)
  const { bids, leases, documents } = market
  const enforced = options.shadow !== true
  const base = { decidedAt: toRfc3339(now), enforced, documents: judged(documents) }
  if (bids.length + leases.length === 0) {
    if (documents.length === 0) throw new UsageError('there is no bid, no lease and no SDL in these files')
    if (Object.keys(options).some((name) => !['at', 'json', 'shadow'].includes(name)))
      throw new UsageError('these files have no bid and no lease; an SDL is looked through without policy and evidence')
    return { ...base, policy: null, bids: [], leases: [], evidence: [] }
  }
  if (options.policy === undefined) throw new UsageError('--policy says what bids and leases are decided by')
  const policy = await policyFrom(options.policy)
  const evidence = await judgeGiven(options, policy, now)
  return withStore(options.store, async (store) => {
    const gate = await decidingGate(store, now, enforced)
    return {
      ...base,
      policy: { name: policy.name, version: policy.version, digest: await digestOfPolicy(policy) },
      bids: bidRows(gate, market, policy, evidence, clockFaults),
      leases: leaseRows(gate, market, policy, clockFaults),
      evidence,
    }
  })
}
