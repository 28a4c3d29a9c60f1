import { Cursor } from '../../core/cursor.ts'
import { attempt, refuse } from '../../core/outcome.ts'

/** UEFI_VARIABLE_DATA as firmware hashes it: vendor's GUID, name, contents. */
export interface UefiVariable {
  /** 16 bytes as they lie in memory */
  readonly guid: Uint8Array
  readonly name: string
  readonly data: Uint8Array
}

/** 8be4df61-93ca-11d2-aa0d-00e098032b8c as it lies in memory, hex: the GUID of SecureBoot, PK and KEK. */
export const EFI_GLOBAL_VARIABLE = '61dfe48bca93d211aa0d00e098032b8c'

const MALFORMED = 'TDX_EVENT_LOG_MALFORMED'

/**
 * Reads UEFI_VARIABLE_DATA. What is not of this form, or has a name that is not printable ASCII, is nothing that we interpret.
 * @see TCG PC Client Platform Firmware Profile §10.2.6
 */
export function uefiVariable(bytes: Uint8Array): UefiVariable | undefined {
  const read = attempt((): UefiVariable => {
    const cursor = new Cursor(bytes, 'variable', MALFORMED)
    const guid = cursor.take(16, 'guid')
    const nameCharacters = length(cursor, 'nameLength')
    const dataBytes = length(cursor, 'dataLength')
    const name = asciiOf(cursor.take(2 * nameCharacters, 'name'))
    const data = cursor.take(dataBytes, 'data')
    cursor.end()
    return { guid, name, data }
  })
  return read.ok ? read.value : undefined
}

/** u64 that counts what follows in the record. */
function length(cursor: Cursor, field: string): number {
  const [low, high] = [cursor.u32(field), cursor.u32(field)]
  if (high !== 0 || low > cursor.remaining) refuse(MALFORMED, `variable.${field}`)
  return low
}

/** UCS-2, little-endian. */
function asciiOf(name: Uint8Array): string {
  let text = ''
  for (let at = 0; at < name.length; at += 2) {
    const [low = 0, high = 0] = name.subarray(at, at + 2)
    if (high !== 0 || low < 0x20 || low > 0x7e) refuse(MALFORMED, 'variable.name')
    text += String.fromCharCode(low)
  }
  return text
}
