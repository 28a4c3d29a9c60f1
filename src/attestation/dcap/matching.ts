import type { TcbInfo, TcbLevel } from './model.ts'

/** The security versions of one platform, as they are compared with a level. */
export interface PlatformSvns {
  /** 16, as certified in the PCK certificate */
  readonly sgx: readonly number[]
  readonly pceSvn: number
  /** TEE_TCB_SVN, 16 bytes; undefined for SGX */
  readonly tdx: Uint8Array | undefined
}

/**
 * The first of TEE_TCB_SVN that is compared with the components of a level: a module of major version 1 and later is judged
 * by its own identity, so that bytes 0 and 1, its SVN and major version, are none of the platform's. intel-dcap.md §9.3.
 */
export const firstTdxComponent = (teeTcbSvn: Uint8Array): 0 | 2 => ((teeTcbSvn[1] ?? 0) > 0 ? 2 : 0)

/** A security version of a platform that is lower than a level asks for. */
export interface Shortfall {
  readonly list: 'sgxtcbcomponents' | 'tdxtcbcomponents' | 'pcesvn'
  /** position in the list; 0 for `pcesvn` */
  readonly index: number
  readonly actual: number
  readonly required: number
}

/** What keeps a platform from a level, in the order in which Intel compares; empty where it is at that level or above. */
export function shortfalls({ sgx, pceSvn, tdx }: PlatformSvns, level: TcbLevel): readonly Shortfall[] {
  const short = sgxShortfalls(sgx, level)
  if (pceSvn < level.pceSvn) short.push({ list: 'pcesvn', index: 0, actual: pceSvn, required: level.pceSvn })
  if (tdx === undefined) return short
  const first = firstTdxComponent(tdx)
  // A level without TDX components is none of a TDX platform's; the reader of the document sees to that.
  if (level.tdxComponents === undefined) throw new TypeError('a level of a TDX TCB info has TDX components')
  for (const [index, { svn: required }] of level.tdxComponents.entries()) {
    const actual = tdx[index] ?? -1
    if (index >= first && actual < required) short.push({ list: 'tdxtcbcomponents', index, actual, required })
  }
  return short
}

function sgxShortfalls(sgx: readonly number[], level: TcbLevel): Shortfall[] {
  const short: Shortfall[] = []
  for (const [index, { svn: required }] of level.sgxComponents.entries()) {
    const actual = sgx[index] ?? -1
    if (actual < required) short.push({ list: 'sgxtcbcomponents', index, actual, required })
  }
  return short
}

const sortedBefore = new WeakMap<TcbInfo, readonly TcbLevel[]>()

/**
 * Highest first: SGX components as a vector, then PCESVN, then TDX components. The order in the document counts for nothing.
 * Sorted once as long as the document lives.
 */
export function sortedLevels(tcbInfo: TcbInfo): readonly TcbLevel[] {
  const sorted = sortedBefore.get(tcbInfo) ?? highestFirst(tcbInfo.levels)
  sortedBefore.set(tcbInfo, sorted)
  return sorted
}

const highestFirst = (levels: readonly TcbLevel[]): readonly TcbLevel[] =>
  levels
    .map((level) => ({ level, vector: vectorOf(level) }))
    .sort((a, b) => {
      const at = a.vector.findIndex((x, i) => x !== (b.vector[i] ?? 0))
      return at < 0 ? 0 : (b.vector[at] ?? 0) - (a.vector[at] ?? 0)
    })
    .map(({ level }) => level)

const vectorOf = ({ sgxComponents, pceSvn, tdxComponents = [] }: TcbLevel): readonly number[] => [
  ...sgxComponents.map((c) => c.svn),
  pceSvn,
  ...tdxComponents.map((c) => c.svn),
]

/** Positions in the sorted levels; undefined where none matches. */
export interface MatchedLevels {
  /** by SGX components and PCESVN alone */
  readonly sgx: number | undefined
  /** by all that the platform has: for SGX the same */
  readonly platform: number | undefined
}

/** The first level that a platform satisfies, walking down. intel-dcap.md §9.1, §9.3. */
export function matchLevels(levels: readonly TcbLevel[], svns: PlatformSvns): MatchedLevels {
  const first = (of: PlatformSvns): number | undefined => {
    const at = levels.findIndex((level) => shortfalls(of, level).length === 0)
    return at < 0 ? undefined : at
  }
  return { sgx: first({ ...svns, tdx: undefined }), platform: first(svns) }
}
