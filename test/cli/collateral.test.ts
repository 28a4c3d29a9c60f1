import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writePack } from '../../src/cli/collateral/write-pack.ts'
import { type Decided, type DecideOptions, decide } from '../../src/cli/verify/decide.ts'
import { CollateralCache } from '../../src/collateral/cache/cache.ts'
import { requestKey } from '../../src/collateral/cache/key.ts'
import { readClock, readingsOfMachine } from '../../src/collateral/cache/remember.ts'
import { answersUsed } from '../../src/collateral/pack/used.ts'
import { toHex } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { pem } from '../../src/testing/index.ts'
import { type BareScene, bareBoth, bareSnp, bareTdx, stockFor } from '../collateral/bare.ts'
import { amdObjects, intelObjects, nvidiaObjects } from '../collateral/held-objects.ts'
import { Mirror } from '../collateral/mirror.ts'
import { WEB_AUTHORITY } from '../collateral/tls.ts'
import { intelDocument, td } from '../reject/intel-stage.ts'
import { AT, cpu, cpuDocument, gpuDocument, gpus, LEASE, NONCE } from '../reject/stage.ts'
import { NODE_FLAGS, scratchFolder, vouchsafe } from './run.ts'

const folder = scratchFolder()
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
const ROOTS = file('roots.pem', pem([cpu().trustedArk, td().trustedRoot, gpus().roots.device, gpus().roots.rim]))
const AUTHORITY = file('authority.pem', WEB_AUTHORITY)
const JUDGED = { at: AT, nonce: toHex(NONCE), trustAnchor: [ROOTS], freshness: true } as const
const { hostData: _, ...leased } = LEASE

interface Case {
  readonly name: string
  readonly scene: BareScene
  readonly policy: JsonObject
  readonly requests: number
}
const CASES: readonly Case[] = [
  { name: 'a bare SNP report', scene: bareSnp(), policy: cpuDocument(), requests: 3 },
  { name: 'a bare TDX quote', scene: bareTdx(), policy: intelDocument({ platform: 'intel/tdx' }), requests: 4 },
  { name: 'SNP and H100', scene: bareBoth(), policy: gpuDocument({ revocation: 'required' }), requests: 11 },
]

let mirror: Mirror
beforeAll(async () => {
  mirror = await Mirror.start(stockFor(...CASES.map((c) => c.scene)))
})
afterAll(() => mirror.close())

const vendors = () => ({ vendorUrl: mirror.vendorUrls, vendorCa: AUTHORITY })
const optionsOf = ({ name, policy }: Case): DecideOptions => ({
  ...JUDGED,
  policy: file(`${name}.policy.json`, JSON.stringify(policy)),
  ...(name.includes('H100') ? { lease: file('lease.json', JSON.stringify(leased)) } : {}),
})
const evidenceOf = ({ name, scene }: Case) => file(`${name}.json`, scene.evidence as Uint8Array)
const decisionOf = ({ decision }: Decided) => JSON.stringify(decision)

async function packed({ judged, answers, judgeWith }: Decided, name: string): Promise<string> {
  const path = join(folder, `${name}.pack`)
  await writePack(path, await answersUsed(answers, judged, judgeWith), undefined)
  return path
}

/** `vouchsafe collateral serve` in a process of its own, until it is ended. */
async function serving(
  ...args: readonly string[]
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> {
  const child = spawn(
    process.execPath,
    [...NODE_FLAGS, resolve('src/cli/main.ts'), 'collateral', 'serve', ...args, '--port', '0'],
    {
      env: { ...process.env, NODE_COMPILE_CACHE: resolve('node_modules/.cache/vouchsafe-cli') },
    },
  )
  const said = await new Promise<string>((done, failed) => {
    child.stdout.once('data', (chunk: Buffer) => done(chunk.toString()))
    child.stderr.once('data', (chunk: Buffer) => failed(new Error(chunk.toString())))
  })
  const stop = () =>
    new Promise<void>((done) => {
      child.once('close', () => done())
      child.kill('SIGTERM')
    })
  return { url: /https?:\S+/.exec(said)?.[0] ?? '', stop }
}

const SERVED = ['amd-kds', 'intel-pcs', 'intel-certificates', 'nvidia-rim', 'nvidia-ocsp']

describe('verify obtains what it waits for', () => {
  it.each(CASES)('$name: once, then from the cache, from a pack, and from whoever serves the pack', async (one) => {
    const [evidence, options] = [evidenceOf(one), optionsOf(one)]
    const cache = join(folder, `${one.name}.db`)
    mirror.asked.length = 0
    const first = await decide(evidence, { ...options, ...vendors(), cache })
    expect(first.decision.findings).toEqual([])
    expect(first.decision.verdict).toBe('accept')
    expect(mirror.asked.length).toBe(one.requests)

    mirror.asked.length = 0
    const second = await decide(evidence, { ...options, ...vendors(), cache })
    const offline = await decide(evidence, { ...options, cache, offline: true })
    expect(mirror.asked).toEqual([])
    expect(decisionOf(second)).toBe(decisionOf(first))
    expect(decisionOf(offline)).toBe(decisionOf(first))

    const pack = await packed(first, one.name)
    expect(readFileSync(await packed(second, `${one.name} again`))).toEqual(readFileSync(pack))
    const kept = await decide(evidence, { ...options, collateral: [pack], offline: true })
    expect(decisionOf(kept)).toBe(decisionOf(first))

    const { url, stop } = await serving(pack)
    const served = await decide(evidence, {
      ...options,
      cache: join(folder, `${one.name} served.db`),
      vendorUrl: SERVED.map((service) => `${service}=${url}`),
      plainHttp: [url],
    })
    await stop()
    expect(decisionOf(served)).toBe(decisionOf(first))
    expect(mirror.asked).toEqual([])
  })

  it('and says what could not be fetched, soon', async () => {
    const [one] = CASES as [Case]
    const nobody = SERVED.map((service) => `${service}=https://127.0.0.1:1`)
    const started = performance.now()
    const { decision } = await decide(evidenceOf(one), {
      ...optionsOf(one),
      vendorUrl: nobody,
      cache: join(folder, 'none.db'),
    })
    expect(performance.now() - started).toBeLessThan(20_000)
    expect(decision.verdict).toBe('inconclusive')
    expect(new Set(decision.findings.map((f) => f.code))).toEqual(
      new Set(['COLLATERAL_UNAVAILABLE', 'SNP_VCEK_UNAVAILABLE']),
    )
    const { decision: offline } = await decide(evidenceOf(one), { ...optionsOf(one), offline: true })
    expect(offline.findings.map((f) => f.code)).toEqual(['SNP_VCEK_UNAVAILABLE'])
  })

  it('but asks for nothing that was given, and nothing for what is refused anyway', async () => {
    const [one] = CASES as [Case]
    const given = amdObjects(cpu()).flatMap((o) => o.files)
    mkdirSync(join(folder, 'given'), { recursive: true })
    for (const { name, bytes } of given) writeFileSync(join(folder, 'given', name), bytes)
    mirror.asked.length = 0
    const complete = { ...optionsOf(one), ...vendors(), cache: join(folder, 'given.db') }
    expect((await decide(evidenceOf(one), { ...complete, collateral: [join(folder, 'given')] })).decision.verdict).toBe(
      'accept',
    )
    const debug = file('debug.json', bareSnp({ wrong: 'policy-debug' }).evidence as Uint8Array)
    expect((await decide(debug, { ...complete, collateral: [join(folder, 'given')] })).decision.verdict).not.toBe(
      'accept',
    )
    expect(mirror.asked).toEqual([])
  })

  it('refuses a list that is older than one it has used', async () => {
    const [one] = CASES as [Case]
    const newer = cpu({ crl: { number: 9, thisUpdate: '2026-07-20T00:00:00Z' } })
    const folderOf = (name: string, machine: ReturnType<typeof cpu>) => {
      mkdirSync(join(folder, name), { recursive: true })
      for (const { files } of amdObjects(machine))
        for (const f of files) writeFileSync(join(folder, name, f.name), f.bytes)
      return join(folder, name)
    }
    const cache = join(folder, 'rollback.db')
    const options = { ...optionsOf(one), cache, offline: true }
    const imported = await vouchsafe(['collateral', 'import', folderOf('newer', newer), '--cache', cache, '--at', AT])
    expect(imported).toMatchObject({ exit: 0, stderr: '' })
    expect((await decide(evidenceOf(one), options)).decision.verdict).toBe('accept')
    const older = { ...options, collateral: [folderOf('older', cpu())] }
    const { decision } = await decide(evidenceOf(one), older)
    expect(decision).toMatchObject({
      verdict: 'reject',
      findings: [{ code: 'COLLATERAL_ROLLBACK', item: 'collateral' }],
    })
  })
})

describe('the clock of a verifier with a cache', () => {
  it.each([
    ['CLOCK_WENT_BACK', { instant: 4_000_000_000, boot: 'another start', uptimeSeconds: 1 }],
    ['CLOCK_JUMP', { ...readingsOfMachine(), instant: Math.floor(Date.now() / 1000) - 4000 }],
  ])('%s', async (code, before) => {
    const [one] = CASES as [Case]
    const path = join(folder, `${code}.db`)
    const cache = new CollateralCache(path)
    expect((await readClock(cache, 0, () => before)).clockFaults).toEqual([])
    await cache.close()
    const { at: __, ...options } = optionsOf(one)
    const { decision } = await decide(evidenceOf(one), { ...options, cache: path, offline: true })
    expect(decision.verdict).not.toBe('accept')
    expect(decision.findings.filter((f) => f.code.startsWith('CLOCK_'))).toMatchObject([{ code, item: 'set' }])
  })
})

describe('vouchsafe collateral', () => {
  const both = CASES.at(-1) as Case
  const cache = join(folder, 'cli.db')
  const common = ['--cache', cache, '--at', AT]
  const trust = ['--trust-anchor', ROOTS]
  const vendorArgs = () => [...mirror.vendorUrls.flatMap((url) => ['--vendor-url', url]), '--vendor-ca', AUTHORITY]

  it('fetches with progress, packs with a signature, and shows both', async () => {
    const evidence = evidenceOf(both)
    const fetched = await vouchsafe(['collateral', 'fetch', evidence, ...common, ...trust, ...vendorArgs()])
    expect(fetched).toMatchObject({ exit: 0, stderr: '' })
    expect(fetched.stdout).toMatch(/11 of 11 objects held\n$/)
    expect(statSync(cache).mode & 0o777).toBe(0o600)

    const pair = generateKeyPairSync('ed25519')
    const key = file('key.jwk', JSON.stringify(pair.privateKey.export({ format: 'jwk' })))
    const publicKey = file('key.pub.jwk', JSON.stringify(pair.publicKey.export({ format: 'jwk' })))
    const pack = join(folder, 'signed.pack')
    const open = await vouchsafe(['collateral', 'pack', '--out', pack, ...common, '--key', key])
    expect(open.exit).toBe(2)
    expect(open.stderr).toContain('chmod 600')
    chmodSync(key, 0o600)
    const made = await vouchsafe([
      'collateral',
      'pack',
      evidence,
      '--out',
      pack,
      ...common,
      ...trust,
      '--key',
      key,
      '--json',
    ])
    expect(made).toMatchObject({ exit: 0, stderr: '' })
    const { digest } = JSON.parse(made.stdout) as { digest: string }

    const shown = await vouchsafe(['collateral', 'show', pack, '--pack-key', publicKey, '--at', AT])
    expect(shown).toMatchObject({ exit: 0, stderr: '' })
    expect(shown.stdout).toContain(digest)
    const table = await vouchsafe(['collateral', 'show', ...common, '--json'])
    const { objects } = JSON.parse(table.stdout) as { objects: { object: string; state: string }[] }
    expect(objects.length).toBe(11)
    expect(new Set(objects.map((o) => o.state))).toEqual(new Set(['valid', 'expires soon']))

    const verify = [
      'verify',
      evidence,
      '--policy',
      optionsOf(both).policy ?? '',
      '--lease',
      join(folder, 'lease.json'),
      ...trust,
    ]
    const how = ['--nonce', toHex(NONCE), '--at', AT, '--offline', '--collateral', pack, '--json']
    expect((await vouchsafe([...verify, ...how, '--pack-key', publicKey])).exit).toBe(0)
    const stranger = file(
      'other.jwk',
      JSON.stringify(generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' })),
    )
    const refused = await vouchsafe([...verify, ...how, '--pack-key', stranger])
    expect(refused.exit).toBe(2)
    expect(refused.stderr).toContain('COLLATERAL_PACK_SIGNATURE_INVALID')
  })

  it('takes in what other tools leave behind, by content', async () => {
    const store = join(folder, 'store')
    const put = (path: string, bytes: Uint8Array | string) => {
      mkdirSync(join(store, path, '..'), { recursive: true })
      writeFileSync(join(store, path), bytes)
    }
    const [amd, tdx, nvidia] = [cpu(), td(), gpus()]
    // trustee's store, snpguest's certificates, a quote's collateral, manifests under NVIDIA's names
    put(`kds-store/vcek/${toHex(amd.chipId)}/vcek.der`, amd.vek)
    put('certs/ask.pem', pem([amd.intermediate]))
    put('certs/ark.der', amd.ark)
    put('certs/genoa.crl', amd.crl)
    put('quote-collateral.json', tdx.collateralJson)
    put('rims/1010_0200_882_9600FE0001_PROD.xml', nvidia.vbiosRim.bytes)
    put(
      'rims/answer.json',
      JSON.stringify({ id: nvidia.driverRim.id, rim: Buffer.from(nvidia.driverRim.bytes).toString('base64') }),
    )
    for (const [i, { der }] of nvidia.ocspResponses.entries()) put(`ocsp/${i}.der`, der)
    put('readme.txt', 'nothing')
    const into = join(folder, 'import.db')
    const ran = await vouchsafe(['collateral', 'import', store, '--cache', into, '--at', AT, '--json'])
    expect(ran.exit).toBe(0)
    const { objects, leftOut } = JSON.parse(ran.stdout) as {
      objects: string[]
      leftOut: { code: string; path: string }[]
    }
    const wanted = [...amdObjects(amd), ...intelObjects(tdx), ...nvidiaObjects(nvidia)].map((o) =>
      requestKey(o.request),
    )
    expect(wanted.filter((key) => !objects.includes(key))).toEqual([])
    expect(leftOut.map((f) => f.code)).toEqual(['COLLATERAL_UNRECOGNISED'])
    // What was taken in is enough to judge by, and can be served to others.
    for (const one of CASES) {
      const { decision } = await decide(evidenceOf(one), { ...optionsOf(one), cache: into, offline: true })
      expect(decision.findings).toEqual([])
    }
    const { url, stop } = await serving('--cache', into)
    const tcb = await fetch(`${url}/tdx/certification/v4/tcb?fmspc=${tdx.collateral.fmspc}`)
    expect([tcb.status, tcb.headers.has('tcb-info-issuer-chain')]).toEqual([200, true])
    for (const path of [
      '/vcek/v1/Milan/crl',
      '/v1/rim/NV_X',
      '/sgx/certification/v4/tcb?fmspc=00',
      '/unknown',
      '/vcek/v1/X/crl',
    ])
      expect((await fetch(url + path)).status, path).toBe(404)
    expect((await fetch(`${url}/sgx/certification/v4/rootcacrl`)).status).toBe(200)
    const unauthorized = await fetch(url, { method: 'POST', body: 'not a request' })
    expect(new Uint8Array(await unauthorized.arrayBuffer())).toEqual(Uint8Array.of(0x30, 3, 0x0a, 1, 6))
    await stop()
  })

  it.each([
    [['collateral', 'show', '--cache', ROOTS], 'cannot use the cache'],
    [['collateral', 'serve', '--host', '0.0.0.0', '--cache', cache], 'reachable by others'],
    [['collateral', 'show', ROOTS], 'cannot be used as a pack'],
    [['collateral', 'fetch', ROOTS, '--cache', cache, '--vendor-url', 'amd-kds'], 'SERVICE=URL'],
    [['collateral', 'fetch', ROOTS, '--cache', cache, '--vendor-url', 'amd-kds=http://x.example'], 'not HTTPS'],
    [['collateral', 'pack', '--out', join(folder, 'p'), '--cache', join(folder, 'empty.db')], 'nothing to pack'],
  ])('%j cannot be meant', async (args, message) => {
    const ran = await vouchsafe(args)
    expect(ran.exit).toBe(2)
    expect(ran.stderr).toContain(message)
  })
})
