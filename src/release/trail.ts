import { createHash } from 'node:crypto'
import { toHex } from '../core/encodings.ts'
import { canonicalJson, type Json } from '../core/json.ts'
import type { Decision } from '../decision/decision.ts'
import type { ReleaseRequest } from './answer.ts'
import { isKeyName } from './key-row.ts'
import type { AuditEvent, KeyName } from './ports.ts'
import type { Burnt } from './proof.ts'

/** What is known of a release so far: whatever ends it, the audit log says how far it came. */
export class Trail {
  readonly #request: ReleaseRequest
  burnt: Burnt | undefined
  policyDigest: string | null = null
  decision: Decision | null = null

  constructor(request: ReleaseRequest) {
    this.#request = request
  }

  event(type: 'key.released' | 'key.refused', codes: readonly string[]): AuditEvent {
    const { tenant, keyId, proof } = this.#request
    // Names that are none are somebody else's text, of any length.
    const name = (text: string) => (isKeyName(text) ? text : '')
    const asked = proof.kind === 'challenge' ? name(proof.challengeId) : proof.id
    return {
      type,
      tenant: name(tenant),
      keyId: name(keyId),
      policyDigest: this.policyDigest,
      lease: this.burnt?.workload ?? null,
      challengeId: this.burnt?.challengeId ?? (asked === '' ? null : asked),
      decisionDigest: this.decision === null ? null : decisionDigest(this.decision),
      codes,
      actor: this.burnt?.actor ?? (proof.kind === 'challenge' ? 'gate' : 'kbs'),
      acceptedRisks: this.decision?.acceptedRisks ?? [],
      row: null,
    }
  }
}

/** What is known of an attestation so far. Of what a client sent nothing is told but what was found wrong with it. */
export class SessionTrail {
  /** of a session that was opened here; null for any other text */
  id: string | null = null
  workload: string | null = null

  refused(codes: readonly string[]): AuditEvent {
    const { id, workload } = this
    return { ...NO_KEY, type: 'session.refused', lease: workload, challengeId: id, codes, actor: 'kbs' }
  }
}

/** A question about a key that was not asked, since the key's row is not as it was written. */
export const questionRefused = ({ tenant, keyId }: KeyName, codes: readonly string[]): AuditEvent => ({
  ...NO_KEY,
  ...{ type: 'key.refused', tenant, keyId, codes, actor: 'gate' },
})

const NO_KEY = {
  ...{ tenant: '', keyId: '', policyDigest: null, lease: null, challengeId: null, decisionDigest: null },
  acceptedRisks: [],
  row: null,
}

/** `sha256:` over the canonical decision. */
const decisionDigest = (decision: Decision): string =>
  `sha256:${toHex(
    createHash('sha256')
      .update(canonicalJson(decision as unknown as Json))
      .digest(),
  )}`
