import { concatBytes, utf8 } from '../../core/bytes.ts'
import { toBase64url } from '../../core/encodings.ts'
import { littleEndian } from '../bytes.ts'
import { tlvAt, tlvsIn } from '../pki/der.ts'
import { rsaKey, type TestKey } from '../pki/keys.ts'
import { digest } from '../pki/pss.ts'
import { subjectPublicKey } from '../pki/spki.ts'

const HASHES = { sha256: 1, sha384: 2, sha512: 3 } as const

export interface HclSpec {
  /** HCLAkPub; the kit's RSA key of 2048 bits unless given */
  readonly ak?: TestKey
  readonly hash?: keyof typeof HASHES
  /** in place of the runtime data as the paravisor writes them */
  readonly json?: string
  readonly hardware?: 'snp' | 'tdx'
}

/** One key as a JSON Web Key of the runtime data. */
export function hclKey(kid: string, key: TestKey): string {
  const [modulus] = tlvsIn(tlvAt(subjectPublicKey(key.spki), 0).content)
  const n = toBase64url(tlvAt(modulus ?? new Uint8Array(), 0).content.subarray(1))
  return JSON.stringify({ kid, key_ops: [kid === 'HCLAkPub' ? 'sign' : 'encrypt'], kty: 'RSA', e: 'AQAB', n })
}

/** The runtime data of a VM, as text. */
export const hclRuntimeData = (keys: readonly string[]): string =>
  `{"keys":[${keys.join(',')}],"vm-configuration":{"console-enabled":true,"secure-boot":true,"tpm-enabled":true,"vmUniqueId":"26F8BC30-774E-4290-8E7A-535F3B672AEE"},"user-data":"${'00'.repeat(64)}"}`

export const defaultRuntimeData = (ak: TestKey = rsaKey('small-2048')): string =>
  hclRuntimeData([hclKey('HCLAkPub', ak), hclKey('HCLEkPub', rsaKey('ark-turin'))])

const textOf = ({ ak, json }: HclSpec): Uint8Array => utf8(json ?? defaultRuntimeData(ak))

/** REPORT_DATA that covers the runtime data: their hash, then zeros. */
export function hclReportData(spec: HclSpec = {}): Uint8Array {
  const out = new Uint8Array(64)
  out.set(digest(spec.hash === 'sha512' ? 'sha512' : (spec.hash ?? 'sha256'), textOf(spec)))
  return out
}

/** What NV index 0x01400001 holds: header, hardware report of 1184 bytes, runtime data, zeros. */
export function hclReport(hardwareReport: Uint8Array, spec: HclSpec = {}): Uint8Array {
  const data = textOf(spec)
  const u32 = (value: number) => littleEndian(value, 4)
  const dataSize = 20 + data.length
  const report = concatBytes(
    utf8('HCLA'),
    ...[u32(1), u32(1216 + dataSize), u32(2), u32(0), new Uint8Array(12)],
    ...[hardwareReport, new Uint8Array(1184 - hardwareReport.length)],
    ...[
      u32(dataSize),
      u32(1),
      u32(spec.hardware === 'tdx' ? 4 : 2),
      u32(HASHES[spec.hash ?? 'sha256']),
      u32(data.length),
    ],
    data,
  )
  return concatBytes(report, new Uint8Array(Math.max(0, 2600 - report.length)))
}
