import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sorted } from '../src/collateral/cache/answer.ts'
import { CollateralCache } from '../src/collateral/cache/cache.ts'
import { cachedFetch } from '../src/collateral/cache/fetch.ts'
import { encodePack, packContent, packOf, sha256Of } from '../src/collateral/pack/pack.ts'
import { createVerificationCache, verify } from '../src/index.ts'
import { amdObjects, nvidiaObjects } from '../test/collateral/held-objects.ts'
import { amdAnchors, bothScene, cpu, gpuPolicy, gpus, LEASE, NONCE, NOW, nvidiaAnchors } from '../test/reject/stage.ts'
import { median } from './measure.ts'

/** Longest time in which the collateral of a thousand machines is packed, and share of a judgement that a cache may cost. */
export const COLLATERAL_FLOORS = { packSeconds: 10, hitShare: 0.05 } as const

export interface CollateralFigures {
  readonly packSeconds: number
  readonly packMegabytes: number
  /** time to find everything in the cache over the time of the judgement it serves, which nothing has warmed */
  readonly hitShare: number
  readonly hitMicroseconds: number
}

const MACHINES = 1000
const GPUS = 8
const ROUNDS = 60

export async function collateralFigures(): Promise<CollateralFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-bench-'))
  try {
    return { ...(await packing(folder)), ...(await hits(folder)) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A thousand boards: a certificate of each chip, an answer about each GPU, and the manifests that all share. */
async function packing(folder: string): Promise<Pick<CollateralFigures, 'packSeconds' | 'packMegabytes'>> {
  const cache = new CollateralCache(join(folder, 'thousand.db'))
  const answer = (key: string, sizeBytes: number) =>
    cache.keep({
      key,
      files: [{ name: key, bytes: new Uint8Array(randomBytes(sizeBytes)) }],
      fetchedAt: NOW,
      issuedAt: 0,
      validUntil: NOW + 1,
      line: undefined,
      evaluationNumber: undefined,
      sequenceNumber: undefined,
    })
  const names = Array.from({ length: MACHINES }, (_, i) => i)
  await Promise.all([
    ...names.map((i) => answer(`amd-vcek/Genoa/${i}`, 1400)),
    ...names.flatMap((i) => Array.from({ length: GPUS }, (__, gpu) => answer(`nvidia-ocsp/sha384/${i}/${gpu}`, 1500))),
    ...[1, 2, 3, 4].map((i) => answer(`nvidia-rim/${i}`, 26_000)),
  ])
  const started = performance.now()
  const pack = packOf(await cache.everything())
  const bytes = encodePack(pack, undefined)
  sha256Of(packContent(pack))
  await writeFile(join(folder, 'pack.json'), bytes)
  const packSeconds = (performance.now() - started) / 1000
  await cache.close()
  return { packSeconds, packMegabytes: bytes.length / 1024 / 1024 }
}

/** One machine with an H100: its eleven objects out of the cache, and a judgement that knows nothing yet. */
async function hits(folder: string): Promise<Pick<CollateralFigures, 'hitShare' | 'hitMicroseconds'>> {
  const [machine, devices] = [cpu(), gpus()]
  const objects = [...amdObjects(machine), ...nvidiaObjects(devices)]
  const held = new Map(objects.map((object) => [object.request, object]))
  const cache = new CollateralCache(join(folder, 'one.db'))
  const fetchObject = cachedFetch(
    async (request) => {
      const value = held.get(request)
      if (value === undefined) throw new TypeError('nothing is fetched twice')
      return { ok: true, value }
    },
    cache,
    () => NOW,
    { scope: '', useHeld: 'while in date' },
  )
  const everything = () => Promise.all(objects.map(({ request }) => fetchObject(request)))
  await everything()
  held.clear()
  const collateral = await sorted(objects.flatMap((o) => o.files))
  const { evidence } = bothScene(machine, devices)
  const judged = () =>
    verify(evidence, {
      now: NOW,
      policy: gpuPolicy({ revocation: 'required' }),
      freshness: { kind: 'nonce', nonce: NONCE },
      lease: LEASE,
      physical: 'unknown',
      referenceValues: [],
      injectedAnchors: [...amdAnchors(machine), ...nvidiaAnchors(devices)],
      cache: createVerificationCache(),
      collateral,
    })
  const { verdict } = await judged()
  if (verdict !== 'accept') throw new TypeError(`the machine is ${verdict}`)
  const times = { hit: [] as number[], judgement: [] as number[] }
  for (let round = 0; round < ROUNDS; round++) {
    times.hit.push(await milliseconds(everything))
    times.judgement.push(await milliseconds(judged))
  }
  await cache.close()
  const [hit, judgement] = [median(times.hit), median(times.judgement)]
  return { hitShare: hit / judgement, hitMicroseconds: hit * 1000 }
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
