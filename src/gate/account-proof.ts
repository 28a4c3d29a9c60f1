import { fromBase64 } from '../core/encodings.ts'
import { attempt, take } from '../core/outcome.ts'
import { isSignedByAccount } from '../decision/credential/index.ts'
import { malformed, membersOf, own } from './akash-ids.ts'
import type { ProviderProofVerifier } from './ports.ts'

/** What a wallet of a Cosmos chain answers when it is asked to sign arbitrary data, as JSON. */
export interface AccountProof {
  readonly pub_key: {
    readonly type: 'tendermint/PubKeySecp256k1'
    /** compressed point, 33 bytes in base64 */
    readonly value: string
  }
  /** r ‖ s, 64 bytes in base64 */
  readonly signature: string
}

const KEY_TYPE = 'tendermint/PubKeySecp256k1'

/**
 * Whether a provider's account signed a statement, by ADR-36 and without asking the chain: an address is the digest of its
 * key. It says false to anything that is no `AccountProof`, and to accounts that are not a single secp256k1 key.
 */
export const accountProof: ProviderProofVerifier = async ({ provider, statement, proof }) => {
  const read = attempt(() => partsOf(proof))
  return read.ok && isSignedByAccount(provider, statement, read.value.publicKey, read.value.signature)
}

function partsOf(proof: unknown): { readonly publicKey: Uint8Array; readonly signature: Uint8Array } {
  const answer = membersOf(proof, 'proof')
  const key = membersOf(own(answer, 'pub_key'), 'proof.pub_key')
  const type = own(key, 'type')
  if (type !== KEY_TYPE) malformed('proof.pub_key.type', KEY_TYPE, type)
  return { publicKey: bytesOf(own(key, 'value')), signature: bytesOf(own(answer, 'signature')) }
}

const bytesOf = (value: unknown): Uint8Array =>
  typeof value === 'string' ? take(fromBase64(value, 'proof')) : malformed('proof', 'base64', value)
