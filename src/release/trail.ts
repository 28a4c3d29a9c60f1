import { createHash } from 'node:crypto'
import { toHex } from '../core/encodings.ts'
import { canonicalJson, type Json } from '../core/json.ts'
import type { Decision } from '../decision/decision.ts'
import type { ReleaseRequest } from './answer.ts'
import { isKeyName } from './key-row.ts'
import type { AuditEvent } from './ports.ts'
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
    }
  }
}

/** `sha256:` over the canonical decision. */
const decisionDigest = (decision: Decision): string =>
  `sha256:${toHex(
    createHash('sha256')
      .update(canonicalJson(decision as unknown as Json))
      .digest(),
  )}`
