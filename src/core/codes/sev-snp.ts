import type { CodeTable } from './entry.ts'

export const SEV_SNP_CODES = {
  // AMD SEV-SNP: the report as bytes.
  SNP_SIZE_MISMATCH: {
    verdict: 'reject',
    title: 'The SEV-SNP report is not exactly 1184 bytes long.',
    hint: 'Pass only the report: outblob of configfs-tsm as it is, or the report part of the /dev/sev-guest answer without its header. Send the certificate table separately as auxblob.',
  },
  SNP_REPORT_MALFORMED: {
    verdict: 'reject',
    title: 'The SEV-SNP report has a field value that its version does not allow.',
    hint: 'Collect the report again and pass it unchanged. If it comes from genuine hardware, update Vouchsafe or report the case with the output of vouchsafe inspect.',
  },
  SNP_VERSION_UNSUPPORTED: {
    verdict: 'reject',
    title: 'The SEV-SNP report has a version this verifier does not read.',
    hint: 'Versions 2 to 5 are read. For a higher version update Vouchsafe; for a lower one the provider must update the BIOS and with it the SEV firmware.',
  },
  SNP_RESERVED_NOT_ZERO: {
    verdict: 'reject',
    title: 'A reserved byte of the SEV-SNP report is set.',
    hint: 'The bytes were altered, or the firmware is newer than this verifier knows. Collect again without touching the report, and update Vouchsafe if the finding stays.',
  },
  SNP_SIGNATURE_ALGORITHM: {
    verdict: 'reject',
    title: 'The SEV-SNP report does not name ECDSA P-384 with SHA-384 as its signature algorithm.',
    hint: 'Genuine firmware always writes algorithm 1. Collect again from the real guest device; a rebuilt or simulated report cannot be accepted.',
  },
  SNP_SIGNATURE_NOT_CANONICAL: {
    verdict: 'reject',
    title: 'The SEV-SNP signature carries bytes above its 48-byte numbers.',
    hint: 'The upper 24 bytes of R and S are zero in every genuine report. Collect again and check that nothing rewrites the signature block on the way.',
  },
  SNP_SIGNATURE_RANGE: {
    verdict: 'reject',
    title: 'A number of the SEV-SNP signature is zero or too large.',
    hint: 'An all-zero signature means the firmware did not sign: the provider should give 0 for MASK-CHIP in snphost config set. Otherwise collect again, since firmware never writes such a number.',
  },
  SNP_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The SEV-SNP report was not signed by the certified key of this chip.',
    hint: 'Pass the 1184 bytes as the firmware returned them, never rebuilt from JSON, with the VCEK or VLEK that belongs to them. If a fresh report fails again, the report is not from this chip and should not be trusted.',
  },
  SNP_HOST_REQUESTED: {
    verdict: 'reject',
    title: 'The host asked for this report, not the guest.',
    hint: 'Its report data was chosen by the host, so it says nothing about the workload and no policy can allow it. Collect inside the guest through configfs-tsm or /dev/sev-guest.',
  },
  // AMD SEV-SNP: the key that signed, its certificate, and the certificate table.
  SNP_SIGNER_UNSUPPORTED: {
    verdict: 'reject',
    title: 'The SEV-SNP report names no signing key, or one that does not exist.',
    hint: 'The report is unsigned. The provider should keep the VCEK enabled when launching the guest (no vcek-disabled in QEMU) or load a VLEK, then collect again.',
  },
  SNP_SIGNER_KIND_MISMATCH: {
    verdict: 'reject',
    title: 'The report, the certificate and its issuer disagree on whether the key is a VCEK or a VLEK.',
    hint: 'Send the certificate that the key field of the report names: a VCEK under the ASK, or a VLEK under the ASVK. Remove the other one from the host certificate table and rebuild it with snphost import.',
  },
  SNP_SIGNER_NOT_ALLOWED: {
    verdict: 'reject',
    title: 'The report is signed by a kind of key the policy does not allow.',
    hint: 'A VLEK belongs to a cloud operator and names no chip. The provider can reboot the host without loading a VLEK; on a cloud that always uses one, only the tenant can allow it in the policy.',
  },
  SNP_VCEK_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'The certificate of the signing key was not given and could not be obtained.',
    hint: 'Run snpguest fetch vcek der DIR report.bin and pass that folder with --collateral DIR. AMD answers 429 when asked too often (wait and retry) and 404 for a wrong product, chip or TCB; a VLEK must come with the evidence.',
  },
  SNP_VCEK_CHIP_MISMATCH: {
    verdict: 'reject',
    title: 'The certificate belongs to another chip than the report.',
    hint: 'Fetch the VCEK for this report with snpguest fetch vcek and empty any cache copied from another host. If both really come from this machine, somebody exchanged one of them.',
  },
  SNP_VCEK_TCB_MISMATCH: {
    verdict: 'reject',
    title: 'The certificate was issued for another firmware level than the report claims.',
    hint: 'Fetch the VCEK again for REPORTED_TCB, which snpguest fetch vcek reads from the report; after a firmware update the old certificate no longer fits. For a VLEK the operator must load one for the new level.',
  },
  SNP_VCEK_EXTENSION_INVALID: {
    verdict: 'reject',
    title: 'The AMD extensions of the certificate are missing, repeated or badly encoded.',
    hint: 'Use the certificate exactly as AMD KDS issues it. Fetch it again with snpguest fetch vcek and do not convert it with other tools.',
  },
  SNP_PRODUCT_MISMATCH: {
    verdict: 'reject',
    title: 'The processor family in the report is unknown or contradicts the certificate.',
    hint: 'Fetch the chain of the right product: Bergamo, Siena and Genoa-X use genoa. For a processor newer than Turin update Vouchsafe first.',
  },
  SNP_PRODUCT_NOT_ALLOWED: {
    verdict: 'reject',
    title: 'The policy does not allow this processor generation.',
    hint: 'Milan is refused unless acknowledged, because its root secrets can be extracted in software and a chip that lost them can claim any firmware level. The provider can offer Genoa or Turin, or the tenant can acknowledge the product by name.',
  },
  SNP_CHIP_ID_MASKED: {
    verdict: 'reject',
    title: 'The report hides which chip it comes from, and the policy needs to know.',
    hint: 'The provider can clear the mask: give 0 for MASK-CHIP in snphost config set, or switch the mask off in the BIOS. VLEK reports of some clouds never show the chip; then only the tenant can do without it.',
  },
  SNP_CHIP_NOT_ALLOWED: {
    verdict: 'reject',
    title: 'This chip is not on the list of chips the policy allows.',
    hint: 'The tenant or marketplace can add the chip after checking where it stands; vouchsafe inspect shows its id. A provider cannot fix this except by using a listed machine.',
  },
  SNP_CSP_ID_MISMATCH: {
    verdict: 'reject',
    title: 'The VLEK was issued to another cloud operator than the policy names.',
    hint: 'Compare the CSP_ID in vouchsafe inspect with the policy. Run the workload in the named cloud or region, or let the tenant add this operator.',
  },
  SNP_CERT_TABLE_INVALID: {
    verdict: 'reject',
    title: 'The certificate table beside the report is malformed.',
    hint: 'The provider should rebuild the table with snphost import DIR FILE and give that file to the hypervisor. A verifier can also go without it: leave auxblob out and pass the certificates with --collateral DIR.',
  },
  SNP_CERT_TABLE_AMBIGUOUS: {
    verdict: 'reject',
    title: 'The certificate table has two entries of the same kind.',
    hint: 'Keep one VCEK, one ASK and one ARK (or one VLEK, ASVK and ARK) in the folder and rebuild the table with snphost import DIR FILE.',
  },
  // AMD SEV-SNP: firmware levels.
  SNP_TCB_BELOW_MINIMUM: {
    verdict: 'reject',
    title: 'The firmware level the report proves is below the minimum.',
    hint: 'The provider should install the BIOS release with a newer AGESA, reboot, then run snphost commit and snphost config reset so that the new level is also reported. Compare snphost show tcb with the required values in the finding and fetch a new VCEK.',
  },
  SNP_TCB_FLOOR_UNKNOWN: {
    verdict: 'inconclusive',
    title: 'A bulletin asks for fixed microcode, and no number is known for this processor.',
    hint: 'The provider can do nothing about it. The tenant asks AMD for the fixed microcode of this processor and names it as minTcb.microcode in the policy, or names an earlier day in tcbFloors.bulletins.',
  },
  SNP_TCB_ADVISORY: {
    verdict: 'reject',
    title: 'The firmware or microcode has a hole that AMD has already fixed.',
    hint: 'The source in the finding names the AMD bulletin. The provider should install the BIOS whose AGESA contains that fix, reboot, run snphost commit and snphost config reset, and recreate the guests.',
  },
  SNP_TCB_INCONSISTENT: {
    verdict: 'reject',
    title: 'The report claims or has committed a firmware level above the one that is running.',
    hint: 'Genuine firmware cannot state this. The provider should run snphost config reset, compare snphost show tcb and collect again; if it stays, do not trust the machine.',
  },
  SNP_FIRMWARE_PROVISIONAL: {
    verdict: 'reject',
    title: 'The running firmware is not committed, so the host may go back to an older one.',
    hint: 'The provider should run snphost commit, which cannot be undone. Where a cloud keeps its firmware provisional, only the tenant can allow that in the policy.',
  },
  SNP_FIRMWARE_BELOW_MINIMUM: {
    verdict: 'reject',
    title: 'The SEV firmware version is below the minimum.',
    hint: 'Install a BIOS or SEV firmware file that contains at least the required version, reboot and check with snphost show version. Commit it with snphost commit.',
  },
  SNP_LAUNCH_TCB_BELOW_MINIMUM: {
    verdict: 'reject',
    title: 'The guest was started on firmware below the minimum, though the host has been updated since.',
    hint: 'The provider should shut the guest down and launch it again on the updated host; a reboot from inside the guest does not count as a launch. On Akash, recreate the lease.',
  },
  SNP_REPORT_VERSION_BELOW_MINIMUM: {
    verdict: 'reject',
    title: 'The report has an older version than the policy accepts.',
    hint: 'The SEV firmware decides the version, so the provider should update the BIOS; compare snphost show version with the release notes. Version 3 came with revision 1.56 of the AMD specification and version 5 with 1.58, although such firmware still calls itself 1.55.',
  },
  SNP_MITIGATION_MISSING: {
    verdict: 'reject',
    title: 'A mitigation the policy requires is not active in the firmware.',
    hint: 'Only reports of version 5 show mitigations. The provider should install the BIOS whose SEV firmware has the fix, reboot, and launch the guest again, since the state at launch counts too.',
  },
  // AMD SEV-SNP: how the guest was launched.
  SNP_POLICY_DEBUG_ALLOWED: {
    verdict: 'reject',
    title: 'The host may debug this guest and read its memory.',
    hint: 'Launch the guest with guest-policy bit 19 clear, for example policy=0x30000 for the sev-snp-guest object of QEMU. Production policies can never allow debugging.',
  },
  SNP_POLICY_MIGRATION_ALLOWED: {
    verdict: 'reject',
    title: 'The guest may be handed to a migration agent.',
    hint: 'Launch the guest with guest-policy bit 18 clear, for example policy=0x30000 in QEMU. Where migration is wanted, the tenant must allow it in the policy.',
  },
  SNP_POLICY_SMT_ALLOWED: {
    verdict: 'reject',
    title: 'Hyper-threading is allowed or active, and the policy forbids it.',
    hint: 'Switch SMT Control off in the BIOS, reboot, and launch the guest with guest-policy bit 16 clear, for example policy=0x20000 in QEMU. With bit 16 clear the firmware refuses to launch while SMT is on.',
  },
  SNP_POLICY_CIPHERTEXT_HIDING: {
    verdict: 'reject',
    title: 'The guest does not insist that the host be kept from reading its ciphertext.',
    hint: 'On hardware that offers it, boot the host with kvm-amd.ciphertext_hiding_asids set and launch the guest with guest-policy bit 24. Older processors cannot do this; the tenant then has to drop the rule or choose another machine.',
  },
  SNP_POLICY_PAGE_SWAP: {
    verdict: 'reject',
    title: 'The guest does not forbid the host to move and swap its pages.',
    hint: 'Launch the guest with guest-policy bit 25 set. If the launch is refused, update the BIOS (the bit came with revision 1.58 of the AMD specification) and the host kernel first.',
  },
  SNP_POLICY_CXL_ALLOWED: {
    verdict: 'reject',
    title: 'The guest may be placed on CXL memory, and the policy forbids it.',
    hint: 'Launch the guest with guest-policy bit 21 clear, which is the default of QEMU.',
  },
  SNP_POLICY_SINGLE_SOCKET: {
    verdict: 'reject',
    title: 'The guest may run on more than one socket, and the policy forbids it.',
    hint: 'Launch the guest with guest-policy bit 20 set. The firmware then only activates it on one socket, so pin its vCPUs and memory accordingly.',
  },
  SNP_POLICY_MEM_XTS: {
    verdict: 'reject',
    title: 'The guest does not insist on memory encryption with AES-256-XTS.',
    hint: 'Launch the guest with guest-policy bit 22 set. If the launch is refused, switch the memory encryption of the host to AES-256-XTS in the BIOS first.',
  },
  SNP_POLICY_RAPL: {
    verdict: 'reject',
    title: 'The guest does not insist that power metering be switched off.',
    hint: 'Launch the guest with guest-policy bit 23 set. If the launch is refused, disable RAPL on the host (RAPL_DIS of SNP_CONFIG or the BIOS) first.',
  },
  SNP_POLICY_RESERVED_BIT: {
    verdict: 'reject',
    title: 'The guest policy has a reserved bit wrong.',
    hint: 'Bit 17 must be one and bits 26 and above zero; genuine firmware refuses to launch anything else. Collect again, and update Vouchsafe if AMD has given the bit a meaning since.',
  },
  SNP_ABI_BELOW_MINIMUM: {
    verdict: 'reject',
    title: 'The guest accepts an older firmware interface than the policy does.',
    hint: 'Launch the guest with at least the required ABI version in guest-policy bits 15 to 0, major in the upper byte. The firmware then refuses to start it on anything older.',
  },
  SNP_SVN_BELOW_MINIMUM: {
    verdict: 'reject',
    title: 'The security version of the guest image is below the minimum.',
    hint: 'Launch a current image whose ID block carries at least the required GUEST_SVN. Without an ID block the number is always zero, so the image publisher has to sign one.',
  },
  SNP_VMPL_MISMATCH: {
    verdict: 'reject',
    title: 'The report was requested at another privilege level than the policy names.',
    hint: 'Ask at the required level: write it to privlevel of configfs-tsm, or give -v 0 to snpguest report, which asks at 1 by itself. With a paravisor or SVSM in front, the tenant has to name it in the policy.',
  },
  SNP_MEASUREMENT_UNKNOWN: {
    verdict: 'reject',
    title: 'The launch measurement is not among the reference values.',
    hint: 'Usual causes are an upgraded kata or firmware image, another number of vCPUs or another QEMU CPU model. The provider should launch the published image, or the tenant can check the new one and add its digest, with --reference-values DIR or in the policy.',
  },
  SNP_HOST_DATA_MISMATCH: {
    verdict: 'reject',
    title: 'HOST_DATA is not the value expected for this launch.',
    hint: 'The provider must launch the guest with the expected 32 bytes, as host-data in QEMU or through the initdata of Kata. They are fixed at launch, so launch again after correcting them.',
  },
  SNP_ID_KEY_UNTRUSTED: {
    verdict: 'reject',
    title: 'The guest was not launched under an ID key or author key that the policy trusts.',
    hint: 'Launch the image with the ID block its publisher signed (id-block and id-auth in QEMU, author-key-enabled=on where an author key is required). The tenant can add another publisher key after checking it.',
  },
  SNP_REPORT_ID_MA_PRESENT: {
    verdict: 'reject',
    title: 'A migration agent is attached to the guest.',
    hint: 'Launch the guest without a migration agent; REPORT_ID_MA is then all ones.',
  },
  // AMD SEV-SNP: how the platform is set up.
  SNP_PLATFORM_ALIAS_CHECK: {
    verdict: 'reject',
    title: 'The platform has not completed its check for aliased memory.',
    hint: 'The provider should install a BIOS with SEV firmware of at least 1.55.22 on Milan or 1.55.38 on Genoa and reboot. If the bit stays clear afterwards, suspect the memory modules and inspect their SPD data.',
  },
  SNP_PLATFORM_INFO: {
    verdict: 'reject',
    title: 'A platform setting is not as the policy requires.',
    hint: 'The finding names the setting. The provider changes it in the BIOS (SMT Control, TSME, ECC, RAPL, ciphertext hiding) and reboots, or the tenant states in the policy that it does not matter.',
  },
  SNP_PLATFORM_RESERVED_BIT: {
    verdict: 'reject',
    title: 'The platform information has a bit that this verifier does not know.',
    hint: 'Update Vouchsafe: newer firmware may have given the bit a meaning. If the newest version does not know it either, report the processor and the firmware version.',
  },
  SNP_PLATFORM_CONTRADICTS_POLICY: {
    verdict: 'reject',
    title: 'The platform state contradicts what the guest policy would have allowed to launch.',
    hint: 'Genuine firmware refuses such a launch, so the report is not trusted. The provider should power the host off and on, launch the guest again and collect a new report.',
  },
} as const satisfies CodeTable
