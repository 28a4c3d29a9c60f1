import { activeIndexes, type NvidiaArchitecture, type RimKind, rimKindsOf } from './architectures.ts'
import { must, seededBytes } from './bytes.ts'

/** What a manifest and the reports that match it have to agree on. */
export interface FirmwareVersion {
  readonly seed: string
  readonly architecture: NvidiaArchitecture
  readonly kind: RimKind
  /** Driver version, VBIOS version or switch BIOS version as the manifest prints it. */
  readonly version: string
}

const ZERO = new Uint8Array(48)

/**
 * How many alternatives real manifests give (550.144.03 driver, 96.00.74 VBIOS, 96.10.55 switch BIOS), which of them the
 * report shows, and where an all-zero value stands: a verifier has to try every alternative and must not treat zeros as absent.
 */
interface Shape {
  readonly count: number
  readonly shown: number
  readonly zeroAt?: number
}
const SINGLE: Shape = { count: 1, shown: 0 }
const ALL_ZERO: Shape = { count: 1, shown: 0, zeroAt: 0 }

const SHAPES: Record<NvidiaArchitecture, Readonly<Record<number, Shape>>> = {
  hopper: {
    0: ALL_ZERO,
    8: ALL_ZERO,
    10: ALL_ZERO,
    12: { count: 4, shown: 0, zeroAt: 0 },
    23: { count: 2, shown: 1, zeroAt: 1 },
    24: { count: 2, shown: 0, zeroAt: 1 },
    28: ALL_ZERO,
    32: { count: 2, shown: 0 },
    33: { count: 2, shown: 1 },
    34: { count: 2, shown: 1 },
    35: { count: 4, shown: 3 },
    36: { count: 3, shown: 2 },
  },
  blackwell: {
    0: ALL_ZERO,
    1: ALL_ZERO,
    5: ALL_ZERO,
    7: ALL_ZERO,
    9: ALL_ZERO,
    10: ALL_ZERO,
    16: ALL_ZERO,
    23: { count: 2, shown: 1, zeroAt: 1 },
    24: { count: 2, shown: 1, zeroAt: 1 },
    28: ALL_ZERO,
    35: { count: 4, shown: 3 },
  },
  ls10: {
    5: ALL_ZERO,
    7: ALL_ZERO,
    9: { count: 4, shown: 3, zeroAt: 0 },
    10: { count: 4, shown: 1 },
    11: { count: 4, shown: 1 },
    12: { count: 4, shown: 0, zeroAt: 0 },
    18: { count: 4, shown: 2 },
    22: { count: 4, shown: 3 },
  },
}

/** Golden values of one active index, every alternative in order; 48 bytes each. */
export function goldenAlternatives(of: FirmwareVersion, index: number): readonly Uint8Array[] {
  const shape = SHAPES[of.architecture][index] ?? SINGLE
  const label = (alternative: number) => `golden/${of.architecture}/${of.kind}/${of.version}/${index}/${alternative}`
  return Array.from({ length: shape.count }, (_, i) => (i === shape.zeroAt ? ZERO : seededBytes(of.seed, label(i), 48)))
}

/** Golden values of every active index of one manifest. */
export function goldenValues(of: FirmwareVersion): ReadonlyMap<number, readonly Uint8Array[]> {
  return new Map(activeIndexes(of.architecture, of.kind).map((index) => [index, goldenAlternatives(of, index)]))
}

/** The value a device with this firmware reports at an active index: one of the alternatives, not always the first. */
function reportedValue(of: FirmwareVersion, index: number): Uint8Array {
  const alternatives = goldenAlternatives(of, index)
  return must(alternatives[SHAPES[of.architecture][index]?.shown ?? 0], `alternative of index ${index}`)
}

/**
 * The measurements a device reports: for every index a manifest covers one of its golden values, and zeros elsewhere.
 * @param versions manifest version by kind; every kind of the architecture must be there
 */
export function reportedMeasurements(
  seed: string,
  architecture: NvidiaArchitecture,
  versions: Partial<Record<RimKind, string>>,
  blockCount: number,
): readonly Uint8Array[] {
  const values: Uint8Array[] = Array.from({ length: blockCount }, () => ZERO)
  for (const kind of rimKindsOf(architecture)) {
    const of = { seed, architecture, kind, version: must(versions[kind], `${kind} version`) }
    for (const index of activeIndexes(architecture, kind)) values[index] = reportedValue(of, index)
  }
  return values
}
