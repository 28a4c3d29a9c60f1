import type { CollateralSet } from '../../attestation/collateral.ts'
import type { Tee } from '../../attestation/dcap/model.ts'
import { authenticatePck, offeredPck } from '../../attestation/dcap/pck.ts'
import type { DcapQuote } from '../../attestation/dcap/quote.ts'
import type { EvidenceItem } from '../../attestation/evidence.ts'
import { decodeSgxQuote } from '../../attestation/sgx/index.ts'
import { decodeTdxQuote } from '../../attestation/tdx/index.ts'
import type { Context } from '../../core/context.ts'
import { toHex } from '../../core/encodings.ts'
import { attemptAsync, type Outcome, take } from '../../core/outcome.ts'
import type { CollateralRequest } from '../objects.ts'
import { type Needs, NOTHING, need } from './needs.ts'

/** Which of Intel's two trains is asked for: `early` names new TCB levels months before `standard` does. */
export type IntelUpdate = Extract<CollateralRequest, { kind: 'intel-tcb-info' }>['update']

export const tdxNeeds = (item: EvidenceItem, held: CollateralSet, context: Context, update: IntelUpdate) =>
  intelNeeds('TDX', quoteOf(decodeTdxQuote(item.bytes, 'quote')), item, held, context, update)

export const sgxNeeds = (item: EvidenceItem, held: CollateralSet, context: Context, update: IntelUpdate) =>
  intelNeeds('SGX', quoteOf(decodeSgxQuote(item.bytes, 'quote')), item, held, context, update)

type DecodedQuote = Outcome<{ readonly value: { readonly quote: DcapQuote } }>

const quoteOf = (decoded: DecodedQuote): DcapQuote | undefined => (decoded.ok ? decoded.value.value.quote : undefined)

const MISSING: ReadonlySet<string> = new Set(['TDX_PCK_CERT_MISSING', 'SGX_PCK_CERT_MISSING'])

/**
 * The documents and lists for the platform that the PCK certificate names. Only a certificate that Intel signed counts, so that
 * nobody makes a verifier ask for platforms of his own invention.
 */
async function intelNeeds(
  technology: Tee,
  quote: DcapQuote | undefined,
  item: EvidenceItem,
  held: CollateralSet,
  context: Context,
  update: IntelUpdate,
): Promise<Needs> {
  if (quote === undefined) return NOTHING
  const pck = await attemptAsync(async () =>
    authenticatePck(context, technology, take(await attemptAsync(() => offeredPck(context, technology, quote, held)))),
  )
  if (!pck.ok) {
    const missing = pck.faults.filter((f) => MISSING.has(f.code))
    return { needs: [], faults: missing.map((fault) => ({ item: item.id, fault })) }
  }
  const { ca, extension } = pck.value
  const tee = technology === 'TDX' ? 'tdx' : 'sgx'
  return {
    needs: [
      need({ kind: 'intel-tcb-info', tee, fmspc: toHex(extension.fmspc), update }),
      need({ kind: 'intel-qe-identity', tee, update }),
      need({ kind: 'intel-pck-crl', ca }),
      need({ kind: 'intel-root-crl' }),
    ],
    faults: [],
  }
}
