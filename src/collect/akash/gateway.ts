import { setTimeout as sleep } from 'node:timers/promises'
import { utf8 } from '../../core/bytes.ts'
import { toBase64 } from '../../core/encodings.ts'
import { fail, failed, type Outcome, ok } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import { type GatewayAnswer, type PinnedRequest, pinnedPost } from '../pinned-https.ts'
import { answerFault, isWorthRetrying } from './answer.ts'
import { type AccountSigner, isAkashAddress, mintAttestationToken } from './token.ts'

/** The fields of a LeaseID that the call needs; `dseq` in whatever a chain library makes of 64 bits. */
export interface AkashLease {
  readonly owner: string
  readonly dseq: string | number | bigint | { toString(): string }
  readonly gseq: number
  readonly oseq: number
}

/** Who may ask: a token that was minted elsewhere, or the owner's signature, for a token of five minutes. */
export type AkashAuthorisation =
  | { readonly mintToken: () => string | Promise<string> }
  | {
      readonly sign: AccountSigner
      /** `provider`, or the lease's services where the token is to serve this lease alone */
      readonly leases: 'provider' | { readonly services: readonly [string, ...string[]] }
    }

export interface AkashCollection {
  /** `host_uri` of the provider, as the chain has it: its word, not ours */
  readonly endpoint: string
  /** address of the provider, which its certificate names */
  readonly provider: string
  /** SHA-256 of the certificate that the provider has on the chain (DER), lower-case hex */
  readonly providerCertSha256: string
  readonly lease: AkashLease
  /** the challenge's, 64 bytes; whether the quote answers it is for `verify` */
  readonly nonce: Uint8Array
  readonly authorisation: AkashAuthorisation
  readonly now: UnixSeconds
  /** for everything together, waiting included; a challenge lasts 120 seconds */
  readonly deadlineMilliseconds: number
}

/** What the collector does through others. A transport must check the certificate before it sends anything. */
export interface CollectorPorts {
  readonly transport: (request: PinnedRequest) => Promise<GatewayAnswer>
  /** from 0 to below 1, to spread retries */
  readonly random: () => number
  readonly wait: (milliseconds: number) => Promise<void>
}

export const NODE_PORTS: CollectorPorts = {
  transport: pinnedPost,
  random: Math.random,
  wait: async (milliseconds) => {
    await sleep(milliseconds)
  },
}

export interface CollectedQuote {
  /** the quote response (AEP-83) as it came, for `verify`. Nothing in it is proved. */
  readonly bytes: Uint8Array
  /** requests that it took */
  readonly attempts: number
}

const MOST_BYTES = 1024 * 1024
const MOST_ATTEMPTS = 4
const FIRST_WAIT_MILLISECONDS = 500
const TOKEN_SECONDS = 5 * 60
const TOKEN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
const TOKEN_CHARACTERS = 4096

/**
 * Asks the gateway of a provider for a quote of a running lease (AEP-83), unbound (`bind_tls: false`: it proves nothing, see
 * akash.md §5). The token goes to the machine with the provider's certificate alone, and appears in no fault.
 * @returns the answer's bytes, or one fault: AKASH_CERTIFICATE_MISMATCH (reject), or one that leaves the question open:
 * AKASH_ENDPOINT_INVALID · AKASH_GATEWAY_UNREACHABLE · AKASH_TLS_FAILED · AKASH_CERTIFICATE_EXPIRED · AKASH_REQUEST_REFUSED ·
 * AKASH_TOKEN_REFUSED · AKASH_SCOPE_DENIED · AKASH_SIDECAR_ABSENT · AKASH_RATE_LIMITED · AKASH_SIDECAR_UNREACHABLE ·
 * AKASH_QUOTE_FAILED · AKASH_STATUS_UNEXPECTED · AKASH_REDIRECT_REFUSED · AKASH_CONTENT_TYPE_INVALID ·
 * AKASH_RESPONSE_OVERSIZE · AKASH_RESPONSE_TRUNCATED · AKASH_DEADLINE_PASSED
 * @throws TypeError for arguments of the wrong kind, and whatever the signer or the wallet throws
 */
export async function collectAkash(
  collection: AkashCollection,
  ports: CollectorPorts = NODE_PORTS,
): Promise<Outcome<CollectedQuote>> {
  const lease = checkCollection(collection)
  const origin = originOf(collection.endpoint)
  if (origin === undefined) {
    return fail('AKASH_ENDPOINT_INVALID', 'endpoint', {
      expected: 'https://host:port',
      actual: collection.endpoint,
    })
  }
  const started = performance.now()
  const left = () => Math.floor(collection.deadlineMilliseconds - (performance.now() - started))
  const request: Omit<PinnedRequest, 'timeoutMilliseconds'> = {
    url: `${origin}/lease/${lease.dseq}/${lease.gseq}/${lease.oseq}/attestation/quote`,
    certificateSha256: collection.providerCertSha256,
    commonName: collection.provider,
    headers: {
      Authorization: `Bearer ${await tokenOf(collection, lease.dseq)}`,
      'Content-Type': 'application/json',
      Accept: 'application/json',
    },
    body: utf8(JSON.stringify({ nonce: toBase64(collection.nonce), bind_tls: false })),
    maxBytes: MOST_BYTES,
    now: collection.now,
  }
  const expected = `${collection.providerCertSha256}, CN=${collection.provider}`
  for (let attempt = 1; ; attempt++) {
    const timeoutMilliseconds = left()
    if (timeoutMilliseconds <= 0) return fail('AKASH_DEADLINE_PASSED', 'gateway', { actual: `${attempt - 1} attempts` })
    const answer = await ports.transport({ ...request, timeoutMilliseconds })
    const wrong = answerFault(answer, expected)
    if (wrong === undefined && answer.kind === 'response') return ok({ bytes: answer.bytes, attempts: attempt })
    if (wrong === undefined) throw new TypeError('a failure that has no fault')
    const pause = pauseBefore(attempt, answer, ports.random())
    if (attempt >= MOST_ATTEMPTS || !isWorthRetrying(answer) || pause >= left()) return failed([wrong])
    await ports.wait(pause)
  }
}

/** Twice as long each time, spread over half of it; at least what the gateway asks for. */
function pauseBefore(attempt: number, answer: GatewayAnswer, random: number): number {
  const usual = FIRST_WAIT_MILLISECONDS * 2 ** (attempt - 1) * (1 + random / 2)
  const asked = answer.kind === 'response' ? (answer.retryAfterSeconds ?? 0) * 1000 : 0
  return Math.round(Math.max(usual, asked))
}

/** Of the address a provider put on the chain: an HTTPS origin and nothing more. */
function originOf(endpoint: string): string | undefined {
  if (!URL.canParse(endpoint)) return undefined
  const url = new URL(endpoint)
  const isOrigin =
    url.protocol === 'https:' && url.pathname === '/' && `${url.username}${url.password}${url.search}${url.hash}` === ''
  return isOrigin ? url.origin : undefined
}

async function tokenOf(collection: AkashCollection, dseq: string): Promise<string> {
  const { authorisation, lease, provider, now } = collection
  if ('mintToken' in authorisation) {
    const token = await authorisation.mintToken()
    if (typeof token !== 'string' || token.length > TOKEN_CHARACTERS || !TOKEN.test(token))
      throw new TypeError('mintToken gives a compact JWT')
    return token
  }
  const { sign, leases } = authorisation
  const { owner, gseq, oseq } = lease
  const scope = leases === 'provider' ? leases : { dseq: Number(dseq), gseq, oseq, services: leases.services }
  return mintAttestationToken({ owner, provider, leases: scope, now, ttlSeconds: TOKEN_SECONDS }, sign)
}

function checkCollection(collection: AkashCollection): { dseq: string; gseq: number; oseq: number } {
  const { provider, providerCertSha256, lease, nonce, now, deadlineMilliseconds } = collection
  const needs = (isRight: boolean, what: string): void => {
    if (!isRight) throw new TypeError(what)
  }
  const dseq = String(lease.dseq)
  needs(isAkashAddress(provider), 'provider is an akash1 address')
  needs(isAkashAddress(lease.owner), 'lease.owner is an akash1 address')
  needs(/^[1-9][0-9]{0,19}$/.test(dseq), 'lease.dseq is a whole number above zero')
  for (const name of ['gseq', 'oseq'] as const)
    needs(Number.isSafeInteger(lease[name]) && lease[name] >= 0, `lease.${name} is a whole number`)
  needs(/^[0-9a-f]{64}$/.test(providerCertSha256), 'providerCertSha256 is 64 lower-case hexadecimal digits')
  needs(nonce instanceof Uint8Array && nonce.length === 64, 'nonce is 64 bytes')
  needs(Number.isSafeInteger(now) && now > 0, 'now is whole seconds since 1970')
  needs(
    Number.isFinite(deadlineMilliseconds) && deadlineMilliseconds > 0,
    'deadlineMilliseconds is a number above zero',
  )
  return { dseq, gseq: lease.gseq, oseq: lease.oseq }
}
