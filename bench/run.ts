import 'reflect-metadata'
import { loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { X509Certificate } from '@peculiar/x509'
import type { SignatureAlgorithm } from '../src/core/crypto/port.ts'
import { decodeCertificate } from '../src/core/x509/certificate.ts'
import { amdMachine, nvidiaMachine } from '../src/testing/index.ts'
import { COLLATERAL_FLOORS, collateralFigures } from './collateral.ts'
import { alone, decisions, described, freshCache, machineWith, type RecordedCheck, recorded } from './decisions.ts'
import { GATE_FLOORS, gateFigures } from './gate.ts'
import { importCost } from './imports.ts'
import { coldQuote, intelAbsent, quoteByDcapQvl, warmQuote } from './intel.ts'
import { LARGE_MODEL_CEILING, largeModelAbsent, largeModelFigures } from './large-model.ts'
import { type Compared, compare, type Plan, type Work } from './measure.ts'
import { type Machine, RELEASE_CEILING, releaseFigures } from './release.ts'
import { CHALLENGES_PER_SECOND, challengesPerSecond } from './stores.ts'
import { WEIGHTS_FLOORS, weightsFigures } from './weights.ts'

interface Case {
  readonly name: string
  /** why the case cannot be measured here; undefined where it can */
  readonly absent?: string | undefined
  /** what is compared with what, once it is known */
  readonly prepare: () => Promise<{ readonly subject: Work; readonly yardstick: Work; readonly against: string }>
  /** least ratio; undefined where the figure is for information */
  readonly floor: number | undefined
}

type Counts = Readonly<Partial<Record<SignatureAlgorithm, number>>>

interface DecisionCase {
  readonly name: string
  readonly floor: number | undefined
  readonly gpuCount: number
  readonly cache: 'warm' | 'cold'
  /** The checks of the yardstick; `its own` are those that this very decision makes, equal ones once. */
  readonly against: Counts | 'its own'
}

const decisionCase = ({ name, floor, gpuCount, cache, against }: DecisionCase): Case => ({
  name,
  floor,
  prepare: async () => {
    const machine = await machineWith({ gpuCount, switchCount: 0 })
    const shared = freshCache()
    const cacheFor = cache === 'warm' ? () => shared : freshCache
    if (cache === 'warm') for (const _ of machine.answers) await decisions(machine, cacheFor)()
    const made = await recorded((port) => decisions(machine, cacheFor, port))
    const checks = against === 'its own' ? made : counted(made, against)
    return { subject: decisions(machine, cacheFor), yardstick: alone(checks), against: `${described(checks)} alone` }
  },
})

/** As many checks of each algorithm as named, out of those that were made. */
const counted = (made: readonly RecordedCheck[], counts: Counts): readonly RecordedCheck[] =>
  Object.entries(counts).flatMap(([algorithm, count]) => {
    const some = made.filter((check) => check.algorithm === algorithm)
    return Array.from({ length: count }, (_, i) => some[i % some.length]).filter((check) => check !== undefined)
  })

const CASES: readonly Case[] = [
  decisionCase({ name: 'warm H100 + SNP', floor: 0.7, gpuCount: 1, cache: 'warm', against: { ES384: 2 } }),
  decisionCase({ name: 'cold H100 + SNP', floor: 0.6, gpuCount: 1, cache: 'cold', against: { ES384: 14, PS384: 2 } }),
  decisionCase({ name: 'cold, equal once', floor: undefined, gpuCount: 1, cache: 'cold', against: 'its own' }),
  decisionCase({ name: 'warm 8 H100 + SNP', floor: 0.7, gpuCount: 8, cache: 'warm', against: { ES384: 9 } }),
  {
    name: 'cold TDX quote',
    absent: intelAbsent(),
    floor: 0.6,
    prepare: async () => quoteCase(coldQuote(), await recorded(coldQuote)),
  },
  {
    name: 'cold TDX, npm',
    absent: intelAbsent(),
    floor: 3,
    prepare: async () => ({ subject: coldQuote(), yardstick: quoteByDcapQvl(), against: '@phala/dcap-qvl 0.3.9' }),
  },
  {
    name: 'warm TDX quote',
    absent: intelAbsent(),
    floor: 0.7,
    prepare: async () => {
      const warm = await warmQuote()
      return quoteCase(warm(), await recorded(warm))
    },
  },
  { name: 'decodeCertificate', floor: undefined, prepare: async () => certificateDecoders() },
]

const quoteCase = (subject: Work, made: readonly RecordedCheck[]) => ({
  subject,
  yardstick: alone(made),
  against: `${described(made)} alone, all that it makes`,
})

function certificateDecoders(): { subject: Work; yardstick: Work; against: string } {
  const amd = amdMachine('vouchsafe bench')
  const gpu = nvidiaMachine('vouchsafe bench', {
    architecture: 'hopper',
    gpuCount: 1,
    nonce: new Uint8Array(32),
    driverVersion: '580.159.03',
    vbiosVersion: '96.00.FE.00.01',
    featureFlag: 'spt',
  })
  const certificates = [amd.vek, amd.intermediate, amd.ark, ...gpu.gpus.flatMap((one) => one.chainDer)]
  return {
    subject: async () => {
      for (const der of certificates) if (!decodeCertificate(der, 'bench').ok) throw new TypeError('not decoded')
    },
    yardstick: async () => {
      for (const der of certificates) {
        const { subject, issuer, notBefore, notAfter, extensions, publicKey, signature } = new X509Certificate(der)
        if (!(subject && issuer && notBefore && notAfter && extensions && publicKey && signature)) throw new TypeError()
      }
    },
    against: `@peculiar/x509, ${certificates.length} certificates`,
  }
}

const percent = (ratio: number): string => `${(100 * ratio).toFixed(0)} %`
const perSecond = (rate: number): string => `${rate >= 100 ? rate.toFixed(0) : rate.toFixed(1)}/s`

function line(name: string, against: string, compared: Compared, floor: number | undefined): string {
  const { subject, yardstick, ratio, spread, processorRatio } = compared
  const range = `${percent(spread[0])} to ${percent(spread[1])}, ${percent(processorRatio)} by processor time`
  const judged = floor === undefined ? '' : `; at least ${percent(floor)}: ${ratio >= floor ? 'held' : 'MISSED'}`
  return `${name.padEnd(18)} ${perSecond(subject)} against ${perSecond(yardstick)} of ${against}: ${percent(ratio)} (${range})${judged}`
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { case: { type: 'string', multiple: true }, rounds: { type: 'string' }, concurrency: { type: 'string' } },
  })
  const plan: Plan = {
    concurrency: Number(values.concurrency ?? 8),
    rounds: Number(values.rounds ?? 15),
    sliceMilliseconds: 300,
  }
  const wanted = (name: string): boolean => values.case === undefined || values.case.some((part) => name.includes(part))
  console.log(
    `Node ${process.version}, ${plan.concurrency} in flight on both sides, ${plan.rounds} rounds of A B; figures are medians\n` +
      'Both sides ask the same port, with keys parsed before for the signatures alone. On a machine that others use as well\n' +
      'the wall clock favours the signatures alone, which keep every thread of the pool waiting for a processor; processor\n' +
      `time is what the ratio tends to without others. Load average ${loadText()} now`,
  )
  for (const { name, absent, floor, prepare } of CASES) {
    if (!wanted(name)) continue
    if (absent !== undefined) {
      console.log(`${name.padEnd(18)} skipped: ${absent}`)
      continue
    }
    const { subject, yardstick, against } = await prepare()
    console.log(line(name, against, await compare(subject, yardstick, plan), floor))
  }
  if (wanted('gate')) await gateLines()
  if (wanted('store challenges')) await storeLine()
  if (wanted('collateral')) await collateralLines()
  if (wanted('weights')) await weightsLines()
  await releaseLines((['SNP + H100', 'SNP'] as const).filter((machine) => wanted(`release ${machine}`)))
  // Minutes, and twice the model on the disk: only where it is asked for.
  if (values.case?.some((part) => part.includes('large'))) largeModelLine()
  console.log(`Load average ${loadText()} at the end`)
  if (wanted('import')) {
    const { empty, library, over } = importCost(plan.rounds)
    const judged = over <= 150 ? 'held' : 'MISSED'
    console.log(
      `${'import'.padEnd(20)} ${library.toFixed(0)} ms against ${empty.toFixed(0)} ms of an empty module: ${over.toFixed(0)} ms over  (at most 150 ms: ${judged})`,
    )
  }
}

const loadText = (): string => loadavg()[0]?.toFixed(1) ?? 'unknown'

async function gateLines(): Promise<void> {
  const { bidsPerSecond, p99Milliseconds, megabytes } = await gateFigures()
  const held = (isHeld: boolean) => (isHeld ? 'held' : 'MISSED')
  const known = '10,000 providers known'
  console.log(
    `${'gate bids'.padEnd(18)} ${perSecond(bidsPerSecond)} on one core, ${known}  (at least ${GATE_FLOORS.bidsPerSecond}/s: ${held(bidsPerSecond >= GATE_FLOORS.bidsPerSecond)})`,
  )
  console.log(
    `${'gate 50 bids'.padEnd(18)} ${p99Milliseconds.toFixed(3)} ms at the 99th percentile  (at most ${GATE_FLOORS.p99Milliseconds} ms: ${held(p99Milliseconds <= GATE_FLOORS.p99Milliseconds)})`,
  )
  console.log(
    `${'gate memory'.padEnd(18)} ${megabytes.toFixed(0)} MiB for 100,000 known GPUs  (at most ${GATE_FLOORS.megabytes} MiB: ${held(megabytes <= GATE_FLOORS.megabytes)})`,
  )
}

async function storeLine(): Promise<void> {
  const rate = await challengesPerSecond()
  const held = rate >= CHALLENGES_PER_SECOND ? 'held' : 'MISSED'
  console.log(
    `${'store challenges'.padEnd(18)} ${perSecond(rate)} issued and consumed in SQLite, each on disk  (at least ${CHALLENGES_PER_SECOND}/s: ${held})`,
  )
}

async function releaseLines(machines: readonly Machine[]): Promise<void> {
  for (const [machine, { release, decision, ratio, clockRatio }] of await releaseFigures(machines)) {
    const judged = ratio <= RELEASE_CEILING ? 'held' : 'MISSED'
    console.log(
      `${`release ${machine}`.padEnd(18)} ${release.toFixed(2)} ms, on disk, against ${decision.toFixed(2)} ms of its decision: ${ratio.toFixed(2)} times by processor time (${clockRatio.toFixed(2)} by the clock); at most ${RELEASE_CEILING} times: ${judged}`,
    )
  }
}

async function collateralLines(): Promise<void> {
  const { packSeconds, packMegabytes, hitShare, hitMicroseconds } = await collateralFigures()
  const held = (isHeld: boolean) => (isHeld ? 'held' : 'MISSED')
  console.log(
    `${'collateral pack'.padEnd(18)} ${packSeconds.toFixed(1)} s for 1,000 machines with eight GPUs, ${packMegabytes.toFixed(0)} MiB  (at most ${COLLATERAL_FLOORS.packSeconds} s: ${held(packSeconds <= COLLATERAL_FLOORS.packSeconds)})`,
  )
  console.log(
    `${'collateral hit'.padEnd(18)} ${hitMicroseconds.toFixed(0)} µs for everything of SNP and H100: ${percent(hitShare)} of the cold judgement  (at most ${percent(COLLATERAL_FLOORS.hitShare)}: ${held(hitShare <= COLLATERAL_FLOORS.hitShare)})`,
  )
}

async function weightsLines(): Promise<void> {
  const { aes, seal, open, sealRatio, openRatio, rewrap, rewrapAlone, rewrapRatio } = await weightsFigures()
  const line = (name: string, rate: number, ratio: number, floor: number): string =>
    `${name.padEnd(18)} ${rate.toFixed(0)} MiB/s on disk against ${aes.toFixed(0)} MiB/s of AES-256-GCM alone: ${percent(ratio)} by processor time; at least ${percent(floor)}: ${ratio >= floor ? 'held' : 'MISSED'}`
  console.log(line('weights seal', seal, sealRatio, WEIGHTS_FLOORS.seal))
  console.log(line('weights open', open, openRatio, WEIGHTS_FLOORS.open))
  const judged = rewrapRatio <= WEIGHTS_FLOORS.rewrap ? 'held' : 'MISSED'
  console.log(
    `${'weights rewrap'.padEnd(18)} ${rewrap.toFixed(1)} ms for 1,000 tensors against ${rewrapAlone.toFixed(1)} ms of their wraps and a signature: ${rewrapRatio.toFixed(2)} times by processor time; at most ${WEIGHTS_FLOORS.rewrap} times: ${judged}`,
  )
}

function largeModelLine(): void {
  const absent = largeModelAbsent()
  if (absent !== undefined) {
    console.log(`${'large model'.padEnd(18)} skipped: ${absent}`)
    return
  }
  const { gibibytes, seal, open, seconds } = largeModelFigures()
  const judged = Math.max(seal, open) <= LARGE_MODEL_CEILING ? 'held' : 'MISSED'
  console.log(
    `${'large model'.padEnd(18)} ${seal.toFixed(0)} MiB to seal and ${open.toFixed(0)} MiB to open ${gibibytes} GiB, ${seconds.toFixed(0)} s together; at most ${LARGE_MODEL_CEILING} MiB: ${judged}`,
  )
}

await main()
