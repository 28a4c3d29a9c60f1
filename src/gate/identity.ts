import { createHash, createHmac, createSecretKey } from 'node:crypto'
import type { Claims } from '../attestation/claims.ts'
import { isCpuKind } from '../attestation/evidence.ts'
import { utf8 } from '../core/bytes.ts'
import { toHex } from '../core/encodings.ts'
import { canonicalJson } from '../core/json.ts'
import type { Decision } from '../decision/decision.ts'

/** Hides hardware ids from whoever reads the store: HMAC-SHA-256 under the gate's salt, apart for each kind. */
export type Salt = (hardwareId: string) => string

const SALT_BYTES = 32

/**
 * @param salt 32 secret bytes; the same for every process of one marketplace, another for every marketplace, so that two of
 * them cannot tell that they know the same chip
 * @returns `nvidia-gpu:` and 43 characters for `nvidia-gpu:…`
 */
export function createSalt(salt: Uint8Array): Salt {
  if (!(salt instanceof Uint8Array) || salt.length !== SALT_BYTES) throw new TypeError('salt is 32 bytes')
  // As a key object: OpenSSL sets a key of bytes up anew for each MAC, at five times the cost.
  const key = createSecretKey(salt)
  return (hardwareId) => {
    const kind = hardwareId.slice(0, hardwareId.indexOf(':'))
    return `${kind}:${createHmac('sha256', key).update(`vouchsafe/hardware/1\0${hardwareId}`).digest('base64url')}`
  }
}

export interface Identified {
  /** salted ids of everything that a vendor certifies, sorted, without repetition */
  readonly hardware: readonly string[]
  /** SHA-256 over the raw ids: what the provider signs for */
  readonly hardwareDigest: string
  /** false where the CPU shows no identity that its vendor certifies */
  readonly hasChip: boolean
  /** what a deny-list entry may name, besides chip and provider */
  readonly subjects: readonly string[]
  /** model of each proved GPU, upper case; empty text where our table has no name for the board */
  readonly gpuModels: readonly string[]
  /** tells this machine from others of the same lease */
  readonly machine: string
}

/** What is passed through to one guest only: a second one cannot have it at the same time. */
export const isExclusive = (salted: string): boolean => salted.startsWith('nvidia-')

/** Only ids that came out of proved evidence count, never what a guest says of its hardware. */
export function identify(decision: Decision, salt: Salt): Identified {
  const raw = [...new Set(decision.items.flatMap((i) => (i.hardwareId === undefined ? [] : [i.hardwareId])))].sort()
  const hardware = raw.map(salt).sort()
  const claims = decision.items.flatMap((i) => (i.claims === undefined ? [] : [i.claims]))
  const gpus = claims.flatMap((c) => (c.kind === 'nvidia/gpu-report' ? [c.model?.toUpperCase() ?? ''] : []))
  return {
    hardware,
    hardwareDigest: hardwareDigest(raw),
    hasChip: decision.items.some((i) => isCpuKind(i.kind) && i.hardwareId !== undefined),
    subjects: [...new Set(claims.flatMap(subjectsOf))].sort(),
    gpuModels: gpus.sort(),
    machine: machineOf(claims, hardware),
  }
}

/** `sha256:` over the canonical JSON of the sorted ids, as they stand in the decision's items. */
export function hardwareDigest(hardwareIds: readonly string[]): string {
  const sorted = [...new Set(hardwareIds)].sort()
  return `sha256:${toHex(createHash('sha256').update(canonicalJson(sorted)).digest())}`
}

/**
 * A guest is named by the REPORT_ID that its chip gave it, else by its CPU alone: two guests of a kind that has no such id
 * look like one. GPUs name nobody, for the same guest can show another one each time and would count as many machines.
 */
function machineOf(claims: readonly Claims[], hardware: readonly string[]): string {
  const reportIds = claims.flatMap((c) => (c.kind === 'amd/snp-report' ? [c.reportId] : [])).sort()
  const named = reportIds.length > 0 ? reportIds : hardware.filter((id) => !isExclusive(id))
  return createHash('sha256').update(canonicalJson(named)).digest('base64url')
}

function subjectsOf(claims: Claims): readonly string[] {
  switch (claims.kind) {
    case 'amd/snp-report': {
      const { fmc, bootloader, tee, snp, microcode } = claims.reportedTcb
      const levels = [...(fmc === undefined ? [] : [fmc]), bootloader, tee, snp, microcode]
      return [
        `product:${claims.product}`,
        `tcb:${claims.product}/${levels.join('.')}`,
        `measurement:${claims.measurement}`,
      ]
    }
    case 'intel/tdx-quote':
      return [...platformSubjects(claims.pck), `measurement:${claims.mrTd}`]
    case 'intel/sgx-quote':
      return [...platformSubjects(claims.pck), `measurement:${claims.mrEnclave}`]
    case 'nvidia/gpu-report':
      return [
        `product:${claims.model ?? claims.hwModel}`,
        `tcb:${claims.model ?? claims.hwModel}/${claims.vbiosVersion}`,
      ]
    case 'nvidia/switch-report':
      return [`product:${claims.architecture}`, `tcb:${claims.architecture}/${claims.biosVersion}`]
    case 'aws/nitro':
      return claims.pcrs.filter((pcr) => pcr.index === 0).map((pcr) => `measurement:${pcr.value}`)
    case 'arm/cca-token':
      return [`product:${claims.implementationId}`, `measurement:${claims.initialMeasurement}`]
    case 'tpm/quote':
      return []
  }
}

const platformSubjects = (pck: { fmspc: string; sgxTcbComponents: readonly number[]; pceSvn: number }): string[] => [
  `product:${pck.fmspc}`,
  `tcb:${pck.fmspc}/${[...pck.sgxTcbComponents, pck.pceSvn].join('.')}`,
]

/**
 * The bytes that a provider's account signs to say that this hardware is its own, for one challenge only.
 * @param asked.hardwareDigest from `hardwareDigest`, over the `hardwareId`s of the decision's items
 */
export const postureStatement = (asked: {
  readonly provider: string
  readonly challengeId: string
  /** base64, as in the challenge record */
  readonly nonce: string
  readonly hardwareDigest: string
}): Uint8Array => utf8(canonicalJson({ statement: 'vouchsafe/posture/1', ...asked }))

/** The bytes by which a provider's account gives hardware up, once, at the one marketplace whose verifier they name. */
export const releaseStatement = (asked: {
  /** as in the challenges of the marketplace */
  readonly verifierKeyId: string
  readonly provider: string
  readonly hardwareDigest: string
  readonly at: number
}): Uint8Array => utf8(canonicalJson({ statement: 'vouchsafe/release/1', ...asked }))
