import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const roots: string[] = []
export const forgetTrees = (): void => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true, force: true })
}

/** A root with these files. A value that begins with `→` is a link; a path that ends in `/` is a folder. */
export function tree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'vouchsafe-root-'))
  roots.push(root)
  for (const [path, content] of Object.entries(files)) {
    const at = join(root, path)
    mkdirSync(path.endsWith('/') ? at : dirname(at), { recursive: true })
    if (content.startsWith('→')) symlinkSync(content.slice(1), at)
    else if (!path.endsWith('/')) writeFileSync(at, content)
  }
  return root
}

const cpuinfo = (model: string, flags: string): string =>
  `processor\t: 0\nmodel name\t: ${model}\nflags\t\t: fpu sme ${flags}\n`

/** What a synchronised machine has. */
const TIME = { 'run/systemd/timesync/synchronized': '' }

export const SNP_GUEST = {
  ...TIME,
  'proc/cpuinfo': cpuinfo('AMD EPYC 9654', 'hypervisor'),
  'proc/sys/kernel/osrelease': '6.8.0-64-generic\n',
  'dev/sev-guest': '',
  'dev/tpmrm0': '',
  'sys/kernel/config/tsm/report/': '',
}

export const SNP_HOST = {
  ...TIME,
  'proc/cpuinfo': cpuinfo('AMD EPYC 9654', 'sev sev_es sev_snp'),
  'sys/module/kvm_amd/parameters/sev_snp': 'Y\n',
  'sys/kernel/iommu_groups/0/': '',
}

export const TDX_HOST = {
  ...TIME,
  'proc/cpuinfo': cpuinfo('INTEL(R) XEON(R) PLATINUM 8570', 'tdx_host_platform'),
  'sys/module/kvm_intel/parameters/tdx': 'Y\n',
  'sys/kernel/iommu_groups/0/': '',
}

/** One H100 on the bus, held by this driver. */
export const gpuOnBus = (driver: string) => ({
  'sys/bus/pci/devices/0000:41:00.0/vendor': '0x10de\n',
  'sys/bus/pci/devices/0000:41:00.0/class': '0x030200\n',
  'sys/bus/pci/devices/0000:41:00.0/driver': `→../../../bus/pci/drivers/${driver}`,
})
