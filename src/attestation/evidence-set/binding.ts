import { concatBytes, equalBytes, isZero, utf8 } from '../../core/bytes.ts'
import type { Code } from '../../core/codes.ts'
import type { Context } from '../../core/context.ts'
import { fromBase64, fromHex, toHex } from '../../core/encodings.ts'
import { type Fault, type FaultDetail, fault, take } from '../../core/outcome.ts'
import { type Challenge, type ChallengeScope, checkChallenge } from '../challenge.ts'
import { type Claims, type CpuClaims, type DeviceClaims, isCpuClaims, isDeviceClaims } from '../claims.ts'
import { type BindingForm, type EvidenceSet, isCpuKind, type RuntimeData } from '../evidence.ts'
import { guestAnswer, otherInitData } from './guest-data.ts'
import type { RuntimeJudgement } from './runtime-data.ts'

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
const TPM_DOMAIN = 'vouchsafe/1 tpm'

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

/**
 * Qualifying data of a TPM quote in the derived and composite forms: SHA-256("vouchsafe/1 tpm\0" ‖ nonce[64] ‖ SHA-256(SPKI, or
 * nothing)). Many TPMs take no more than 32 or 50 bytes.
 */
export async function derivedQualifyingData(
  digest: Context['digest'],
  nonce: Uint8Array,
  spki: Uint8Array | undefined,
): Promise<Uint8Array> {
  return hashed(digest, 'sha256', TPM_DOMAIN, nonce, await keyDigest(digest, spki))
}

const reportDataOf = ({ reportData }: CpuClaims): Uint8Array => take(fromHex(reportData, 64, 'reportData'))
const isCpu = (p: ProvedItem): p is ProvedItem & { claims: CpuClaims } => isCpuClaims(p.claims)
const isNvidia = (p: ProvedItem): p is ProvedItem & { claims: DeviceClaims } => isDeviceClaims(p.claims)

/**
 * Where a kind carries the verifier's challenge as it was asked, under no form of ours: the answer in hex, and its name in
 * the evidence. undefined for kinds whose answer has a form of its own.
 */
function plainAnswer(claims: Claims): { readonly name: string; readonly value: string | undefined } | undefined {
  if (claims.kind === 'tpm/quote') return { name: 'qualifyingData', value: claims.qualifyingData }
  if (claims.kind === 'aws/nitro') return { name: 'nonce', value: claims.nonce }
  return claims.kind === 'arm/cca-token' ? { name: 'challenge', value: claims.challenge } : undefined
}

/**
 * Judges whether the proved items answer the expected nonce and belong to one another.
 * Faults: BIND_EXPECTED_EMPTY · BIND_LENGTH_MISMATCH · BIND_NONCE_MISMATCH · BIND_CHALLENGE_* · POLICY_DIGEST_CHANGED ·
 * BIND_KEY_MISMATCH · BIND_DOMAIN_MISMATCH · BIND_TLS_CLAIM_FALSE · BIND_TLS_KEY_MISSING · BIND_SET_NOT_UNIFORM ·
 * BIND_COMPOSITE_MISSING · BIND_COMPOSITE_MISMATCH · BIND_RUNTIME_DATA_MISMATCH · BIND_INIT_DATA_MISMATCH ·
 * GPU_NONCE_MISMATCH · GPU_NONCE_NOT_DERIVED · TPM_QUOTE_MISSING
 * @param runtime where the CPU's REPORT_DATA covers a TPM's key, a quote by that key answers in its place
 * @param required the weakest form that the policy takes
 */
export async function judgeBinding(
  context: Context,
  set: EvidenceSet,
  proved: readonly ProvedItem[],
  runtime: RuntimeJudgement,
  freshness: Freshness,
  required: BindingForm,
  scope: ChallengeScope,
  maxAgeSeconds: number,
): Promise<BindingJudgement> {
  const judge = new Judge(set, proved, runtime.isCarried)
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
  if (set.runtimeData !== undefined) await judge.guest(digest, nonce, teeKey, set.runtimeData, required)
  else {
    if (judge.isKeySound(teeKey)) {
      if (runtime.isCarried) await judge.tpmForCpu(digest, nonce, required)
      else await judge.cpu(digest, nonce, required)
    }
    await judge.gpus(digest, nonce, required)
  }
  await judge.initData(digest)
  await judge.plain(digest, proved, nonce)
  return judge.result(proved.length > 0 && (!runtime.isCarried || runtime.bound.length > 0))
}

class Judge {
  readonly faults: ItemFault[] = []
  readonly #set: EvidenceSet
  readonly #cpu: (ProvedItem & { claims: CpuClaims }) | undefined
  /** the CPU report that must cover a key, where it answers for itself and where a TPM does */
  readonly #covering: (ProvedItem & { claims: CpuClaims }) | undefined
  readonly #nvidia: readonly (ProvedItem & { claims: DeviceClaims })[]
  readonly #isCpuRefused: boolean
  #keyBound = false
  #composite = false

  /** @param isAnsweredByTpm the CPU's REPORT_DATA is no answer then, and nothing is derived from it */
  constructor(set: EvidenceSet, proved: readonly ProvedItem[], isAnsweredByTpm: boolean) {
    this.#set = set
    this.#cpu = isAnsweredByTpm ? undefined : proved.find(isCpu)
    this.#covering = proved.find(isCpu)
    this.#nvidia = proved.filter(isNvidia)
    this.#isCpuRefused = set.items.some(({ id, kind }) => isCpuKind(kind) && !proved.some((p) => p.id === id))
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
    return this.#cpu === undefined ? undefined : reportDataOf(this.#cpu.claims)
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
    else if (nonce.length !== 64 && (nonce.length !== 32 || this.#needsWholeNonce)) {
      this.#add('set', 'BIND_LENGTH_MISMATCH', 'nonce', { expected: '64 bytes', actual: `${nonce.length} bytes` })
    } else return true
    return false
  }

  /** A CPU report has room for all of a challenge; a guest's is a hash, and a KBS session's nonce has 32 bytes. */
  get #needsWholeNonce(): boolean {
    return this.#cpu !== undefined && this.#set.runtimeData === undefined
  }

  /** A guest of Confidential Containers answers with the hash of nonce, key and device evidence. */
  async guest(
    digest: Context['digest'],
    nonce: Uint8Array,
    teeKey: Uint8Array | undefined,
    data: RuntimeData,
    required: BindingForm,
  ): Promise<void> {
    // A challenge for one key is answered by the bundle, which carries that key; such a guest chooses its own.
    if (teeKey !== undefined) {
      const detail = { expected: 'the key that the challenge names', actual: 'a key that the guest chose' }
      return this.#add('set', 'BIND_KEY_MISMATCH', 'runtimeData.teePubkey', detail)
    }
    const sent = fromBase64(data.nonce, 'runtime-data.nonce')
    if (!sent.ok || !equalBytes(sent.value, nonce)) {
      const detail = { expected: toHex(nonce), actual: data.nonce }
      return this.#add('set', 'BIND_NONCE_MISMATCH', 'runtimeData.nonce', detail)
    }
    // Whatever else answers too: report data that cover the key of a TPM do not cover these.
    const cpu = this.#covering
    const actual = cpu === undefined ? undefined : reportDataOf(cpu.claims)
    if (cpu === undefined || actual === undefined) return this.#noDeviceIsCovered()
    const { deviceNonce, expected } = await guestAnswer(digest, data, actual)
    if (deviceNonce === undefined)
      return this.#add(cpu.id, 'BIND_RUNTIME_DATA_MISMATCH', 'reportData', { expected, actual: toHex(actual) })
    this.#keyBound = true
    this.#composite = data.additionalEvidence !== undefined
    if (required === 'composite' && !this.#composite) {
      const detail = { expected: 'a guest that commits to its device evidence', actual: 'one of before version 0.4' }
      this.#add(cpu.id, 'BIND_COMPOSITE_MISSING', 'reportData', detail)
    }
    for (const { id, claims } of this.#nvidia) {
      const detail = { expected: deviceNonce, actual: claims.nonce }
      if (claims.nonce !== deviceNonce) this.#add(id, 'GPU_NONCE_MISMATCH', 'nonce', detail)
    }
  }

  /** The nonce of a guest's devices is known by the report data of its CPU alone; a CPU that was refused was told. */
  #noDeviceIsCovered(): void {
    if (this.#isCpuRefused) return
    const detail = { expected: 'the nonce that a CPU report covers' }
    for (const { id, claims } of this.#nvidia)
      this.#add(id, 'GPU_NONCE_MISMATCH', 'nonce', { ...detail, actual: claims.nonce })
  }

  /** What the guest says that it was launched with is what the report says. */
  async initData(digest: Context['digest']): Promise<void> {
    const { initData } = this.#set
    const cpu = this.#covering
    if (initData === undefined || cpu === undefined) return
    const other = await otherInitData(digest, initData, cpu.claims)
    if (other !== undefined) this.#add(cpu.id, 'BIND_INIT_DATA_MISMATCH', other.name, other)
  }

  /** The key that came along is hashed under our label, and is the one that the challenge names. */
  isKeySound(teeKey: Uint8Array | undefined): boolean {
    if (this.#covering === undefined) return true
    const { key } = this.#set
    if (key !== undefined && key.domain !== BINDING_DOMAIN) {
      this.#add('set', 'BIND_DOMAIN_MISMATCH', 'key.domain', { expected: BINDING_DOMAIN, actual: key.domain })
      return false
    }
    if (teeKey !== undefined && (key === undefined || !equalBytes(key.spki, teeKey))) {
      this.#add('set', 'BIND_KEY_MISMATCH', 'key.spki', {
        expected: 'the key that the challenge names',
        actual: key === undefined ? 'no key' : 'another key',
      })
      return false
    }
    return true
  }

  /** A quote is there that answers in the CPU's place; what it says is compared with those of the other kinds. */
  async tpmForCpu(digest: Context['digest'], nonce: Uint8Array, required: BindingForm): Promise<void> {
    const { items, key, binding } = this.#set
    const quote = items.find((item) => item.kind === 'tpm/quote')
    if (quote === undefined) {
      this.#add('set', 'TPM_QUOTE_MISSING', 'tpm', {
        expected: 'a quote by the key that the CPU report covers',
        actual: 'none',
      })
      return
    }
    // A TPM's answer in the raw form covers no key, and in no form the list of GPU reports.
    if (key !== undefined && binding === 'raw')
      this.#add(quote.id, 'BIND_KEY_MISMATCH', 'qualifyingData', {
        expected: toHex(await derivedQualifyingData(digest, nonce, key.spki)),
        actual: 'the bare nonce',
      })
    if (required === 'composite')
      this.#add(quote.id, 'BIND_COMPOSITE_MISSING', 'qualifyingData', {
        expected: 'a CPU report that covers the GPU evidence',
        actual: 'one that covers the key of a TPM',
      })
  }

  async cpu(digest: Context['digest'], nonce: Uint8Array, required: BindingForm): Promise<void> {
    const cpu = this.#cpu
    const actual = this.#reportData
    if (cpu === undefined || actual === undefined) return
    const mismatch = (code: Code, expected: Uint8Array) =>
      this.#add(cpu.id, code, 'reportData', { expected: toHex(expected), actual: toHex(actual) })
    const { key, tlsBound, tlsSpki, binding } = this.#set
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
  async plain(digest: Context['digest'], proved: readonly ProvedItem[], nonce: Uint8Array): Promise<void> {
    const { binding, key } = this.#set
    for (const { id, claims } of proved) {
      const answer = plainAnswer(claims)
      const isDerived = claims.kind === 'tpm/quote' && binding !== 'raw'
      const expected = toHex(isDerived ? await derivedQualifyingData(digest, nonce, key?.spki) : nonce)
      if (answer === undefined || answer.value === expected) continue
      const { name, value = 'none' } = answer
      this.#add(id, 'BIND_NONCE_MISMATCH', name, { expected, actual: value === '' ? 'none' : value })
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
