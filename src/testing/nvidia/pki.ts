import { type DeviceAuthorities, type DeviceSpec, deviceAuthorities, type NvidiaDevice } from './device-pki.ts'
import { type OcspSpec, ocspAnswer } from './ocsp.ts'
import { type RimChain, type RimChainSpec, rimAuthorities } from './rim-pki.ts'

/** Where the kit stands in time unless told: its OCSP answers are fresh then and its manifest signers valid. */
export const NVIDIA_TEST_TIME = '2026-08-01T00:00:00Z'

/** NVIDIA's two hierarchies of one seed, shaped like the real ones, with every private key at hand. */
export interface NvidiaTestPki {
  readonly seed: string
  /** Root certificates, DER: device identity, and reference values. */
  readonly roots: { readonly device: Uint8Array; readonly rim: Uint8Array }
  /** The device root's certificate with its key, to issue what NVIDIA never would. */
  readonly deviceRoot: DeviceAuthorities['root']
  device(spec: DeviceSpec): NvidiaDevice
  rimChain(spec?: RimChainSpec): RimChain
  /** OCSP answer, DER. `at` is `NVIDIA_TEST_TIME` unless given. */
  ocsp(spec: Omit<OcspSpec, 'at'> & { readonly at?: string }): Uint8Array
}

/** The test hierarchies of a seed. The same seed gives the same keys and bytes; another seed is a foreign hierarchy under the same names. */
export function createNvidiaTestPki(seed: string): NvidiaTestPki {
  const devices = deviceAuthorities(seed)
  const rims = rimAuthorities(seed)
  return {
    seed,
    roots: { device: devices.root().der, rim: rims.root().der },
    deviceRoot: devices.root,
    device: devices.device,
    rimChain: rims.chain,
    ocsp: (spec) => ocspAnswer(seed, { at: NVIDIA_TEST_TIME, ...spec }),
  }
}
