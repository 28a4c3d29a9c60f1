import { describe, expect, it } from 'vitest'
import { type Outcome, take } from '../../src/core/outcome.ts'
import { fileVault } from '../../src/release/vault/index.ts'
import { newKekFile } from './files.ts'
import { findingsOf, KEY, KEY_POLICY, LIMITLESS, ONE, SECRET, type TestBroker, TWO, testBroker } from './support.ts'

const REGISTRATION = { ...KEY, secret: SECRET, policy: KEY_POLICY, limits: LIMITLESS }
const asked = async (t: TestBroker) => findingsOf(await t.ask()).map((f) => f.code)
const codesOf = (outcome: Outcome<unknown>) => (outcome.ok ? [] : outcome.faults.map((f) => f.code))

describe('that a key is retired', () => {
  it('a row says that was proved, and no other', async () => {
    const t = await testBroker()
    t.sql("UPDATE release_key SET state = 'retired'")
    expect(await asked(t)).toEqual(['RELEASE_KEY_TAMPERED'])
    take(await t.admin.register(REGISTRATION, TWO))
    expect(await asked(t)).toEqual([])
    take(await t.admin.retire(KEY, ONE))
    expect(codesOf(await t.admin.register(REGISTRATION, TWO))).toEqual(['ADMIN_KEY_RETIRED'])
  })

  it('the log goes on saying where the row is gone, or says otherwise', async () => {
    for (const change of ['suspend', 'retire'] as const)
      for (const sql of ['DELETE FROM release_key', "UPDATE release_key SET state = 'active'"]) {
        const t = await testBroker()
        take(await t.admin[change](KEY, ONE))
        t.sql(sql)
        const again = codesOf(await t.admin.register(REGISTRATION, TWO))
        expect(again).toEqual(change === 'retire' ? ['ADMIN_KEY_RETIRED'] : [])
      }
  })
})

describe('a row that cannot be read', () => {
  it.each([
    ['limits', 'x'],
    ['limits', 'null'],
    ['limits', '{}'],
    ['limits', '{"chips":1e999}'],
    ['policy', ''],
    ['registered_at', '9223372036854775807'],
    ['revision', '9223372036854775807'],
    ['revision', '-9223372036854775808'],
  ])('for its %s %j fails its MAC, is in no other key’s way, and can be registered anew', async (column, value) => {
    const t = await testBroker()
    take(await t.admin.register({ ...REGISTRATION, keyId: 'weights-2' }, ONE))
    t.sql(
      `UPDATE release_key SET ${column} = CAST(? AS ${/^-?[0-9]/.test(value) ? 'INTEGER' : 'TEXT'}) WHERE key_id = ?`,
      value,
      KEY.keyId,
    )
    const code = column === 'policy' ? 'RELEASE_POLICY_TAMPERED' : 'RELEASE_KEY_TAMPERED'
    expect(await asked(t)).toEqual([code])
    expect(codesOf(await t.admin.suspend(KEY, ONE))).toEqual([code])
    expect(take(await t.admin.list(KEY.tenant)).map((key) => key.keyId)).toEqual([KEY.keyId, 'weights-2'])
    expect(findingsOf(await t.ask({ request: { keyId: 'weights-2' } }))).toEqual([])
    take(await t.admin.register(REGISTRATION, TWO))
    expect(await asked(t)).toEqual([])
  })
})

describe('a change of the key-encryption key', () => {
  it('passes over keys that are under the new one, and not over one that only says so', async () => {
    const kekFile = await newKekFile()
    const vault = take(await fileVault(kekFile))
    const t = await testBroker({ kekFile, vault })
    take(await t.admin.register({ ...REGISTRATION, keyId: 'weights-2' }, ONE))
    take(await vault.rotate())
    take(await t.admin.register({ ...REGISTRATION, keyId: 'weights-3' }, ONE))
    t.sql('UPDATE release_key SET kek = ? WHERE key_id = ?', vault.currentKek, KEY.keyId)
    const { rewrapped, left } = take(await t.admin.rewrapAll(KEY.tenant, ONE))
    expect(rewrapped).toEqual(['weights-2'])
    expect(left.map(({ keyId, faults }) => [keyId, faults[0]?.code])).toEqual([[KEY.keyId, 'RELEASE_POLICY_TAMPERED']])
  })
})

describe('what is written of a change that is refused', () => {
  it('is that the row of its key is not as it was written', async () => {
    const t = await testBroker()
    const [limits, next] = [
      { ...LIMITLESS, releases: 2 },
      { ...LIMITLESS, releases: 1 },
    ]
    take(await t.admin.changeLimits(KEY, limits, ONE))
    expect(codesOf(await t.admin.suspend({ ...KEY, keyId: 'none' }, ONE))).toEqual(['ADMIN_KEY_UNKNOWN'])
    expect(codesOf(await t.admin.suspend(KEY, { by: '', approvedBy: null }))).toEqual(['ADMIN_REQUEST_INVALID'])
    expect((await t.entries()).map((e) => e.type)).toEqual(['key.registered', 'key.changed'])
    t.sql('UPDATE release_key SET registered_at = 7')
    expect(codesOf(await t.admin.changeLimits(KEY, next, ONE))).toEqual(['RELEASE_KEY_TAMPERED'])
    const about = { ...KEY, type: 'admin.refused', codes: ['RELEASE_KEY_TAMPERED'], actor: ONE.by }
    expect((await t.entries()).at(-1)).toMatchObject(about)
    t.sql(`CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'disk is full'); END`)
    expect(codesOf(await t.admin.changeLimits(KEY, next, ONE))).toEqual(['RELEASE_AUDIT_UNAVAILABLE'])
  })
})
