import { floorsFor } from '../attestation/sev-snp/index.ts'
import { parseRfc3339, type UnixSeconds } from '../core/time.ts'
import type { Decision } from '../decision/decision.ts'
import type { Warning } from './report.ts'

const DAY_SECONDS = 24 * 60 * 60
/** How far ahead a report looks. */
export const AHEAD_SECONDS = 30 * DAY_SECONDS

/** What a collateral object is called by people, by its digest. */
export type NamesByDigest = ReadonlyMap<string, string>

/**
 * Certificates and collateral that the judgement rested on and that end within 30 days, the first to end first; what ends
 * at the same moment and has no name of its own, together.
 */
export function expiringSoon(
  collateral: Decision['collateral'],
  names: NamesByDigest,
  now: UnixSeconds,
): readonly Warning[] {
  const groups = new Map<string, { readonly at: UnixSeconds; readonly text: string; readonly rows: Use[] }>()
  for (const use of collateral) {
    const at = parseRfc3339(use.validUntil)
    if (at === undefined || at > now + AHEAD_SECONDS) continue
    const name = names.get(use.digest)
    const text = `${use.kind}${name === undefined ? '' : ` ${name}`}`
    const group = groups.get(`${text} ${at}`) ?? { at, text, rows: [] }
    groups.set(`${text} ${at}`, group)
    group.rows.push(use)
  }
  return [...groups.values()]
    .sort((a, b) => a.at - b.at)
    .flatMap(({ at, text, rows: [first, ...more] }): Warning[] => {
      if (first === undefined) return []
      const what = more.length === 0 ? `${text} ends` : `${more.length + 1} of kind ${text} end`
      return [{ what, at: first.validUntil, advice: adviceFor(first.kind, at - now) }]
    })
}

type Use = Decision['collateral'][number]

/** Lists and answers are made anew all the time; a certificate that ends is work. */
function adviceFor(kind: Use['kind'], leftSeconds: number): string {
  if (kind === 'x509-certificate') return 'Fetch the new certificate of the vendor before that day.'
  const days = Math.floor(leftSeconds / DAY_SECONDS)
  const left = days < 2 ? 'a day' : `${days} days`
  return `Fetch it again within ${left} and judge with that; tenants hold collateral of their own.`
}

/** Levels that AMD's bulletins ask for, published after the time of judgement, and that this machine is below. */
export function floorsAnnounced({ items }: Decision, now: UnixSeconds): readonly Warning[] {
  return items.flatMap(({ id, claims }) => {
    if (claims?.kind !== 'amd/snp-report') return []
    const subject = { product: claims.product, cpuid: claims.cpuid }
    const today = floorsFor(subject, now)
    return floorsFor(subject, Number.MAX_SAFE_INTEGER).levels.flatMap(({ component, minimum, source }): Warning[] => {
      const asked = today.levels.find((level) => level.component === component)?.minimum ?? 0
      const reported = claims.reportedTcb[component] ?? 0
      if (minimum <= asked || reported >= minimum) return []
      return [
        {
          what: `${id}: ${source} will ask for ${component} ${minimum}, this machine reports ${reported}`,
          at: undefined,
          advice: 'Install the AGESA or SEV firmware that the bulletin names, before tenants take it up.',
        },
      ]
    })
  })
}

/**
 * Where Intel documents of two evaluation numbers were given, what the machine is under each: Intel publishes a new number
 * as `early` months before it becomes the standard one.
 */
export function earlyStatus(newest: Decision, before: Decision): readonly Warning[] {
  return newest.items.flatMap((item): Warning[] => {
    const older = before.items.find(({ id }) => id === item.id)?.claims
    const { claims } = item
    if (claims === undefined || older === undefined || !('tcb' in claims) || !('tcb' in older)) return []
    const [late, early] = [older.tcb, claims.tcb]
    if (early === undefined || late === undefined) return []
    if (early.tcbEvaluationDataNumber === late.tcbEvaluationDataNumber) return []
    return [
      {
        what: `${item.id}: TCB ${late.status} by evaluation ${late.tcbEvaluationDataNumber}, ${early.status} by evaluation ${early.tcbEvaluationDataNumber}`,
        at: undefined,
        advice:
          early.status === 'UpToDate'
            ? 'Nothing to do: the newer list takes the machine as it is.'
            : 'Install the BIOS and microcode of the newer list before it becomes the standard one.',
      },
    ]
  })
}
