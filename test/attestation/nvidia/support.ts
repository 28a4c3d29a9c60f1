import { type CollateralSet, NO_COLLATERAL, sortCollateral } from '../../../src/attestation/collateral.ts'
import type { ItemJudgement, KindVerifier } from '../../../src/attestation/kind.ts'
import { nvidiaGpu } from '../../../src/attestation/nvidia-gpu/index.ts'
import { nvidiaSwitch } from '../../../src/attestation/nvidia-switch/index.ts'
import type { Code } from '../../../src/core/codes.ts'
import { Context, createVerificationCache, type VerificationCache } from '../../../src/core/context.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { verdictOf as faultVerdict } from '../../../src/core/outcome.ts'
import { parseRfc3339 } from '../../../src/core/time.ts'
import { PINNED_ANCHORS, type TrustAnchor } from '../../../src/core/trust-anchors.ts'
import {
  type MachineDevice,
  NVIDIA_TEST_TIME,
  type NvidiaMachine,
  type NvidiaMachineSpec,
  nvidiaMachine,
} from '../../../src/testing/nvidia/index.ts'
import { anchorFromCertificate } from '../../support/anchors.ts'

export const NONCE = Uint8Array.from({ length: 32 }, (_, i) => i + 1)

/** One Hopper GPU of a current driver. */
export const ONE_GPU: NvidiaMachineSpec = {
  architecture: 'hopper',
  gpuCount: 1,
  nonce: NONCE,
  driverVersion: '580.159.03',
  vbiosVersion: '96.00.74.00.20',
  featureFlag: 'spt',
}

export const ONE_BLACKWELL: NvidiaMachineSpec = {
  ...ONE_GPU,
  architecture: 'blackwell',
  vbiosVersion: '97.00.88.00.0F',
}

/** A board of two GPUs and two switches: enough for every check of a single device. */
export const SMALL_BOARD: NvidiaMachineSpec = { ...ONE_GPU, gpuCount: 2, switchCount: 2, featureFlag: 'ppcie' }

const machines = new Map<string, NvidiaMachine>()

/** The machine of a specification; the same one for the same specification, since the kit is deterministic. */
export function machineOf(spec: NvidiaMachineSpec = ONE_GPU): NvidiaMachine {
  if (spec.gpu !== undefined || spec.switch !== undefined) return nvidiaMachine('nvidia', spec)
  const key = JSON.stringify(spec)
  const made = machines.get(key) ?? nvidiaMachine('nvidia', spec)
  machines.set(key, made)
  return made
}

export const faultyMachine = (wrong: NvidiaMachineSpec['wrong'], spec: NvidiaMachineSpec = ONE_GPU): NvidiaMachine =>
  machineOf({ ...spec, wrong })

export function contextAt(
  at: string,
  injected: readonly TrustAnchor[],
  cache: VerificationCache = createVerificationCache(),
): Context {
  const now = parseRfc3339(at)
  if (now === undefined) throw new TypeError(`${at} is not RFC 3339`)
  return new Context({ now, anchors: [...PINNED_ANCHORS, ...injected], crypto: nodeCrypto, cache })
}

export const anchorsOf = ({ roots }: Pick<NvidiaMachine, 'roots'>): readonly TrustAnchor[] => [
  anchorFromCertificate(roots.device, 'nvidia/device-root'),
  anchorFromCertificate(roots.rim, 'nvidia/rim-root'),
]

/** Collateral out of files; what cannot be read is left out, as a folder of a caller's would be. */
export async function collateralOf(context: Context, files: readonly Uint8Array[]): Promise<CollateralSet> {
  const named = files.map((bytes, i) => ({ name: `file-${i}`, bytes }))
  return (await sortCollateral(context, named, 'verifier')).collateral
}

export const rimsOf = (machine: NvidiaMachine): readonly Uint8Array[] =>
  [machine.driverRim, machine.vbiosRim, machine.switchRim].flatMap((r) => (r === undefined ? [] : [r.bytes]))

export const ocspOf = (machine: NvidiaMachine): readonly Uint8Array[] => machine.ocspResponses.map((r) => r.der)

export interface Judging {
  readonly at?: string
  /** beside the chain */
  readonly offered?: readonly Uint8Array[]
  readonly endorsements?: readonly Uint8Array[]
  /** by default the machine's manifests and OCSP answers */
  readonly collateral?: readonly Uint8Array[]
  readonly anchors?: readonly TrustAnchor[]
  readonly architectureLabel?: string
  readonly cache?: VerificationCache
}

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text)

async function judge(
  kind: KindVerifier,
  machine: NvidiaMachine,
  device: MachineDevice,
  how: Judging,
): Promise<ItemJudgement> {
  const context = contextAt(how.at ?? NVIDIA_TEST_TIME, how.anchors ?? anchorsOf(machine), how.cache)
  const collateral = await collateralOf(context, how.collateral ?? [...rimsOf(machine), ...ocspOf(machine)])
  const item = {
    id: 'device',
    kind: kind.kind,
    bytes: device.report,
    endorsements: [...(how.endorsements ?? [ascii(device.chainPem)]), ...(how.offered ?? [])],
    ...(how.architectureLabel === undefined ? {} : { architectureLabel: how.architectureLabel }),
  }
  return kind.verify(item, collateral, context)
}

export function last<T>(list: readonly T[]): T {
  const found = list.at(-1)
  if (found === undefined) throw new TypeError('the list is empty')
  return found
}

/** Judges the last GPU of a machine, which is the one that the kit's faults touch. */
export const judgeGpu = (machine: NvidiaMachine, how: Judging = {}): Promise<ItemJudgement> =>
  judge(nvidiaGpu, machine, last(machine.gpus), how)

export const judgeSwitch = (machine: NvidiaMachine, how: Judging = {}): Promise<ItemJudgement> =>
  judge(nvidiaSwitch, machine, last(machine.switches), how)

export const codesOf = (judgement: ItemJudgement): readonly Code[] => judgement.faults.map((f) => f.code)

/** What most tests assert: the codes, and whether the device was proved. */
export const verdictOf = (judgement: ItemJudgement): { codes: readonly Code[]; proved: boolean } => ({
  codes: codesOf(judgement),
  proved: judgement.claims !== undefined,
})

export const ACCEPTED = { codes: [], proved: true }
export const refusedWith = (code: Code): { codes: readonly Code[]; proved: boolean } => ({
  codes: [code],
  proved: false,
})

/** The measurements of a proved device. */
export function measurementsOf(judgement: ItemJudgement) {
  const claims = judgement.claims?.value
  if (claims === undefined || !('measurements' in claims)) throw new TypeError('no NVIDIA claims')
  return claims.measurements
}

export function gpuClaimsOf(judgement: ItemJudgement) {
  const claims = judgement.claims?.value
  if (claims?.kind !== 'nvidia/gpu-report') throw new TypeError('no GPU claims')
  return claims
}

export function switchClaimsOf(judgement: ItemJudgement) {
  const claims = judgement.claims?.value
  if (claims?.kind !== 'nvidia/switch-report') throw new TypeError('no switch claims')
  return claims
}

/**
 * Judges a report once for each of these bits, turned over.
 * @returns the bits whose change was not refused
 */
export async function acceptedFlips(
  kind: KindVerifier,
  machine: NvidiaMachine,
  report: Uint8Array,
  chainPem: string,
  bits: readonly number[],
): Promise<readonly number[]> {
  const [anchors, cache, endorsements] = [anchorsOf(machine), createVerificationCache(), [ascii(chainPem)]]
  const accepted: number[] = []
  for (let from = 0; from < bits.length; from += 256) {
    const batch = bits.slice(from, from + 256).map(async (bit) => {
      const bytes = report.slice()
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const item = { id: 'device', kind: kind.kind, bytes, endorsements }
      const judgement = await kind.verify(item, NO_COLLATERAL, contextAt(NVIDIA_TEST_TIME, anchors, cache))
      const refused = judgement.claims === undefined && judgement.faults.some((f) => faultVerdict(f) === 'reject')
      if (!refused) accepted.push(bit)
    })
    await Promise.all(batch)
  }
  return accepted
}
