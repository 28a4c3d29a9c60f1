/** What differs between the device classes; names and numbers as NVIDIA's own certificates, reports and manifests have them. */
export type NvidiaArchitecture = 'hopper' | 'blackwell' | 'ls10'

/** The architectures that are GPUs. */
export type GpuArchitecture = Exclude<NvidiaArchitecture, 'ls10'>

/** The manifests a device class is measured against. */
export type RimKind = 'driver' | 'vbios' | 'switch-bios'

export interface ArchitectureFacts {
  /** `Meta/@product` and `SoftwareIdentity/@name` of the manifests. */
  readonly product: string
  readonly edition: 'GPU' | 'SWITCH'
  /** Model in the DMTF device information of the attestation certificate: `NVIDIA:<model>:<16 hex>`. */
  readonly deviceModel: string
  readonly attestationName: string
  readonly identityName: string
  readonly provisionerName: string
  readonly architectureName: string
  readonly deviceNotBefore: string
  readonly provisionerNotBefore: string
  readonly architectureNotBefore: string
  readonly provisionerCrl: string
  /** First byte of the identity certificate's serial number, before the eight bytes of the PDI. */
  readonly serialPrefix: number
  readonly fwidForm: 'composite-device-id' | 'dice-tcb-info'
  readonly identityHasOcspUrl: boolean
  readonly blockCount: number
  readonly rimSignerName: string
  readonly rimIssuerName: string
  readonly rimCaName: string
}

export const ARCHITECTURES: Readonly<Record<NvidiaArchitecture, ArchitectureFacts>> = {
  hopper: {
    product: 'GH100',
    edition: 'GPU',
    deviceModel: 'GH100',
    attestationName: 'GH100 A01 GSP FMC LF',
    identityName: 'GH100 A01 GSP BROM',
    provisionerName: 'NVIDIA GH100 Provisioner ICA 1',
    architectureName: 'NVIDIA GH100 Identity',
    deviceNotBefore: '2020-10-17T00:00:00Z',
    provisionerNotBefore: '2022-03-01T00:00:00Z',
    architectureNotBefore: '2022-01-12T00:00:00Z',
    provisionerCrl: 'http://crl.ndis.nvidia.com/crl/l2-gh100.crl',
    serialPrefix: 0x41,
    fwidForm: 'composite-device-id',
    identityHasOcspUrl: false,
    blockCount: 64,
    rimSignerName: 'HCC RIM L4 Signer',
    rimIssuerName: 'NVIDIA Reference Value L3 GH100 001',
    rimCaName: 'NVIDIA Reference Value GH100 CA',
  },
  blackwell: {
    product: 'GB100',
    edition: 'GPU',
    deviceModel: 'GB100',
    attestationName: 'GB100 A01 GSP FMC LF',
    identityName: 'GB100 A01 GSP BROM',
    provisionerName: 'NVIDIA GB100 Provisioner ICA 00000',
    architectureName: 'NVIDIA GB100 Identity',
    deviceNotBefore: '2023-06-20T00:00:00Z',
    provisionerNotBefore: '2023-06-20T00:00:00Z',
    architectureNotBefore: '2023-01-01T00:00:00Z',
    provisionerCrl: 'http://crl.ndis.nvidia.com/crl/l2-gb100.crl',
    serialPrefix: 0x41,
    fwidForm: 'dice-tcb-info',
    identityHasOcspUrl: true,
    blockCount: 64,
    rimSignerName: 'RIM L4 Signer',
    rimIssuerName: 'NVIDIA Reference Value L3 GB100-CC 001',
    rimCaName: 'NVIDIA Reference Value GB1XX CA 001',
  },
  ls10: {
    product: 'LS10',
    edition: 'SWITCH',
    deviceModel: 'LS_10',
    attestationName: 'LS_10 A01 FSP FMC LF',
    identityName: 'LS_10 A01 FSP BROM',
    provisionerName: 'NVIDIA LS_10 Provisioner ICA 1',
    // The switches hang under the Hopper identity CA, and share its CRL.
    architectureName: 'NVIDIA GH100 Identity',
    deviceNotBefore: '2020-10-17T00:00:00Z',
    provisionerNotBefore: '2022-03-01T00:00:00Z',
    architectureNotBefore: '2022-01-12T00:00:00Z',
    provisionerCrl: 'http://crl.ndis.nvidia.com/crl/l2-gh100.crl',
    serialPrefix: 0x50,
    fwidForm: 'composite-device-id',
    identityHasOcspUrl: false,
    blockCount: 31,
    rimSignerName: 'NVIDIA Reference Value L4 LS10',
    rimIssuerName: 'NVIDIA Reference Value L3 LS10 001',
    rimCaName: 'NVIDIA Reference Value LS10 CA',
  },
}

const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i)

/**
 * Indexes (counted from 0) a manifest of this kind marks active. Hopper and LS10 as in the signed manifests; of Blackwell
 * only a VBIOS manifest has been seen, so its driver set is Hopper's without index 7, which that VBIOS manifest claims.
 */
export function activeIndexes(architecture: NvidiaArchitecture, kind: RimKind): readonly number[] {
  const sets: Record<NvidiaArchitecture, Partial<Record<RimKind, readonly number[]>>> = {
    hopper: { driver: [7, ...range(21, 40)], vbios: [...range(0, 6), ...range(8, 12)] },
    blackwell: { driver: range(21, 40), vbios: [...range(0, 13), ...range(15, 20)] },
    ls10: { 'switch-bios': range(0, 30) },
  }
  const indexes = sets[architecture][kind]
  if (indexes === undefined) throw new TypeError(`${architecture} has no ${kind} manifest`)
  return indexes
}

/** The kinds of manifest an architecture is measured against. */
export const rimKindsOf = (architecture: NvidiaArchitecture): readonly RimKind[] =>
  architecture === 'ls10' ? ['switch-bios'] : ['driver', 'vbios']
