import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { sqliteReleaseStore } from '../../src/stores/sqlite-release.ts'
import { SIGNED_BY_TEAM } from '../reject/signer.ts'
import { cpuDocument, GPU_RULE } from '../reject/stage.ts'
import { record } from '../stores/release-rows.ts'
import { vouchsafe } from './run.ts'

const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-keys-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string) => join(folder, name)
const env = { VOUCHSAFE_KEY_STORE: at('keys.db'), VOUCHSAFE_KEK_FILE: at('kek') }
const keys = (...args: readonly string[]) => vouchsafe(['keys', ...args], { env })

const MASTER = Buffer.alloc(32, 0x5a)
const secret = {
  keys: [
    { kty: 'oct', alg: 'aes256gcm', kid: 'master', k: MASTER.toString('base64') },
    { kty: 'okp', alg: 'ed25519', kid: 'sign', x: Buffer.alloc(32, 7).toString('base64') },
  ],
}
function file(name: string, value: object, mode = 0o600): string {
  writeFileSync(at(name), JSON.stringify(value), { mode })
  return at(name)
}
const policy = file('policy.json', cpuDocument({}, { ...SIGNED_BY_TEAM, keyRelease: { minLevel: 5 } }, { level: 5 }))
const secretFile = file('secret.json', secret)
const LIMITS = ['--releases', '3', '--window', '2/60', '--leases', '1', '--chips', '1', '--only-lease', 'any']
const ABOUT = ['--tenant', 'acme', '--by', 'alice']
const register = (id: string, more: readonly string[] = []) =>
  keys(
    'register',
    id,
    '--tenant',
    'acme',
    '--secret',
    secretFile,
    '--policy',
    policy,
    ...LIMITS,
    '--by',
    'alice',
    ...more,
  )
const change = (name: string, id: string, ...more: readonly string[]) =>
  keys(name, id, '--tenant', 'acme', '--by', 'alice', ...more)

/** What a broker on the same file leaves behind. */
async function releasedTimes(times: number): Promise<void> {
  const store = sqliteReleaseStore(env.VOUCHSAFE_KEY_STORE)
  const { at = 0 } = await store.auditHead()
  const row = (i: number) => ({ tenant: 'acme', keyId: 'weights', lease: `lease-${i}` })
  await Promise.all(Array.from({ length: times }, (_, i) => record(store, `c${i}`, row(i), at)))
  await store.close()
}

it('keeps keys from registration to retirement', { timeout: 120_000 }, async () => {
  expect((await keys('list', '--tenant', 'acme')).stderr).toContain('vouchsafe keys init')
  expect((await keys('init')).exit).toBe(0)
  expect(statSync(env.VOUCHSAFE_KEK_FILE).mode & 0o777).toBe(0o600)
  expect((await keys('init')).exit).toBe(2)

  expect(await register('weights')).toMatchObject({ exit: 0, stdout: expect.stringContaining('weights') })
  expect(await register('weights')).toMatchObject({
    exit: 1,
    stderr: expect.stringContaining('ADMIN_APPROVAL_MISSING'),
  })
  expect((await change('suspend', 'weights')).stdout).toContain('suspended')
  const alone = await change('resume', 'weights', '--json')
  expect([alone.exit, JSON.parse(alone.stdout).faults[0].code]).toEqual([1, 'ADMIN_APPROVAL_MISSING'])
  expect((await change('resume', 'weights', '--approved-by', 'bob')).exit).toBe(0)
  expect((await change('limits', 'weights', ...LIMITS.with(1, '2'))).exit).toBe(0)

  const rotated = JSON.parse((await keys('rotate-kek', '--tenant', 'acme', '--by', 'alice', '--json')).stdout)
  expect(rotated).toMatchObject({ ok: true, rewrapped: ['weights'], left: [] })
  const shown = JSON.parse((await keys('show', 'weights', '--tenant', 'acme', '--json')).stdout)
  expect(shown.key).toMatchObject({ kek: rotated.kek, limits: { releases: 2, window: { releases: 2, seconds: 60 } } })

  await releasedTimes(102)
  const listed = (await keys('show', 'weights', '--tenant', 'acme')).stdout
  expect(listed).toContain('102 times, of which the last 100:')
  expect([...listed.matchAll(/ lease-(\d+) /g)].map((m) => Number(m[1]))).toEqual(
    Array.from({ length: 100 }, (_, i) => i + 2),
  )

  expect((await change('retire', 'weights')).stdout).toContain('retired')
  expect((await change('resume', 'weights', '--approved-by', 'bob')).stderr).toContain('ADMIN_KEY_RETIRED')
  expect((await keys('list', '--tenant', 'acme')).stdout).toContain('retired')
  expect((await keys('list', '--tenant', 'others')).stdout).toBe('no keys\n')
  expect(await change('suspend', 'none')).toMatchObject({
    exit: 1,
    stderr: expect.stringContaining('ADMIN_KEY_UNKNOWN'),
  })

  const database = readFileSync(env.VOUCHSAFE_KEY_STORE)
  for (const text of [MASTER.toString('base64'), MASTER.toString('latin1')]) expect(database.includes(text)).toBe(false)
})

it('wants every limit said, one tenant, and secrets that nobody else may read', { timeout: 30_000 }, async () => {
  chmodSync(secretFile, 0o644)
  const open = await register('open')
  chmodSync(secretFile, 0o600)
  expect([open.exit, open.stderr]).toEqual([2, expect.stringContaining('0600')])
  expect(open.stderr).not.toContain(MASTER.toString('base64'))
  const noLimits = await keys(
    'register',
    'k',
    '--tenant',
    'acme',
    '--secret',
    secretFile,
    '--policy',
    policy,
    '--by',
    'a',
  )
  expect(noLimits.exit).toBe(2)
  expect((await register('k', ['--only-lease', 'a/1/1/1/b/0'])).exit).toBe(2)
  expect((await register('k', ['--releases', '0'])).exit).toBe(2)
  const loose = file('loose.json', cpuDocument())
  const refused = await register('k', ['--policy', loose])
  expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining('ADMIN_POLICY_RELEASES_NOTHING')])
  const leased = file(
    'leased.json',
    cpuDocument({}, { ...SIGNED_BY_TEAM, keyRelease: { minLevel: 5 } }, { level: 5, gpu: GPU_RULE }),
  )
  const limits = [...LIMITS.slice(0, -1), 'kbs-guests']
  const unreachable = await keys(
    'register',
    'k',
    ...ABOUT,
    '--secret',
    secretFile,
    '--policy',
    leased,
    ...limits,
    '--json',
  )
  expect([unreachable.exit, JSON.parse(unreachable.stdout).faults[0]]).toMatchObject([
    1,
    { code: 'ADMIN_REQUEST_INVALID', path: 'limits.onlyLeases', actual: expect.stringContaining('require.gpu.count') },
  ])
  const half = file('half.json', { keys: secret.keys.slice(0, 1) })
  const incomplete = await register('k', ['--secret', half, '--json'])
  expect([incomplete.exit, JSON.parse(incomplete.stdout).faults[0].code]).toEqual([1, 'ADMIN_REQUEST_INVALID'])
  expect(incomplete.stdout + incomplete.stderr).not.toContain(MASTER.toString('base64'))
})
