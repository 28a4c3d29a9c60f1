import type { CodeTable } from './entry.ts'

export const TPM_CODES = {
  // TPM quotes, the keys that sign them, their event logs, and Azure's confidential VMs.
  TPM_SIZE_MISMATCH: {
    verdict: 'reject',
    title: 'A TPM structure is cut short, or goes on behind its end.',
    hint: 'Send TPMS_ATTEST, TPMT_SIGNATURE and TPMT_PUBLIC exactly as the TPM returned them. The finding names the field; a file that a tool wrote with a header of its own does not qualify.',
  },
  TPM_MAGIC: {
    verdict: 'reject',
    title: 'The attestation does not begin with the value that only a TPM may sign.',
    hint: 'A TPM begins every attestation of its own with ff544347. Whatever signed this is no TPM quote: take one with TPM2_Quote.',
  },
  TPM_TYPE: {
    verdict: 'reject',
    title: 'The TPM attestation is no quote.',
    hint: 'TPM2_Quote makes one; what TPM2_Certify, TPM2_GetTime and the audit commands sign says nothing about PCRs.',
  },
  TPM_PCR_SELECTION_INVALID: {
    verdict: 'reject',
    title: 'The PCR selection of the quote selects nothing, one bank twice, or a bank nobody knows.',
    hint: 'Quote PCRs of the banks sha256, sha384 or sha512, each bank once, for example with tpm2_quote -l sha256:0,1,2,3,4,5,6,7.',
  },
  TPM_ALGORITHM_FORBIDDEN: {
    verdict: 'reject',
    title: 'The TPM key or its signature uses an algorithm that is not taken.',
    hint: 'Create the attestation key as RSA of 2048 bits or more (RSASSA or RSAPSS), or as ECDSA on P-256 or P-384, with SHA-256 or SHA-384. SHA-1, HMAC and unsigned quotes are refused.',
  },
  TPM_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The TPM quote was not signed by its attestation key in the scheme of that key.',
    hint: 'Send quote, signature and public key of one and the same attestation key, unchanged. The scheme and hash of the signature must be those with which the key was created.',
  },
  TPM_PCR_DIGEST_MISMATCH: {
    verdict: 'reject',
    title: 'The PCR values shown are not those that the TPM quoted.',
    hint: 'Read the PCRs in the same moment as the quote, and quote again if one was extended in between. All quoted PCRs must be shown, each with the value of its bank.',
  },
  TPM_PCR_NOT_QUOTED: {
    verdict: 'reject',
    title: 'A PCR that is shown, or that the policy names, is not covered by the quote.',
    hint: 'Quote every PCR that the policy names, in its bank, and show no others. What the quote does not select is the word of whoever sent it.',
  },
  TPM_PCR_VALUE_UNKNOWN: {
    verdict: 'reject',
    title: 'A quoted PCR has a value that the policy does not list.',
    hint: 'The machine booted something else than the policy allows. Boot the image that was agreed on, or have the tenant add the new value after having reviewed what changed.',
  },
  TPM_BANK_WEAK: {
    verdict: 'reject',
    title: 'The quote or its event log rests on SHA-1.',
    hint: 'Quote the SHA-256 or SHA-384 bank alone and send a crypto-agile event log. Values under SHA-1 can be forged.',
  },
  TPM_AK_ATTRIBUTES: {
    verdict: 'reject',
    title: 'The attestation key of the TPM is not one that signs only what the TPM itself states.',
    hint: 'It must be restricted, sign and not decrypt, and have been made in this TPM for good: restricted, sign, fixedTPM, fixedParent, sensitiveDataOrigin. Create it with tpm2_createak.',
  },
  TPM_AK_CERTIFICATE_MISMATCH: {
    verdict: 'reject',
    title: 'The certificate beside the TPM key belongs to another key.',
    hint: 'Send the certificate of the very key that signed the quote. On Google Cloud read it from NV index 0x01C10000 for the RSA key or 0x01C10002 for the ECC key.',
  },
  TPM_CERTIFICATE_INVALID: {
    verdict: 'reject',
    title: 'The certificate is not one that a maker issues for a key of a TPM.',
    hint: 'It needs the purpose of an endorsement or attestation key, and a critical subjectAltName that names manufacturer, model and version; on Google Cloud its instance must be a production one. The finding names what differs.',
  },
  TPM_AK_UNTRUSTED: {
    verdict: 'reject',
    title: 'Nothing that the policy relies on vouches for the attestation key of the TPM.',
    hint: 'Send the certificate of the key, or let the tenant pin its name after the TPM has proved by credential activation that it holds it; for a TPM that answers in place of the CPU (Azure), the policy must have cpu-report in akTrust. A key that came with the evidence alone may live in software.',
  },
  TPM_AK_NOT_BOUND: {
    verdict: 'reject',
    title: 'The TPM quote was signed by another key than the one that the CPU report covers.',
    hint: 'On Azure the quote must be made with the key HCLAkPub (persistent handle 0x81000003) of the same boot as the HCL report. Collect report and quote anew, in one go.',
  },
  TPM_QUOTE_MISSING: {
    verdict: 'reject',
    title: 'No TPM quote came with the evidence, and something rests on one.',
    hint: 'Have the collector send a quote over our nonce beside the report: on Azure the report answers no challenge by itself, and a policy with rules for a TPM needs one that is proved.',
  },
  TPM_EVENT_LOG_MALFORMED: {
    verdict: 'reject',
    title: 'The TPM event log cannot be read.',
    hint: 'Send the bytes of /sys/kernel/security/tpm0/binary_bios_measurements unchanged. The finding names the record that does not come apart.',
  },
  TPM_EVENT_LOG_MISMATCH: {
    verdict: 'reject',
    title: 'The TPM event log does not lead to the PCR values that were quoted.',
    hint: 'The finding names the PCR or the event that differs. Send the log of this boot as firmware wrote it, with a quote of the same bank.',
  },
  TPM_EVENT_ORDER_INVALID: {
    verdict: 'reject',
    title: 'The TPM event log replays, and is not what firmware in order measures.',
    hint: 'Each PCR 0 to 7 has one separator, and the variables of secure boot are measured once, into PCR 7, before it. Boot with released firmware; nothing else may measure under these names.',
  },
  TPM_SECURE_BOOT_OFF: {
    verdict: 'reject',
    title: 'Secure boot is not proved to be on.',
    hint: 'Enable secure boot in the firmware, boot again, and send the event log with a quote that covers PCR 7. Without the log nobody can tell what PCR 7 stands for.',
  },
  TPM_CLOCK_ROLLBACK: {
    verdict: 'reject',
    title: 'The clock of the TPM is not known to be right, or its counters went back.',
    hint: 'After an unclean shutdown the clock is safe again once the TPM wrote it, some minutes later: quote again. Counters below those seen before mean another TPM, or state that was restored: enrol the machine anew.',
  },
  TPM_RUNTIME_DATA_INVALID: {
    verdict: 'reject',
    title: 'The runtime data of the Azure HCL report are not what the paravisor writes.',
    hint: 'They are one JSON object with exactly one key HCLAkPub and nothing twice. Read NV index 0x01400001 again and send the report unchanged.',
  },
  TPM_RUNTIME_DATA_NOT_BOUND: {
    verdict: 'reject',
    title: 'The runtime data of the Azure HCL report are not those that the CPU report covers.',
    hint: 'The report data of the CPU must be their hash, followed by zeros. Send HCL report and TD quote of the same boot, unchanged.',
  },
} as const satisfies CodeTable
