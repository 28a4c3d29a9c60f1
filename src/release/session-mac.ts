import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto'
import { constantTimeEqual, utf8 } from '../core/bytes.ts'
import { fromBase64, toBase64, toHex } from '../core/encodings.ts'
import { canonicalJson } from '../core/json.ts'
import { fail, type Outcome, ok } from '../core/outcome.ts'
import type { UnixSeconds } from '../core/time.ts'
import type { Vault } from './ports.ts'

/** What a session is, from its nonce to its end. */
export interface SessionStatement {
  readonly id: string
  readonly workload: string
  /** base64, as it was issued */
  readonly nonce: string
  /** what was attested with; null while the nonce is open */
  readonly evidence: Uint8Array | null
  readonly expiresAt: UnixSeconds
}

/** A MAC, and the key-encryption key beside which its key is. */
export interface SessionMac {
  readonly kek: string
  /** base64, 32 bytes */
  readonly mac: string
}

const LABEL = utf8('vouchsafe/1 session key')

/**
 * HMAC-SHA-256 over what is stored of sessions. Its key is derived from the vault once for each key-encryption key and process,
 * so that sessions cost a token no call, and what is known of it opens no key.
 */
export class SessionMacs {
  readonly #vault: Pick<Vault, 'currentKek' | 'mac'>
  readonly #keys = new Map<string, KeyObject>()

  constructor(vault: Pick<Vault, 'currentKek' | 'mac'>) {
    this.#vault = vault
  }

  /** @returns the MAC under the present key-encryption key, or RELEASE_VAULT_UNAVAILABLE */
  async make(statement: SessionStatement): Promise<Outcome<SessionMac>> {
    const kek = this.#vault.currentKek
    const mac = await this.#mac(kek, statement)
    return mac.ok ? ok({ kek, mac: toBase64(mac.value) }) : mac
  }

  /** @returns RELEASE_SESSION_TAMPERED · RELEASE_VAULT_UNAVAILABLE where the key-encryption key is not here */
  async check(statement: SessionStatement, { kek, mac }: SessionMac): Promise<Outcome<void>> {
    const expected = await this.#mac(kek, statement)
    if (!expected.ok) return expected
    const given = fromBase64(mac, 'session.mac')
    return given.ok && constantTimeEqual(given.value, expected.value)
      ? ok(undefined)
      : fail('RELEASE_SESSION_TAMPERED', 'session')
  }

  async #mac(kek: string, { evidence, ...about }: SessionStatement): Promise<Outcome<Uint8Array>> {
    const key = await this.#keyOf(kek)
    if (!key.ok) return key
    const { id, workload, nonce, expiresAt } = about
    const digest = evidence === null ? null : toHex(createHash('sha256').update(evidence).digest())
    const text = canonicalJson({ id, workload, nonce, evidence: digest, expiresAt })
    return ok(new Uint8Array(createHmac('sha256', key.value).update(text).digest()))
  }

  async #keyOf(kek: string): Promise<Outcome<KeyObject>> {
    const known = this.#keys.get(kek)
    if (known !== undefined) return ok(known)
    const derived = await this.#vault.mac(kek, LABEL)
    if (!derived.ok) return derived
    const key = createSecretKey(derived.value)
    derived.value.fill(0)
    this.#keys.set(kek, key)
    return ok(key)
  }
}
