import type { CodeTable } from './entry.ts'

export const RELEASE_CODES = {
  // Release: keys for attested machines.
  RELEASE_CHALLENGE_UNKNOWN: {
    verdict: 'reject',
    title: 'No challenge or session with this id was asked here.',
    hint: 'Ask this service for a challenge of purpose key-release and answer that one. It is good for 120 seconds.',
  },
  RELEASE_CHALLENGE_CONSUMED: {
    verdict: 'reject',
    title: 'The challenge was already used to ask for a key.',
    hint: 'A challenge is good for one release, granted or not. Ask for a new one and collect evidence for it; where an answer was lost on the way, its key is lost with it.',
  },
  RELEASE_LEASE_NOT_ACTIVE: {
    verdict: 'reject',
    title: 'The lease has ended, was moved, or has no live proof of every replica.',
    hint: 'Attest every replica of the lease that runs now, then ask for the key again. For a lease that was closed no key is released any more.',
  },
  RELEASE_NOT_ACCEPTED: {
    verdict: 'reject',
    title: 'The evidence is not accepted by the policy of the key.',
    hint: 'The answer lists what is wrong with the evidence and the remedy of each fault. Mend those and answer a new challenge.',
  },
  RELEASE_DECISION_EXPIRED: {
    verdict: 'reject',
    title: 'The decision on the evidence ran out before the key was released.',
    hint: 'Answer a new challenge. The operator of the service should look for what is slow where this happens often: a decision lasts two minutes at most.',
  },
  RELEASE_KEY_SCOPE: {
    verdict: 'reject',
    title: 'There is no such key for this tenant, lease and policy.',
    hint: 'Ask for a key by the tenant and id that it was registered under, from a lease of that tenant that was opened under the policy of the key. The tenant can list its keys with vouchsafe keys list.',
  },
  RELEASE_KEY_LIMIT: {
    verdict: 'reject',
    title: 'The key is suspended or retired, or has gone out as often as its limits allow.',
    hint: 'The tenant should look at the key with vouchsafe keys show. Resuming it or raising a limit takes two administrators; a retired key stays retired.',
  },
  RELEASE_REPLICA_STALE: {
    verdict: 'inconclusive',
    title: 'This replica of the service is behind what others have used, or the key was administered meanwhile.',
    hint: 'Answer a new challenge. Where it stays so, the operator should bring the collateral of this replica up to date.',
  },
  RELEASE_POLICY_TAMPERED: {
    verdict: 'reject',
    title: 'The stored policy of the key is not the one that it was registered with.',
    hint: 'The operator should treat the database as compromised and compare the audit log. The tenant can register the key again under its policy, which takes two administrators.',
  },
  RELEASE_KEY_TAMPERED: {
    verdict: 'reject',
    title: 'The stored key is not as it was last written: its row or its ciphertext was changed, moved or put back.',
    hint: 'Its row was changed outside the broker, or an older one put back: compare the database with a backup and with the audit log, and find out who wrote to it. The tenant should register the key anew.',
  },
  RELEASE_KEY_OUTDATED: {
    verdict: 'reject',
    title: 'The stored key is of an earlier version, whose rows could be put back without anybody noticing.',
    hint: 'The tenant should register the key again under the same id, with its secret, policy and limits (vouchsafe keys register), which takes two administrators. A key that was registered by this version already is not as it was written: treat the database as compromised.',
  },
  RELEASE_SESSION_TAMPERED: {
    verdict: 'reject',
    title: 'The stored session is not one that this service opened and attested, or not as it was.',
    hint: 'Attest again, which opens a session of its own. The operator should find out who writes to the database: sessions are changed by nobody once they are stored.',
  },
  RELEASE_VAULT_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'The key-encryption key is not there or may not be used, so that no key can be unwrapped.',
    hint: 'The operator should look at the KEK file (present, mode 0600, with the KEK that the finding names) or at the token (module, label, PIN file). A database alone opens nothing, and its backup needs that of the vault beside it.',
  },
  RELEASE_AUDIT_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'The audit record could not be made durable, so nothing is released.',
    hint: 'The operator should look at the disk of the database and of the anchor: full, read-only or failing. Once it can be written the service goes on without repair, and the machine asks with a new challenge.',
  },
  RELEASE_WRAP_KEY_INVALID: {
    verdict: 'reject',
    title: 'A key cannot be wrapped to this public key in this format.',
    hint: 'The workload should make a key of X25519 or P-256 for hpke, or of P-256, P-521 or RSA (2048 bits or more, exponent 65537) for jwe, and put that one into its evidence.',
  },
  RELEASE_WRAPPED_INVALID: {
    verdict: 'reject',
    title: 'The wrapped key does not open with this private key for this release.',
    hint: 'Open it with the private key whose public half is in the evidence, and with lease, policy and challenge as they were asked. After a restart ask for the key again.',
  },
  // Administration of keys.
  ADMIN_APPROVAL_MISSING: {
    verdict: 'reject',
    title: 'This change opens more than before, and no second administrator approved it.',
    hint: 'Have another administrator approve it and name both; over HTTP the token of the second one is in the header Vouchsafe-Approval. Suspending, retiring and tightening take one.',
  },
  ADMIN_KEY_UNKNOWN: {
    verdict: 'reject',
    title: 'There is no key of this tenant and id.',
    hint: 'List the keys of the tenant with vouchsafe keys list, and register the key first where it is missing.',
  },
  ADMIN_KEY_RETIRED: {
    verdict: 'reject',
    title: 'The key is retired, and stays so.',
    hint: 'Seal the weights under a new key and register that one under an id of its own.',
  },
  ADMIN_KEY_CHANGED: {
    verdict: 'inconclusive',
    title: 'The key was changed by somebody else at the same time.',
    hint: 'Look at the key as it is now with vouchsafe keys show, and ask again if the change is still wanted.',
  },
  ADMIN_REQUEST_INVALID: {
    verdict: 'reject',
    title: 'A name, limit or secret of the request is not in the form that it needs.',
    hint: 'The finding names the member and what it takes. Names are up to 128 printable characters without spaces; limits are whole numbers above zero, or unlimited.',
  },
  ADMIN_POLICY_RELEASES_NOTHING: {
    verdict: 'reject',
    title: 'The policy releases no keys.',
    hint: 'Add keyRelease to the policy, with the level that a machine must reach. A key is registered under a policy of profile production only.',
  },
} as const satisfies CodeTable
