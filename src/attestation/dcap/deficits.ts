import type { TcbDeficit, TcbStatus } from '../claims.ts'
import { PLATFORM_STATUS } from './levels.ts'
import { type PlatformSvns, type Shortfall, shortfalls } from './matching.ts'
import type { IsvSvnLevel, SvnComponent, TcbLevel } from './model.ts'

/** What raises a component where the document does not say; current documents of Intel's say it for these. */
const RAISES: Readonly<Record<Shortfall['list'], readonly string[]>> = {
  sgxtcbcomponents: [
    'BIOS early microcode',
    'OS late microcode',
    'TXT SINIT',
    'BIOS',
    'BIOS',
    'BIOS',
    'BIOS',
    'SEAM loader (ACM)',
  ],
  pcesvn: ['provisioning certification enclave (DCAP packages of the host)'],
  tdxtcbcomponents: ['TDX module', 'TDX module', 'TDX late microcode'],
}
const FIRMWARE = 'BIOS or microcode'

const betterThan = (status: TcbStatus) => (level: { readonly status: TcbStatus }) =>
  PLATFORM_STATUS.indexOf(level.status) < PLATFORM_STATUS.indexOf(status)

/**
 * What keeps a platform from the nearest level of a better status, above the one it matched.
 * @param levels highest first
 * @param at position of the matched level
 * @returns empty where no level above is better: then no update of a security version helps
 */
export function platformDeficits(levels: readonly TcbLevel[], at: number, svns: PlatformSvns): readonly TcbDeficit[] {
  const matched = levels[at]
  if (matched === undefined) return []
  const next = levels.slice(0, at).findLast(betterThan(matched.status))
  return next === undefined ? [] : deficitsBelow(next, svns)
}

/** What keeps a platform that matches nothing from the level it is closest to, for the refusal. */
export function closestDeficits(levels: readonly TcbLevel[], svns: PlatformSvns): readonly TcbDeficit[] {
  const all = [...levels].reverse().map((level) => deficitsBelow(level, svns))
  const [first, ...rest] = all
  return rest.reduce((closest, one) => (one.length < closest.length ? one : closest), first ?? [])
}

const deficitsBelow = (level: TcbLevel, svns: PlatformSvns): readonly TcbDeficit[] =>
  shortfalls(svns, level).map(({ list, index, actual, required }) => ({
    component: list === 'pcesvn' ? list : `${list}[${index}]`,
    actual,
    required,
    raisedBy: wordsOf(componentOf(level, list, index)) ?? RAISES[list][index] ?? FIRMWARE,
  }))

function componentOf(level: TcbLevel, list: Shortfall['list'], index: number): SvnComponent | undefined {
  if (list === 'pcesvn') return undefined
  return (list === 'sgxtcbcomponents' ? level.sgxComponents : level.tdxComponents)?.[index]
}

/** `OS/VMM: TDX Late Microcode Update` */
function wordsOf(component: SvnComponent | undefined): string | undefined {
  const words = [component?.category, component?.type].filter((word) => word !== undefined && word !== '')
  return words.length === 0 ? undefined : words.join(': ')
}

/** The same for a TDX module or a quoting enclave, whose levels have one security version each. */
export function isvSvnDeficit(
  levels: readonly IsvSvnLevel[],
  matched: IsvSvnLevel,
  of: Pick<TcbDeficit, 'component' | 'actual' | 'raisedBy'>,
): readonly TcbDeficit[] {
  const better = levels.filter((l) => l.isvSvn > of.actual).filter(betterThan(matched.status))
  return better.length === 0 ? [] : [{ ...of, required: Math.min(...better.map((l) => l.isvSvn)) }]
}
