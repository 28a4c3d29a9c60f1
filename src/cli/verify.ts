import { Command } from 'commander'
import { createVerificationCache } from '../core/context.ts'
import { finding } from '../core/outcome.ts'
import type { Decision } from '../decision/decision.ts'
import { prepareCollateral, verify } from '../index.ts'
import { type FreshnessOptions, freshnessFrom, leaseFrom, policyFrom, timeOfJudgement } from './arguments.ts'
import { exitCodeOf } from './exit.ts'
import { faultText } from './faults.ts'
import { readFiles, readTree } from './input.ts'
import { renderDecision } from './render-decision.ts'
import { jsonText } from './style.ts'
import { anchorsFrom } from './trust-anchors.ts'

interface VerifyOptions {
  readonly policy?: string
  readonly challenge?: string
  readonly nonce?: string
  readonly freshness: string | true
  readonly collateral?: readonly string[]
  readonly referenceValues?: readonly string[]
  readonly lease?: string
  readonly trustAnchor?: readonly string[]
  readonly at?: string
  readonly json?: boolean
  readonly explain?: boolean
}

const many = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** `vouchsafe verify EVIDENCE`: judge one machine. */
export function verifyCommand(): Command {
  return new Command('verify')
    .description('judge the evidence of one machine and explain the decision')
    .argument('<evidence>', 'file, folder, or - for standard input; the carrier is recognised by content')
    .option('--policy <policy>', 'policy file, or a preset: cpu-confidential, h100-confidential')
    .option('--challenge <file>', 'the challenge record that the evidence must answer')
    .option(
      '--nonce <nonce>',
      'the nonce that the evidence must answer, hex or base64 (64 bytes; 32 for GPU evidence alone)',
    )
    .option('--no-freshness <reason>', 'judge without freshness and say why; never an accept')
    .option(
      '--collateral <path>',
      'file or folder of certificates, CRLs, OCSP answers, RIMs, Intel documents; repeatable',
      many,
    )
    .option('--reference-values <path>', 'file or folder of signed reference values; repeatable', many)
    .option('--lease <file>', 'what was leased or ordered, JSON')
    .option(
      '--trust-anchor <file>',
      'inject a root for tests; the decision says so and opens nothing; repeatable',
      many,
    )
    .option('--at <time>', 'time of judgement, RFC 3339 in UTC')
    .option('--offline', 'never go on line (this version never does)')
    .option('--explain', 'every finding with its remedy, not only the first ones')
    .option('--json', 'print the decision as JSON')
    .addHelpText('after', '\nEvidence whose name begins with a dash goes behind --, as in: vouchsafe verify -- -report')
    .exitOverride()
    .action(async (evidence: string, options: VerifyOptions) => {
      const decision = await decide(evidence, options)
      process.stdout.write(
        `${options.json === true ? jsonText(decision) : renderDecision(decision, options.explain === true)}\n`,
      )
      // Scripts look at the exit code: whoever injected a root is told where that is not seen.
      if (decision.verdict === 'accept' && decision.injectedAnchors.length > 0)
        process.stderr.write('vouchsafe: accepted on injected trust anchors, so this decision opens nothing\n')
      process.exitCode = exitCodeOf(decision.verdict)
    })
}

async function decide(evidence: string, options: VerifyOptions): Promise<Decision> {
  const { now, clockFaults } = timeOfJudgement(options.at)
  const freshness: FreshnessOptions = {
    ...(options.challenge === undefined ? {} : { challenge: options.challenge }),
    ...(options.nonce === undefined ? {} : { nonce: options.nonce }),
    ...(typeof options.freshness === 'string' ? { noFreshness: options.freshness } : {}),
  }
  const [files, expected, policy, lease] = await Promise.all([
    readFiles(evidence),
    freshnessFrom(freshness),
    options.policy === undefined ? null : policyFrom(options.policy),
    options.lease === undefined ? null : leaseFrom(options.lease),
  ])
  const injectedAnchors = (await Promise.all((options.trustAnchor ?? []).map(anchorsFrom))).flat()
  const { collateral, faults } = await prepareCollateral(
    (await Promise.all((options.collateral ?? []).map(readTree))).flat(),
  )
  if (faults.length > 0) process.stderr.write(`collateral left out:\n${faultText(faults)}\n`)
  const references = (await Promise.all((options.referenceValues ?? []).map(readTree))).flat()
  const decision = await verify(files.length === 1 && files[0] !== undefined ? files[0].bytes : files, {
    now,
    policy,
    freshness: expected,
    collateral,
    lease,
    physical: 'unknown',
    referenceValues: references.map((r) => new TextDecoder().decode(r.bytes).trim()),
    injectedAnchors,
    cache: createVerificationCache(),
  })
  if (clockFaults.length === 0) return decision
  // A clock that cannot be believed makes every date in the decision doubtful.
  const findings = [...decision.findings, ...clockFaults.map((f) => finding(f, 'set'))]
  return {
    ...decision,
    findings,
    verdict: decision.verdict === 'reject' ? 'reject' : 'inconclusive',
    validUntil: decision.decidedAt,
  }
}
