export { type AuthenticRim, authenticateRim } from './authenticate.ts'
export { type ComparedMeasurements, compareMeasurements, type MeasurementInput } from './compare.ts'
export { type RimIdentity, rimIdentityOf, rimIdentityOf as rimVersionOf } from './identity.ts'
export type { Manifest, RimEntry } from './manifest.ts'
