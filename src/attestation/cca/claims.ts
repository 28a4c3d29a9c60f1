import { toHex } from '../../core/encodings.ts'
import type { CcaClaims } from '../claims.ts'
import type { Authentic } from '../kind.ts'
import type { CcaToken } from './decode.ts'

/** A proved token in the common vocabulary. */
export function toCcaClaims(proved: Authentic<CcaToken>): CcaClaims {
  const { platform, realm } = proved.value
  return {
    kind: 'arm/cca-token',
    platformProfile: platform.profile,
    implementationId: toHex(platform.implementationId),
    instanceId: toHex(platform.instanceId),
    platformConfig: toHex(platform.config),
    lifecycle: platform.lifecycle,
    platformHashAlgorithm: platform.hashAlgorithm,
    verificationService: platform.verificationService,
    swComponents: platform.swComponents.map((c) => ({
      ...c,
      measurementValue: toHex(c.measurementValue),
      signerId: toHex(c.signerId),
    })),
    realmProfile: realm.profile,
    challenge: toHex(realm.challenge),
    personalizationValue: toHex(realm.personalizationValue),
    initialMeasurement: toHex(realm.initialMeasurement),
    extensibleMeasurements: realm.extensibleMeasurements.map(toHex),
    realmHashAlgorithm: realm.hashAlgorithm,
    publicKey: toHex(realm.publicKey.spki),
  }
}
