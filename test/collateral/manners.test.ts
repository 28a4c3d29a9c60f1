import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { retryAfterSeconds } from '../../src/collateral/client.ts'
import { HostTurns, pursue, type Serves } from '../../src/collateral/manners.ts'
import { AT, cpu } from '../reject/stage.ts'
import { bareSnp, stockFor } from './bare.ts'
import { Fleet } from './fleet.ts'
import { SimulatedTime } from './simulated-time.ts'
import { clientOf, judgedBare, secondsOf } from './stage.ts'

const SNP = bareSnp()
const MACHINES = Array.from({ length: 12 }, (_, i) => ({ chipId: new Uint8Array(64).fill(i + 1) }))

let fleet: Fleet
beforeAll(async () => {
  const stock = stockFor(SNP)
  for (const options of MACHINES) stock.vcek(cpu(options).vek)
  fleet = await Fleet.start(stock)
})
afterAll(() => fleet.close())
afterEach(() => {
  fleet.heal()
  fleet.forget()
})

const JUDGEMENTS = Number(process.env.VOUCHSAFE_FLEET_JUDGEMENTS ?? 500)

describe('one flight per object', () => {
  it(`${JUDGEMENTS} judgements at once that need one VCEK ask for it once`, async () => {
    const { fetchObject } = clientOf(fleet, AT)
    const judged = await Promise.all(Array.from({ length: JUDGEMENTS }, () => judgedBare(SNP, fetchObject)))
    expect(new Set(judged.map(({ decision }) => decision.verdict))).toEqual(new Set(['accept']))
    expect(fleet.count(/\?/)).toBe(1)
    expect(fleet.count()).toBe(3)
  })

  it('a failure is told to everybody who waits, and the next one asks anew', async () => {
    const { fetchObject } = clientOf(fleet, AT)
    fleet.break(/crl/, 'not found')
    const request = { kind: 'amd-crl', product: 'Genoa', key: 'vcek' } as const
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => fetchObject(request)))
    expect(outcomes.filter((outcome) => outcome.ok)).toEqual([])
    expect(fleet.count()).toBe(1)
    fleet.heal()
    expect(await fetchObject(request)).toMatchObject({ ok: true })
  })
})

describe('a host that asks for patience', () => {
  const fleetOf = (fetchObject: Parameters<typeof judgedBare>[1]) =>
    Promise.all(MACHINES.map((options) => judgedBare(bareSnp(options), fetchObject)))

  it('answers 429 for a minute: the whole fleet is judged later, and nobody is failed', async () => {
    const { fetchObject, time } = clientOf(fleet, AT, { patience: { deadlineSeconds: 600 } })
    fleet.break(/kdsintf/, 'throttled', { holds: () => time.now() < 60_000 })
    const judged = await fleetOf(fetchObject)
    expect(judged.map(({ decision }) => decision.verdict)).toEqual(MACHINES.map(() => 'accept'))
    expect(time.now()).toBeGreaterThanOrEqual(60_000)
    // Every ten seconds one question while it lasted, and no more than its pace afterwards.
    expect(fleet.count()).toBeLessThanOrEqual(MACHINES.length + 2 + 7)
  })

  it('is not asked before the time that it names, in seconds or as a date', async () => {
    for (const header of ['45', 'Sat, 01 Aug 2026 00:00:45 GMT']) {
      const { fetchObject, time } = clientOf(fleet, AT)
      fleet.forget()
      const headers = { 'Retry-After': header }
      fleet.break(/kdsintf/, 'throttled', { holds: () => time.now() < 44_000, headers })
      expect(await fetchObject({ kind: 'amd-crl', product: 'Genoa', key: 'vcek' })).toMatchObject({ ok: true })
      expect(fleet.count(), header).toBe(2)
    }
  })

  it('is given up at once where it wants more than there is time for', async () => {
    const { fetchObject, time } = clientOf(fleet, AT)
    fleet.break(/kdsintf/, 'throttled', { headers: { 'Retry-After': '86400' } })
    const outcome = await fetchObject({ kind: 'amd-crl', product: 'Genoa', key: 'vcek' })
    expect(outcome).toMatchObject({ ok: false, faults: [{ code: 'COLLATERAL_THROTTLED' }] })
    expect(time.now()).toBeLessThan(1000)
    expect(fleet.count()).toBe(1)
    // Whoever comes while it lasts is told so, without a question.
    const next = await fetchObject({ kind: 'amd-crl', product: 'Genoa', key: 'vcek' })
    expect(next).toMatchObject({ ok: false, faults: [{ code: 'COLLATERAL_THROTTLED' }] })
    expect(fleet.count()).toBe(1)
  })

  it.each([
    ['30', 30],
    ['0', 1],
    ['Sat, 01 Aug 2026 00:01:00 GMT', 60],
    ['Fri, 31 Jul 2026 00:00:00 GMT', 1],
    ['soon', undefined],
    ['-5', undefined],
    ['1e9', undefined],
    [undefined, undefined],
  ])('Retry-After %j is %j seconds', (value, seconds) => {
    expect(retryAfterSeconds(value, secondsOf(AT))).toBe(seconds)
  })
})

describe('a host that fails', () => {
  it('is asked again, later and later, and no more than so often', async () => {
    const { fetchObject, time } = clientOf(fleet, AT)
    fleet.break(/kdsintf/, 'server error')
    const outcome = await fetchObject({ kind: 'amd-crl', product: 'Genoa', key: 'vcek' })
    expect(outcome).toMatchObject({ ok: false, faults: [{ code: 'COLLATERAL_VENDOR_FAILED' }] })
    expect(fleet.count()).toBe(4)
    expect(time.now()).toBe(0.75 * (500 + 1000 + 2000))
  })

  it('and recovers is none that failed', async () => {
    const { fetchObject, time } = clientOf(fleet, AT)
    fleet.break(/kdsintf/, 'reset', { holds: () => time.now() < 500 })
    expect(await fetchObject({ kind: 'amd-crl', product: 'Genoa', key: 'vcek' })).toMatchObject({ ok: true })
  })

  it('is not asked again where its answer will not change', async () => {
    for (const fault of ['not found', 'forbidden', 'redirect', 'HTML', 'oversize', 'stranger'] as const) {
      fleet.break(/kdsintf/, fault)
      fleet.forget()
      await clientOf(fleet, AT).fetchObject({ kind: 'amd-crl', product: 'Genoa', key: 'vcek' })
      expect(fleet.count(), fault).toBe(fault === 'stranger' ? 0 : 1)
    }
  })
})

describe('turns', () => {
  const PACE = { concurrency: 2, burst: 3, perSecond: 1, throttledPerSecond: 0.1, calmSeconds: 60 }

  it('keep to the concurrency and to the pace', async () => {
    const time = new SimulatedTime(0)
    const host = new HostTurns(PACE, time)
    let [running, most] = [0, 0]
    const starts: number[] = []
    const task = async () => {
      most = Math.max(most, ++running)
      starts.push(time.now())
      await time.sleep(10)
      running--
    }
    await Promise.all(Array.from({ length: 8 }, () => host.take('everybody', Number.POSITIVE_INFINITY, task)))
    expect(most).toBeLessThanOrEqual(2)
    expect(starts).toHaveLength(8)
    // Three at once, then one a second.
    expect(starts.at(-1)).toBeGreaterThanOrEqual(4990)
    expect(starts.at(-1)).toBeLessThan(5100)
  })

  it('that cannot come before the deadline are refused at once', async () => {
    const time = new SimulatedTime(0)
    const host = new HostTurns({ ...PACE, concurrency: 1, burst: 1 }, time)
    const patience = { attempts: 1, deadlineSeconds: 2, firstDelaySeconds: 1, longestDelaySeconds: 1 }
    const asked = Array.from({ length: 5 }, (_, i) =>
      pursue(host, 'everybody', patience, time, async () => ({ kind: 'settled', value: i }) as const),
    )
    expect((await Promise.all(asked)).map(({ kind }) => kind)).toEqual([
      ...['answered', 'answered', 'answered', 'no-turn', 'no-turn'],
    ])
    expect(time.now()).toBe(2000)
  })
  it('go first to what serves everybody, also where another waits for the pace already', async () => {
    const time = new SimulatedTime(0)
    const host = new HostTurns({ ...PACE, concurrency: 1, burst: 1 }, time)
    const order: string[] = []
    const take = (serves: Serves, name: string, deadline = 60_000) =>
      host.take(serves, deadline, async () => order.push(`${name} at ${time.now() / 1000}`))
    const machines = ['a', 'b', 'c'].map((name) => take('one machine', name))
    const late = take('one machine', 'late', 3500)
    await Promise.all([machines[0], take('everybody', 'list'), take('everybody', 'chain')])
    await Promise.all([...machines, take('everybody', 'another list')])
    expect(await late).toBeUndefined()
    expect(order).toEqual(['a at 0', 'list at 1', 'chain at 2', 'another list at 3', 'b at 4', 'c at 5'])
  })

  it('are there for the list of a product while invented chips wait by the hundred', async () => {
    const { fetchObject } = clientOf(fleet, AT, { patience: { attempts: 1, deadlineSeconds: 5 } })
    const tcb = { fmc: 0, bootloader: 0, tee: 0, snp: 0, microcode: 0 }
    const invented = Array.from({ length: 200 }, (_, i) =>
      fetchObject({ kind: 'amd-vcek', product: 'Genoa', hwid: i.toString(16).padStart(128, '0'), tcb }),
    )
    const lists = (['amd-crl', 'amd-chain'] as const).map((kind) =>
      fetchObject({ kind, product: 'Genoa', key: 'vcek' }),
    )
    for (const outcome of await Promise.all(lists)) expect(outcome).toMatchObject({ ok: true })
    const codes = (await Promise.all(invented)).map((outcome) => (outcome.ok ? 'ok' : outcome.faults[0].code))
    expect(new Set(codes)).toEqual(new Set(['COLLATERAL_NOT_PUBLISHED', 'COLLATERAL_THROTTLED']))
  })
})
