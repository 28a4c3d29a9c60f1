import { describe, expect, test } from 'vitest'
import { CODES } from '../../src/core/codes.ts'
import { vouchsafe, widest } from './run.ts'

describe('vouchsafe codes', () => {
  test('lists every code with its verdict and title', async () => {
    const ran = await vouchsafe(['codes'])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    const lines = ran.stdout.trimEnd().split('\n')
    expect(lines).toHaveLength(Object.keys(CODES).length)
    for (const [i, [code, { verdict, title }]] of Object.entries(CODES).entries()) {
      expect(lines[i]?.split(/ {2,}/)).toEqual([code, verdict, title])
    }
  })

  test('--json is the table', async () => {
    expect(JSON.parse((await vouchsafe(['codes', '--json'])).stdout)).toEqual(CODES)
  })

  test('explains one, whatever its case', async () => {
    const ran = await vouchsafe(['codes', 'snp_vcek_tcb_mismatch'])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(ran.stdout).toMatch(/^SNP_VCEK_TCB_MISMATCH {2}FAIL \(reject\)\n/)
    expect(ran.stdout.replace(/\s+/g, ' ')).toContain(CODES.SNP_VCEK_TCB_MISMATCH.hint)
    expect(widest(ran.stdout)).toBeLessThanOrEqual(100)
    const json = await vouchsafe(['codes', 'SNP_VCEK_TCB_MISMATCH', '--json'])
    expect(JSON.parse(json.stdout)).toEqual({ code: 'SNP_VCEK_TCB_MISMATCH', ...CODES.SNP_VCEK_TCB_MISMATCH })
  })

  test('a code that is none is usage, and what was probably meant is named', async () => {
    const ran = await vouchsafe(['codes', 'VCEK_TCB_MISMATCH'])
    expect(ran).toMatchObject({ exit: 2, stdout: '' })
    expect(ran.stderr).toBe('vouchsafe: no code VCEK_TCB_MISMATCH; do you mean SNP_VCEK_TCB_MISMATCH?\n')
    expect(await vouchsafe(['codes', 'constructor'])).toMatchObject({ exit: 2, stdout: '' })
  })

  test('lists the codes of an area, and finds the one that was mistyped', async () => {
    const area = await vouchsafe(['codes', 'weights', '--json'])
    const wanted = Object.entries(CODES).filter(([name]) => name.startsWith('WEIGHTS_'))
    expect(wanted.length).toBeGreaterThan(20)
    expect(JSON.parse(area.stdout)).toEqual(Object.fromEntries(wanted))
    const near = await vouchsafe(['codes', 'SNP_HOST_REQUESTD'])
    expect(near).toMatchObject({ exit: 2, stdout: '' })
    expect(near.stderr).toBe('vouchsafe: no code SNP_HOST_REQUESTD; do you mean SNP_HOST_REQUESTED?\n')
  })
})
