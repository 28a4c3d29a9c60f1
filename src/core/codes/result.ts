import type { CodeTable } from './entry.ts'

export const RESULT_CODES = {
  // Attestation results: credentials of ours and of others.
  RESULT_INVALID: {
    verdict: 'reject',
    title: 'The credential is not a well-formed result that one of the pinned keys signed.',
    hint: 'Ask the issuer for a new credential and pass it on unchanged. The relying party should check that it pinned the key set of this issuer; keys that travel in a token are never used.',
  },
  RESULT_REVOKED: {
    verdict: 'reject',
    title: 'The credential was revoked before its end.',
    hint: 'Its machine was refused, replaced or denied since. Attest the machine again for a fresh credential.',
  },
  RESULT_ISSUER_MISMATCH: {
    verdict: 'reject',
    title: 'The credential names another issuer than the one that is trusted here.',
    hint: 'Ask for a credential of the verifier that this relying party names, or have the relying party pin the keys of the other one under its own name.',
  },
  RESULT_AUDIENCE: {
    verdict: 'reject',
    title: 'The credential was issued for another relying party.',
    hint: 'Ask the issuer for a credential that names this relying party in its audience, as the finding shows.',
  },
  RESULT_EXPIRED: {
    verdict: 'reject',
    title: 'The credential is past its end, or was given a longer life than its purpose allows.',
    hint: 'Ask for a new one: a posture credential lasts at most six hours, one for a lease thirty minutes, one for a key release two minutes. Where it is new, the issuer should look at its clock.',
  },
  RESULT_NOT_YET_VALID: {
    verdict: 'reject',
    title: 'The credential begins in the future.',
    hint: 'The clocks of issuer and relying party differ by more than a minute: both should use NTP. Then ask for a new credential.',
  },
  RESULT_KEY_RETIRED: {
    verdict: 'reject',
    title: 'The credential is signed by a key that the issuer has retired.',
    hint: 'Ask the issuer for a new credential under its present key, and refresh the key set.',
  },
  RESULT_HOLDER_NOT_PROVED: {
    verdict: 'reject',
    title: 'Whoever presents the credential did not prove that it is theirs.',
    hint: 'Sign the nonce of this relying party with the key that the credential names in cnf, within a minute. The provider signs with the account key (ADR-36) or the key in the TEE, whichever was named when the credential was issued.',
  },
  RESULT_POLICY_MISMATCH: {
    verdict: 'reject',
    title: 'The credential rests on another policy than the one the relying party set.',
    hint: 'Have the evidence judged under the policy of this relying party and bring that credential. The command vouchsafe policy digest prints the digest to compare.',
  },
} as const satisfies CodeTable
