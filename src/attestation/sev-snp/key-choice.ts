import { equalBytes, isZero } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import type { CollateralSet } from '../collateral.ts'
import { inOrderOfPreference } from '../preference.ts'
import type { SnpReport } from './decode.ts'
import { type AmdOffers, type OfferedKey, offersInCollateral } from './endorsements.ts'
import { differingComponents } from './tcb.ts'
import { type VekExtensions, vekExtensions } from './vek-extensions.ts'

/** A folder may hold forgeries for any chip; so many tell a genuine certificate beside a few of them. */
const MOST_CANDIDATES = 4

/**
 * Certificates that may be the one of the key that signed `report`, in the order in which they are tried: what travelled
 * with it before what the collateral holds, of the kind that SIGNING_KEY names. Among several: chip and TCB equal, then the
 * chip, then the only one there is. Where nothing of that kind is offered, a key of another kind that came with the report
 * or is certified for its chip is returned, so that the contradiction is named. At most 4; none of them is proved.
 */
export function candidateKeys(
  report: SnpReport,
  evidence: AmdOffers,
  collateral: CollateralSet,
  context: Context,
): readonly OfferedKey[] {
  const ofKind = (offers: AmdOffers) => offers.keys.filter((k) => k.kind === report.signingKey)
  const travelled = ofKind(evidence)
  const held = offersInCollateral(collateral)
  const best = bestFor(report, travelled.length > 0 ? travelled : ofKind(held), context)
  if (best.length > 0) return best.slice(0, MOST_CANDIDATES)
  const others = [...evidence.keys, ...inOrderOfPreference(keysOfChip(report, held.keys), context)]
  return (travelled.length > 0 ? travelled : others).slice(0, 1)
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

function bestFor(report: SnpReport, keys: readonly OfferedKey[], context: Context): readonly OfferedKey[] {
  const isExact = (k: OfferedKey): boolean => {
    const tcb = certified(k)?.tcb
    return tcb !== undefined && differingComponents(tcb, report.reportedTcb).length === 0
  }
  const ofChip = keysOfChip(report, keys)
  const choices =
    report.signingKey === 'vlek' || isZero(report.chipId)
      ? [sole(keys.filter(isExact)), sole(keys)]
      : [ofChip.filter(isExact), ofChip, sole(keys)]
  // AMD issues a certificate anew for every request, so one key may have several.
  return inOrderOfPreference(choices.find((choice) => choice.length > 0) ?? [], context)
}

/** The certificates of the one key that is offered; none where there are several keys and nothing tells which. */
const sole = (keys: readonly OfferedKey[]): readonly OfferedKey[] =>
  keys.every((k) => equalBytes(k.value.publicKey.spki, keys[0]?.value.publicKey.spki ?? new Uint8Array())) ? keys : []
