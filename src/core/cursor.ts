import type { Code } from './codes.ts'
import { refuse } from './outcome.ts'

/** Reads a structure of variable length from front to back, inside `attempt`. It cannot read past the end. */
export class Cursor {
  readonly #bytes: Uint8Array
  readonly #path: string
  readonly #code: Code
  #at: number

  /** @param code the fault for input that ends too soon or goes on too long */
  constructor(bytes: Uint8Array, path: string, code: Code) {
    this.#bytes = bytes
    this.#path = path
    this.#code = code
    this.#at = 0
  }

  get offset(): number {
    return this.#at
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  take(sizeBytes: number, field: string): Uint8Array {
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0) throw new TypeError(`${field}: ${sizeBytes} is not a size`)
    const start = this.#advance(sizeBytes, field)
    return this.#bytes.subarray(start, this.#at)
  }

  /** Moves past so many bytes and says where they begin. */
  #advance(sizeBytes: number, field: string): number {
    const start = this.#at
    if (sizeBytes > this.#bytes.length - start) {
      refuse(this.#code, `${this.#path}.${field}`, {
        expected: `${sizeBytes} bytes at offset ${start}`,
        actual: `${this.remaining} bytes`,
      })
    }
    this.#at = start + sizeBytes
    return start
  }

  /** Little-endian, without a view of its own for the few bytes: reports hold hundreds of such fields. */
  #unsigned(sizeBytes: 1 | 2 | 3 | 4, field: string): number {
    const start = this.#advance(sizeBytes, field)
    let value = 0
    for (let i = sizeBytes - 1; i >= 0; i--) value = (value << 8) | (this.#bytes[start + i] ?? 0)
    return value >>> 0
  }

  u8(field: string): number {
    return this.#unsigned(1, field)
  }

  /** Little-endian. */
  u16(field: string): number {
    return this.#unsigned(2, field)
  }

  /** Little-endian, three bytes. */
  u24(field: string): number {
    return this.#unsigned(3, field)
  }

  /** Little-endian. */
  u32(field: string): number {
    return this.#unsigned(4, field)
  }

  /** Nothing may be left. */
  end(code: Code = this.#code): void {
    if (this.remaining !== 0) {
      refuse(code, this.#path, { expected: `${this.#at} bytes`, actual: `${this.#bytes.length} bytes` })
    }
  }
}
