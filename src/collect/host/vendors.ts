import { checkClock } from '../../core/clock.ts'
import { fault } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import { systemCode } from '../system-error.ts'
import { type Check, good, skipped, wrong } from './check.ts'
import type { HostFiles } from './files.ts'

/** A service that collateral comes from. */
export interface VendorService {
  readonly id: string
  readonly url: string
}

export const VENDOR_SERVICES: readonly VendorService[] = [
  { id: 'amd-kds', url: 'https://kdsintf.amd.com/vcek/v1/Genoa/crl' },
  { id: 'intel-pcs', url: 'https://api.trustedservices.intel.com/sgx/certification/v4/qe/identity' },
  { id: 'nvidia-rim', url: 'https://rim.attestation.nvidia.com/v1/rim/ids' },
  { id: 'nvidia-ocsp', url: 'https://ocsp.ndis.nvidia.com/' },
]

const TIMEOUT_MILLISECONDS = 5000

/** Whether each answers at all, whatever it answers, and what time it has. All at once, 5 seconds at most. */
export async function askVendors(
  services: readonly VendorService[],
): Promise<readonly { readonly check: Check; readonly date: UnixSeconds | undefined }[]> {
  return Promise.all(
    services.map(async ({ id, url }) => {
      try {
        const { status, headers } = await fetch(url, {
          method: 'HEAD',
          redirect: 'manual',
          signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
        })
        const date = Date.parse(headers.get('date') ?? '')
        return {
          check: good(`vendor.${id}`, `${new URL(url).host} answers (${status})`),
          date: Number.isNaN(date) ? undefined : Math.floor(date / 1000),
        }
      } catch (error) {
        return {
          check: wrong(`vendor.${id}`, fault('DOCTOR_VENDOR_UNREACHABLE', url, { actual: reasonOf(error) })),
          date: undefined,
        }
      }
    }),
  )
}

/** `fetch` says why in the cause; what it does not name is a time-out. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return (
    systemCode(cause) ??
    (cause instanceof Error ? cause.message : error instanceof Error ? error.name : 'no reason given')
  )
}

/** Compared with the vendors' own clocks, to which certificates are dated. */
export function checkTime(now: UnixSeconds, builtAt: UnixSeconds, dates: readonly UnixSeconds[]): Check {
  const notKept = { notKept: 'one run keeps no state' }
  const [why] = checkClock({ now, builtAt, lastPersisted: notKept, previous: notKept, otherSources: dates })
  if (why !== undefined) return wrong('clock', why)
  return dates.length === 0
    ? skipped('clock', 'no vendor was asked for its time; it is not before this release')
    : good('clock', `agrees with ${dates.length} vendors`)
}

/** Whether something keeps the clock, by the traces of systemd-timesyncd, chrony and ntpd. */
export async function checkTimeKeeping(files: HostFiles): Promise<Check> {
  if (await files.isThere('/run/systemd/timesync/synchronized'))
    return good('clock.ntp', 'systemd-timesyncd has synchronised')
  for (const [name, path] of [
    ['chronyd', '/run/chrony/chronyd.pid'],
    ['chronyd', '/run/chronyd.pid'],
    ['ntpd', '/run/ntpd.pid'],
  ] as const)
    if (await files.isThere(path)) return good('clock.ntp', `${name} runs`)
  return wrong(
    'clock.ntp',
    fault('DOCTOR_CLOCK_UNSYNCHRONISED', '/run/systemd/timesync/synchronized', {
      expected: 'a time service',
      actual: 'none',
    }),
  )
}
