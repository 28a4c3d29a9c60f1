import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqliteStore } from '../src/stores/index.ts'
import { median } from './measure.ts'

/** Challenges that the store in SQLite issues and consumes in a second, each synced to disk both times. */
export const CHALLENGES_PER_SECOND = 2000

/** Callers that wait at the same time, as at a marketplace whose peak this is; they share writes. */
const CALLERS = 256
const ROUNDS = 5
const PER_ROUND = 8192
const NOW = 1_785_542_400

/** What `issueChallengeRecord` makes for a lease, in its usual length. */
const recordOf = (id: string) => ({
  ...{ v: 1, id, purpose: 'lease', provider: `akash1${'p'.repeat(38)}` },
  lease: `akash1${'t'.repeat(38)}/18412345/1/1/akash1${'p'.repeat(38)}/0`,
  ...{ policyDigest: `sha256:${'0'.repeat(64)}`, verifierKeyId: 'bench', iat: NOW, exp: NOW + 120 },
  ...{ rand: 'r'.repeat(44), nonce: 'n'.repeat(88) },
})

/** Challenges a second, issued and consumed one after the other by each caller: median of some rounds. */
export async function challengesPerSecond(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-bench-'))
  const store = sqliteStore(join(folder, 'gate.db'))
  let next = 0
  const call = async (end: number): Promise<void> => {
    while (next < end) {
      const id = `challenge-${next++}`
      await store.putChallenge({ id, record: recordOf(id), expiresAt: NOW + 120 })
      const { kind } = await store.consumeChallenge(id, NOW + 1)
      if (kind !== 'consumed') throw new TypeError(`${id} is ${kind}`)
    }
  }
  const rates: number[] = []
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const [start, end] = [performance.now(), next + PER_ROUND]
      await Promise.all(Array.from({ length: CALLERS }, () => call(end)))
      rates.push((PER_ROUND * 1000) / (performance.now() - start))
    }
  } finally {
    await store.close()
    rmSync(folder, { recursive: true, force: true })
  }
  return median(rates)
}
