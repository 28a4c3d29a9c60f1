import { fault } from '../../core/outcome.ts'
import { compareVersions } from '../../policy/versions.ts'
import { guestNodes } from '../tsm/absence.ts'
import { tsmCollector } from '../tsm/collector.ts'
import { type Check, good, skipped, wrong } from './check.ts'
import type { HostFiles } from './files.ts'

/** What the machine is to confidential computing. */
export type HostRole = 'guest' | 'host' | 'neither'

interface Cpu {
  readonly flags: ReadonlySet<string>
  readonly model: string
}

async function cpuOf(files: HostFiles): Promise<Cpu> {
  const info = (await files.text('/proc/cpuinfo')) ?? ''
  const line = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(info)?.[1] ?? ''
  return { flags: new Set(line('flags').split(' ')), model: line('model name') || 'a CPU that does not say its name' }
}

/** KVM's switches for guests of each technology, where the CPU has it. */
const TECHNOLOGIES = [
  { name: 'AMD SEV-SNP', hostFlag: 'sev_snp', parameter: '/sys/module/kvm_amd/parameters/sev_snp' },
  { name: 'Intel TDX', hostFlag: 'tdx_host_platform', parameter: '/sys/module/kvm_intel/parameters/tdx' },
] as const

const FIRST_KERNEL_WITH_TSM = '6.7'

/** CPU, kernel, reports and IOMMU: as a confidential guest, or as the host of some. */
export async function checkCpu(files: HostFiles): Promise<{ role: HostRole; checks: readonly Check[] }> {
  const cpu = await cpuOf(files)
  const isGuest = (await guestNodes(files.root)).length > 0 || cpu.flags.has('tdx_guest')
  if (isGuest) return { role: 'guest', checks: await guestChecks(files, cpu) }
  for (const technology of TECHNOLOGIES) {
    const enabled = await files.text(technology.parameter)
    if (enabled !== undefined && !cpu.flags.has('hypervisor'))
      return { role: 'host', checks: await hostChecks(files, technology, /^[Y1]$/.test(enabled)) }
  }
  const has = TECHNOLOGIES.find(({ hostFlag }) => cpu.flags.has(hostFlag))
  if (has !== undefined) return { role: 'host', checks: await hostChecks(files, has, false) }
  const missing = fault('DOCTOR_CPU_TEE_ABSENT', '/proc/cpuinfo', {
    expected: 'flags sev_snp or tdx_host_platform on a host; /dev/sev-guest or /dev/tdx_guest in a guest',
    actual: `${cpu.model}${cpu.flags.has('hypervisor') ? ', in an ordinary VM' : ''}`,
  })
  return { role: 'neither', checks: [wrong('cpu.tee', missing)] }
}

async function guestChecks(files: HostFiles, { model }: Cpu): Promise<Check[]> {
  const { faults, facts } = await tsmCollector({ root: files.root }).probe()
  const release = await files.text('/proc/sys/kernel/osrelease')
  const version = /^[0-9]+(\.[0-9]+)*/.exec(release ?? '')?.[0]
  const isOld = version !== undefined && (compareVersions(version, FIRST_KERNEL_WITH_TSM) ?? 0) < 0
  const [why] = faults
  return [
    good('cpu.tee', `guest on ${model}${facts.nodes === undefined ? '' : `, ${facts.nodes}`}`),
    isOld
      ? wrong(
          'kernel',
          fault('DOCTOR_KERNEL_OLD', '/proc/sys/kernel/osrelease', {
            expected: `${FIRST_KERNEL_WITH_TSM} or later`,
            actual: release ?? '',
          }),
        )
      : version === undefined
        ? skipped('kernel', 'the kernel does not say its release')
        : good('kernel', release ?? ''),
    why === undefined ? good('reports', facts.reports ?? '') : wrong('reports', why),
  ]
}

async function hostChecks(
  files: HostFiles,
  { name, parameter }: (typeof TECHNOLOGIES)[number],
  isEnabled: boolean,
): Promise<Check[]> {
  const groups = (await files.names('/sys/kernel/iommu_groups')).length
  return [
    isEnabled
      ? good('cpu.tee', `host of ${name} guests`)
      : wrong(
          'cpu.tee',
          fault('DOCTOR_TEE_DISABLED', parameter, {
            expected: `${name} enabled`,
            actual: (await files.text(parameter)) ?? 'absent',
          }),
        ),
    groups > 0
      ? good('iommu', `${groups} groups`)
      : wrong(
          'iommu',
          fault('DOCTOR_IOMMU_OFF', '/sys/kernel/iommu_groups', { expected: 'at least one group', actual: 0 }),
        ),
  ]
}

/** A TPM is needed where the evidence comes from one, on Azure and on Google; elsewhere its absence is no fault. */
export async function checkTpm(files: HostFiles): Promise<Check> {
  for (const node of ['/dev/tpmrm0', '/dev/tpm0']) if (await files.isThere(node)) return good('tpm', node)
  return skipped('tpm', 'there is none, and only evidence of a vTPM needs one')
}
