import { parseRfc3339, type UnixSeconds } from '../../core/time.ts'
import type { AmdProduct } from '../../core/trust-anchors.ts'
import type { SnpPlatformInfo } from '../claims.ts'
import type { Cpuid } from './products.ts'
import { TCB_COMPONENTS, type TcbComponent, type TcbMinimum } from './tcb.ts'

/** Bits of PLATFORM_INFO that a fix shows itself by. */
export type PlatformProtection = Extract<keyof SnpPlatformInfo, 'aliasCheckComplete' | 'iommuWriteSafe'>

/** What one of AMD's bulletins asks of one product line, or of one processor of it. */
export interface TcbFloor {
  readonly bulletin: string
  readonly cve: string
  readonly title: string
  /** day on which AMD first published the bulletin, `2025-02-03` */
  readonly publishedOn: string
  readonly product: AmdProduct
  /** microcode is numbered per processor, so its minima hold for one stepping; undefined: for the whole product line */
  readonly cpuid: Cpuid | undefined
  readonly minimum: TcbMinimum
  readonly platformInfo: readonly PlatformProtection[]
  /** where the numbers come from */
  readonly source: string
}

const MILAN_B0: Cpuid = { family: 0x19, model: 0x01, stepping: 0 }
const MILAN_B1: Cpuid = { family: 0x19, model: 0x01, stepping: 1 }
const MILAN_X: Cpuid = { family: 0x19, model: 0x01, stepping: 2 }
const GENOA_B1: Cpuid = { family: 0x19, model: 0x11, stepping: 1 }
const GENOA_X: Cpuid = { family: 0x19, model: 0x11, stepping: 2 }
const BERGAMO_A1: Cpuid = { family: 0x19, model: 0xa0, stepping: 1 }
/** also Siena */
const BERGAMO_A2: Cpuid = { family: 0x19, model: 0xa0, stepping: 2 }
const TURIN_C1: Cpuid = { family: 0x1a, model: 0x02, stepping: 1 }
const TURIN_DENSE_B0: Cpuid = { family: 0x1a, model: 0x11, stepping: 0 }

const BADRAM = {
  bulletin: 'AMD-SB-3015',
  cve: 'CVE-2024-21944',
  title: 'BadRAM: memory modules that alias addresses',
  publishedOn: '2024-12-10',
  cpuid: undefined,
  minimum: {},
  platformInfo: ['aliasCheckComplete'],
  source: 'AMD-SB-3015; the bit exists since SEV firmware 1.55.22 (Milan) and 1.55.38 (Genoa)',
} as const

const ENTRYSIGN = {
  bulletin: 'AMD-SB-3019',
  cve: 'CVE-2024-56161',
  title: 'EntrySign: forged microcode is loaded',
  publishedOn: '2025-02-03',
  platformInfo: [],
} as const
const ENTRYSIGN_SNP = 'AMD-SB-3019 as quoted in microsoft/CCF issue 6812'
/** The first microcode with the fix is one above the last that the kernel distrusts; the SPL is its low byte. */
const ENTRYSIGN_MICROCODE = 'Linux arch/x86/kernel/cpu/microcode/amd.c, last revision without the fix per processor'

const ENTRYSIGN_ZEN5 = {
  bulletin: 'AMD-SB-7033',
  cve: 'CVE-2024-36347',
  title: 'EntrySign on Zen 5: forged microcode is loaded',
  publishedOn: '2025-03-05',
  product: 'Turin',
  platformInfo: [],
  source: ENTRYSIGN_MICROCODE,
} as const

const RMPOCALYPSE = {
  bulletin: 'AMD-SB-3020',
  cve: 'CVE-2025-0033',
  title: 'RMPocalypse: the reverse map table is overwritten while it is set up',
  publishedOn: '2025-10-13',
  platformInfo: [],
  source: 'AMD-SB-3020, second-hand',
} as const

/** Forbidding SMT helps too, but AMD's microcode numbers are at or below what RMPocalypse needs but for Turin's. */
const STACKWARP = {
  bulletin: 'AMD-SB-3027',
  cve: 'CVE-2025-29943',
  title: 'StackWarp: the stack engine is steered from the sibling thread',
  publishedOn: '2026-01-15',
  platformInfo: [],
  source: 'AMD-SB-3027, second-hand',
} as const

/**
 * Minimum firmware levels from AMD's security bulletins, by the day of publication. AMD signs no list of them, so this table
 * is dated data with its sources. Bulletins whose numbers are not known here are in `BULLETINS_WITHOUT_FLOOR`: nothing is
 * guessed.
 */
export const TCB_FLOORS: readonly TcbFloor[] = [
  { ...BADRAM, product: 'Milan' },
  { ...BADRAM, product: 'Genoa' },

  { ...ENTRYSIGN, product: 'Milan', cpuid: undefined, minimum: { snp: 0x18 }, source: ENTRYSIGN_SNP },
  { ...ENTRYSIGN, product: 'Milan', cpuid: MILAN_B0, minimum: { microcode: 0x7b }, source: ENTRYSIGN_MICROCODE },
  { ...ENTRYSIGN, product: 'Milan', cpuid: MILAN_B1, minimum: { microcode: 0xdb }, source: ENTRYSIGN_MICROCODE },
  { ...ENTRYSIGN, product: 'Milan', cpuid: MILAN_X, minimum: { microcode: 0x44 }, source: ENTRYSIGN_MICROCODE },
  { ...ENTRYSIGN, product: 'Genoa', cpuid: undefined, minimum: { snp: 0x17 }, source: ENTRYSIGN_SNP },
  { ...ENTRYSIGN, product: 'Genoa', cpuid: GENOA_B1, minimum: { microcode: 0x54 }, source: ENTRYSIGN_MICROCODE },
  { ...ENTRYSIGN, product: 'Genoa', cpuid: GENOA_X, minimum: { microcode: 0x4f }, source: ENTRYSIGN_MICROCODE },
  { ...ENTRYSIGN, product: 'Genoa', cpuid: BERGAMO_A1, minimum: { microcode: 0x17 }, source: ENTRYSIGN_MICROCODE },
  { ...ENTRYSIGN, product: 'Genoa', cpuid: BERGAMO_A2, minimum: { microcode: 0x19 }, source: ENTRYSIGN_MICROCODE },
  { ...ENTRYSIGN_ZEN5, cpuid: TURIN_C1, minimum: { microcode: 0x47 } },
  { ...ENTRYSIGN_ZEN5, cpuid: TURIN_DENSE_B0, minimum: { microcode: 0x47 } },

  { ...RMPOCALYPSE, product: 'Genoa', cpuid: undefined, minimum: { snp: 0x1b } },
  { ...RMPOCALYPSE, product: 'Genoa', cpuid: GENOA_B1, minimum: { microcode: 0x56 } },
  { ...RMPOCALYPSE, product: 'Genoa', cpuid: GENOA_X, minimum: { microcode: 0x51 } },
  { ...RMPOCALYPSE, product: 'Turin', cpuid: undefined, minimum: { snp: 0x04 } },
  { ...RMPOCALYPSE, product: 'Turin', cpuid: TURIN_C1, minimum: { microcode: 0x50 } },

  { ...STACKWARP, product: 'Genoa', cpuid: GENOA_B1, minimum: { microcode: 0x56 } },
  { ...STACKWARP, product: 'Genoa', cpuid: GENOA_X, minimum: { microcode: 0x51 } },
  { ...STACKWARP, product: 'Turin', cpuid: TURIN_C1, minimum: { microcode: 0x51 } },
]

/** Known holes that no floor of this table covers, and why. Policy has other means against some of them. */
export const BULLETINS_WITHOUT_FLOOR: readonly { readonly bulletin: string; readonly because: string }[] = [
  { bulletin: 'AMD-SB-3005 (CVE-2023-20592, CacheWarp)', because: 'the levels with the fix are not known here' },
  { bulletin: 'AMD-SB-3007, -3011, -3014, -3023, -3030, -3045', because: 'the levels with the fix are not known here' },
  {
    bulletin: 'AMD-SB-3016 (CVE-2023-20585)',
    because: 'day and products are not known here; PLATFORM_INFO bit 6 shows the fix',
  },
  { bulletin: 'AMD-SB-3020 on Milan', because: 'only levels of fixed fleets are known, not the minimum' },
  { bulletin: 'AMD-SB-3021 (Heracles)', because: 'the guest policy protects: ciphertext hiding and no page swap' },
  { bulletin: 'AMD-SB-3034 (CVE-2025-54510)', because: 'AMD has withdrawn the levels: no report proves the fix' },
  {
    bulletin: 'arXiv 2605.12990 (Milan)',
    because: 'with the root seed any level can be claimed: only another product helps',
  },
]

/** A minimum with the bulletins that ask for it. */
export interface RequiredLevel {
  readonly component: TcbComponent
  readonly minimum: number
  /** e.g. `AMD-SB-3019 (CVE-2024-56161)` */
  readonly source: string
}

export interface RequiredProtection {
  readonly protection: PlatformProtection
  readonly source: string
}

export interface MergedFloors {
  /** at most one entry per component, in the order of `TCB_COMPONENTS` */
  readonly levels: readonly RequiredLevel[]
  readonly platformInfo: readonly RequiredProtection[]
  /** bulletins that number the microcode of other processors of this product line and say nothing of this one */
  readonly notCovered: readonly string[]
}

export interface FloorSubject {
  readonly product: AmdProduct
  /** undefined in version 2 reports: the highest microcode of the product line is then required */
  readonly cpuid: Cpuid | undefined
}

/**
 * The highest minimum of every component that bulletins published up to a time ask of a processor.
 * @param bulletinsUpTo bulletins of later days are left out, so that a judgement at an earlier time stays as it was
 */
export function floorsFor(subject: FloorSubject, bulletinsUpTo: UnixSeconds): MergedFloors {
  const published = TCB_FLOORS.filter(
    (f) => f.product === subject.product && publishedAt(f.publishedOn) <= bulletinsUpTo,
  )
  const floors = published.filter(
    (f) => f.cpuid === undefined || subject.cpuid === undefined || sameCpuid(f.cpuid, subject.cpuid),
  )
  const sourceOf = ({ bulletin, cve }: TcbFloor) => `${bulletin} (${cve})`
  const levels = TCB_COMPONENTS.flatMap((component): RequiredLevel[] => {
    const asked = floors.flatMap((f) =>
      f.minimum[component] === undefined ? [] : [{ level: f.minimum[component], source: sourceOf(f) }],
    )
    if (asked.length === 0) return []
    const minimum = Math.max(...asked.map((a) => a.level))
    return [{ component, minimum, source: joined(asked.filter((a) => a.level === minimum).map((a) => a.source)) }]
  })
  const protections = [...new Set(floors.flatMap((f) => f.platformInfo))]
  const perProcessor = published.filter(
    (f) => f.cpuid !== undefined && !floors.some((g) => g.bulletin === f.bulletin && g.cpuid !== undefined),
  )
  return {
    levels,
    platformInfo: protections.map((protection) => ({
      protection,
      source: joined(floors.filter((f) => f.platformInfo.includes(protection)).map(sourceOf)),
    })),
    notCovered: [...new Set(perProcessor.map(sourceOf))],
  }
}

const joined = (sources: readonly string[]): string => [...new Set(sources)].join(', ')

const sameCpuid = (a: Cpuid, b: Cpuid): boolean =>
  a.family === b.family && a.model === b.model && a.stepping === b.stepping

/** Our own table: a day that does not parse is a programmer's error. */
/** Each day of the table is read once. */
const days = new Map<string, UnixSeconds>()

function publishedAt(day: string): UnixSeconds {
  const at = days.get(day) ?? parseRfc3339(`${day}T00:00:00Z`)
  if (at === undefined) throw new TypeError(`${day} is not a day`)
  days.set(day, at)
  return at
}
