import type { Row } from './catalogue.ts'

/** REL: release of keys. */
export const RELEASE_AREAS: readonly string[] = ['REL']

export const RELEASE_ROWS = [
  {
    id: 'RJ-REL-01',
    code: 'RELEASE_CHALLENGE_CONSUMED',
    verdict: 'reject',
    what: 'a challenge used twice, one after the other',
  },
  {
    id: 'RJ-REL-02',
    code: 'RELEASE_CHALLENGE_CONSUMED',
    verdict: 'reject',
    what: 'a challenge used 64 times at once, at two replicas',
  },
  { id: 'RJ-REL-03', code: 'RELEASE_CHALLENGE_UNKNOWN', verdict: 'reject', what: 'a challenge that nobody asked' },
  {
    id: 'RJ-REL-04',
    code: 'RELEASE_LEASE_NOT_ACTIVE',
    verdict: 'reject',
    what: 'a lease that ended or moved between evidence and release',
  },
  { id: 'RJ-REL-05', code: 'RELEASE_NOT_ACCEPTED', verdict: 'reject', what: 'a decision that is no accept' },
  {
    id: 'RJ-REL-06',
    code: 'BIND_KEY_MISMATCH',
    verdict: 'reject',
    what: 'a key to wrap to that is not the one inside the evidence',
  },
  { id: 'RJ-REL-07', code: 'RELEASE_KEY_SCOPE', verdict: 'reject', what: 'a key of another tenant or lease' },
  {
    id: 'RJ-REL-08',
    code: 'RELEASE_DECISION_EXPIRED',
    verdict: 'reject',
    what: 'a decision that has run out',
  },
  {
    id: 'RJ-REL-09',
    code: 'RELEASE_KEY_LIMIT',
    verdict: 'reject',
    what: 'a key that has reached a limit, is suspended or retired',
  },
  {
    id: 'RJ-REL-10',
    code: 'RELEASE_WRAP_KEY_INVALID',
    verdict: 'reject',
    what: 'an attested key that nothing may be wrapped to',
  },
  {
    id: 'RJ-REL-11',
    code: 'RELEASE_REPLICA_STALE',
    verdict: 'inconclusive',
    what: 'a replica behind the shared epoch of collateral or policies',
  },
  {
    id: 'RJ-REL-12',
    code: 'RELEASE_POLICY_TAMPERED',
    verdict: 'reject',
    what: 'a policy swapped in the database',
  },
  {
    id: 'RJ-REL-13',
    code: 'RELEASE_KEY_TAMPERED',
    verdict: 'reject',
    what: 'a wrapped key moved to another tenant',
  },
  { id: 'RJ-REL-14', code: 'RELEASE_KEY_TAMPERED', verdict: 'reject', what: 'a wrapped key with a bit flipped' },
  {
    id: 'RJ-REL-15',
    code: 'RELEASE_VAULT_UNAVAILABLE',
    verdict: 'inconclusive',
    what: 'a stolen database without its key-encryption key',
  },
  {
    id: 'RJ-REL-16',
    code: 'RELEASE_AUDIT_UNAVAILABLE',
    verdict: 'inconclusive',
    what: 'an audit log that cannot be written',
  },
  { id: 'RJ-REL-17', code: 'AUDIT_CHAIN_BROKEN', verdict: 'reject', what: 'an audit log edited, cut or thinned out' },
  { id: 'RJ-REL-18', code: 'AUDIT_TIME_INVALID', verdict: 'reject', what: 'an audit entry older than the last one' },
  {
    id: 'RJ-REL-19',
    code: 'RELEASE_NOT_ACCEPTED',
    verdict: 'reject',
    what: 'a prober who asks with one measurement after the other',
  },
  {
    id: 'RJ-REL-20',
    code: 'ADMIN_APPROVAL_MISSING',
    verdict: 'reject',
    what: 'a change that opens more, without a second administrator',
  },
  {
    id: 'RJ-REL-21',
    code: 'RELEASE_CHALLENGE_CONSUMED',
    verdict: 'reject',
    what: 'a second try after a crash between audit and answer',
  },
  {
    id: 'RJ-REL-22',
    code: 'RELEASE_CHALLENGE_CONSUMED',
    verdict: 'reject',
    what: 'one nonce and two attestations at once, for two keys',
  },
] as const satisfies readonly Row[]
