import type { EvidenceItem } from '../../attestation/evidence.ts'
import { decodeSnpReport, type SnpReport } from '../../attestation/sev-snp/decode.ts'
import { type OfferedKey, offersInEvidence } from '../../attestation/sev-snp/endorsements.ts'
import { PRODUCT_FACTS } from '../../attestation/sev-snp/products.ts'
import { vekExtensions } from '../../attestation/sev-snp/vek-extensions.ts'
import { isZero } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { toHex } from '../../core/encodings.ts'
import { type Fault, fault, type NonEmpty } from '../../core/outcome.ts'
import type { AmdProduct } from '../../core/trust-anchors.ts'
import type { CollateralRequest } from '../objects.ts'
import { type Needs, NOTHING, type Together } from './needs.ts'

/** A version 2 report names no product and is older than Turin, whose TCB it could not even express. */
const BEFORE_TURIN: NonEmpty<AmdProduct> = ['Milan', 'Genoa']

/**
 * The certificate of the chip that signed, unless it travelled with the report; its authorities and their revocation list. The
 * report's product, chip and TCB are not proved yet: that is what the certificate is for.
 */
export async function amdNeeds(item: EvidenceItem, context: Context): Promise<Needs> {
  const decoded = decodeSnpReport(item.bytes, 'report')
  const offers = await offersInEvidence(context, item.endorsements, 'endorsements')
  // What cannot be read is refused whatever a vendor might send.
  if (!decoded.ok || !offers.ok) return NOTHING
  const { value: report } = decoded.value
  const { signingKey: key } = report
  const travelled = offers.value.keys.filter((k) => k.kind === key)
  const isServed = key === 'vcek' && !isZero(report.chipId) && travelled.length === 0
  const about = (product: AmdProduct): Together => {
    const chain = { kind: 'amd-chain', product, key } as const
    return {
      whole: isServed ? [vcekOf(report, product), chain] : [chain],
      beside: [{ kind: 'amd-crl', product, key }],
    }
  }
  const [first, ...others] = productsOf(report, travelled)
  const missing = travelled.length === 0 ? neverServed(report) : undefined
  return {
    needs: [[about(first), ...others.map(about)]],
    faults: missing === undefined ? [] : [{ item: item.id, fault: missing }],
  }
}

function productsOf(report: SnpReport, travelled: readonly OfferedKey[]): NonEmpty<AmdProduct> {
  const certified = travelled.map(({ value }) => vekExtensions(value)).find((extensions) => extensions.ok)
  const named = report.product ?? (certified?.ok === true ? certified.value.product : undefined)
  return named === undefined ? BEFORE_TURIN : [named]
}

const vcekOf = ({ chipId, reportedTcb }: SnpReport, product: AmdProduct): CollateralRequest => ({
  kind: 'amd-vcek',
  product,
  hwid: toHex(chipId.subarray(0, PRODUCT_FACTS[product].hwIdBytes)),
  tcb: { ...reportedTcb, fmc: reportedTcb.fmc ?? 0 },
})

function neverServed({ signingKey, chipId }: SnpReport): Fault | undefined {
  const expected = 'its certificate beside the report'
  if (signingKey === 'vlek') return fault('COLLATERAL_VLEK_NOT_SERVED', 'report.keyInfo.signingKey', { expected })
  return isZero(chipId) ? fault('COLLATERAL_CHIP_MASKED', 'report.chipId', { expected, actual: 'zero' }) : undefined
}
