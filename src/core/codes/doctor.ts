import type { CodeTable } from './entry.ts'

export const DOCTOR_CODES = {
  // The provider's machine and cluster, looked at without evidence.
  DOCTOR_CPU_TEE_ABSENT: {
    verdict: 'inconclusive',
    title: 'Neither the CPU nor the kernel shows SEV-SNP or TDX here.',
    hint: 'Inside a VM: it was not started as a confidential one, so change its definition. On a host: enable SEV-SNP (AMD) or TDX (Intel) in the BIOS of an EPYC 7003 or Xeon of the fourth generation or later.',
  },
  DOCTOR_TEE_DISABLED: {
    verdict: 'inconclusive',
    title: 'The CPU has the technology, but KVM has it switched off.',
    hint: 'Enable it in the BIOS (AMD: SMEE, SEV-SNP, RMP coverage; Intel: TME-MT, TDX, SEAM loader), then load kvm_amd with sev_snp=1 or kvm_intel with tdx=1, and read dmesg for what it lacks.',
  },
  DOCTOR_KERNEL_OLD: {
    verdict: 'inconclusive',
    title: 'The kernel of this guest is too old to give reports through configfs-tsm.',
    hint: 'Boot a guest kernel of 6.7 or later with CONFIG_TSM_REPORTS.',
  },
  DOCTOR_IOMMU_OFF: {
    verdict: 'inconclusive',
    title: 'The IOMMU is off, so no GPU can be passed into a VM.',
    hint: 'Enable the IOMMU in the BIOS and boot the host with amd_iommu=on or intel_iommu=on.',
  },
  DOCTOR_DRIVER_DENIED: {
    verdict: 'reject',
    title: 'Tenants refuse the version of this NVIDIA driver.',
    hint: 'Install the version that the finding asks for, in the guest image, of those for which NVIDIA publishes reference manifests.',
  },
  DOCTOR_VBIOS_DENIED: {
    verdict: 'reject',
    title: 'Tenants refuse the version of this VBIOS.',
    hint: 'Ask the maker of the board for a VBIOS with a reference manifest, flash it, and power-cycle the host: a warm reboot is not enough.',
  },
  DOCTOR_CLOCK_UNSYNCHRONISED: {
    verdict: 'inconclusive',
    title: 'Nothing seems to keep the clock of this machine.',
    hint: 'Run timedatectl set-ntp true, or install chrony. In a container this is a matter of its host.',
  },
  DOCTOR_VENDOR_UNREACHABLE: {
    verdict: 'inconclusive',
    title: 'A service that collateral comes from cannot be reached from here.',
    hint: 'Let this machine out to the host that the finding names on port 443, or keep collateral on files with vouchsafe collateral pack and run with --offline.',
  },
  DOCTOR_KUBECONFIG_UNUSABLE: {
    verdict: 'inconclusive',
    title: 'The kubeconfig cannot be used.',
    hint: 'Make one with a certificate authority and a client certificate or token, for example of a service account that may list nodes, runtime classes and webhooks. Programs that a kubeconfig names are not run.',
  },
  DOCTOR_CLUSTER_UNREACHABLE: {
    verdict: 'inconclusive',
    title: 'The API server of the cluster cannot be asked.',
    hint: 'Check the server and the certificate authority in the kubeconfig with kubectl get nodes from this machine.',
  },
  DOCTOR_CLUSTER_DENIED: {
    verdict: 'inconclusive',
    title: 'The API server does not allow this user to look.',
    hint: 'Grant list on nodes, runtimeclasses (node.k8s.io) and mutatingwebhookconfigurations (admissionregistration.k8s.io) to the user of the kubeconfig.',
  },
  DOCTOR_NODE_LABEL_MISSING: {
    verdict: 'inconclusive',
    title: 'No node is labelled with a confidential platform.',
    hint: 'Run kubectl label node NAME amd.feature.node.kubernetes.io/snp=true (or intel.feature.node.kubernetes.io/tdx=true) and restart the provider pod, which reads labels at its start only.',
  },
  DOCTOR_NODE_LABELS_MIXED: {
    verdict: 'inconclusive',
    title: 'Nodes are labelled with different confidential platforms.',
    hint: 'The provider software takes the first labelled node for the whole cluster, so leases on the others announce the wrong platform. Keep one platform in a cluster.',
  },
  DOCTOR_NODE_CC_OFF: {
    verdict: 'inconclusive',
    title: 'The GPUs of a node are not in confidential mode.',
    hint: 'Run kubectl label --overwrite node NAME nvidia.com/cc.mode=on and wait until nvidia.com/cc.mode.state says on. Without the label the NVIDIA CC manager is not deployed.',
  },
  DOCTOR_RUNTIME_CLASS_MISSING: {
    verdict: 'inconclusive',
    title: 'The cluster has no confidential runtime class for its platform.',
    hint: 'Deploy Kata Containers with kata-deploy and enable the shim of the platform, for example kata-qemu-snp or kata-qemu-nvidia-gpu-snp.',
  },
  DOCTOR_WEBHOOK_MISSING: {
    verdict: 'inconclusive',
    title: 'The webhook that puts the attestation sidecar into pods is not registered.',
    hint: 'Restart the provider: it registers the webhook at its start and removes it when it stops. Pods made in between have no sidecar, so their leases have to be made anew.',
  },
} as const satisfies CodeTable
