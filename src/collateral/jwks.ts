import { fromUtf8 } from '../core/encodings.ts'
import { isJsonObject, type Json, parseJson } from '../core/json.ts'
import { attempt, take } from '../core/outcome.ts'
import { type Ask, refuseForm } from './ask.ts'
import { objectName } from './object-name.ts'
import type { CollateralRequest } from './objects.ts'

type JwksRequest = Extract<CollateralRequest, { kind: 'jwks' }>

/** Where each issuer publishes its keys, below the address of its service; never what a token says. */
const PATHS: Readonly<Record<JwksRequest['issuer'], string>> = {
  'azure-maa': '/certs',
  'intel-ita': '/certs',
  'google-confidential-space':
    '/service_accounts/v1/metadata/jwk/signer@confidentialspace-sign.iam.gserviceaccount.com',
  'nvidia-nras': '/.well-known/jwks.json',
}

const MOST_BYTES = 256 * 1024
const MOST_KEYS = 64

/**
 * Keys of an issuer of attestation tokens.
 * @see ../shared/spec/tpm-and-clouds.md §11
 */
export function askJwks(request: JwksRequest): Ask {
  if (!Object.hasOwn(PATHS, request.issuer)) throw new TypeError(`there is no issuer ${request.issuer}`)
  return {
    service: request.issuer,
    method: 'GET',
    path: PATHS[request.issuer],
    contentTypes: ['application/json', 'application/jwk-set+json'],
    maxBytes: MOST_BYTES,
    absence: 'the issuer publishes no keys there',
    read: ({ bytes }) =>
      attempt(() => {
        const object = objectName(request)
        const value = attempt(() => take(parseJson(take(fromUtf8(bytes, object)), object)))
        const keys = value.ok && isJsonObject(value.value) ? value.value.keys : undefined
        if (!Array.isArray(keys) || keys.length === 0 || keys.length > MOST_KEYS || !keys.every(isPublicKey)) {
          return refuseForm(object, `a set of 1 to ${MOST_KEYS} public keys, each with its kid`, 'something else')
        }
        return [{ name: `${object.replace('/', '-')}.json`, bytes }]
      }),
  }
}

/** Members of private and symmetric keys (RFC 7518 §6): nobody publishes them who means what he does. */
const SECRETS = ['d', 'k', 'p', 'q', 'dp', 'dq', 'qi', 'oth']

const isPublicKey = (key: Json): boolean =>
  isJsonObject(key) &&
  (key.kty === 'RSA' || key.kty === 'EC' || key.kty === 'OKP') &&
  typeof key.kid === 'string' &&
  !SECRETS.some((member) => Object.hasOwn(key, member))
