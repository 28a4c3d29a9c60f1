import { nodeCrypto } from '../core/crypto/node.ts'
import { type CredentialPurpose, type CredentialSigner, issueCredential } from '../decision/credential/index.ts'
import type { GateCredentialPurpose, GateSigner } from './ports.ts'

/** What a credential is for, by what was asked: a lease that is attested again has its credential renewed. */
const CREDENTIAL_FOR: Readonly<Record<GateCredentialPurpose, CredentialPurpose>> = {
  posture: 'posture',
  lease: 'lease',
  reattest: 'lease',
  'key-release': 'key-release',
}

/**
 * Signs the gate's credentials with a key of the platform, as `issueCredential` makes them. What that refuses is rejected with
 * its codes, and the decision then has no credential.
 * @param about.verifier named in every credential: who runs the verifier, and which build of it
 * @throws TypeError for a key that is no private key
 */
export function credentialSigner({
  verifier,
  ...signer
}: CredentialSigner & { readonly verifier: { readonly developer: string; readonly build: string } }): GateSigner {
  if (signer.key.type !== 'private') throw new TypeError('signer: key is a private CryptoKey or KeyObject')
  return {
    async issue({ purpose, holderJkt, ...request }) {
      const credential = await issueCredential(
        {
          ...{ ...request, purpose: CREDENTIAL_FOR[purpose], order: null, verifier, signer },
          holder: { jkt: holderJkt },
        },
        nodeCrypto.digest,
      )
      if (credential.ok) return credential.value.jwt
      throw new Error(`no credential: ${credential.faults.map(({ code, path }) => `${code} at ${path}`).join(', ')}`)
    },
  }
}
