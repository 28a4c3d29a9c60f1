/** What a code means, always: the verdict it carries, one sentence on what is wrong, and who can do what about it. */
export interface CodeEntry {
  /** `reject` is final for these bytes; `inconclusive` lacks something and may be asked again. Neither opens anything. */
  readonly verdict: 'reject' | 'inconclusive'
  readonly title: string
  readonly hint: string
}

/**
 * Every code a finding can carry, by area. Guarantee: a code never disappears, and neither its meaning nor its verdict
 * changes; title and hint may be worded better. The verdict of a finding is always the verdict written here.
 * A new code goes into its area as AREA_OBJECT_CONDITION; titles are unique, hints have one to three plain sentences.
 */
export const CODES = {
  // Limits: bounds applied before anything is parsed (THREATS T60 to T62).
  LIMIT_REQUEST_BYTES: {
    verdict: 'reject',
    title: 'The evidence as a whole is larger than the limit.',
    hint: 'Send one machine per request and leave out logs, images and padding. The reports, chains and revocation data of an eight-GPU machine fit well inside the limit.',
  },
  LIMIT_EVIDENCE_BYTES: {
    verdict: 'reject',
    title: 'One report or quote is larger than the limit.',
    hint: 'Send the report exactly as the firmware returned it: an SEV-SNP report has 1184 bytes, a GPU report a few thousand. Check that the collector did not append a log or encode the bytes twice.',
  },
  LIMIT_GPU_COUNT: {
    verdict: 'reject',
    title: 'The evidence lists more GPU reports than one machine may have.',
    hint: 'Collect one report per GPU of this lease and send each machine separately.',
  },
  LIMIT_CERT_COUNT: {
    verdict: 'reject',
    title: 'A certificate chain has more certificates than the limit.',
    hint: 'Send only the path of this device: VCEK, ASK and ARK for an AMD chip, the five certificates from the driver for an NVIDIA device. Give anything else as files with --collateral DIR.',
  },
  LIMIT_SIGNATURE_BUDGET: {
    verdict: 'reject',
    title: 'Judging this evidence would take more signature checks than one request may cost.',
    hint: 'Remove repeated reports, unrelated chains and superfluous revocation answers, and send one machine per request.',
  },
  LIMIT_ITEM_COUNT: {
    verdict: 'reject',
    title: 'The evidence has more items, or its folder more files, than the limit.',
    hint: 'Send one machine per bundle or folder, with one item for each CPU report, GPU and switch.',
  },
  LIMIT_JSON_DEPTH: {
    verdict: 'reject',
    title: 'The JSON is nested deeper than the limit.',
    hint: 'No format read here nests that deep, so flatten what the collector or the policy author wrapped around it. For a policy, vouchsafe policy schema prints the allowed shape.',
  },
  LIMIT_JSON_VALUES: {
    verdict: 'reject',
    title: 'The JSON has more values than the limit.',
    hint: 'Evidence of one machine has a few dozen values, and a few thousand where reports are written as lists of numbers. Send one machine per file, with binary parts in base64.',
  },
  LIMIT_DER_DEPTH: {
    verdict: 'reject',
    title: 'A certificate or revocation file is nested deeper than the limit.',
    hint: 'Genuine vendor certificates, CRLs and OCSP answers are shallow. Fetch the file again from the vendor and do not use this copy.',
  },
  LIMIT_DER_ELEMENTS: {
    verdict: 'reject',
    title: 'A certificate or revocation file has more elements than the limit.',
    hint: 'Genuine vendor certificates, CRLs and OCSP answers stay far below it. Fetch the file again from the vendor and do not use this copy.',
  },
  LIMIT_XML: {
    verdict: 'reject',
    title: 'A reference manifest is too large, too deep or has too many attributes.',
    hint: 'A genuine NVIDIA manifest is a flat file of about 25 kilobytes. Download it again from the NVIDIA RIM service and put that file into --collateral DIR.',
  },
  LIMIT_POLICY: {
    verdict: 'reject',
    title: 'The policy is too large, too deep or has too many rules.',
    hint: 'The policy author should split it by workload and drop alternatives that no machine uses. Long lists of measurements belong into reference value files, given with --reference-values DIR.',
  },
  LIMIT_COLLATERAL_BYTES: {
    verdict: 'reject',
    title: 'The collateral is larger than the limit.',
    hint: 'Point --collateral at a folder that holds only certificates, CRLs, OCSP answers and manifests for the machines being judged.',
  },
  LIMIT_COLLATERAL_COUNT: {
    verdict: 'reject',
    title: 'The collateral holds more objects than the limit.',
    hint: 'Point --collateral at a smaller folder, for example one per product or per site, and remove expired revocation answers.',
  },

  // Envelope: how the evidence travelled and what it says it is.
  ENV_UNREADABLE: {
    verdict: 'reject',
    title: 'The input is no form of evidence that is recognised.',
    hint: 'Give a raw report, an Akash quote response, NVIDIA evidence JSON or a bundle. Check that the file is not an error page, an empty download or base64 inside another wrapper.',
  },
  ENV_NOTHING_TO_JUDGE: {
    verdict: 'reject',
    title: 'The envelope is well formed but carries no evidence item.',
    hint: 'The collector ran but collected nothing. The provider should look into its log for a missing /dev/sev-guest, configfs-tsm mount or NVIDIA driver, and collect again.',
  },
  ENV_EVIDENCE_EMPTY: {
    verdict: 'reject',
    title: 'A report has no bytes.',
    hint: 'The guest returned nothing, usually because it is not a confidential VM or configfs-tsm is not mounted. The provider should check /sys/kernel/config/tsm/report and /dev/sev-guest inside the guest and collect again.',
  },
  ENV_ITEM_DUPLICATE: {
    verdict: 'reject',
    title: 'Two items of the bundle have the same id.',
    hint: 'Give every item its own id, for example cpu, gpu-0 and gpu-1, and collect again if one device was written twice.',
  },
  ENV_KIND_MISMATCH: {
    verdict: 'reject',
    title: 'The label names another kind of evidence than the bytes are.',
    hint: 'The provider should correct the label at its source, which on Akash is the tee_platform the sidecar detects. The vouchsafe inspect command shows what the bytes are.',
  },
  ENV_KIND_UNKNOWN: {
    verdict: 'reject',
    title: 'The label names a kind of evidence that does not exist or is meant for tests.',
    hint: 'Use the real attester of the platform instead of a sample one, and remove members that choose a verifier or a test. On Akash the platform is snp, tdx, snp-gpu or tdx-gpu.',
  },
  ENV_KIND_NOT_SUPPORTED: {
    verdict: 'inconclusive',
    title: 'This version does not judge that kind of evidence yet.',
    hint: 'Nothing is known to be wrong with the machine. Use a version of Vouchsafe that lists the kind, or judge the same lease by a kind that is supported.',
  },
  ENV_KIND_WEAKER_THAN_ORDER: {
    verdict: 'reject',
    title: 'The evidence proves less than the order asked for.',
    hint: 'On a cpu-gpu lease the sidecar falls back to CPU only when its GPU probe fails: look for "gpu attestation not available" in its log, check nvidia.com/cc.mode.state on the node and that the runtime class passes the GPU. Then restart the pod and collect again.',
  },
  ENV_MOCK_EVIDENCE: {
    verdict: 'reject',
    title: 'The report was made up by the mock mode of the provider software.',
    hint: 'The provider started with --attestation-mock. Remove that flag, restart the provider and recreate the lease so that the real hardware answers.',
  },
  ENV_TDREPORT_NOT_QUOTE: {
    verdict: 'reject',
    title: 'The evidence is a local TDREPORT instead of a TDX quote.',
    hint: 'Only the machine itself can check a TDREPORT. The provider should mount configfs in the guest, run qgsd on the host with vsock port 4050 reachable, and collect a quote.',
  },
  ENV_FETCH_FROM_INPUT: {
    verdict: 'reject',
    title: 'Judging this input would mean fetching a URL that the input itself chose.',
    hint: 'Addresses inside evidence are never followed. Whoever collects should include the certificate or revocation answer itself, or pass it with --collateral DIR.',
  },
  ENV_STRING_NOT_PRINTABLE: {
    verdict: 'reject',
    title: 'A text member contains control or direction-changing characters.',
    hint: 'Labels and ids are plain printable ASCII. The provider should remove colour codes, line breaks and invisible characters where the label is configured.',
  },
  ENV_BASE64_NOT_CANONICAL: {
    verdict: 'reject',
    title: 'A binary member is not canonical base64.',
    hint: 'Encode with the standard alphabet, with padding and without line breaks, for example with base64 -w0. URL-safe base64 and stray trailing bits are refused.',
  },

  // Text: JSON, hexadecimal and UTF-8, in envelopes, challenges, reference values and policies alike.
  JSON_SYNTAX: {
    verdict: 'reject',
    title: 'The text is not strict JSON.',
    hint: 'Remove comments, trailing commas, NaN and a byte order mark, and save the file as UTF-8. The path in the finding says where reading stopped.',
  },
  JSON_DUPLICATE_KEY: {
    verdict: 'reject',
    title: 'A JSON object has the same member twice.',
    hint: 'Keep one of the two; readers differ on which one counts, so neither is taken. The writer of the file should build it with a JSON library instead of joining text.',
  },
  JSON_UNKNOWN_KEY: {
    verdict: 'reject',
    title: 'A JSON object has a member that the format does not know.',
    hint: 'Correct the spelling or remove the member. Unknown members are refused because a mistyped one would otherwise be ignored without a word.',
  },
  JSON_TYPE_MISMATCH: {
    verdict: 'reject',
    title: 'A JSON member is missing or has the wrong type.',
    hint: 'Write numbers as numbers, lists as lists and text as text; nothing is converted. The finding names the member and the type it needs.',
  },
  HEX_NOT_CANONICAL: {
    verdict: 'reject',
    title: 'A value is not lower-case hexadecimal of the right length.',
    hint: 'Write exactly two lower-case digits per byte, without 0x, spaces or colons. The finding gives the expected number of digits.',
  },
  UTF8_INVALID: {
    verdict: 'reject',
    title: 'The text is not valid UTF-8.',
    hint: 'Save the file as UTF-8 without a byte order mark. If it should be binary evidence, pass the raw file instead of pasting it into text.',
  },

  // Binding: freshness, and what ties the items to the challenge, the key and each other.
  BIND_NONCE_MISMATCH: {
    verdict: 'reject',
    title: 'The report answers another challenge than the one that was asked.',
    hint: 'Collect again with the nonce of this challenge, and pass the same challenge with --challenge FILE or --nonce. If the collector hashes or shortens the nonce, have it put all 64 bytes into the report data.',
  },
  BIND_CHALLENGE_MISSING: {
    verdict: 'reject',
    title: 'No challenge was given, so the evidence could only be compared with itself.',
    hint: 'Pass what you asked for with --challenge FILE or --nonce. To judge old evidence without freshness say so with --no-freshness REASON, which can never end in accept.',
  },
  BIND_CHALLENGE_INVALID: {
    verdict: 'reject',
    title: 'The challenge record is malformed or its nonce does not follow from its content.',
    hint: 'Use the challenge file exactly as it was issued and do not edit it. The relying party can issue a new one and collect again.',
  },
  BIND_CHALLENGE_EXPIRED: {
    verdict: 'reject',
    title: 'The challenge is older than allowed.',
    hint: 'The relying party should issue a new challenge and collect at once; a challenge lives at most 120 seconds. To judge an archived pair again, give the time of that day with --at.',
  },
  BIND_CHALLENGE_FUTURE: {
    verdict: 'reject',
    title: 'The challenge was issued in the future.',
    hint: 'The clocks of the issuer and of this verifier disagree. Their operators should synchronise both with NTP and issue a new challenge.',
  },
  BIND_CHALLENGE_SCOPE: {
    verdict: 'reject',
    title: 'The challenge was issued for another lease, provider or purpose.',
    hint: 'Issue a challenge for this lease and provider and collect again; answers cannot be moved from one lease to another.',
  },
  BIND_EXPECTED_EMPTY: {
    verdict: 'reject',
    title: 'The expected nonce is empty.',
    hint: 'Whoever calls the verifier should pass the nonce that was issued. An empty expectation would match anything, so it is an error of the caller and not of the provider.',
  },
  BIND_NOT_CHECKED: {
    verdict: 'reject',
    title: 'Freshness was not checked although the policy depends on it.',
    hint: 'Run again with --challenge FILE or --nonce instead of --no-freshness. Keys are never released on evidence of unknown age.',
  },
  BIND_LENGTH_MISMATCH: {
    verdict: 'reject',
    title: 'The expected value and the report data agree only after cutting or padding.',
    hint: 'Use a nonce of exactly 64 bytes and have the guest place all of it in the report data. A 32-byte nonce padded with zeros is refused on purpose.',
  },
  BIND_SET_NOT_UNIFORM: {
    verdict: 'reject',
    title: 'The items of one machine answer different challenges.',
    hint: 'Collect CPU, GPU and switch reports in one run with one challenge. On Akash the GPU nonce is the first 32 bytes of the CPU report data.',
  },
  BIND_KEY_MISMATCH: {
    verdict: 'reject',
    title: 'The key that was presented is not the key inside the evidence.',
    hint: 'The workload must present the very key it put into the report data. If it restarted since, it has a new key: collect again.',
  },
  BIND_DOMAIN_MISMATCH: {
    verdict: 'reject',
    title: 'The key is hashed into the evidence under another domain label.',
    hint: 'The guest agent must hash its key with the label and the order of fields that this protocol prescribes. Update the agent in the image; a provider cannot change this from outside.',
  },
  BIND_TLS_CLAIM_FALSE: {
    verdict: 'reject',
    title: 'The evidence claims to be bound to a TLS key, but its report data is not.',
    hint: 'Ask the sidecar with bind_tls and verify against the TLS key of that same connection, or ask without bind_tls and do not claim it. On sidecar protocol 4 the binding earns no assurance either way.',
  },
  BIND_TLS_KEY_MISSING: {
    verdict: 'inconclusive',
    title: 'The evidence claims to be bound to a TLS key, but that key was not supplied.',
    hint: 'Supply the public key that the sidecar shows under /info as tls_public_key, or collect again without bind_tls. The Akash gateway does not pass that key on.',
  },
  BIND_COMPOSITE_MISSING: {
    verdict: 'reject',
    title: 'The CPU report does not cover the GPU evidence as the policy demands.',
    hint: 'This needs a guest agent that puts the digest of the GPU list into its report data, which the AEP-83 sidecar cannot do. The tenant can deploy an image with such an agent or lower the demanded GPU binding.',
  },
  BIND_COMPOSITE_MISMATCH: {
    verdict: 'reject',
    title: 'The GPU list is not the one the CPU report covers.',
    hint: 'Send the GPU reports unchanged and in the order in which the guest hashed them. If a GPU was swapped or reset since, collect the whole set again.',
  },
  BIND_QUOTE_ORACLE: {
    verdict: 'reject',
    title: 'The measured image signs any 64 bytes for anyone, so a key in its report data proves nothing.',
    hint: 'Only another guest image closes this: one whose agent hashes its own key and signs nothing else. The tenant can deploy such an image, or accept the risk by name with acceptRisks open-quote-oracle.',
  },

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
    hint: 'Every leased GPU must be attested, and no other. Where some are missing, the Akash sidecar created only /dev/nvidia0: the provider should add the other device nodes to the guest and collect again.',
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
    hint: 'This is not tampering: either NVIDIA has published none, or the file was not supplied. Pass the manifest with --collateral DIR, or the provider can move to a driver and VBIOS that have one.',
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

  // Reference manifests (RIM): XML, signature and content.
  RIM_ID_MISMATCH: {
    verdict: 'reject',
    title: 'The reference manifest is for another product, or not the one asked for.',
    hint: 'Download the manifest by the id that vouchsafe inspect shows for this device and put it into --collateral DIR. A switch, a GPU driver and a VBIOS each have their own.',
  },
  RIM_VERSION_MISMATCH: {
    verdict: 'reject',
    title: 'The reference manifest is for another version than the device reports.',
    hint: 'Supply the manifest of exactly the driver and VBIOS in the report; neighbouring versions do not stand in for it. If the device was updated, refresh the folder given with --collateral.',
  },
  RIM_MALFORMED: {
    verdict: 'reject',
    title: 'The reference manifest cannot be read.',
    hint: 'Download it again from the NVIDIA RIM service and store the decoded XML, not the JSON answer around it.',
  },
  RIM_SCHEMA_INVALID: {
    verdict: 'reject',
    title: 'The reference manifest does not have the structure of an NVIDIA manifest.',
    hint: 'Use the file as NVIDIA publishes it, with its namespaces and elements unchanged. If the published file itself is refused, update Vouchsafe.',
  },
  RIM_EMPTY: {
    verdict: 'reject',
    title: 'The reference manifest has no active measurement.',
    hint: 'A manifest that measures nothing would pass every device. Use the one NVIDIA publishes for this version.',
  },
  RIM_INDEX_DUPLICATE: {
    verdict: 'reject',
    title: 'The reference manifest lists one measurement index twice.',
    hint: 'Download the manifest again; published ones list every index once. If the published file has this fault, report it to NVIDIA.',
  },
  RIM_VALUE_INVALID: {
    verdict: 'reject',
    title: 'A reference measurement is not a SHA-384 value in lower-case hexadecimal.',
    hint: 'Do not edit manifests; download the file again. Every value has 96 digits.',
  },
  RIM_SIGNATURE_COUNT: {
    verdict: 'reject',
    title: 'The reference manifest does not have exactly one signature.',
    hint: 'Use the file as published. Tools that pretty-print or re-sign XML remove or add signatures.',
  },
  RIM_SIGNATURE_MALFORMED: {
    verdict: 'reject',
    title: 'The signature block of the reference manifest is not well formed.',
    hint: 'Download the manifest again. Comments or markup inside signature values are never NVIDIA work; do not use this copy.',
  },
  RIM_SIGNATURE_SCOPE: {
    verdict: 'reject',
    title: 'The signature of the reference manifest does not cover the content that would be read.',
    hint: 'This is how forged manifests are built. Discard the file, download it again from the NVIDIA RIM service and find out where the copy came from.',
  },
  RIM_REFERENCE_INVALID: {
    verdict: 'reject',
    title: 'The signature of the reference manifest refers to something other than the whole document.',
    hint: 'Discard the file and download it again; NVIDIA signs the whole document with one reference.',
  },
  RIM_TRANSFORM_FORBIDDEN: {
    verdict: 'reject',
    title: 'The signature of the reference manifest uses a transformation that is not allowed.',
    hint: 'NVIDIA uses the enveloped-signature transform and canonical XML only. Discard the file and download it again.',
  },
  RIM_ALGORITHM_FORBIDDEN: {
    verdict: 'reject',
    title: 'The reference manifest is signed with a weak or unexpected algorithm.',
    hint: 'NVIDIA signs with ECDSA P-384 and SHA-384. Discard the file and download it again.',
  },
  RIM_KEYINFO_FORBIDDEN: {
    verdict: 'reject',
    title: 'The reference manifest names its key by something other than certificates.',
    hint: 'Genuine manifests carry X509Data only. A bare key beside it is an attempt to bring in another signer; discard the file.',
  },
  RIM_SIGNER_NOT_BOUND: {
    verdict: 'reject',
    title: 'The reference manifest was signed by a key other than the one in its leaf certificate.',
    hint: 'Somebody combined a signature of their own with NVIDIA certificates. Discard the file and download it again from the NVIDIA RIM service.',
  },
  RIM_SIGNER_UNTRUSTED: {
    verdict: 'reject',
    title: 'The certificate that signed the reference manifest is revoked or not meant for manifests.',
    hint: 'Download the current revision of the manifest, which has a new signer. If its signer is revoked as well, NVIDIA has withdrawn it: the provider should move to another driver or VBIOS.',
  },
  RIM_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The signature of the reference manifest does not fit its content.',
    hint: 'The file was changed, often by an editor that reformatted it. Download it again and keep it byte for byte.',
  },
  XML_SYNTAX: {
    verdict: 'reject',
    title: 'The file is not well-formed XML.',
    hint: 'The download was probably cut or is an error page. Fetch the manifest again and store the decoded XML.',
  },
  XML_DTD_FORBIDDEN: {
    verdict: 'reject',
    title: 'The XML has a document type declaration.',
    hint: 'Manifests need none, and entities could reach other files. Discard the file and download it again.',
  },
  XML_ENCODING: {
    verdict: 'reject',
    title: 'The XML is not plain UTF-8.',
    hint: 'Store the manifest as downloaded, without converting it to UTF-16 or adding a byte order mark.',
  },

  // X.509: certificates and their paths.
  X509_ROOT_UNTRUSTED: {
    verdict: 'reject',
    title: 'The certificate chain does not end in a pinned vendor root.',
    hint: 'Roots inside evidence are never believed. The provider should send the complete vendor chain; for a test hierarchy of your own name its root with --trust-anchor FILE, and the decision will then open nothing.',
  },
  X509_SERIAL_REUSED: {
    verdict: 'reject',
    title: 'Two different certificates carry the same issuer and serial number.',
    hint: 'An issuer numbers its certificates uniquely, so one of the two is not what it seems. Fetch the chain again from the vendor and keep only that copy.',
  },
  X509_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'A certificate was not signed by the certificate above it.',
    hint: 'The chain mixes certificates of different products or devices, or one was altered. Fetch the chain again from the vendor: snpguest fetch ca for AMD, the driver for NVIDIA.',
  },
  X509_VALIDITY: {
    verdict: 'reject',
    title: 'A certificate is expired or not yet valid at the time of judgement.',
    hint: 'Fetch a current certificate or manifest; for old evidence give its own time with --at. If the certificate is only minutes old, check the clock of the verifier.',
  },
  X509_REVOKED: {
    verdict: 'reject',
    title: 'A certificate of the chain is revoked.',
    hint: 'Fetch the current chain from the vendor, because a replaced intermediate is revoked while its successor is good. If the current one is revoked too, the hardware or manifest cannot be used.',
  },
  X509_NOT_CA: {
    verdict: 'reject',
    title: 'A certificate that issued another one is not a CA.',
    hint: 'No vendor issues such a chain. Fetch the chain again and do not use this copy.',
  },
  X509_LEAF_IS_CA: {
    verdict: 'reject',
    title: 'The certificate that should belong to a device is a CA.',
    hint: 'An intermediate was sent in place of the device certificate. Send the chain leaf first.',
  },
  X509_PATH_LENGTH: {
    verdict: 'reject',
    title: 'The chain is longer than one of its CAs permits.',
    hint: 'Remove certificates that do not belong to the path. If the vendor chain itself looks like this, fetch it again.',
  },
  X509_NAME_CHAIN: {
    verdict: 'reject',
    title: 'The issuer named in a certificate is not the subject of the one above it.',
    hint: 'Certificates are missing, out of order or from another product. Send the chain leaf first, each followed by its issuer.',
  },
  X509_KEY_USAGE: {
    verdict: 'reject',
    title: 'A certificate is used for something its key usage does not allow.',
    hint: 'Fetch the chain again from the vendor. A self-made test hierarchy needs keyCertSign on its CAs and digitalSignature on its leaves.',
  },
  X509_CRITICAL_EXTENSION: {
    verdict: 'reject',
    title: 'A certificate has a critical extension this verifier does not understand.',
    hint: 'Update Vouchsafe in case the vendor has introduced the extension. Otherwise fetch the certificate again.',
  },
  X509_EXTENSION_DUPLICATE: {
    verdict: 'reject',
    title: 'A certificate has the same extension twice.',
    hint: 'Vendors do not issue this. Fetch the certificate again and do not use this copy.',
  },
  X509_ALGORITHM_MISMATCH: {
    verdict: 'reject',
    title: 'A certificate names two different signature algorithms.',
    hint: 'The certificate was altered. Fetch it again from the vendor.',
  },
  X509_ALGORITHM_FORBIDDEN: {
    verdict: 'reject',
    title: 'A certificate is signed with an algorithm or parameters that are not allowed.',
    hint: 'AMD uses RSA-PSS with SHA-384 and salt 48, NVIDIA uses ECDSA P-384 with SHA-384. Fetch the certificate again, and update Vouchsafe if the vendor has changed its algorithm.',
  },
  X509_KEY_UNSUPPORTED: {
    verdict: 'reject',
    title: 'A certificate has a key of a type or curve that is not allowed.',
    hint: 'Keys must be on a named curve; explicit curve parameters are how forged keys are hidden. Fetch the certificate again from the vendor.',
  },
  X509_KEY_INVALID: {
    verdict: 'reject',
    title: 'The public key in a certificate is not a valid point of its curve.',
    hint: 'The certificate is damaged or forged. Fetch it again from the vendor and do not use this copy.',
  },
  X509_KEY_SIZE: {
    verdict: 'reject',
    title: 'An RSA key has a size or exponent that is not allowed.',
    hint: 'AMD CA keys have 4096 bits. Remove the foreign certificate, or fetch the chain again.',
  },
  X509_MALFORMED: {
    verdict: 'reject',
    title: 'The file is well-formed DER but not a certificate.',
    hint: 'Check that a key, a request or a CRL was not sent in its place. Certificates are X.509 version 3 as RFC 5280 defines them.',
  },
  DER_NOT_CANONICAL: {
    verdict: 'reject',
    title: 'A binary structure is not in its one canonical DER form.',
    hint: 'Use the file as the vendor issued it; conversion tools and cut downloads cause this. Fetch it again.',
  },
  DER_OID_INVALID: {
    verdict: 'reject',
    title: 'An object identifier is malformed or has a component out of range.',
    hint: 'Such identifiers are made to be mistaken for others. Discard the file and fetch it again from the vendor.',
  },
  DER_TRUNCATED: {
    verdict: 'reject',
    title: 'A certificate or revocation file ends before its declared length.',
    hint: 'The file was cut on the way. Fetch it again from the vendor and pass it whole.',
  },
  DER_TRAILING_BYTES: {
    verdict: 'reject',
    title: 'Bytes follow the end of a certificate or of a value inside it.',
    hint: 'Send each DER certificate in its own file or entry, without padding. Several certificates in one file belong into PEM.',
  },
  PEM_INVALID: {
    verdict: 'reject',
    title: 'The PEM text is damaged or has a different number of certificates than needed.',
    hint: 'Keep only the BEGIN and END CERTIFICATE blocks, without text between them and without a byte order mark. For AMD, snpguest fetch ca pem DIR -r report.bin writes clean files.',
  },

  // Revocation: CRLs and OCSP answers.
  CRL_MISSING: {
    verdict: 'inconclusive',
    title: 'There is no revocation list for a certificate that needs one.',
    hint: 'For AMD fetch it with snpguest fetch crl der DIR -r report.bin (add -e vlek for a VLEK), for Intel from pckcrl and IntelSGXRootCA.der of its service, and pass the folder with --collateral DIR. The provider can do nothing about this.',
  },
  CRL_STALE: {
    verdict: 'inconclusive',
    title: 'The revocation list is past its next update.',
    hint: 'Fetch the current list from the vendor and replace the old file in --collateral DIR. Lists of AMD and of the root of Intel last about a year, those of the PCK CA 30 days.',
  },
  CRL_TIME_INVALID: {
    verdict: 'inconclusive',
    title: 'The revocation list was issued in the future.',
    hint: 'Fetch the list again from the vendor and check the clock of the verifier.',
  },
  CRL_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The revocation list was not signed by the issuer of the certificate.',
    hint: 'The list of another product was supplied, or it was altered. Each AMD product and each CA of Intel has its own: fetch it from the vendor, for AMD with snpguest fetch crl der DIR -r report.bin.',
  },
  CRL_UNSUPPORTED: {
    verdict: 'reject',
    title:
      'The revocation list is partial or without end date, has an unknown critical extension, or its signer may not sign.',
    hint: 'Use the complete list from the address of the vendor. If that very list is refused, update Vouchsafe.',
  },
  CRL_MALFORMED: {
    verdict: 'reject',
    title: 'The file is well-formed DER but not a revocation list.',
    hint: 'Fetch the list again; an error page or a certificate was probably saved under its name.',
  },
  OCSP_MISSING: {
    verdict: 'inconclusive',
    title: 'There is no OCSP answer for a certificate that needs one.',
    hint: 'Fetch one with openssl ocsp -issuer ISSUER.pem -cert CERT.pem -url http://ocsp.ndis.nvidia.com -respout FILE and pass it with --collateral DIR. A policy may also ask for stapled answers only, which the collector then has to send along.',
  },
  OCSP_STALE: {
    verdict: 'inconclusive',
    title: 'The OCSP answer is older than allowed.',
    hint: 'Fetch a new answer and replace the file in --collateral DIR, or have the collector staple a fresh one. To judge old evidence give its own time with --at.',
  },
  OCSP_INVALID: {
    verdict: 'inconclusive',
    title: 'The OCSP answer is for another certificate or nonce, from a responder without delegation, or says unknown.',
    hint: 'Ask again for exactly this certificate, with its own issuer and a new nonce, straight from the vendor. Caching proxies must not mix up answers.',
  },
  OCSP_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The OCSP answer was not signed by its responder.',
    hint: 'The answer was altered or belongs to another responder. Discard it and fetch a new one from the vendor.',
  },
  OCSP_MALFORMED: {
    verdict: 'reject',
    title: 'The file is well-formed DER but not an OCSP answer.',
    hint: 'Store the DER body of the response, for example with the -respout option of openssl ocsp, not the request or an error page.',
  },

  // Collateral as a whole: what vendors sign about their products.
  COLLATERAL_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'The vendor could not be reached and nothing usable is stored.',
    hint: 'This is not a fault of the provider. Retry later, or fetch the files elsewhere and pass them with --collateral DIR.',
  },
  COLLATERAL_EXPIRED: {
    verdict: 'inconclusive',
    title: 'Collateral is past its next update.',
    hint: 'Fetch the current version from the vendor and replace the file in --collateral DIR. To judge old evidence give its own time with --at.',
  },
  COLLATERAL_NOT_YET_VALID: {
    verdict: 'inconclusive',
    title: 'Collateral was issued after the time of judgement.',
    hint: 'Check the clock of the verifier and the time given with --at. Old evidence needs the collateral of its own time.',
  },
  COLLATERAL_TOO_OLD: {
    verdict: 'inconclusive',
    title: 'Collateral has not expired but is older than the policy allows.',
    hint: 'Refresh the folder given with --collateral from the vendor. The tenant decides on the age in the policy.',
  },
  COLLATERAL_SUBJECT_MISMATCH: {
    verdict: 'reject',
    title: 'Collateral is genuine but describes another platform.',
    hint: 'Fetch the collateral of this processor or device; vouchsafe inspect shows which one it is.',
  },
  COLLATERAL_EVALUATION_TOO_LOW: {
    verdict: 'reject',
    title: 'Collateral comes from an earlier vendor evaluation than required.',
    hint: 'Fetch the newest collateral from the vendor instead of an archived or early-access one.',
  },
  COLLATERAL_ROLLBACK: {
    verdict: 'reject',
    title: 'Collateral is older than what was already seen.',
    hint: 'Somebody served an old list that may hide a revocation. The operator of the verifier should fetch the current one straight from the vendor and check any cache or proxy between.',
  },
  COLLATERAL_EQUIVOCATION: {
    verdict: 'reject',
    title: 'Two different files were supplied under the same id and revision.',
    hint: 'Find out which one the vendor publishes and remove the other. If the vendor really serves both, report it to them.',
  },
  COLLATERAL_RESPONSE_INVALID: {
    verdict: 'inconclusive',
    title: 'The vendor service gave an answer that is not collateral.',
    hint: 'A proxy login page, a redirect or an outage usually causes this. Retry, check the proxy of the verifier, or pass the files with --collateral DIR.',
  },
  COLLATERAL_UNRECOGNISED: {
    verdict: 'reject',
    title: 'A collateral file is of no known kind.',
    hint: 'The folder may hold certificates (PEM or DER), CRLs, OCSP answers, NVIDIA manifests in XML and vendor JSON. Move anything else out of --collateral DIR.',
  },

  // Reference values: which software is known, and who says so.
  REFERENCE_VALUE_INVALID: {
    verdict: 'reject',
    title: 'A reference value is malformed.',
    hint: 'Its publisher should correct the entry at the path in the finding: digest, kind, signer and expiry must be there in full.',
  },
  REFERENCE_VALUE_EXPIRED: {
    verdict: 'reject',
    title: 'The reference value that matches is expired or withdrawn.',
    hint: 'The publisher no longer vouches for this image. The provider should launch a current one, or the tenant can get renewed reference values and pass them with --reference-values DIR.',
  },
  REFERENCE_VALUE_NOT_YET_VALID: {
    verdict: 'reject',
    title: 'The reference value that matches is not valid yet.',
    hint: 'Wait for the date the publisher set, or check the clock of the verifier and the time given with --at.',
  },
  REFERENCE_VALUE_UNTRUSTED: {
    verdict: 'reject',
    title: 'The reference values are not signed by someone the policy trusts.',
    hint: 'Get the bundle from its publisher again without changing it. The tenant decides in the policy which signers count.',
  },

  // Policy: the document itself, before any evidence is looked at.
  POLICY_MISSING: {
    verdict: 'inconclusive',
    title: 'No policy was given, so the evidence was judged on its own merits only.',
    hint: 'Name a policy file or a preset with --policy, for example --policy cpu-confidential or --policy h100-confidential.',
  },
  POLICY_EMPTY: {
    verdict: 'reject',
    title: 'The policy has no rule.',
    hint: 'Start from a preset with extends and add requirements; vouchsafe policy schema prints what there is. A policy that asks for nothing would admit everything.',
  },
  POLICY_VERSION: {
    verdict: 'reject',
    title: 'The policy has no version, or one this verifier does not know.',
    hint: 'Write "version": 1 as a number. For a newer version update Vouchsafe.',
  },
  POLICY_UNKNOWN_KEY: {
    verdict: 'reject',
    title: 'The policy has a member that does not exist.',
    hint: 'Correct the spelling; the finding names the nearest known member and vouchsafe policy schema lists all of them. Unknown members are refused so that a typing error cannot loosen a policy.',
  },
  POLICY_KEY_MISSING: {
    verdict: 'reject',
    title: 'The policy lacks a member it must have.',
    hint: 'Add the member the finding names. There are no defaults for it, because a default could loosen the policy.',
  },
  POLICY_TYPE: {
    verdict: 'reject',
    title: 'A policy value has the wrong type.',
    hint: 'Write true, not "true", and whole numbers without a fraction; nothing is converted and null is never a value.',
  },
  POLICY_HEX: {
    verdict: 'reject',
    title: 'A digest or id in the policy is not lower-case hexadecimal of the right length.',
    hint: 'Write a SHA-384 digest as 96 lower-case digits and a SHA-256 digest as 64, without 0x. The vouchsafe inspect command prints them in that form.',
  },
  POLICY_VALUE_INVALID: {
    verdict: 'reject',
    title: 'A policy value is not one that its member may have.',
    hint: 'Write one of the values of the finding, or a value in its form, in the same case. The command vouchsafe policy schema explains every member.',
  },
  POLICY_NUMBER_RANGE: {
    verdict: 'reject',
    title: 'A number in the policy is outside the range it may have.',
    hint: 'Use a whole number within the bounds of the finding. Negative numbers and numbers above 2^53 are refused.',
  },
  POLICY_LIST_EMPTY: {
    verdict: 'reject',
    title: 'A list in the policy is empty.',
    hint: 'Name at least one entry, or remove the member if nothing is to be required. An empty list could be read as everything or as nothing.',
  },
  POLICY_DUPLICATE_ENTRY: {
    verdict: 'reject',
    title: 'A list in the policy has the same entry twice.',
    hint: 'Remove the repetition; it usually is a copy that was meant to be edited.',
  },
  POLICY_ZERO_DIGEST: {
    verdict: 'reject',
    title: 'A digest in the policy is all zero.',
    hint: 'Zero is what a report shows when the field is absent, so it would match guests without any key. Put the real digest there or remove the entry.',
  },
  POLICY_PATTERN_FORBIDDEN: {
    verdict: 'reject',
    title: 'A policy value is a pattern or wildcard.',
    hint: 'List the exact values. Regular expressions and wildcards are not supported, because they admit more than their author sees.',
  },
  POLICY_URL_FORBIDDEN: {
    verdict: 'reject',
    title: 'A policy value is a URL or a file path.',
    hint: 'A policy is complete in itself. Put the values into it, or pass files with --reference-values DIR.',
  },
  POLICY_UNSATISFIABLE: {
    verdict: 'reject',
    title: 'The policy contradicts itself, so no machine could ever meet it.',
    hint: 'Two members contradict each other; the path names one and expected says what would fit. Typical cases are a minimum above a maximum, and a level above 3 without referenceValues.signers.',
  },
  POLICY_BELOW_FLOOR: {
    verdict: 'reject',
    title: 'The policy is looser than the floor of the marketplace.',
    hint: 'A tenant can only tighten. Remove the loosening rule the finding names; the marketplace alone can change its floor.',
  },
  POLICY_EXTENDS_INVALID: {
    verdict: 'reject',
    title: 'The policy is looser than the preset that it extends, or extends nothing that exists.',
    hint: 'A preset can only be tightened: drop the looser member, or drop extends and write the whole policy out. The presets are cpu-confidential and h100-confidential.',
  },
  POLICY_UNKNOWN_PRESET: {
    verdict: 'reject',
    title: 'There is no preset of that name.',
    hint: 'The presets are cpu-confidential and h100-confidential. Check the spelling, or give the path of a policy file.',
  },
  POLICY_ACKNOWLEDGEMENT_MISSING: {
    verdict: 'reject',
    title: 'The policy allows something refused by default without acknowledging it by name.',
    hint: 'The tenant must name the accepted risk beside the rule, as the finding shows; it is then repeated in every decision. Allowing Milan is the usual case.',
  },
  POLICY_MEASUREMENT_REQUIRED: {
    verdict: 'reject',
    title: 'A rule rests on what was launched, and the policy does not pin it.',
    hint: 'Pin the launch in the alternative that path names, with the values under expected, or name signers in referenceValues who vouch for it. Keys, a signer of enclaves and what dstack measured mean nothing for an unknown image.',
  },
  POLICY_PROFILE_NOT_RELEASABLE: {
    verdict: 'reject',
    title: 'A development policy cannot release keys or admit bids.',
    hint: 'Remove the development profile and everything that needs it, such as debugging, before using the policy in production.',
  },
  POLICY_DIGEST_CHANGED: {
    verdict: 'reject',
    title: 'The policy is not the one the challenge was issued for.',
    hint: 'Issue a new challenge under the current policy and collect again, or judge with the policy of that time. The command vouchsafe policy digest prints the digest to compare.',
  },
  POLICY_KIND_NOT_COVERED: {
    verdict: 'reject',
    title: 'The policy has no alternative for this kind of evidence.',
    hint: 'The tenant can add an alternative for the kind under cpu.any. The provider can offer a machine of a kind that is listed.',
  },
  POLICY_LEASE_NOT_BOUND: {
    verdict: 'reject',
    title: 'The policy requires evidence bound to the lease, and nothing in it names the lease.',
    hint: 'Collect with a challenge that was issued for this lease, and where the policy asks for it launch with HOST_DATA or initdata made for it. Pass the lease with --lease FILE.',
  },

  // Appraisal: proved claims against the policy.
  APPRAISAL_LEVEL_TOO_LOW: {
    verdict: 'reject',
    title: 'The assurance level reached is below the one required.',
    hint: 'The decision lists what was proved and what is missing for the next level. Levels 4 and 5 need a guest image whose publisher vouches for it; the AEP-83 sidecar is capped at level 3.',
  },
  APPRAISAL_ASSURANCE_TOO_LOW: {
    verdict: 'reject',
    title: 'The policy demands an assurance class that this evidence cannot give.',
    hint: 'Signed evidence alone proves silicon, not its place or a stake. The provider needs the endorsement the policy names, from an auditor or the marketplace.',
  },
  APPRAISAL_CLAIM_MISSING: {
    verdict: 'reject',
    title: 'The evidence does not contain a claim the policy names.',
    hint: 'Older firmware, drivers or report versions leave fields out: the provider can update them. If this kind of hardware never has the claim, the tenant should move the rule to the alternative it belongs to.',
  },
  APPRAISAL_CPU_MISSING: {
    verdict: 'reject',
    title: 'The policy requires CPU evidence, and there is none.',
    hint: 'Collect the report or quote of the CPU together with the GPU reports in one run; GPU evidence alone says nothing about the guest that uses it.',
  },
  APPRAISAL_LEASE_MISSING: {
    verdict: 'inconclusive',
    title: 'A rule of the policy compares with the lease, and the lease was not given or does not say.',
    hint: 'Pass the lease with --lease FILE, and have it state what the finding names. To judge a machine without a lease, the tenant can write the number of GPUs into a policy that extends no preset.',
  },

  // Intel TDX and SGX: quotes, their collateral, TCB.
  TDX_SIZE_MISMATCH: {
    verdict: 'reject',
    title: 'The TDX quote ends before its declared end, or its lengths contradict each other.',
    hint: 'Send the quote exactly as the quoting service returned it, in binary and not cut to a fixed size. Zeros that fill its buffer may stay.',
  },
  TDX_TRAILING_BYTES: {
    verdict: 'reject',
    title: 'Bytes other than a little zero padding follow the TDX quote.',
    hint: 'Send the quote alone: append neither log nor label to it. Padding is zeros, up to 8192 bytes in all.',
  },
  TDX_VERSION_UNSUPPORTED: {
    verdict: 'reject',
    title: 'The TDX quote is neither of version 4 nor of version 5.',
    hint: 'Update the DCAP quote generation library of the host, which writes version 4 or 5 for TDs.',
  },
  TDX_BODY_TYPE_INVALID: {
    verdict: 'reject',
    title: 'The body descriptor of the TDX quote does not fit a TD report.',
    hint: 'A TDX quote of version 5 has body type 2 with 584 bytes or type 3 with 648. Take a new quote from the guest.',
  },
  TDX_KEY_TYPE_UNSUPPORTED: {
    verdict: 'reject',
    title: 'The attestation key of the TDX quote is not ECDSA P-256.',
    hint: 'Configure the quoting service of the host for ECDSA P-256, the only key type that Intel certifies.',
  },
  TDX_QE_VENDOR_UNKNOWN: {
    verdict: 'reject',
    title: 'The quoting enclave of the TDX quote does not name Intel as its vendor.',
    hint: 'Run the TD quoting enclave of Intel on the host. Quoting enclaves of others are not accepted.',
  },
  TDX_CERT_DATA_INVALID: {
    verdict: 'reject',
    title: 'The certification data of the TDX quote has a type, nesting or length that is not supported.',
    hint: 'Let the host provision its PCK certificate chain, so that quotes carry it as certification data of type 5. Do not rewrite the quote on its way.',
  },
  TDX_PCK_CERT_MISSING: {
    verdict: 'inconclusive',
    title: 'The TDX quote names its PCK certificate, and that certificate was not given.',
    hint: 'Fetch the PCK certificate and its CA from the provisioning service for the encrypted PPID, CPUSVN, PCESVN and PCEID in the quote, and give both as collateral. Or provision the host so that quotes carry the chain.',
  },
  TDX_PCK_CERT_ROLE: {
    verdict: 'reject',
    title: 'A certificate in the chain of the TDX quote does not have the name of its place.',
    hint: 'The chain is the PCK certificate, then the PCK Platform or Processor CA of Intel, then its root. Send it as the provisioning service gave it.',
  },
  TDX_PCK_EXTENSION_INVALID: {
    verdict: 'reject',
    title: 'The SGX extension of the PCK certificate behind the TDX quote is malformed.',
    hint: 'Fetch the PCK certificate again from the provisioning service. One that Intel issued has every field once and in its exact length.',
  },
  TDX_QE_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The report of the quoting enclave in the TDX quote was not signed by the PCK.',
    hint: 'The chain must be that of the machine that made the quote, at the TCB it had then. Restart the quoting service after a TCB change, and take a new quote.',
  },
  TDX_QE_BINDING_INVALID: {
    verdict: 'reject',
    title: 'The quoting enclave does not vouch for the key that signed the TDX quote.',
    hint: 'Attestation key and QE authentication data were changed, or taken from another quote. Take a new quote from the guest and pass it on untouched.',
  },
  TDX_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The TDX quote was not signed by its attestation key.',
    hint: 'The quote was changed after it was signed, or put together from several. Take a new quote from the guest and pass it on untouched.',
  },
  TDX_SEAM_UNTRUSTED: {
    verdict: 'reject',
    title: 'The TDX module was not signed by Intel, or runs with attributes of its own.',
    hint: 'Load a production TDX module of Intel on the host: MRSIGNERSEAM and SEAMATTRIBUTES are then zero.',
  },
  SGX_FORMAT_INVALID: {
    verdict: 'reject',
    title: 'The SGX quote has a version, key type, vendor or length that no supported quote has.',
    hint: 'Send an ECDSA quote of version 3, 4 or 5 by the quoting enclave of Intel, exactly as the quoting library returned it. EPID quotes are not accepted.',
  },
  SGX_RESERVED_NOT_ZERO: {
    verdict: 'reject',
    title: 'A reserved field of the SGX enclave report is set, or a KSS field without KSS.',
    hint: 'Send the quote as the quoting library returned it. To use CONFIGID, CONFIGSVN or the extended product and family ids, build the enclave with KSS.',
  },
  SGX_CERT_DATA_INVALID: {
    verdict: 'reject',
    title: 'The certification data of the SGX quote has a type, nesting or length that is not supported.',
    hint: 'Let the host provision its PCK certificate chain, so that quotes carry it as certification data of type 5. Do not rewrite the quote on its way.',
  },
  SGX_PCK_CERT_MISSING: {
    verdict: 'inconclusive',
    title: 'The SGX quote names its PCK certificate, and that certificate was not given.',
    hint: 'Fetch the PCK certificate and its CA from the provisioning service for the encrypted PPID, CPUSVN, PCESVN and PCEID in the quote, and give both as collateral. Or provision the host so that quotes carry the chain.',
  },
  SGX_PCK_CERT_ROLE: {
    verdict: 'reject',
    title: 'A certificate in the chain of the SGX quote does not have the name of its place.',
    hint: 'The chain is the PCK certificate, then the PCK Platform or Processor CA of Intel, then its root. Send it as the provisioning service gave it.',
  },
  SGX_PCK_EXTENSION_INVALID: {
    verdict: 'reject',
    title: 'The SGX extension of the PCK certificate behind the SGX quote is malformed.',
    hint: 'Fetch the PCK certificate again from the provisioning service. One that Intel issued has every field once and in its exact length.',
  },
  SGX_QE_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The report of the quoting enclave in the SGX quote was not signed by the PCK.',
    hint: 'The chain must be that of the machine that made the quote, at the TCB it had then. Restart the quoting service after a TCB change, and take a new quote.',
  },
  SGX_QE_BINDING_INVALID: {
    verdict: 'reject',
    title: 'The quoting enclave does not vouch for the key that signed the SGX quote.',
    hint: 'Attestation key and QE authentication data were changed, or taken from another quote. Take a new quote from the enclave and pass it on untouched.',
  },
  SGX_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The SGX quote was not signed by its attestation key.',
    hint: 'The quote was changed after it was signed, or put together from several. Take a new quote from the enclave and pass it on untouched.',
  },
  TDX_TCB_INFO_MISSING: {
    verdict: 'inconclusive',
    title: 'There is no TDX TCB info for this platform.',
    hint: 'Fetch tdx/certification/v4/tcb?fmspc=FMSPC of Intel, with the FMSPC that the finding names, and pass the answer with --collateral DIR. The sender may lay it beside the quote as well.',
  },
  TDX_QE_IDENTITY_MISSING: {
    verdict: 'inconclusive',
    title: 'There is no identity of the TDX quoting enclave.',
    hint: 'Fetch tdx/certification/v4/qe/identity of Intel and pass the answer with --collateral DIR, together with its issuer chain.',
  },
  TDX_TCB_SIGNER_MISSING: {
    verdict: 'inconclusive',
    title: 'The certificate of the TCB signer of Intel is missing, so the TDX documents cannot be proved.',
    hint: 'Intel sends it in a header of the answer whose name ends in Issuer-Chain. Save that header, or the chain as PEM, beside the document in --collateral DIR.',
  },
  TDX_COLLATERAL_SIGNATURE: {
    verdict: 'reject',
    title: 'A TDX TCB info or QE identity was not signed by the TCB signer of Intel.',
    hint: 'The text was altered, formatted anew, or signed with another key; the signature covers every byte as Intel delivered it. Fetch the document again and store it without passing it through a JSON tool.',
  },
  TDX_COLLATERAL_MALFORMED: {
    verdict: 'reject',
    title: 'A signed TDX TCB info or QE identity does not have the form that Intel defines.',
    hint: 'The finding names the member. Update Vouchsafe in case Intel has published a new version of the document, otherwise fetch it again.',
  },
  TDX_TCB_INFO_KIND: {
    verdict: 'reject',
    title: 'The TCB info given for this TDX quote is of another technology.',
    hint: 'Intel publishes one TCB info for SGX and one for TDX, at different addresses. Fetch tdx/certification/v4/tcb?fmspc=FMSPC.',
  },
  TDX_FMSPC_MISMATCH: {
    verdict: 'reject',
    title: 'The TDX TCB info describes another platform than the PCK certificate of the quote.',
    hint: 'Fetch the TCB info with the FMSPC of this platform; the finding shows both. FMSPC and PCE id have to be equal.',
  },
  TDX_TCB_COMPONENTS: {
    verdict: 'reject',
    title: 'A level of the TDX TCB info does not have exactly 16 components.',
    hint: 'A shorter list would leave security versions uncompared. Fetch the TCB info again; if Intel really serves it like this, update Vouchsafe.',
  },
  TDX_TCB_LEVEL_MALFORMED: {
    verdict: 'reject',
    title: 'A level of the TDX TCB info or QE identity lacks a member or has one of the wrong type.',
    hint: 'Security versions are whole numbers and every level has a date and a status. Fetch the document again; if Intel really serves it like this, update Vouchsafe.',
  },
  TDX_TCB_STATUS_UNKNOWN: {
    verdict: 'reject',
    title: 'A level of the TDX TCB info or QE identity has a status that Vouchsafe does not know.',
    hint: 'An unknown status is never read as a good one. Update Vouchsafe in case Intel has introduced the word, otherwise fetch the document again.',
  },
  TDX_TCB_NO_LEVEL: {
    verdict: 'reject',
    title: 'The security versions of this TDX platform are below every level that Intel lists.',
    hint: 'The finding names the closest level and what falls short of it. The provider should update BIOS, microcode, TDX module and the DCAP packages of the host, and then fetch a new PCK certificate.',
  },
  TDX_TCB_REVOKED: {
    verdict: 'reject',
    title: 'Intel has revoked the level that this TDX platform is at.',
    hint: 'No policy can allow a revoked level. The provider should update what the finding names, BIOS, TDX module or quoting enclave, and then fetch a new PCK certificate.',
  },
  TDX_QE_IDENTITY_MISMATCH: {
    verdict: 'reject',
    title: 'The enclave that made the TDX quote is not the quoting enclave that Intel describes.',
    hint: 'The provider should install the quoting enclave of Intel from its DCAP packages, never a rebuilt or debug one. The verifier needs the identity named TD_QE.',
  },
  TDX_MODULE_UNKNOWN: {
    verdict: 'reject',
    title: 'The TCB info does not describe a TDX module of this major version.',
    hint: 'Fetch the current TCB info for the FMSPC of the platform. If it does not name the version either, the provider should load a TDX module that Intel has published.',
  },
  SGX_TCB_INFO_MISSING: {
    verdict: 'inconclusive',
    title: 'There is no SGX TCB info for this platform.',
    hint: 'Fetch sgx/certification/v4/tcb?fmspc=FMSPC of Intel, with the FMSPC that the finding names, and pass the answer with --collateral DIR. The sender may lay it beside the quote as well.',
  },
  SGX_QE_IDENTITY_MISSING: {
    verdict: 'inconclusive',
    title: 'There is no identity of the SGX quoting enclave.',
    hint: 'Fetch sgx/certification/v4/qe/identity of Intel and pass the answer with --collateral DIR, together with its issuer chain.',
  },
  SGX_TCB_SIGNER_MISSING: {
    verdict: 'inconclusive',
    title: 'The certificate of the TCB signer of Intel is missing, so the SGX documents cannot be proved.',
    hint: 'Intel sends it in a header of the answer whose name ends in Issuer-Chain. Save that header, or the chain as PEM, beside the document in --collateral DIR.',
  },
  SGX_COLLATERAL_SIGNATURE: {
    verdict: 'reject',
    title: 'A SGX TCB info or QE identity was not signed by the TCB signer of Intel.',
    hint: 'The text was altered, formatted anew, or signed with another key; the signature covers every byte as Intel delivered it. Fetch the document again and store it without passing it through a JSON tool.',
  },
  SGX_COLLATERAL_MALFORMED: {
    verdict: 'reject',
    title: 'A signed SGX TCB info or QE identity does not have the form that Intel defines.',
    hint: 'The finding names the member. Update Vouchsafe in case Intel has published a new version of the document, otherwise fetch it again.',
  },
  SGX_TCB_INFO_KIND: {
    verdict: 'reject',
    title: 'The TCB info given for this SGX quote is of another technology.',
    hint: 'Intel publishes one TCB info for SGX and one for TDX, at different addresses. Fetch sgx/certification/v4/tcb?fmspc=FMSPC.',
  },
  SGX_FMSPC_MISMATCH: {
    verdict: 'reject',
    title: 'The SGX TCB info describes another platform than the PCK certificate of the quote.',
    hint: 'Fetch the TCB info with the FMSPC of this platform; the finding shows both. FMSPC and PCE id have to be equal.',
  },
  SGX_TCB_COMPONENTS: {
    verdict: 'reject',
    title: 'A level of the SGX TCB info does not have exactly 16 components.',
    hint: 'A shorter list would leave security versions uncompared. Fetch the TCB info again; if Intel really serves it like this, update Vouchsafe.',
  },
  SGX_TCB_LEVEL_MALFORMED: {
    verdict: 'reject',
    title: 'A level of the SGX TCB info or QE identity lacks a member or has one of the wrong type.',
    hint: 'Security versions are whole numbers and every level has a date and a status. Fetch the document again; if Intel really serves it like this, update Vouchsafe.',
  },
  SGX_TCB_STATUS_UNKNOWN: {
    verdict: 'reject',
    title: 'A level of the SGX TCB info or QE identity has a status that Vouchsafe does not know.',
    hint: 'An unknown status is never read as a good one. Update Vouchsafe in case Intel has introduced the word, otherwise fetch the document again.',
  },
  SGX_TCB_NO_LEVEL: {
    verdict: 'reject',
    title: 'The security versions of this SGX platform are below every level that Intel lists.',
    hint: 'The finding names the closest level and what falls short of it. The provider should update BIOS, microcode and the DCAP packages of the host, and then fetch a new PCK certificate.',
  },
  SGX_TCB_REVOKED: {
    verdict: 'reject',
    title: 'Intel has revoked the level that this SGX platform is at.',
    hint: 'No policy can allow a revoked level. The provider should update what the finding names, BIOS or quoting enclave, and then fetch a new PCK certificate.',
  },
  SGX_QE_IDENTITY_MISMATCH: {
    verdict: 'reject',
    title: 'The enclave that made the SGX quote is not the quoting enclave that Intel describes.',
    hint: 'The provider should install the quoting enclave of Intel from its DCAP packages, never a rebuilt or debug one. The verifier needs the identity named QE.',
  },
  // Intel TDX and SGX: what the policy asks.
  TDX_DEBUG: {
    verdict: 'reject',
    title: 'The TD was launched with debugging on.',
    hint: 'Launch the TD with the DEBUG bit of TDATTRIBUTES clear, as hypervisors do unless told otherwise (QEMU: leave debug=off). A debug TD can be read by the host.',
  },
  TDX_SEPT_VE_ENABLED: {
    verdict: 'reject',
    title: 'The TD was launched without SEPT_VE_DISABLE.',
    hint: 'Launch the TD with sept-ve-disable on (QEMU: -object tdx-guest,sept-ve-disable=on). TDs behind Azure\'s paravisor never have it: a tenant who accepts that writes "septVeDisable": "any" in the tdAttributes of the policy.',
  },
  TDX_ATTRIBUTE_FORBIDDEN: {
    verdict: 'reject',
    title: 'The TD has an attribute or feature that the policy forbids.',
    hint: "Launch the TD without it: path names the attribute, and the hypervisor's TD options set it. A tenant who needs it allows it under tdAttributes or xfam of the policy.",
  },
  TDX_ATTRIBUTE_RESERVED_BIT: {
    verdict: 'reject',
    title: 'The TD has an attribute or feature bit set that is reserved.',
    hint: 'Launch the TD with the released version of the hypervisor and TDX module, and leave reserved bits of TDATTRIBUTES and XFAM clear.',
  },
  TDX_SERVICE_TD_NOT_ALLOWED: {
    verdict: 'reject',
    title: 'A service TD is bound to this TD and the policy does not name it.',
    hint: 'Launch the TD without binding a service TD such as a migration TD. A tenant who trusts that service TD lists the MRSERVICETD value under serviceTds of the policy.',
  },
  TDX_TCB_OUT_OF_DATE: {
    verdict: 'reject',
    title: "The platform's TDX firmware is out of date by Intel's TCB info.",
    hint: "Install the BIOS, microcode or SEAM loader update that raises the components that the finding names, and reboot the host. Accepting OutOfDate in tcbStatus is the tenant's choice alone.",
  },
  TDX_MODULE_OUT_OF_DATE: {
    verdict: 'reject',
    title: 'The TDX module that the TD was launched on is out of date.',
    hint: 'Load the current TDX module (host package or BIOS update), reboot the host, and launch the TD again.',
  },
  TDX_QE_TCB_OUT_OF_DATE: {
    verdict: 'reject',
    title: 'The TDX quoting enclave is out of date.',
    hint: 'Update the DCAP packages of the host (tdx-qgs and libsgx-pce-logic with their enclaves) and restart the quote generation service.',
  },
  TDX_TCB_STATUS_NOT_ALLOWED: {
    verdict: 'reject',
    title: "Intel's TCB status of the platform is not among those that the policy accepts.",
    hint: "Follow Intel's advisories for the status under actual: change the BIOS setting it asks for, harden the workload, or relaunch the TD after an update. A tenant who has judged the advisories lists the status in tcbStatus.",
  },
  TDX_ADVISORY_PRESENT: {
    verdict: 'reject',
    title: 'An Intel security advisory that the policy does not accept applies to the platform.',
    hint: "Install the update that the advisory names and reboot the host; Intel's advisory page lists it by its INTEL-SA number.",
  },
  TDX_TCB_DATE_BELOW_MINIMUM: {
    verdict: 'reject',
    title: 'The TCB date of platform, TDX module or quoting enclave is older than the policy asks for.',
    hint: 'Bring BIOS, microcode, TDX module and DCAP packages up to date; the oldest of the three dates counts.',
  },
  TDX_PLATFORM_DENIED: {
    verdict: 'reject',
    title: "The policy's deny-list names this TDX platform.",
    hint: 'This machine cannot be used under this policy. Offer another machine, or ask the tenant why the FMSPC or platform id is listed.',
  },
  TDX_PLATFORM_NOT_ALLOWED: {
    verdict: 'reject',
    title: 'This TDX platform is not among those that the policy lists.',
    hint: "Ask the tenant to add the platform's FMSPC or PPID, which inspect prints, or offer a machine that is listed.",
  },
  TDX_SMT_ENABLED: {
    verdict: 'reject',
    title: 'Hyper-threading is on although the policy forbids it for TDX.',
    hint: 'Turn hyper-threading off in the BIOS, register the platform again so that Intel certifies the change, and launch the TD again.',
  },
  TDX_MEASUREMENT_UNKNOWN: {
    verdict: 'reject',
    title: 'A measurement of the TD is not one that the policy knows.',
    hint: 'Launch the image whose values the tenant lists, with the same firmware, kernel, command line and machine shape. After an upgrade of the image, the tenant adds the new values, which the publisher computes.',
  },
  TDX_WORKLOAD_UNKNOWN: {
    verdict: 'reject',
    title: 'What dstack measured of the workload is not what the policy lists.',
    hint: 'Deploy the app-compose file, application and OS image that the tenant lists, unchanged: every byte of app-compose.json counts. After a change the tenant lists the new hash.',
  },
  TDX_CONFIG_MISMATCH: {
    verdict: 'reject',
    title: 'MRCONFIGID, MROWNER or MROWNERCONFIG is not the value that was asked for.',
    hint: 'Launch the TD with the value made for this lease or listed in the policy: hypervisors take mrconfigid, mrowner and mrownerconfig as launch options.',
  },
  SGX_DEBUG: {
    verdict: 'reject',
    title: 'The enclave was launched with debugging on.',
    hint: 'Build and sign the enclave for production and launch it without the debug flag. A debug enclave can be read by the host.',
  },
  SGX_ATTRIBUTE_FORBIDDEN: {
    verdict: 'reject',
    title: 'The enclave may use a key that the policy forbids to it.',
    hint: "Sign the enclave without PROVISION_KEY and EINITTOKEN_KEY in its attributes; only Intel's own infrastructure enclaves need them.",
  },
  SGX_TCB_OUT_OF_DATE: {
    verdict: 'reject',
    title: "The platform's SGX firmware is out of date by Intel's TCB info.",
    hint: "Install the BIOS or microcode update that raises the components that the finding names, and reboot the host. Accepting OutOfDate in tcbStatus is the tenant's choice alone.",
  },
  SGX_QE_TCB_OUT_OF_DATE: {
    verdict: 'reject',
    title: 'The SGX quoting enclave is out of date.',
    hint: 'Update the DCAP packages of the host (libsgx-quote-ex, libsgx-ae-qe3, libsgx-ae-pce) and restart the AESM service.',
  },
  SGX_TCB_STATUS_NOT_ALLOWED: {
    verdict: 'reject',
    title: "Intel's TCB status of the SGX platform is not among those that the policy accepts.",
    hint: "Follow Intel's advisories for the status under actual: change the BIOS setting it asks for, or harden the enclave. A tenant who has judged the advisories lists the status in tcbStatus.",
  },
  SGX_ADVISORY_PRESENT: {
    verdict: 'reject',
    title: 'An Intel security advisory that the policy does not accept applies to the SGX platform.',
    hint: "Install the update that the advisory names and reboot the host; Intel's advisory page lists it by its INTEL-SA number.",
  },
  SGX_TCB_DATE_BELOW_MINIMUM: {
    verdict: 'reject',
    title: 'The TCB date of platform or quoting enclave is older than the policy asks for.',
    hint: 'Bring BIOS, microcode and DCAP packages up to date; the older of the two dates counts.',
  },
  SGX_PLATFORM_DENIED: {
    verdict: 'reject',
    title: "The policy's deny-list names this SGX platform.",
    hint: 'This machine cannot be used under this policy. Offer another machine, or ask the tenant why the FMSPC or platform id is listed.',
  },
  SGX_PLATFORM_NOT_ALLOWED: {
    verdict: 'reject',
    title: 'This SGX platform is not among those that the policy lists.',
    hint: "Ask the tenant to add the platform's FMSPC or PPID, which inspect prints, or offer a machine that is listed.",
  },
  SGX_SMT_ENABLED: {
    verdict: 'reject',
    title: 'Hyper-threading is on although the policy forbids it for SGX.',
    hint: 'Turn hyper-threading off in the BIOS and register the platform again so that Intel certifies the change.',
  },
  SGX_MEASUREMENT_UNKNOWN: {
    verdict: 'reject',
    title: 'The enclave is not one that the policy knows.',
    hint: 'Launch the enclave whose MRENCLAVE the tenant lists, or one of the listed signer, product and security version. After an upgrade the tenant adds the new values, which the publisher computes.',
  },
  SGX_CONFIG_MISMATCH: {
    verdict: 'reject',
    title: 'CONFIGID is not a value that the policy lists.',
    hint: 'Launch the enclave with the CONFIGID that the policy lists; the enclave must be signed with KSS for that.',
  },
  // Event logs: what was measured at run time.
  LIMIT_EVENT_LOG_BYTES: {
    verdict: 'reject',
    title: 'An event log is larger than the limit.',
    hint: 'Send the log of one boot as the guest has it: a CCEL area has 64 KiB to 1 MiB, a dstack log a few kilobytes. Leave out anything appended to it.',
  },
  LIMIT_EVENT_LOG_COUNT: {
    verdict: 'reject',
    title: 'An event log has more events than the limit, or a quote more logs than one.',
    hint: 'A boot measures some dozens of events. Restart a guest that kept extending its registers, and send one log with each quote.',
  },
  TDX_EVENT_LOG_MALFORMED: {
    verdict: 'reject',
    title: 'The event log cannot be read as a CCEL area or as a dstack log.',
    hint: 'Send the bytes of /sys/firmware/acpi/tables/data/CCEL, or the event_log of the dstack guest agent, unchanged. A log that was cut, joined from two boots or written for a TPM does not qualify.',
  },
  TDX_EVENT_LOG_MISMATCH: {
    verdict: 'reject',
    title: 'The events of the log do not add up to a register of the quote.',
    hint: 'The finding names the first register that differs. Take log and quote in one go, so that nothing is measured between them; where an application extends the register beside the log, have it append to the log as well.',
  },
  TDX_EVENT_DIGEST_MISMATCH: {
    verdict: 'reject',
    title: 'What the log says of an event is not what was measured.',
    hint: 'The digest of the event is not that of its name and payload. Send the log as the guest wrote it, and check that the declared version of the log, 1 or 2, is the one in its app-compose.json.',
  },
  TDX_EVENT_AFTER_BOUNDARY: {
    verdict: 'reject',
    title: 'An event under a name of the platform was measured after the platform had finished.',
    hint: 'After system-ready, and in firmware after the separator, anybody in the guest can measure events of any name. Remove whatever in the guest emits events under the names of dstack or of the firmware.',
  },
  TDX_EVENT_DUPLICATE: {
    verdict: 'reject',
    title: 'An event that happens once is in the log twice.',
    hint: 'Each name of the platform is measured exactly once in a boot. Send the log of one boot, and use a guest image whose boot measures no name twice.',
  },
  TDX_EVENT_MISSING: {
    verdict: 'reject',
    title: 'The log lacks an event that every boot of this kind measures.',
    hint: 'Take the quote after the guest reported system-ready, from a dstack version that measures app-id, compose-hash, instance-id and key-provider. The finding names the event that is missing.',
  },
  TDX_EVENT_PAYLOAD_INVALID: {
    verdict: 'reject',
    title: 'The payload of an event is not of the form that its name has.',
    hint: 'The event was measured like this, so the log is not to blame. Use a guest image that writes the event as published, or report the new form.',
  },
  TDX_EVENT_SEPARATOR_INVALID: {
    verdict: 'reject',
    title: 'The separator that ends the measurements of the firmware is missing, doubled or marks an error.',
    hint: 'Firmware measures one separator in RTMR0 and one in RTMR1 before it starts the boot loader. Boot again with released firmware; a second separator is how events of the system are passed off as events of the firmware.',
  },
  TDX_COMPOSE_MISMATCH: {
    verdict: 'reject',
    title: 'The compose file is not the one that the guest was launched with.',
    hint: 'The SHA-256 of app-compose.json, the compose-hash event and MRCONFIGID must agree. Pass the file byte for byte as it was deployed, and quote the guest that runs it.',
  },
  // CBOR and COSE.
  LIMIT_CBOR: {
    verdict: 'reject',
    title: 'The CBOR nests too deeply or declares more than it holds.',
    hint: 'Send the whole document as the device produced it; a file that was cut short declares more than is left of it. Genuine documents nest fewer than ten levels.',
  },
  CBOR_NOT_DETERMINISTIC: {
    verdict: 'reject',
    title: 'The CBOR is not in its one deterministic form.',
    hint: 'Send the bytes that the device returned, without decoding and encoding them again. Lengths are definite and as short as they can be, and keys stand in order where the device writes them so.',
  },
  CBOR_DUPLICATE_KEY: {
    verdict: 'reject',
    title: 'A CBOR map has the same key twice.',
    hint: 'Readers differ on which of the two counts, so neither is taken. Devices never write such maps: send the bytes that the device returned.',
  },
  CBOR_UNEXPECTED_ITEM: {
    verdict: 'reject',
    title: 'The CBOR holds an item that has no place in it.',
    hint: 'Unknown keys and tags, floats and undefined values are refused, since a reader that skips them may miss what they change. Send the device document itself, not an object built around it.',
  },
  CBOR_TRAILING_BYTES: {
    verdict: 'reject',
    title: 'Bytes follow the end of the CBOR item.',
    hint: 'Send the document alone, in its exact length. A buffer that is larger than what the device wrote into it must be cut to the length the device returned.',
  },
  COSE_MALFORMED: {
    verdict: 'reject',
    title: 'The bytes are no COSE_Sign1 with an attached payload.',
    hint: 'Send the signed document as the device returned it: an array of protected header, unprotected header, payload and signature. Arm tokens carry tag 18 around it.',
  },
  COSE_ALGORITHM: {
    verdict: 'reject',
    title: 'The COSE signature algorithm is not the expected one, or not protected.',
    hint: 'Nitro documents and Arm realm tokens are signed with ES384, Arm platform tokens with ES256 or ES384, as their protected header says. Anything else was not made by these devices.',
  },
  COSE_HEADER_INVALID: {
    verdict: 'reject',
    title: 'A COSE header holds a parameter that is not known here.',
    hint: 'The protected header holds the algorithm alone and the unprotected header is empty. Send the document as the device returned it, without headers added on the way.',
  },
  COSE_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The COSE signature does not verify under the key that must have made it.',
    hint: 'The document was changed, damaged or signed by another key, or over other external data. Collect a new one and send its bytes unchanged.',
  },
  // AWS Nitro and Arm CCA.
  NITRO_DOCUMENT_INVALID: {
    verdict: 'reject',
    title: 'The Nitro attestation document is not what the Nitro security module writes.',
    hint: 'The document needs a module id, the digest SHA384, a timestamp, PCRs 0 to 2 with 48 bytes each at indexes below 32, a certificate and its bundle. The finding names the member; NitroTPM documents are another kind.',
  },
  NITRO_TIMESTAMP: {
    verdict: 'reject',
    title: 'The Nitro document was not made within the life of its key, or that life is over.',
    hint: 'The key of a document lives three hours: ask the enclave for a new document and present it at once. If it is new, correct the clock of the verifier.',
  },
  NITRO_DEBUG: {
    verdict: 'reject',
    title: 'The Nitro enclave runs in debug mode.',
    hint: 'Its PCRs 0 to 2 are zero because the parent instance can read its console and nothing is measured. Start the enclave without --debug-mode.',
  },
  CCA_TOKEN_INVALID: {
    verdict: 'reject',
    title: 'The Arm CCA token lacks a claim or has one of the wrong form.',
    hint: 'The finding names the claim and the form it needs. Send the token that the realm got from RSI_ATTESTATION_TOKEN, both parts, as it is.',
  },
  CCA_PLATFORM_KEY_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'No platform key is known that could have signed the Arm CCA token.',
    hint: 'Arm has no common root: get the public key (CPAK) of this platform from its manufacturer and pass it as PEM with --collateral. A key that travels with the evidence is not taken.',
  },
  CCA_PLATFORM_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The Arm CCA platform token is signed by none of the platform keys given.',
    hint: 'Check that the public key belongs to this very machine; each platform has a key of its own. Otherwise the token was changed, or comes from another machine.',
  },
  CCA_BINDING_INVALID: {
    verdict: 'reject',
    title: 'The Arm CCA realm token is not bound to the platform token.',
    hint: 'The challenge in the platform token must be the hash of the realm attestation key. Send both parts of one token, from the same call.',
  },
  CCA_LIFECYCLE: {
    verdict: 'reject',
    title: 'The Arm CCA platform is not in the secured lifecycle state.',
    hint: 'Only lifecycle 0x3000 to 0x30ff is taken; provisioning, debug and decommissioned states let others read the realm. Secure the platform and restart the realm.',
  },
  // Gate: admission of bids and leases.
  GATE_DECISION_EXPIRED: {
    verdict: 'reject',
    title: 'What was known of the hardware is past its time.',
    hint: 'The provider should answer a fresh challenge. Posture lasts six hours at most, the proof of a lease thirty minutes.',
  },
  GATE_SCOPE_MISMATCH: {
    verdict: 'reject',
    title: 'The decision was made for another order, provider or policy.',
    hint: 'Ask a challenge for this provider, this lease and this policy, and judge the answer to it. A decision never moves to another question.',
  },
  GATE_NOT_ACCEPTED: {
    verdict: 'reject',
    title: 'The evidence was judged and not accepted.',
    hint: 'The finding lists the codes of that decision: mend those and answer a fresh challenge.',
  },
  GATE_ANCHORS_INJECTED: {
    verdict: 'reject',
    title: 'The evidence rests on a trust anchor that is not pinned.',
    hint: 'Evidence of test hierarchies opens nothing. Use evidence of real hardware with the anchors that come with this version.',
  },
  GATE_OBJECT_MALFORMED: {
    verdict: 'reject',
    title: 'A bid, order, lease or provider is not in a shape that the chain or its tools write.',
    hint: 'Pass the object as the chain, Console or the SDK gives it. Sequence numbers are whole and never negative, addresses are lower-case bech32.',
  },
  GATE_BID_NOT_OPEN: {
    verdict: 'reject',
    title: 'The bid is lost or closed.',
    hint: 'Fetch the bids of the order again and choose among those that are open.',
  },
  GATE_TEE_NOT_ORDERED: {
    verdict: 'reject',
    title: 'The order does not ask for a trusted execution environment.',
    hint: 'Set params.tee to cpu or cpu-gpu for every service in the SDL and create the deployment again. Nothing confidential may run under this order.',
  },
  GATE_EVIDENCE_NEEDED: {
    verdict: 'inconclusive',
    title: "No evidence of this provider's hardware is known.",
    hint: 'For a bid, the provider should answer a posture challenge of this gate with evidence of its machine, and sign for the hardware. For a lease, issue a lease challenge and pass the answer of its machine to verify.',
  },
  GATE_IDENTITY_MISMATCH: {
    verdict: 'reject',
    title: 'The provider account did not sign for this hardware.',
    hint: "The provider should sign the posture statement of this very challenge and hardware with the key of its own account. Evidence of somebody else's machine cannot be signed for.",
  },
  GATE_IDENTITY_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'The signature of the provider account could not be checked.',
    hint: "The operator of the gate should check how it looks up account keys. Answer a new challenge then; it is not the provider's fault.",
  },
  GATE_HARDWARE_MASKED: {
    verdict: 'reject',
    title: 'The hardware shows no identity that its vendor certifies.',
    hint: 'Unmask the chip id in the firmware setup, or use evidence that names its hardware. A machine without identity cannot be told from its copy.',
  },
  GATE_HARDWARE_CONFLICT: {
    verdict: 'reject',
    title: 'Another provider account holds the same hardware.',
    hint: 'The account that first signed for it keeps it while it renews. It may release the hardware, its claim may run out, or the operator may settle the conflict.',
  },
  GATE_DEVICE_IN_USE: {
    verdict: 'reject',
    title: 'The device is already in another live lease.',
    hint: 'One GPU serves one lease. Both leases have to be attested again; close the one that does not have the device.',
  },
  GATE_CHIP_CAP: {
    verdict: 'reject',
    title: 'More provider accounts than are allowed have signed for this chip.',
    hint: 'Use the account that the machine belongs to. If it really changed hands that often, ask the operator of the gate to raise the cap.',
  },
  GATE_CHIP_DENIED: {
    verdict: 'reject',
    title: 'The chip is on the deny-list.',
    hint: 'The reason is in the finding. Ask the operator of the gate to withdraw the entry once it is dealt with.',
  },
  GATE_SUBJECT_DENIED: {
    verdict: 'reject',
    title: 'The provider, product, firmware level or measurement is on the deny-list.',
    hint: 'The reason is in the finding. Update firmware or image where that is the cause, and answer a fresh challenge.',
  },
  GATE_DENYLIST_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'The deny-list cannot be read, or was last read too long ago.',
    hint: "The operator of the gate should check its store. Nothing is admitted until the list is read again; it is not the provider's fault.",
  },
  GATE_ATTRIBUTE_MISMATCH: {
    verdict: 'reject',
    title: "The bid offers more than the provider's hardware has attested.",
    hint: 'Attest every machine that is offered, or offer what was attested: as many GPUs, of that model, in that kind of machine.',
  },
  GATE_POLICY_DEVELOPMENT: {
    verdict: 'reject',
    title: 'A policy for development admits nothing.',
    hint: 'Use a policy with profile production for bids and leases. A development policy is for judging machines by hand.',
  },
  GATE_CHALLENGE_UNKNOWN: {
    verdict: 'reject',
    title: 'No challenge with this id was issued here.',
    hint: 'Ask this gate for a challenge and answer that one. Challenges are forgotten a day after they end.',
  },
  GATE_CHALLENGE_USED: {
    verdict: 'reject',
    title: 'The challenge was already answered.',
    hint: 'A challenge is good for one answer, accepted or not. Ask for a new one.',
  },
  GATE_LEASE_UNKNOWN: {
    verdict: 'reject',
    title: 'The gate was not told of this lease.',
    hint: 'Open the lease with its order first, so that it is known what was bought.',
  },
  GATE_LEASE_CLOSED: {
    verdict: 'reject',
    title: 'The lease is closed.',
    hint: 'Nothing is attested for a closed lease. Open the lease that runs now.',
  },
  GATE_REPLICA_MISSING: {
    verdict: 'inconclusive',
    title: 'Not every replica of the lease has been attested.',
    hint: 'Answer a challenge from each replica; as many different machines must answer as the lease has replicas.',
  },
  GATE_STORE_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'The store of the gate could not read or write.',
    hint: "The operator of the gate should check its store and its disk. Ask for a new challenge then; it is not the provider's fault.",
  },
  GATE_HOLDER_NOT_ATTESTED: {
    verdict: 'reject',
    title: 'The credential would be bound to a key that the evidence does not carry.',
    hint: 'Bind it to the key that the challenge names as teeKey: one of P-256 or Ed25519, made in the workload. A key release always needs such a challenge, and a key of X25519 cannot sign for a credential.',
  },
  GATE_KEY_NOT_RELEASABLE: {
    verdict: 'reject',
    title: 'A key is released at level 5 only, or where the policy accepts the open quoting oracle by name.',
    hint: 'Run an image whose quoting is closed and whose key is in the evidence. A tenant that accepts the risk names open-quote-oracle in acceptRisks of the policy.',
  },
  GATE_RELEASE_USED: {
    verdict: 'reject',
    title: 'This signed release of hardware was used before.',
    hint: 'A release counts once. Sign a new one with the present time to give the hardware up again.',
  },
  GATE_SIGNER_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'The decision stands, and its credential could not be signed.',
    hint: 'The operator of the gate should check the signing key or its service. Answer a new challenge then.',
  },
  // Attestation results: credentials of ours and of others.
  RESULT_INVALID: {
    verdict: 'reject',
    title: 'The credential is not a well-formed result that one of the pinned keys signed.',
    hint: 'Ask the issuer for a new credential and pass it on unchanged. The relying party should check that it pinned the key set of this issuer; keys that travel in a token are never used.',
  },
  RESULT_REVOKED: {
    verdict: 'reject',
    title: 'The credential was revoked before its end.',
    hint: 'Its machine was refused, replaced or denied since. Attest the machine again for a fresh credential.',
  },
  RESULT_ISSUER_MISMATCH: {
    verdict: 'reject',
    title: 'The credential names another issuer than the one that is trusted here.',
    hint: 'Ask for a credential of the verifier that this relying party names, or have the relying party pin the keys of the other one under its own name.',
  },
  RESULT_AUDIENCE: {
    verdict: 'reject',
    title: 'The credential was issued for another relying party.',
    hint: 'Ask the issuer for a credential that names this relying party in its audience, as the finding shows.',
  },
  RESULT_EXPIRED: {
    verdict: 'reject',
    title: 'The credential is past its end, or was given a longer life than its purpose allows.',
    hint: 'Ask for a new one: a posture credential lasts at most six hours, one for a lease thirty minutes, one for a key release two minutes. Where it is new, the issuer should look at its clock.',
  },
  RESULT_NOT_YET_VALID: {
    verdict: 'reject',
    title: 'The credential begins in the future.',
    hint: 'The clocks of issuer and relying party differ by more than a minute: both should use NTP. Then ask for a new credential.',
  },
  RESULT_KEY_RETIRED: {
    verdict: 'reject',
    title: 'The credential is signed by a key that the issuer has retired.',
    hint: 'Ask the issuer for a new credential under its present key, and refresh the key set.',
  },
  RESULT_HOLDER_NOT_PROVED: {
    verdict: 'reject',
    title: 'Whoever presents the credential did not prove that it is theirs.',
    hint: 'Sign the nonce of this relying party with the key that the credential names in cnf, within a minute. The provider signs with the account key (ADR-36) or the key in the TEE, whichever was named when the credential was issued.',
  },
  RESULT_POLICY_MISMATCH: {
    verdict: 'reject',
    title: 'The credential rests on another policy than the one the relying party set.',
    hint: 'Have the evidence judged under the policy of this relying party and bring that credential. The command vouchsafe policy digest prints the digest to compare.',
  },
  // Akash: what is lint of an order, and what the gateway answers.
  SDL_UNREADABLE: {
    verdict: 'reject',
    title: 'The order is not YAML that every reader reads alike.',
    hint: 'Write one plain YAML document: no tags, no merge keys, no key twice, few aliases. The finding names the line.',
  },
  SDL_SHAPE_INVALID: {
    verdict: 'reject',
    title: 'A member of the order is missing or has another form than an SDL gives it.',
    hint: 'Mend the member that the finding names; the SDL reference of Akash shows its form. Nothing below it was looked at.',
  },
  SDL_TEE_MISSING: {
    verdict: 'reject',
    title: 'A service does not ask for a confidential machine.',
    hint: 'Add params.tee with the value cpu or cpu-gpu to the service. Without it the provider may run it on any machine.',
  },
  SDL_TEE_UNKNOWN: {
    verdict: 'reject',
    title: 'A service asks for a kind of confidential machine that does not exist.',
    hint: 'Write params.tee with the value cpu or cpu-gpu, nothing else. Which silicon it is, the evidence shows later and the policy decides.',
  },
  SDL_TEE_MIXED: {
    verdict: 'reject',
    title: 'Services of one placement ask for different kinds of confidential machines.',
    hint: 'A placement becomes one group, and a group has one kind: give all of its services the same value in params.tee, or spread them over two placements.',
  },
  SDL_ATTESTATION_OFF: {
    verdict: 'reject',
    title: 'A service switches its attestation off.',
    hint: 'Remove the member attestation, or set it to true. Without it no sidecar runs, and no evidence of this machine can ever be had.',
  },
  SDL_GPU_MISSING: {
    verdict: 'reject',
    title: 'A service asks for confidential GPUs and its profile has none.',
    hint: 'Set gpu.units to the number of GPUs in the compute profile that the deployment names, or ask for params.tee with the value cpu.',
  },
  SDL_GPU_OUTSIDE_TEE: {
    verdict: 'reject',
    title: 'A service has GPUs that its kind of confidential machine does not cover.',
    hint: 'Ask for params.tee with the value cpu-gpu: under cpu the GPU is not attested, and what it computes on lies open to the host.',
  },
  SDL_GPU_MODEL_MISSING: {
    verdict: 'reject',
    title: 'A service asks for confidential GPUs without naming a model.',
    hint: 'Name one under gpu.attributes.vendor.nvidia, for example h100 or h200. Without it any GPU fits the order, and most have no confidential mode.',
  },
  SDL_GPU_MODEL_NOT_CONFIDENTIAL: {
    verdict: 'reject',
    title: 'A service asks for a GPU that has no confidential mode on an AMD or Intel host.',
    hint: 'Choose one that has: h100, h200, h800 or b200. Consumer cards, RTX, L4, L40S, A10, A100, V100 and T4 cannot attest.',
  },
  SDL_GPU_MODEL_UNKNOWN: {
    verdict: 'inconclusive',
    title: 'A service asks for a GPU of which it is not known whether it has a confidential mode.',
    hint: 'Check the spelling, and choose h100, h200, h800 or b200 where the workload allows it. A newer version of this tool may know the model.',
  },
  SDL_SECRET_IN_CLEAR: {
    verdict: 'reject',
    title: 'A service carries what looks like a secret, and the provider reads all of it in clear.',
    hint: 'Take it out of env, args and command, replace it if it was ever sent, and have it released to the attested machine instead. Where it is no secret, give it a name that does not say so.',
  },
  SDL_CREDENTIALS_IN_CLEAR: {
    verdict: 'reject',
    title: 'A service carries credentials for its registry, and the provider reads them in clear.',
    hint: 'Use a public image, encrypted if it is confidential, or credentials that can do nothing but pull this one image and expire soon. They reach the provider before anything is attested.',
  },
  SDL_IMAGE_NOT_PINNED: {
    verdict: 'reject',
    title: 'The image of a service is not pinned by digest.',
    hint: 'Write the image as name@sha256: and its digest, which docker buildx imagetools inspect prints. A tag can be moved to another image at any time.',
  },
  AKASH_ENDPOINT_INVALID: {
    verdict: 'inconclusive',
    title: 'The address of the gateway is not an HTTPS origin.',
    hint: 'The provider should set host_uri on the chain to https:// with host and port, usually 8443, and nothing behind it.',
  },
  AKASH_GATEWAY_UNREACHABLE: {
    verdict: 'inconclusive',
    title: 'The gateway of the provider cannot be reached.',
    hint: 'The provider should check DNS, firewall and that the gateway listens on the port of its host_uri. The finding names what the network answered.',
  },
  AKASH_TLS_FAILED: {
    verdict: 'inconclusive',
    title: 'No TLS connection to the gateway came about.',
    hint: 'The provider should check that the gateway itself answers TLS 1.2 or later on this port, with no proxy before it.',
  },
  AKASH_CERTIFICATE_MISMATCH: {
    verdict: 'reject',
    title: 'Another machine answers: the certificate is not the one that the provider has on the chain.',
    hint: 'Nothing was sent to it. The provider should see that its gateway serves the certificate it published, and publish a new one before it is exchanged; then read the fingerprint from the chain again.',
  },
  AKASH_CERTIFICATE_EXPIRED: {
    verdict: 'inconclusive',
    title: 'The certificate of the gateway is not valid at this time.',
    hint: 'The provider should create and publish a new certificate, and the clock of the collector should be right. Nothing was sent.',
  },
  AKASH_REQUEST_REFUSED: {
    verdict: 'inconclusive',
    title: 'The gateway refuses the form of the request.',
    hint: 'It wants a nonce of 64 bytes in base64. Where that is what it got, the provider runs a version without attestation, or another one than AEP-83 describes, and should update.',
  },
  AKASH_TOKEN_REFUSED: {
    verdict: 'inconclusive',
    title: 'The gateway does not accept who is asking.',
    hint: 'Sign the token with the key of the account that owns the lease, and compare both clocks. A provider that was never updated for tokens wants a client certificate instead.',
  },
  AKASH_SCOPE_DENIED: {
    verdict: 'inconclusive',
    title: 'The gateway does not allow this token to ask for attestation.',
    hint: 'The token needs the scope attestation for this provider. Where it has that, the provider runs a version that does not know the scope, and should update.',
  },
  AKASH_SIDECAR_ABSENT: {
    verdict: 'inconclusive',
    title: 'The gateway finds no such lease, or no running pod of it with an attestation sidecar.',
    hint: 'Ask again once the pod runs, which takes minutes after the manifest was sent. If it runs: the manifest has attestation off, the runtime class is not confidential, or the webhook was away when the pod was made, and the provider should restart it.',
  },
  AKASH_RATE_LIMITED: {
    verdict: 'inconclusive',
    title: 'The gateway asks to be left alone for a while.',
    hint: 'Ask less often; the collector has waited and tried again as long as it was allowed to.',
  },
  AKASH_SIDECAR_UNREACHABLE: {
    verdict: 'inconclusive',
    title: 'The gateway cannot reach the sidecar in the pod.',
    hint: 'The provider should check the pod proxy of the API server, the network policy for port 8790, and whether the sidecar runs.',
  },
  AKASH_QUOTE_FAILED: {
    verdict: 'inconclusive',
    title: 'The sidecar could not get a quote from the hardware.',
    hint: 'The provider should read the log of the sidecar: usually configfs-tsm or /dev/sev-guest is missing in the guest, or the quote service for TDX does not run.',
  },
  AKASH_STATUS_UNEXPECTED: {
    verdict: 'inconclusive',
    title: 'The gateway answers with a status that this call does not have.',
    hint: 'The provider should look into the log of its gateway, and for a proxy before it that answers instead.',
  },
  AKASH_REDIRECT_REFUSED: {
    verdict: 'inconclusive',
    title: 'The gateway sends the request elsewhere, which is not followed.',
    hint: 'The provider should answer at the address it has on the chain; a proxy before the gateway must pass requests on, not redirect them.',
  },
  AKASH_CONTENT_TYPE_INVALID: {
    verdict: 'inconclusive',
    title: 'The answer of the gateway is not JSON as it stands.',
    hint: 'Something before the gateway answers instead, or encodes what it passes on. The provider should let the gateway answer application/json itself, without compression.',
  },
  AKASH_RESPONSE_OVERSIZE: {
    verdict: 'inconclusive',
    title: 'The answer of the gateway is larger than the limit.',
    hint: 'A quote of a machine with eight GPUs has about 150 kilobytes. The provider should look for what answers instead of the sidecar.',
  },
  AKASH_RESPONSE_TRUNCATED: {
    verdict: 'inconclusive',
    title: 'The answer of the gateway breaks off.',
    hint: 'Ask again. If it happens each time, the provider should look for a proxy or a limit of size or time between gateway and pod.',
  },
  AKASH_DEADLINE_PASSED: {
    verdict: 'inconclusive',
    title: 'The gateway did not answer in time.',
    hint: 'A quote of eight GPUs takes some seconds: allow for that. The provider should look for a sidecar that hangs, usually on the driver of a GPU.',
  },
  // Time: the clock of the verifier itself.
  CLOCK_BEFORE_BUILD: {
    verdict: 'inconclusive',
    title: 'The clock of the verifier is before the day this version was built.',
    hint: 'The operator of the verifier should set the clock and enable NTP, for example with chrony. To judge old evidence give its time with --at.',
  },
  CLOCK_WENT_BACK: {
    verdict: 'inconclusive',
    title: 'The clock of the verifier is behind an instant it has already recorded.',
    hint: 'The operator of the verifier should check NTP and whether a virtual machine was restored from a snapshot. Decisions resume once the clock has passed the recorded instant.',
  },
  CLOCK_JUMP: {
    verdict: 'inconclusive',
    title: 'The clock of the verifier jumped by more than five minutes between two checks.',
    hint: 'The operator of the verifier should look for a suspended host or a manual change, let NTP settle and retry.',
  },
  CLOCK_SOURCES_DISAGREE: {
    verdict: 'inconclusive',
    title: 'The time sources of the verifier disagree by more than allowed.',
    hint: 'The operator of the verifier should find out which source is wrong, for example with chronyc sources, and remove or repair it.',
  },
} as const satisfies Record<string, CodeEntry>

export type Code = keyof typeof CODES

/** Whether `s` names a code of the table itself; inherited names such as `constructor` do not. */
export const isCode = (s: string): s is Code => Object.hasOwn(CODES, s)
