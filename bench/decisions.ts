import { utf8 } from '../src/core/bytes.ts'
import { createVerificationCache, type VerificationCache } from '../src/core/context.ts'
import { nodeCrypto } from '../src/core/crypto/node.ts'
import type { CryptoPort, SignatureAlgorithm } from '../src/core/crypto/port.ts'
import { toBase64 } from '../src/core/encodings.ts'
import { parseRfc3339 } from '../src/core/time.ts'
import { type Policy, parsePolicy, prepareCollateral, type VerifyContext, verify } from '../src/index.ts'
import { akashGpuReport, amdMachine, nvidiaMachine } from '../src/testing/index.ts'
import { anchorFromCertificate } from '../test/support/anchors.ts'
import type { Work } from './measure.ts'

const SEED = 'vouchsafe bench'
const AT = '2026-08-01T00:00:00Z'
const VARIANTS = 8

/** What a known machine answers to several challenges, and all that is needed to judge the answers. */
export interface Machine {
  readonly answers: readonly { readonly evidence: Uint8Array; readonly nonce: Uint8Array }[]
  readonly context: Omit<VerifyContext, 'freshness' | 'cache'>
}

export interface Board {
  readonly gpuCount: number
  readonly switchCount: number
}

/** Of one machine with this many H100: as many answers as there are variants, each signed for a nonce of its own. */
export async function machineWith({ gpuCount, switchCount }: Board): Promise<Machine> {
  const made = Array.from({ length: VARIANTS }, (_, i) => {
    const nonce = new Uint8Array(64).fill(i + 1)
    const cpu = amdMachine(SEED, { at: AT, report: { reportData: nonce } })
    const gpus = nvidiaMachine(SEED, {
      architecture: 'hopper',
      gpuCount,
      switchCount,
      nonce: nonce.subarray(0, 32),
      driverVersion: '580.159.03',
      vbiosVersion: '96.00.FE.00.01',
      featureFlag: gpuCount === 1 ? 'spt' : 'mpt',
      at: AT,
    })
    const quote = {
      tee_platform: 'snp-gpu',
      report: toBase64(cpu.report),
      auxblob: toBase64(cpu.table),
      gpu_reports: gpus.gpus.map((gpu, index) => ({ device_index: index, report: toBase64(akashGpuReport(gpu)) })),
    }
    return { cpu, gpus, answer: { evidence: utf8(JSON.stringify(quote)), nonce } }
  })
  const [first] = made
  const now = parseRfc3339(AT)
  if (first === undefined || now === undefined) throw new TypeError('nothing was made')
  const { cpu, gpus } = first
  const sorted = await prepareCollateral([
    { name: 'driver.xml', bytes: gpus.driverRim.bytes },
    { name: 'vbios.xml', bytes: gpus.vbiosRim.bytes },
  ])
  if (sorted.faults.length > 0) throw new TypeError(JSON.stringify(sorted.faults))
  return {
    answers: made.map(({ answer }) => answer),
    context: {
      now,
      policy: benchPolicy(gpuCount),
      collateral: sorted.collateral,
      lease: null,
      physical: 'unknown',
      referenceValues: [],
      injectedAnchors: [
        anchorFromCertificate(cpu.trustedArk, 'amd/ark'),
        anchorFromCertificate(gpus.roots.device, 'nvidia/device-root'),
        anchorFromCertificate(gpus.roots.rim, 'nvidia/rim-root'),
      ],
    },
  }
}

/** The machine's own checks and nothing beside them: no revocation material, whose signatures the yardstick has not. */
function benchPolicy(gpuCount: number): Policy {
  const parsed = parsePolicy(
    JSON.stringify({
      version: 1,
      name: 'bench',
      require: {
        level: 2,
        cpu: { any: [{ platform: 'amd/snp', products: ['Genoa'], measurements: 'any', revocation: 'none' }] },
        gpu: {
          count: gpuCount,
          models: ['H100'],
          minDriver: '550.90.07',
          rim: 'required',
          revocation: 'none',
          binding: 'shared-nonce',
          devtools: 'not-proved',
        },
        physical: 'any',
      },
      freshness: { maxAgeSeconds: 120 },
      acceptRisks: ['plain-nvlink'],
      onInconclusive: 'deny',
    }),
  )
  if (!parsed.ok) throw new TypeError(JSON.stringify(parsed.faults))
  return parsed.value
}

/** Judges the answers of a machine in turn; every decision must be the one expected. */
export function decisions(machine: Machine, cacheFor: () => VerificationCache, crypto: CryptoPort = nodeCrypto): Work {
  let turn = 0
  return async () => {
    const answer = machine.answers[turn++ % machine.answers.length]
    if (answer === undefined) throw new TypeError('no answers')
    const freshness = { kind: 'nonce', nonce: answer.nonce } as const
    const decision = await verify(answer.evidence, { ...machine.context, freshness, cache: cacheFor(), crypto })
    if (decision.verdict !== 'accept') throw new TypeError(JSON.stringify(decision.findings, null, 2))
  }
}

export const freshCache = (): VerificationCache => createVerificationCache()

export interface RecordedCheck {
  readonly algorithm: SignatureAlgorithm
  readonly spki: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

/** Runs a piece of work on a port that notes every signature it is asked for. */
export async function recorded(work: (port: CryptoPort) => Work): Promise<readonly RecordedCheck[]> {
  const checks: RecordedCheck[] = []
  const port: CryptoPort = {
    ...nodeCrypto,
    verify: (algorithm, spki, message, signature) => {
      checks.push({ algorithm, spki: spki.slice(), message: message.slice(), signature: signature.slice() })
      return nodeCrypto.verify(algorithm, spki, message, signature)
    },
  }
  await work(port)()
  return checks
}

/** The recorded signature checks and nothing else, side by side, through the same port and with keys parsed before. */
export function alone(checks: readonly RecordedCheck[]): Work {
  return async () => {
    const answers = await Promise.all(checks.map((c) => nodeCrypto.verify(c.algorithm, c.spki, c.message, c.signature)))
    if (!answers.every((valid) => valid)) throw new TypeError('a recorded signature is not valid')
  }
}

/** e.g. `14 ES384 + 2 PS384` */
export function described(checks: readonly RecordedCheck[]): string {
  const algorithms = [...new Set(checks.map((c) => c.algorithm))].sort()
  return algorithms.map((a) => `${checks.filter((c) => c.algorithm === a).length} ${a}`).join(' + ')
}
