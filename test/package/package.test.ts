import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Consumer, manifest, pack, type Tarball } from './consumer.ts'

const SOURCES = resolve('src')
const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-pack-'))
const consumer = new Consumer()
let tarball: Tarball

beforeAll(async () => {
  tarball = await pack(folder)
  await consumer.install(tarball)
})

afterAll(() => {
  consumer.remove()
  rmSync(folder, { recursive: true, force: true })
})

describe('the tarball', () => {
  test('holds what is published and nothing else', () => {
    const paths = tarball.files.map((f) => f.path)
    for (const file of [
      'LICENSE',
      'README.md',
      'CHANGELOG.md',
      'SECURITY.md',
      'package.json',
      'dist/index.js',
      'dist/index.d.ts',
    ]) {
      expect(paths).toContain(file)
    }
    const published =
      /^(dist\/.+\.(js|d\.ts|d\.cts|json)|examples\/sealed-weights\/(pyproject\.toml|safetensors\/__init__\.py)|docs\/.+\.md|fixtures\/.+|(README|CHANGELOG|SECURITY)\.md|LICENSE|package\.json)$/
    expect(paths.filter((path) => !published.test(path))).toEqual([])
  })

  test('makes the command executable', () => {
    expect((tarball.files.find((f) => f.path === 'dist/cli/main.js')?.mode ?? 0) & 0o111).toBe(0o111)
  })

  test('comes out the same when it is packed again', async () => {
    expect((await pack(folder)).integrity).toBe(tarball.integrity)
  })

  test('runs nothing when it is installed and pins every dependency', () => {
    const scripts = Object.keys(manifest.scripts)
    expect(scripts.filter((name) => /^(pre|post)?install$/.test(name))).toEqual([])
    for (const version of Object.values(manifest.dependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  })
})

const NAMES = 'console.log(JSON.stringify(Object.keys(loaded).sort()))'

describe('in an empty project', () => {
  test('the library is the same through import and require', async () => {
    const imported = await consumer.node('a.mjs', `import * as loaded from 'vouchsafe'\n${NAMES}`)
    const required = await consumer.node('a.cjs', `const loaded = require('vouchsafe')\n${NAMES}`)
    expect(imported).toMatchObject({ exit: 0, stderr: '' })
    expect(required).toMatchObject({ exit: 0, stderr: '' })
    expect(JSON.parse(imported.stdout)).toContain('verify')
    expect(required.stdout).toBe(imported.stdout)
  })

  test('the test kit can be imported; its XML library waits at load, so require cannot have it', async () => {
    const imported = await consumer.node('t.mjs', `import * as loaded from 'vouchsafe/testing'\n${NAMES}`)
    expect(imported).toMatchObject({ exit: 0, stderr: '' })
    expect(JSON.parse(imported.stdout)).toContain('amdMachine')
    const required = await consumer.node('t.cjs', `require('vouchsafe/testing')`)
    expect(required.stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })

  test('the collectors are an entry of their own, for import and require', async () => {
    const imported = await consumer.node('g.mjs', `import * as loaded from 'vouchsafe/collect'\n${NAMES}`)
    const required = await consumer.node('g.cjs', `const loaded = require('vouchsafe/collect')\n${NAMES}`)
    expect(imported).toMatchObject({ exit: 0, stderr: '' })
    expect(JSON.parse(imported.stdout)).toContain('collectAkash')
    expect(required.stdout).toBe(imported.stdout)
  })

  test('the clients of vendors are an entry of their own, for import and require', async () => {
    const imported = await consumer.node('v.mjs', `import * as loaded from 'vouchsafe/collateral'\n${NAMES}`)
    const required = await consumer.node('v.cjs', `const loaded = require('vouchsafe/collateral')\n${NAMES}`)
    expect(imported).toMatchObject({ exit: 0, stderr: '' })
    expect(JSON.parse(imported.stdout)).toContain('createVendorClient')
    expect(required.stdout).toBe(imported.stdout)
  })

  test('the SQLite store is an entry of its own, for import and require, and keeps what it is told', async () => {
    const quiet = '--disable-warning=ExperimentalWarning'
    const names = ['memoryReleaseStore', 'postgresReleaseStore', 'postgresStore', 'sqliteReleaseStore', 'sqliteStore']
    const imported = await consumer.node('h.mjs', `import * as loaded from 'vouchsafe/stores'\n${NAMES}`, quiet)
    expect(imported).toMatchObject({ exit: 0, stdout: `${JSON.stringify(names)}\n`, stderr: '' })
    const script = `const store = require('vouchsafe/stores').sqliteStore('gate.db')
      store.burn('a', 1).then(console.log).then(() => store.burn('a', 1)).then(console.log).then(() => store.close())`
    expect(await consumer.node('h.cjs', script, quiet)).toMatchObject({ exit: 0, stdout: 'true\nfalse\n' })
  })

  test('encrypted models are an entry of their own, for import and require, and threads are found in it', async () => {
    const imported = await consumer.node('w.mjs', `import * as loaded from 'vouchsafe/weights'\n${NAMES}`)
    expect(imported).toMatchObject({ exit: 0, stderr: '' })
    expect(JSON.parse(imported.stdout)).toContain('openModel')
    const script = `const { newModelKey, openModel, sealModel } = require('vouchsafe/weights')
      const { mkdirSync, writeFileSync } = require('node:fs')
      mkdirSync('m')
      writeFileSync('m/a.gguf', Buffer.alloc(20_000_000))
      const key = newModelKey()
      sealModel({ input: 'm', output: 's', key })
        .then(() => openModel({ input: 's', output: 'o', key, plainTensors: 'refuse' }))
        .then(({ ok }) => console.log(ok))`
    expect(await consumer.node('w.cjs', script)).toMatchObject({ exit: 0, stdout: 'true\n' })
  })

  test('an order is looked through with the YAML library that came along', async () => {
    const script = `import { lintSdl } from 'vouchsafe'\nconsole.log((await lintSdl('a: [')).findings[0].code)`
    expect(await consumer.node('s.mjs', script)).toMatchObject({ exit: 0, stdout: 'SDL_UNREADABLE\n' })
  })

  test('the policy schema is there as JSON', async () => {
    const ran = await consumer.node('b.cjs', `console.log(require('vouchsafe/policy-1.schema.json').$schema)`)
    expect(ran).toMatchObject({ exit: 0, stdout: 'https://json-schema.org/draft/2020-12/schema\n' })
  })

  test('files that are not published entries cannot be imported', async () => {
    const ran = await consumer.node('c.mjs', `await import('vouchsafe/dist/core/outcome.js')`)
    expect(ran.exit).toBe(1)
    expect(ran.stderr).toContain('ERR_PACKAGE_PATH_NOT_EXPORTED')
  })

  test('importing the library loads no other package, no server and no command line', async () => {
    const hook = `
      import { registerHooks } from 'node:module'
      export const loaded = []
      registerHooks({ resolve: (specifier, context, next) => {
        const resolved = next(specifier, context)
        loaded.push(resolved.url)
        return resolved
      } })`
    await consumer.node('hook.mjs', hook)
    const ran = await consumer.node(
      'd.mjs',
      `import { loaded } from './hook.mjs'\nawait import('vouchsafe')\nconsole.log(JSON.stringify(loaded))`,
    )
    expect(ran).toMatchObject({ exit: 0 })
    const urls = JSON.parse(ran.stdout) as string[]
    const own = urls.filter((url) => url.includes('/node_modules/vouchsafe/dist/'))
    // The build joins modules and says before each which it is.
    const modules = own.flatMap((url) =>
      [...readFileSync(fileURLToPath(url), 'utf8').matchAll(/^\/\/ (src\/\S+\.ts)$/gm)].map(([, path]) => path ?? ''),
    )
    expect(modules).toContain('src/core/outcome.ts')
    expect(
      modules.filter((path) =>
        /^src\/(agent|cli|service|testing|collect|weights|release|ocicrypt|stores\/(?!(memory|copies)\.)|collateral)\b/.test(
          path,
        ),
      ),
    ).toEqual([])
    const foreign = urls.filter((url) => !own.includes(url) && !url.endsWith('/hook.mjs'))
    expect(new Set(foreign)).toEqual(new Set(['node:crypto']))
  })

  test('the command prints its codes', async () => {
    const ran = await consumer.command('codes')
    expect(ran.exit).toBe(0)
    expect(ran.stdout).toContain('SNP_SIGNATURE_INVALID')
  })

  test('the command runs its demonstration without a checkout', async () => {
    expect(await consumer.command('demo')).toMatchObject({ exit: 0, stderr: '' })
    expect(await consumer.command('demo', 'bids')).toMatchObject({ exit: 0, stderr: '' })
  })
})

const USE = `
import { verify, parsePolicy, createVerificationCache, NO_COLLATERAL } from 'vouchsafe'
import type { Decision, Policy, VerifyContext } from 'vouchsafe'

type IsAny<T> = 0 extends 1 & T ? true : false
export const known: [IsAny<typeof verify>, IsAny<Decision>, IsAny<Policy>] = [false, false, false]

export async function judge(policy: Policy, text: string, report: Uint8Array): Promise<'accept' | 'reject' | 'inconclusive'> {
  const parsed = parsePolicy(text)
  if (!parsed.ok) throw new TypeError(parsed.faults[0].code)
  const context: VerifyContext = {
    now: 0, policy, freshness: { kind: 'notChecked', because: 'a test' }, collateral: NO_COLLATERAL, lease: null,
    physical: 'unknown', referenceValues: [], injectedAnchors: [], cache: createVerificationCache(),
  }
  const decision: Decision = await verify(report, context)
  // @ts-expect-error: a decision has no truth value to be mistaken for one
  const misused: boolean = decision.verdict
  return misused ? decision.verdict : decision.verdict
}

// @ts-expect-error: no part of the context may be left out
export const careless = verify(new Uint8Array(), { now: 0 })
`

describe('for TypeScript', () => {
  const modes = [
    ['an ES module, nodenext', 'use.mts', { module: 'nodenext' }],
    ['CommonJS, nodenext', 'use.cts', { module: 'nodenext' }],
    ['an ES module, node16', 'use.mts', { module: 'node16' }],
    ['CommonJS, node16', 'use.cts', { module: 'node16' }],
    ['a bundler', 'use.ts', { module: 'esnext', moduleResolution: 'bundler' }],
  ] as const
  test.each(modes)('the declarations serve %s', async (_, file, options) => {
    expect(await consumer.compile(file, USE, options)).toMatchObject({ exit: 0, stdout: '' })
  })

  test.each([
    ['an ES module', 'collect.mts'],
    ['CommonJS', 'collect.cts'],
  ])('the declarations of the collectors serve %s', async (_, file) => {
    const text = `import { type AkashCollection, collectAkash } from 'vouchsafe/collect'
      export const collect = (of: AkashCollection) => collectAkash(of)
      // @ts-expect-error: nothing of it may be left out
      collectAkash({ endpoint: 'https://provider.example' })`
    expect(await consumer.compile(file, text, { module: 'nodenext' })).toMatchObject({ exit: 0, stdout: '' })
  })

  test.each([
    ['an ES module', 'stores.mts'],
    ['CommonJS', 'stores.cts'],
  ])('the declarations of the stores serve %s', async (_, file) => {
    const text = `import type { GateStore } from 'vouchsafe'
      import { postgresStore, type ReleaseStore, sqliteReleaseStore, sqliteStore } from 'vouchsafe/stores'
      export const store: GateStore = sqliteStore('gate.db')
      export const keys: ReleaseStore = sqliteReleaseStore('gate.db')
      export const shared: Promise<GateStore> = postgresStore({ connectionString: 'postgres://db/gate' })
      // @ts-expect-error: it keeps its state in a file
      sqliteStore()`
    expect(await consumer.compile(file, text, { module: 'nodenext' })).toMatchObject({ exit: 0, stdout: '' })
  })

  test.each([
    ['an ES module', 'collateral.mts'],
    ['CommonJS', 'collateral.cts'],
  ])('the declarations of the vendor clients serve %s', async (_, file) => {
    const text = `import type { CollateralSource } from 'vouchsafe'
      import { createCollateralSource, createVendorClient } from 'vouchsafe/collateral'
      export const source: CollateralSource = createCollateralSource({ fetchObject: createVendorClient() })
      // @ts-expect-error: it asks nobody by itself
      createCollateralSource({})`
    expect(await consumer.compile(file, text, { module: 'nodenext' })).toMatchObject({ exit: 0, stdout: '' })
  })

  test('the declarations of the test kit serve an ES module', async () => {
    const text = `import { type AmdMachine, amdMachine } from 'vouchsafe/testing'
      export const machine: AmdMachine = amdMachine('seed')
      // @ts-expect-error: a fault of another name
      amdMachine('seed', { wrong: 'nothing' })`
    expect(await consumer.compile('kit.mts', text, { module: 'nodenext' })).toMatchObject({ exit: 0, stdout: '' })
  })

  test('the declarations serve a page, whose types are those of the DOM', async () => {
    const text = `import { webCrypto } from 'vouchsafe'\nexport const port = webCrypto(crypto.subtle)\n`
    const options = { module: 'esnext', moduleResolution: 'bundler', lib: ['es2024', 'dom'] }
    expect(await consumer.compile('page.ts', text, options)).toMatchObject({ exit: 0, stdout: '' })
  })

  test('a wrong use does not compile', async () => {
    const ran = await consumer.compile('wrong.mts', `import { verify } from 'vouchsafe'\nverify('text')\n`, {
      module: 'nodenext',
    })
    expect(ran.exit).not.toBe(0)
    expect(ran.stdout).toContain('TS2554')
  })

  test('every declaration that was built is in the tarball', () => {
    const declared = tarball.files.map((f) => f.path).filter((path) => path.endsWith('.d.ts'))
    const sources = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))
    expect(declared.sort()).toEqual(sources.map((path) => `dist/${path.replace(/ts$/, 'd.ts')}`).sort())
    expect(readFileSync(join(consumer.folder, 'node_modules/vouchsafe/dist/index.d.cts'), 'utf8')).toContain('verify')
  })
})
