import { floorsFor } from '../attestation/sev-snp/index.ts'
import { parseRfc3339, type UnixSeconds } from '../core/time.ts'
import type { Decision } from '../decision/decision.ts'
import type { Warning } from './report.ts'

const DAY_SECONDS = 24 * 60 * 60
/** How far ahead a report looks. */
export const AHEAD_SECONDS = 30 * DAY_SECONDS

/** What a collateral object is called by people, by its digest. */
export type NamesByDigest = ReadonlyMap<string, string>

/** Certificates and collateral that the judgement rested on and that end within 30 days, the first to end first. */
export function expiringSoon(
  collateral: Decision['collateral'],
  names: NamesByDigest,
  now: UnixSeconds,
): readonly Warning[] {
  return collateral
    .flatMap(({ kind, digest, validUntil }): { at: UnixSeconds; warning: Warning }[] => {
      const at = parseRfc3339(validUntil)
      if (at === undefined || at > now + AHEAD_SECONDS) return []
      const name = names.get(digest) ?? `${digest.slice(0, 16)}…`
      return [{ at, warning: { what: `${kind} ${name} ends`, at: validUntil, advice: adviceFor(kind, at - now) } }]
    })
    .sort((a, b) => a.at - b.at)
    .map(({ warning }) => warning)
}

/** Lists are made anew all the time; a certificate that ends is work. */
const adviceFor = (kind: Decision['collateral'][number]['kind'], leftSeconds: number): string =>
  kind === 'x509-certificate'
    ? 'Fetch the new certificate of the vendor before that day.'
    : `Fetch it again within ${Math.max(1, Math.floor(leftSeconds / DAY_SECONDS))} days; tenants do so by themselves.`

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
