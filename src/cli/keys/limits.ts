import type { KeyLimits } from '../../release/ports.ts'
import { UsageError } from '../input.ts'

/** Every limit is said; `unlimited` and `any` are decisions too. */
export interface LimitOptions {
  readonly releases: string
  readonly window: string
  readonly leases: string
  readonly chips: string
  readonly onlyLease: readonly string[]
}

export function limitsFrom(options: LimitOptions): KeyLimits {
  const { onlyLease } = options
  const [first, ...more] = onlyLease
  if (first === undefined || (first !== 'any' && more.includes('any')))
    throw new UsageError('--only-lease takes lease ids, or any alone')
  if (first === 'any' && more.length > 0) throw new UsageError('--only-lease takes lease ids, or any alone')
  return {
    releases: countOf(options.releases, '--releases'),
    window: windowOf(options.window),
    leases: countOf(options.leases, '--leases'),
    chips: countOf(options.chips, '--chips'),
    onlyLeases: first === 'any' ? 'any' : [first, ...more],
  }
}

function countOf(text: string, option: string): number | 'unlimited' {
  if (text === 'unlimited') return text
  const count = /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : undefined
  if (count === undefined) throw new UsageError(`${option} takes a whole number above zero, or unlimited, not ${text}`)
  return count
}

function windowOf(text: string): KeyLimits['window'] {
  if (text === 'unlimited') return text
  const [releases, seconds, ...more] = text.split('/')
  if (releases === undefined || seconds === undefined || more.length > 0)
    throw new UsageError(`--window takes RELEASES/SECONDS, such as 4/3600, or unlimited, not ${text}`)
  const counts = [countOf(releases, '--window'), countOf(seconds, '--window')] as const
  if (counts[0] === 'unlimited' || counts[1] === 'unlimited')
    throw new UsageError('--window takes numbers, or unlimited')
  return { releases: counts[0], seconds: counts[1] }
}
