import type { CodeTable } from './entry.ts'

export const ENVELOPE_CODES = {
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
    hint: 'Remove comments, trailing commas, NaN and a byte order mark, and save the file as UTF-8. The finding shows what stood where reading stopped, with the line under expected or the member as its path.',
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
} as const satisfies CodeTable
