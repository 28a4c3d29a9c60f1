import { toHex } from '../../core/encodings.ts'
import type { TpmCertificateClaims, TpmClaims, TpmEventLogClaims } from '../claims.ts'
import type { Authentic } from '../kind.ts'
import type { TpmQuote } from './decode.ts'
import { RESETTABLE } from './pcrs.ts'

/** What was proved beside the quote itself. */
export interface TpmFacts {
  readonly name: Uint8Array | undefined
  readonly certificate: TpmCertificateClaims | undefined
  readonly eventLog: TpmEventLogClaims | undefined
}

/** A proved quote in the common vocabulary. */
export function toTpmClaims(proved: Authentic<TpmQuote>, { name, certificate, eventLog }: TpmFacts): TpmClaims {
  const { attest, key, pcrs } = proved.value
  return {
    kind: 'tpm/quote',
    qualifyingData: toHex(attest.extraData),
    qualifiedSigner: toHex(attest.qualifiedSigner),
    clock: String(attest.clock),
    resetCount: attest.resetCount,
    restartCount: attest.restartCount,
    clockSafe: attest.safe,
    firmwareVersion: attest.firmwareVersion.toString(16).padStart(16, '0'),
    ak: { publicKey: toHex(key.spki), name: name === undefined ? undefined : toHex(name), certificate },
    pcrs: attest.selections.map((selection) => ({
      bank: selection.bank,
      values: selection.pcrs.flatMap((index) => {
        const value = pcrs.get(selection.bank)?.get(index)
        return value === undefined || RESETTABLE.includes(index) ? [] : [{ index, value: toHex(value) }]
      }),
    })),
    eventLog,
  }
}
