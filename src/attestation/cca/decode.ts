import { equalBytes } from '../../core/bytes.ts'
import { AS_WRITTEN, type Cbor, CborFields, CborTag, cborTypeOf, DETERMINISTIC, decodeCbor } from '../../core/cbor.ts'
import { type CoseProfile, type CoseSign1, decodeCoseSign1 } from '../../core/cose.ts'
import type { HashName } from '../../core/crypto/port.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, fail, type Outcome, refuse, take } from '../../core/outcome.ts'
import { type Decoded, decoded } from '../kind.ts'
import { decodeRealmKey, type RealmKey } from './realm-key.ts'

/** Hash algorithms by the names that the tokens give them. */
export const CCA_HASHES = { 'sha-256': 'sha256', 'sha-384': 'sha384', 'sha-512': 'sha512' } as const satisfies Record<
  string,
  HashName
>
export type CcaHash = keyof typeof CCA_HASHES

export interface CcaSwComponent {
  readonly type: string | undefined
  readonly measurementValue: Uint8Array
  readonly version: string | undefined
  readonly signerId: Uint8Array
  readonly hashAlgorithm: string | undefined
}

export interface CcaPlatform {
  readonly sign1: CoseSign1
  readonly profile: string
  /** hash of the realm attestation key: what ties the realm token to this one */
  readonly challenge: Uint8Array
  readonly implementationId: Uint8Array
  readonly instanceId: Uint8Array
  readonly config: Uint8Array
  readonly lifecycle: number
  readonly hashAlgorithm: CcaHash
  readonly swComponents: readonly CcaSwComponent[]
  readonly verificationService: string | undefined
}

export interface CcaRealm {
  readonly sign1: CoseSign1
  readonly profile: string | undefined
  /** the verifier's challenge, 64 bytes */
  readonly challenge: Uint8Array
  readonly personalizationValue: Uint8Array
  readonly initialMeasurement: Uint8Array
  readonly extensibleMeasurements: readonly Uint8Array[]
  readonly hashAlgorithm: CcaHash
  readonly publicKey: RealmKey
  readonly publicKeyHashAlgorithm: CcaHash
}

/** An Arm CCA token as a structure. Nothing in it is proved. */
export interface CcaToken {
  readonly platform: CcaPlatform
  readonly realm: CcaRealm
}

/** CMW collection, and the EAT collection that came before it. */
const TAG = { cmw: 907, legacy: 399 } as const
/** application/eat+cwt */
const CONTENT_FORMAT = 263
const ENTRY = { platform: 44234, realm: 44241 } as const
const PLATFORM_PROFILES = ['tag:arm.com,2023:cca_platform#1.0.0', 'http://arm.com/CCA-SSD/1.0.0']
const REALM_PROFILE = 'tag:arm.com,2023:realm#1.0.0'
const DIGEST_BYTES = [32, 48, 64] as const
const EXTENSIBLE_MEASUREMENTS = 4
const INVALID = 'CCA_TOKEN_INVALID'

/** Platform keys are P-256 or P-384; the realm's is P-384, made by the realm management monitor. */
const PLATFORM_SIGN1: CoseProfile = { algorithms: ['ES256', 'ES384'], tag: 'required' }
const REALM_SIGN1: CoseProfile = { algorithms: ['ES384'], tag: 'required' }

/** Whether the bytes begin with one of the two collections' tags and a map; no proof of anything. */
export const looksLikeCcaToken = (bytes: Uint8Array): boolean =>
  [TAG.cmw, TAG.legacy].some((tag) => equalBytes(bytes.subarray(0, 3), Uint8Array.of(0xd9, tag >> 8, tag & 0xff))) &&
  (bytes[3] ?? 0) >> 5 === 5

/**
 * Decodes a CCA attestation token: the collection, both COSE_Sign1 and their claims, in the order in which the firmware writes
 * them.
 * @returns the token, or LIMIT_EVIDENCE_BYTES · those of `decodeCbor` and `decodeCoseSign1` · CCA_TOKEN_INVALID
 * @see Arm DEN0137, Realm Management Monitor: attestation token; ../shared/spec/tpm-and-clouds.md §7
 */
export function decodeCcaToken(bytes: Uint8Array, path: string): Outcome<Decoded<CcaToken>> {
  if (bytes.length > LIMITS.evidenceBytes) {
    return fail('LIMIT_EVIDENCE_BYTES', path, { expected: `at most ${LIMITS.evidenceBytes}`, actual: bytes.length })
  }
  return attempt(() => {
    const outer = take(decodeCbor(bytes, path, { ...DETERMINISTIC, tags: [TAG.cmw, TAG.legacy] }))
    if (!(outer instanceof CborTag)) {
      return refuse(INVALID, path, { expected: `tag ${TAG.cmw} or ${TAG.legacy}`, actual: cborTypeOf(outer) })
    }
    const entries = new CborFields(outer.content, path, INVALID)
    const unwrap = (key: number, name: string): Uint8Array => {
      const entry = entries.required(key, name)
      const token: Cbor = outer.tag === TAG.cmw ? wrapped(entry, entries, name) : entry
      return token instanceof Uint8Array ? token : entries.wrong(name, 'byte string', cborTypeOf(token))
    }
    const platform = unwrap(ENTRY.platform, 'platform')
    const realm = unwrap(ENTRY.realm, 'realm')
    entries.end()
    return decoded<CcaToken>({
      platform: platformOf(platform, `${path}.platform`),
      realm: realmOf(realm, `${path}.realm`),
    })
  })
}

/** A CMW record: content format, value. */
function wrapped(entry: Cbor, entries: CborFields, name: string): Cbor {
  if (!Array.isArray(entry) || entry.length !== 2 || entry[0] !== CONTENT_FORMAT) {
    return entries.wrong(name, `[${CONTENT_FORMAT}, token]`, cborTypeOf(entry))
  }
  return entry[1] ?? null
}

function claimsOf(sign1: CoseSign1, path: string): CborFields {
  return new CborFields(take(decodeCbor(sign1.payload, path, AS_WRITTEN)), path, INVALID)
}

function platformOf(bytes: Uint8Array, path: string): CcaPlatform {
  const sign1 = take(decodeCoseSign1(bytes, path, PLATFORM_SIGN1))
  const claims = claimsOf(sign1, path)
  const profile = claims.text(265, 'profile')
  if (!PLATFORM_PROFILES.includes(profile)) claims.wrong('profile', PLATFORM_PROFILES.join(' or '), profile)
  const instanceId = claims.bytes(256, 'instanceId', [33])
  if (instanceId[0] !== 1) claims.wrong('instanceId', 'type 1', instanceId[0] ?? 'none')
  const lifecycle = claims.unsigned(2395, 'lifecycle')
  if (lifecycle > 0xffff) claims.wrong('lifecycle', 'at most 65535', lifecycle)
  const verificationService = claims.optionalText(2400, 'verificationService')
  if (verificationService !== undefined && !/^[\x21-\x7e]{1,512}$/.test(verificationService)) {
    claims.wrong('verificationService', '1 to 512 printable characters', verificationService)
  }
  const components = claims.array(2399, 'swComponents')
  if (components.length === 0) claims.wrong('swComponents', 'at least one', 'none')
  const platform: CcaPlatform = {
    ...{ sign1, profile, instanceId, lifecycle, verificationService },
    challenge: claims.bytes(10, 'challenge', DIGEST_BYTES),
    implementationId: claims.bytes(2396, 'implementationId', [32]),
    config: claims.bytes(2401, 'config', { least: 1, most: 1024 }),
    hashAlgorithm: hashOf(claims, 2402, 'hashAlgorithm'),
    swComponents: components.map((component, i) => swComponent(component, `${path}.swComponents[${i}]`)),
  }
  claims.end()
  return platform
}

function swComponent(value: Cbor, path: string): CcaSwComponent {
  const fields = new CborFields(value, path, INVALID)
  const component: CcaSwComponent = {
    type: label(fields, 1, 'type'),
    measurementValue: fields.bytes(2, 'measurementValue', DIGEST_BYTES),
    version: label(fields, 4, 'version'),
    signerId: fields.bytes(5, 'signerId', DIGEST_BYTES),
    hashAlgorithm: label(fields, 6, 'hashAlgorithm'),
  }
  fields.end()
  return component
}

function label(fields: CborFields, key: number, name: string): string | undefined {
  const text = fields.optionalText(key, name)
  if (text === undefined || /^[\x20-\x7e]{0,128}$/.test(text)) return text
  return fields.wrong(name, 'at most 128 printable characters', text)
}

function realmOf(bytes: Uint8Array, path: string): CcaRealm {
  const sign1 = take(decodeCoseSign1(bytes, path, REALM_SIGN1))
  const claims = claimsOf(sign1, path)
  const profile = claims.optionalText(265, 'profile')
  if (profile !== undefined && profile !== REALM_PROFILE) claims.wrong('profile', REALM_PROFILE, profile)
  const extensible = claims.array(44239, 'extensibleMeasurements')
  if (extensible.length !== EXTENSIBLE_MEASUREMENTS) {
    claims.wrong('extensibleMeasurements', `${EXTENSIBLE_MEASUREMENTS}`, extensible.length)
  }
  const key = claims.bytes(44237, 'publicKey', { least: 1, most: 1024 })
  const realm: CcaRealm = {
    ...{ sign1, profile },
    challenge: claims.bytes(10, 'challenge', [64]),
    personalizationValue: claims.bytes(44235, 'personalizationValue', [64]),
    initialMeasurement: claims.bytes(44238, 'initialMeasurement', DIGEST_BYTES),
    extensibleMeasurements: extensible.map((m, i) => claims.bytesOf(m, `extensibleMeasurements[${i}]`, DIGEST_BYTES)),
    hashAlgorithm: hashOf(claims, 44236, 'hashAlgorithm'),
    publicKey: decodeRealmKey(key, profile === undefined ? 'point' : 'COSE_Key', `${path}.publicKey`),
    publicKeyHashAlgorithm: hashOf(claims, 44240, 'publicKeyHashAlgorithm'),
  }
  claims.end()
  return realm
}

function hashOf(claims: CborFields, key: number, name: string): CcaHash {
  const text = claims.text(key, name)
  const known = (Object.keys(CCA_HASHES) as CcaHash[]).find((hash) => hash === text)
  return known ?? claims.wrong(name, Object.keys(CCA_HASHES).join(' or '), text)
}
