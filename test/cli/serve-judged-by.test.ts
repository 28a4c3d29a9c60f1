import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { NO_COLLATERAL } from '../../src/attestation/collateral.ts'
import { CurrentJudgedBy, type JudgedBy, readJudgedBy } from '../../src/cli/serve/judged-by.ts'
import { referenceValue } from '../reject/signer.ts'
import { scratchFolder, vouchsafe } from './run.ts'

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const read = (epoch: number, value = 'first'): JudgedBy => ({
  collateral: { ...NO_COLLATERAL },
  epoch,
  referenceValues: [value],
})

/** Readings that end when the test says so, in whatever order. */
function slowly(first: JudgedBy) {
  const begun: ((read: JudgedBy | Error) => void)[] = []
  const judgedBy = new CurrentJudgedBy(
    first,
    () =>
      new Promise((resolve, reject) => {
        begun.push((what) => (what instanceof Error ? reject(what) : resolve(what)))
      }),
  )
  const next = async (i: number) => {
    while (begun[i] === undefined) await new Promise((resolve) => setImmediate(resolve))
    return begun[i]
  }
  return { judgedBy, begun, next }
}

describe('what a service judges by', () => {
  it('is read by one reading after another, and never replaced by something older', async () => {
    const { judgedBy, begun, next } = slowly(read(17))
    const readings = [judgedBy.reread(), judgedBy.reread(), judgedBy.reread()]
    ;(await next(0))(read(19, 'other'))
    await readings[0]
    expect([judgedBy.current.epoch, judgedBy.current.referenceValues]).toEqual([19, ['first']])
    const second = await next(1)
    expect(begun).toHaveLength(2)
    second(read(18))
    await expect(readings[1]).rejects.toThrow('the collateral is older (18) than what is in use')
    expect(judgedBy.current.epoch).toBe(19)
    ;(await next(2))(read(19))
    await readings[2]
  })

  it('stays where it cannot be read, and may be read again', async () => {
    const { judgedBy, next } = slowly(read(17))
    const failed = judgedBy.reread()
    ;(await next(0))(new Error('no such file'))
    await expect(failed).rejects.toThrow('no such file')
    expect(judgedBy.current.epoch).toBe(17)
    const again = judgedBy.reread()
    ;(await next(1))(read(18))
    await again
    expect(judgedBy.current.epoch).toBe(18)
  })
})

describe('signed reference values', () => {
  const folder = scratchFolder()
  const FOREIGN = referenceValue({}, 'stranger', 'other-team')

  it('of any team are taken in, and are proved by whoever judges by them', async () => {
    const values = [referenceValue(), FOREIGN]
    for (const [i, value] of values.entries()) writeFileSync(join(folder, `${i}.jws`), `${value}\n`)
    expect((await readJudgedBy([], [folder])).referenceValues).toEqual(values)
  })

  it.each([
    ['text', 'hello', 'REFERENCE_VALUE_INVALID'],
    ['nothing', '', 'REFERENCE_VALUE_INVALID'],
    [
      'another statement of the team',
      referenceValue().replace(/^[^.]+/, base64url({ alg: 'ES256', kid: 'image-team', typ: 'JWT' })),
      'REFERENCE_VALUE_INVALID',
    ],
    [
      'a statement of a later version',
      referenceValue({ version: 2 }, 'stranger', 'other-team'),
      'REFERENCE_VALUE_INVALID',
    ],
    ['bytes', Uint8Array.of(0xff, 0xfe), 'UTF8_INVALID'],
  ])('that are %s keep a service from its start, which names the file', async (_, content, code) => {
    const home = join(mkdtempSync(join(folder, 'home-')), 'home')
    expect((await vouchsafe(['serve', '--init', home, '--tenant', 'acme'])).exit).toBe(0)
    const [good, wrong] = [join(home, 'good.jws'), join(home, 'wrong.jws')]
    writeFileSync(good, FOREIGN)
    writeFileSync(wrong, content)
    const config = join(home, 'config.json')
    const referenceValues = [good, wrong]
    writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, 'utf8')), referenceValues }))
    const { exit, stderr } = await vouchsafe(['serve', '--config', config])
    expect([exit, stderr]).toEqual([2, expect.stringContaining('wrong.jws is no signed reference value')])
    expect(stderr).toContain(code)
    expect(stderr).not.toContain('good.jws')
  })
})
