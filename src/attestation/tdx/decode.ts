import { reversed } from '../../core/bytes.ts'
import { toHex } from '../../core/encodings.ts'
import { type Decoding, decodeLayout } from '../../core/layout.ts'
import { attempt, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { TdAttributes } from '../claims.ts'
import { type DcapQuote, decodeQuote } from '../dcap/quote.ts'
import { TD_REPORT_1_0, TD_REPORT_1_5 } from '../dcap/quote-layout.ts'
import { type Decoded, decoded } from '../kind.ts'

/** A TDX quote as a structure. Nothing in it is proved; byte fields are views into a private copy. */
export interface TdxQuote {
  readonly quote: DcapQuote
  readonly td: Decoding<(typeof TD_REPORT_1_0)['fields']>
  readonly tdAttributes: TdAttributes
  /** both undefined in TD reports 1.0 */
  readonly teeTcbSvn2: Uint8Array | undefined
  readonly mrServiceTd: Uint8Array | undefined
}

/**
 * Decodes a TDX quote of version 4 or 5: every length exact, and no bit of TDATTRIBUTES or XFAM set that has no meaning.
 * @returns the quote, or the codes of `decodeQuote` for TDX · TDX_ATTRIBUTE_RESERVED_BIT
 * @see ../shared/spec/intel-dcap.md §§1, 4, 5
 */
export function decodeTdxQuote(bytes: Uint8Array, path: string): Outcome<Decoded<TdxQuote>> {
  return attempt(() => {
    const quote = decodeQuote(bytes, 'TDX', path)
    const codes = { size: 'TDX_SIZE_MISMATCH', reserved: 'TDX_SIZE_MISMATCH' } as const
    const at = `${path}.body`
    const td15 = quote.bodyType === 3 ? take(decodeLayout(TD_REPORT_1_5, quote.body, at, codes)) : undefined
    const td = td15 ?? take(decodeLayout(TD_REPORT_1_0, quote.body, at, codes))
    checkFixedBits(td.tdAttributes, TD_ATTRIBUTES, `${at}.tdAttributes`)
    checkFixedBits(td.xfam, XFAM, `${at}.xfam`)
    return decoded<TdxQuote>({
      quote,
      td,
      tdAttributes: decodeTdAttributes(td.tdAttributes),
      teeTcbSvn2: td15?.teeTcbSvn2,
      mrServiceTd: td15?.mrServiceTd,
    })
  })
}

interface FixedBits {
  readonly mayBeSet: Uint8Array
  readonly mustBeSet: Uint8Array
}

/**
 * DEBUG (0), the profiling bits 4 to 6, ICSSD (16), LASS (27), SEPT_VE_DISABLE (28), MIGRATABLE (29), PKS (30), KL (31), TPA
 * (62), PERFMON (63). Newer modules define bits that older documents reserve, so all with a meaning anywhere are read; what
 * none of them may weaken is for the policy to say.
 */
const TD_ATTRIBUTES: FixedBits = {
  mayBeSet: Uint8Array.of(0x71, 0, 0x01, 0xf8, 0, 0, 0, 0xc0),
  mustBeSet: new Uint8Array(8),
}

/** As XCR0 and IA32_XSS: x87 and SSE always; AVX, AVX-512, PT, PKRU, CET, UINTR, LBR, AMX where the guest has them. */
const XFAM: FixedBits = {
  mayBeSet: Uint8Array.of(0xe7, 0xdb, 0x06, 0, 0, 0, 0, 0),
  mustBeSet: Uint8Array.of(0x03, 0, 0, 0, 0, 0, 0, 0),
}

function checkFixedBits(bits: Uint8Array, { mayBeSet, mustBeSet }: FixedBits, path: string): void {
  const holds = bits.every((byte, i) => (byte & ~(mayBeSet[i] ?? 0)) === 0 && (~byte & (mustBeSet[i] ?? 0)) === 0)
  if (!holds) {
    refuse('TDX_ATTRIBUTE_RESERVED_BIT', path, {
      expected: `no bit outside ${toHex(mayBeSet)}, and all of ${toHex(mustBeSet)}`,
      actual: toHex(bits),
    })
  }
}

/** Named bits of bytes 0, 3 and 7; what is left of them is `unknownBits`. */
const NAMED = Uint8Array.of(0x01, 0, 0, 0xf0, 0, 0, 0, 0x80)

function decodeTdAttributes(bits: Uint8Array): TdAttributes {
  const bit = (n: number): boolean => (((bits[n >> 3] ?? 0) >> (n & 7)) & 1) === 1
  return {
    debug: bit(0),
    septVeDisable: bit(28),
    migratable: bit(29),
    pks: bit(30),
    keyLocker: bit(31),
    perfmon: bit(63),
    unknownBits: toHex(reversed(bits.map((byte, i) => byte & ~(NAMED[i] ?? 0)))),
  }
}
