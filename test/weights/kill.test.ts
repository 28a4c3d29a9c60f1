import { spawn } from 'node:child_process'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { safetensorsFile } from '../../src/testing/index.ts'
import { newModelKey, openModel, sealModel, writeKeyFile } from '../../src/weights/index.ts'
import { NODE_FLAGS } from '../cli/run.ts'
import { Random } from '../fuzz/random.ts'
import { accepted, contentOf, folderOf, fresh, KEY, tensor } from './stage.ts'

/** Kills of each kind of work; VOUCHSAFE_KILLS asks for more. */
const KILLS = Number(process.env.VOUCHSAFE_KILLS ?? 3)
const MEGABYTES = 12

/** Runs the work, and kills it some time after it began. */
function killed(afterMilliseconds: number, ...args: readonly string[]): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...NODE_FLAGS, join(import.meta.dirname, 'kill-child.ts'), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_COMPILE_CACHE: 'node_modules/.cache/vouchsafe-kill' },
    })
    child.stdout.on('data', () => setTimeout(() => child.kill('SIGKILL'), afterMilliseconds))
    child.on('error', reject)
    child.on('close', (code) => resolve(code))
  })
}

const unfinished = (folder: string) => readdirSync(folder).filter((name) => name.endsWith('.vouchsafe-unfinished'))

describe('a kill at any moment', () => {
  const random = new Random('weights-kill', 0)
  const [oldKey, newKey] = [fresh('old.jwk'), fresh('new.jwk')]
  const NEXT = newModelKey()
  let [plain, oldPlain, sealed] = ['', '', '']
  beforeAll(async () => {
    const tensors = Array.from({ length: 6 }, (_, i) =>
      tensor(`t${i}`, 'U8', [MEGABYTES / 6, 2 ** 20], (MEGABYTES / 6) * 2 ** 20),
    )
    plain = folderOf({
      'a.safetensors': safetensorsFile(tensors),
      'b.txt': 'new',
      'c.safetensors': safetensorsFile(tensors.slice(3)),
    })
    oldPlain = folderOf({
      'a.safetensors': safetensorsFile(tensors.slice(0, 1)),
      'b.txt': 'old',
      'c.safetensors': safetensorsFile(tensors.slice(1, 2)),
    })
    sealed = fresh()
    await writeKeyFile(oldKey, KEY)
    await writeKeyFile(newKey, NEXT)
    accepted(await sealModel({ input: plain, output: sealed, key: KEY }))
  })

  it('leaves the old sealed files or the new ones, and the next run finishes', async () => {
    const before = fresh()
    accepted(await sealModel({ input: oldPlain, output: before, key: KEY }))
    for (let kill = 0; kill < KILLS; kill++) {
      const output = fresh()
      cpSync(before, output, { recursive: true })
      await killed(random.below(250), 'seal', plain, output, oldKey)
      for (const name of ['a.safetensors', 'c.safetensors']) {
        if (readFileSync(join(output, name)).equals(readFileSync(join(before, name)))) continue
        const opened = fresh()
        accepted(await openModel({ input: join(output, name), output: opened, key: KEY, plainTensors: 'refuse' }))
        expect(readFileSync(join(opened, name)).equals(readFileSync(join(plain, name)))).toBe(true)
      }
      accepted(await sealModel({ input: plain, output, key: KEY }))
      const opened = fresh()
      accepted(await openModel({ input: output, output: opened, key: KEY, plainTensors: 'refuse' }))
      expect(contentOf(opened)).toEqual(contentOf(plain))
      expect(unfinished(output)).toEqual([])
    }
  })

  it('leaves the old opened files or the new ones, and the next run finishes', async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      const output = fresh()
      cpSync(oldPlain, output, { recursive: true })
      await killed(random.below(250), 'open', sealed, output, oldKey)
      const [now, before, after] = [contentOf(output), contentOf(oldPlain), contentOf(plain)]
      for (const name of Object.keys(after)) expect([before[name], after[name]], name).toContain(now[name])
      accepted(await openModel({ input: sealed, output, key: KEY, plainTensors: 'refuse' }))
      expect(contentOf(output)).toEqual(after)
    }
  })

  it('leaves each file under the old key or the new one, and the next run finishes', async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      const [root, opened] = [fresh(), fresh()]
      cpSync(sealed, root, { recursive: true })
      await killed(random.below(150), 'rewrap', root, '', oldKey, newKey)
      for (const name of ['a.safetensors', 'c.safetensors']) {
        const keys = await Promise.all(
          [KEY, NEXT].map(
            async (key) =>
              (await openModel({ input: join(root, name), output: fresh(), key, plainTensors: 'refuse' })).ok,
          ),
        )
        expect(keys.filter(Boolean)).toHaveLength(1)
      }
      expect(await killed(60_000, 'rewrap', root, '', oldKey, newKey)).toBe(0)
      accepted(await openModel({ input: root, output: opened, key: NEXT, plainTensors: 'refuse' }))
      expect(contentOf(opened)).toEqual(contentOf(plain))
      expect(unfinished(root)).toEqual([])
    }
  })
})
