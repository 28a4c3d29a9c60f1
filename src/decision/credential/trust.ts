import type { Claims } from '../../attestation/claims.ts'
import { isCpuKind } from '../../attestation/evidence.ts'
import type { Decision, ItemDecision } from '../decision.ts'

/** Categories of AR4SI that a vector may have a claim in (draft-ietf-rats-ar4si §2.3). */
export const CATEGORIES = [
  ...(['instance-identity', 'configuration', 'executables', 'file-system', 'hardware', 'runtime-opaque'] as const),
  ...(['storage-opaque', 'sourced-data'] as const),
] as const
export type Category = (typeof CATEGORIES)[number]

/** Signed bytes; a category that is not there claims nothing. */
export type TrustworthinessVector = { readonly [category in Category]?: number }

/** Best first. */
export const STATUSES = ['none', 'affirming', 'warning', 'contraindicated'] as const
export type EarStatus = (typeof STATUSES)[number]

/** What an EAR says of one evidence item. */
export interface Submodule {
  readonly 'ear.status': EarStatus
  readonly 'ear.trustworthiness-vector': TrustworthinessVector
  readonly 'ear.appraisal-policy-id': string
}

/** Values of AR4SI that are given, by its own words. */
const TRUSTWORTHY_INSTANCE = 2
const GENUINE_HARDWARE = 2
const APPROVED_CONFIG = 2
const UNSAFE_CONFIG = 32
const APPROVED_RUNTIME = 2
const APPROVED_BOOT = 3
const UNRECOGNIZED_RUNTIME = 33

/** -1, 0 and 1 claim nothing; the tiers above and below are symmetric but for their bounds (AR4SI §3.2). */
function tierOf(value: number): EarStatus {
  if (value >= -1 && value <= 1) return 'none'
  if (value >= -32 && value <= 31) return 'affirming'
  return value >= -96 && value <= 95 ? 'warning' : 'contraindicated'
}

/** The worst tier in the vector; `none` where it claims nothing. Never better than any claim in it. */
export function statusOf(vector: TrustworthinessVector): EarStatus {
  const tiers = Object.values(vector).map((value) => STATUSES.indexOf(tierOf(value)))
  return STATUSES[Math.max(0, ...tiers)] ?? 'none'
}

/**
 * The vector of one item of an accepted decision. It affirms what was proved and is silent on everything else: `hardware` from
 * level 1 (chain, revocation, firmware), `instance-identity` where the vendor certifies which device it is, `executables` as
 * far as the ladder got. A measurement that no reference value knows is a warning, not an affirmation (level 2 and below).
 */
export function vectorOf(decision: Pick<Decision, 'level'>, item: ItemDecision): TrustworthinessVector {
  const { claims } = item
  if (claims === undefined || decision.level < 1) return {}
  const configuration = configurationOf(claims)
  return {
    ...(item.hardwareId === undefined ? {} : { 'instance-identity': TRUSTWORTHY_INSTANCE }),
    ...(isGenuine(claims) ? { hardware: GENUINE_HARDWARE } : {}),
    ...(configuration === undefined ? {} : { configuration }),
    ...(isGuest(claims) ? { executables: executablesOf(decision.level) } : {}),
  }
}

/** Firmware of a device is a part of the hardware category; it is proved by the vendor's reference values alone. */
const isGenuine = (claims: Claims): boolean =>
  'measurements' in claims ? claims.measurements.status === 'match' : isCpuKind(claims.kind)

const isGuest = (claims: Claims): boolean => isCpuKind(claims.kind)

/** Undefined where the evidence does not show how the machine is set up. */
function configurationOf(claims: Claims): number | undefined {
  const rated = (isUnsafe: boolean): number => (isUnsafe ? UNSAFE_CONFIG : APPROVED_CONFIG)
  switch (claims.kind) {
    case 'amd/snp-report':
      return rated(claims.policy.debugAllowed || claims.policy.migrationAgentAllowed)
    case 'intel/tdx-quote':
      return rated(claims.tdAttributes.debug || claims.tdAttributes.migratable)
    case 'intel/sgx-quote':
      return rated(claims.debug)
    case 'nvidia/gpu-report':
      return claims.featureFlag === undefined || claims.measurements.status !== 'match' ? undefined : APPROVED_CONFIG
    case 'nvidia/switch-report':
      return claims.locked === true && claims.measurements.status === 'match' ? APPROVED_CONFIG : undefined
  }
}

function executablesOf(level: Decision['level']): number {
  if (level >= 4) return APPROVED_RUNTIME
  return level === 3 ? APPROVED_BOOT : UNRECOGNIZED_RUNTIME
}
