import type { CodeTable } from './entry.ts'

export const INTEL_CODES = {
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
} as const satisfies CodeTable
