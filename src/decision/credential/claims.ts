import { fromUtf8 } from '../../core/encodings.ts'
import { isJsonObject, type Json, type JsonObject, parseJson, pointer } from '../../core/json.ts'
import { attempt, type NonEmpty, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { GpuBinding, Level, PhysicalAssurance } from '../decision.ts'
import { isLeaseId, isOrderId, orderOfLease, providerOfLease } from './lease-id.ts'
import { CATEGORIES, type EarStatus, STATUSES, type Submodule, statusOf, type TrustworthinessVector } from './trust.ts'

/** What a credential may be used for. None ever stands in for another. */
export type CredentialPurpose = 'posture' | 'lease' | 'key-release'

/** `typ` of the JWT, so that nothing else the verifier signs can be taken for a credential (RFC 9711 §6). */
export const CREDENTIAL_TYPE = 'eat+jwt'
export const EAR_PROFILE = 'tag:github.com,2023:veraison/ear'

/** The longest life of a credential by purpose, in seconds (ARCHITECTURE §7). */
export const LONGEST_SECONDS: Readonly<Record<CredentialPurpose, number>> = {
  posture: 6 * 60 * 60,
  lease: 30 * 60,
  'key-release': 2 * 60,
}

/** Our own member of the claims: what a gate decides by. */
export interface VouchsafeClaims {
  readonly level: Level
  readonly purpose: CredentialPurpose
  /** six-field LeaseID; `null` for posture, and only there */
  readonly lease: string | null
  /** four-field OrderID: that of the lease, or what a posture is restricted to; `null` for a posture of any order */
  readonly order: string | null
  /** hardware that the evidence identified, as the decision names it or salted by the issuer */
  readonly hw: readonly { readonly kind: string; readonly id: string }[]
  /** digest of the policy, `sha256:` and 64 hexadecimal digits */
  readonly policy: string
  /** digest of the evidence, in the same form */
  readonly evidence: string
  /** risks that the tenant accepted by name */
  readonly risks: readonly string[]
  readonly gpu: { readonly count: number; readonly binding: GpuBinding }
  /** a fact from outside cryptography; never implied by the level */
  readonly physical: PhysicalAssurance
}

/** Claims of an eligibility credential, by the names they have on the wire: an EAR (draft-ietf-rats-ear) in a JWT. */
export interface CredentialClaims {
  readonly eat_profile: typeof EAR_PROFILE
  readonly iss: string
  /** address of the provider */
  readonly sub: string
  readonly aud: NonEmpty<string>
  readonly iat: UnixSeconds
  readonly nbf: UnixSeconds
  readonly exp: UnixSeconds
  /** unique; a credential for key release is burnt by it */
  readonly jti: string
  /** nonce of the challenge that the evidence answered, base64 of 64 bytes */
  readonly eat_nonce: string
  readonly 'ear.verifier-id': { readonly developer: string; readonly build: string }
  /** one per evidence item */
  readonly submods: Readonly<Record<string, Submodule>>
  readonly vouchsafe: VouchsafeClaims
  /** RFC 7638 thumbprint of the key that has to be proved when the credential is presented (RFC 7800) */
  readonly cnf: { readonly jkt: string }
}

const TEXT = /^[\x21-\x7e]{1,256}$/
const NAME = /^[\x20-\x7e]{1,256}$/
const DIGEST = /^sha256:[0-9a-f]{64}$/
const THUMBPRINT = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/
const NONCE = /^[A-Za-z0-9+/]{85}[AQgw]==$/
const HARDWARE = /^[0-9A-Za-z:._-]{1,200}$/
const KIND = /^[a-z0-9-]{1,64}$/
const SUBMODULE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

export const isClaimText = (text: string): boolean => TEXT.test(text)
export const isVerifierName = (text: string): boolean => NAME.test(text)
export const isDigest = (text: string): boolean => DIGEST.test(text)
export const isThumbprint = (text: string): boolean => THUMBPRINT.test(text)

const MOST_ENTRIES = 64

/**
 * Reads the claims of a credential whose signature was proved. Closed: a member that is not known is refused, because it may
 * restrict what the others allow.
 * @returns the claims, or RESULT_INVALID · RESULT_EXPIRED (longer life than the purpose allows) · UTF8_INVALID · JSON_SYNTAX ·
 * JSON_DUPLICATE_KEY · JSON_TYPE_MISMATCH · LIMIT_JSON_DEPTH · LIMIT_JSON_VALUES
 */
export function decodeClaims(payload: Uint8Array, path: string): Outcome<CredentialClaims> {
  return attempt(() => {
    const json = take(parseJson(take(fromUtf8(payload, path)), path, 'integers'))
    const claims = new Reader(json, path, [
      ...['eat_profile', 'iss', 'sub', 'aud', 'iat', 'nbf', 'exp', 'jti', 'eat_nonce', 'ear.verifier-id', 'submods'],
      ...['vouchsafe', 'cnf'],
    ])
    if (claims.value('eat_profile') !== EAR_PROFILE) invalid(pointer(path, 'eat_profile'), EAR_PROFILE)
    const verifier = claims.object('ear.verifier-id', ['developer', 'build'])
    const vouchsafe = readVouchsafe(
      claims.object('vouchsafe', [
        ...['level', 'purpose', 'lease', 'order', 'hw', 'policy', 'evidence', 'risks', 'gpu', 'physical'],
      ]),
    )
    const [iat, nbf, exp] = [claims.integer('iat'), claims.integer('nbf'), claims.integer('exp')]
    if (nbf !== iat) invalid(pointer(path, 'nbf'), 'the second of iat')
    if (exp <= iat) invalid(pointer(path, 'exp'), 'a second after iat')
    const longest = LONGEST_SECONDS[vouchsafe.purpose]
    if (exp - iat > longest) {
      refuse('RESULT_EXPIRED', pointer(path, 'exp'), {
        expected: `at most ${longest} s for ${vouchsafe.purpose}`,
        actual: `${exp - iat} s`,
      })
    }
    const sub = claims.text('sub', TEXT)
    if (vouchsafe.lease !== null && providerOfLease(vouchsafe.lease) !== sub)
      invalid(pointer(path, 'sub'), 'the provider of the lease')
    return {
      eat_profile: EAR_PROFILE,
      iss: claims.text('iss', TEXT),
      sub,
      aud: nonEmpty(
        claims.list('aud', (v, at) => text(v, at, TEXT)),
        pointer(path, 'aud'),
      ),
      iat,
      nbf,
      exp,
      jti: claims.text('jti', TEXT),
      eat_nonce: claims.text('eat_nonce', NONCE),
      'ear.verifier-id': { developer: verifier.text('developer', NAME), build: verifier.text('build', NAME) },
      submods: readSubmodules(claims.value('submods'), pointer(path, 'submods'), vouchsafe.policy),
      vouchsafe,
      cnf: { jkt: claims.object('cnf', ['jkt']).text('jkt', THUMBPRINT) },
    }
  })
}

function readVouchsafe(members: Reader): VouchsafeClaims {
  const purpose = members.oneOf('purpose', ['posture', 'lease', 'key-release'] as const)
  const lease = members.textOrNull('lease', isLeaseId)
  const order = members.textOrNull('order', isOrderId)
  if ((lease === null) !== (purpose === 'posture')) invalid(members.at('lease'), `what ${purpose} has`)
  if (lease !== null && order !== orderOfLease(lease)) invalid(members.at('order'), 'the order of the lease')
  const gpu = members.object('gpu', ['count', 'binding'])
  return {
    level: members.oneOf('level', [0, 1, 2, 3, 4, 5] as const),
    purpose,
    lease,
    order,
    hw: members.list('hw', (value, at) => {
      const entry = new Reader(value, at, ['kind', 'id'])
      return { kind: entry.text('kind', KIND), id: entry.text('id', HARDWARE) }
    }),
    policy: members.text('policy', DIGEST),
    evidence: members.text('evidence', DIGEST),
    risks: members.list('risks', (value, at) => text(value, at, KIND)),
    gpu: {
      count: gpu.integer('count'),
      binding: gpu.oneOf('binding', ['none', 'shared-nonce', 'measured-guest', 'tdisp'] as const),
    },
    physical: members.oneOf('physical', ['unknown', 'audited', 'hyperscaler'] as const),
  }
}

/** Each with a status that its vector bears out: a relying party recomputes it (draft-ietf-rats-ear). */
function readSubmodules(value: Json | undefined, path: string, policy: string): Readonly<Record<string, Submodule>> {
  if (!isJsonObject(value)) return invalid(path, 'an object')
  const names = Object.keys(value)
  if (names.length === 0 || names.length > MOST_ENTRIES) invalid(path, `1 to ${MOST_ENTRIES} submodules`)
  const submodules: Record<string, Submodule> = Object.create(null)
  for (const name of names) {
    const at = pointer(path, name)
    if (!SUBMODULE.test(name)) invalid(at, 'a name of up to 64 letters and digits')
    const member = new Reader(value[name] ?? null, at, [
      ...['ear.status', 'ear.trustworthiness-vector', 'ear.appraisal-policy-id'],
    ])
    const vector = readVector(member.object('ear.trustworthiness-vector', CATEGORIES))
    const status: EarStatus = member.oneOf('ear.status', STATUSES)
    if (status !== statusOf(vector)) invalid(member.at('ear.status'), statusOf(vector))
    if (status === 'contraindicated') invalid(member.at('ear.status'), 'a result that allows anything at all')
    if (member.value('ear.appraisal-policy-id') !== policyUrn(policy))
      invalid(member.at('ear.appraisal-policy-id'), policyUrn(policy))
    submodules[name] = {
      'ear.status': status,
      'ear.trustworthiness-vector': vector,
      'ear.appraisal-policy-id': policyUrn(policy),
    }
  }
  return submodules
}

function readVector(members: Reader): TrustworthinessVector {
  const vector: { [category in (typeof CATEGORIES)[number]]?: number } = {}
  for (const category of CATEGORIES) {
    if (members.value(category) === undefined) continue
    const value = members.integer(category, -128)
    if (value > 127) invalid(members.at(category), 'a signed byte')
    vector[category] = value
  }
  return vector
}

/** A policy's digest as the URI that EAR asks for. */
export const policyUrn = (digest: string): string => `urn:${digest}`

const invalid = (path: string, expected: string): never => refuse('RESULT_INVALID', path, { expected })

const text = (value: Json | undefined, path: string, form: RegExp): string =>
  typeof value === 'string' && form.test(value) ? value : invalid(path, 'text of the form this claim has')

function nonEmpty<T>([first, ...rest]: readonly T[], path: string): NonEmpty<T> {
  return first === undefined ? invalid(path, 'at least one entry') : [first, ...rest]
}

/** An object of known members. */
class Reader {
  readonly #members: JsonObject
  readonly #path: string

  constructor(value: Json, path: string, known: readonly string[]) {
    if (!isJsonObject(value)) invalid(path, 'an object')
    this.#members = value as JsonObject
    this.#path = path
    const unknown = Object.keys(this.#members).find((name) => !known.includes(name))
    if (unknown !== undefined) invalid(this.at(unknown), `one of ${known.join(', ')}`)
  }

  at(name: string): string {
    return pointer(this.#path, name)
  }

  value(name: string): Json | undefined {
    return this.#members[name]
  }

  object(name: string, known: readonly string[]): Reader {
    return new Reader(this.#members[name] ?? null, this.at(name), known)
  }

  text(name: string, form: RegExp): string {
    return text(this.#members[name], this.at(name), form)
  }

  textOrNull(name: string, isRight: (text: string) => boolean): string | null {
    const value = this.#members[name]
    if (value === null) return null
    return typeof value === 'string' && isRight(value) ? value : invalid(this.at(name), 'null or an id of its fields')
  }

  integer(name: string, least = 0): number {
    const value = this.#members[name]
    return typeof value === 'number' && Number.isSafeInteger(value) && value >= least
      ? value
      : invalid(this.at(name), 'a whole number')
  }

  oneOf<T extends string | number>(name: string, allowed: readonly T[]): T {
    return allowed.find((one) => one === this.#members[name]) ?? invalid(this.at(name), allowed.join(' | '))
  }

  list<T>(name: string, read: (value: Json, path: string) => T): readonly T[] {
    const value = this.#members[name]
    if (!Array.isArray(value) || value.length > MOST_ENTRIES)
      return invalid(this.at(name), `a list of up to ${MOST_ENTRIES}`)
    return (value as readonly Json[]).map((entry, i) => read(entry, pointer(this.at(name), i)))
  }
}
