import { toHex } from '../../core/encodings.ts'
import type { NitroClaims } from '../claims.ts'
import type { Authentic } from '../kind.ts'
import type { NitroDocument } from './decode.ts'

const optionalHex = (bytes: Uint8Array | undefined): string | undefined =>
  bytes === undefined ? undefined : toHex(bytes)

/** A proved document in the common vocabulary. */
export function toNitroClaims(proved: Authentic<NitroDocument>): NitroClaims {
  const { moduleId, timestamp, pcrs, publicKey, userData, nonce } = proved.value
  const byIndex = [...pcrs].sort(([a], [b]) => a - b)
  return {
    kind: 'aws/nitro',
    moduleId,
    digest: 'SHA384',
    timestamp,
    pcrs: byIndex.map(([index, value]) => ({ index, value: toHex(value) })),
    publicKey: optionalHex(publicKey),
    userData: optionalHex(userData),
    nonce: optionalHex(nonce),
  }
}
