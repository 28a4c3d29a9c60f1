import { randomBytes } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { fetchKbs } from '../../src/agent/kbs.ts'
import { fetchNative } from '../../src/agent/native.ts'
import { type Pause, untilDecided } from '../../src/agent/retries.ts'
import { outputOf } from '../../src/cli/fetch-key/output.ts'
import { kbsKeks } from '../../src/cli/ocicrypt/kbs-source.ts'
import { fail, type Outcome, take } from '../../src/core/outcome.ts'
import { answerRequest } from '../../src/ocicrypt/provider.ts'
import { vouchsafe } from '../cli/run.ts'
import { identity } from '../collect/gateway.ts'
import { leaseId, OWNER, PROVIDER, type Shown } from '../gate/support.ts'
import { FOR_GUESTS, KEY, KEY_POLICY, ONE, SECRET, TENANT, testBroker } from '../release/support.ts'
import { serviceOver } from '../service/support.ts'
import { between, type Passed, snpSources } from './support.ts'

const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-agent-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const LEASE = `${OWNER}/18412345/1/1/${PROVIDER}/0`
const codesOf = (outcome: Outcome<unknown>) => (outcome.ok ? ['ok'] : outcome.faults.map(({ code }) => code))
const change = (path: RegExp, how: (answer: Passed) => Partial<Passed>) => (answer: Passed) =>
  path.test(answer.path) ? { ...answer, ...how(answer) } : undefined

async function stage(parts: Parameters<typeof testBroker>[0] = {}) {
  const t = await testBroker(parts)
  const { base } = await serviceOver(t)
  const native = (url = base, shown: Shown = {}, ca: readonly string[] = []) =>
    fetchNative({ service: { url, ca }, ...KEY, lease: LEASE, ...snpSources(shown) })
  const kbs = (resource: string, url = base, shown: Shown = {}) =>
    fetchKbs({ service: { url, ca: [] }, resource, ...snpSources(shown) })
  return { t, base, native, kbs }
}

describe('the agent, by the interface of the service', () => {
  it('gets the key of the lease of its machine', async () => {
    const { native, t } = await stage()
    expect(leaseId().provider).toBe(PROVIDER)
    expect(take(await native())).toEqual(SECRET)
    expect((await t.entries()).map(({ type }) => type)).toEqual(['key.registered', 'key.released'])
  })

  it('hears what is wrong with its machine, with remedies it knows, and does not ask again', async () => {
    const { native } = await stage()
    let asked = 0
    const outcome = await untilDecided({ attempts: 5, sleep: () => Promise.reject(new Error('no pause')) }, () => {
      asked++
      return native(undefined, { amd: { wrong: 'policy-debug' } })
    })
    expect(codesOf(outcome)).toEqual(['RELEASE_NOT_ACCEPTED', 'SNP_POLICY_DEBUG_ALLOWED'])
    expect(asked).toBe(1)
  })

  it('answers no challenge about something else', async () => {
    const { native, base, t } = await stage()
    const changes: Record<string, (body: Record<string, unknown>) => unknown> = {
      lease: (body) => ({ ...body, lease: LEASE.replace('/18412345/', '/18412346/') }),
      purpose: (body) => ({ ...body, purpose: 'lease' }),
      teeKey: (body) => ({ ...body, teeKey: Buffer.alloc(44, 1).toString('base64') }),
      // The policy it is judged by is under the nonce, which the evidence answers.
      policyDigest: (body) => ({ ...body, policyDigest: `sha256:${'0'.repeat(64)}` }),
    }
    for (const [name, how] of Object.entries(changes)) {
      const url = await between(
        base,
        change(/challenges$/, ({ body }) => ({ body: how(body as never) as never })),
      )
      expect([name, codesOf(await native(url))]).toEqual([name, ['AGENT_CHALLENGE_MISMATCH']])
    }
    expect(t.vault.opened).toEqual([])
  })

  it('opens what was released for this very question, whatever the answer says that it is', async () => {
    const { native, base } = await stage()
    let earlier: Passed | undefined
    const url = await between(
      base,
      change(/releases$/, (answer) => {
        earlier ??= answer
        return { body: { ...(answer.body as object), key: (earlier.body as { key: never }).key } }
      }),
    )
    expect(take(await native(url))).toEqual(SECRET)
    expect(codesOf(await native(url))).toEqual(['RELEASE_WRAPPED_INVALID'])
    const lying = { tenant: 'x', keyId: 'y', workload: 'z', policyDigest: '', challengeId: '' }
    const liar = await between(
      base,
      change(/releases$/, ({ body }) => ({ body: { ...(body as object), binding: lying } })),
    )
    expect(take(await native(liar))).toEqual(SECRET)
    const other = await between(
      base,
      change(/releases$/, ({ body }) => ({ body: { ...(body as object), key: {} } })),
    )
    expect(codesOf(await native(other))).toEqual(['AGENT_ANSWER_INVALID'])
  })

  it('asks again while something is missing, after longer pauses each time, and anew from the beginning', async () => {
    const { native, base } = await stage()
    let failures = 2
    const told = { findings: [{ code: 'RELEASE_VAULT_UNAVAILABLE', path: 'key' }] }
    const url = await between(
      base,
      change(/releases$/, (answer) => (failures-- > 0 ? { status: 503, body: told } : answer)),
    )
    const pauses: number[] = []
    const sleep = async (milliseconds: number) => {
      pauses.push(milliseconds)
    }
    const waits: string[] = []
    const onPause = ({ fault, milliseconds, left }: Pause) => waits.push(`${fault.code} ${milliseconds} ${left}`)
    expect(take(await untilDecided({ attempts: 5, sleep, onPause }, () => native(url)))).toEqual(SECRET)
    expect(pauses).toEqual([1000, 2000])
    expect(waits).toEqual(['RELEASE_VAULT_UNAVAILABLE 1000 4', 'RELEASE_VAULT_UNAVAILABLE 2000 3'])
    const nobody = () => native('http://127.0.0.1:1')
    expect(codesOf(await untilDecided({ attempts: 3, sleep }, nobody))).toEqual(['AGENT_SERVICE_UNREACHABLE'])
    expect(pauses.slice(2)).toEqual([1000, 2000])
  })

  it('knows an answer that is none, and a reason that it does not know', async () => {
    const { native, base } = await stage()
    const saying = (status: number, body: Passed['body']) => between(base, () => ({ path: '', status, body }))
    expect(codesOf(await native(await saying(200, '<html>')))).toEqual(['AGENT_ANSWER_INVALID'])
    expect(codesOf(await native(await saying(404, { error: 'nothing' })))).toEqual(['AGENT_ANSWER_INVALID'])
    expect(codesOf(await native(await saying(502, 'bad gateway')))).toEqual(['AGENT_SERVICE_UNREACHABLE'])
    const news = await native(await saying(403, { findings: [{ code: 'RELEASE_OF_NEXT_YEAR', item: 'key' }] }))
    expect(news).toEqual(fail('AGENT_SERVICE_REFUSED', 'key', { actual: 'RELEASE_OF_NEXT_YEAR' }))
  })

  it('trusts a certificate by its authority and name, and no other', async () => {
    const { native, base } = await stage()
    const own = identity('localhost', { notBefore: '2020-01-01T00:00:00Z', notAfter: '2099-01-01T00:00:00Z' })
    const url = (await between(base, () => undefined, own)).replace('127.0.0.1', 'localhost')
    expect(codesOf(await native(url))).toEqual(['AGENT_SERVICE_CERTIFICATE'])
    expect(codesOf(await native(url, {}, [own.cert]))).toEqual(['ok'])
    const elsewhere = url.replace('localhost', '127.0.0.1')
    expect(codesOf(await native(elsewhere, {}, [own.cert]))).toEqual(['AGENT_SERVICE_CERTIFICATE'])
  })
})

describe('the agent, by the KBS protocol', () => {
  const resource = `${TENANT}/weights/llama`
  async function withKey(secret: Uint8Array) {
    const made = await stage({ limits: FOR_GUESTS })
    const about = { tenant: TENANT, keyId: 'weights/llama', secret, policy: KEY_POLICY, limits: FOR_GUESTS }
    take(await made.t.admin.register(about, ONE))
    return made
  }

  it('gets a key for a workload without a lease', async () => {
    const { kbs, base } = await withKey(SECRET)
    expect(take(await kbs(resource))).toEqual(SECRET)
    expect(codesOf(await kbs(`${TENANT}/weights/none`))).toEqual(['RELEASE_KEY_SCOPE'])
    const refused = await kbs(resource, base, { amd: { wrong: 'policy-debug' } })
    expect(codesOf(refused)).toEqual(['RELEASE_NOT_ACCEPTED', 'SNP_POLICY_DEBUG_ALLOWED'])
    const mute = await between(
      base,
      change(/auth$/, () => ({ body: {} })),
    )
    expect(codesOf(await kbs(resource, mute))).toEqual(['AGENT_ANSWER_INVALID'])
  })

  it('is where the key provider of encrypted images gets its keys', async () => {
    const kek = randomBytes(32)
    const { base } = await withKey(new Uint8Array(kek))
    const source = kbsKeks({ url: base, ca: [] }, snpSources())
    const base64 = (value: string | object) =>
      Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64')
    const asked = async (request: object) => answerRequest(Buffer.from(JSON.stringify(request)), source)
    const keyId = `kbs:///${resource}`
    const layerKey = base64('the key of a layer')
    const ec = { Parameters: { vouchsafe: [base64(keyId)] } }
    const wrapped = JSON.parse(take(await asked({ op: 'keywrap', keywrapparams: { ec, optsdata: layerKey } })))
    const { annotation } = wrapped.keywrapresults
    const opened = JSON.parse(take(await asked({ op: 'keyunwrap', keyunwrapparams: { dc: null, annotation } })))
    expect(opened).toEqual({ keyunwrapresults: { optsdata: layerKey } })
  })
})

describe('where a key goes', () => {
  const silent = () => undefined
  const weights = JSON.stringify({
    keys: [
      { kty: 'oct', alg: 'aes256gcm', kid: 'm', k: randomBytes(32).toString('base64') },
      { kty: 'okp', alg: 'ed25519', kid: 's', x: randomBytes(32).toString('base64') },
    ],
  })

  it('is a file of its owner alone, as a whole; told where it would lie on a disk', async () => {
    const out = join(folder, 'key')
    const warnings: string[] = []
    const output = await outputOf({ out }, (text) => warnings.push(text))
    take(await output.write(SECRET))
    take(await output.write(SECRET))
    expect([statSync(out).mode & 0o777, new Uint8Array(readFileSync(out))]).toEqual([0o600, SECRET])
    expect(warnings.length).toBeLessThanOrEqual(1)
    const inMemory: string[] = []
    await outputOf({ out: '/dev/shm/vouchsafe-never-written' }, (text) => inMemory.push(text))
    expect(inMemory).toEqual([])
  })

  it('is a key file of weights only where the key is one', async () => {
    const weightsKey = join(folder, 'model.jwk')
    const output = await outputOf({ weightsKey }, silent)
    expect(codesOf(await output.write(Buffer.from('no JWK')))).toEqual(['JSON_SYNTAX'])
    expect(codesOf(await output.write(Buffer.from('{"keys":[]}')))).toEqual(['WEIGHTS_KEY_FILE_INVALID'])
    take(await output.write(Buffer.from(weights)))
    expect(readFileSync(weightsKey, 'utf8')).toBe(weights)
  })

  it('is an open descriptor, never one that is logged', async () => {
    const path = join(folder, 'descriptor')
    const fd = openSync(path, 'w')
    take(await (await outputOf({ fd: String(fd) }, silent)).write(SECRET))
    expect(() => closeSync(fd)).toThrow()
    expect(new Uint8Array(readFileSync(path))).toEqual(SECRET)
    for (const other of ['0', '1', '2', '-1', 'x', '99999'])
      await expect(outputOf({ fd: other }, silent)).rejects.toThrow('--fd')
    await expect(outputOf({}, silent)).rejects.toThrow('exactly one')
    await expect(outputOf({ fd: '3', out: 'x' }, silent)).rejects.toThrow('exactly one')
  })
})

describe('vouchsafe fetch-key', () => {
  const run = (...args: readonly string[]) => vouchsafe(['fetch-key', ...args])
  const out = ['--out', join(folder, 'never')]
  const key = ['--tenant', 'acme', '--key', 'weights/llama']

  it('takes one key of one service, and no plain HTTP to another machine unless told', async () => {
    for (const [args, message] of [
      [[...key, ...out], 'either --broker or --kbs'],
      [['--kbs', 'http://keys.example', ...key, ...out], '--plain-http'],
      [['--kbs', 'https://keys.example/kbs', ...key, ...out], 'without user, path'],
      [['--broker', 'https://keys.example', ...key, ...out], '--lease takes'],
      [['--kbs', 'https://keys.example', ...key], 'exactly one'],
    ] as const) {
      const ran = await run(...args)
      expect(ran).toMatchObject({ exit: 2, stdout: '', stderr: expect.stringContaining(message) })
    }
  })

  it('on a machine without a TEE says so, and asks nobody', async () => {
    const root = mkdtempSync(join(folder, 'root-'))
    writeFileSync(join(root, 'empty'), '')
    const ran = await run('--kbs', 'http://127.0.0.1:1', ...key, ...out, '--root', root, '--attempts', '1', '--json')
    expect(ran.exit).toBe(3)
    expect(JSON.parse(ran.stdout).faults[0].code).toBe('COLLECT_CPU_TEE_ABSENT')
  })
})
