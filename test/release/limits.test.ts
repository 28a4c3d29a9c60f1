import { describe, expect, it } from 'vitest'
import { brokenLimit, chipsOf, nthLastOf } from '../../src/release/limits.ts'
import type { KeyLimits, KeyState, ReleaseRow } from '../../src/release/ports.ts'
import type { Usage } from '../../src/release/usage.ts'
import { memoryReleaseStore } from '../../src/stores/memory-release.ts'
import { Random } from '../fuzz/random.ts'
import { askedOf, keyRow, NAME, record, writeKey } from '../stores/release-rows.ts'
import { LIMITLESS } from './support.ts'

const NONE: Usage = { releases: 0, nthLastAt: null, leases: 1, chips: 1, isAnswered: false }
const broken = (
  limits: Partial<KeyLimits>,
  usage: Partial<Usage> = {},
  chips = ['cpu:1'],
  state: KeyState = 'active',
) => brokenLimit({ limits: { ...LIMITLESS, ...limits }, state }, { ...NONE, ...usage }, { at: 160, chips })

describe('limits of a key', () => {
  it('are broken by one release, lease or chip too many', () => {
    expect(broken({ releases: 2 }, { releases: 1 })).toBeUndefined()
    expect(broken({ releases: 2 }, { releases: 2 })).toBe('key.limits.releases')
    expect(broken({ leases: 2 }, { leases: 2 })).toBeUndefined()
    expect(broken({ leases: 2 }, { leases: 3 })).toBe('key.limits.leases')
    expect(broken({ chips: 2 }, { chips: 2 })).toBeUndefined()
    expect(broken({ chips: 2 }, { chips: 3 })).toBe('key.limits.chips')
    expect(broken({}, { releases: 1e9, leases: 1e9, chips: 1e9, nthLastAt: 160 }, [])).toBeUndefined()
  })

  it('are broken by the release that is one too many within the window, to the second', () => {
    const window = { releases: 3, seconds: 60 }
    expect(nthLastOf({ ...LIMITLESS, window })).toBe(3)
    expect(nthLastOf(LIMITLESS)).toBeNull()
    expect(broken({ window }, { nthLastAt: 100 })).toBeUndefined()
    expect(broken({ window }, { nthLastAt: 101 })).toBe('key.limits.window')
    expect(broken({ window })).toBeUndefined()
  })

  it('cannot count a machine that shows no identity but its GPUs', () => {
    const gpus = chipsOf(['nvidia-gpu:1', 'nvidia-switch:1'])
    expect(broken({ chips: 9 }, { chips: 0 }, [...gpus])).toBe('key.limits.chips')
    expect(broken({ chips: 'unlimited' }, { chips: 0 }, [...gpus])).toBeUndefined()
    expect(chipsOf(['nvidia-gpu:1', 'amd-sev-snp:1'])).toEqual(['amd-sev-snp:1'])
  })

  it('are told in one order, after the state', () => {
    const usage = { releases: 1, nthLastAt: 160, leases: 2, chips: 2 }
    const limits = { releases: 1, window: { releases: 1, seconds: 60 }, leases: 1, chips: 1 }
    const order = ['releases', 'window', 'leases', 'chips'] as const
    expect(broken(limits, usage, ['cpu:1'], 'suspended')).toBe('key.state')
    expect(broken({}, {}, ['cpu:1'], 'retired')).toBe('key.state')
    for (const [i, name] of order.entries()) {
      const lifted = Object.fromEntries(order.slice(0, i).map((before) => [before, 'unlimited']))
      expect(broken({ ...limits, ...lifted }, usage)).toBe(`key.limits.${name}`)
    }
  })

  it('count as they would over all rows, whatever came before', async () => {
    for (let index = 0; index < 20; index++) await likeOverAllRows(new Random('limits of a key', index))
  })
})

/** Sixty releases of which each is tried: what is told by numbers is what the rows say. */
async function likeOverAllRows(random: Random): Promise<void> {
  const count = () => (random.below(3) === 0 ? 'unlimited' : 1 + random.below(8))
  const window = random.below(3) === 0 ? 'unlimited' : { releases: 1 + random.below(4), seconds: 1 + random.below(20) }
  const limits: KeyLimits = { releases: 50, window, leases: count(), chips: count(), onlyLeases: 'any' }
  const store = memoryReleaseStore()
  await store.transact(NAME, writeKey(keyRow(), 100))
  for (let n = 0, at = 100; n < 60; n++) {
    at += random.below(8)
    const ids = Array.from(
      { length: random.below(4) },
      () => `${random.pick(['cpu', 'nvidia-gpu'])}:${random.below(9)}`,
    )
    const row = { challengeId: `c${n}`, at, lease: `l${random.below(9)}`, hardware: ids }
    const before = await store.releases(NAME, 0, 99)
    const key = { limits, state: 'active' } as const
    const usage = await store.recordRelease(NAME, askedOf(row, nthLastOf(limits)), (view) => ({
      entries: [],
      result: view.usage,
    }))
    const told = brokenLimit(key, usage, { at, chips: chipsOf(row.hardware) })
    expect(told).toBe(brokenByRows(limits, before, row))
    if (told === undefined) await record(store, row.challengeId, row, at)
  }
}

type Row = Pick<ReleaseRow, 'at' | 'lease' | 'hardware'>

/** The rules as they read. */
function brokenByRows(limits: KeyLimits, before: readonly Row[], next: Row): string | undefined {
  const { releases, window, leases, chips } = limits
  const all = [...before, next]
  const different = (ids: readonly string[]) => new Set(ids).size
  if (releases !== 'unlimited' && all.length > releases) return 'key.limits.releases'
  if (window !== 'unlimited' && all.filter((r) => r.at > next.at - window.seconds).length > window.releases)
    return 'key.limits.window'
  if (leases !== 'unlimited' && different(all.map((r) => r.lease)) > leases) return 'key.limits.leases'
  if (chips === 'unlimited') return undefined
  const isMachine = (id: string) => id.startsWith('cpu')
  if (!next.hardware.some(isMachine)) return 'key.limits.chips'
  return different(all.flatMap((r) => r.hardware.filter(isMachine))) > chips ? 'key.limits.chips' : undefined
}
