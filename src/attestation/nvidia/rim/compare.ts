import { equalBytes } from '../../../core/bytes.ts'
import { fromHex, toHex } from '../../../core/encodings.ts'
import { attempt, type Outcome, refuse, take } from '../../../core/outcome.ts'
import type { ComparedRim, MeasurementComparison } from '../../claims.ts'
import type { AuthenticRim } from './authenticate.ts'

type Source = 'driver' | 'vbios' | 'bios'

/** A comparison that took place. */
export type ComparedMeasurements = Extract<MeasurementComparison, { rims: unknown }>

export interface MeasurementInput {
  /** value of each block of the authenticated report by its index, counted from 1 */
  readonly report: ReadonlyMap<number, Uint8Array>
  /** NVDEC0_STATUS of the report says disabled (0x55) */
  readonly nvdec0Disabled: boolean
  /** both of a GPU, or the one of a switch; for this device's versions, product and edition */
  readonly rims: { readonly driver: AuthenticRim; readonly vbios: AuthenticRim } | { readonly bios: AuthenticRim }
}

const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i)

/**
 * Indexes that the manifest of a product measures at the least, by `product` and source. GH100: 35 manifests of 2023 to
 * 2025 agree; LS10: one of 2026. Later drivers measure more (580.95.05 is known with 22 instead of 21), which is compared
 * too. No production manifest of Blackwell could be read when this was written, so GB100 has no floor and needs only what
 * every manifest does: to measure something.
 */
const MEASURED: Readonly<Record<string, Readonly<Partial<Record<Source, readonly number[]>>>>> = {
  GH100: { driver: [7, ...range(21, 40)], vbios: [...range(0, 6), ...range(8, 12)] },
  LS10: { bios: range(0, 30) },
}

/** Its firmware decides whether NVDEC0 is there; where it is not, what this index measures is undefined. */
const NVDEC0_INDEX = 35
const NVDEC0_ABSENT = 'NVDEC0 is disabled on this device, so there is nothing to compare.'

interface Golden {
  readonly index: number
  readonly source: Source
  readonly alternatives: readonly string[]
  /** the same, as they are compared */
  readonly values: readonly Uint8Array[]
  readonly sizeBytes: number
}

/**
 * Compares a report with the reference values of its manifests: every active index must be in the report and equal one of
 * its alternatives in full size. Indexes of the result are the manifests', counted from 0; index i is block i + 1. What is
 * inactive or listed nowhere is not compared.
 * @returns matches, mismatches (`runtime` is `NA` where the report has no such block) and what was left out and why, or
 * GPU_RIM_CONFLICT · RIM_EMPTY · GPU_RIM_INDEX_MISSING
 */
export function compareMeasurements(input: MeasurementInput): Outcome<ComparedMeasurements> {
  return attempt(() => {
    const rims: NamedRims =
      'bios' in input.rims
        ? [['bios', input.rims.bios]]
        : [
            ['driver', input.rims.driver],
            ['vbios', input.rims.vbios],
          ]
    const golden = knownGolden(rims) ?? goldenOf(rims)
    const isSkipped = ({ index }: Golden) => input.nvdec0Disabled && index === NVDEC0_INDEX
    const compared = golden.filter((g) => !isSkipped(g))
    if (compared.length === 0) refuse('RIM_EMPTY', 'rims')
    const differing = compared.filter((g) => !isMeasured(g, input.report))
    return {
      status: differing.length === 0 ? 'match' : 'mismatch',
      matched: compared.filter((g) => !differing.includes(g)).map((g) => g.index),
      mismatched: differing.map(({ index, source, alternatives }) => ({
        index,
        source,
        golden: alternatives,
        runtime: runtimeOf(input.report.get(index + 1)),
      })),
      skipped: golden.filter(isSkipped).map(({ index }) => ({ index, because: NVDEC0_ABSENT })),
      rims: rims.map(([, rim]) => comparedRim(rim)),
    }
  })
}

type NamedRims = readonly (readonly [Source, AuthenticRim])[]

/** Of the last manifests that each one was used with: a fleet of one kind uses the same ones every time. */
const remembered = new WeakMap<
  AuthenticRim['entries'],
  { readonly rims: NamedRims; readonly golden: readonly Golden[] }
>()

/** Entries belong to one manifest, so that the same entries are the same manifest. */
function knownGolden(rims: NamedRims): readonly Golden[] | undefined {
  const last = rims[0] === undefined ? undefined : remembered.get(rims[0][1].entries)
  const isSame = ([source, { entries }]: NamedRims[number], i: number) =>
    last?.rims[i]?.[0] === source && last.rims[i]?.[1].entries === entries
  return last?.rims.length === rims.length && rims.every(isSame) ? last.golden : undefined
}

function goldenOf(rims: NamedRims): readonly Golden[] {
  const golden = goldenValues(rims)
  for (const [source, rim] of rims) checkMeasured(source, rim)
  if (rims[0] !== undefined) remembered.set(rims[0][1].entries, { rims, golden })
  return golden
}

/** Active entries of all manifests by ascending index. */
function goldenValues(rims: NamedRims): readonly Golden[] {
  const golden = new Map<number, Golden>()
  for (const [source, rim] of rims) {
    for (const [index, { active, alternatives, sizeBytes }] of rim.entries) {
      if (!active) continue
      const other = golden.get(index)
      if (other !== undefined) {
        refuse('GPU_RIM_CONFLICT', `rims.${source}[${index}]`, { actual: `active in ${other.source} and ${source}` })
      }
      const values = alternatives.map((a) => take(fromHex(a, a.length / 2, 'rims')))
      golden.set(index, { index, source, alternatives, values, sizeBytes })
    }
  }
  if (golden.size === 0) refuse('RIM_EMPTY', 'rims')
  return [...golden.values()].sort((a, b) => a.index - b.index)
}

function checkMeasured(source: Source, rim: AuthenticRim): void {
  const missing = (MEASURED[rim.product]?.[source] ?? []).find((index) => rim.entries.get(index)?.active !== true)
  if (missing !== undefined) {
    refuse('GPU_RIM_INDEX_MISSING', `rims.${source}[${missing}]`, {
      expected: `an active value for index ${missing}`,
      actual: `${rim.product} ${rim.version} without it`,
    })
  }
}

const isMeasured = ({ index, values, sizeBytes }: Golden, report: ReadonlyMap<number, Uint8Array>): boolean => {
  const runtime = report.get(index + 1)
  return runtime !== undefined && runtime.length === sizeBytes && values.some((golden) => equalBytes(golden, runtime))
}

const runtimeOf = (value: Uint8Array | undefined): string => (value === undefined ? 'NA' : toHex(value))

const comparedRim = (rim: AuthenticRim): ComparedRim => ({ id: rim.tagId, version: rim.version, sha256: rim.sha256 })
