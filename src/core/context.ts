import { concatBytes, copyOf, utf8 } from './bytes.ts'
import type { CryptoPort, HashName } from './crypto/port.ts'
import { toHex } from './encodings.ts'
import { LIMITS } from './limits.ts'
import { fail, type Outcome, ok } from './outcome.ts'
import { LAST_SECOND, type UnixSeconds } from './time.ts'
import type { TrustAnchor } from './trust-anchors.ts'
import { type Certificate, decodeCertificate } from './x509/certificate.ts'

/**
 * What was computed before and cannot change: signature checks by (what, key), decoded structures by digest. Holding one
 * across judgements makes them faster and never different; dates and revocation are judged anew every time.
 */
export interface VerificationCache {
  get(key: string): unknown
  /** @param costBytes about how much memory the value takes */
  set(key: string, value: unknown, costBytes: number): void
}

const CACHE_BYTES = 64 * 1024 * 1024

/**
 * A cache that forgets the oldest entries when full. Evidence that proves to be nobody's leaves its decoded form here, so
 * the memory is bounded as well as the number of entries.
 * @param capacity entries, at least 1
 * @param capacityBytes memory of all entries together, as far as their costs tell, at least 1; a dearer entry is not kept
 */
export function createVerificationCache(capacity = 4096, capacityBytes = CACHE_BYTES): VerificationCache {
  for (const size of [capacity, capacityBytes]) {
    if (!Number.isInteger(size) || size < 1) throw new TypeError('capacity is a positive integer')
  }
  const entries = new Map<string, { readonly value: unknown; readonly costBytes: number }>()
  let heldBytes = 0
  const forget = (key: string) => {
    heldBytes -= entries.get(key)?.costBytes ?? 0
    entries.delete(key)
  }
  return {
    get: (key) => entries.get(key)?.value,
    set: (key, value, costBytes) => {
      forget(key)
      if (costBytes > capacityBytes) return
      for (const oldest of entries.keys()) {
        if (entries.size < capacity && heldBytes + costBytes <= capacityBytes) break
        forget(oldest)
      }
      entries.set(key, { value, costBytes })
      heldBytes += costBytes
    },
  }
}

/** A key and its entry. */
const CHECK_COST_BYTES = 1024
/** Memory for each byte decoded: a certificate of nothing but the smallest extensions takes 27. */
const DECODED_COST = 32

/**
 * Who pays for a signature check: the evidence itself, what its sender laid beside it, or the verifier's own collateral. The
 * first two are bounded, so that no sender decides how much work it causes.
 */
export type Payer = 'evidence' | 'beside' | 'collateral'

const BUDGETS = {
  evidence: LIMITS.signatureChecks,
  beside: LIMITS.besideSignatureChecks,
  collateral: Number.POSITIVE_INFINITY,
}

/**
 * One judgement: the time of judgement, the anchors, and the shared work. Everything that is computed twice within one
 * judgement is computed once.
 */
export class Context {
  readonly now: UnixSeconds
  readonly anchors: readonly TrustAnchor[]
  readonly #crypto: CryptoPort
  readonly #cache: VerificationCache
  readonly #checks = new Map<string, Promise<boolean>>()
  readonly #decodings = new Map<string, Promise<Outcome<unknown>>>()
  readonly #charged: Readonly<Record<Payer, Set<string>>> = {
    evidence: new Set(),
    beside: new Set(),
    collateral: new Set(),
  }
  readonly #spent: Record<Payer, number> = { evidence: 0, beside: 0, collateral: 0 }

  constructor(options: {
    readonly now: UnixSeconds
    readonly anchors: readonly TrustAnchor[]
    readonly crypto: CryptoPort
    readonly cache: VerificationCache
  }) {
    // The upper bound also catches milliseconds.
    if (!Number.isSafeInteger(options.now) || options.now < 0 || options.now > LAST_SECOND) {
      throw new TypeError('now is whole seconds since 1970, at most 9999-12-31')
    }
    this.now = options.now
    this.anchors = options.anchors
    this.#crypto = options.crypto
    this.#cache = options.cache
  }

  /** Whether the evidence asked for more signature checks than it may: the whole set is then refused. */
  get overBudget(): boolean {
    return this.#isSpent('evidence') || this.#isSpent('beside')
  }

  #isSpent(payer: Payer): boolean {
    return this.#spent[payer] > BUDGETS[payer]
  }

  digestHex(hash: HashName, bytes: Uint8Array): Promise<string> {
    return this.digest(hash, bytes).then(toHex)
  }

  readonly #digests = new WeakMap<Uint8Array, Map<HashName, Promise<Uint8Array>>>()

  /** Computed once per array within this judgement: whoever opens a judgement sees to it that its bytes do not change. */
  digest(hash: HashName, bytes: Uint8Array): Promise<Uint8Array> {
    const known = this.#digests.get(bytes) ?? new Map<HashName, Promise<Uint8Array>>()
    const digest = known.get(hash) ?? this.#crypto.digest(hash, bytes)
    known.set(hash, digest)
    this.#digests.set(bytes, known)
    return digest
  }

  /**
   * Checks a signature once, however many ask within this judgement. Past the budget the answer is false and
   * `overBudget` says why. Evidence is charged once per distinct check, whether the cache or the collateral asked for it
   * before or not, so that neither a warm cache nor the order of the answers changes the count.
   */
  verify(
    payer: Payer,
    algorithm: Parameters<CryptoPort['verify']>[0],
    spki: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
    memo: 'remember' | 'once',
  ): Promise<boolean> {
    if (memo === 'once') {
      this.#spent[payer]++
      if (this.#isSpent(payer)) return Promise.resolve(false)
      return this.#crypto.verify(algorithm, spki, message, signature)
    }
    const last = lastChecks.get(signature)
    const isSame = last?.algorithm === algorithm && last.spki === spki && last.message === message
    const check = (key: string) => this.#verifyOnce(key, payer, algorithm, spki, message, signature)
    return isSame ? check(last.key) : this.#keyOfCheck(algorithm, spki, message, signature).then(check)
  }

  #verifyOnce(
    key: string,
    payer: Payer,
    algorithm: Parameters<CryptoPort['verify']>[0],
    spki: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean> {
    if (!this.#charged[payer].has(key)) {
      this.#charged[payer].add(key)
      this.#spent[payer]++
    }
    if (this.#isSpent(payer)) return Promise.resolve(false)
    if (this.#cache.get(key) === true) return Promise.resolve(true)
    const pending = this.#checks.get(key)
    if (pending !== undefined) return pending
    const check = this.#remembered(key, algorithm, spki, message, signature)
    this.#checks.set(key, check)
    return check
  }

  async #keyOfCheck(
    algorithm: Parameters<CryptoPort['verify']>[0],
    spki: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ): Promise<string> {
    // Lengths stand before the parts, so that no two checks are written alike.
    const lengths = `${algorithm} ${spki.length} ${message.length} ${signature.length}\0`
    const written = concatBytes(utf8(lengths), spki, message, signature)
    const key = `signature ${toHex(await this.#crypto.digest('sha256', written))}`
    lastChecks.set(signature, { algorithm, spki, message, key })
    return key
  }

  async #remembered(
    key: string,
    algorithm: Parameters<CryptoPort['verify']>[0],
    spki: Uint8Array,
    message: Uint8Array,
    signature: Uint8Array,
  ): Promise<boolean> {
    const valid = await this.#crypto.verify(algorithm, spki, message, signature)
    if (valid) this.#cache.set(key, true, CHECK_COST_BYTES) // only successes: refusals must not push them out
    return valid
  }

  /**
   * SHA-256, lower-case hex, of bytes that belong to a decoded structure of ours and never change, such as the `der` of a
   * certificate that `certificate` gave: computed once as long as they live.
   * Structures are decoded from copies, so no caller holds these arrays.
   */
  async ownDigest(bytes: Uint8Array): Promise<string> {
    const digest = ownDigests.get(bytes) ?? (await this.digestHex('sha256', bytes))
    ownDigests.set(bytes, digest)
    return digest
  }

  /**
   * A pure decoding of these bytes, done once as long as the cache remembers, also where several ask at the same time.
   * Failures are not remembered: their paths belong to whoever asked.
   * @param name distinguishes decoders; one name, one type
   * @param bytes a copy of ours that never changes: it is digested once as long as it lives
   * @param mostBytes what the vendor's own come to, with room; larger ones are done once within this judgement only, so
   * that nobody fills the cache with what no vendor makes
   */
  async decodeOnce<T>(
    name: string,
    bytes: Uint8Array,
    mostBytes: number,
    decode: () => Outcome<T> | Promise<Outcome<T>>,
  ): Promise<Outcome<T>> {
    const key = `${name} ${ownDigests.get(bytes) ?? (await this.ownDigest(bytes))}`
    const known = this.#cache.get(key) as T | undefined
    if (known !== undefined) return ok(known)
    const pending = this.#decodings.get(key) as Promise<Outcome<T>> | undefined
    if (pending !== undefined) {
      const shared = await pending
      return shared.ok ? shared : decode()
    }
    const decoding = this.#decodeAndRemember(key, bytes.length, mostBytes, decode)
    this.#decodings.set(key, decoding)
    return decoding
  }

  async #decodeAndRemember<T>(
    key: string,
    size: number,
    mostBytes: number,
    decode: () => Outcome<T> | Promise<Outcome<T>>,
  ): Promise<Outcome<T>> {
    const outcome = await decode()
    if (outcome.ok && size <= mostBytes) this.#cache.set(key, outcome.value, size * DECODED_COST)
    return outcome
  }

  /**
   * A table for what was proved and holds again for the very same object, as long as the cache remembers the table. Whoever
   * reads from it sees to it that an entry still holds at this judgement's time and under its anchors.
   * @param name one name, one type
   */
  table<K extends WeakKey, V>(name: string, costBytes: number): WeakMap<K, V> {
    const known = this.#cache.get(name) as WeakMap<K, V> | undefined
    if (known !== undefined) return known
    const table = new WeakMap<K, V>()
    this.#cache.set(name, table, costBytes)
    return table
  }

  /** `decodeCertificate`, once per certificate. */
  async certificate(der: Uint8Array, path: string): Promise<Outcome<Certificate>> {
    if (der.length > LIMITS.evidenceBytes) return fail('LIMIT_EVIDENCE_BYTES', path, { actual: der.length })
    // The cache must not keep a view into a caller's larger buffer alive, nor see it change between digest and decoding.
    const own = copyOf(der)
    return this.decodeOnce('x509-certificate', own, MOST_CERTIFICATE_BYTES, () => decodeCertificate(own, path))
  }
}

/** Vendors' certificates have one to two kilobytes. */
const MOST_CERTIFICATE_BYTES = 8192

/** The last check that each signature was part of: its key again without a digest. */
const lastChecks = new WeakMap<
  Uint8Array,
  {
    readonly algorithm: string
    readonly spki: Uint8Array
    readonly message: Uint8Array
    readonly key: string
  }
>()

const ownDigests = new WeakMap<Uint8Array, string>()
