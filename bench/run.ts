import 'reflect-metadata'
import { parseArgs } from 'node:util'
import { X509Certificate } from '@peculiar/x509'
import { decodeCertificate } from '../src/core/x509/certificate.ts'
import { amdMachine, nvidiaMachine } from '../src/testing/index.ts'
import { alone, decisions, described, freshCache, machineWith, recorded } from './decisions.ts'
import { importCost } from './imports.ts'
import { type Compared, compare, type Plan, type Work } from './measure.ts'

interface Case {
  readonly name: string
  /** what is compared with what, once it is known */
  readonly prepare: () => Promise<{ readonly subject: Work; readonly yardstick: Work; readonly against: string }>
  /** least ratio; undefined where the figure is for information */
  readonly floor: number | undefined
}

/** A decision against the signature checks that this very decision makes, alone. */
const decisionCase = (name: string, floor: number, gpuCount: number, cached: boolean, expected: string): Case => ({
  name,
  floor,
  prepare: async () => {
    const machine = await machineWith(gpuCount)
    const shared = freshCache()
    const cacheFor = cached ? () => shared : freshCache
    if (cached) for (const _ of machine.answers) await decisions(machine, cacheFor)()
    const checks = await recorded((port) => decisions(machine, cacheFor, port))
    if (described(checks) !== expected) console.log(`note: ${name} makes ${described(checks)}, not ${expected}`)
    return { subject: decisions(machine, cacheFor), yardstick: alone(checks), against: `${described(checks)} alone` }
  },
})

const CASES: readonly Case[] = [
  decisionCase('warm H100 + SNP', 0.7, 1, true, '2 ES384'),
  decisionCase('cold H100 + SNP', 0.6, 1, false, '14 ES384 + 2 PS384'),
  decisionCase('warm 8 H100 + SNP', 0.7, 8, true, '9 ES384'),
  { name: 'decodeCertificate', floor: undefined, prepare: async () => certificateDecoders() },
]

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

function line(
  name: string,
  against: string,
  { subject, yardstick, ratio, spread }: Compared,
  floor: number | undefined,
): string {
  const judged =
    floor === undefined
      ? ''
      : ratio >= floor
        ? `  (at least ${percent(floor)}: held)`
        : `  (at least ${percent(floor)}: MISSED)`
  const range = `${percent(spread[0])} to ${percent(spread[1])}`
  return `${name.padEnd(20)} ${perSecond(subject).padStart(9)}  against ${perSecond(yardstick).padStart(9)} of ${against.padEnd(34)} ${percent(ratio).padStart(6)}, rounds ${range}${judged}`
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
    `Node ${process.version}, ${plan.concurrency} in flight on both sides, ${plan.rounds} rounds of A B; figures are medians`,
  )
  for (const { name, floor, prepare } of CASES) {
    if (!wanted(name)) continue
    const { subject, yardstick, against } = await prepare()
    console.log(line(name, against, await compare(subject, yardstick, plan), floor))
  }
  if (wanted('import')) {
    const { empty, library, over } = importCost(plan.rounds)
    const judged = over <= 150 ? 'held' : 'MISSED'
    console.log(
      `${'import'.padEnd(20)} ${library.toFixed(0)} ms against ${empty.toFixed(0)} ms of an empty module: ${over.toFixed(0)} ms over  (at most 150 ms: ${judged})`,
    )
  }
}

await main()
