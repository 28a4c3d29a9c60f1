import { concatBytes } from '../../core/bytes.ts'

/** TPM 2.0 Part 2: integers big-endian, TPM2B_x a u16 of the size and the bytes. */
export const u16 = (value: number): Uint8Array => Uint8Array.of(value >>> 8, value & 0xff)
export const u32 = (value: number): Uint8Array => concatBytes(u16(value >>> 16), u16(value & 0xffff))
export const sized = (bytes: Uint8Array): Uint8Array => concatBytes(u16(bytes.length), bytes)
/** What stands in a TPM2B_x. */
export const unsized = (bytes: Uint8Array): Uint8Array => bytes.subarray(2)

export const ALG = {
  rsa: 0x0001,
  aes: 0x0006,
  sha1: 0x0004,
  sha256: 0x000b,
  sha384: 0x000c,
  sha512: 0x000d,
  null: 0x0010,
  rsassa: 0x0014,
  ecdsa: 0x0018,
  ecc: 0x0023,
  cfb: 0x0043,
} as const

export type PcrBank = 'sha1' | 'sha256' | 'sha384' | 'sha512'

const PCRS = 24

/** TPML_PCR_SELECTION of one bank. @throws TypeError for registers that are none */
export function pcrSelection(bank: PcrBank, registers: readonly number[]): Uint8Array {
  const bitmap = new Uint8Array(PCRS / 8)
  for (const register of registers) {
    if (!Number.isInteger(register) || register < 0 || register >= PCRS) throw new TypeError('registers are 0 to 23')
    bitmap[register >> 3] = (bitmap[register >> 3] ?? 0) | (1 << (register & 7))
  }
  return concatBytes(u32(1), u16(ALG[bank]), Uint8Array.of(bitmap.length), bitmap)
}

/** The registers of the first selection of a TPML_PCR_SELECTION; none where it is empty. */
export function selectedRegisters(wire: Uint8Array): number[] {
  const view = new DataView(wire.buffer, wire.byteOffset, wire.byteLength)
  if (view.getUint32(0) === 0) return []
  const bitmap = wire.subarray(7, 7 + (wire[6] ?? 0))
  return [...bitmap].flatMap((byte, i) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => byte & (1 << bit)).map((bit) => 8 * i + bit),
  )
}

/** The digests of a TPML_DIGEST. */
export function digestsOf(wire: Uint8Array): Uint8Array[] {
  const view = new DataView(wire.buffer, wire.byteOffset, wire.byteLength)
  const digests: Uint8Array[] = []
  let at = 4
  for (let i = view.getUint32(0); i > 0; i--) {
    const size = view.getUint16(at)
    digests.push(wire.slice(at + 2, at + 2 + size))
    at += 2 + size
  }
  return digests
}
