import { describe, expect, it } from 'vitest'
import { type EarStatus, statusOf, vectorOf } from '../../../src/decision/credential/index.ts'
import type { ItemDecision } from '../../../src/decision/decision.ts'
import { ACCEPTED } from './support.ts'

const [cpu, gpu] = ACCEPTED.lease.decision.items as readonly [ItemDecision, ItemDecision]
const claiming = (item: ItemDecision, members: object): ItemDecision =>
  ({ ...item, claims: { ...item.claims, ...members } }) as ItemDecision

describe('statusOf', () => {
  it.each<[number, EarStatus]>([
    ...([-1, 0, 1].map((v) => [v, 'none']) as [number, EarStatus][]),
    ...([2, 31, -2, -32].map((v) => [v, 'affirming']) as [number, EarStatus][]),
    ...([32, 95, -33, -96].map((v) => [v, 'warning']) as [number, EarStatus][]),
    ...([96, 127, -97, -128].map((v) => [v, 'contraindicated']) as [number, EarStatus][]),
  ])('puts %i into the tier of AR4SI: %s', (value, status) => {
    expect(statusOf({ hardware: value })).toBe(status)
  })

  it('is the worst of what is claimed, and none where nothing is', () => {
    expect(statusOf({ hardware: 2, executables: 33 })).toBe('warning')
    expect(statusOf({ hardware: 2, configuration: 96, executables: 33 })).toBe('contraindicated')
    expect(statusOf({})).toBe('none')
  })
})

describe('vectorOf', () => {
  it.each([
    [1, 33, 'warning'],
    [2, 33, 'warning'],
    [3, 3, 'affirming'],
    [4, 2, 'affirming'],
    [5, 2, 'affirming'],
  ] as const)('rates the executables of a guest of level %i as %i', (level, executables, status) => {
    const vector = vectorOf({ level }, cpu)
    expect(vector).toEqual({ 'instance-identity': 2, hardware: 2, configuration: 2, executables })
    expect(statusOf(vector)).toBe(status)
  })

  it('claims nothing for a machine that is not genuine, and for an item without proved claims', () => {
    const { claims: _, ...unproved } = cpu
    expect(vectorOf({ level: 0 }, cpu)).toEqual({})
    expect(vectorOf({ level: 5 }, unproved)).toEqual({})
  })

  it('claims no identity where the vendor certifies none', () => {
    const { hardwareId: _, ...masked } = cpu
    expect(vectorOf({ level: 3 }, masked)).not.toHaveProperty('instance-identity')
  })

  it.each([{ debugAllowed: true }, { migrationAgentAllowed: true }])('warns of a guest with %o', (members) => {
    const policy = { ...(cpu.claims as { policy: object }).policy, ...members }
    expect(vectorOf({ level: 3 }, claiming(cpu, { policy }))).toMatchObject({ configuration: 32 })
  })

  it('affirms of a GPU what its reference manifests bear out, and nothing without them', () => {
    expect(vectorOf({ level: 2 }, gpu)).toEqual({ 'instance-identity': 2, hardware: 2, configuration: 2 })
    const unmeasured = claiming(gpu, { measurements: { status: 'unavailable', missing: ['driver'] } })
    expect(vectorOf({ level: 2 }, unmeasured)).toEqual({ 'instance-identity': 2 })
    expect(vectorOf({ level: 2 }, claiming(gpu, { featureFlag: undefined }))).not.toHaveProperty('configuration')
  })

  it('affirms the configuration of a switch where it is locked', () => {
    const locked = claiming(gpu, { kind: 'nvidia/switch-report', locked: true })
    expect(vectorOf({ level: 2 }, locked)).toMatchObject({ configuration: 2 })
    expect(vectorOf({ level: 2 }, claiming(locked, { locked: undefined }))).not.toHaveProperty('configuration')
  })

  it('warns of Intel guests that can be debugged or moved', () => {
    const td = (debug: boolean, migratable: boolean) =>
      vectorOf({ level: 3 }, claiming(cpu, { kind: 'intel/tdx-quote', tdAttributes: { debug, migratable } }))
    expect(td(false, false)).toMatchObject({ configuration: 2 })
    expect(td(true, false)).toMatchObject({ configuration: 32 })
    expect(td(false, true)).toMatchObject({ configuration: 32 })
    const sgx = (debug: boolean) => vectorOf({ level: 3 }, claiming(cpu, { kind: 'intel/sgx-quote', debug }))
    expect([sgx(false), sgx(true)]).toMatchObject([{ configuration: 2 }, { configuration: 32 }])
  })
})
