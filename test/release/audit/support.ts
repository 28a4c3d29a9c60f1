import { generateKeyPairSync } from 'node:crypto'
import { type Outcome, take } from '../../../src/core/outcome.ts'
import { type CredentialKeySet, type CredentialSigner, jwksOf } from '../../../src/decision/credential/index.ts'
import { EMPTY_HEAD, headOf, nextRow } from '../../../src/release/audit/index.ts'
import type { AuditHead, AuditRow } from '../../../src/release/ports.ts'
import { eventOf } from '../../stores/release-rows.ts'

export interface Signing {
  readonly signer: CredentialSigner
  readonly keys: CredentialKeySet
}

export async function signing(
  kid: string,
  alg: 'EdDSA' | 'ES256' = 'EdDSA',
  retiredAt: number | null = null,
): Promise<Signing> {
  const pair = alg === 'EdDSA' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const keys = await jwksOf([{ kid, publicKey: pair.publicKey, retiredAt }], 0)
  return { signer: { kid, alg, key: pair.privateKey }, keys }
}

export const codesOf = (outcome: Outcome<unknown>): readonly string[] =>
  outcome.ok ? ['none'] : outcome.faults.map((f) => f.code)

export const pathOf = (outcome: Outcome<unknown>): string => (outcome.ok ? 'none' : outcome.faults[0].path)

/** A log of one second, so that its order shows in nothing but the chain. */
export function rowsOf(count: number, tag = 'c', from: AuditHead = EMPTY_HEAD): AuditRow[] {
  const rows: AuditRow[] = []
  let head = from
  for (let i = 0; i < count; i++) {
    const challengeId = `${tag}${head.sequence + 1}`
    const row = take(nextRow(head, eventOf('key.released', { challengeId }), 101))
    rows.push(row)
    head = headOf(row)
  }
  return rows
}
