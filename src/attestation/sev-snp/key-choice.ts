import { equalBytes, isZero } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import type { CollateralSet } from '../collateral.ts'
import type { SnpReport } from './decode.ts'
import { type AmdOffers, type OfferedKey, offersInCollateral } from './endorsements.ts'
import { differingComponents } from './tcb.ts'
import { type VekExtensions, vekExtensions } from './vek-extensions.ts'

/**
 * The certificate of the key that signed `report`: what travelled with it before what the collateral holds, of the kind that
 * SIGNING_KEY names. Among several: chip and TCB equal, then the chip, then the only one there is. Where nothing of that
 * kind is offered, a key of another kind that came with the report or is certified for its chip is returned, so that the
 * contradiction is named.
 */
export function chooseKey(
  report: SnpReport,
  evidence: AmdOffers,
  collateral: CollateralSet,
  context: Context,
): OfferedKey | undefined {
  const ofKind = (offers: AmdOffers) => offers.keys.filter((k) => k.kind === report.signingKey)
  const [first, ...more] = ofKind(evidence)
  if (first !== undefined) return bestFor(report, [first, ...more], context) ?? first
  const held = offersInCollateral(collateral)
  return bestFor(report, ofKind(held), context) ?? evidence.keys[0] ?? keysOfChip(report, held.keys)[0]
}

function certified(key: OfferedKey): VekExtensions | undefined {
  const extensions = vekExtensions(key.value)
  return extensions.ok ? extensions.value : undefined
}

/** Keys certified for the chip that the report names; none where it masks the chip. */
function keysOfChip({ chipId }: SnpReport, keys: readonly OfferedKey[]): readonly OfferedKey[] {
  if (isZero(chipId)) return []
  return keys.filter((k) => {
    const hwId = certified(k)?.hwId
    return hwId !== undefined && equalBytes(hwId, chipId.subarray(0, hwId.length))
  })
}

function bestFor(report: SnpReport, keys: readonly OfferedKey[], context: Context): OfferedKey | undefined {
  const isExact = (k: OfferedKey): boolean => {
    const tcb = certified(k)?.tcb
    return tcb !== undefined && differingComponents(tcb, report.reportedTcb).length === 0
  }
  if (report.signingKey === 'vlek' || isZero(report.chipId)) {
    return sole(keys.filter(isExact), context) ?? sole(keys, context)
  }
  const ofChip = keysOfChip(report, keys)
  return current(ofChip.filter(isExact), context) ?? current(ofChip, context) ?? sole(keys, context)
}

/** AMD issues a certificate anew for every request, so one key may have several: one in date is preferred. */
const current = (keys: readonly OfferedKey[], { now }: Context): OfferedKey | undefined =>
  keys.find((k) => k.value.notBefore <= now && now <= k.value.notAfter) ?? keys[0]

/** The one key that is offered; undefined where there are several and nothing tells which. */
const sole = (keys: readonly OfferedKey[], context: Context): OfferedKey | undefined =>
  keys.every((k) => equalBytes(k.value.publicKey.spki, keys[0]?.value.publicKey.spki ?? new Uint8Array()))
    ? current(keys, context)
    : undefined
