import { concatBytes } from '../../core/bytes.ts'
import { CborFields, DETERMINISTIC, decodeCbor } from '../../core/cbor.ts'
import { isUncompressedPoint, spkiOfPoint } from '../../core/crypto/ecdsa.ts'
import { refuse, take } from '../../core/outcome.ts'

/** The realm attestation key (RAK), P-384. */
export interface RealmKey {
  /** the claim's bytes, which the platform token's challenge is the hash of */
  readonly claim: Uint8Array
  readonly spki: Uint8Array
}

const COORDINATE_BYTES = 48
const POINT_BYTES = 1 + 2 * COORDINATE_BYTES
/** RFC 9053 §7.1 and its registries: kty EC2, curve P-384. */
const KEY = { kty: 1, curve: -1, x: -2, y: -3 } as const
const EC2 = 2
const P384 = 2

/**
 * Decodes the RAK in the form that the token's profile says: the uncompressed point alone (97 bytes) without a profile, a COSE_Key
 * with it. Ends the surrounding `attempt` with CCA_TOKEN_INVALID or a code of `decodeCbor`.
 */
export function decodeRealmKey(claim: Uint8Array, form: 'point' | 'COSE_Key', path: string): RealmKey {
  const point = form === 'point' ? claim : pointOf(claim, path)
  if (!isUncompressedPoint('P-384', point)) {
    refuse('CCA_TOKEN_INVALID', path, {
      expected: `uncompressed point of ${POINT_BYTES} bytes on P-384`,
      actual: `${point.length} bytes`,
    })
  }
  return { claim, spki: spkiOfPoint('P-384', point) }
}

function pointOf(claim: Uint8Array, path: string): Uint8Array {
  const key = new CborFields(take(decodeCbor(claim, path, DETERMINISTIC)), path, 'CCA_TOKEN_INVALID')
  if (key.unsigned(KEY.kty, 'kty') !== EC2) key.wrong('kty', 'EC2', 'another type')
  if (key.unsigned(KEY.curve, 'crv') !== P384) key.wrong('crv', 'P-384', 'another curve')
  const x = key.bytes(KEY.x, 'x', [COORDINATE_BYTES])
  const y = key.bytes(KEY.y, 'y', [COORDINATE_BYTES])
  key.end()
  return concatBytes(Uint8Array.of(4), x, y)
}
