import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { progressLine, sizeText } from '../../src/cli/weights/progress.ts'
import { contentOf, folderOf, fresh, model } from '../weights/stage.ts'
import { started, vouchsafe } from './run.ts'

const weights = (...args: readonly string[]) => vouchsafe(['weights', ...args])

describe('vouchsafe weights', () => {
  const [sealed, opened, key, next] = [fresh('sealed'), fresh('opened'), fresh('key'), fresh('next')]
  let input = ''
  beforeAll(() => {
    input = folderOf({ 'model.safetensors': model(), 'config.json': '{}' })
  })

  it('seals under a new key, shows, rewraps and opens', async () => {
    const terms = ['--policy', 'h100-confidential', '--broker', 'https://broker.example']
    const seal = await weights('seal', input, '--out', sealed, '--new-key', key, ...terms, '--json', '--progress')
    expect(seal.exit, seal.stderr).toBe(0)
    expect(JSON.parse(seal.stdout)).toMatchObject({
      ok: true,
      resumed: [],
      files: [{ name: 'config.json.tink' }, { name: 'model.safetensors' }],
    })
    expect(seal.stderr).toMatch(/^sealing \[#{24}\] 100 % .* {2}model\.safetensors$/m)
    expect(statSync(key).mode & 0o777).toBe(0o600)
    for (const secret of JSON.parse(readFileSync(key, 'utf8')).keys.flatMap(
      (jwk: { k?: string; d?: string }) => jwk.k ?? jwk.d,
    ))
      expect(seal.stdout + seal.stderr).not.toContain(secret)

    const inspect = await weights('inspect', sealed)
    expect(inspect).toMatchObject({ exit: 0, stderr: '' })
    expect(inspect.stdout).toContain('https://broker.example')
    const digest = (await vouchsafe(['policy', 'digest', 'h100-confidential'])).stdout.trim()
    expect(JSON.parse((await weights('inspect', sealed, '--json')).stdout).terms.policyDigest).toBe(digest)
    expect((await weights('inspect', join(sealed, 'model.safetensors'))).stdout).toContain('CryptoTensors 2')

    expect(await weights('rewrap', sealed, '--key', key, '--new-key', next)).toMatchObject({ exit: 0, stderr: '' })
    const refused = await weights('open', sealed, '--out', opened, '--key', key)
    expect(refused).toMatchObject({ exit: 1, stdout: '' })
    expect(refused.stderr).toContain('WEIGHTS_KEY_OTHER')
    expect(existsSync(opened)).toBe(false)
    expect(await weights('open', sealed, '--out', opened, '--key', next)).toMatchObject({ exit: 0, stderr: '' })
    expect(contentOf(opened)).toEqual(contentOf(input))
  })

  it('writes the key that a broker may release: it opens the model and cannot sign', async () => {
    const released = fresh('released')
    const made = await weights('release-key', '--key', key, '--out', released)
    expect(made).toMatchObject({ exit: 0, stderr: '' })
    expect(statSync(released).mode & 0o777).toBe(0o600)
    const [whole, given] = [key, released].map((file) => JSON.parse(readFileSync(file, 'utf8')).keys)
    expect(given).toEqual(whole.map(({ d, ...jwk }: { d?: string }) => jwk))
    expect(whole.some(({ d }: { d?: string }) => d !== undefined)).toBe(true)
    expect(made.stdout).not.toContain(given[0].k)
    const again = fresh('sealed-again')
    expect(await weights('seal', input, '--out', again, '--key', key)).toMatchObject({ exit: 0 })
    expect(await weights('open', again, '--out', fresh(), '--key', released)).toMatchObject({ exit: 0, stderr: '' })
    const sign = await weights('seal', input, '--out', fresh(), '--key', released)
    expect(sign).toMatchObject({ exit: 1 })
    expect(sign.stderr).toContain('WEIGHTS_SIGNING_KEY_MISSING')
    expect(await weights('release-key', '--key', key, '--out', released)).toMatchObject({ exit: 2, stdout: '' })
  })

  it('answers a refusal in JSON as well', async () => {
    const plain = join(input, 'model.safetensors')
    const ran = await weights('open', plain, '--out', fresh(), '--key', key, '--json')
    expect(ran).toMatchObject({ exit: 1, stderr: '' })
    expect(JSON.parse(ran.stdout)).toMatchObject({ ok: false, faults: [{ code: 'WEIGHTS_NOT_SEALED' }] })
  })

  it('takes keys from closed files alone, and makes none over another', async () => {
    const exposed = fresh('exposed')
    writeFileSync(exposed, readFileSync(key), { mode: 0o600 })
    chmodSync(exposed, 0o644)
    const ran = await weights('open', sealed, '--out', fresh(), '--key', exposed)
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).toMatch(/WEIGHTS_KEY_FILE_EXPOSED[\s\S]*chmod 600/)
    const again = await weights('seal', input, '--out', fresh(), '--new-key', key)
    expect(again.exit).toBe(2)
    expect(again.stderr).toContain(`--key ${key} goes on`)
  })

  it('takes no key that would go where the model goes', async () => {
    const out = fresh()
    for (const [args, where] of [
      [['seal', input, '--out', out, '--new-key', join(input, 'k.jwk')], input],
      [['seal', input, '--out', out, '--new-key', join(out, 'k.jwk')], out],
      [['rewrap', sealed, '--key', key, '--new-key', join(sealed, 'k.jwk')], sealed],
    ] as const) {
      const ran = await weights(...args)
      expect(ran).toMatchObject({ exit: 2, stdout: '' })
      expect(ran.stderr).toContain(`lies in ${where}, and would go wherever that goes`)
    }
    expect(existsSync(out)).toBe(false)
  })

  it.each(['SIGINT', 'SIGTERM'] as const)('leaves nothing in the clear when %s ends it', async (signal) => {
    const [from, large, out] = [folderOf({ 'a.bin': '' }), fresh('large'), fresh('interrupted')]
    // Sparse, and too long to be opened before the signal.
    truncateSync(join(from, 'a.bin'), 2 ** 31)
    expect(await weights('seal', from, '--out', large, '--key', key)).toMatchObject({ exit: 0 })
    const child = started(['weights', 'open', large, '--out', out, '--key', key])
    const ended = new Promise((resolve) => child.on('close', (_, by) => resolve(by)))
    const unfinished = () => (existsSync(out) ? readdirSync(out).filter((name) => name.endsWith('-unfinished')) : [])
    await vi.waitFor(() => expect(unfinished().some((name) => name.startsWith('.a.bin'))).toBe(true), 30_000)
    child.kill(signal)
    expect(await ended).toBe(signal)
    expect(unfinished()).toEqual([])
    rmSync(large, { recursive: true })
  })

  it('keeps no new key where it sealed nothing', async () => {
    const unused = fresh('unused')
    const bad = folderOf({ 'm.safetensors': 'x' })
    expect(await weights('seal', bad, '--out', fresh(), '--new-key', unused)).toMatchObject({ exit: 1 })
    expect(existsSync(unused)).toBe(false)
  })

  it.each([
    ['no key', ['seal', 'IN', '--out', 'x']],
    ['two keys', ['seal', 'IN', '--out', 'x', '--key', 'a', '--new-key', 'b']],
    ['no output', ['seal', 'IN', '--key', 'a']],
    ['no input', ['seal', '/no/such/model', '--out', 'x', '--key', 'KEY']],
    ['a broker without TLS', ['seal', 'IN', '--out', 'x', '--key', 'KEY', '--broker', 'http://x.example']],
    ['a policy that is none', ['seal', 'IN', '--out', 'x', '--key', 'KEY', '--policy', '/no/such']],
    ['a key file that is not there', ['open', 'IN', '--out', 'x', '--key', '/no/such']],
    ['no new key', ['rewrap', 'IN', '--key', 'KEY']],
    ['no command', []],
  ])('says how it is used: %s', async (_, args) => {
    const ran = await weights(...args.map((arg) => (arg === 'IN' ? input : arg === 'KEY' ? key : arg)))
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).not.toContain('internal error')
  })
})

describe('the progress line', () => {
  it('has share, amounts, rate and time that remains', () => {
    const progress = { path: 'a\u001b.bin', bytesDone: 512 * 2 ** 20, bytesTotal: 20 * 2 ** 30 }
    expect(progressLine('sealing', progress, 2)).toBe(
      'sealing [#.......................] 2 %  512.0 MiB of 20.0 GiB  256.0 MiB/s  1:18 left  a\\u{1b}.bin',
    )
    expect(progressLine('sealing', { path: 'a', bytesDone: 0, bytesTotal: 0 }, 0)).toContain('100 %')
    expect(progressLine('sealing', { path: 'a', bytesDone: 1, bytesTotal: 10_000 }, 1)).toContain('2:46:39 left')
  })
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [5 * 2 ** 40, '5.0 TiB'],
  ])('writes %d as %s', (bytes, text) => {
    expect(sizeText(bytes)).toBe(text)
  })
})
