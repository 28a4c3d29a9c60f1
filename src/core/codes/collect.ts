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
    title: 'The folder of configfs-tsm is there, but no driver has registered to make reports.',
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
  COLLECT_FFI_ABSENT: {
    verdict: 'inconclusive',
    title: 'Native libraries cannot be called, because the package koffi is not installed.',
    hint: 'Run npm install koffi beside vouchsafe. It is optional, so that machines that only judge evidence do without.',
  },
  // NVIDIA GPUs, by way of NVML.
  COLLECT_NVML_LIBRARY_ABSENT: {
    verdict: 'inconclusive',
    title: 'The management library of the NVIDIA driver is not on this machine.',
    hint: 'Install it with the driver: Debian package libnvidia-ml1, or libnvidia-compute-NNN on Ubuntu, in the same version as the kernel driver. Containers get it from the NVIDIA container toolkit.',
  },
  COLLECT_NVML_DRIVER_NOT_LOADED: {
    verdict: 'inconclusive',
    title: 'The kernel driver of the NVIDIA GPU is not loaded.',
    hint: 'Run modprobe nvidia in the machine that owns the GPU and read dmesg for why it did not load. On a host that passes the GPU through to a VM this is as it should be: ask inside the VM.',
  },
  COLLECT_NVML_VERSION_MISMATCH: {
    verdict: 'inconclusive',
    title: 'The NVIDIA library and the kernel driver have different versions.',
    hint: 'The driver was updated under a running system: reload the nvidia modules or reboot. In a container mount the library of the host driver.',
  },
  COLLECT_NVML_PERMISSION: {
    verdict: 'inconclusive',
    title: 'This user or container may not talk to the GPU.',
    hint: 'Run as root, and give the container the nodes /dev/nvidiactl and /dev/nvidia0 onward, one for each GPU of the lease.',
  },
  COLLECT_NVML_NO_GPU: {
    verdict: 'inconclusive',
    title: 'The NVIDIA driver sees no GPU.',
    hint: 'Check with lspci that the GPU is passed into this VM and bound to the nvidia driver rather than vfio-pci. In a container create its device nodes.',
  },
  COLLECT_NVML_NOT_SUPPORTED: {
    verdict: 'inconclusive',
    title: 'The GPU or its driver does not support what was asked of it.',
    hint: 'Confidential computing needs Hopper or newer with a driver of 550.90.07 or later, and confidential mode on. The finding names the call that was refused.',
  },
  COLLECT_NVML_OUTDATED: {
    verdict: 'inconclusive',
    title: 'The NVIDIA library is too old for this question.',
    hint: 'Install a driver of 550.90.07 or later, of a version for which NVIDIA publishes reference manifests.',
  },
  COLLECT_NVML_BUSY: {
    verdict: 'inconclusive',
    title: 'The GPU or its driver has no time or memory for this question now.',
    hint: 'Collect again in a minute. If it stays so, look for a process that holds the GPU with nvidia-smi, and for Xid messages in dmesg.',
  },
  COLLECT_NVML_FAILED: {
    verdict: 'inconclusive',
    title: 'NVML reports an error that has no remedy of its own.',
    hint: 'Look for Xid messages of the GPU in dmesg, then reload the driver or reboot the VM. Where a report is refused in confidential mode, power-cycle the host: a warm reboot is not enough.',
  },
  COLLECT_NVML_ANSWER_INVALID: {
    verdict: 'inconclusive',
    title: 'The answer of the NVIDIA driver is not what its interface promises.',
    hint: 'Library and driver do not fit together: install both from one release of NVIDIA, and make sure that no other library of that name comes first.',
  },
  COLLECT_GPU_UNUSABLE: {
    verdict: 'inconclusive',
    title: 'The GPU is lost, without power, or damaged.',
    hint: 'Power-cycle the host, check the power cables of the GPU, and look for Xid 79 in dmesg. If it comes again, the GPU has to be replaced.',
  },
  COLLECT_GPU_RESET_NEEDED: {
    verdict: 'inconclusive',
    title: 'The GPU needs a reset before it answers.',
    hint: 'Stop what uses the GPU and run nvidia-smi --gpu-reset in the machine that owns it. Under passthrough restart the VM; after a change of the confidential mode power-cycle the host.',
  },
  COLLECT_GPU_CC_OFF: {
    verdict: 'inconclusive',
    title: 'Confidential mode of the GPU is off, so it makes no report.',
    hint: 'On the host run nvidia_gpu_tools.py --set-cc-mode=on --reset-after-cc-mode-switch, or set the node label nvidia.com/cc.mode=on, and start the VM anew. Then nvidia-smi conf-compute -f in the guest says ON.',
  },
  COLLECT_GPU_DEVTOOLS: {
    verdict: 'reject',
    title: 'The GPU is in DevTools mode, in which its memory is not protected.',
    hint: 'On the host run nvidia_gpu_tools.py --set-cc-mode=on --reset-after-cc-mode-switch, start the VM anew and collect again.',
  },
  COLLECT_GPU_SIMULATED: {
    verdict: 'reject',
    title: 'The GPU runs in a simulated confidential environment.',
    hint: 'Use production hardware and a production driver: evidence of a simulation rests on keys that no tenant trusts.',
  },
  // TPM 2.0, by way of tpm2-tss.
  COLLECT_TPM_LIBRARY_ABSENT: {
    verdict: 'inconclusive',
    title: 'A library of tpm2-tss is not on this machine.',
    hint: 'Run apt-get install libtss2-esys-3.0.2-0 libtss2-mu0 libtss2-tctildr0 libtss2-tcti-device0, or tpm2-tss on other distributions.',
  },
  COLLECT_TPM_UNREACHABLE: {
    verdict: 'inconclusive',
    title: 'The TPM cannot be reached.',
    hint: 'Check that /dev/tpmrm0 exists and that this user may open it (root, or a member of the group tss). A VM needs a vTPM in its definition, and a container the device node.',
  },
  COLLECT_TPM_FAILED: {
    verdict: 'inconclusive',
    title: 'The TPM or its library refuses a command.',
    hint: 'The finding names the layer and the code, which tpm2_rc_decode explains. Collect again; where it stays, reboot the machine, which resets the TPM.',
  },
  COLLECT_TPM_LOCKED_OUT: {
    verdict: 'inconclusive',
    title: 'The TPM is locked after too many wrong authorisations.',
    hint: 'Wait for its recovery time, or run tpm2_dictionarylockout --clear-lockout with the lockout authorisation. Then find out what guesses passwords.',
  },
  COLLECT_TPM_AUTHORISATION_REFUSED: {
    verdict: 'inconclusive',
    title: 'The TPM does not accept the empty authorisation.',
    hint: 'Somebody took the owner or endorsement hierarchy, or protects this index. Clear that authorisation with tpm2_changeauth, or collect with a TPM that is left as the platform made it.',
  },
  COLLECT_TPM_OUT_OF_MEMORY: {
    verdict: 'inconclusive',
    title: 'The TPM has no room for another key or session.',
    hint: 'Use the resource manager of the kernel, /dev/tpmrm0, rather than /dev/tpm0. What is left over goes away with tpm2_flushcontext --transient-object and --loaded-session.',
  },
  COLLECT_TPM_NV_ABSENT: {
    verdict: 'inconclusive',
    title: 'The TPM has nothing at this NV index.',
    hint: 'Check what the platform keeps there with tpm2_getcap handles-nv-index. The indexes of Azure exist in its confidential VMs alone, and a certificate of the endorsement key only where the manufacturer put one.',
  },
  COLLECT_TPM_KEY_ABSENT: {
    verdict: 'inconclusive',
    title: 'The TPM has no key at this persistent handle.',
    hint: 'Check with tpm2_getcap handles-persistent. The attestation key 0x81000003 exists in confidential VMs of Azure alone; elsewhere create one.',
  },
  COLLECT_TPM_PCR_ABSENT: {
    verdict: 'inconclusive',
    title: 'The TPM does not keep these registers in this bank.',
    hint: 'Name a bank that is allocated, which tpm2_getcap pcrs shows; sha256 is in use nearly everywhere. tpm2_pcr_allocate changes it at the next reboot.',
  },
  COLLECT_TPM_CREDENTIAL_REFUSED: {
    verdict: 'inconclusive',
    title: 'The credential was made for another key or another TPM.',
    hint: 'Send the verifier the public areas of the endorsement and the attestation key that are loaded now, and ask for a new credential. A TPM that was cleared has new keys.',
  },
  COLLECT_EVENT_LOG_UNREADABLE: {
    verdict: 'inconclusive',
    title: 'The event log of the firmware cannot be read.',
    hint: 'Mount securityfs (mount -t securityfs none /sys/kernel/security) and read as root. Firmware without a TPM driver in the kernel shows no log.',
  },
  // Sources that make whole documents.
  COLLECT_SIDECAR_UNREACHABLE: {
    verdict: 'inconclusive',
    title: 'The attestation sidecar does not answer at this address.',
    hint: 'Check that the pod runs, that its sidecar listens on port 8790, and that the network policy lets this machine in. A sidecar that accepts and stays silent usually hangs on the driver of a GPU.',
  },
  COLLECT_SIDECAR_CERTIFICATE_MISMATCH: {
    verdict: 'reject',
    title: 'The sidecar shows another TLS certificate than the one that was named.',
    hint: 'A sidecar makes a new key at each start: take the fingerprint again from inside the pod. If it did not restart, somebody stands in between.',
  },
  COLLECT_SIDECAR_ANSWER_UNUSABLE: {
    verdict: 'inconclusive',
    title: 'What answers at the address of the sidecar gives no quote response.',
    hint: 'The finding says what came back. Check the address: the path is /quote on port 8790, and the sidecar of AEP-83 answers in JSON.',
  },
  COLLECT_SAVED_UNREADABLE: {
    verdict: 'inconclusive',
    title: 'The file of saved evidence cannot be read.',
    hint: 'Check the path and the permissions of the file. Evidence has at most one megabyte.',
  },
} as const satisfies CodeTable
