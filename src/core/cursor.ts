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
    if (sizeBytes > this.remaining) {
      refuse(this.#code, `${this.#path}.${field}`, {
        expected: `${sizeBytes} bytes at offset ${this.#at}`,
        actual: `${this.remaining} bytes`,
      })
    }
    const taken = this.#bytes.subarray(this.#at, this.#at + sizeBytes)
    this.#at += sizeBytes
    return taken
  }

  u8(field: string): number {
    return this.take(1, field)[0] ?? 0
  }

  /** Little-endian. */
  u16(field: string): number {
    const [a = 0, b = 0] = this.take(2, field)
    return a | (b << 8)
  }

  /** Little-endian, three bytes. */
  u24(field: string): number {
    const [a = 0, b = 0, c = 0] = this.take(3, field)
    return a | (b << 8) | (c << 16)
  }

  /** Little-endian. */
  u32(field: string): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.take(4, field)
    return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
  }

  /** Nothing may be left. */
  end(code: Code = this.#code): void {
    if (this.remaining !== 0) {
      refuse(code, this.#path, { expected: `${this.#at} bytes`, actual: `${this.#bytes.length} bytes` })
    }
  }
}
