import type { CodeTable } from './entry.ts'

export const RELEASE_CODES = {
  // Release: keys that leave the vault for an attested machine.
  RELEASE_VAULT_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'The key-encryption key is not there, so that no key can be unwrapped.',
    hint: 'The operator should look at the KEK file (present, mode 0600, with the KEK that the finding names) or at the token (module, label, PIN file). A database alone opens nothing, and its backup needs that of the vault beside it.',
  },
  RELEASE_KEY_TAMPERED: {
    verdict: 'reject',
    title: 'The stored key does not open under its tenant, id and policy.',
    hint: 'Its row was changed outside the broker: compare the database with a backup and find out who wrote to it. The tenant should register the key anew.',
  },
  RELEASE_AUDIT_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'The audit record could not be made durable, so nothing is released.',
    hint: 'The operator should look at the disk of the database and of the anchor: full, read-only or failing. Once it can be written the service goes on without repair, and the machine asks with a new challenge.',
  },
} as const satisfies CodeTable
