import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { toHex } from '../../src/core/encodings.ts'
import { pem } from '../../src/testing/index.ts'
import { bareSnp, stockFor } from '../collateral/bare.ts'
import { Mirror } from '../collateral/mirror.ts'
import { WEB_AUTHORITY } from '../collateral/tls.ts'
import { AT, cpu, NONCE } from '../reject/stage.ts'
import { scratchFolder, vouchsafe } from './run.ts'

const folder = scratchFolder()
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
const SCENE = bareSnp()
const ROOTS = file('roots.pem', pem([cpu().trustedArk]))
const AUTHORITY = file('authority.pem', WEB_AUTHORITY)
const BUNDLE = file('bundle.json', SCENE.evidence as Uint8Array)

let mirror: Mirror
beforeAll(async () => {
  mirror = await Mirror.start(stockFor(SCENE))
})
afterAll(() => mirror.close())

async function tested(...more: readonly string[]) {
  const asked = ['--bundle', BUNDLE, '--nonce', toHex(NONCE), '--at', AT, '--trust-anchor', ROOTS]
  const { exit, stdout } = await vouchsafe(['selftest', '--json', ...asked, '--policy', 'cpu-confidential', ...more])
  return { exit, report: JSON.parse(stdout) as { layers: { id: string; seen: string[] }[] } }
}
const online = () => [...mirror.vendorUrls.flatMap((url) => ['--vendor-url', url]), '--vendor-ca', AUTHORITY]
const seenIn = (report: Awaited<ReturnType<typeof tested>>['report'], id: string) =>
  report.layers.find((layer) => layer.id === id)?.seen

it('a machine whose evidence comes bare is judged with what the vendors have, and then with what was kept', async () => {
  const cache = ['--cache', join(folder, 'cache.db')]
  expect((await tested(...cache, ...online())).exit).toBe(0)
  const asked = mirror.asked.length
  expect(asked).toBe(3)
  expect((await tested(...cache, ...online())).exit).toBe(0)
  expect((await tested(...cache, '--offline')).exit).toBe(0)
  expect(mirror.asked.length).toBe(asked)
  expect((await tested('--offline')).exit).toBe(3)
})

it('a report that shall be shared tells no chip, though nothing proved which it is', async () => {
  const nowhere = ['--vendor-url', 'amd-kds=https://127.0.0.1:9', '--vendor-ca', AUTHORITY, '--redact']
  const { report } = await tested('--cache', join(folder, 'empty too.db'), ...nowhere)
  expect(JSON.stringify(report)).not.toContain(toHex(cpu().chipId).slice(0, 16))
})

it('what a vendor does not bring is a layer of its own, with its remedy', async () => {
  const nowhere = ['--vendor-url', 'amd-kds=https://127.0.0.1:9', '--vendor-ca', AUTHORITY]
  const { exit, report } = await tested('--cache', join(folder, 'empty.db'), ...nowhere)
  expect(exit).toBe(3)
  expect(seenIn(report, 'vendors')).toEqual(expect.arrayContaining([expect.stringMatching(/^COLLATERAL_/)]))
})
