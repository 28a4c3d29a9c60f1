import { latin1 } from '../../core/bytes.ts'
import type { Code } from '../../core/codes.ts'
import { Cursor } from '../../core/cursor.ts'
import { refuse } from '../../core/outcome.ts'
import { type DeviceClass, type OpaqueFieldName, opaqueFieldOf } from './opaque-fields.ts'

/** Opaque fields by name, read once each. All methods run inside `attempt` and name the field in what they refuse. */
export class OpaqueData {
  readonly #fields: ReadonlyMap<OpaqueFieldName, Uint8Array>
  readonly #path: string

  constructor(fields: ReadonlyMap<OpaqueFieldName, Uint8Array>, path: string) {
    this.#fields = fields
    this.#path = path
  }

  path(name: OpaqueFieldName): string {
    return `${this.#path}.${name}`
  }

  optional(name: OpaqueFieldName): Uint8Array | undefined {
    return this.#fields.get(name)
  }

  required(name: OpaqueFieldName): Uint8Array {
    return (
      this.#fields.get(name) ??
      refuse('GPU_OPAQUE_MALFORMED', this.path(name), { expected: 'present', actual: 'absent' })
    )
  }

  /** Little-endian, two bytes as the table demands. */
  optionalU16(name: OpaqueFieldName): number | undefined {
    const data = this.#fields.get(name)
    return data === undefined ? undefined : (data[0] ?? 0) | ((data[1] ?? 0) << 8)
  }

  /**
   * A byte that can only be one of two values; anything else ends the surrounding `attempt` with `code`.
   * @returns undefined where the field is absent
   */
  optionalSwitch(name: OpaqueFieldName, on: number, off: number, code: Code): boolean | undefined {
    const data = this.#fields.get(name)
    if (data === undefined) return undefined
    const [value] = data
    if (value !== on && value !== off)
      refuse(code, this.path(name), { expected: `${on} or ${off}`, actual: value ?? 'empty' })
    return value === on
  }

  /**
   * ASCII up to the first NUL, which must be there, and nothing but NULs behind it. The pattern bounds length and alphabet:
   * such text becomes part of a manifest's id and of a file's name.
   */
  text(name: OpaqueFieldName, pattern: RegExp, code: Code): string {
    const data = this.required(name)
    const end = data.indexOf(0)
    const text = latin1(data.subarray(0, end < 0 ? data.length : end))
    if (end < 0 || data.subarray(end).some((b) => b !== 0) || !pattern.test(text)) {
      refuse(code, this.path(name), { expected: `${pattern.source} and NUL`, actual: latin1(data.subarray(0, 64)) })
    }
    return text
  }
}

/**
 * Splits the opaque data into its fields: each id known to the device class, each once, sizes as the table says, nothing
 * left over. Ends the surrounding `attempt` with GPU_SPDM_MALFORMED (lengths) · GPU_OPAQUE_DUPLICATE ·
 * GPU_REPORT_UNSUPPORTED (unknown id) · GPU_OPAQUE_MALFORMED · GPU_VERSION_MALFORMED (size of a known field).
 * @see ../shared/spec/nvidia-gpu.md §2
 */
export function splitOpaque(device: DeviceClass, data: Uint8Array, path: string): OpaqueData {
  const cursor = new Cursor(data, path, 'GPU_SPDM_MALFORMED')
  const fields = new Map<OpaqueFieldName, Uint8Array>()
  while (cursor.remaining > 0) {
    const id = cursor.u16('type')
    const field = cursor.take(cursor.u16('size'), 'data')
    const row = opaqueFieldOf(device, id)
    if (row === undefined)
      return refuse('GPU_REPORT_UNSUPPORTED', path, { expected: `fields of a ${device}`, actual: `type ${id}` })
    if (fields.has(row.name)) refuse('GPU_OPAQUE_DUPLICATE', `${path}.${row.name}`, { actual: `type ${id} twice` })
    if (row.sizes !== undefined && !row.sizes.includes(field.length)) {
      const code = row.name.endsWith('BIOS_VERSION') ? 'GPU_VERSION_MALFORMED' : 'GPU_OPAQUE_MALFORMED'
      refuse(code, `${path}.${row.name}`, {
        expected: `${row.sizes.join(' or ')} bytes`,
        actual: `${field.length} bytes`,
      })
    }
    fields.set(row.name, field)
  }
  return new OpaqueData(fields, path)
}
