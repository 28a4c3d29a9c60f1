import { isZero } from '../../core/bytes.ts'
import type { HashName } from '../../core/crypto/port.ts'
import { Cursor } from '../../core/cursor.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'
import { BANK_BYTES, hashOf } from './algorithms.ts'

/** PCR values as they were shown, by bank and number. Nothing in it is proved. */
export type PcrValues = ReadonlyMap<HashName, ReadonlyMap<number, Uint8Array>>

const MOST_SELECTIONS = 16
const SELECTION_BYTES = 8
const DIGESTS_PER_LIST = 8
const DIGEST_BYTES = 64

/**
 * Reads the file that `tpm2_quote -o` writes by default: structures of its C library, integers as an x86 machine keeps them.
 * The selection in it is not signed: it says which values the file shows, never which were quoted.
 * @returns the values, or TPM_SIZE_MISMATCH · TPM_PCR_SELECTION_INVALID
 */
export function decodePcrFile(bytes: Uint8Array, path: string): Outcome<PcrValues> {
  return attempt(() => {
    const cursor = new Cursor(bytes, path, 'TPM_SIZE_MISMATCH')
    const wanted = selectionsIn(cursor, path)
    const values: Uint8Array[] = []
    for (let lists = cursor.u32('lists'); lists > 0; lists--) {
      const count = cursor.u32('list.count')
      if (count > DIGESTS_PER_LIST)
        refuse('TPM_SIZE_MISMATCH', `${path}.list.count`, {
          expected: `at most ${DIGESTS_PER_LIST}`,
          actual: count,
        })
      for (let i = 0; i < DIGESTS_PER_LIST; i++) {
        const size = cursor.u16('digest.size')
        const digest = cursor.take(DIGEST_BYTES, 'digest')
        if (i >= count) continue
        if (size > DIGEST_BYTES) refuse('TPM_SIZE_MISMATCH', `${path}.digest.size`, { actual: size })
        values.push(digest.subarray(0, size))
      }
    }
    cursor.end()
    const banks = new Map<HashName, Map<number, Uint8Array>>()
    for (const [i, { bank, pcr }] of wanted.entries()) {
      const value = values[i]
      if (value === undefined || value.length !== BANK_BYTES[bank] || values.length !== wanted.length)
        return refuse('TPM_SIZE_MISMATCH', `${path}.${bank}.${pcr}`, {
          expected: `${wanted.length} values, each of its bank's size`,
          actual: `${values.length}`,
        })
      banks.set(bank, (banks.get(bank) ?? new Map<number, Uint8Array>()).set(pcr, value))
    }
    return banks
  })
}

function selectionsIn(cursor: Cursor, path: string): readonly { readonly bank: HashName; readonly pcr: number }[] {
  const count = cursor.u32('count')
  const wanted: { readonly bank: HashName; readonly pcr: number }[] = []
  for (let i = 0; i < MOST_SELECTIONS; i++) {
    const entry = cursor.take(SELECTION_BYTES, `selections[${i}]`)
    if (i >= count) continue
    const select = entry.subarray(3, 7)
    if (isZero(select)) continue
    const bank = hashOf((entry[0] ?? 0) | ((entry[1] ?? 0) << 8))?.name
    const isRepeated = wanted.some((w) => w.bank === bank)
    if (bank === undefined || isRepeated)
      return refuse('TPM_PCR_SELECTION_INVALID', `${path}.selections[${i}]`, { expected: 'each known bank once' })
    for (let pcr = 0; pcr < 32; pcr++)
      if ((((select[pcr >> 3] ?? 0) >> (pcr & 7)) & 1) === 1) wanted.push({ bank, pcr })
  }
  if (count > MOST_SELECTIONS || wanted.length === 0)
    refuse('TPM_PCR_SELECTION_INVALID', `${path}.count`, { expected: `1 to ${MOST_SELECTIONS}`, actual: count })
  return wanted
}
