import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, describe, expect, it } from 'vitest'
import { judgeAnswered } from '../../src/collateral/cache/answer.ts'
import { CollateralCache } from '../../src/collateral/cache/cache.ts'
import { type CacheRules, cachedFetch, heldOnly } from '../../src/collateral/cache/fetch.ts'
import { requestKey } from '../../src/collateral/cache/key.ts'
import type { CollateralRequest, FetchedObject, FetchObject } from '../../src/collateral/objects.ts'
import type { Code } from '../../src/core/codes.ts'
import { fail, ok } from '../../src/core/outcome.ts'
import { rim, tdxMachine } from '../../src/testing/index.ts'
import { cpu, gpus, NOW } from '../reject/stage.ts'
import { amdObjects, intelObjects, nvidiaObjects } from './held-objects.ts'

const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-cache-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newFile = () => join(folder, `${files++}.db`)

/** A vendor that has these objects, and counts what it is asked. */
function vendor(objects: readonly FetchedObject[]) {
  const asked: string[] = []
  const held = new Map(objects.map((o) => [requestKey(o.request), o]))
  const fetch: FetchObject = async (request) => {
    const key = requestKey(request)
    asked.push(key)
    await new Promise((resolve) => setImmediate(resolve))
    const found = held.get(key)
    return found === undefined ? fail('COLLATERAL_NOT_PUBLISHED', key) : ok(found)
  }
  return { fetch, asked, held }
}

/** A cache in a file of its own, before a vendor, at a time that the test sets. */
function cached(objects: readonly FetchedObject[], path = newFile(), rules: Partial<CacheRules> = {}) {
  const clock = { now: NOW }
  const cache = new CollateralCache(path)
  const behind = vendor(objects)
  const fetch = cachedFetch(behind.fetch, cache, () => clock.now, { scope: '', useHeld: 'while in date', ...rules })
  return { ...behind, fetch, cache, clock, path }
}

const CPU = cpu()
const AMD = amdObjects(CPU)
const GPU = gpus()
const NVIDIA = nvidiaObjects(GPU)
const TDX = tdxMachine('cache')
const INTEL = intelObjects(TDX)
const of = (kind: CollateralRequest['kind'], objects = [...AMD, ...NVIDIA, ...INTEL]): FetchedObject => {
  const found = objects.find((o) => o.request.kind === kind)
  if (found === undefined) throw new TypeError(`no ${kind}`)
  return found
}
const bytesOf = (object: FetchedObject) => object.files.map((f) => Buffer.from(f.bytes).toString('hex'))

describe('a cache', () => {
  it('gives back every kind of object as it came, and asks once', async () => {
    const all = [...AMD, ...NVIDIA, ...INTEL]
    const { fetch, asked, cache, path } = cached(all)
    expect(new Set(all.map((o) => requestKey(o.request))).size).toBe(all.length)
    for (let round = 0; round < 2; round++) {
      for (const object of all) {
        const got = await fetch(object.request)
        expect(got.ok && bytesOf(got.value), requestKey(object.request)).toEqual(bytesOf(object))
      }
    }
    expect(asked.length).toBe(all.length)
    await cache.close()
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const again = cached([], path)
    for (const object of all) expect(await again.fetch(object.request)).toMatchObject({ ok: true })
    expect(again.asked).toEqual([])
    const offline = heldOnly(again.cache, () => NOW)
    expect(await offline(of('amd-crl').request)).toMatchObject({ ok: true })
    expect(await offline({ kind: 'amd-crl', product: 'Turin', key: 'vcek' })).toMatchObject({
      faults: [{ code: 'COLLATERAL_UNAVAILABLE' }],
    })
    await again.cache.close()
  })

  it('asks once for what many want at the same time', async () => {
    const { fetch, asked, cache } = cached(AMD)
    await Promise.all(Array.from({ length: 50 }, () => fetch(of('amd-crl').request)))
    expect(asked).toEqual(['amd-crl/Genoa/vcek'])
    await cache.close()
  })

  it('asks for a list anew in the background after a day, and before anybody at its end', async () => {
    const { fetch, asked, cache, clock } = cached(INTEL)
    const { request } = of('intel-pck-crl')
    await fetch(request)
    const [held] = await cache.held(requestKey(request))
    const life = (held?.validUntil ?? 0) - NOW
    // The list holds for a month: half of that would be a fortnight without news of what was revoked.
    expect(life).toBeGreaterThan(2 * 86_400)
    clock.now = NOW + 86_400 - 1
    await fetch(request)
    await cache.settled()
    expect(asked.length).toBe(1)
    clock.now++
    expect(await fetch(request)).toMatchObject({ ok: true })
    await cache.settled()
    expect(asked.length).toBe(2)
    // What is out of date is not given, and what the vendor has is no better.
    clock.now = NOW + life
    expect(await fetch(request)).toMatchObject({ faults: [{ code: 'COLLATERAL_EXPIRED' }] })
    await cache.close()
  })

  it('tries a refresh that failed again after a minute, and goes on giving what it holds', async () => {
    const { fetch, asked, held, cache, clock } = cached(INTEL)
    const { request } = of('intel-pck-crl')
    await fetch(request)
    held.clear()
    clock.now = (await cache.held(requestKey(request)))[0]?.validUntil ?? 0
    clock.now -= 3600
    for (const seconds of [0, 1, 58, 1]) {
      clock.now += seconds
      expect(await fetch(request)).toMatchObject({ ok: true })
      await cache.settled()
    }
    expect(asked.length).toBe(3)
    await cache.close()
  })

  it('believes for ten minutes that a vendor has no such object', async () => {
    const { fetch, asked, cache, clock } = cached([])
    const request = { kind: 'nvidia-rim', id: 'NV_GPU_DRIVER_GH100_1.2' } as const
    for (const seconds of [0, 599, 1]) {
      clock.now += seconds
      expect(await fetch(request)).toMatchObject({ faults: [{ code: 'COLLATERAL_NOT_PUBLISHED' }] })
    }
    expect(asked.length).toBe(2)
    await cache.close()
  })

  it('believes a failure for as long as it is told, and otherwise not at all', async () => {
    const { request } = of('amd-crl')
    const down = async (rules: Partial<CacheRules>, code: Code = 'COLLATERAL_VENDOR_FAILED') => {
      const { cache, clock } = cached([], newFile())
      let asked = 0
      const vendorDown: FetchObject = async () => {
        asked++
        return fail(code, 'amd-crl')
      }
      const fetch = cachedFetch(vendorDown, cache, () => clock.now, { scope: '', useHeld: 'while in date', ...rules })
      for (const seconds of [0, 4, 1]) {
        clock.now += seconds
        expect(await fetch(request)).toMatchObject({ faults: [{ code }] })
      }
      await cache.close()
      return asked
    }
    expect([await down({}), await down({ failureSeconds: 5 })]).toEqual([3, 2])
    // Whoever had no turn in time says nothing about the vendor.
    expect(await down({ failureSeconds: 5 }, 'COLLATERAL_THROTTLED')).toBe(3)
  })

  it('asks at once for a document that is behind, once in a minute at most, and tells what it gave unasked', async () => {
    let least = 0
    const given: string[] = []
    const rules = { leastEvaluationNumber: () => least, onHeld: ({ kind }: CollateralRequest) => given.push(kind) }
    const { fetch, asked, held, cache, clock } = cached(INTEL, newFile(), rules)
    const { request } = of('intel-tcb-info')
    await fetch(request)
    await fetch(request)
    expect([asked.length, given]).toEqual([1, ['intel-tcb-info']])
    const number = (await cache.held(requestKey(request)))[0]?.evaluationNumber ?? 0
    least = number + 1
    // The vendor has nothing newer: what is held is given, and whether it is enough is for others to say.
    for (const seconds of [0, 59]) {
      clock.now += seconds
      expect(await fetch(request)).toMatchObject({ ok: true })
    }
    expect(asked.length).toBe(2)
    for (const newer of intelObjects(tdxMachine('cache', { tcbEvaluationDataNumber: least })))
      held.set(requestKey(newer.request), newer)
    clock.now += 1
    await fetch(request)
    expect([asked.length, (await cache.held(requestKey(request)))[0]?.evaluationNumber]).toEqual([3, least])
    await fetch(request)
    expect([asked.length, given.length]).toEqual([3, 2])
    // Lists have no such number.
    await fetch(of('intel-pck-crl').request)
    await fetch(of('intel-pck-crl').request)
    expect(asked.length).toBe(4)
    await cache.close()
  })

  it('asks at once for a list that was issued before it should have been, once in a minute at most', async () => {
    const { fetch, asked, cache, clock } = cached([...AMD, ...INTEL])
    for (const kind of ['amd-crl', 'intel-tcb-info'] as const) {
      const { request } = of(kind)
      await fetch(request)
      const issuedAt = (await cache.held(requestKey(request)))[0]?.issuedAt ?? 0
      const count = () => asked.filter((key) => key === requestKey(request)).length
      expect(await fetch(request, issuedAt)).toMatchObject({ ok: true })
      expect(count()).toBe(1)
      for (const seconds of [0, 59, 1]) {
        clock.now += seconds
        expect(await fetch(request, issuedAt + 1)).toMatchObject({ ok: true })
      }
      expect(count()).toBe(3)
    }
    // Of a certificate its age says nothing.
    await fetch(of('amd-vcek').request)
    await fetch(of('amd-vcek').request, NOW)
    expect(asked.filter((key) => key.startsWith('amd-vcek'))).toHaveLength(1)
    await cache.close()
  })

  it('holds several revisions of one manifest', async () => {
    const { fetch, held, cache, clock } = cached(NVIDIA)
    const first = of('nvidia-rim')
    await fetch(first.request)
    const reissued = rim({
      pki: GPU.pki,
      kind: 'driver',
      version: '580.159.03',
      content: (c) => ({ ...c, resources: c.resources.slice(0, -1) }),
    })
    held.set(requestKey(first.request), {
      ...first,
      files: [{ name: 'reissued', bytes: reissued.bytes }],
      fetchedAt: NOW + 1,
    })
    clock.now += 8 * 86_400
    await fetch(first.request)
    await cache.settled()
    const both = await fetch(first.request)
    expect(both.ok && both.value.files.map((f) => f.name)).toEqual(['reissued', `${GPU.driverRim.id}.xml`])
    await cache.close()
  })

  it.each(['constructor/x', '__proto__/x', 'toString'])(
    'has no request of the key %s, whatever answers it',
    async (key) => {
      const { faults } = await judgeAnswered({ key, files: of('amd-crl').files, fetchedAt: NOW }, [key], NOW, () => [])
      expect(faults.map((f) => f.code)).toEqual(['COLLATERAL_SUBJECT_MISMATCH'])
      const known = requestKey(of('amd-crl').request)
      const right = { key: known, files: of('amd-crl').files, fetchedAt: NOW }
      expect((await judgeAnswered(right, [known], NOW, () => [])).faults).toEqual([])
    },
  )

  it('drops what is not what its digest says, and fetches it again', async () => {
    const { fetch, asked, cache, path } = cached(AMD)
    const { request } = of('amd-crl')
    await fetch(request)
    const other = new DatabaseSync(path)
    other.exec('UPDATE object SET bytes = zeroblob(length(bytes))')
    other.close()
    const got = await fetch(request)
    expect(asked.length).toBe(2)
    expect(got.ok && bytesOf(got.value)).toEqual(bytesOf(of('amd-crl')))
    await cache.close()
  })

  it('refuses the database of another program', () => {
    const path = newFile()
    const other = new DatabaseSync(path)
    other.exec('CREATE TABLE t (a)')
    other.close()
    expect(() => new CollateralCache(path)).toThrow('another program')
  })
})
