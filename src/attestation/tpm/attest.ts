import type { HashName } from '../../core/crypto/port.ts'
import { toHex } from '../../core/encodings.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'
import { algText, hashOf } from './algorithms.ts'
import { TpmReader } from './reader.ts'

/** PCRs of one bank, ascending. */
export interface PcrSelection {
  readonly bank: HashName
  readonly pcrs: readonly number[]
}

/** TPMS_ATTEST of a quote. Byte fields are views into the input. */
export interface Attest {
  /** as it was signed */
  readonly bytes: Uint8Array
  /** TPM2B_NAME: hash algorithm and digest over the names from the hierarchy down to the key */
  readonly qualifiedSigner: Uint8Array
  /** the verifier's challenge */
  readonly extraData: Uint8Array
  /** milliseconds */
  readonly clock: bigint
  readonly resetCount: number
  readonly restartCount: number
  readonly safe: boolean
  readonly firmwareVersion: bigint
  /** in the order of the list, which is that of the digest; banks of which nothing is selected are left out */
  readonly selections: readonly PcrSelection[]
  readonly pcrDigest: Uint8Array
}

/** TPM_GENERATED_VALUE: a restricted key signs nothing from outside that begins with it. */
export const GENERATED = 0xff544347
const ST_ATTEST_QUOTE = 0x8018
const MOST_SELECTIONS = 16
/** Bytes of a bitmap; a PC has three. */
const MOST_SELECT_BYTES = 4
const MOST_EXTRA_BYTES = 66

/** Whether bytes begin like an attestation of a TPM; no proof of anything. */
export const looksLikeAttest = (bytes: Uint8Array): boolean => toHex(bytes.subarray(0, 4)) === 'ff544347'

/**
 * Decodes the TPMS_ATTEST of a quote, without cryptography. The magic number alone means nothing: it does where a restricted key
 * signed it.
 * @returns the quote, or TPM_SIZE_MISMATCH · TPM_MAGIC · TPM_TYPE · TPM_PCR_SELECTION_INVALID
 * @see TPM 2.0 Library Part 2 §10.12; ../shared/spec/tpm-and-clouds.md §1
 */
export function decodeAttest(bytes: Uint8Array, path: string): Outcome<Attest> {
  return attempt(() => {
    const reader = new TpmReader(bytes, path)
    const magic = reader.u32('magic')
    if (magic !== GENERATED)
      refuse('TPM_MAGIC', `${path}.magic`, { expected: 'ff544347', actual: toHex(bytes.subarray(0, 4)) })
    const type = reader.u16('type')
    if (type !== ST_ATTEST_QUOTE)
      refuse('TPM_TYPE', `${path}.type`, { expected: algText(ST_ATTEST_QUOTE), actual: algText(type) })
    const qualifiedSigner = reader.sized('qualifiedSigner')
    const extraData = reader.sized('extraData')
    if (extraData.length > MOST_EXTRA_BYTES)
      refuse('TPM_SIZE_MISMATCH', `${path}.extraData`, {
        expected: `at most ${MOST_EXTRA_BYTES}`,
        actual: extraData.length,
      })
    const clock = reader.u64('clockInfo.clock')
    const resetCount = reader.u32('clockInfo.resetCount')
    const restartCount = reader.u32('clockInfo.restartCount')
    const safe = reader.u8('clockInfo.safe')
    if (safe > 1) refuse('TPM_SIZE_MISMATCH', `${path}.clockInfo.safe`, { expected: '0 or 1', actual: safe })
    const firmwareVersion = reader.u64('firmwareVersion')
    const selections = selectionsOf(reader)
    const pcrDigest = reader.sized('pcrDigest')
    reader.end()
    return {
      ...{ bytes, qualifiedSigner, extraData, clock, resetCount, restartCount, safe: safe === 1, firmwareVersion },
      ...{ selections, pcrDigest },
    }
  })
}

/** TPML_PCR_SELECTION: PCR n is bit n mod 8 of byte n div 8. */
function selectionsOf(reader: TpmReader): readonly PcrSelection[] {
  const at = (i: number) => `${reader.path}.pcrSelect[${i}]`
  const count = reader.u32('pcrSelect.count')
  if (count > MOST_SELECTIONS)
    refuse('TPM_SIZE_MISMATCH', `${reader.path}.pcrSelect.count`, {
      expected: `at most ${MOST_SELECTIONS}`,
      actual: count,
    })
  const selections: PcrSelection[] = []
  const seen = new Set<number>()
  for (let i = 0; i < count; i++) {
    const algorithm = reader.u16(`pcrSelect[${i}].hash`)
    const size = reader.u8(`pcrSelect[${i}].sizeofSelect`)
    if (size === 0 || size > MOST_SELECT_BYTES)
      refuse('TPM_SIZE_MISMATCH', `${at(i)}.sizeofSelect`, { expected: `1 to ${MOST_SELECT_BYTES}`, actual: size })
    const pcrs = [...reader.take(size, `pcrSelect[${i}].pcrSelect`)].flatMap((byte, n) =>
      [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => ((byte >> bit) & 1) === 1).map((bit) => 8 * n + bit),
    )
    if (seen.has(algorithm))
      refuse('TPM_PCR_SELECTION_INVALID', at(i), { expected: 'each bank once', actual: algText(algorithm) })
    seen.add(algorithm)
    // The TPM clears the bits of a bank that it does not have.
    if (pcrs.length === 0) continue
    const hash = hashOf(algorithm)
    if (hash === undefined)
      return refuse('TPM_PCR_SELECTION_INVALID', at(i), {
        expected: 'sha1, sha256, sha384 or sha512',
        actual: algText(algorithm),
      })
    selections.push({ bank: hash.name, pcrs })
  }
  if (selections.length === 0)
    refuse('TPM_PCR_SELECTION_INVALID', `${reader.path}.pcrSelect`, { expected: 'PCRs', actual: 'none' })
  return selections
}
