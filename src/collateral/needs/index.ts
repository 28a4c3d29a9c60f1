import type { CollateralSet } from '../../attestation/collateral.ts'
import type { EvidenceItem, EvidenceKind, EvidenceSet } from '../../attestation/evidence.ts'
import type { Context } from '../../core/context.ts'
import { amdNeeds } from './amd.ts'
import { type IntelUpdate, sgxNeeds, tdxNeeds } from './intel.ts'
import { type Need, type Needs, NOTHING } from './needs.ts'
import { nvidiaNeeds, nvidiaNeedsAfter } from './nvidia.ts'

export type { IntelUpdate } from './intel.ts'
export { type Need, type NeedFault, type Needs, requestsIn, type Together } from './needs.ts'

/** What the needs of evidence depend on beside its bytes. */
export interface NeedsContext {
  /** its anchors tell which chains are worth asking about */
  readonly context: Context
  /** what the verifier holds already: a PCK certificate that the quote only names may be there */
  readonly held: CollateralSet
  readonly intelUpdate: IntelUpdate
}

type NeedsOf = (item: EvidenceItem, about: NeedsContext) => Promise<Needs>

const nvidia: NeedsOf = async (item, { context }) => ({ needs: await nvidiaNeeds(item, context), faults: [] })
/** Their vendors serve nothing that a verifier lacks. */
const none: NeedsOf = async () => NOTHING

const NEEDS: Readonly<Record<EvidenceKind, NeedsOf>> = {
  'amd/snp-report': (item, { context }) => amdNeeds(item, context),
  'intel/tdx-quote': (item, { held, context, intelUpdate }) => tdxNeeds(item, held, context, intelUpdate),
  'intel/sgx-quote': (item, { held, context, intelUpdate }) => sgxNeeds(item, held, context, intelUpdate),
  'nvidia/gpu-report': nvidia,
  'nvidia/switch-report': nvidia,
  'aws/nitro': none,
  'arm/cca-token': none,
  'tpm/quote': none,
}

/**
 * What judging this evidence takes from the vendors, read from its bytes alone: it touches no network and no clock. Evidence
 * that is refused whatever a vendor might send needs nothing.
 */
export async function needsOf({ items }: EvidenceSet, about: NeedsContext): Promise<Needs> {
  const all = await Promise.all(items.map((item) => NEEDS[item.kind](item, about)))
  return { needs: all.flatMap((n) => n.needs), faults: all.flatMap((n) => n.faults) }
}

/** What it takes beyond `needsOf` once manifests are there: whether their signers are revoked. */
export async function needsAfter(
  { items }: EvidenceSet,
  collateral: CollateralSet,
  { context }: NeedsContext,
): Promise<readonly Need[]> {
  const devices = items.filter(({ kind }) => kind.startsWith('nvidia/'))
  return (await Promise.all(devices.map((item) => nvidiaNeedsAfter(item, collateral, context)))).flat()
}
