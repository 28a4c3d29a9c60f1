import { equalBytes, utf8 } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { toHex } from '../../core/encodings.ts'
import { canonicalJson } from '../../core/json.ts'
import type { CpuClaims } from '../claims.ts'
import { cpuRuntimeData, deviceRuntimeData } from '../envelopes/kbs.ts'
import type { InitData, RuntimeData } from '../evidence.ts'

/*
 * What a guest of Confidential Containers commits to: its report data is the hash of nonce, key and device evidence, the
 * devices' nonce that of nonce and key, and the digest of its init data is in a field of its launch.
 * @see ../shared/spec/protocols.md §1.2
 */

/** Which of them a session agreed on changes nothing of what is committed to. */
const HASHES: readonly InitData['hash'][] = ['sha384', 'sha512', 'sha256']
const REPORT_DATA_BYTES = 64
const DEVICE_NONCE_BYTES = 32

/** A digest in a field of another size: zeros behind it, or its first bytes, as these guests do. */
function fitted(value: Uint8Array, sizeBytes: number): Uint8Array {
  const out = new Uint8Array(sizeBytes)
  out.set(value.subarray(0, sizeBytes))
  return out
}

export interface GuestAnswer {
  /** the nonce that every device must have answered, hex; undefined where the report data covers something else */
  readonly deviceNonce: string | undefined
  /** report data by the hash that guests use unless another was agreed on, hex */
  readonly expected: string
}

/** @param reportData 64 bytes */
export async function guestAnswer(
  digest: Context['digest'],
  data: RuntimeData,
  reportData: Uint8Array,
): Promise<GuestAnswer> {
  const committed = utf8(canonicalJson(cpuRuntimeData(data)))
  const expected = toHex(fitted(await digest('sha384', committed), REPORT_DATA_BYTES))
  for (const hash of HASHES) {
    if (!equalBytes(reportData, fitted(await digest(hash, committed), REPORT_DATA_BYTES))) continue
    const device = await digest(hash, utf8(canonicalJson(deviceRuntimeData(data))))
    return { deviceNonce: toHex(device.subarray(0, DEVICE_NONCE_BYTES)), expected }
  }
  return { deviceNonce: undefined, expected }
}

/** Where the guest was launched with other init data than it presents: the field, and what it should be. */
export async function otherInitData(
  digest: Context['digest'],
  { hash, body }: InitData,
  claims: CpuClaims,
): Promise<{ readonly name: string; readonly expected: string; readonly actual: string } | undefined> {
  const { name, value } = launchField(claims)
  const expected = toHex(fitted(await digest(hash, body), value.length / 2))
  return value === expected ? undefined : { name, expected, actual: value }
}

/** The field that holds the digest of what a guest was launched with, in hex. */
function launchField(claims: CpuClaims): { readonly name: string; readonly value: string } {
  if (claims.kind === 'amd/snp-report') return { name: 'hostData', value: claims.hostData }
  if (claims.kind === 'intel/tdx-quote') return { name: 'mrConfigId', value: claims.mrConfigId }
  return { name: 'configId', value: claims.configId }
}
