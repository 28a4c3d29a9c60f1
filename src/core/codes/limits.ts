import type { CodeTable } from './entry.ts'

export const LIMIT_CODES = {
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
} as const satisfies CodeTable
