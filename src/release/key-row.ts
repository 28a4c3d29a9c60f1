import { concatBytes, constantTimeEqual, utf8 } from '../core/bytes.ts'
import type { Code } from '../core/codes.ts'
import { fromBase64, toBase64 } from '../core/encodings.ts'
import { canonicalJson, type Json, type JsonObject } from '../core/json.ts'
import { fail, type Outcome, ok } from '../core/outcome.ts'
import { digestOfPolicy } from '../index.ts'
import { parsePolicy } from '../policy/parse.ts'
import type { Policy } from '../policy/policy.ts'
import { isNewest, type NewestRow } from './audit/key-revisions.ts'
import type { KeyBinding, KeyName, KeyRow, Vault } from './ports.ts'

/** Names of tenants and keys: up to 128 printable characters without spaces. */
export const isKeyName = (text: string): boolean => /^[\x21-\x7e]{1,128}$/.test(text)

/** A row before it is under a MAC. */
export type OpenRow = Omit<KeyRow, 'mac'>

/** Each half of a row's `mac`: 128 bits. */
const HALF = 16

/**
 * The `mac` of a row, 32 bytes: the first half is a tag of the policy's digest alone, the second one of the whole row. Either
 * keeps anybody without the KEK from changing the row; together they tell a changed policy from another change.
 */
export async function rowMac(vault: Pick<Vault, 'mac'>, row: OpenRow): Promise<Outcome<string>> {
  const policy = await vault.mac(row.sealed.kek, utf8(`vouchsafe/1 key policy\0${row.policyDigest}`))
  if (!policy.ok) return policy
  const whole = await vault.mac(row.sealed.kek, utf8(`vouchsafe/1 key row\0${rowText(row)}`))
  if (!whole.ok) return whole
  return ok(toBase64(concatBytes(policy.value.subarray(0, HALF), whole.value.subarray(0, HALF))))
}

function rowText({ sealed, limits, ...row }: OpenRow): string {
  const { tenant, keyId, policyDigest, policy, state, registeredAt, revision } = row
  return canonicalJson({
    ...{ tenant, keyId, policyDigest, policy, state, registeredAt, revision },
    sealed: { ...sealed },
    limits: limits as unknown as JsonObject,
  } satisfies Record<string, Json>)
}

/** Whether two readings of a row are the same in every member. */
export const isSameRow = (a: KeyRow, b: KeyRow): boolean => a.mac === b.mac && rowText(a) === rowText(b)

/** A row that was proved to be as it was registered or last administered. */
export interface SoundKey {
  readonly row: KeyRow
  readonly binding: KeyBinding
  readonly policy: Policy
}

/** Whether faults say that the database was written to by somebody else. */
export const saysTampered = (faults: readonly { readonly code: Code }[]): boolean =>
  faults.some(({ code }) => code === 'RELEASE_POLICY_TAMPERED' || code === 'RELEASE_KEY_TAMPERED')

/** Policies by their text, which alone decides what they are: each is read once, however often its key is asked for. */
const POLICIES = new Map<string, Outcome<Policy>>()
const MOST_POLICIES = 256

function policyOf(text: string): Outcome<Policy> {
  const known = POLICIES.get(text)
  if (known !== undefined) return known
  const policy = parsePolicy(utf8(text))
  const [oldest] = POLICIES.keys()
  if (POLICIES.size >= MOST_POLICIES && oldest !== undefined) POLICIES.delete(oldest)
  if (policy.ok) POLICIES.set(text, policy)
  return policy
}

/**
 * Proves a stored row, before anything of it is used.
 * @param name what it was asked for by; the row has to say the same
 * @param newest row that the audit log told of before this one was read: what is older, or another of its number, was put back.
 * A later one is let through: another process may have written it, and the log that is followed up to it says so
 * @returns the key with its policy, or RELEASE_KEY_OUTDATED · RELEASE_POLICY_TAMPERED · RELEASE_KEY_TAMPERED · RELEASE_VAULT_UNAVAILABLE
 */
export async function soundKey(
  vault: Pick<Vault, 'mac'>,
  name: KeyName,
  row: KeyRow,
  newest: NewestRow,
): Promise<Outcome<SoundKey>> {
  if (row.mac === '') return fail('RELEASE_KEY_OUTDATED', 'key.mac')
  const mac = fromBase64(row.mac, 'key.mac')
  const right = await rowMac(vault, row)
  if (!right.ok) return right
  const expected = fromBase64(right.value, 'key.mac')
  if (!mac.ok || !expected.ok || mac.value.length !== expected.value.length)
    return fail('RELEASE_KEY_TAMPERED', 'key.mac')
  const half = (from: 0 | 16) =>
    constantTimeEqual(mac.value.subarray(from, from + HALF), expected.value.subarray(from, from + HALF))
  if (!half(0)) return fail('RELEASE_POLICY_TAMPERED', 'key.policyDigest')
  const policy = policyOf(row.policy)
  if (!policy.ok || (await digestOfPolicy(policy.value)) !== row.policyDigest)
    return fail('RELEASE_POLICY_TAMPERED', 'key.policy')
  if (!half(HALF)) return fail('RELEASE_KEY_TAMPERED', 'key.mac')
  if (row.tenant !== name.tenant || row.keyId !== name.keyId) return fail('RELEASE_KEY_TAMPERED', 'key.tenant')
  if (row.revision <= newest.revision) {
    if (row.revision === newest.revision && newest.mac === null) return fail('RELEASE_KEY_OUTDATED', 'key.mac')
    const told = isNewest(row, newest)
    if (!told.ok) return told
  }
  const { tenant, keyId, policyDigest } = row
  return ok({ row, binding: { tenant, keyId, policyDigest }, policy: policy.value })
}
