import { utf8 } from '../../core/bytes.ts'
import { fromUtf8 } from '../../core/encodings.ts'
import { canonicalJson, isJsonObject, parseJson } from '../../core/json.ts'
import { attemptAsync, type Outcome, refuse } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { CredentialSigner } from '../../decision/credential/index.ts'
import { algorithmOf, isSignedBy, publicJwk, signJws, splitJws } from '../../decision/credential/jws.ts'
import type { CredentialKey } from '../../decision/credential/keys.ts'
import type { CheckpointRow } from '../ports.ts'

/** What the service says of its log, signed. */
export interface Checkpoint {
  /** rows */
  readonly size: number
  /** root of the RFC 9162 tree over their entries, hex */
  readonly root: string
  /** chain value of the last of them, hex */
  readonly chain: string
  readonly at: UnixSeconds
}

export const CHECKPOINT_TYPE = 'vouchsafe-audit-checkpoint+jws'
const HASH = /^[0-9a-f]{64}$/

export async function signCheckpoint(
  checkpoint: Checkpoint,
  { alg, kid, key }: CredentialSigner,
): Promise<CheckpointRow> {
  const { size, root, chain, at } = checkpoint
  const payload = utf8(canonicalJson({ size, root, chain, at }))
  return { size, statement: await signJws(payload, { alg, kid, typ: CHECKPOINT_TYPE }, key) }
}

/**
 * What a signed checkpoint says, or AUDIT_CHECKPOINT_INVALID: form, key, signature, or made when its key had been retired.
 * @param keys from `pinnedKeys`
 */
export function readCheckpoint(
  statement: string,
  keys: ReadonlyMap<string, CredentialKey>,
  path: string,
): Promise<Outcome<Checkpoint>> {
  return attemptAsync(async () => {
    const invalid = (expected: string): never => refuse('AUDIT_CHECKPOINT_INVALID', path, { expected })
    const jws = splitJws(statement, ['alg', 'kid', 'typ'], 'AUDIT_CHECKPOINT_INVALID', path)
    if (!jws.ok) return invalid('a compact JWS of alg, kid and typ')
    const { header, payload } = jws.value
    const key = typeof header.kid === 'string' ? keys.get(header.kid) : undefined
    const jwk = key && publicJwk(key)
    if (key === undefined || jwk === undefined) return invalid('a key that is pinned')
    if (header.typ !== CHECKPOINT_TYPE || header.alg !== algorithmOf(jwk))
      return invalid(`typ ${CHECKPOINT_TYPE} and alg ${algorithmOf(jwk)}`)
    if (!(await isSignedBy(statement, jwk))) return invalid(`a signature of ${key.kid}`)
    const checkpoint = decode(payload) ?? invalid('size, root, chain and at')
    if (key.retiredAt !== undefined && checkpoint.at >= key.retiredAt) invalid(`a time before ${key.kid} was retired`)
    return checkpoint
  })
}

function decode(payload: Uint8Array): Checkpoint | undefined {
  const text = fromUtf8(payload, '')
  const json = text.ok ? parseJson(text.value, '', 'integers') : text
  if (!json.ok || !isJsonObject(json.value)) return undefined
  const { size, root, chain, at, ...others } = json.value
  const isNumber = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
  if (!isNumber(size) || !isNumber(at) || size === 0 || Object.keys(others).length > 0) return undefined
  if (typeof root !== 'string' || typeof chain !== 'string' || !HASH.test(root) || !HASH.test(chain)) return undefined
  return { size, root, chain, at }
}
