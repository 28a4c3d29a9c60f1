import { createHmac, randomBytes } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { Command } from 'commander'
import type { CollateralCache } from '../collateral/cache/cache.ts'
import { prepareCollateral } from '../index.ts'
import { freshnessFrom, policyFrom, timeOfJudgement } from './arguments.ts'
import { openCache, usersCache, vendorFlags } from './collateral/options.ts'
import { type SupplyOptions, supplyMissing } from './collateral/supply.ts'
import { EXIT } from './exit.ts'
import { faultText } from './faults.ts'
import { readTree, UsageError } from './input.ts'
import { writeWhole } from './output.ts'
import { selftestPage } from './selftest/page.ts'
import { renderSelftest } from './selftest/render.ts'
import { type SelftestSettings, selftest } from './selftest/run.ts'
import { type SourceOptions, sourceFrom } from './selftest/sources.ts'
import { jsonText } from './style.ts'
import { anchorsFrom } from './trust-anchors.ts'

interface Options extends SourceOptions, SupplyOptions {
  readonly policy?: readonly string[]
  readonly gpus?: string
  readonly nonce?: string
  readonly collateral?: readonly string[]
  readonly referenceValues?: readonly string[]
  readonly trustAnchor?: readonly string[]
  readonly at?: string
  readonly json?: boolean
  readonly redact?: boolean
  readonly html?: string
}

const many = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** `vouchsafe selftest`: what tenants would see of this machine, and what to mend. */
export function selftestCommand(): Command {
  const command = new Command('selftest')
    .description('ask this machine, or a sidecar, as a tenant would, and say what to mend first')
    .option('--policy <policy>', 'a policy file or preset that has to accept; repeatable', many)
    .option('--sidecar <url>', 'ask the attestation sidecar of a pod, https://host:8790')
    .option('--sidecar-cert <sha256>', 'SHA-256 of the certificate that the sidecar has')
    .option('--insecure-tls', 'take the sidecar without looking at its certificate')
    .option('--gateway <url>', "ask a running lease through the provider's gateway")
    .option('--lease <lease>', 'OWNER/DSEQ/GSEQ/OSEQ, with --gateway')
    .option('--provider <address>', 'address of the provider, with --gateway')
    .option('--provider-cert <sha256>', 'SHA-256 of the certificate that it has on the chain, with --gateway')
    .option('--token-file <file>', 'token for the gateway, - for standard input, with --gateway')
    .option('--bundle <file>', 'judge saved evidence instead')
    .option('--nonce <nonce>', 'the nonce that saved evidence answers, hex or base64, with --bundle')
    .option('--gpus <count>', 'how many GPUs tenants lease; those that answer, where it is not given')
    .option('--root <folder>', 'look at the file system below this folder', '/')
    .option('--nvml <file>', 'the NVIDIA management library, where it is not in the places of the system')
    .option('--tcti <conf>', 'how the TPM is reached, as tpm2-tss writes it')
    .option('--collateral <path>', 'file or folder of certificates, lists, manifests, documents; repeatable', many)
    .option('--reference-values <path>', 'file or folder of signed reference values; repeatable', many)
    .option('--trust-anchor <file>', 'inject a root for tests; the report says so; repeatable', many)
    .option('--offline', 'never ask a vendor; what --cache has is used')
    .option('--at <time>', 'time of judgement, RFC 3339 in UTC')
    .option('--redact', 'replace what tells machines apart, so that the report can be shared')
    .option('--html <file>', 'write the report as one page too')
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      '\nExit codes: 0 eligible for every policy asked for (without --policy: for a preset) · 1 refused · 2 usage · 3 nothing to judge, or something is missing',
    )
    .exitOverride()
    .action(run)
  return vendorFlags(command)
}

async function run(options: Options): Promise<void> {
  // tpm2-tss would repeat on stderr what the findings say.
  process.env.TSS2_LOG ??= 'all+none'
  if (!(await isFolder(options.root))) throw new UsageError(`--root ${options.root}: no such folder`)
  const settings = await settingsFrom(options)
  const { supply, close } = supplyFor(options, settings)
  const report = await selftest(await sourceFrom(options, settings.clock), { ...settings, supply }).finally(close)
  if (options.html !== undefined) await writeWhole(options.html, selftestPage(report))
  process.stdout.write(`${options.json === true ? jsonText(report) : renderSelftest(report)}\n`)
  // Scripts look at the exit code: whoever injected a root is told where that is not seen.
  if (report.outcome === 'eligible' && report.injectedAnchors.length > 0)
    process.stderr.write('vouchsafe: eligible on injected trust anchors, which no tenant takes\n')
  process.exitCode = { eligible: EXIT.ok, ineligible: EXIT.reject, inconclusive: EXIT.inconclusive }[report.outcome]
}

/** The cache is opened when something is missing, so that a run that needs nothing touches nothing. */
function supplyFor(options: Options, { collateral, injectedAnchors, policies }: Omit<SelftestSettings, 'supply'>) {
  let cache: CollateralCache | undefined
  const supply: SelftestSettings['supply'] = async (evidence, now) => {
    cache ??= options.cache === undefined ? await usersCache() : await openCache(options.cache)
    return supplyMissing(evidence, options, cache, collateral, { now, injectedAnchors }, policies)
  }
  const isCut = options.offline === true && options.cache === undefined
  return { supply: isCut ? null : supply, close: () => cache?.close() }
}

async function settingsFrom(options: Options): Promise<Omit<SelftestSettings, 'supply'>> {
  const { at, gpus, bundle, nonce } = options
  if (gpus !== undefined && !/^\d{1,2}$/.test(gpus)) throw new UsageError('--gpus takes a number')
  if (bundle === undefined && nonce !== undefined)
    throw new UsageError('--nonce belongs to --bundle: otherwise the question is asked here')
  const { clockFaults, now } = timeOfJudgement(at)
  const { collateral, faults } = await prepareCollateral(
    (await Promise.all((options.collateral ?? []).map(readTree))).flat(),
  )
  if (faults.length > 0) process.stderr.write(`collateral left out:\n${faultText(faults)}\n`)
  const references = (await Promise.all((options.referenceValues ?? []).map(readTree))).flat()
  const salt = randomBytes(32)
  return {
    clock: at === undefined ? () => Math.floor(Date.now() / 1000) : () => now,
    clockFaults,
    policies: await Promise.all((options.policy ?? []).map(policyFrom)),
    gpus: gpus === undefined ? undefined : Number(gpus),
    answered: nonce === undefined ? undefined : await freshnessFrom({ nonce }),
    collateral,
    referenceValues: references.map((r) => new TextDecoder().decode(r.bytes).trim()),
    injectedAnchors: (await Promise.all((options.trustAnchor ?? []).map(anchorsFrom))).flat(),
    random: new Uint8Array(randomBytes(32)),
    // Ten digits: nobody can go back, and equal identities stay equal within one report.
    tokenOf:
      options.redact === true
        ? (identity) => `~${createHmac('sha256', salt).update(identity).digest('hex').slice(0, 10)}`
        : undefined,
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
