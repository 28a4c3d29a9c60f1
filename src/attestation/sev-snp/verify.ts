import { equalBytes, isZero } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { toHex } from '../../core/encodings.ts'
import { attemptAsync, type Fault, fail, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { AmdProduct } from '../../core/trust-anchors.ts'
import type { CollateralSet } from '../collateral.ts'
import type { EvidenceItem } from '../evidence.ts'
import { authentic, type ItemJudgement, type NotChecked } from '../kind.ts'
import { contradictions, type ProvedSnpReport, toClaims } from './claims.ts'
import { type AuthenticKey, authenticateKey } from './collateral.ts'
import { decodeSnpReport, type SnpReport } from './decode.ts'
import { type AmdOffers, type OfferedKey, offersInEvidence } from './endorsements.ts'
import { candidateKeys } from './key-choice.ts'
import { differingComponents } from './tcb.ts'

/**
 * Judges one SEV-SNP report alone: decodes it, finds the certificate of the key that signed it, proves that certificate up to
 * a trusted AMD key, ties chip, firmware level, product and kind of key to the report, and checks the report's signature.
 * Freshness, binding and policy come after.
 * @returns a judgement with claims exactly where the signature held. Its faults: codes of `decodeSnpReport`,
 * `offersInEvidence` and `authenticateKey`, SNP_VCEK_UNAVAILABLE · SNP_SIGNER_KIND_MISMATCH · SNP_PRODUCT_MISMATCH ·
 * SNP_VCEK_CHIP_MISMATCH · SNP_VCEK_TCB_MISMATCH · SNP_SIGNATURE_INVALID; beside claims SNP_TCB_INCONSISTENT ·
 * SNP_PLATFORM_CONTRADICTS_POLICY
 * @see AMD 56860, ATTESTATION_REPORT; AMD 57230 and 58369, certificates
 */
export async function verifySnpReport(
  item: EvidenceItem,
  collateral: CollateralSet,
  context: Context,
): Promise<ItemJudgement> {
  const outcome = await attemptAsync(() => prove(item, collateral, context))
  if (!outcome.ok) return refused(item, outcome.faults)
  const { report, key, product } = outcome.value
  const claims = toClaims(authentic<ProvedSnpReport>({ report, product, cspId: key.extensions.cspId }))
  return {
    id: item.id,
    kind: item.kind,
    faults: contradictions(claims),
    claims: authentic(claims),
    hardwareId: isTiedToChip(report) ? `amd-chip:${await context.digestHex('sha256', report.chipId)}` : undefined,
    revocation: [key.revocation],
    collateral: key.uses,
    notChecked: notChecked(report),
    injectedAnchors: key.anchor.injected ? [key.anchor.id] : [],
  }
}

const refused = ({ id, kind }: EvidenceItem, faults: readonly Fault[]): ItemJudgement => ({
  id,
  kind,
  faults,
  claims: undefined,
  hardwareId: undefined,
  revocation: [],
  collateral: [],
  notChecked: [],
  injectedAnchors: [],
})

async function prove(item: EvidenceItem, collateral: CollateralSet, context: Context) {
  const report = take(decodeSnpReport(item.bytes, 'report')).value
  const offers = take(await offersInEvidence(context, item.endorsements, 'endorsements'))
  const candidates = candidateKeys(report, offers, collateral, context)
  let told: Outcome<never> | undefined
  // A folder may hold anything, so a certificate that proves nothing must not stand before one that does.
  for (const [i, offered] of candidates.entries()) {
    const proved = await attemptAsync(() => proveWith(offered, report, offers, collateral, context))
    if (proved.ok) return proved.value
    if (i === 0) told = proved
  }
  return take(told ?? unavailable(report))
}

const unavailable = (report: SnpReport): Outcome<never> =>
  fail('SNP_VCEK_UNAVAILABLE', 'endorsements', {
    expected: `${report.signingKey.toUpperCase()} of chip ${toHex(report.chipId)} at TCB ${tcbText(report)}`,
  })

async function proveWith(
  offered: OfferedKey,
  report: SnpReport,
  offers: AmdOffers,
  collateral: CollateralSet,
  context: Context,
) {
  const payer = offers.keys.includes(offered) ? 'evidence' : 'collateral'
  // The report's signature does not depend on the chain, so it is started first, runs beside it, and is told after it.
  const [isSigned, chain] = await Promise.all([
    context.verify(payer, 'ES384', offered.value.publicKey.spki, report.signedBytes, report.signature, 'once'),
    attemptAsync(() => authenticateKey(context, payer, offered, offers, collateral)),
  ])
  const key = take(chain)
  const product = matchKey(report, key)
  if (!isSigned) refuse('SNP_SIGNATURE_INVALID', 'report.signature')
  return { report, key, product }
}

function tcbText({ reportedTcb }: SnpReport): string {
  const parts = Object.entries(reportedTcb).filter(([, level]) => level !== undefined)
  return parts.map(([component, level]) => `${component}=${level}`).join(' ')
}

/** Whether this very key is the one that the report says it was signed with: kind, product, chip and firmware level. */
function matchKey(report: SnpReport, { kind, product, extensions }: AuthenticKey): AmdProduct {
  if (kind !== report.signingKey) {
    refuse('SNP_SIGNER_KIND_MISMATCH', 'report.keyInfo.signingKey', { expected: kind, actual: report.signingKey })
  }
  // A version 2 report names no product and is older than Turin, whose TCB it could not even express.
  const fits = report.product === undefined ? product !== 'Turin' : report.product === product
  if (!fits) {
    refuse('SNP_PRODUCT_MISMATCH', 'report.cpuid', {
      expected: product,
      actual: report.product ?? 'version 2, before Turin',
    })
  }
  const { hwId } = extensions
  if (hwId !== undefined && isTiedToChip(report)) {
    const isSame =
      equalBytes(hwId, report.chipId.subarray(0, hwId.length)) && isZero(report.chipId.subarray(hwId.length))
    if (!isSame)
      refuse('SNP_VCEK_CHIP_MISMATCH', 'report.chipId', { expected: toHex(hwId), actual: toHex(report.chipId) })
  }
  const [component] = differingComponents(extensions.tcb, report.reportedTcb)
  if (component !== undefined) {
    refuse('SNP_VCEK_TCB_MISMATCH', `report.reportedTcb.${component}`, {
      expected: `${extensions.tcb[component]}, as certified`,
      actual: `${report.reportedTcb[component]}`,
    })
  }
  return product
}

/** A VLEK certifies a cloud provider and no chip; a masked CHIP_ID is zero and equals nothing. */
const isTiedToChip = ({ signingKey, chipId }: SnpReport): boolean => signingKey === 'vcek' && !isZero(chipId)

function notChecked(report: SnpReport): readonly NotChecked[] {
  if (isTiedToChip(report)) return []
  const because =
    report.signingKey === 'vlek'
      ? 'the report is signed with a VLEK, which AMD certifies for a cloud provider and not for a chip'
      : 'the platform masks CHIP_ID, so the certificate cannot be compared with it'
  return [{ what: 'which chip made the report', because }]
}
