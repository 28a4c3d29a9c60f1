/*
 * `vouchsafe/release`: keys of encrypted weights for attested machines only. An entry of its own, so that importing the
 * library loads nothing of it.
 */
export {
  type Administration,
  createAdministration,
  type Registration,
  type Rewrapped,
} from './administration.ts'
export type {
  ChallengeProof,
  EvidenceRemedy,
  Refused,
  ReleaseAnswer,
  ReleaseBinding,
  Released,
  ReleaseRequest,
} from './answer.ts'
export type { Approval } from './approval.ts'
export {
  type AuditAnchor,
  type AuditEntry,
  type AuditLog,
  type AuditLogOptions,
  createAnchorFile,
  createAuditLog,
  exportLines,
  fileAnchor,
  proveConsistency,
  proveInclusion,
  verifyAudit,
} from './audit/index.ts'
export { type Broker, createBroker, type KeyAsked } from './broker.ts'
export type { KeyDetails, KeyView } from './key-view.ts'
export { leaseOwner } from './lease-owner.ts'
export type { AuditTrail, BrokerOptions, KeyKeeping } from './options.ts'
export type * from './ports.ts'
export type { AttestedSession, OpenedSession, SessionEvidence, SessionRequest, TakenSession } from './session.ts'
export type * from './usage.ts'
export { createKekFile, createTokenKek, fileVault, type Pkcs11Options, pkcs11Vault } from './vault/index.ts'
export { weightsSecret } from './weights-secret.ts'
export {
  type FlattenedJwe,
  type HpkeEnvelope,
  openWrapped,
  type WrapFormat,
  type WrapKey,
  type WrappedKey,
  wrapKeyOfJwk,
  wrapKeyOfSpki,
} from './wrap/index.ts'
