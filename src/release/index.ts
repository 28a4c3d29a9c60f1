/*
 * `vouchsafe/release`: keys of encrypted weights for attested machines only. An entry of its own, so that importing the
 * library loads nothing of it.
 */
export type {
  ChallengeProof,
  EvidenceRemedy,
  Refused,
  ReleaseAnswer,
  ReleaseBinding,
  Released,
  ReleaseRequest,
} from './answer.ts'
export { type Broker, createBroker } from './broker.ts'
export type { AuditWriter, BrokerOptions, KeyKeeping } from './options.ts'
export type * from './ports.ts'
export type { AttestedSession, OpenedSession, SessionEvidence, SessionRequest } from './session.ts'
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
