import { Command } from 'commander'
import { many, vendorFlags } from './collateral/options.ts'
import { exitCodeOf } from './exit.ts'
import { renderDecision } from './render-decision.ts'
import { jsonText } from './style.ts'
import { type Decided, type DecideOptions, decide } from './verify/decide.ts'

interface VerifyOptions extends DecideOptions {
  readonly pack?: string
  readonly json?: boolean
  readonly explain?: boolean
}

/** `vouchsafe verify EVIDENCE`: judge one machine. */
export function verifyCommand(): Command {
  const command = new Command('verify')
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
      'file or folder of certificates, CRLs, OCSP answers, RIMs, Intel documents, packs; repeatable',
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
    .option('--offline', 'never go on line; a cache is read where it is named with --cache')
    .option('--pack <file>', 'write the collateral that gives this decision again into one file')
    .option('--pack-key <file>', 'public key (JWK) with which packs among the collateral must be signed')
    .option('--explain', 'every finding with its remedy, not only the first ones')
    .option('--json', 'print the decision as JSON')
  return vendorFlags(command)
    .addHelpText('after', '\nEvidence whose name begins with a dash goes behind --, as in: vouchsafe verify -- -report')
    .exitOverride()
    .action(async (evidence: string, options: VerifyOptions) => {
      const decided = await decide(evidence, options)
      const { decision } = decided
      if (options.pack !== undefined) await packDecision(decided, options.pack)
      process.stdout.write(
        `${options.json === true ? jsonText(decision) : renderDecision(decision, options.explain === true)}\n`,
      )
      // Scripts look at the exit code: whoever injected a root is told where that is not seen.
      if (decision.verdict === 'accept' && decision.injectedAnchors.length > 0)
        process.stderr.write('vouchsafe: accepted on injected trust anchors, so this decision opens nothing\n')
      process.exitCode = exitCodeOf(decision.verdict)
    })
}

/** Told on stderr, so that standard output is the decision alone. */
async function packDecision({ judged, answers, judgeWith }: Decided, path: string): Promise<void> {
  const [{ answersUsed }, { writePack }] = await Promise.all([
    import('../collateral/pack/used.ts'),
    import('./collateral/write-pack.ts'),
  ])
  const { digest, objects } = await writePack(path, await answersUsed(answers, judged, judgeWith), undefined)
  process.stderr.write(`packed ${objects} objects into ${path}: ${digest}\n`)
}
