import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, it } from 'vitest'
import { take } from '../../src/core/outcome.ts'
import { createAnchorFile, createAuditLog, fileAnchor } from '../../src/release/audit/index.ts'
import { sqliteReleaseStore } from '../../src/stores/sqlite-release.ts'
import { codesOf, signing } from '../release/audit/support.ts'
import { command, describeWith, type Tool } from '../support/tools.ts'
import { chainHolds } from './release-contract.ts'
import { eventOf, keyRow, NAME, record, writeKey } from './release-rows.ts'

const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-disk-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const SIGNING = await signing('audit-1')
const quietly = { stdio: 'ignore' } as const

const MOUNTS: Tool = {
  name: 'the right to mount',
  install: 'run as root, in a container that may mount',
  isThere() {
    const probe = join(folder, 'probe')
    mkdirSync(probe, { recursive: true })
    const mounted = spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', probe], quietly).status === 0
    if (mounted) spawnSync('umount', [probe], quietly)
    return mounted
  },
}

/** A disk of 2 MiB. */
async function onSmallDisk(name: string, use: (disk: string) => Promise<void>): Promise<void> {
  const disk = join(folder, name)
  mkdirSync(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk])
  try {
    await use(disk)
  } finally {
    spawnSync('umount', ['-l', disk], quietly)
  }
}

describeWith([MOUNTS], 'a disk that cannot be written', () => {
  it('refuses while it is full, and goes on without repair when it is not', async () => {
    await onSmallDisk('full', async (disk) => {
      const [ballast, path, anchorFile] = [join(disk, 'ballast'), join(disk, 'service.db'), join(disk, 'anchor')]
      writeFileSync(ballast, Buffer.alloc(1_200_000))
      await createAnchorFile(anchorFile)
      const store = sqliteReleaseStore(path)
      const options = { store, ...SIGNING, anchor: fileAnchor(anchorFile), clock: () => 100 }
      const log = take(await createAuditLog(options))
      await store.transact(NAME, writeKey(keyRow()))
      let written = 0
      const big = { hardware: ['x'.repeat(20_000)] }
      while (
        written < 1000 &&
        (await record(store, `c${written}`, big).then(
          () => true,
          () => false,
        ))
      )
        written++
      expect([written > 0, written < 1000]).toEqual([true, true])
      const event = eventOf('key.refused', { actor: 'x'.repeat(20_000) })
      expect(codesOf(await log.record(event))).toEqual(['RELEASE_AUDIT_UNAVAILABLE'])
      expect((await store.auditHead()).sequence).toBe(1 + written)
      rmSync(ballast)
      expect(codesOf(await log.record(event))).toEqual(['none'])
      await record(store, `c${written}`, big)
      await expect(record(store, 'c0')).rejects.toThrow()
      await store.close()
      const again = sqliteReleaseStore(path)
      expect((await again.auditHead()).sequence).toBe(1 + written + 2)
      expect(await chainHolds(again)).toBe(true)
      take(await createAuditLog({ ...options, store: again }))
      await again.close()
    })
  })

  it('refuses where it is read-only, and goes on when it is not', async () => {
    await onSmallDisk('read-only', async (disk) => {
      const [path, anchorFile] = [join(disk, 'service.db'), join(disk, 'anchor')]
      await createAnchorFile(anchorFile)
      const first = sqliteReleaseStore(path)
      await first.transact(NAME, writeKey(keyRow()))
      await first.close()
      execFileSync('mount', ['-o', 'remount,ro', disk])
      expect(() => sqliteReleaseStore(path)).toThrow()
      await expect(fileAnchor(anchorFile).write({ sequence: 1, chain: '0'.repeat(64) })).rejects.toThrow()
      execFileSync('mount', ['-o', 'remount,rw', disk])
      const again = sqliteReleaseStore(path)
      expect(await record(again, 'c')).toBe(2)
      expect(await chainHolds(again)).toBe(true)
      await again.close()
    })
  })
})

describeWith([command('gcc', 'gcc')], 'a disk that does not sync', () => {
  it('refuses what was not synced, and goes on when it is', async () => {
    const [shim, path, flag] = [join(folder, 'fsync-fails.so'), join(folder, 'fsync.db'), join(folder, 'fails')]
    execFileSync('gcc', ['-shared', '-fPIC', '-o', shim, join(import.meta.dirname, 'fsync-fails.c'), '-ldl'])
    const flags = ['--disable-warning=ExperimentalWarning', '--experimental-strip-types']
    const script = join(import.meta.dirname, 'fsync-child.ts')
    const { stdout } = await promisify(execFile)(process.execPath, [...flags, script, path, flag], {
      env: { ...process.env, LD_PRELOAD: shim, VOUCHSAFE_FSYNC_FAILS: flag },
    })
    expect(JSON.parse(stdout)).toEqual([
      ...['key written', 'first written', 'second refused', 'challenge refused'],
      ...['third written', 'first again refused'],
    ])
    const store = sqliteReleaseStore(path)
    const releases = await store.releases(NAME, 0, 9)
    expect(releases.map((r) => r.challengeId)).toEqual(['first', 'third'])
    expect(await chainHolds(store)).toBe(true)
    await store.close()
  })
})
