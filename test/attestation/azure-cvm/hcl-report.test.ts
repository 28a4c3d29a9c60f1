import { describe, expect, it } from 'vitest'
import { decodeHclReport } from '../../../src/attestation/azure-cvm/index.ts'
import { concatBytes } from '../../../src/core/bytes.ts'
import { hclReport } from '../../../src/testing/index.ts'

const REPORT = hclReport(new Uint8Array(1184).fill(1))
const codesOf = (bytes: Uint8Array) => {
  const outcome = decodeHclReport(bytes, 'hcl')
  return outcome.ok ? [] : outcome.faults.map((f) => f.code)
}
const with32 = (offset: number, value: number): Uint8Array => {
  const bytes = Uint8Array.from(REPORT)
  new DataView(bytes.buffer).setUint32(offset, value, true)
  return bytes
}

describe('an Azure HCL report', () => {
  it('is read as the paravisor writes it', () => expect(codesOf(REPORT)).toEqual([]))

  it.each([
    ['another version', with32(4, 3)],
    ['another size', with32(8, 1)],
    ['another request', with32(12, 1)],
    ['a status', with32(16, 1)],
    ['another size of the runtime data', with32(0x4c0, 21)],
    ['another version of the runtime data', with32(0x4c4, 2)],
    ['no hash', with32(0x4cc, 0)],
    ['a hash that nobody knows', with32(0x4cc, 9)],
    ['runtime data beyond the end', with32(0x4d0, 0xffffffff)],
    ['no runtime data', with32(0x4d0, 0)],
    ['something behind the runtime data', concatBytes(REPORT, Uint8Array.of(1))],
    ['an end too soon', REPORT.subarray(0, 0x4d0)],
  ])('is refused with %s', (_, bytes) => expect(codesOf(bytes)).toEqual(['ENV_UNREADABLE']))

  it('of other hardware is not judged', () => expect(codesOf(with32(0x4c8, 1))).toEqual(['ENV_KIND_NOT_SUPPORTED']))
})
