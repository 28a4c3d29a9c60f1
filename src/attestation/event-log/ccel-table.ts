import { latin1 } from '../../core/bytes.ts'
import { bytes, decodeLayout, layout, u8, u16, u32, u64 } from '../../core/layout.ts'
import { attempt, type Outcome, refuse, take } from '../../core/outcome.ts'

/** ACPI table `CCEL`, which says where the guest finds its log. All integers little-endian. UEFI 2.10 §38.2. */
export const CCEL_TABLE = layout('CCEL', 56, {
  signature: bytes(0, 4),
  length: u32(4),
  revision: u8(8),
  checksum: u8(9),
  oemId: bytes(10, 6),
  oemTableId: bytes(16, 8),
  oemRevision: u32(24),
  creatorId: u32(28),
  creatorRevision: u32(32),
  ccType: u8(36),
  ccSubtype: u8(37),
  reserved: u16(38),
  logAreaMinimumLength: u64(40),
  logAreaStartAddress: u64(48),
})

const CC_TYPE_TDX = 2

export interface CcelTable {
  readonly ccSubtype: number
  /** bytes of the log area */
  readonly logAreaMinimumLength: bigint
  /** in the guest's physical memory */
  readonly logAreaStartAddress: bigint
}

/** By signature and size; no proof of anything. */
export const looksLikeCcelTable = (input: Uint8Array): boolean =>
  input.length === CCEL_TABLE.sizeBytes && latin1(input.subarray(0, 4)) === 'CCEL'

/**
 * Reads the CCEL table of a TD. Nothing signs it: it says how long the log area is, and proves nothing.
 * @param input 56 bytes
 * @returns the table, or TDX_EVENT_LOG_MALFORMED
 * @see ../shared/spec/intel-dcap.md §10
 */
export function decodeCcelTable(input: Uint8Array, path: string): Outcome<CcelTable> {
  const malformed = 'TDX_EVENT_LOG_MALFORMED'
  return attempt(() => {
    const table = take(decodeLayout(CCEL_TABLE, input, path, { size: malformed, reserved: malformed }))
    const expect = (field: string, expected: string | number, actual: string | number): void => {
      if (actual !== expected) refuse(malformed, `${path}.${field}`, { expected, actual })
    }
    expect('signature', 'CCEL', latin1(table.signature))
    expect('length', CCEL_TABLE.sizeBytes, table.length)
    // ACPI 6.5 §5.2.6: all bytes of a table add up to zero.
    expect(
      'checksum',
      0,
      input.reduce((sum, byte) => (sum + byte) & 0xff, 0),
    )
    expect('ccType', CC_TYPE_TDX, table.ccType)
    const { ccSubtype, logAreaMinimumLength, logAreaStartAddress } = table
    return { ccSubtype, logAreaMinimumLength, logAreaStartAddress }
  })
}
