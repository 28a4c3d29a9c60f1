import type { Code } from '../core/codes.ts'
import type { NonEmpty } from '../core/outcome.ts'

/** What operators see, and what to try, the likeliest cause first. The remedy of the code itself stands in the table of codes. */
export interface Symptom {
  readonly seen: string
  readonly tryInOrder: NonEmpty<string>
}

const COLLECT_AGAIN = 'collect again with vouchsafe selftest'
const POWER_CYCLE = 'cold power cycle of the host; a warm reboot is not enough'

/** Well-known troubles of confidential machines, by the code under which the self-test meets them. */
export const SYMPTOMS: Readonly<Partial<Record<Code, Symptom>>> = {
  // What comes instead of evidence.
  ENV_MOCK_EVIDENCE: {
    seen: 'The report begins with MOCK or MGPU: the attestation agent runs without hardware.',
    tryInOrder: [
      'remove --attestation-mock from the provider and restart it',
      'look for a test image of the sidecar',
      COLLECT_AGAIN,
    ],
  },
  ENV_TDREPORT_NOT_QUOTE: {
    seen: 'A TDREPORT of 1024 bytes came: the guest has /dev/tdx_guest, and nobody made a quote of it.',
    tryInOrder: [
      'mount configfs in the guest and use a kernel of 6.7 or later',
      'start qgsd on the host',
      'check that the guest reaches vsock port 4050',
    ],
  },
  ENV_KIND_WEAKER_THAN_ORDER: {
    seen: 'A GPU lease is answered with CPU evidence alone.',
    tryInOrder: [
      'sidecar log: "gpu attestation not available"',
      'label nvidia.com/cc.mode.state of the node is not on',
      'runtime class of the pod without nvidia in its name',
    ],
  },
  ENV_KIND_MISMATCH: {
    seen: 'The label of the platform and what was sent do not fit.',
    tryInOrder: [
      'sidecar and provider of different versions: update both',
      'node label of another platform: doctor --kubeconfig',
      COLLECT_AGAIN,
    ],
  },
  ENV_ITEM_DUPLICATE: {
    seen: 'Two CPU reports, or one id twice.',
    tryInOrder: ['the collector joined answers of two machines: collect each by itself', COLLECT_AGAIN],
  },

  // GPUs.
  GPU_COUNT_ZERO: {
    seen: 'No GPU evidence at all.',
    tryInOrder: [
      'sidecar log: "gpu attestation not available"',
      'confidential mode off: nvidia-smi conf-compute -f',
      'the GPU is not passed into the guest: lspci there',
      'runtime class without nvidia in its name',
    ],
  },
  GPU_COUNT_MISMATCH: {
    seen: 'Fewer or more GPUs answered than the lease has.',
    tryInOrder: [
      'the sidecar made only /dev/nvidia0: add the other device nodes',
      'a GPU fell off the bus: dmesg for Xid, then reset it',
      'the lease counts other GPUs than the guest has: --gpus',
    ],
  },
  GPU_NOT_DISTINCT: {
    seen: 'One GPU answered twice.',
    tryInOrder: [
      'the collector asked index 0 for every device',
      'two services of the pod share one GPU',
      COLLECT_AGAIN,
    ],
  },
  GPU_MEASUREMENT_MISMATCH: {
    seen: 'Firmware of the GPU differs from the manifests of NVIDIA. Index 9 is known after warm reboots of a passed-through H100, index 52 after toggling confidential mode.',
    tryInOrder: [
      POWER_CYCLE,
      'check that the VBIOS is not 96.00.74.00.1C',
      'driver 580.x of the supported list',
      'nvattest on the same GPU, to compare',
      'keep the evidence and open a ticket with its digest',
    ],
  },
  GPU_RIM_UNAVAILABLE: {
    seen: 'There is no reference manifest for this driver or VBIOS. That is no tampering.',
    tryInOrder: [
      'pass the manifests with --collateral DIR',
      'ask NVIDIA for the manifest by the id in the finding',
      'update the VBIOS, or go back to one that has a manifest',
    ],
  },
  GPU_RIM_CONFLICT: {
    seen: 'Two manifests say different things of one measurement.',
    tryInOrder: [
      'a manifest of the wrong board lies in --collateral: keep the two of this GPU',
      'report the pair to NVIDIA',
    ],
  },
  GPU_TRAILING_BYTES: {
    seen: 'Bytes follow the report, usually the report of the CEC.',
    tryInOrder: [
      'copy the NVML buffer up to the size it returns',
      'update a sidecar that concatenates the two',
      COLLECT_AGAIN,
    ],
  },
  GPU_SPDM_MALFORMED: {
    seen: 'The GPU report breaks off or is mixed up.',
    tryInOrder: [
      'copy the NVML buffer up to the size it returns',
      'update a sidecar that cuts at 8192 bytes',
      COLLECT_AGAIN,
    ],
  },
  GPU_PEM_SPLIT_INVALID: {
    seen: 'Report and certificate chain cannot be told apart.',
    tryInOrder: [
      'the chain was cut at 5120 bytes: use the size that NVML returns',
      'text or a second chain between the certificates',
    ],
  },
  GPU_SIGNATURE_INVALID: {
    seen: 'The report does not fit the chain beside it.',
    tryInOrder: [
      'chains of two GPUs swapped: pair them by index',
      'chain kept from before a reset: collect both anew',
      POWER_CYCLE,
    ],
  },
  GPU_FWID_MISMATCH: {
    seen: 'The firmware that is certified is not the firmware that is measured.',
    tryInOrder: [POWER_CYCLE, 'collect report and chain in one run', 'flash the VBIOS again'],
  },
  GPU_FWID_MISSING: {
    seen: 'The attestation key does not say which firmware it belongs to.',
    tryInOrder: ['driver of 550 or later', 'update the VBIOS', POWER_CYCLE],
  },
  GPU_CERT_CHAIN_MISSING: {
    seen: 'A report came without its certificates.',
    tryInOrder: [
      'the collector asked for the report alone: ask for the certificate too',
      'the chain was dropped on the way',
    ],
  },
  GPU_CERT_REVOKED: {
    seen: 'NVIDIA has revoked a certificate of this GPU.',
    tryInOrder: ['take the GPU out of service', 'ask NVIDIA support with the serial number'],
  },
  GPU_NONCE_MISMATCH: {
    seen: 'The GPU answers another question than the CPU.',
    tryInOrder: [
      'report kept from an earlier challenge: the sidecar caches',
      'nonce longer than 32 bytes cut at the wrong end',
      COLLECT_AGAIN,
    ],
  },
  BIND_SET_NOT_UNIFORM: {
    seen: 'CPU and GPU answer different questions.',
    tryInOrder: [
      'the sidecar keeps the GPU report of an earlier challenge: restart it',
      'nonce longer than 32 bytes cut at the wrong end',
      'two collectors at once',
      COLLECT_AGAIN,
    ],
  },
  GPU_CC_MODE: {
    seen: 'Confidential mode is off, or in DevTools mode.',
    tryInOrder: [
      'nvidia_gpu_tools.py --set-cc-mode=on --reset-after-cc-mode-switch on the host',
      'restart the guest, then nvidia-smi conf-compute -f',
      'label nvidia.com/cc.mode=on where the CC manager runs',
    ],
  },
  GPU_MODE_MIXED: {
    seen: 'The GPUs of one guest are in different modes.',
    tryInOrder: ['set one mode on all with nvidia_gpu_tools.py', 'reset all of them', 'restart the guest'],
  },
  GPU_DRIVER_MIXED: {
    seen: 'The reports name different drivers.',
    tryInOrder: ['collected before and after an update: collect again', 'reports of two machines in one answer'],
  },
  GPU_VERSION_BELOW_MINIMUM: {
    seen: 'Driver or VBIOS older than tenants take.',
    tryInOrder: [
      'newer driver in the guest image',
      'newer VBIOS from the maker of the server',
      'check first that it has a manifest',
    ],
  },
  GPU_NVLINK_NOT_PROTECTED: {
    seen: 'Several Hopper GPUs in one guest: their NVLink is plain text.',
    tryInOrder: [
      'one GPU for each guest',
      'or the whole board with --set-ppcie-mode=on',
      'or tenants that accept plain-nvlink by name',
    ],
  },
  GPU_MODEL_MISMATCH: {
    seen: 'Another GPU than tenants ask for.',
    tryInOrder: ['correct the advertised model', 'assign the GPU that was leased'],
  },

  // CPU: AMD.
  SNP_VCEK_UNAVAILABLE: {
    seen: 'The certificate of this chip is missing. AMD answers 404 to a wrong product and 429 to haste.',
    tryInOrder: [
      'let the host put it into the certificate table: snphost import',
      'fetch it once and keep it: snpguest fetch vcek, then --collateral DIR',
      'ask for the right product line: Milan, Genoa or Turin',
      'wait a minute after 429',
    ],
  },
  SNP_VCEK_TCB_MISMATCH: {
    seen: 'The certificate belongs to another firmware level of this chip, usually to the one before an update.',
    tryInOrder: [
      'fetch the VCEK of the reported TCB and renew the certificate table',
      'SNP_COMMIT after the update',
      COLLECT_AGAIN,
    ],
  },
  SNP_VCEK_CHIP_MISMATCH: {
    seen: 'The certificate belongs to another chip.',
    tryInOrder: [
      'host and guest moved: renew the certificate table on this host',
      'the VCEK in --collateral is of another machine',
    ],
  },
  SNP_CHIP_ID_MASKED: {
    seen: 'The chip id is all zero.',
    tryInOrder: [
      'unmask it in the BIOS (SEV-SNP: mask chip key off)',
      'clear MASK_CHIP_ID in the SNP configuration of the host',
      'reboot the host',
    ],
  },
  SNP_CERT_TABLE_INVALID: {
    seen: 'The certificate table of the host is damaged.',
    tryInOrder: ['write it again: snphost import', 'update a host tool that writes wrong offsets'],
  },
  SNP_TCB_BELOW_MINIMUM: {
    seen: 'The firmware is older than the policy asks. The finding has required and reported level of the component.',
    tryInOrder: [
      'update the BIOS to the AGESA that the bulletin names for this family',
      'load the newer SEV firmware and commit it',
      'renew the VCEK for the new level',
    ],
  },
  SNP_TCB_ADVISORY: {
    seen: 'The firmware is older than a bulletin of AMD asks. The finding names bulletin, component, required and reported level.',
    tryInOrder: [
      'update the BIOS to the AGESA that the bulletin names for this family',
      'load the newer SEV firmware and commit it',
      'renew the VCEK for the new level',
    ],
  },
  SNP_POLICY_DEBUG_ALLOWED: {
    seen: 'The guest was launched so that its host may debug it.',
    tryInOrder: ['launch with guest-policy bit 19 clear', 'the runtime class is a debug variant: take the release one'],
  },
  SNP_POLICY_MIGRATION_ALLOWED: {
    seen: 'The guest was launched so that a migration agent may move it.',
    tryInOrder: ['launch with guest-policy bit 18 clear'],
  },
  SNP_PLATFORM_ALIAS_CHECK: {
    seen: 'The check for aliased memory (BadRAM) is not complete.',
    tryInOrder: ['SEV firmware of 1.55.22 (Milan) or 1.55.38 (Genoa) or later', 'reboot the host'],
  },
  SNP_VMPL_MISMATCH: {
    seen: 'The report was made below the level that tenants ask for.',
    tryInOrder: ['ask at VMPL 0', 'a paravisor owns VMPL 0: collect through its vTPM'],
  },
  SNP_FIRMWARE_PROVISIONAL: {
    seen: 'The firmware can still be rolled back.',
    tryInOrder: ['commit it: snphost commit', 'reboot after the update'],
  },
  SNP_SIGNATURE_INVALID: {
    seen: 'The report was changed after it was made.',
    tryInOrder: [
      'byte order or padding of the collector',
      'report and auxblob of two entries: collect again',
      'somebody in between',
    ],
  },

  // CPU: Intel.
  TDX_TCB_INFO_MISSING: {
    seen: 'The TCB info for this platform is missing.',
    tryInOrder: ['pass it with --collateral DIR', 'check the FMSPC in the finding'],
  },
  TDX_TCB_OUT_OF_DATE: {
    seen: 'Microcode or SEAM loader are older than the newest TCB recovery.',
    tryInOrder: [
      'update the BIOS',
      'register the platform again so that it gets a new PCK certificate',
      'renew the PCCS cache',
    ],
  },
  TDX_DEBUG: {
    seen: 'The TD is a debug TD.',
    tryInOrder: ['launch without debug=on'],
  },

  // Certificates and lists.
  X509_REVOKED: {
    seen: 'A certificate of the chain was revoked.',
    tryInOrder: ['fetch the chain anew after a firmware update', 'take the machine out of service and ask its vendor'],
  },
  X509_VALIDITY: {
    seen: 'A certificate is outside its dates.',
    tryInOrder: ['look at the clock first: timedatectl', 'fetch the certificate again'],
  },
  X509_ROOT_UNTRUSTED: {
    seen: 'The chain ends in a root that is not the vendor’s.',
    tryInOrder: [
      'engineering sample of the CPU or GPU',
      'test hardware or test kit: --trust-anchor, which opens nothing',
    ],
  },
  CRL_MISSING: {
    seen: 'The revocation list of the vendor is missing.',
    tryInOrder: ['fetch it and pass it with --collateral DIR'],
  },
  CRL_STALE: {
    seen: 'The revocation list is past its next update.',
    tryInOrder: ['fetch it again', 'look at the clock: timedatectl'],
  },
  OCSP_STALE: {
    seen: 'The OCSP answers are too old.',
    tryInOrder: ['fetch them again', 'look at the clock: timedatectl'],
  },
  OCSP_MISSING: {
    seen: 'There is no OCSP answer for a certificate.',
    tryInOrder: ['fetch one for each certificate that the finding names', 'the responder of NVIDIA is down: wait'],
  },

  // Freshness and binding.
  BIND_NONCE_MISMATCH: {
    seen: 'The evidence answers another challenge.',
    tryInOrder: [
      'saved evidence: judge it with its own --nonce',
      'the sidecar caches quotes: restart it',
      'two collectors at once',
    ],
  },
  BIND_CHALLENGE_EXPIRED: {
    seen: 'The answer took longer than a challenge lasts.',
    tryInOrder: ['a GPU driver that hangs: nvidia-smi', 'clock of this machine: timedatectl'],
  },
  BIND_NOT_CHECKED: {
    seen: 'Saved evidence answers no question of ours.',
    tryInOrder: ['collect on the machine itself', 'or give the nonce of its day with --nonce'],
  },
  BIND_COMPOSITE_MISMATCH: {
    seen: 'The CPU report covers other GPU reports than those that came.',
    tryInOrder: ['a GPU was asked twice: collect all in one run', 'the order of the items was changed on the way'],
  },

  // What keeps a machine from answering.
  COLLECT_CPU_TEE_ABSENT: {
    seen: 'No confidential guest, or one without its driver.',
    tryInOrder: [
      'run it inside the confidential VM',
      'modprobe sev-guest or tdx_guest',
      'pass the device node into the container',
    ],
  },
  COLLECT_CONFIGFS_NOT_MOUNTED: {
    seen: 'The driver is there, configfs is not.',
    tryInOrder: ['mount -t configfs none /sys/kernel/config'],
  },
  COLLECT_TDREPORT_ONLY: {
    seen: '/dev/tdx_guest without a way to a quote.',
    tryInOrder: ['kernel of 6.7 or later', 'qgsd on the host', 'vsock port 4050 from the guest'],
  },
  COLLECT_TSM_GENERATION_CHANGED: {
    seen: 'Two programs ask for reports at once.',
    tryInOrder: ['lsof /sys/kernel/config/tsm/report', 'stop the other one, often a second sidecar'],
  },
  COLLECT_TSM_REPORT_FAILED: {
    seen: 'The hardware gave no report.',
    tryInOrder: ['dmesg in the guest', 'SEV-SNP: wait a minute, the host limits requests', 'TDX: restart qgsd'],
  },
  COLLECT_NVML_DRIVER_NOT_LOADED: {
    seen: 'The GPU is there, its driver is not.',
    tryInOrder: [
      'modprobe nvidia, then dmesg',
      'open kernel modules of the same version',
      'the GPU is on vfio-pci: ask inside the guest',
    ],
  },
  COLLECT_NVML_VERSION_MISMATCH: {
    seen: 'Library and kernel driver are of different versions.',
    tryInOrder: ['reboot after the update', 'the same version in host and container toolkit'],
  },
  COLLECT_GPU_CC_OFF: {
    seen: 'Confidential mode is off.',
    tryInOrder: [
      'nvidia_gpu_tools.py --set-cc-mode=on --reset-after-cc-mode-switch on the host',
      'label nvidia.com/cc.mode=on where the CC manager runs',
      'restart the guest',
    ],
  },
  COLLECT_GPU_DEVTOOLS: {
    seen: 'DevTools mode: the memory of the GPU can be read.',
    tryInOrder: ['nvidia_gpu_tools.py --set-cc-mode=on --reset-after-cc-mode-switch on the host', 'restart the guest'],
  },
  COLLECT_GPU_RESET_NEEDED: {
    seen: 'The GPU wants a reset.',
    tryInOrder: ['nvidia-smi --gpu-reset', POWER_CYCLE],
  },
  COLLECT_SIDECAR_UNREACHABLE: {
    seen: 'Nothing answers on port 8790.',
    tryInOrder: [
      'network policy for 8790',
      'pod without sidecar: the webhook was away when it was made',
      'the sidecar hangs on a GPU driver',
    ],
  },
  AKASH_SCOPE_DENIED: {
    seen: '403 on the quote.',
    tryInOrder: ['token without the scope attestation', 'provider built without the feature: update it'],
  },
  AKASH_SIDECAR_ABSENT: {
    seen: '404: no such lease or no sidecar in its pod.',
    tryInOrder: [
      'wait until the pod runs',
      'webhook missing when the pod was made: make the lease anew',
      'attestation: false in the manifest',
      'runtime class that is not confidential',
    ],
  },
  AKASH_SIDECAR_UNREACHABLE: {
    seen: '502: the gateway does not reach the pod.',
    tryInOrder: ['pod proxy of the API server', 'network policy for 8790', 'log of the sidecar'],
  },
  AKASH_GATEWAY_UNREACHABLE: {
    seen: 'The gateway does not answer.',
    tryInOrder: ['DNS and firewall of host_uri, port 8443', 'the provider pod restarts: kubectl get pods'],
  },
}

export const symptomOf = (code: Code): Symptom | undefined => SYMPTOMS[code]
