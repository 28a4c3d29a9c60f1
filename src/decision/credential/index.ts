export { accountAddress, accountThumbprint, adr36Document, isSignedByAccount } from './account.ts'
export { CREDENTIAL_SKEW_SECONDS, type CredentialExpectation, checkCredential } from './check.ts'
export {
  CREDENTIAL_TYPE,
  type CredentialClaims,
  type CredentialPurpose,
  EAR_PROFILE,
  LONGEST_SECONDS,
  type VouchsafeClaims,
} from './claims.ts'
export {
  HOLDER_PROOF_SECONDS,
  HOLDER_PROOF_TYPE,
  type HolderProof,
  type HolderStatement,
  holderStatementText,
  holderThumbprint,
  proveHolder,
  spkiThumbprint,
} from './holder.ts'
export {
  type Credential,
  type CredentialRequest,
  type CredentialSigner,
  holderProblem,
  isReleasable,
  issueCredential,
} from './issue.ts'
export type { PrivateKey, PublicJwk, PublicKey, SigningAlgorithm } from './jws.ts'
export { type CredentialKey, type CredentialKeySet, jwksOf, type VerifierKey } from './keys.ts'
export { isLeaseId, isOrderId, orderOfLease, providerOfLease } from './lease-id.ts'
export {
  CATEGORIES,
  type Category,
  type EarStatus,
  STATUSES,
  type Submodule,
  statusOf,
  type TrustworthinessVector,
  vectorOf,
} from './trust.ts'
