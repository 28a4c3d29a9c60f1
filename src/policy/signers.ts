import { isJsonObject, type Json, type JsonObject, pointer } from '../core/json.ts'
import { type Fault, fault, type NonEmpty } from '../core/outcome.ts'
import type { SignerKey } from './policy.ts'
import { leaf, refuseType, type Shape, sameValue, unknownKey } from './shape.ts'
import { always, formed, oneOf } from './values.ts'

const MOST_SIGNERS = 32

/** base64url without padding, of exactly this many bytes; the last digit of 32 bytes carries two zero bits. */
const base64url = (sizeBytes: 32 | 48) =>
  formed(
    sizeBytes === 32 ? /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/ : /^[A-Za-z0-9_-]{64}$/,
    `base64url of ${sizeBytes} bytes`,
  )

const COORDINATE = { 'P-256': base64url(32), 'P-384': base64url(48), Ed25519: base64url(32) }
export const ALGORITHM = { 'P-256': 'ES256', 'P-384': 'ES384', Ed25519: 'EdDSA' } as const
type Curve = keyof typeof ALGORITHM

const KID = formed(/^[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}$/, 'a name of up to 64 letters, digits and ._:@-')

const curveSchema = (crv: Curve): JsonObject => {
  const coordinate = COORDINATE[crv].schema
  const isOkp = crv === 'Ed25519'
  return {
    type: 'object',
    additionalProperties: false,
    required: ['kid', 'kty', 'crv', 'x', ...(isOkp ? [] : ['y'])],
    properties: {
      kid: { description: 'Names the signer in decisions; its signatures must carry it.', ...KID.schema },
      kty: { const: isOkp ? 'OKP' : 'EC' },
      crv: { const: crv },
      x: coordinate,
      ...(isOkp ? {} : { y: coordinate }),
      alg: { const: ALGORITHM[crv] },
      use: { const: 'sig' },
    },
  }
}

const CURVES: readonly Curve[] = ['P-256', 'P-384', 'Ed25519']

/** A public JWK with a `kid`. Private parts are unknown members, and are never echoed. */
function readSigner(json: Json, path: string, faults: Fault[]): SignerKey | undefined {
  if (!isJsonObject(json)) return refuseType(json, path, 'a public key as a JWK', faults)
  const before = faults.length
  const member = <T>(
    name: string,
    shape: { read(json: Json, path: string, faults: Fault[], base: undefined): T | undefined },
  ) => {
    const value = json[name]
    if (value !== undefined) return shape.read(value, pointer(path, name), faults, undefined)
    faults.push(fault('POLICY_KEY_MISSING', pointer(path, name), { expected: name }))
    return undefined
  }
  const crv = member('crv', oneOf(CURVES))
  if (crv === undefined) return undefined
  const isOkp = crv === 'Ed25519'
  const known = ['kid', 'kty', 'crv', 'x', ...(isOkp ? [] : ['y']), 'alg', 'use']
  for (const key of Object.keys(json)) if (!known.includes(key)) faults.push(unknownKey(key, path, known))
  const kid = member('kid', KID)
  const x = member('x', COORDINATE[crv])
  const y = isOkp ? '' : member('y', COORDINATE[crv])
  member('kty', always(isOkp ? 'OKP' : 'EC'))
  if (json.alg !== undefined) member('alg', always(ALGORITHM[crv]))
  if (json.use !== undefined) member('use', always('sig'))
  if (faults.length > before || kid === undefined || x === undefined || y === undefined) return undefined
  return crv === 'Ed25519' ? { kid, kty: 'OKP', crv, x } : { kid, kty: 'EC', crv, x, y }
}

function readSigners(json: Json, path: string, faults: Fault[]): NonEmpty<SignerKey> | undefined {
  if (!Array.isArray(json)) return refuseType(json, path, 'a list of public keys', faults)
  const given = json as readonly Json[]
  if (given.length === 0) faults.push(fault('POLICY_LIST_EMPTY', path, { expected: 'at least one public key' }))
  if (given.length > MOST_SIGNERS) {
    faults.push(fault('LIMIT_POLICY', path, { expected: `at most ${MOST_SIGNERS} entries`, actual: given.length }))
    return undefined
  }
  const signers = given.map((entry, i) => readSigner(entry, pointer(path, i), faults))
  const read = signers.filter((s) => s !== undefined)
  for (const [i, signer] of signers.entries()) {
    // One name for two keys, or one key under two names, would make a statement's source ambiguous.
    const repeats = signers
      .slice(0, i)
      .some((s) => s !== undefined && signer !== undefined && (s.kid === signer.kid || s.x === signer.x))
    if (repeats) faults.push(fault('POLICY_DUPLICATE_ENTRY', pointer(path, i), { actual: signer?.kid ?? '' }))
  }
  const [first, ...rest] = [...read].sort((a, b) => (a.kid < b.kid ? -1 : 1))
  return first === undefined || read.length < given.length ? undefined : [first, ...rest]
}

const has = (list: readonly SignerKey[], signer: SignerKey): boolean => list.some((s) => sameValue(s, signer))

/** Keys whose statements count; both policies together trust those that each trusts. */
export const signerList: Shape<NonEmpty<SignerKey>> = leaf({
  schema: {
    type: 'array',
    minItems: 1,
    maxItems: MOST_SIGNERS,
    uniqueItems: true,
    items: { oneOf: CURVES.map(curveSchema) },
  },
  read: readSigners,
  both(floor, tenant) {
    const [first, ...rest] = tenant.filter((signer) => has(floor, signer))
    return first === undefined ? undefined : [first, ...rest]
  },
  within: (tenant, floor) => tenant.every((signer) => has(floor, signer)),
})
