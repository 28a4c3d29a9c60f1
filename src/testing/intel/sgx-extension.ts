import { bool, enumerated, integer, octets, oid, seq } from '../pki/der.ts'
import { extension } from '../pki/extensions.ts'

/** What Intel certifies about a platform. */
export interface PlatformFacts {
  /** 16 bytes */
  readonly ppid: Uint8Array
  /** 6 bytes */
  readonly fmspc: Uint8Array
  /** 2 bytes */
  readonly pceId: Uint8Array
  /** 16 certified component SVNs */
  readonly components: readonly number[]
  readonly pceSvn: number
  /** 0 standard · 1 scalable · 2 scalable with integrity */
  readonly sgxType: number
  /** 16 bytes; where left out, as under the Processor CA, the certificate has neither this nor a configuration */
  readonly platformInstanceId?: Uint8Array
  readonly dynamicPlatform: boolean
  readonly cachedKeys: boolean
  readonly smtEnabled: boolean
}

/** One member of the extension or of its TCB: the identifier below the parent's, and the value in DER. */
export interface SgxEntry {
  readonly arc: number
  readonly value: Uint8Array
}

/** Changes to the extension. Every member may be dropped, repeated, moved or replaced. */
export interface SgxExtensionEdits {
  readonly members?: (members: readonly SgxEntry[]) => readonly SgxEntry[]
  readonly tcb?: (tcb: readonly SgxEntry[]) => readonly SgxEntry[]
  /** Last change to the value of the extension. */
  readonly value?: (der: Uint8Array) => Uint8Array
  /** How often the extension stands in the certificate. Default once. */
  readonly times?: number
}

/** Intel's extension and the members below it (intel-dcap.md §3). */
export const SGX_OID = '1.2.840.113741.1.13.1'
export const SGX_ARC = {
  ppid: 1,
  tcb: 2,
  pceId: 3,
  fmspc: 4,
  sgxType: 5,
  platformInstanceId: 6,
  configuration: 7,
} as const
/** Below the TCB: 1 to 16 are the components. */
export const TCB_ARC = { pceSvn: 17, cpuSvn: 18 } as const

/** The SGX extension of a PCK certificate, as often as it is to stand there; each the DER of one Extension. */
export function sgxExtension(platform: PlatformFacts, edits: SgxExtensionEdits = {}): Uint8Array[] {
  const same = <T>(value: T): T => value
  const tcb = (edits.tcb ?? same)(tcbEntries(platform))
  const members = (edits.members ?? same)([
    { arc: SGX_ARC.ppid, value: octets(platform.ppid) },
    { arc: SGX_ARC.tcb, value: entries(`${SGX_OID}.${SGX_ARC.tcb}`, tcb) },
    { arc: SGX_ARC.pceId, value: octets(platform.pceId) },
    { arc: SGX_ARC.fmspc, value: octets(platform.fmspc) },
    { arc: SGX_ARC.sgxType, value: enumerated(platform.sgxType) },
    ...(platform.platformInstanceId === undefined ? [] : instance(platform, platform.platformInstanceId)),
  ])
  const value = (edits.value ?? same)(entries(SGX_OID, members))
  return Array.from({ length: edits.times ?? 1 }, () => extension(SGX_OID, value))
}

const instance = (platform: PlatformFacts, platformInstanceId: Uint8Array): readonly SgxEntry[] => [
  { arc: SGX_ARC.platformInstanceId, value: octets(platformInstanceId) },
  {
    arc: SGX_ARC.configuration,
    value: entries(`${SGX_OID}.${SGX_ARC.configuration}`, [
      { arc: 1, value: bool(platform.dynamicPlatform) },
      { arc: 2, value: bool(platform.cachedKeys) },
      { arc: 3, value: bool(platform.smtEnabled) },
    ]),
  },
]

const tcbEntries = ({ components, pceSvn }: PlatformFacts): readonly SgxEntry[] => [
  ...components.map((svn, i) => ({ arc: i + 1, value: integer(svn) })),
  { arc: TCB_ARC.pceSvn, value: integer(pceSvn) },
  // Intel writes the certified components here, not the bytes that the processor reports.
  { arc: TCB_ARC.cpuSvn, value: octets(Uint8Array.from(components)) },
]

const entries = (parent: string, members: readonly SgxEntry[]): Uint8Array =>
  seq(...members.map(({ arc, value }) => seq(oid(`${parent}.${arc}`), value)))
