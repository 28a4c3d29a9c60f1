import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { toHex } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { amdMachine, quoteCollateralV3, tdxMachine, testChipId } from '../../src/testing/index.ts'
import { Mirror } from '../collateral/mirror.ts'
import { SEED } from '../reject/stage.ts'
import { endAll } from './serve-process.ts'
import {
  AT,
  bareSnp,
  bareTdx,
  folder,
  fullSnp,
  inventedSnp,
  RELEASED,
  renamed,
  Service,
  snp,
  stock,
  vendorsAt,
} from './serve-vendors-stage.ts'

let mirror: Mirror
beforeAll(async () => {
  mirror = await Mirror.start(stock(18))
})
afterEach(() => {
  mirror.mood = 'well'
  mirror.objects = stock(18)
  mirror.asked.splice(0)
})
afterAll(() => {
  endAll()
  return mirror.close()
})

const vendors = (more: JsonObject = {}) => vendorsAt(mirror, more)
const UNOBTAINED = ['COLLATERAL_UNAVAILABLE', 'SNP_VCEK_UNAVAILABLE']

describe('a service that asks the vendors', () => {
  it('releases to bare reports, asks for each object once however many come, and then for nothing', async () => {
    const service = await Service.start('bare', { vendors: vendors() })
    const crowd = await Promise.all(Array.from({ length: 12 }, () => service.guest(bareSnp('first'))))
    expect(crowd).toEqual(crowd.map(() => RELEASED))
    expect(mirror.asked).toHaveLength(3)
    expect(new Set(mirror.asked).size).toBe(3)
    expect(await service.guest(bareSnp('first'))).toEqual(RELEASED)
    mirror.mood = 'failing'
    expect(await service.guest(bareSnp('first'))).toEqual(RELEASED)
    expect(mirror.asked).toHaveLength(3)
    const metrics = await service.ask('/metrics')
    expect(metrics).toContain('vouchsafe_collateral_fetches_total{vendor="amd",outcome="fetched"} 3\n')
    expect(metrics).toMatch(/^vouchsafe_collateral_cache_hits_total\{vendor="amd"\} [1-9]/m)
    const { exit, log } = await service.process.end()
    expect(exit).toBe(0)
    const chip = toHex(testChipId('Genoa', 'first')).slice(0, 16)
    for (const text of [log, metrics]) expect(text).not.toContain(chip)
    expect(log).not.toContain('Warning')
  })

  it('refuses while a vendor is down, and releases once it is back', async () => {
    const service = await Service.start('down', { vendors: vendors({ waitSeconds: 5 }) })
    mirror.mood = 'failing'
    const refused = await service.guest(bareSnp('second'))
    expect(refused.status).toBe(503)
    expect(refused.codes).toEqual(expect.arrayContaining([...UNOBTAINED, 'COLLATERAL_VENDOR_FAILED']))
    expect(refused.codes[0]).toBe('COLLATERAL_UNAVAILABLE')
    expect(await service.lastAudited()).toMatchObject({ type: 'key.refused', codes: [...refused.codes] })
    // Whoever comes meanwhile is told the same, and the vendor is not asked for it again.
    const asked = mirror.asked.length
    const others = await Promise.all(Array.from({ length: 4 }, () => service.guest(bareSnp('second'))))
    expect(others.map(({ status }) => status)).toEqual([503, 503, 503, 503])
    expect(mirror.asked).toHaveLength(asked)
    expect(await service.ask('/readyz')).toBe('ok\n')
    expect(await service.ask('/metrics')).toContain(
      'vouchsafe_collateral_fetches_total{vendor="amd",outcome="COLLATERAL_VENDOR_FAILED"}',
    )
    expect(service.process.log()).toContain('"collateral.failed"')
    mirror.mood = 'well'
    await vi.waitFor(async () => expect(await service.guest(bareSnp('second'))).toEqual(RELEASED), {
      timeout: 30_000,
      interval: 500,
    })
    expect(await service.lastAudited()).toMatchObject({ type: 'key.released', codes: [] })
    await service.process.end()
  }, 60_000)

  it('waits for a silent vendor no longer than it was told, and not at all once it is to end', async () => {
    const service = await Service.start('silent', { vendors: vendors({ waitSeconds: 1 }) })
    mirror.mood = 'silent'
    const before = performance.now()
    const refused = await service.guest(bareSnp('third'))
    expect(performance.now() - before).toBeLessThan(6000)
    expect([refused.status, refused.codes[0]]).toEqual([503, 'COLLATERAL_UNAVAILABLE'])
    expect(refused.codes).toContain('COLLATERAL_DEADLINE_PASSED')

    await service.restart({ vendors: vendors({ cache: 'other.db', waitSeconds: 60 }) })
    const asked = mirror.asked.length
    const waiting = service.guest(bareSnp('third'))
    await vi.waitFor(() => expect(mirror.asked.length).toBeGreaterThan(asked), 10_000)
    const told = performance.now()
    const ended = service.process.end()
    await vi.waitFor(() => expect(service.process.log()).toContain('"ending"'), 10_000)
    service.process.signal('SIGHUP')
    expect(await waiting).toMatchObject({ status: 503, codes: expect.arrayContaining(UNOBTAINED) })
    expect((await ended).exit).toBe(0)
    expect(performance.now() - told).toBeLessThan(5000)
  }, 60_000)

  it('lets no flood of invented chips come before the list that a machine with its certificates needs', async () => {
    const rateLimit = { burst: 1000, perSecond: 1000 }
    const service = await Service.start('flood', { vendors: vendors({ waitSeconds: 3 }), rateLimit })
    // AMD answers eight at once and then one in a second: the last of these would wait for a quarter of a minute.
    const flood = Array.from({ length: 24 }, (_, i) => service.guest(inventedSnp(i)))
    await vi.waitFor(() => expect(mirror.asked.length).toBeGreaterThan(8), 10_000)
    expect(mirror.asked.filter((address) => address.endsWith('/Genoa/crl'))).toEqual([])
    expect(await service.guest(fullSnp('second'))).toEqual(RELEASED)
    expect(new Set((await Promise.all(flood)).map(({ status }) => status))).not.toContain(200)
    await service.process.end()
  }, 60_000)

  it('counts the documents that it fetches among what replicas must have reached', async () => {
    const one = await Service.start('epoch', { vendors: vendors() })
    expect(await one.guest(bareTdx, 'tdx')).toEqual(RELEASED)
    // Another replica on the same keys, whose vendor is behind.
    mirror.objects = stock(17)
    await one.restart({ vendors: vendors({ cache: 'other.db' }) })
    const behind = await one.guest(bareTdx, 'tdx')
    expect(behind).toEqual({ status: 503, codes: ['RELEASE_REPLICA_STALE'] })
    expect(await one.lastAudited()).toMatchObject({ type: 'key.refused', codes: behind.codes })
    expect(await one.guest(bareSnp('first'))).toEqual(RELEASED)
    mirror.objects = stock(18)
    expect(await one.guest(bareTdx, 'tdx')).toEqual(RELEASED)
    await one.process.end()
  }, 60_000)

  it('remembers over a restart what it used before, and takes nothing older', async () => {
    const service = await Service.start('marks', { vendors: vendors() })
    expect(await service.guest(bareTdx, 'tdx')).toEqual(RELEASED)
    expect((await service.process.end()).exit).toBe(0)
    const cache = new DatabaseSync(join(service.home, 'collateral.db'))
    cache.exec('PRAGMA foreign_keys = ON; DELETE FROM answer')
    cache.close()
    mirror.objects = stock(17)
    await service.restart({ vendors: vendors() })
    const rolledBack = await service.guest(bareTdx, 'tdx')
    expect(rolledBack.status).toBe(403)
    expect(rolledBack.codes).toEqual(expect.arrayContaining(['RELEASE_NOT_ACCEPTED', 'COLLATERAL_ROLLBACK']))
    mirror.objects = stock(18)
    await vi.waitFor(async () => expect(await service.guest(bareTdx, 'tdx')).toEqual(RELEASED), {
      timeout: 30_000,
      interval: 500,
    })
    await service.process.end()
  }, 60_000)

  it('judges by the files that it has before it asks anybody', async () => {
    const machine = snp('first')
    const files = join(folder, 'given')
    mkdirSync(files)
    for (const [name, bytes] of Object.entries({ vek: machine.vek, ask: machine.intermediate, crl: machine.crl }))
      writeFileSync(join(files, name), bytes)
    const elsewhere = tdxMachine(SEED, { at: AT, platform: { fmspc: new Uint8Array(6).fill(9) } })
    writeFileSync(join(files, 'intel.json'), JSON.stringify(quoteCollateralV3(elsewhere.collateral)))
    mirror.mood = 'silent'
    const service = await Service.start('files', { collateral: [files], vendors: vendors() })
    expect(await service.guest(bareSnp('first'))).toEqual(RELEASED)
    expect(mirror.asked).toEqual([])
    // What the files say of one chip is not held against another.
    mirror.mood = 'failing'
    expect((await service.guest(bareSnp('second'))).codes).toEqual(expect.arrayContaining(UNOBTAINED))
    mirror.mood = 'well'
    expect(await service.guest(bareSnp('third'))).toEqual(RELEASED)
    expect(await service.guest(bareSnp('first'))).toEqual(RELEASED)
    expect(await service.guest(bareTdx, 'tdx')).toEqual(RELEASED)
    await service.process.end()
  }, 60_000)

  it('says that there is no list of the age that a policy takes, and releases once there is', async () => {
    const service = await Service.start('recent', { vendors: vendors() })
    expect(await service.guest(bareSnp('first'))).toEqual(RELEASED)
    const refused = await service.guest(bareSnp('first'), 'snp', 'recent')
    expect([refused.status, refused.codes[0]]).toEqual([503, 'COLLATERAL_UNAVAILABLE'])
    expect(refused.codes).toContain('COLLATERAL_TOO_OLD')
    await service.restart({ vendors: vendors({ cache: 'other.db' }) })
    expect(await service.guest(bareSnp('first'))).toEqual(RELEASED)
    const recent = amdMachine(SEED, { at: AT, crl: { thisUpdate: AT } })
    mirror.objects = stock(18).add(`kdsintf.amd.com/vcek/v1/Genoa/crl`, {
      contentType: 'application/pkix-crl',
      body: recent.crl,
    })
    expect(await service.guest(bareSnp('first'), 'snp', 'recent')).toEqual(RELEASED)
    await service.process.end()
  }, 60_000)

  it('keeps the identity of Intel’s enclave from files that have the TCB info of another platform', async () => {
    const files = join(folder, 'newer-identity')
    mkdirSync(files)
    const platform = { fmspc: new Uint8Array(6).fill(9) }
    const newer = tdxMachine(SEED, { at: AT, tcbEvaluationDataNumber: 19, platform })
    writeFileSync(join(files, 'intel.json'), JSON.stringify(quoteCollateralV3(newer.collateral)))
    const service = await Service.start('newer', { collateral: [files], vendors: vendors() })
    expect(await service.guest(bareTdx, 'tdx')).toEqual(RELEASED)
    expect(mirror.asked.filter((address) => address.includes('/tcb?'))).toHaveLength(1)
    expect(mirror.asked.filter((address) => address.includes('identity'))).toEqual([])
    await service.process.end()
  }, 60_000)

  it('asks nobody where it is told so, and judges by its files alone', async () => {
    const service = await Service.start('offline', { vendors: null })
    expect(await service.guest(bareSnp('first'))).toEqual({
      status: 403,
      codes: ['RELEASE_NOT_ACCEPTED', 'GATE_HARDWARE_MASKED', 'SNP_VCEK_UNAVAILABLE'],
    })
    await service.restart({ collateral: [join(folder, 'given')], vendors: null })
    expect(await service.guest(bareSnp('first'))).toEqual(RELEASED)
    expect(mirror.asked).toEqual([])
    await service.process.end()
  }, 60_000)

  it('releases nothing where it cannot tell what was used before', async () => {
    const service = await Service.start('broken', { vendors: vendors() })
    expect(await service.guest(bareSnp('first'))).toEqual(RELEASED)
    const cache = join(service.home, 'collateral.db')
    renamed(cache, 'mark', 'gone')
    expect(await service.guest(bareSnp('first'))).toMatchObject({
      status: 503,
      codes: expect.arrayContaining(['COLLATERAL_CACHE_UNAVAILABLE']),
    })
    expect(await service.lastAudited()).toMatchObject({ type: 'key.refused' })
    renamed(cache, 'gone', 'mark')
    expect(await service.guest(bareSnp('first'))).toEqual(RELEASED)
    expect((await service.process.end()).exit).toBe(0)
  }, 60_000)
})

it('a service says that a checkpoint of its log failed, until one succeeds', async () => {
  const service = await Service.start('checkpoints', {
    vendors: null,
    audit: { anchor: 'audit.anchor', checkpointSeconds: 1, earlierKeys: null },
  })
  const failures = async () =>
    Number(/^vouchsafe_audit_checkpoint_failures_total (\d+)$/m.exec(await service.ask('/metrics'))?.[1])
  const succeededAt = async () =>
    Number(/^vouchsafe_audit_checkpoint_success_timestamp_seconds (\d+)$/m.exec(await service.ask('/metrics'))?.[1])
  await vi.waitFor(async () => expect(await succeededAt()).toBeGreaterThan(0), 10_000)
  expect([await failures(), await service.ask('/readyz')]).toEqual([0, 'ok\n'])
  const store = join(service.home, 'vouchsafe.db')
  renamed(store, 'checkpoint', 'gone')
  await vi.waitFor(async () => expect(await failures()).toBeGreaterThan(0), 10_000)
  expect(await service.ask('/readyz')).toContain('"RELEASE_AUDIT_UNAVAILABLE"')
  renamed(store, 'gone', 'checkpoint')
  await vi.waitFor(async () => expect(await service.ask('/readyz')).toBe('ok\n'), 10_000)
  await service.process.end()
}, 60_000)
