import { isZero, latin1 } from '../../core/bytes.ts'
import { Cursor } from '../../core/cursor.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'

/** The report of Azure's host compatibility layer, taken apart. Nothing in it is proved. All integers little-endian. */
export interface HclReport {
  /** ATTESTATION_REPORT of SEV-SNP, or a TDREPORT with padding, which only the machine itself could check */
  readonly hardware: 'snp' | 'tdx'
  /** 1184 bytes */
  readonly hardwareReport: Uint8Array
  /** under which REPORT_DATA covers the runtime data */
  readonly hash: 'sha256' | 'sha384' | 'sha512'
  /** JSON text exactly as it was hashed */
  readonly runtimeData: Uint8Array
}

const HARDWARE_BYTES = 1184
/** Header, hardware report. */
const BEFORE_DATA = 32 + HARDWARE_BYTES
/** Sizes and kinds in front of the runtime data, counted with them. */
const DATA_HEADER_BYTES = 20
const REQUEST_TYPE_ATTESTATION = 2
const HARDWARE: ReadonlyMap<number, HclReport['hardware']> = new Map([
  [2, 'snp'],
  [4, 'tdx'],
])
const HASHES: ReadonlyMap<number, HclReport['hash']> = new Map([
  [1, 'sha256'],
  [2, 'sha384'],
  [3, 'sha512'],
])

/** By its magic; no proof of anything. */
export const looksLikeHclReport = (bytes: Uint8Array): boolean => latin1(bytes.subarray(0, 4)) === 'HCLA'

/**
 * Decodes what the NV index 0x01400001 of an Azure confidential VM holds: a header, the hardware report at 0x20, sizes and kinds at
 * 0x4C0, the runtime data at 0x4D4, zeros to the end.
 * @returns the report, or ENV_UNREADABLE (shape) · ENV_KIND_NOT_SUPPORTED (other hardware, e.g. VBS)
 * @see ../shared/spec/tpm-and-clouds.md §4
 */
export function decodeHclReport(bytes: Uint8Array, path: string): Outcome<HclReport> {
  return attempt(() => {
    const cursor = new Cursor(bytes, path, 'ENV_UNREADABLE')
    const expect = (field: string, expected: string, actual: number, isRight: boolean): void => {
      if (!isRight) refuse('ENV_UNREADABLE', `${path}.${field}`, { expected, actual })
    }
    cursor.take(4, 'magic')
    const version = cursor.u32('version')
    expect('version', '1 or 2', version, version === 1 || version === 2)
    const reportSize = cursor.u32('reportSize')
    const requestType = cursor.u32('requestType')
    expect('requestType', '2', requestType, requestType === REQUEST_TYPE_ATTESTATION)
    const status = cursor.u32('status')
    expect('status', '0', status, status === 0)
    cursor.take(12, 'reserved')
    const hardwareReport = cursor.take(HARDWARE_BYTES, 'hardwareReport')
    const dataSize = cursor.u32('runtime.dataSize')
    const dataVersion = cursor.u32('runtime.version')
    expect('runtime.version', '1', dataVersion, dataVersion === 1)
    const reportType = cursor.u32('runtime.reportType')
    const hashType = cursor.u32('runtime.hashType')
    const runtimeData = cursor.take(cursor.u32('runtime.variableDataSize'), 'runtime.variableData')
    const due = DATA_HEADER_BYTES + runtimeData.length
    expect('runtime.dataSize', `${due}`, dataSize, dataSize === due)
    expect('reportSize', `${BEFORE_DATA + due}`, reportSize, reportSize === BEFORE_DATA + due)
    const hash = HASHES.get(hashType)
    if (hash === undefined)
      return refuse('ENV_UNREADABLE', `${path}.runtime.hashType`, { expected: '1, 2 or 3', actual: hashType })
    if (!isZero(cursor.take(cursor.remaining, 'padding')))
      refuse('ENV_UNREADABLE', `${path}.padding`, { expected: 'zeros', actual: 'other bytes' })
    const hardware = HARDWARE.get(reportType)
    if (hardware === undefined)
      return refuse('ENV_KIND_NOT_SUPPORTED', `${path}.runtime.reportType`, { expected: '2 or 4', actual: reportType })
    return { hardware, hardwareReport, hash, runtimeData }
  })
}
