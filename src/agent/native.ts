import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { type Challenge, challengeNonce, decodeChallenge } from '../attestation/challenge.ts'
import { type Collector, collectEvidence } from '../collect/index.ts'
import { equalBytes } from '../core/bytes.ts'
import { nodeCrypto } from '../core/crypto/node.ts'
import { toBase64 } from '../core/encodings.ts'
import { isJsonObject, type JsonObject } from '../core/json.ts'
import { attemptAsync, type NonEmpty, type Outcome, refuse, take } from '../core/outcome.ts'
import { type KeyName, openWrapped, type ReleaseBinding, type WrappedKey } from '../release/index.ts'
import { ask, type ServiceAddress } from './exchange.ts'
import { refusalOf } from './refusal.ts'

/** One key that this machine asks for. */
export interface NativeRequest extends KeyName {
  readonly service: ServiceAddress
  /** six-field lease id */
  readonly lease: string
  /** sources of this machine's evidence */
  readonly collectors: NonEmpty<Collector>
  /** how devices and CPU are bound to one another */
  readonly binding: 'raw' | 'composite'
}

const CHALLENGES = '/v1/challenges'
const RELEASES = '/v1/releases'

/**
 * Gets one key by the service's own interface: a fresh key pair, a challenge for it, evidence that covers both, and the
 * answer opened. It opens as what was asked for and nothing else, whatever the answer says that it is.
 * @returns the key, which the caller overwrites; or AGENT_* · COLLECT_* · RELEASE_WRAPPED_INVALID · the codes of the service
 */
export function fetchNative(request: NativeRequest): Promise<Outcome<Uint8Array>> {
  return attemptAsync(async () => {
    const { service, tenant, keyId, lease, collectors, binding } = request
    const pair = generateKeyPairSync('x25519')
    const spki = new Uint8Array(pair.publicKey.export({ format: 'der', type: 'spki' }))
    const challenge = await challengeFor(request, spki)
    const { bytes } = take(await collectEvidence(collectors, { nonce: challenge.nonce, key: spki, binding }))
    const [wrapKey, evidence] = [toBase64(spki), toBase64(bytes)]
    const about = { tenant, keyId, lease: leaseObject(lease) }
    const asked = { ...about, challengeId: challenge.id, evidence, wrapKey, format: 'hpke' }
    const answer = take(await ask(service, { method: 'POST', path: RELEASES, body: asked }))
    if (answer.status !== 200 || answer.body.released !== true) return take(refusalOf(answer, RELEASES))
    const { policyDigest } = challenge
    const bound = { tenant, keyId, workload: lease, policyDigest, challengeId: challenge.id }
    return opened(answer.body, pair.privateKey, bound)
  })
}

/** The id as the service reads it: as an object of the chain. */
function leaseObject(id: string): JsonObject {
  const [owner = '', dseq = '', gseq, oseq, provider = '', bseq] = id.split('/')
  return { owner, dseq, gseq: Number(gseq), oseq: Number(oseq), provider, bseq: Number(bseq) }
}

/** A question of ours about this key and this lease, for the key pair that was just made; its nonce says so. */
async function challengeFor({ service, tenant, keyId, lease }: NativeRequest, spki: Uint8Array): Promise<Challenge> {
  const body = { tenant, keyId, lease: leaseObject(lease), teeKey: toBase64(spki) }
  const answer = take(await ask(service, { method: 'POST', path: CHALLENGES, body }))
  if (answer.status !== 200) return take(refusalOf(answer, CHALLENGES))
  const challenge = take(decodeChallenge(answer.body))
  const other = (what: string): never => refuse('AGENT_CHALLENGE_MISMATCH', `challenge.${what}`)
  if (challenge.purpose !== 'key-release') other('purpose')
  if (challenge.lease !== lease) other('lease')
  if (challenge.teeKey === undefined || !equalBytes(challenge.teeKey, spki)) other('teeKey')
  const nonce = await challengeNonce(challenge.record, challenge.rand, nodeCrypto.digest)
  if (!equalBytes(nonce, challenge.nonce)) other('nonce')
  return challenge
}

async function opened(body: JsonObject, privateKey: KeyObject, binding: ReleaseBinding): Promise<Uint8Array> {
  const { key } = body
  if (!isJsonObject(key) || key.format !== 'hpke' || key.kem !== 'DHKEM(X25519, HKDF-SHA256)')
    return refuse('AGENT_ANSWER_INVALID', 'key', { expected: 'hpke for X25519' })
  if (typeof key.enc !== 'string' || typeof key.ciphertext !== 'string')
    return refuse('AGENT_ANSWER_INVALID', 'key', { expected: 'enc and ciphertext' })
  const { format, kem, enc, ciphertext } = key
  const wrapped: WrappedKey = { format, kem, enc, ciphertext }
  return take(await openWrapped(wrapped, privateKey, binding))
}
