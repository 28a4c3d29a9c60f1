import { concatBytes, equalBytes } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { toHex } from '../../core/encodings.ts'
import { refuse } from '../../core/outcome.ts'
import type { Attest } from './attest.ts'
import type { PcrValues } from './pcr-file.ts'
import type { SignatureHash } from './signature.ts'

/**
 * Proves, inside `attemptAsync`, that the values shown are those that were quoted: exactly the PCRs of the signed selection, and
 * their digest in the order of its list under the hash of the signature, whatever their bank. Ends it with
 * TPM_PCR_NOT_QUOTED (a value is shown that the quote does not select) · TPM_PCR_DIGEST_MISMATCH.
 * @see TPM 2.0 Library Part 3 §18.4; CVE-2022-0317, CVE-2024-29039
 */
export async function checkPcrs(
  { selections, pcrDigest }: Attest,
  shown: PcrValues,
  hash: SignatureHash,
  digest: Context['digest'],
  path: string,
): Promise<void> {
  for (const [bank, values] of shown) {
    const selected = selections.find((s) => s.bank === bank)?.pcrs ?? []
    const extra = [...values.keys()].find((pcr) => !selected.includes(pcr))
    if (extra !== undefined)
      refuse('TPM_PCR_NOT_QUOTED', `${path}.pcrs.${bank}.${extra}`, {
        expected: `PCRs ${selected.join(', ') || 'of another bank'}`,
        actual: `PCR ${extra}`,
      })
  }
  const values = selections.flatMap(({ bank, pcrs }) =>
    pcrs.map(
      (pcr) =>
        shown.get(bank)?.get(pcr) ??
        refuse('TPM_PCR_DIGEST_MISMATCH', `${path}.pcrs.${bank}.${pcr}`, {
          expected: 'the value of every quoted PCR',
          actual: 'none',
        }),
    ),
  )
  const computed = await digest(hash, concatBytes(...values))
  if (!equalBytes(computed, pcrDigest))
    refuse('TPM_PCR_DIGEST_MISMATCH', `${path}.attest.pcrDigest`, {
      expected: toHex(pcrDigest),
      actual: `${toHex(computed)} over the values shown`,
    })
}

/** Debug and application PCRs: anybody in the guest may reset them, so that they say nothing of the boot. */
export const RESETTABLE: readonly number[] = [16, 23]
