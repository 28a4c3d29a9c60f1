import type { KeyObject } from 'node:crypto'
import type { SigningAlgorithm } from '../decision/credential/index.ts'

/** The key that this service signs with. */
export interface ServiceKey {
  readonly kid: string
  readonly algorithm: SigningAlgorithm
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
}
