import { afterAll, describe, expect, test } from 'vitest'
import { forgetTrees, SNP_GUEST, tree } from '../collect/host/trees.ts'
import { vouchsafe, widest } from './run.ts'

afterAll(forgetTrees)

/** Every import of koffi fails, as where it is not installed. Node before 22.15 has no hooks in the same thread. */
const REFUSAL = `if (name !== 'koffi') return next(name, context)
throw Object.assign(new Error('no koffi'), { code: 'ERR_MODULE_NOT_FOUND' })`
const WITHOUT_KOFFI = `
import * as modules from 'node:module'
if (modules.registerHooks !== undefined) modules.registerHooks({ resolve: (name, context, next) => { ${REFUSAL} } })
else modules.register('data:text/javascript,' + encodeURIComponent(
  ${JSON.stringify(`export const resolve = async (name, context, next) => { ${REFUSAL} }`)}))`

describe('vouchsafe doctor', () => {
  test('ends with 0 where nothing is wrong', async () => {
    const ran = await vouchsafe(['doctor', '--root', tree(SNP_GUEST), '--offline'])
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    expect(ran.stdout).toContain('This is a confidential guest.')
    expect(ran.stdout).toContain('Nothing stands in the way of evidence.')
    expect(widest(ran.stdout)).toBeLessThanOrEqual(100)
  })

  test('ends with 3 on a machine without TEE and GPU, and says what is missing and what to do', async () => {
    const ran = await vouchsafe(['doctor', '--root', tree({}), '--offline'])
    expect(ran).toMatchObject({ exit: 3, stderr: '' })
    expect(ran.stdout).toContain('DOCTOR_CPU_TEE_ABSENT')
    expect(ran.stdout).toContain('no NVIDIA GPU on the PCI bus of this machine')
    expect(ran.stdout).toContain('remedy')
  })

  test('--json gives each check with code and remedy', async () => {
    const ran = await vouchsafe(['doctor', '--root', tree({}), '--offline', '--json'])
    expect(ran.exit).toBe(3)
    const { format, role, verdict, checks } = JSON.parse(ran.stdout)
    expect({ format, role, verdict }).toEqual({
      format: 'vouchsafe/doctor/1',
      role: 'neither',
      verdict: 'inconclusive',
    })
    expect(checks[0]).toMatchObject({
      id: 'cpu.tee',
      state: 'wrong',
      finding: { code: 'DOCTOR_CPU_TEE_ABSENT', verdict: 'inconclusive', hint: expect.any(String) },
    })
  })

  test('names the npm package where native libraries cannot be called', async () => {
    const ran = await vouchsafe(['doctor', '--root', tree(SNP_GUEST), '--offline', '--json', '--nvml', '/any.so'], {
      before: WITHOUT_KOFFI,
    })
    expect(ran.exit).toBe(3)
    expect(ran.stdout).toContain('COLLECT_FFI_ABSENT')
    expect(ran.stdout).toContain('npm install koffi')
  })

  test('takes limits from a policy, and refuses what is none, like a root that is not there', async () => {
    const root = tree(SNP_GUEST)
    expect((await vouchsafe(['doctor', '--root', root, '--offline', '--policy', 'h100-confidential'])).exit).toBe(0)
    expect((await vouchsafe(['doctor', '--root', root, '--offline', '--policy', '/nowhere'])).exit).toBe(2)
    expect((await vouchsafe(['doctor', '--root', '/nowhere', '--offline'])).exit).toBe(2)
  })
})
