import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'

/** TEEs that this verifier can judge, as clients of any version spell them. `sample` and its devices are nobody's hardware. */
const TEES: readonly string[] = [
  'snp',
  'tdx',
  'sgx',
  'cca',
  'az-snp-vtpm',
  'az-tdx-vtpm',
  'azsnpvtpm',
  'aztdxvtpm',
] as const

/** 0.2 and 0.3 send one piece of evidence, 0.4 composite evidence; 0.1 hashes otherwise. */
const VERSIONS = /^0\.(?:2|3|4)\.\d{1,3}$/

/** What a guest asks `/auth` for. */
export interface AuthRequest {
  readonly version: string
  readonly tee: string
}

/**
 * `POST /kbs/v0/auth`: `{ "version", "tee", "extra-params" }`.
 * @returns the request, or KBS_REQUEST_INVALID · KBS_VERSION_UNSUPPORTED · KBS_TEE_UNSUPPORTED
 */
export function decodeAuth(value: Json): Outcome<AuthRequest> {
  return attempt(() => {
    if (!isJsonObject(value)) return refuse('KBS_REQUEST_INVALID', 'auth', { expected: 'an object' })
    const { version, tee } = value
    if (typeof version !== 'string' || typeof tee !== 'string' || !Object.hasOwn(value, 'extra-params'))
      return refuse('KBS_REQUEST_INVALID', 'auth', { expected: 'version, tee and extra-params' })
    if (!VERSIONS.test(version))
      refuse('KBS_VERSION_UNSUPPORTED', 'auth.version', { expected: '0.2.x, 0.3.x or 0.4.x', actual: version })
    if (!TEES.includes(tee)) refuse('KBS_TEE_UNSUPPORTED', 'auth.tee', { expected: TEES.join(', '), actual: tee })
    return { version, tee }
  })
}

/**
 * Whether a guest is of a version whose body has no nonce and no runtime data: `{ "tee-pubkey", "tee-evidence" }` (0.2, 0.3).
 * What it is, the body says; a version that was named at `/auth` decides nothing.
 */
export const isOldAttestation = (value: Json): value is JsonObject =>
  isJsonObject(value) && Object.hasOwn(value, 'tee-pubkey') && !Object.hasOwn(value, 'runtime-data')

/** The same in the form of 0.4, with the nonce that the session was given. What the guest hashed is compared with that. */
export const withNonce = ({ 'tee-pubkey': key, ...rest }: JsonObject, nonce: string): JsonObject => ({
  ...rest,
  'runtime-data': { nonce, 'tee-pubkey': key },
})
