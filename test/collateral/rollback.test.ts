import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { sorted } from '../../src/collateral/cache/answer.ts'
import { CollateralCache } from '../../src/collateral/cache/cache.ts'
import { factsOf } from '../../src/collateral/cache/facts.ts'
import { cachedFetch } from '../../src/collateral/cache/fetch.ts'
import { readClock, rememberUsed, scopeOf } from '../../src/collateral/cache/remember.ts'
import type { FetchedObject } from '../../src/collateral/objects.ts'
import { createVerificationCache } from '../../src/core/context.ts'
import { type Fault, ok } from '../../src/core/outcome.ts'
import { type Decision, verify } from '../../src/index.ts'
import { type TdxMachineOptions, tdxMachine } from '../../src/testing/index.ts'
import { AT, cpu, cpuScene, gpuScene, gpus, judged, NOW, type Scene } from '../reject/stage.ts'
import { anchorFromCertificate } from '../support/anchors.ts'
import { amdObjects, intelObjects, ocspObjects } from './held-objects.ts'

const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-rollback-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0
const newCache = () => new CollateralCache(join(folder, `${files++}.db`))

const HOUR = 3600
const DAY = 24 * HOUR
const at = (seconds: number) => new Date((NOW + seconds) * 1000).toISOString().replace('.000Z', 'Z')

interface Used {
  readonly decision: Decision
  readonly scope: string
  readonly files: FetchedObject['files']
}

/** A judgement that rests on these objects, and has therefore authenticated them. */
async function used(scene: Scene): Promise<Used> {
  const decision = await judged(scene)
  const collateral = scene.collateral.map((bytes, i) => ({ name: `file-${i}`, bytes }))
  return { decision, scope: scopeOf(scene.anchors), files: collateral }
}

const remembered = async (cache: CollateralCache, { decision, scope, files: given }: Used, now = NOW) =>
  rememberUsed(cache, scope, decision, [await sorted(given)], now)

async function fetched(cache: CollateralCache, object: FetchedObject | undefined, scope: string, now = NOW) {
  if (object === undefined) throw new TypeError('no such object')
  return cachedFetch(
    async () => ok(object),
    cache,
    () => now,
    { scope, useHeld: 'while in date' },
  )(object.request)
}

const codes = (faults: readonly Fault[]) => faults.map((f) => f.code)

const withCrl = (number: number, thisUpdate: number) => cpu({ crl: { number, thisUpdate: at(thisUpdate) } })
const crlOf = (machine: ReturnType<typeof cpu>) => amdObjects(machine).find((o) => o.request.kind === 'amd-crl')

describe('a revocation list', () => {
  it('older than one that was authenticated is refused, used or fetched', async () => {
    const cache = newCache()
    const [newer, older] = [withCrl(7, -HOUR), withCrl(6, -2 * HOUR)]
    const first = await used(cpuScene(newer))
    expect(await fetched(cache, crlOf(newer), first.scope)).toMatchObject({ ok: true })
    expect(await remembered(cache, first)).toEqual([])
    expect(await remembered(cache, first)).toEqual([])
    expect(codes(await remembered(cache, await used(cpuScene(older))))).toEqual(['COLLATERAL_ROLLBACK'])
    expect(await fetched(cache, crlOf(older), 'roots of somebody else')).toMatchObject({ ok: true })
    await cache.close()
  })

  it('fetched from a mirror that is behind is refused, and what is held is given until its end', async () => {
    const cache = newCache()
    const [newer, older] = [withCrl(7, -HOUR), withCrl(6, -2 * HOUR)]
    const first = await used(cpuScene(newer))
    await fetched(cache, crlOf(newer), first.scope)
    await remembered(cache, first)
    const behind = await fetched(cache, crlOf(older), first.scope, NOW + 300 * DAY)
    await cache.settled()
    expect(behind).toMatchObject({ ok: true, value: { files: crlOf(newer)?.files } })
    expect(await fetched(cache, crlOf(older), first.scope, NOW + 336 * DAY)).toMatchObject({ ok: false })
    await cache.close()
  })

  it('that is held is dropped once a newer one was authenticated', async () => {
    const cache = newCache()
    const [newer, older] = [withCrl(7, -HOUR), withCrl(6, -2 * HOUR)]
    const { scope } = await used(cpuScene(older))
    await fetched(cache, crlOf(older), scope)
    // One that came by hand does not say which of AMD's two lists it is: it is compared, and raises no mark.
    expect(await remembered(cache, await used(cpuScene(newer)))).toEqual([])
    expect(await cache.held('amd-crl/Genoa/vcek')).toHaveLength(1)
    const facts = factsOf(await sorted(crlOf(newer)?.files ?? []))
    await cache.raise(
      scope,
      facts.map((f) => ({ line: 'amd-crl/Genoa/vcek', facts: f })),
    )
    expect(await cache.held('amd-crl/Genoa/vcek')).toHaveLength(0)
    await cache.close()
  })

  it('under the number and date of another is an equivocation', async () => {
    const cache = newCache()
    const [one, other] = [
      withCrl(7, -HOUR),
      cpu({ crl: { number: 7, thisUpdate: at(-HOUR), nextUpdate: at(99 * DAY) } }),
    ]
    const first = await used(cpuScene(one))
    await fetched(cache, crlOf(one), first.scope)
    await remembered(cache, first)
    expect(codes(await remembered(cache, await used(cpuScene(other))))).toEqual(['COLLATERAL_EQUIVOCATION'])
    await cache.close()
  })

  it('of an earlier time is judged by the marks of that time', async () => {
    const cache = newCache()
    const [newer, older] = [withCrl(7, -HOUR), withCrl(6, -2 * HOUR)]
    const first = await used(cpuScene(newer))
    await fetched(cache, crlOf(newer), first.scope)
    await remembered(cache, first)
    expect(await remembered(cache, await used(cpuScene(older)), NOW - HOUR - 1)).toEqual([])
    await cache.close()
  })
})

describe('a TCB info', () => {
  const machine = (options: TdxMachineOptions) => tdxMachine('rollback', { at: AT, ...options })
  const judgedTdx = async (options: TdxMachineOptions): Promise<Used> => {
    const made = machine(options)
    const anchor = anchorFromCertificate(made.trustedRoot, 'intel/sgx-root')
    const given = intelObjects(made).flatMap((o) => o.files)
    const decision = await verify(made.quote, {
      now: NOW,
      policy: null,
      freshness: { kind: 'notGiven' },
      collateral: await sorted(given),
      lease: null,
      physical: 'unknown',
      referenceValues: [],
      injectedAnchors: [anchor],
      cache: createVerificationCache(),
    })
    return { decision, scope: scopeOf([anchor]), files: given }
  }

  it('of an earlier evaluation is refused, used or fetched; a later one is not', async () => {
    const cache = newCache()
    const first = await judgedTdx({ tcbEvaluationDataNumber: 20 })
    expect(first.decision.collateral.map((u) => u.kind)).toContain('intel-tcb-info')
    expect(await remembered(cache, first)).toEqual([])
    const earlier = { tcbEvaluationDataNumber: 19, qeEvaluationDataNumber: 20 }
    expect(codes(await remembered(cache, await judgedTdx(earlier)))).toEqual(['COLLATERAL_ROLLBACK'])
    const [rolledBack] = intelObjects(machine(earlier))
    expect(await fetched(cache, rolledBack, first.scope)).toMatchObject({ faults: [{ code: 'COLLATERAL_ROLLBACK' }] })
    expect(await remembered(cache, await judgedTdx({ tcbEvaluationDataNumber: 21 }))).toEqual([])
    expect(codes(await remembered(cache, first))).toEqual(['COLLATERAL_ROLLBACK', 'COLLATERAL_ROLLBACK'])
    await cache.close()
  })

  it('that nobody authenticated raises no mark', async () => {
    const cache = newCache()
    const [forged] = intelObjects(machine({ tcbEvaluationDataNumber: 9999, pki: { rogue: true } }))
    const first = await judgedTdx({ tcbEvaluationDataNumber: 20 })
    expect(await fetched(cache, forged, first.scope)).toMatchObject({ ok: true })
    const beside = { ...first, files: [...first.files, ...(forged?.files ?? [])] }
    expect(await remembered(cache, beside)).toEqual([])
    expect(
      cache.marks(first.scope, `intel-tcb-info/tdx/${machine({}).collateral.fmspc}`).map((m) => m.evaluationNumber),
    ).toEqual([20])
    await cache.close()
  })
})

describe('an OCSP answer', () => {
  const GPU = gpus()
  const [first, second] = ocspObjects(GPU)

  it('about a sibling is refused', async () => {
    const cache = newCache()
    if (first === undefined || second === undefined) throw new TypeError('two answers')
    expect(await fetched(cache, { ...second, request: first.request }, '')).toMatchObject({
      faults: [{ code: 'COLLATERAL_SUBJECT_MISMATCH' }],
    })
    expect(await fetched(cache, first, '')).toMatchObject({ ok: true })
    await cache.close()
  })

  it('past its end is refused, and so is one that is older than what was used', async () => {
    const cache = newCache()
    expect(await fetched(cache, first, '', NOW + 2 * DAY)).toMatchObject({ faults: [{ code: 'COLLATERAL_EXPIRED' }] })
    const newest = await used(gpuScene(GPU))
    expect(newest.decision.collateral.map((u) => u.kind)).toContain('ocsp-response')
    expect(await remembered(cache, newest)).toEqual([])
    const [older] = ocspObjects(gpus({ at: at(-HOUR) }))
    expect(await fetched(cache, older, newest.scope)).toMatchObject({ faults: [{ code: 'COLLATERAL_ROLLBACK' }] })
    expect(await fetched(cache, first, newest.scope)).toMatchObject({ ok: true })
    await cache.close()
  })
})

describe('the clock of the verifier', () => {
  const reading =
    (instant: number, uptimeSeconds: number, boot = 'a') =>
    () => ({ instant, uptimeSeconds, boot })
  const told = async (cache: CollateralCache, ...of: Parameters<typeof reading>) =>
    codes((await readClock(cache, NOW - DAY, reading(...of))).clockFaults)

  it('may go on, be corrected by seconds, and start anew', async () => {
    const cache = newCache()
    expect(await told(cache, NOW, 100)).toEqual([])
    expect(await told(cache, NOW + 90, 190)).toEqual([])
    expect(await told(cache, NOW + 90, 191)).toEqual([])
    expect(await told(cache, NOW + 5000, 10, 'b')).toEqual([])
    await cache.close()
  })

  it('is not believed when it went back, jumped, or stands before the build', async () => {
    const cache = newCache()
    expect(await told(cache, NOW, 100)).toEqual([])
    expect(await told(cache, NOW - 1, 101)).toEqual(['CLOCK_WENT_BACK'])
    expect(await told(cache, NOW - 2 * DAY, 101)).toEqual(['CLOCK_BEFORE_BUILD'])
    expect(await told(cache, NOW + 1, 102)).toEqual(['CLOCK_JUMP'])
    expect(await told(cache, NOW + 1, 102)).toEqual([])
    expect(await told(cache, NOW + 1000, 200)).toEqual(['CLOCK_JUMP'])
    // Told once: what comes next is compared with it.
    expect(await told(cache, NOW + 1010, 210)).toEqual([])
    await cache.close()
    expect(await told(newCache(), NOW - 1, 101)).toEqual([])
  })
})
