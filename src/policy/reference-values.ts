import type { CpuClaims } from '../attestation/claims.ts'
import type { VerificationCache } from '../core/context.ts'
import { fromBase64url, fromUtf8 } from '../core/encodings.ts'
import { canonicalJson, isJsonObject, type Json, type JsonObject, parseJson, pointer } from '../core/json.ts'
import { attempt, type Fault, fail, fault, type NonEmpty, type Outcome, ok, refuse, take } from '../core/outcome.ts'
import { parseRfc3339, type UnixSeconds } from '../core/time.ts'
import { deepFreeze } from './freeze.ts'
import { tdMeasurement } from './measurement.ts'
import { nearestName } from './nearest.ts'
import type { Policy, SignerKey } from './policy.ts'
import { ALGORITHM } from './signers.ts'

declare const proof: unique symbol

/** What a publisher vouches for, beside that it made these images. ARCHITECTURE §5. */
export type Guarantee = 'workload-pinned' | 'closed-quoting' | 'gpu-local' | 'key-in-tee'
export const GUARANTEES: readonly Guarantee[] = ['workload-pinned', 'closed-quoting', 'gpu-local', 'key-in-tee']

/** A statement about launch measurements, by whoever vouches for them. */
export interface ReferenceValue {
  readonly name: string
  readonly kind: CpuClaims['kind']
  /** what was launched, as `launchMeasurement` writes it */
  readonly measurements: NonEmpty<string>
  /** digests that the signer no longer vouches for, whichever of its values names them */
  readonly withdrawn: readonly string[]
  readonly guarantees: readonly Guarantee[]
  /** valid from this second … */
  readonly notBefore: UnixSeconds
  /** … until before this one */
  readonly expires: UnixSeconds
}

/** A reference value whose signature was proved to be this signer's. Made by `authenticateReferenceValue` only. */
export interface AuthenticReferenceValue extends ReferenceValue {
  readonly [proof]: 'authenticated'
  readonly signer: SignerKey
}

/** `typ` of the JWS, so that nothing else the signer signs can be taken for a reference value. */
export const REFERENCE_VALUE_TYPE = 'vouchsafe-reference-value+jws'
/** Memory for each character of a value that was proved: its text twice, and what it says. */
const DECODED_COST = 8
const MOST_CHARACTERS = 256 * 1024
const HEADER_MEMBERS = ['alg', 'kid', 'typ']
const PAYLOAD_MEMBERS = ['version', 'name', 'kind', 'measurements', 'withdrawn', 'guarantees', 'notBefore', 'expires']

/**
 * Proves a reference value: a compact JWS with exactly the header members alg, kid and typ, signed by the signer of that
 * `kid`, with the one algorithm of its key. Whether it is in force at a time is for the appraisal.
 * @param text the file's text; white space around it is ignored
 * @param signers those of the policy
 * @param cache has the values whose signature by this very key was proved before
 * @returns the value, or REFERENCE_VALUE_INVALID (form) · REFERENCE_VALUE_UNTRUSTED (signer or signature) · JSON_SYNTAX ·
 * JSON_DUPLICATE_KEY · LIMIT_JSON_DEPTH
 */
export async function authenticateReferenceValue(
  text: string,
  signers: readonly SignerKey[],
  cache: VerificationCache,
  path: string,
): Promise<Outcome<AuthenticReferenceValue>> {
  const parts = splitJws(text, path)
  if (!parts.ok) return parts
  const { header, payload } = parts.value
  const found = signers.find((s) => s.kid === header.kid)
  if (found === undefined) {
    return fail('REFERENCE_VALUE_UNTRUSTED', `${path}.kid`, {
      expected: signers.map((s) => s.kid).join(' | '),
      actual: header.kid,
    })
  }
  // A copy: what was proved under one key is remembered under that, whatever becomes of the caller's object meanwhile.
  const signer = { ...found }
  const algorithm = ALGORITHM[signer.crv]
  if (header.alg !== algorithm) {
    return fail('REFERENCE_VALUE_UNTRUSTED', `${path}.alg`, { expected: algorithm, actual: header.alg })
  }
  const known = `reference value ${canonicalJson({ ...signer })} ${text}`
  const before = cache.get(known)
  if (before !== undefined) return ok(before as AuthenticReferenceValue)
  const refusal = await signatureFault(text.trim(), signer, algorithm, path)
  if (refusal !== undefined) return { ok: false, faults: [refusal] }
  const value = decodeReferenceValue(payload, path)
  if (!value.ok) return value
  const authentic = deepFreeze({ ...value.value, signer }) as AuthenticReferenceValue
  cache.set(known, authentic, DECODED_COST * text.length)
  return ok(authentic)
}

/**
 * Whether a text has the form of a signed reference value, for whoever takes in those of many: nothing is proved by it.
 * @returns nothing, or REFERENCE_VALUE_INVALID · JSON_SYNTAX · JSON_DUPLICATE_KEY · LIMIT_JSON_DEPTH
 */
export function checkReferenceValue(text: string, path: string): Outcome<void> {
  return attempt(() => {
    take(decodeReferenceValue(take(splitJws(text, path)).payload, path))
  })
}

/**
 * Those of a verifier's reference values that name a signer of this policy, for whoever judges under the policies of many: what
 * one tenant's team signs is nothing to another's. Nothing is proved by it, and what cannot be read is among them, to be refused.
 */
export function referenceValuesOf(policy: Policy, texts: readonly string[]): readonly string[] {
  const byPolicy = OF_POLICIES.get(texts) ?? new WeakMap<Policy, readonly string[]>()
  OF_POLICIES.set(texts, byPolicy)
  const known = byPolicy.get(policy)
  if (known !== undefined) return known
  const signers = policy.referenceValues === 'none' ? [] : policy.referenceValues.signers
  const own = texts.filter((text) => {
    const parts = splitJws(text, '')
    return !parts.ok || signers.some(({ kid }) => kid === parts.value.header.kid)
  })
  byPolicy.set(policy, own)
  return own
}

/** Policies are frozen, and a gate has its values for as long as it lives. */
const OF_POLICIES = new WeakMap<readonly string[], WeakMap<Policy, readonly string[]>>()

/** Undefined where the signature is the signer's. */
async function signatureFault(
  jws: string,
  signer: SignerKey,
  algorithm: string,
  path: string,
): Promise<Fault | undefined> {
  const { compactVerify, errors, importJWK } = await import('jose')
  let key: Awaited<ReturnType<typeof importJWK>>
  try {
    key = await importJWK({ ...signer }, algorithm)
  } catch {
    return fault('REFERENCE_VALUE_UNTRUSTED', `${path}.kid`, {
      expected: 'a usable public key in the policy',
      actual: signer.kid,
    })
  }
  try {
    await compactVerify(jws, key, { algorithms: [algorithm] })
    return undefined
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error
    return fault('REFERENCE_VALUE_UNTRUSTED', `${path}.signature`, { expected: `a signature of ${signer.kid}` })
  }
}

function splitJws(text: string, path: string): Outcome<{ header: { alg: string; kid: string }; payload: Uint8Array }> {
  return attempt(() => {
    if (text.length > MOST_CHARACTERS) invalid(path, `at most ${MOST_CHARACTERS} characters`, `${text.length}`)
    const [header, payload, signature, ...more] = text.trim().split('.')
    if (header === undefined || payload === undefined || signature === undefined || more.length > 0) {
      return refuse('REFERENCE_VALUE_INVALID', path, { expected: 'a compact JWS' })
    }
    decodeBase64url(signature, `${path}.signature`)
    const members = readObject(decodeBase64url(header, `${path}.header`), HEADER_MEMBERS, `${path}.header`)
    const member = (name: string): string => {
      const value = members[name]
      return typeof value === 'string' ? value : invalid(`${path}.header.${name}`, 'text')
    }
    if (member('typ') !== REFERENCE_VALUE_TYPE) invalid(`${path}.header.typ`, REFERENCE_VALUE_TYPE, member('typ'))
    return { header: { alg: member('alg'), kid: member('kid') }, payload: decodeBase64url(payload, `${path}.payload`) }
  })
}

const invalid = (path: string, expected: string, actual?: string): never =>
  refuse('REFERENCE_VALUE_INVALID', path, { expected, ...(actual === undefined ? {} : { actual }) })

/** Of at least one byte. */
const decodeBase64url = (text: string, path: string): Uint8Array =>
  (text === '' ? undefined : fromBase64url(text)) ?? invalid(path, 'canonical base64url without padding')

function readObject(bytes: Uint8Array, known: readonly string[], path: string): JsonObject {
  const text = fromUtf8(bytes, path)
  const json = take(parseJson(text.ok ? text.value : invalid(path, 'UTF-8'), path, 'integers'))
  if (!isJsonObject(json)) return invalid(path, 'an object')
  const unknown = Object.keys(json).find((key) => !known.includes(key))
  if (unknown !== undefined)
    invalid(pointer(path, unknown), nearestName(unknown, known) ?? `one of ${known.join(', ')}`, unknown)
  return json
}

/** The payload. Only `authenticateReferenceValue` makes something of it, after the signature was proved. */
function decodeReferenceValue(payload: Uint8Array, path: string): Outcome<ReferenceValue> {
  return attempt(() => {
    const json = readObject(payload, PAYLOAD_MEMBERS, path)
    if (json.version !== 1) invalid(`${path}/version`, '1')
    const kind = KINDS.find((k) => k === json.kind) ?? invalid(`${path}/kind`, KINDS.join(' | '))
    const readMeasurement = MEASUREMENT_READERS[kind]
    const { name } = json
    if (typeof name !== 'string' || !/^[\x20-\x7e]{1,160}$/.test(name))
      return invalid(`${path}/name`, 'up to 160 printable characters')
    const notBefore = readTime(json.notBefore, `${path}/notBefore`)
    const expires = readTime(json.expires, `${path}/expires`)
    if (expires <= notBefore) invalid(`${path}/expires`, 'later than notBefore')
    return {
      name,
      kind,
      measurements: readList(json.measurements, `${path}/measurements`, readMeasurement),
      withdrawn: json.withdrawn === undefined ? [] : readList(json.withdrawn, `${path}/withdrawn`, readMeasurement),
      guarantees: json.guarantees === undefined ? [] : readList(json.guarantees, `${path}/guarantees`, readGuarantee),
      notBefore,
      expires,
    }
  })
}

function readTime(json: Json | undefined, path: string): UnixSeconds {
  const expected = 'a time such as 2026-08-01T00:00:00Z'
  return (typeof json === 'string' ? parseRfc3339(json) : undefined) ?? invalid(path, expected)
}

const KINDS: readonly CpuClaims['kind'][] = ['amd/snp-report', 'intel/tdx-quote', 'intel/sgx-quote']
const TD_MEMBERS = ['mrTd', 'rtmr0', 'rtmr1', 'rtmr2']

const readDigest =
  (sizeBytes: number) =>
  (json: Json | undefined, path: string): string => {
    const digits = 2 * sizeBytes
    if (typeof json !== 'string' || json.length !== digits || !/^[0-9a-f]*$/.test(json))
      return invalid(path, `${digits} lower-case hexadecimal digits`)
    return /^0+$/.test(json) ? invalid(path, 'a digest that is not zero') : json
  }

/** MRTD alone is the firmware: a TD is described by what it loaded too. */
function readTd(json: Json, path: string): string {
  if (!isJsonObject(json)) return invalid(path, `an object of ${TD_MEMBERS.join(', ')}`)
  const unknown = Object.keys(json).find((key) => !TD_MEMBERS.includes(key))
  if (unknown !== undefined) invalid(pointer(path, unknown), TD_MEMBERS.join(', '), unknown)
  const [mrTd = '', ...rtmrs] = TD_MEMBERS.map((name) => readDigest(48)(json[name], pointer(path, name)))
  return tdMeasurement(mrTd, rtmrs)
}

const MEASUREMENT_READERS: Readonly<Record<CpuClaims['kind'], (json: Json, path: string) => string>> = {
  'amd/snp-report': readDigest(48),
  'intel/tdx-quote': readTd,
  'intel/sgx-quote': readDigest(32),
}

const readGuarantee = (json: Json, path: string): Guarantee =>
  GUARANTEES.find((g) => g === json) ?? invalid(path, GUARANTEES.join(' | '))

/** A list without repetition that is not empty. */
function readList<T>(json: Json | undefined, path: string, read: (json: Json, path: string) => T): NonEmpty<T> {
  if (!Array.isArray(json)) return invalid(path, 'a list')
  const entries = (json as readonly Json[]).map((entry, i) => read(entry, pointer(path, i)))
  if (new Set(entries).size < entries.length) invalid(path, 'no entry twice')
  const [first, ...rest] = entries
  return first === undefined ? invalid(path, 'at least one entry') : [first, ...rest]
}
