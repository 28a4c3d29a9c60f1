import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { concatBytes, utf8 } from '../../../src/core/bytes.ts'
import type { MachineDevice } from '../../../src/testing/index.ts'
import { command } from '../../support/tools.ts'

export const GCC = command('gcc', 'gcc')

/** The library of `recorded.c` for the whole file; `old` has not the calls that drivers before 550 lack. */
export function recordedLibrary(flavour: 'new' | 'old' = 'new'): string {
  const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-nvml-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const library = join(folder, 'libnvidia-ml.so.1')
  const define = flavour === 'old' ? ['-DOLD_DRIVER'] : []
  const compiled = spawnSync(
    'gcc',
    ['-shared', '-fPIC', '-O1', ...define, '-o', library, join(import.meta.dirname, 'recorded.c')],
    { encoding: 'utf8' },
  )
  if (compiled.status !== 0) throw new Error(compiled.stderr)
  return library
}

export type Answers = Readonly<Record<string, { readonly returns: number; readonly bytes?: Uint8Array }>>

export const u32s = (...values: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer)
const good = (bytes?: Uint8Array) => ({ returns: 0, ...(bytes === undefined ? {} : { bytes }) })

const padded = (bytes: Uint8Array, size: number): Uint8Array => concatBytes(bytes, new Uint8Array(size - bytes.length))

/** nvmlConfComputeGpuAttestationReport_t as the driver fills it. */
export const reportStructure = (report: Uint8Array, size = report.length): Uint8Array =>
  concatBytes(u32s(0, size, 0), report.slice(4, 36), padded(report, 0x2000), new Uint8Array(0x1000))

/** nvmlConfComputeGpuCertificate_t as the driver fills it. */
export const certificateStructure = (chain: Uint8Array, size = chain.length): Uint8Array =>
  concatBytes(u32s(0, size), new Uint8Array(0x1000), padded(chain, 0x1400))

/** A system in confidential mode with these GPUs. */
export function answersOf(gpus: readonly MachineDevice[]): Answers {
  return {
    nvmlInit_v2: good(),
    nvmlShutdown: good(),
    nvmlDeviceGetCount_v2: good(u32s(gpus.length)),
    nvmlSystemGetDriverVersion: good(utf8('580.159.03')),
    nvmlSystemGetConfComputeSettings: good(u32s(0, 2, 1, 0, 0)),
    nvmlSystemGetConfComputeCapabilities: good(u32s(3, 1)),
    nvmlSystemGetConfComputeGpusReadyState: good(u32s(1)),
    ...Object.fromEntries(
      gpus.flatMap((gpu, i) => [
        [`nvmlDeviceGetHandleByIndex_v2.${i}`, good()],
        [`nvmlDeviceGetName.${i}`, good(utf8('NVIDIA H100 80GB HBM3'))],
        [`nvmlDeviceGetUUID.${i}`, good(utf8(`GPU-00000000-0000-0000-0000-00000000000${i}`))],
        [`nvmlDeviceGetVbiosVersion.${i}`, good(utf8('96.00.FE.00.01'))],
        [`nvmlDeviceGetArchitecture.${i}`, good(u32s(9))],
        [`nvmlDeviceGetConfComputeGpuAttestationReport.${i}`, good(reportStructure(gpu.report))],
        [`nvmlDeviceGetConfComputeGpuCertificate.${i}`, good(certificateStructure(utf8(`${gpu.chainPem}\0`)))],
      ]),
    ),
  }
}

/** Puts the answers where the library looks for them. Its environment is the process's own. */
export function record(answers: Answers): void {
  const folder = mkdtempSync(join(tmpdir(), 'vouchsafe-recorded-'))
  mkdirSync(folder, { recursive: true })
  for (const [call, { returns, bytes = new Uint8Array() }] of Object.entries(answers))
    writeFileSync(join(folder, call), concatBytes(utf8(`${returns}\n`), bytes))
  process.env.NVML_RECORDED = folder
  folders.push(folder)
}

const folders: string[] = []
export const forgetRecordings = (): void => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}
