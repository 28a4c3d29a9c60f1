import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type Check, type DoctorOptions, examineHost, type HostReport } from '../../../src/collect/index.ts'
import type { Code } from '../../../src/core/codes.ts'
import { toRfc3339 } from '../../../src/core/time.ts'
import { gpus, NOW } from '../../reject/stage.ts'
import { describeWith } from '../../support/tools.ts'
import { answersOf, forgetRecordings, GCC, record, recordedLibrary, u32s } from '../nvml/recording.ts'
import { forgetTrees, gpuOnBus, SNP_GUEST, SNP_HOST, TDX_HOST, tree } from './trees.ts'

const servers: Server[] = []
afterEach(async () => {
  forgetTrees()
  forgetRecordings()
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))))
})

const examined = (files: Readonly<Record<string, string>>, more: Partial<DoctorOptions> = {}): Promise<HostReport> =>
  examineHost({
    root: tree(files),
    now: NOW,
    builtAt: NOW - 1000,
    offline: true,
    kubeconfig: undefined,
    nvml: undefined,
    ...more,
  })

const wrongOnes = ({ checks }: HostReport): [string, Code][] =>
  checks.flatMap((check): [string, Code][] => (check.state === 'wrong' ? [[check.id, check.fault.code]] : []))
const check = ({ checks }: HostReport, id: string): Check | undefined => checks.find((one) => one.id === id)

const without = (files: Readonly<Record<string, string>>, ...paths: readonly string[]) =>
  Object.fromEntries(Object.entries(files).filter(([path]) => !paths.includes(path)))

describe('examineHost', () => {
  it('finds nothing wrong in a guest that is ready', async () => {
    const report = await examined(SNP_GUEST)
    expect(report).toMatchObject({ role: 'guest', verdict: 'ok' })
    expect(check(report, 'cpu.tee')).toMatchObject({ state: 'ok', seen: 'guest on AMD EPYC 9654, /dev/sev-guest' })
    expect(check(report, 'kernel')).toMatchObject({ seen: '6.8.0-64-generic' })
    expect(check(report, 'reports')).toMatchObject({ seen: '/sys/kernel/config/tsm/report' })
    expect(check(report, 'tpm')).toMatchObject({ seen: '/dev/tpmrm0' })
    expect(check(report, 'vendors')).toMatchObject({ state: 'skipped' })
  })

  it.each([
    ['AMD', SNP_HOST, 'host of AMD SEV-SNP guests'],
    ['Intel', TDX_HOST, 'host of Intel TDX guests'],
  ])('finds nothing wrong on a host of %s that is ready', async (_, files, seen) => {
    const report = await examined({ ...files, ...gpuOnBus('vfio-pci') })
    expect(report).toMatchObject({ role: 'host', verdict: 'ok' })
    expect(check(report, 'cpu.tee')).toMatchObject({ seen })
    expect(check(report, 'gpu')).toMatchObject({ seen: expect.stringContaining('1 on vfio-pci') })
  })

  it.each<[string, Readonly<Record<string, string>>, string, Code]>([
    [
      'an ordinary machine',
      { ...without(SNP_HOST, 'sys/module/kvm_amd/parameters/sev_snp'), 'proc/cpuinfo': '' },
      'cpu.tee',
      'DOCTOR_CPU_TEE_ABSENT',
    ],
    [
      'a host whose BIOS has it off',
      { ...SNP_HOST, 'sys/module/kvm_amd/parameters/sev_snp': 'N\n' },
      'cpu.tee',
      'DOCTOR_TEE_DISABLED',
    ],
    [
      'a host whose KVM does not know it',
      without(SNP_HOST, 'sys/module/kvm_amd/parameters/sev_snp'),
      'cpu.tee',
      'DOCTOR_TEE_DISABLED',
    ],
    ['a host without IOMMU', without(SNP_HOST, 'sys/kernel/iommu_groups/0/'), 'iommu', 'DOCTOR_IOMMU_OFF'],
    [
      'an old guest kernel',
      { ...SNP_GUEST, 'proc/sys/kernel/osrelease': '6.1.0-35-amd64' },
      'kernel',
      'DOCTOR_KERNEL_OLD',
    ],
    [
      'a guest without configfs',
      without(SNP_GUEST, 'sys/kernel/config/tsm/report/'),
      'reports',
      'COLLECT_CONFIGFS_NOT_MOUNTED',
    ],
    [
      'a clock that nobody keeps',
      without(SNP_GUEST, 'run/systemd/timesync/synchronized'),
      'clock.ntp',
      'DOCTOR_CLOCK_UNSYNCHRONISED',
    ],
  ])('in %s', async (_, files, id, code) => {
    const report = await examined(files)
    expect(wrongOnes(report)).toEqual([[id, code]])
    expect(report.verdict).toBe('inconclusive')
  })

  it('takes chrony for a time service', async () => {
    const files = { ...without(SNP_GUEST, 'run/systemd/timesync/synchronized'), 'run/chrony/chronyd.pid': '7' }
    expect((await examined(files)).verdict).toBe('ok')
  })

  it('does not ask the driver of this machine about another root', async () => {
    expect(check(await examined({ ...SNP_GUEST, ...gpuOnBus('nvidia') }), 'gpu')).toMatchObject({ state: 'skipped' })
  })

  it('says that NVML is not there', async () => {
    const report = await examined(SNP_GUEST, { nvml: '/nowhere/libnvidia-ml.so.1' })
    expect(wrongOnes(report)).toEqual([['gpu', 'COLLECT_NVML_LIBRARY_ABSENT']])
  })
})

describeWith([GCC], 'GPUs in the doctor', () => {
  const nvml = recordedLibrary()
  const { gpus: devices } = gpus()

  it('finds nothing wrong in confidential mode', async () => {
    record(answersOf(devices))
    const report = await examined(SNP_GUEST, { nvml })
    expect(wrongOnes(report)).toEqual([])
    expect(check(report, 'gpu')).toMatchObject({ seen: expect.stringContaining('confidential on, DevTools off') })
    expect(check(report, 'gpu.driver')).toMatchObject({ seen: '580.159.03' })
  })

  const text = (value: string) => ({ returns: 0, bytes: new TextEncoder().encode(value) })
  it.each<[string, Parameters<typeof record>[0], string, Code, HostReport['verdict']]>([
    [
      'confidential mode off',
      { nvmlSystemGetConfComputeSettings: { returns: 0, bytes: u32s(0, 2, 0, 0, 0) } },
      'gpu.mode',
      'COLLECT_GPU_CC_OFF',
      'inconclusive',
    ],
    [
      'DevTools mode',
      { nvmlSystemGetConfComputeSettings: { returns: 0, bytes: u32s(0, 2, 1, 1, 0) } },
      'gpu.mode',
      'COLLECT_GPU_DEVTOOLS',
      'reject',
    ],
    ['an old driver', { nvmlSystemGetDriverVersion: text('550.9.1') }, 'gpu.driver', 'DOCTOR_DRIVER_DENIED', 'reject'],
    [
      'a VBIOS known to be bad',
      { 'nvmlDeviceGetVbiosVersion.0': text('96.00.74.00.1c') },
      'gpu-0.vbios',
      'DOCTOR_VBIOS_DENIED',
      'reject',
    ],
  ])('in %s', async (_, answers, id, code, verdict) => {
    record({ ...answersOf(devices), ...answers })
    const report = await examined(SNP_GUEST, { nvml })
    expect(wrongOnes(report)).toEqual([[id, code]])
    expect(report.verdict).toBe(verdict)
  })

  it('takes the limits that a policy sets', async () => {
    record(answersOf(devices))
    const limits = { minDriver: '550', denyDrivers: ['580.159.03'], denyVbios: ['96.00.FE.00.01'] }
    expect(wrongOnes(await examined(SNP_GUEST, { nvml, limits }))).toEqual([
      ['gpu.driver', 'DOCTOR_DRIVER_DENIED'],
      ['gpu-0.vbios', 'DOCTOR_VBIOS_DENIED'],
    ])
  })
})

describe('vendors in the doctor', () => {
  /** A service that answers with this Date, whatever it is asked. */
  async function service(seconds: number): Promise<{ id: string; url: string }> {
    const server = createServer((_, response) => {
      response.sendDate = false
      response.writeHead(404, { Date: new Date(seconds * 1000).toUTCString() }).end()
    })
    servers.push(server)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    return { id: `at-${toRfc3339(seconds)}`, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }
  }
  const online = (vendors: DoctorOptions['vendors']) =>
    examined(SNP_GUEST, { offline: false, ...(vendors === undefined ? {} : { vendors }) })

  it('compares the clock with theirs, whatever else they answer', async () => {
    const report = await online([await service(NOW + 20)])
    expect(report.verdict).toBe('ok')
    expect(check(report, 'clock')).toMatchObject({ seen: 'agrees with 1 vendors' })
    expect(wrongOnes(await online([await service(NOW + 3600)]))).toEqual([['clock', 'CLOCK_SOURCES_DISAGREE']])
  })

  it('names the one that does not answer', async () => {
    const { url } = await service(NOW)
    await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))))
    const report = await online([{ id: 'nobody', url }])
    expect(wrongOnes(report)).toEqual([['vendor.nobody', 'DOCTOR_VENDOR_UNREACHABLE']])
    expect(check(report, 'vendor.nobody')).toMatchObject({
      fault: { path: url, actual: 'ECONNREFUSED' },
    })
  })
})
