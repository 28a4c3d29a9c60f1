import { Cursor } from '../../core/cursor.ts'

/** Reads a structure as the TPM marshals it: integers big-endian, TPM2B with a size in front. Inside `attempt`. */
export class TpmReader {
  readonly path: string
  readonly #cursor: Cursor

  /** Input that ends too soon or goes on too long is TPM_SIZE_MISMATCH. */
  constructor(bytes: Uint8Array, path: string) {
    this.path = path
    this.#cursor = new Cursor(bytes, path, 'TPM_SIZE_MISMATCH')
  }

  get offset(): number {
    return this.#cursor.offset
  }

  take(sizeBytes: number, field: string): Uint8Array {
    return this.#cursor.take(sizeBytes, field)
  }

  #unsigned(sizeBytes: 1 | 2 | 4, field: string): number {
    return this.take(sizeBytes, field).reduce((value, byte) => value * 256 + byte, 0)
  }

  u8(field: string): number {
    return this.#unsigned(1, field)
  }

  u16(field: string): number {
    return this.#unsigned(2, field)
  }

  u32(field: string): number {
    return this.#unsigned(4, field)
  }

  u64(field: string): bigint {
    return (BigInt(this.u32(field)) << 32n) | BigInt(this.u32(field))
  }

  /** TPM2B: a size of 16 bits, then so many bytes. */
  sized(field: string): Uint8Array {
    return this.take(this.u16(`${field}.size`), field)
  }

  /** Nothing may be left. */
  end(): void {
    this.#cursor.end()
  }
}
