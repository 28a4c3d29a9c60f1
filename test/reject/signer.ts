import { utf8 } from '../../src/core/bytes.ts'
import { toBase64 } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { ecKey, TEST_MEASUREMENT } from '../../src/testing/index.ts'

const base64url = (bytes: Uint8Array): string =>
  toBase64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')

const KEY = ecKey('P-256', 'reject/image team')
const STRANGER = ecKey('P-256', 'reject/nobody')

function jwkOf(point: Uint8Array | undefined, kid: string): JsonObject {
  if (point === undefined) throw new TypeError('an EC key has a point')
  return { kid, kty: 'EC', crv: 'P-256', x: base64url(point.subarray(1, 33)), y: base64url(point.subarray(33)) }
}

/** Whoever vouches for the image of the rows, as a policy names it. */
export const SIGNER: JsonObject = jwkOf(KEY.publicPoint, 'image-team')
export const SIGNED_BY_TEAM: JsonObject = { referenceValues: { signers: [SIGNER] } }
/** Another tenant's team. */
export const OTHER_SIGNER: JsonObject = jwkOf(STRANGER.publicPoint, 'other-team')

export const MEASUREMENT = Buffer.from(TEST_MEASUREMENT).toString('hex')

/** A statement about the test image with every guarantee there is, in force in 2026, unless told otherwise. */
export function referenceValue(
  members: JsonObject = {},
  by: 'team' | 'stranger' = 'team',
  kid: 'image-team' | 'other-team' = 'image-team',
): string {
  const header = { alg: 'ES256', kid, typ: 'vouchsafe-reference-value+jws' }
  const payload = {
    version: 1,
    name: 'test image',
    kind: 'amd/snp-report',
    measurements: [MEASUREMENT],
    guarantees: ['workload-pinned', 'closed-quoting', 'gpu-local', 'key-in-tee'],
    notBefore: '2026-01-01T00:00:00Z',
    expires: '2027-01-01T00:00:00Z',
    ...members,
  }
  const signed = [header, payload].map((part) => base64url(utf8(JSON.stringify(part)))).join('.')
  const signature = (by === 'team' ? KEY : STRANGER).signRaw(utf8(signed), 'sha256')
  return `${signed}.${base64url(signature)}`
}
