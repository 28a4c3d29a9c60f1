import type { CodeTable } from './entry.ts'

export const COLLECT_CODES = {
  // Collectors: evidence that a machine cannot make, or that tenants would refuse. Every hint is for whoever runs the machine.
  COLLECT_CPU_TEE_ABSENT: {
    verdict: 'inconclusive',
    title: 'This machine shows no sign of being a confidential guest.',
    hint: 'Run this inside the confidential VM, not on its host. If it is one, load the driver with modprobe sev-guest or modprobe tdx_guest, and start containers with the device node passed in.',
  },
  COLLECT_CONFIGFS_NOT_MOUNTED: {
    verdict: 'inconclusive',
    title: 'The guest has a TEE driver, but configfs is not mounted.',
    hint: 'Run mount -t configfs none /sys/kernel/config in the guest, and pass that folder into the container that collects.',
  },
  COLLECT_TSM_ABSENT: {
    verdict: 'inconclusive',
    title: 'The guest has an SEV driver, but its kernel offers no reports through configfs-tsm.',
    hint: 'Use a guest kernel of 6.7 or later with CONFIG_TSM_REPORTS and run modprobe sev-guest. The device node alone is not used.',
  },
  COLLECT_TDREPORT_ONLY: {
    verdict: 'inconclusive',
    title: 'The guest could make a local TDREPORT only, which nobody outside the machine can check.',
    hint: 'Use a guest kernel of 6.7 or later with CONFIG_TSM_REPORTS and run modprobe tdx_guest. On the host run qgsd and let the guest reach it (vsock port 4050), so that the TDREPORT becomes a quote.',
  },
  COLLECT_TSM_PROVIDER_ABSENT: {
    verdict: 'inconclusive',
    title: 'configfs-tsm is there, but no driver has registered to make reports.',
    hint: 'Run modprobe sev-guest or modprobe tdx_guest in the guest and read dmesg for why it did not load. A VM that was started without SEV-SNP or TDX never has one.',
  },
  COLLECT_TSM_PERMISSION: {
    verdict: 'inconclusive',
    title: 'This user may not use configfs-tsm.',
    hint: 'Collect as root in the guest. A container needs /sys/kernel/config mounted writable.',
  },
  COLLECT_TSM_BUSY: {
    verdict: 'inconclusive',
    title: 'The kernel refuses further writes into a report entry.',
    hint: 'Another program writes into the entries of this one without reading them. Find it with lsof /sys/kernel/config/tsm/report, stop it, and collect again.',
  },
  COLLECT_TSM_GENERATION_CHANGED: {
    verdict: 'inconclusive',
    title:
      'The report entry was written by somebody else, or not written at all, so its report answers another question.',
    hint: 'No other program may write into the entries of this one: find it with lsof /sys/kernel/config/tsm/report and stop it. Where there is none, the kernel dropped the write, and dmesg says why.',
  },
  COLLECT_TSM_REPORT_FAILED: {
    verdict: 'inconclusive',
    title: 'The kernel could not get a report from the hardware.',
    hint: 'Read dmesg in the guest. On TDX check that qgsd runs on the host and that the guest reaches it (vsock port 4050); on SEV-SNP the host may be limiting requests, so wait a minute and collect again.',
  },
  COLLECT_TSM_PROVIDER_UNKNOWN: {
    verdict: 'inconclusive',
    title: 'The reports of this kernel come from a provider that is not judged.',
    hint: 'Providers sev_guest and tdx_guest are judged. Where the VM runs under a paravisor, collect through its vTPM instead.',
  },
  COLLECT_TSM_REPORT_UNREADABLE: {
    verdict: 'inconclusive',
    title: 'What the kernel gave is not the kind of report that its provider makes.',
    hint: 'Update the guest kernel. On TDX an empty report means that the quote service on the host answered with nothing: restart qgsd and read its log.',
  },
  COLLECT_TSM_ENTRY_LEFT: {
    verdict: 'inconclusive',
    title: 'The report entry could not be removed again.',
    hint: 'Remove the folder that the finding names with rmdir below /sys/kernel/config/tsm/report, as root. Then collect again.',
  },
} as const satisfies CodeTable
