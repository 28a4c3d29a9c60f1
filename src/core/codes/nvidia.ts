import type { CodeTable } from './entry.ts'

export const NVIDIA_CODES = {
  // NVIDIA GPUs and switches: the report as bytes.
  GPU_SPDM_VERSION: {
    verdict: 'reject',
    title: 'The GPU report is not an SPDM 1.1 measurements exchange.',
    hint: 'Collect with NVML or the NVIDIA attestation SDK, which return the request followed by the response. An SPDM error answer means the GPU refused: check nvidia-smi conf-compute -f and the driver, then collect again.',
  },
  GPU_SPDM_MALFORMED: {
    verdict: 'reject',
    title: 'The length fields of the GPU report disagree with its bytes.',
    hint: 'The report was cut, padded or mixed up on the way. Check that the collector copies the whole NVML buffer up to its returned size, and collect again.',
  },
  GPU_TRAILING_BYTES: {
    verdict: 'reject',
    title: 'Bytes follow the signature of the GPU report.',
    hint: 'Send exactly the size NVML returns. A CEC report, at most 4096 bytes, belongs between the GPU report and the PEM chain of an Akash answer, nowhere else.',
  },
  GPU_PEM_SPLIT_INVALID: {
    verdict: 'reject',
    title: 'The GPU report and its certificate chain cannot be told apart.',
    hint: 'The packed form is the binary report followed by one PEM chain, leaf first, with nothing between or after the certificates. Check the packing of the sidecar and that the chain was not cut at 5120 bytes.',
  },
  GPU_MEASUREMENT_INDEX: {
    verdict: 'reject',
    title: 'The measurement blocks of the GPU report repeat or skip an index.',
    hint: 'A genuine report numbers its blocks from 1 without a gap. Update the driver and collect again with all measurements requested.',
  },
  GPU_OPAQUE_MALFORMED: {
    verdict: 'reject',
    title: 'The device data of the GPU report cannot be read.',
    hint: 'Collect again and pass the report unchanged. If a genuine device does this, report its driver version with the output of vouchsafe inspect.',
  },
  GPU_OPAQUE_DUPLICATE: {
    verdict: 'reject',
    title: 'The device data of the GPU report gives one field twice.',
    hint: 'Genuine firmware writes each field once, so the report was not made by it. Collect a fresh report from the driver.',
  },
  GPU_REPORT_UNSUPPORTED: {
    verdict: 'reject',
    title: 'The GPU report uses a data version or field this verifier does not know.',
    hint: 'Update Vouchsafe for newer GPUs and drivers. Until then the provider can use a driver whose reports are known.',
  },
  GPU_VERSION_MALFORMED: {
    verdict: 'reject',
    title: 'The driver or VBIOS version in the GPU report is not a version number.',
    hint: 'Genuine reports carry digits and dots only. Install an official driver release and VBIOS, reset the GPU and collect again.',
  },
  GPU_NVDEC0_INVALID: {
    verdict: 'reject',
    title: 'The NVDEC0 status of the GPU is neither enabled nor disabled.',
    hint: 'Power the host off and on and collect again. If it stays, have NVIDIA support check the device.',
  },
  GPU_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The GPU report was not signed by the key of its certificate.',
    hint: 'Send each report with the chain of the same GPU, both from one collection; reports and chains of several GPUs are easily swapped. If a fresh pair fails, the report was altered.',
  },
  // NVIDIA: identity, certificates and revocation of the device.
  GPU_CERT_CHAIN_MISSING: {
    verdict: 'inconclusive',
    title: 'A device report came without its certificates.',
    hint: 'Collect the attestation certificate chain together with the report (NVML gives both) and send the five certificates in PEM beside it, under the same file name up to the first dot.',
  },
  GPU_CERT_ROLE: {
    verdict: 'reject',
    title: 'The device certificate chain is not the five certificates NVIDIA issues, in their order.',
    hint: 'Send the chain as the driver returns it: attestation key, identity key, provisioner, architecture and root, leaf first. Do not add, drop or sort certificates.',
  },
  GPU_CERT_REVOKED: {
    verdict: 'reject',
    title: 'NVIDIA has revoked a certificate of this device.',
    hint: 'The provider should take the GPU out of service and ask NVIDIA support. No setting can override a revocation.',
  },
  GPU_OCSP_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'There is no current revocation answer for the device chain.',
    hint: 'Fetch one for each of the identity, provisioner and architecture certificates with openssl ocsp -issuer ISSUER.pem -cert CERT.pem -url http://ocsp.ndis.nvidia.com -respout FILE, and pass the files with --collateral DIR. It is not a fault of the provider when the NVIDIA responder is down.',
  },
  GPU_REVOCATION_UNKNOWN: {
    verdict: 'inconclusive',
    title: 'It is not known whether a certificate of this device is revoked.',
    hint: 'The policy asks for revocation data that was not supplied or does not answer. Pass OCSP answers with --collateral DIR, or let the tenant choose another revocation mode knowingly.',
  },
  GPU_ARCH_MISMATCH: {
    verdict: 'reject',
    title: 'The architecture label contradicts the device certificate.',
    hint: 'Take the label from the driver instead of guessing it: HOPPER, BLACKWELL or LS10. The certificate decides; vouchsafe inspect shows it.',
  },
  GPU_FWID_MISSING: {
    verdict: 'reject',
    title: 'The GPU report or its certificate lacks the firmware id that ties them together.',
    hint: 'Drivers of 550 and later write it on Hopper, and Blackwell always has it. The provider should update the driver and VBIOS and collect again.',
  },
  GPU_FWID_MISMATCH: {
    verdict: 'reject',
    title: 'The firmware id in the GPU report is not the one its certificate was issued for.',
    hint: 'Report and chain come from different devices or from before and after a firmware change. Power the host off and on, then collect both in one run.',
  },
  GPU_DEVICE_NOT_ALLOWED: {
    verdict: 'reject',
    title: 'This GPU is not on the list of devices the policy allows.',
    hint: 'The tenant or marketplace can add the device after checking it; vouchsafe inspect shows its id. A provider can only assign a listed GPU.',
  },
  // NVIDIA: freshness, count and identity within the machine.
  GPU_NONCE_MISMATCH: {
    verdict: 'reject',
    title: 'The GPU was asked with another nonce than expected.',
    hint: 'Collect the GPU report again with the nonce of this challenge; on Akash that is the first 32 bytes of the CPU report data. The nonce counts only in the request part, not in the random number of the device.',
  },
  GPU_NONCE_NOT_DERIVED: {
    verdict: 'reject',
    title: 'The GPU nonce is the plain challenge where a derived one is required.',
    hint: 'The guest agent must derive the GPU nonce from the challenge and the CPU report data as the policy demands. The AEP-83 sidecar cannot, so use another agent or let the tenant lower the demanded binding.',
  },
  GPU_COUNT_ZERO: {
    verdict: 'reject',
    title: 'A GPU is required, and the evidence has none.',
    hint: 'Look into the sidecar log for "gpu attestation not available"; usual causes are CC mode off, nvidia.com/cc.mode.state not on, or a runtime class without the GPU. Fix that, restart the pod and collect again.',
  },
  GPU_COUNT_MISMATCH: {
    verdict: 'reject',
    title: 'The evidence shows another number of GPUs than was leased.',
    hint: 'Every leased GPU must be attested, and no other. Where some are missing, the Akash sidecar created only /dev/nvidia0: the provider should add the other device nodes to the guest and collect again. Where two numbers are expected, the policy and the lease contradict each other: the tenant should make them one.',
  },
  GPU_NOT_DISTINCT: {
    verdict: 'reject',
    title: 'The same GPU is shown more than once.',
    hint: 'The collector asked one device several times, or a report was copied. Iterate over the NVML device handles and send one report for each physical GPU.',
  },
  GPU_NOT_EXPECTED: {
    verdict: 'reject',
    title: 'The evidence has a GPU, and the policy says there is none.',
    hint: 'Remove the GPU from the guest, or let the tenant ask for GPUs in the policy.',
  },
  GPU_INDEX_INVALID: {
    verdict: 'reject',
    title: 'The device indexes of the GPU reports repeat or leave a gap.',
    hint: 'Number the reports 0, 1, 2 and so on, one for each GPU. A gap usually means that one device did not answer: check nvidia-smi in the guest.',
  },
  GPU_MODEL_MISMATCH: {
    verdict: 'reject',
    title: 'The GPU is another model than the one leased or allowed.',
    hint: 'The certificate names the real model. The provider should correct the advertised attribute or assign the leased model, or the tenant can add this model to the policy.',
  },
  GPU_BINDING_INSUFFICIENT: {
    verdict: 'reject',
    title: 'The tie between GPU and CPU is weaker than the policy demands.',
    hint: 'A shared nonce shows freshness, not that the GPU sits in this machine. A measured guest image whose publisher vouches for gpu-local reaches measured-guest, tdisp needs hardware that has it, and Hopper never exceeds measured-guest.',
  },
  // NVIDIA: mode, topology and versions.
  GPU_CC_MODE: {
    verdict: 'reject',
    title: 'The GPU is not in confidential computing mode, or it is in devtools mode.',
    hint: 'On the host run nvidia_gpu_tools.py --set-cc-mode=on --reset-after-cc-mode-switch for each GPU, then restart the guest. Inside it nvidia-smi conf-compute -f must say ON and -d must say OFF.',
  },
  GPU_DEVTOOLS_NOT_EXCLUDED: {
    verdict: 'reject',
    title: 'The policy demands proof that devtools mode is off, and a GPU report cannot give it.',
    hint: 'Only a measured guest that reads the mode from its own driver can vouch for this. Deploy an image whose publisher states so in its reference value, or let the tenant drop the rule knowingly.',
  },
  GPU_MODE_NOT_ALLOWED: {
    verdict: 'reject',
    title: 'The GPU runs in a multi-GPU mode that the policy does not allow.',
    hint: 'Single-GPU guests use nvidia_gpu_tools.py --set-cc-mode=on; a full Hopper board uses --set-ppcie-mode=on on every GPU and switch with CC mode off. Set the mode the policy names and restart the guest.',
  },
  GPU_MODE_UNKNOWN: {
    verdict: 'inconclusive',
    title: 'The GPU report does not say which multi-GPU mode is set.',
    hint: 'Older drivers leave the field out. The provider should update to a driver that reports it, or the tenant can write a policy that does not depend on the mode.',
  },
  GPU_MODE_MIXED: {
    verdict: 'reject',
    title: 'The GPUs of one machine run in different modes.',
    hint: 'Set the same mode on every GPU with nvidia_gpu_tools.py, reset them all and restart the guest.',
  },
  GPU_DRIVER_MIXED: {
    verdict: 'reject',
    title: 'The GPUs of one machine report different driver versions.',
    hint: 'One guest has one driver, so the reports come from several machines or from before and after an update. Collect all of them again in one run.',
  },
  GPU_SWITCH_UNLOCKED: {
    verdict: 'reject',
    title: 'An NVSwitch of the board is not locked for protected PCIe.',
    hint: 'Run nvidia_gpu_tools.py --set-ppcie-mode=on --reset-after-ppcie-mode-switch for every GPU and switch, restart the guest and its fabric manager, and collect again.',
  },
  GPU_TOPOLOGY_INCOMPLETE: {
    verdict: 'reject',
    title: 'A device of the protected PCIe board is missing from the evidence.',
    hint: 'Pass all eight GPUs and all four switches to one guest and collect a report from each. A board in this mode cannot be leased in parts.',
  },
  GPU_TOPOLOGY_MISMATCH: {
    verdict: 'reject',
    title: 'A GPU or switch is linked to a device that is not in the evidence.',
    hint: 'The reports come from different boards, or a link is down. Check the fabric with nvidia-smi topo -m and nvidia-smi nvlink --status, and collect all devices of one board in one run.',
  },
  GPU_TOPOLOGY_IDENTITY: {
    verdict: 'reject',
    title: 'The links name other devices than the certificates do.',
    hint: 'Each device must have the link identity its certificate carries; this evidence combines devices that were not built together or was altered. Collect again on the board itself.',
  },
  GPU_NVLINK_NOT_PROTECTED: {
    verdict: 'reject',
    title: 'Several Hopper GPUs talk over NVLink in plain text.',
    hint: 'Lease one GPU per guest, or all eight with the four switches in protected PCIe mode. Otherwise only the tenant can accept plain NVLink, by name, in the policy.',
  },
  GPU_VERSION_BELOW_MINIMUM: {
    verdict: 'reject',
    title: 'The driver or VBIOS is older than the minimum or on the list of bad versions.',
    hint: 'The provider should update the driver in the guest image, and the VBIOS through the server vendor, to at least the required version in the finding. Check first that NVIDIA has published a reference manifest for that version.',
  },
  // NVIDIA: measurements against the reference manifests.
  GPU_MEASUREMENT_MISMATCH: {
    verdict: 'reject',
    title: 'A measurement of the GPU differs from what NVIDIA published.',
    hint: 'First power the host off and on, since a warm reboot is not enough and toggling CC mode alone can leave stale values. Then use a driver and VBIOS from the supported list (not VBIOS 96.00.74.00.1C), and compare with nvattest on the same GPU before opening a ticket.',
  },
  GPU_RIM_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'There is no reference manifest for this driver or VBIOS.',
    hint: 'This is not tampering: either NVIDIA has published none, or it was neither fetched (vouchsafe verify without --offline does) nor passed with --collateral DIR. Where NVIDIA has none, the provider can move to a driver and VBIOS that have one.',
  },
  GPU_RIM_INDEX_MISSING: {
    verdict: 'reject',
    title: 'The reference manifests have no value for a measurement that must be compared.',
    hint: 'Put both the driver and the VBIOS manifest of exactly these versions into --collateral DIR, as NVIDIA publishes them. If the published pair leaves the index out, report it to NVIDIA.',
  },
  GPU_RIM_CONFLICT: {
    verdict: 'reject',
    title: 'The driver manifest and the VBIOS manifest both claim the same measurement.',
    hint: 'One manifest was probably supplied in place of the other. Put the driver and the VBIOS manifest of this GPU into --collateral DIR; if both are right, report the pair to NVIDIA.',
  },
} as const satisfies CodeTable
