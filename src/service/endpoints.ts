import type { JsonObject } from '../core/json.ts'
import { base64, LIMITS, members, object, oneOf, orNull, text } from './member-schemas.ts'

/** One call of the service; the OpenAPI document is written from these, and a test holds the routes to them. */
export interface Endpoint {
  readonly method: 'get' | 'post' | 'put'
  /** `{name}` for what the caller fills in */
  readonly path: string
  readonly summary: string
  /** whose token it takes */
  readonly token: 'none' | 'tenant' | 'marketplace' | 'session'
  /** members of the JSON body, with the schema of each; undefined where there is no body */
  readonly body?: Readonly<Record<string, JsonObject>>
  readonly answer: string
  readonly statuses: readonly number[]
}

const KEY = '/v1/tenants/{tenant}/keys/{key}'
const LEASE = object('the lease: owner, dseq, gseq, oseq, provider, bseq, as the chain shows it')

export const ENDPOINTS: readonly Endpoint[] = [
  {
    ...{
      method: 'post',
      path: '/v1/challenges',
      token: 'none',
      answer: 'the challenge record; its nonce is good for 120 seconds',
    },
    summary: 'Ask for a challenge that the machine of a lease answers to get one key.',
    body: {
      tenant: text('whose key'),
      keyId: text('which key of the tenant'),
      lease: LEASE,
      teeKey: base64('SPKI of the public key that the workload generated'),
    },
    statuses: [200, 400, 413, 429, 503],
  },
  {
    ...{
      method: 'post',
      path: '/v1/releases',
      token: 'none',
      answer: 'the wrapped key with its binding; or findings, and remedies for the evidence',
    },
    summary: 'Answer a challenge with evidence. The key goes to the public key inside the evidence, or nowhere.',
    body: {
      tenant: text('whose key'),
      keyId: text('which key of the tenant'),
      challengeId: text('id of the challenge'),
      lease: LEASE,
      evidence: base64('a bundle or any other carrier'),
      wrapKey: orNull(base64('SPKI that the caller expects the key to be wrapped to; null where it does not say')),
      format: oneOf('hpke', 'jwe'),
    },
    statuses: [200, 400, 403, 413, 429, 503],
  },
  {
    ...{
      method: 'get',
      path: '/v1/tenants/{tenant}/keys',
      token: 'tenant',
      answer: 'the keys, without anything secret',
    },
    summary: "List the tenant's keys.",
    statuses: [200, 401, 403, 429, 503],
  },
  {
    ...{ method: 'get', path: KEY, token: 'tenant', answer: 'the key with its policy and its releases' },
    summary: 'Show one key.',
    statuses: [200, 401, 403, 404, 429, 503],
  },
  {
    ...{ method: 'put', path: KEY, token: 'tenant', answer: 'the key as it is registered' },
    summary:
      'Register a key under a policy. To replace one takes a second administrator (Vouchsafe-Approval: Bearer …).',
    body: {
      secret: base64('what is released'),
      policy: object('the policy, as vouchsafe policy schema describes it'),
      limits: members(LIMITS, 'what the key may be released for'),
    },
    statuses: [200, 400, 401, 403, 409, 413, 429, 503],
  },
  {
    ...{ method: 'put', path: `${KEY}/limits`, token: 'tenant', answer: 'the key' },
    summary: 'Change what a key may be released for. To widen a limit takes a second administrator.',
    body: LIMITS,
    statuses: [200, 400, 401, 403, 404, 409, 413, 429, 503],
  },
  {
    ...{ method: 'post', path: `${KEY}/suspend`, token: 'tenant', answer: 'the key' },
    summary: 'Release the key to nobody until it is resumed. What was released is out.',
    statuses: [200, 401, 403, 404, 409, 429, 503],
  },
  {
    ...{ method: 'post', path: `${KEY}/resume`, token: 'tenant', answer: 'the key' },
    summary: 'Release a suspended key again. Takes a second administrator.',
    statuses: [200, 401, 403, 404, 409, 429, 503],
  },
  {
    ...{ method: 'post', path: `${KEY}/retire`, token: 'tenant', answer: 'the key' },
    summary: 'Release the key to nobody, for good.',
    statuses: [200, 401, 403, 404, 409, 429, 503],
  },
  {
    ...{
      method: 'get',
      path: '/v1/tenants/{tenant}/audit',
      token: 'tenant',
      answer: "rows of the tenant's keys, and the number to go on after",
    },
    summary: "Read what the audit log says of the tenant's keys (?after=NUMBER).",
    statuses: [200, 400, 401, 403, 429, 503],
  },
  {
    ...{
      method: 'get',
      path: '/v1/tenants/{tenant}/audit/{sequence}/proof',
      token: 'tenant',
      answer: 'the row, the path to the root (RFC 6962) and the signed checkpoint',
    },
    summary: 'Prove that an entry is in the log.',
    statuses: [200, 400, 401, 403, 429, 503],
  },
  {
    ...{ method: 'post', path: '/v1/leases', token: 'marketplace', answer: 'nothing' },
    summary: 'Open a lease: what was bought, and by which key its machines are judged.',
    body: {
      lease: LEASE,
      order: object('the order that the lease came from, as the chain shows it'),
      hostData: orNull({ type: 'string', pattern: '^[0-9a-f]{64}$', description: 'hex of 32 bytes' }),
      key: members({ tenant: text('whose key'), keyId: text('under whose policy the machines are judged') }),
    },
    statuses: [204, 400, 401, 403, 413, 429, 503],
  },
  {
    ...{ method: 'post', path: '/v1/leases/close', token: 'marketplace', answer: 'nothing' },
    summary: 'Close a lease: nothing is released to it any more.',
    body: { lease: LEASE },
    statuses: [204, 400, 401, 403, 413, 429, 503],
  },
  {
    ...{ method: 'get', path: '/.well-known/jwks.json', token: 'none', answer: 'JWK set' },
    summary: 'The public keys that credentials, tokens and checkpoints are signed with.',
    statuses: [200, 429],
  },
  {
    ...{ method: 'get', path: '/healthz', token: 'none', answer: 'ok' },
    summary: 'Whether the process lives.',
    statuses: [200],
  },
  {
    ...{ method: 'get', path: '/readyz', token: 'none', answer: 'ok, or what is missing' },
    summary: 'Whether store, vault and audit log can be used.',
    statuses: [200, 503],
  },
  {
    ...{ method: 'get', path: '/metrics', token: 'none', answer: 'counters in the text format of Prometheus' },
    summary: 'Counters.',
    statuses: [200],
  },
  {
    ...{ method: 'get', path: '/openapi.json', token: 'none', answer: 'this document' },
    summary: 'This document.',
    statuses: [200, 429],
  },
  {
    ...{ method: 'post', path: '/kbs/v0/auth', token: 'none', answer: 'a nonce, and a session in a cookie' },
    summary: 'Confidential Containers KBS protocol: open a session.',
    body: {
      version: text('0.2.x, 0.3.x or 0.4.x'),
      tee: oneOf('snp', 'tdx', 'sgx', 'cca', 'az-snp-vtpm', 'az-tdx-vtpm'),
      'extra-params': { description: 'anything' },
    },
    statuses: [200, 401, 429],
  },
  {
    ...{ method: 'post', path: '/kbs/v0/attest', token: 'session', answer: 'a token that names the session' },
    summary: 'Confidential Containers KBS protocol: attest, once for each session.',
    body: {
      'init-data': orNull(object('format and body')),
      'runtime-data': object('nonce and tee-pubkey'),
      'tee-evidence': object('primary_evidence and additional_evidence'),
    },
    statuses: [200, 401, 413, 429],
  },
  {
    ...{
      method: 'get',
      path: '/kbs/v0/resource/{tenant}/{type}/{tag}',
      token: 'session',
      answer: 'flattened JWE to the key inside the evidence',
    },
    summary: 'Confidential Containers KBS protocol: get the key {type}/{tag} of a tenant.',
    statuses: [200, 401, 403, 429, 503],
  },
]
