import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { collectEvidence, type Question, tsmCollector } from '../../src/collect/index.ts'
import type { Code } from '../../src/core/codes.ts'
import type { Fault } from '../../src/core/outcome.ts'
import { amdMachine, tdxMachine } from '../../src/testing/index.ts'
import { codesOf, valueIn } from '../core/support.ts'
import { AT, amdAnchors, amdCollateral, cpu, judged, NONCE, SEED } from '../reject/stage.ts'
import { TsmKernel, type TsmProvider, type TsmTrouble } from './tsm-kernel.ts'

const QUESTION: Question = { nonce: NONCE, key: undefined, binding: 'raw' }

const machineAnswering = (reportData: Uint8Array, vmpl = 0) =>
  amdMachine(SEED, { at: AT, report: { reportData, vmpl } })

const SNP: TsmProvider = {
  name: 'sev_guest',
  report: (inblob, privlevel) => machineAnswering(inblob, privlevel).report,
  auxblob: () => cpu().table,
}

const TDX: TsmProvider = {
  name: 'tdx_guest',
  report: (inblob) => tdxMachine(SEED, { at: AT, td: { reportData: inblob } }).quote,
}

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A root with these files, empty ones. */
function rootWith(...paths: readonly string[]): string {
  const root = mkdtempSync(join(tmpdir(), 'vouchsafe-tsm-'))
  folders.push(root)
  for (const path of paths) {
    mkdirSync(join(root, dirname(path)), { recursive: true })
    if (!path.endsWith('/')) writeFileSync(join(root, path), '')
    else mkdirSync(join(root, path), { recursive: true })
  }
  return root
}

describe('tsmCollector', () => {
  it('brings the SNP report with its certificate table, which verify accepts as fresh', async () => {
    const kernel = new TsmKernel(SNP)
    const { bytes, faults } = valueIn(await collectEvidence([tsmCollector({ files: kernel })], QUESTION))
    expect(faults).toEqual([])
    expect(kernel.entries.size).toBe(0)
    const machine = cpu()
    const decision = await judged({
      evidence: bytes,
      collateral: amdCollateral(machine),
      anchors: amdAnchors(machine),
    })
    expect(decision).toMatchObject({ verdict: 'accept', level: 2 })
  })

  it('puts nonce and key into the report as the binding says', async () => {
    const key = new Uint8Array(91).fill(7)
    const asked: Uint8Array[] = []
    const kernel = new TsmKernel({
      ...SNP,
      report: (inblob) => {
        asked.push(inblob)
        return machineAnswering(inblob).report
      },
    })
    const evidence = valueIn(await collectEvidence([tsmCollector({ files: kernel })], { ...QUESTION, key }))
    expect(asked).toHaveLength(1)
    expect(asked[0]).not.toEqual(NONCE)
    const machine = cpu()
    const decision = await judged({
      evidence: evidence.bytes,
      collateral: amdCollateral(machine),
      anchors: amdAnchors(machine),
    })
    expect(decision.verdict).toBe('accept')
  })

  it('brings a TDX quote, with the log where the firmware left one', async () => {
    const root = rootWith('sys/firmware/acpi/tables/data/CCEL')
    const part = valueIn(await tsmCollector({ files: new TsmKernel(TDX), root }).collect(QUESTION, [])).evidence
    expect(part).toMatchObject({
      kind: 'parts',
      parts: [{ id: 'cpu', format: 'intel/tdx-quote', certs: [], eventLog: new Uint8Array() }],
    })
  })

  it('asks for the privilege level that it is told', async () => {
    const levels: number[] = []
    const kernel = new TsmKernel({
      ...SNP,
      report: (inblob, vmpl) => {
        levels.push(vmpl)
        return machineAnswering(inblob, vmpl).report
      },
    })
    expect((await tsmCollector({ files: kernel, privlevel: 2 }).collect(QUESTION, [])).ok).toBe(true)
    expect(levels).toEqual([2])
    expect(() => tsmCollector({ privlevel: 4 })).toThrow(TypeError)
  })

  it('takes a new entry where somebody else wrote into the first, and gives up after three', async () => {
    const twice = new TsmKernel(SNP, { intruders: 2 })
    expect((await tsmCollector({ files: twice }).collect(QUESTION, [])).ok).toBe(true)
    expect([twice.made, twice.entries.size]).toEqual([3, 0])
    const always = new TsmKernel(SNP, { intruders: 99 })
    expect(codesOf(await tsmCollector({ files: always }).collect(QUESTION, []))).toEqual([
      'COLLECT_TSM_GENERATION_CHANGED',
    ])
    expect([always.made, always.entries.size]).toEqual([3, 0])
  })

  it.each<[string, TsmProvider | undefined, TsmTrouble, Code, string | undefined]>([
    ['no driver has registered', undefined, {}, 'COLLECT_TSM_PROVIDER_ABSENT', 'ENXIO'],
    ['mkdir is not permitted', SNP, { fails: { mkdir: 'EACCES' } }, 'COLLECT_TSM_PERMISSION', 'EACCES'],
    ['configfs is mounted read-only', SNP, { fails: { mkdir: 'EROFS' } }, 'COLLECT_TSM_PERMISSION', 'EROFS'],
    ['writes are refused', SNP, { fails: { inblob: 'EBUSY' } }, 'COLLECT_TSM_BUSY', 'EBUSY'],
    ['the write is lost at close', SNP, { dropsInblob: true }, 'COLLECT_TSM_REPORT_FAILED', 'EINVAL'],
    ['the quote service is silent', TDX, { fails: { outblob: 'ETIMEDOUT' } }, 'COLLECT_TSM_REPORT_FAILED', 'ETIMEDOUT'],
    ['auxblob fails', SNP, { fails: { auxblob: 'EIO' } }, 'COLLECT_TSM_REPORT_FAILED', 'EIO'],
    ['the entry stays', SNP, { fails: { rmdir: 'EBUSY' } }, 'COLLECT_TSM_ENTRY_LEFT', 'EBUSY'],
    ['another provider', { ...SNP, name: 'arm_cca_guest' }, {}, 'COLLECT_TSM_PROVIDER_UNKNOWN', 'arm_cca_guest'],
    ['an empty report', { ...TDX, report: () => new Uint8Array() }, {}, 'COLLECT_TSM_REPORT_UNREADABLE', 'nothing'],
    ['a report of another kind', { ...SNP, name: 'tdx_guest' }, {}, 'COLLECT_TSM_REPORT_UNREADABLE', 'amd/snp-report'],
  ])('where %s', async (_, provider, trouble, code, actual) => {
    const kernel = new TsmKernel(provider, trouble)
    const outcome = await tsmCollector({ files: kernel }).collect(QUESTION, [])
    expect(codesOf(outcome)).toEqual([code])
    expect(outcome.ok ? undefined : outcome.faults[0].actual).toBe(actual)
    if (trouble.fails?.rmdir === undefined) expect(kernel.entries.size).toBe(0)
  })

  it('hides no mistake of ours, and removes the entry all the same', async () => {
    const kernel = new TsmKernel({
      ...SNP,
      report: () => {
        throw new TypeError('ours')
      },
    })
    await expect(tsmCollector({ files: kernel }).collect(QUESTION, [])).rejects.toThrow('ours')
    expect(kernel.entries.size).toBe(0)
  })

  it.each<[string, readonly string[], Code]>([
    ['nothing', [], 'COLLECT_CPU_TEE_ABSENT'],
    ['a driver without configfs', ['dev/sev-guest'], 'COLLECT_CONFIGFS_NOT_MOUNTED'],
    [
      'the folder of configfs, and no mount on it',
      ['dev/sev-guest', 'sys/kernel/config/', 'proc/mounts'],
      'COLLECT_CONFIGFS_NOT_MOUNTED',
    ],
    ['sev-guest without tsm', ['dev/sev-guest', 'sys/kernel/config/'], 'COLLECT_TSM_ABSENT'],
    ['tdx_guest alone', ['dev/tdx_guest', 'sys/kernel/config/'], 'COLLECT_TDREPORT_ONLY'],
  ])('says what is missing where the guest has %s', async (_, paths, code) => {
    const collector = tsmCollector({ root: rootWith(...paths) })
    expect((await collector.probe()).faults.map((f: Fault) => f.code)).toEqual([code])
    expect(codesOf(await collector.collect(QUESTION, []))).toEqual([code])
  })

  it('reads a real folder; one that is no configfs answers nothing', async () => {
    const collector = tsmCollector({ root: rootWith('dev/sev-guest', 'sys/kernel/config/tsm/report/') })
    expect(await collector.probe()).toEqual({
      faults: [],
      facts: { nodes: '/dev/sev-guest', reports: '/sys/kernel/config/tsm/report' },
    })
    expect(codesOf(await collector.collect(QUESTION, []))).toEqual(['COLLECT_TSM_REPORT_FAILED'])
  })
})
