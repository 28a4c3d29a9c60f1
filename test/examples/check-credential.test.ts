import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import {
  AUDIENCE,
  HOLDER,
  ISSUER,
  issued,
  KEYS,
  LEASE,
  POLICY_DIGEST,
  PROVIDER,
  resigned,
} from '../decision/credential/support.ts'
import { AT } from '../reject/stage.ts'

const PROGRAM = resolve('examples/check-credential.mjs')
const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-example-'))
const jwks = join(folder, 'jwks.json')
writeFileSync(jwks, JSON.stringify(KEYS))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const run = (input: string, { audience = AUDIENCE, purpose = 'lease', lease = LEASE, at = AT } = {}) => {
  const args = [PROGRAM, jwks, ISSUER, audience, purpose, lease, POLICY_DIGEST, at]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { input, encoding: 'utf8' })
  return { status, stdout, stderr }
}

describe('examples/check-credential.mjs', () => {
  it('imports jose and nothing of ours, in some twenty lines', () => {
    const source = readFileSync(PROGRAM, 'utf8')
    expect([...source.matchAll(/from '(.+)'/g)].map(([, from]) => from)).toEqual(['node:fs', 'jose'])
    expect(source.split('\n').filter((line) => line !== '' && !line.startsWith('//')).length).toBeLessThanOrEqual(20)
  })

  it.each(['lease', 'posture', 'key-release'] as const)('accepts a credential for %s', async (purpose) => {
    const { jwt } = await issued(purpose)
    const ran = run(jwt, { purpose, lease: purpose === 'posture' ? '-' : LEASE })
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    expect(JSON.parse(ran.stdout)).toEqual({
      provider: PROVIDER,
      level: 2,
      gpu: { count: 1, binding: 'shared-nonce' },
      holder: HOLDER.jkt,
    })
  })

  it.each<[string, Parameters<typeof run>[1]]>([
    ['another relying party', { audience: 'somebody.else' }],
    ['another purpose', { purpose: 'posture', lease: '-' }],
    ['another lease', { lease: `${LEASE}0` }],
    ['another time', { at: '2026-08-01T01:00:00Z' }],
  ])('refuses it for %s', async (_, changed) => {
    const { jwt } = await issued('lease')
    expect(run(jwt, changed).status).toBe(1)
  })

  it('refuses a credential of another type and a longer life', async () => {
    expect(run(await resigned('lease', (c) => c, { header: { typ: 'JWT' } })).status).toBe(1)
    expect(run(await resigned('lease', (c) => ({ ...c, iat: Number(c.iat) - 1801 }))).status).toBe(1)
  })
})
