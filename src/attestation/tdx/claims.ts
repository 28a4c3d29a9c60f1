import { toHex } from '../../core/encodings.ts'
import type { TdxClaims } from '../claims.ts'
import type { ProvedQuote } from '../dcap/verify.ts'
import type { Authentic } from '../kind.ts'
import type { TdxQuote } from './decode.ts'

/** A proved TDX quote in the common vocabulary. */
export function toTdxClaims({ value: { report, pck, eventLog, tcb } }: Authentic<ProvedQuote<TdxQuote>>): TdxClaims {
  const { quote, td, tdAttributes, teeTcbSvn2, mrServiceTd } = report
  return {
    kind: 'intel/tdx-quote',
    quoteVersion: quote.version === 5 ? 5 : 4,
    bodyType: quote.bodyType === 3 ? 'td-1.5' : 'td-1.0',
    teeTcbSvn: toHex(td.teeTcbSvn),
    mrSeam: toHex(td.mrSeam),
    mrSignerSeam: toHex(td.mrSignerSeam),
    seamAttributes: toHex(td.seamAttributes),
    tdAttributesRaw: toHex(td.tdAttributes),
    tdAttributes,
    xfam: toHex(td.xfam),
    mrTd: toHex(td.mrTd),
    mrConfigId: toHex(td.mrConfigId),
    mrOwner: toHex(td.mrOwner),
    mrOwnerConfig: toHex(td.mrOwnerConfig),
    rtmrs: [toHex(td.rtmr0), toHex(td.rtmr1), toHex(td.rtmr2), toHex(td.rtmr3)],
    reportData: toHex(td.reportData),
    teeTcbSvn2: teeTcbSvn2 === undefined ? undefined : toHex(teeTcbSvn2),
    mrServiceTd: mrServiceTd === undefined ? undefined : toHex(mrServiceTd),
    eventLog,
    pck,
    tcb,
  }
}
