import type { Context } from '../../core/context.ts'
import { attemptAsync, type Fault, fault, type NonEmpty, type Outcome, refuse, take } from '../../core/outcome.ts'
import { checkValidity } from '../../core/x509/path.ts'
import type { MeasurementComparison } from '../claims.ts'
import type { Brought, CollateralSet } from '../collateral.ts'
import type { CollateralUse, RevocationReport } from '../kind.ts'
import { checkRevocation, type RevocationResult, rimRevocation } from './revocation.ts'
import { type AuthenticRim, authenticateRim, compareMeasurements, rimVersionOf } from './rim/index.ts'
import { isBiosVersion, sameBiosVersion } from './versions.ts'

/** A manifest that a device must be measured against. */
export interface RimSlot {
  readonly source: 'driver' | 'vbios' | 'bios'
  /** id under which NVIDIA publishes it, e.g. `NV_GPU_DRIVER_GH100_580.159.03` */
  readonly id: string
  readonly product: string
  readonly edition: 'GPU' | 'SWITCH'
  readonly version: string
}

/** What came of comparing a report with the vendor's reference values. */
export interface ReferenceResult {
  readonly measurements: MeasurementComparison
  readonly faults: readonly Fault[]
  /** one for each manifest that was used */
  readonly revocation: readonly RevocationReport[]
  readonly collateral: readonly CollateralUse[]
  readonly injectedAnchors: readonly string[]
}

/** A manifest that was authenticated, fits its slot, and whose signer is in date and not revoked. */
interface UsableRim {
  readonly slot: RimSlot
  readonly rim: AuthenticRim
  readonly revocation: RevocationResult
}

/** Why a candidate is not usable, and how far it came: of several, the one that came furthest is told of. */
interface UselessRim {
  readonly progress: number
  readonly faults: NonEmpty<Fault>
}

type Tried = { readonly ok: true; readonly usable: UsableRim } | { readonly ok: false; readonly useless: UselessRim }

/** Revisions of one manifest that are compared with each other's partners; NVIDIA has published two of one id at most. */
const REVISIONS = 8

/** Files that are tried for one manifest: proving one costs four signature checks and the reading of its XML. */
const CANDIDATES = 16

/**
 * Compares a report's measurements with the manifests of exactly its versions. NVIDIA re-issues manifests under one id with
 * other values, so every revision that fits is tried and the pair that matches is recorded; where none matches, the newest
 * pair is told of. Nothing is compared until there is a usable manifest for each slot.
 * @param measured values by block index, from 1
 * @param offered manifests that travelled with the evidence: unlike those out of a folder, each must fit
 * @returns faults GPU_RIM_UNAVAILABLE · GPU_MEASUREMENT_MISMATCH (one for each index) · X509_VALIDITY · RIM_* · GPU_RIM_CONFLICT ·
 * LIMIT_COLLATERAL_COUNT
 * @see ../shared/spec/nvidia-gpu.md §§4, 5
 */
export async function compareWithReferenceValues(
  context: Context,
  measured: ReadonlyMap<number, Uint8Array>,
  nvdec0Disabled: boolean,
  slots: NonEmpty<RimSlot>,
  offered: readonly Brought<Uint8Array>[],
  collateral: CollateralSet,
): Promise<ReferenceResult> {
  const fitting = await attemptAsync(() => offeredBySlot(context, offered, slots))
  if (!fitting.ok)
    return unusable(
      slots.map((s) => s.id),
      fitting.faults,
    )
  const perSlot = await Promise.all(
    slots.map(async (slot) => {
      const candidates = distinct([...(fitting.value.get(slot) ?? []), ...candidatesOf(slot, collateral.rims)])
      const tried =
        candidates.length > CANDIDATES
          ? [tooMany(slot, candidates.length)]
          : await Promise.all(candidates.map((held) => tryRim(context, held, slot, collateral)))
      return { slot, tried }
    }),
  )
  const missing = perSlot.filter(({ tried }) => !tried.some((t) => t.ok))
  if (missing.length > 0) {
    const refused = missing.flatMap(({ tried }) => furthest(tried))
    const absent = missing.filter(({ tried }) => tried.length === 0).map(({ slot }) => absence(slot))
    return unusable(
      missing.map(({ slot }) => slot.id),
      refused.length > 0 ? refused : absent,
    )
  }
  return comparePairs(
    measured,
    nvdec0Disabled,
    perSlot.map(({ tried }) => newestFirst(tried)),
  )
}

const tooMany = (slot: RimSlot, actual: number): Tried => {
  const limit = fault('LIMIT_COLLATERAL_COUNT', `rim.${slot.source}`, { expected: `at most ${CANDIDATES}`, actual })
  return { ok: false, useless: { progress: 0, faults: [limit] } }
}

const absence = (slot: RimSlot): Fault =>
  fault('GPU_RIM_UNAVAILABLE', `rim.${slot.source}`, { expected: slot.id, actual: 'not supplied' })

const unusable = (missing: readonly string[], faults: readonly Fault[]): ReferenceResult => ({
  measurements: { status: 'unavailable', missing },
  faults,
  revocation: [],
  collateral: [],
  injectedAnchors: [],
})

const fitsVersion = (slot: RimSlot, version: string): boolean =>
  slot.source === 'driver' ? version === slot.version : sameBiosVersion(version, slot.version)

/** What a manifest says it is for; read once per file, proved only later, so it may choose a candidate and nothing else. */
const claimed = new WeakMap<Uint8Array, ReturnType<typeof rimVersionOf>>()

function claimOf(held: Brought<Uint8Array>): ReturnType<typeof rimVersionOf> {
  const known = claimed.get(held.value) ?? rimVersionOf(held)
  claimed.set(held.value, known)
  return known
}

/** Manifests that say of themselves that they are for this slot; nothing of it is proved. */
export const candidatesOf = (slot: RimSlot, rims: readonly Brought<Uint8Array>[]): readonly Brought<Uint8Array>[] =>
  rims.filter((held) => {
    const claim = claimOf(held)
    if (!claim.ok) return false
    const { product, edition, version } = claim.value
    return product === slot.product && edition === slot.edition && fitsVersion(slot, version)
  })

/** The same file from two sources is one candidate; in an order of their own, so that the names of files decide nothing. */
const distinct = (rims: readonly Brought<Uint8Array>[]): readonly Brought<Uint8Array>[] =>
  [...new Map(rims.map((held) => [held.sha256, held])).values()].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1))

/**
 * Manifests that the evidence brings are offered for a slot by the form of their version, and have to be right. Ends the
 * surrounding `attempt` with RIM_* of a manifest that is not authentic, RIM_ID_MISMATCH or RIM_VERSION_MISMATCH.
 */
async function offeredBySlot(
  context: Context,
  offered: readonly Brought<Uint8Array>[],
  slots: NonEmpty<RimSlot>,
): Promise<ReadonlyMap<RimSlot, readonly Brought<Uint8Array>[]>> {
  const bySlot = new Map<RimSlot, Brought<Uint8Array>[]>()
  for (const [i, held] of offered.entries()) {
    const path = `endorsements.rim[${i}]`
    const rim = take(await authenticateRim(context, held, path))
    const slot = slots.find((s) => (s.source === 'driver') !== isBiosVersion(rim.version)) ?? slots[0]
    checkSlot(slot, rim, path)
    bySlot.set(slot, [...(bySlot.get(slot) ?? []), held])
  }
  return bySlot
}

function checkSlot(slot: RimSlot, rim: AuthenticRim, path: string): void {
  if (rim.product !== slot.product || rim.edition !== slot.edition) {
    refuse('RIM_ID_MISMATCH', path, {
      expected: `${slot.product} ${slot.edition}`,
      actual: `${rim.product} ${rim.edition}`,
    })
  }
  if (!fitsVersion(slot, rim.version))
    refuse('RIM_VERSION_MISMATCH', path, { expected: slot.version, actual: rim.version })
}

async function tryRim(
  context: Context,
  held: Brought<Uint8Array>,
  slot: RimSlot,
  collateral: CollateralSet,
): Promise<Tried> {
  const path = `rim.${slot.source}`
  let progress = 0
  const usable: Outcome<UsableRim> = await attemptAsync(async () => {
    const rim = take(await authenticateRim(context, held, path))
    checkSlot(slot, rim, path)
    progress = 1
    const rules = rimRevocation(rim.path)
    const revocation = take(await checkRevocation(context, rim.path, collateral.ocspResponses, rules, `${path}.chain`))
    progress = 2
    checkValidity(context, rim.path, `${path}.chain`)
    return { slot, rim, revocation }
  })
  return usable.ok ? { ok: true, usable: usable.value } : { ok: false, useless: { progress, faults: usable.faults } }
}

function furthest(tried: readonly Tried[]): readonly Fault[] {
  const useless = tried.flatMap((t) => (t.ok ? [] : [t.useless]))
  const best = Math.max(...useless.map((u) => u.progress))
  return useless.find((u) => u.progress === best)?.faults ?? []
}

const signedAt = (of: UsableRim): number => of.rim.path.certificates[0].notBefore

const newestFirst = (tried: readonly Tried[]): readonly UsableRim[] =>
  tried
    .flatMap((t) => (t.ok ? [t.usable] : []))
    .sort((a, b) => signedAt(b) - signedAt(a) || (a.rim.sha256 < b.rim.sha256 ? -1 : 1))
    .slice(0, REVISIONS)

function comparePairs(
  measured: ReadonlyMap<number, Uint8Array>,
  nvdec0Disabled: boolean,
  perSlot: readonly (readonly UsableRim[])[],
): ReferenceResult {
  let told: ReferenceResult | undefined
  for (const choice of combinations(perSlot)) {
    const result = compareChoice(measured, nvdec0Disabled, choice)
    if (result.measurements.status === 'match') return result
    told ??= result
  }
  if (told === undefined) throw new TypeError('every slot has a usable manifest')
  return told
}

/** Every choice of one manifest per slot, newest first. */
const combinations = (perSlot: readonly (readonly UsableRim[])[]): readonly (readonly UsableRim[])[] =>
  perSlot.reduce<readonly (readonly UsableRim[])[]>(
    (chosen, slot) => chosen.flatMap((c) => slot.map((u) => [...c, u])),
    [[]],
  )

function compareChoice(
  measured: ReadonlyMap<number, Uint8Array>,
  nvdec0Disabled: boolean,
  choice: readonly UsableRim[],
): ReferenceResult {
  const rimOf = (source: RimSlot['source']) => choice.find((c) => c.slot.source === source)?.rim
  const [driver, vbios, bios] = [rimOf('driver'), rimOf('vbios'), rimOf('bios')]
  const rims =
    bios !== undefined ? { bios } : driver !== undefined && vbios !== undefined ? { driver, vbios } : undefined
  if (rims === undefined) throw new TypeError('a GPU has a driver and a VBIOS manifest, a switch a BIOS manifest')
  const compared = compareMeasurements({ report: measured, nvdec0Disabled, rims })
  if (!compared.ok)
    return unusable(
      choice.map((c) => c.slot.id),
      compared.faults,
    )
  const measurements = named(compared.value, choice)
  return {
    measurements,
    faults: mismatches(measurements),
    revocation: choice.map((c) => c.revocation.report),
    collateral: [...choice.map(useOf), ...choice.flatMap((c) => c.revocation.used)],
    injectedAnchors: choice.map((c) => c.rim.path.anchor).flatMap((a) => (a.injected ? [a.id] : [])),
  }
}

/** The manifests that were used, under the ids by which they are published. */
const named = (comparison: MeasurementComparison, choice: readonly UsableRim[]): MeasurementComparison =>
  comparison.status === 'unavailable'
    ? comparison
    : {
        ...comparison,
        rims: choice.map(({ slot, rim }) => ({ id: slot.id, version: rim.version, sha256: rim.sha256 })),
      }

const useOf = ({ rim }: UsableRim): CollateralUse => ({
  kind: 'nvidia-rim',
  digest: rim.sha256,
  issuedAt: undefined,
  validUntil: Math.min(...rim.path.certificates.map((c) => c.notAfter), rim.path.anchor.notAfter),
})

const mismatches = (comparison: MeasurementComparison): readonly Fault[] =>
  comparison.status === 'unavailable'
    ? []
    : comparison.mismatched.map((m) =>
        fault('GPU_MEASUREMENT_MISMATCH', `measurements[${m.index}]`, {
          expected: m.golden.join(' or '),
          actual: m.runtime,
          source: m.source,
        }),
      )
