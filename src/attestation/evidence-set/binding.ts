import { concatBytes, equalBytes, isZero, utf8 } from '../../core/bytes.ts'
import type { Code } from '../../core/codes.ts'
import type { Context } from '../../core/context.ts'
import { fromHex, toHex } from '../../core/encodings.ts'
import { type Fault, type FaultDetail, fault, take } from '../../core/outcome.ts'
import { type Challenge, type ChallengeScope, checkChallenge } from '../challenge.ts'
import { type Claims, type CpuClaims, type DeviceClaims, isCpuClaims, isDeviceClaims } from '../claims.ts'
import type { BindingForm, EvidenceSet } from '../evidence.ts'

/** What the evidence is expected to answer. The expected value comes from here and from nowhere else. */
export type Freshness =
  | { readonly kind: 'challenge'; readonly challenge: Challenge }
  | { readonly kind: 'nonce'; readonly nonce: Uint8Array }
  /** nobody asked anything: refused under any policy */
  | { readonly kind: 'notGiven' }
  /** deliberately not checked: listed, and never an accept */
  | { readonly kind: 'notChecked'; readonly because: string }

export interface ItemFault {
  /** id of the item, or `set` */
  readonly item: string
  readonly fault: Fault
}

export interface BindingJudgement {
  readonly faults: readonly ItemFault[]
  /** every proved item answers the expected nonce */
  readonly fresh: boolean
  /** REPORT_DATA covers the workload's key under our label */
  readonly keyBound: boolean
  /** REPORT_DATA covers the list of GPU reports */
  readonly composite: boolean
}

/** What the proved items say, in the order of the set. */
export interface ProvedItem {
  readonly id: string
  readonly claims: Claims
  /** SHA-256 of the item's bytes, for the composite form */
  readonly digest: () => Promise<Uint8Array>
}

const KEY_DOMAIN = 'vouchsafe/1 key'
const COMPOSITE_DOMAIN = 'vouchsafe/1 composite'
const GPU_DOMAIN = 'vouchsafe/1 gpu'

/** The label that a bundle's key must have been hashed under. */
export const BINDING_DOMAIN = 'vouchsafe/1'

const hashed = async (
  digest: Context['digest'],
  hash: 'sha256' | 'sha512',
  domain: string,
  ...parts: readonly Uint8Array[]
) => digest(hash, concatBytes(utf8(`${domain}\0`), ...parts))

const keyDigest = (digest: Context['digest'], spki: Uint8Array | undefined): Promise<Uint8Array> =>
  digest('sha256', spki ?? new Uint8Array())

/** REPORT_DATA that covers nonce and key: SHA-512("vouchsafe/1 key\0" ‖ nonce[64] ‖ SHA-256(SPKI)). */
export async function keyReportData(
  digest: Context['digest'],
  nonce: Uint8Array,
  spki: Uint8Array,
): Promise<Uint8Array> {
  return hashed(digest, 'sha512', KEY_DOMAIN, nonce, await keyDigest(digest, spki))
}

/**
 * REPORT_DATA that covers nonce, key and GPU reports: SHA-512("vouchsafe/1 composite\0" ‖ nonce[64] ‖ SHA-256(SPKI, or
 * nothing) ‖ SHA-256(SHA-256(report of gpu-0) ‖ …)).
 */
export async function compositeReportData(
  digest: Context['digest'],
  nonce: Uint8Array,
  spki: Uint8Array | undefined,
  gpuReportDigests: readonly Uint8Array[],
): Promise<Uint8Array> {
  const list = await digest('sha256', concatBytes(...gpuReportDigests))
  return hashed(digest, 'sha512', COMPOSITE_DOMAIN, nonce, await keyDigest(digest, spki), list)
}

/** GPU nonce of the derived and composite forms: SHA-256("vouchsafe/1 gpu\0" ‖ nonce[64] ‖ SHA-256(SPKI, or nothing)). */
export async function derivedGpuNonce(
  digest: Context['digest'],
  nonce: Uint8Array,
  spki: Uint8Array | undefined,
): Promise<Uint8Array> {
  return hashed(digest, 'sha256', GPU_DOMAIN, nonce, await keyDigest(digest, spki))
}

const isCpu = (p: ProvedItem): p is ProvedItem & { claims: CpuClaims } => isCpuClaims(p.claims)
const isNvidia = (p: ProvedItem): p is ProvedItem & { claims: DeviceClaims } => isDeviceClaims(p.claims)

/**
 * Where a kind carries the verifier's challenge as it was asked, under no form of ours: the answer in hex, and its name in
 * the evidence. undefined for kinds whose answer has a form of its own.
 */
function plainAnswer(claims: Claims): { readonly name: string; readonly value: string | undefined } | undefined {
  if (claims.kind === 'aws/nitro') return { name: 'nonce', value: claims.nonce }
  return claims.kind === 'arm/cca-token' ? { name: 'challenge', value: claims.challenge } : undefined
}

/**
 * Judges whether the proved items answer the expected nonce and belong to one another.
 * Faults: BIND_EXPECTED_EMPTY · BIND_LENGTH_MISMATCH · BIND_NONCE_MISMATCH · BIND_CHALLENGE_* · POLICY_DIGEST_CHANGED ·
 * BIND_KEY_MISMATCH · BIND_DOMAIN_MISMATCH · BIND_TLS_CLAIM_FALSE · BIND_TLS_KEY_MISSING · BIND_SET_NOT_UNIFORM ·
 * BIND_COMPOSITE_MISSING · BIND_COMPOSITE_MISMATCH · GPU_NONCE_MISMATCH · GPU_NONCE_NOT_DERIVED
 * @param required the weakest form that the policy takes
 */
export async function judgeBinding(
  context: Context,
  set: EvidenceSet,
  proved: readonly ProvedItem[],
  freshness: Freshness,
  required: BindingForm,
  scope: ChallengeScope,
  maxAgeSeconds: number,
): Promise<BindingJudgement> {
  const judge = new Judge(set, proved)
  if (freshness.kind === 'notGiven' || freshness.kind === 'notChecked') {
    judge.uniformity()
    return judge.result(false)
  }
  if (freshness.kind === 'challenge') {
    const checked = await checkChallenge(context, freshness.challenge, scope, maxAgeSeconds)
    if (!checked.ok) {
      for (const f of checked.faults) judge.faults.push({ item: 'set', fault: f })
      return judge.result(false)
    }
  }
  const nonce = freshness.kind === 'challenge' ? freshness.challenge.nonce : freshness.nonce
  const teeKey = freshness.kind === 'challenge' ? freshness.challenge.teeKey : undefined
  if (!judge.length(nonce)) return judge.result(false)
  const digest: Context['digest'] = (h, b) => context.digest(h, b)
  await judge.cpu(digest, nonce, teeKey, required)
  await judge.gpus(digest, nonce, required)
  judge.plain(proved, nonce)
  return judge.result(proved.length > 0)
}

class Judge {
  readonly faults: ItemFault[] = []
  readonly #set: EvidenceSet
  readonly #cpu: (ProvedItem & { claims: CpuClaims }) | undefined
  readonly #nvidia: readonly (ProvedItem & { claims: DeviceClaims })[]
  #keyBound = false
  #composite = false

  constructor(set: EvidenceSet, proved: readonly ProvedItem[]) {
    this.#set = set
    this.#cpu = proved.find(isCpu)
    this.#nvidia = proved.filter(isNvidia)
  }

  result(checked: boolean): BindingJudgement {
    const sound = this.faults.length === 0
    return {
      faults: this.faults,
      fresh: checked && sound,
      keyBound: sound && this.#keyBound,
      composite: sound && this.#composite,
    }
  }

  #add(item: string, code: Code, path: string, detail: FaultDetail = {}): void {
    this.faults.push({ item, fault: fault(code, `${item}.${path}`, detail) })
  }

  get #reportData(): Uint8Array | undefined {
    return this.#cpu === undefined ? undefined : take(fromHex(this.#cpu.claims.reportData, 64, 'reportData'))
  }

  /** Nobody said what to expect; what the items say to one another must still agree. */
  uniformity(): void {
    const reportData = this.#reportData
    const first = this.#nvidia[0]
    const shared =
      reportData !== undefined && this.#set.binding === 'raw' ? toHex(reportData.subarray(0, 32)) : first?.claims.nonce
    for (const device of this.#nvidia) {
      if (device.claims.nonce !== shared) {
        this.#add(device.id, 'BIND_SET_NOT_UNIFORM', 'nonce', { expected: shared ?? '', actual: device.claims.nonce })
      }
    }
  }

  length(nonce: Uint8Array): boolean {
    if (nonce.length === 0)
      this.#add('set', 'BIND_EXPECTED_EMPTY', 'nonce', { expected: '64 bytes', actual: '0 bytes' })
    else if (nonce.length !== 64 && (this.#cpu !== undefined || nonce.length !== 32)) {
      this.#add('set', 'BIND_LENGTH_MISMATCH', 'nonce', { expected: '64 bytes', actual: `${nonce.length} bytes` })
    } else return true
    return false
  }

  async cpu(
    digest: Context['digest'],
    nonce: Uint8Array,
    teeKey: Uint8Array | undefined,
    required: BindingForm,
  ): Promise<void> {
    const cpu = this.#cpu
    const actual = this.#reportData
    if (cpu === undefined || actual === undefined) return
    const mismatch = (code: Code, expected: Uint8Array) =>
      this.#add(cpu.id, code, 'reportData', { expected: toHex(expected), actual: toHex(actual) })
    const { key, tlsBound, tlsSpki, binding } = this.#set
    if (key !== undefined && key.domain !== BINDING_DOMAIN) {
      return this.#add('set', 'BIND_DOMAIN_MISMATCH', 'key.domain', { expected: BINDING_DOMAIN, actual: key.domain })
    }
    if (teeKey !== undefined && (key === undefined || !equalBytes(key.spki, teeKey))) {
      return this.#add('set', 'BIND_KEY_MISMATCH', 'key.spki', {
        expected: 'the key that the challenge names',
        actual: key === undefined ? 'no key' : 'another key',
      })
    }
    if (required === 'composite' && binding !== 'composite')
      return mismatch('BIND_COMPOSITE_MISSING', await this.#compositeData(digest, nonce))
    const withKey = key === undefined ? nonce : await keyReportData(digest, nonce, key.spki)
    if (binding === 'composite') {
      const expected = await this.#compositeData(digest, nonce)
      if (equalBytes(actual, expected)) {
        this.#composite = true
        this.#keyBound = key !== undefined
      } else {
        const partial = equalBytes(actual, nonce) || equalBytes(actual, withKey)
        mismatch(partial ? 'BIND_COMPOSITE_MISSING' : 'BIND_COMPOSITE_MISMATCH', expected)
      }
    } else if (key !== undefined) {
      if (equalBytes(actual, withKey)) this.#keyBound = true
      else mismatch('BIND_KEY_MISMATCH', withKey)
    } else if (tlsBound === true) {
      if (equalBytes(actual, nonce)) return mismatch('BIND_TLS_CLAIM_FALSE', nonce)
      if (tlsSpki === undefined) return this.#add(cpu.id, 'BIND_TLS_KEY_MISSING', 'reportData')
      // AEP-83: SHA-512(SPKI ‖ nonce). It proves freshness; it earns nothing more, because the host can ask for it too.
      const bound = await digest('sha512', concatBytes(tlsSpki, nonce))
      if (!equalBytes(actual, bound)) mismatch('BIND_NONCE_MISMATCH', bound)
    } else if (!equalBytes(actual, nonce)) {
      const cut = equalBytes(actual.subarray(0, 32), nonce.subarray(0, 32)) && isZero(actual.subarray(32))
      mismatch(cut ? 'BIND_LENGTH_MISMATCH' : 'BIND_NONCE_MISMATCH', nonce)
    }
  }

  /** The whole of the answer is the whole of the nonce: neither a prefix nor the same value in another field will do. */
  plain(proved: readonly ProvedItem[], nonce: Uint8Array): void {
    for (const { id, claims } of proved) {
      const answer = plainAnswer(claims)
      if (answer === undefined || answer.value === toHex(nonce)) continue
      const { name, value = 'none' } = answer
      this.#add(id, 'BIND_NONCE_MISMATCH', name, { expected: toHex(nonce), actual: value })
    }
  }

  async #compositeData(digest: Context['digest'], nonce: Uint8Array): Promise<Uint8Array> {
    const gpus = this.#nvidia.filter((d) => d.claims.kind === 'nvidia/gpu-report').map((d) => d.digest())
    return compositeReportData(digest, nonce, this.#set.key?.spki, await Promise.all(gpus))
  }

  async gpus(digest: Context['digest'], nonce: Uint8Array, required: BindingForm): Promise<void> {
    if (this.#nvidia.length === 0) return
    const reportData = this.#reportData
    const prefix = nonce.subarray(0, 32)
    const raw = this.#set.binding === 'raw'
    // AEP-83 hands the GPU the first half of REPORT_DATA, not of the nonce (they differ when TLS-bound).
    const expected = toHex(
      raw ? (reportData ?? nonce).subarray(0, 32) : await derivedGpuNonce(digest, nonce, this.#set.key?.spki),
    )
    const cpuIsFresh = this.#cpu !== undefined && this.faults.length === 0
    for (const device of this.#nvidia) {
      const actual = device.claims.nonce
      const detail = { expected, actual }
      if (required !== 'raw' && raw) {
        if (this.#cpu === undefined || required === 'derived')
          this.#add(device.id, 'GPU_NONCE_NOT_DERIVED', 'nonce', detail)
      } else if (actual !== expected) {
        const underived = !raw && actual === toHex(prefix)
        const code = underived ? 'GPU_NONCE_NOT_DERIVED' : cpuIsFresh ? 'BIND_SET_NOT_UNIFORM' : 'GPU_NONCE_MISMATCH'
        this.#add(device.id, code, 'nonce', detail)
      }
    }
  }
}
