import type { CodeTable } from './entry.ts'

export const COLLATERAL_CODES = {
  // Collateral as a whole: what vendors sign about their products.
  COLLATERAL_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'The vendor could not be reached and nothing usable is stored.',
    hint: 'This is not a fault of the provider. Retry later, or fetch the files elsewhere and pass them with --collateral DIR.',
  },
  COLLATERAL_CACHE_UNAVAILABLE: {
    verdict: 'inconclusive',
    title: 'The verifier cannot use its cache of collateral.',
    hint: 'This is not a fault of the provider. The operator of the verifier should look at its log, at the space on the disk and at the owner of the cache file; then answer a new challenge.',
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
  // How a vendor's service failed to bring one object. None of it says anything about the provider.
  COLLATERAL_NOT_PUBLISHED: {
    verdict: 'inconclusive',
    title: 'The vendor publishes no such object.',
    hint: 'The service answered and has nothing under that name. For an NVIDIA manifest move to a driver or VBIOS that has one; for an AMD chip or an Intel platform check with vouchsafe inspect that product, chip and TCB are what the vendor knows.',
  },
  COLLATERAL_THROTTLED: {
    verdict: 'inconclusive',
    title: 'The vendor takes no more questions of this verifier for now.',
    hint: 'Retry after the time it names. A verifier of many machines should keep a cache, fetch at posture time, or ask a mirror of its own.',
  },
  COLLATERAL_VENDOR_FAILED: {
    verdict: 'inconclusive',
    title: 'The vendor service reported an error of its own.',
    hint: 'Retry later and look at the status page of the vendor. Stored files can be passed with --collateral DIR meanwhile.',
  },
  COLLATERAL_REQUEST_REFUSED: {
    verdict: 'inconclusive',
    title: 'The vendor service refuses to be asked this.',
    hint: 'A proxy or mirror that wants a login, or an address that is not the service it is configured as, usually causes this. Check the addresses and the service key of the verifier.',
  },
  COLLATERAL_DEADLINE_PASSED: {
    verdict: 'inconclusive',
    title: 'The vendor service did not answer in time.',
    hint: 'Retry, and check the connection and the proxy of the verifier. The time allowed is an option of the client.',
  },
  COLLATERAL_TRUNCATED: {
    verdict: 'inconclusive',
    title: 'The answer of the vendor service broke off before its end.',
    hint: 'Retry. If it happens again, a proxy between the verifier and the vendor cuts connections.',
  },
  COLLATERAL_OVERSIZE: {
    verdict: 'inconclusive',
    title: 'The answer of the vendor service is larger than such an object can be.',
    hint: 'Check that the configured address is the service it should be, and that no proxy answers in its place.',
  },
  COLLATERAL_EMPTY: {
    verdict: 'inconclusive',
    title: 'The vendor service answered with nothing.',
    hint: 'Retry. If it happens again, look at the proxy or mirror that stands between the verifier and the vendor.',
  },
  COLLATERAL_REDIRECTED: {
    verdict: 'inconclusive',
    title: 'The vendor service sends the verifier to another address.',
    hint: 'Redirects are never followed. Usually a login page of a proxy stands before the service; if the vendor moved, configure the new address.',
  },
  COLLATERAL_TLS_FAILED: {
    verdict: 'inconclusive',
    title: 'No secure connection to the vendor service could be made.',
    hint: 'An inspecting proxy or a mirror with a certificate of its own usually causes this. Give its authority to the client, and check the clock of the verifier.',
  },
  COLLATERAL_HOST_UNKNOWN: {
    verdict: 'inconclusive',
    title: 'The name of the vendor service could not be resolved.',
    hint: 'Check the DNS of the verifier and the configured address. Without a way to the vendor, pass the files with --collateral DIR.',
  },
  COLLATERAL_ANSWER_MISMATCH: {
    verdict: 'inconclusive',
    title: 'The vendor service answered about another object than it was asked for.',
    hint: 'A cache or mirror that mixes up its answers usually causes this. Fetch straight from the vendor, or empty that cache.',
  },
  // What no service hands out.
  COLLATERAL_CHIP_MASKED: {
    verdict: 'inconclusive',
    title: 'The SEV-SNP report masks its chip, so no VCEK can be fetched for it.',
    hint: 'The certificate must travel with the evidence. Or the provider lets the firmware state CHIP_ID (MASK_CHIP_ID clear) and reports anew.',
  },
  COLLATERAL_VLEK_NOT_SERVED: {
    verdict: 'inconclusive',
    title: 'The SEV-SNP report is signed with a VLEK, which AMD hands to the cloud provider only.',
    hint: 'The VLEK certificate must travel with the evidence: request the extended report, whose certificate table has it.',
  },
  COLLATERAL_UNRECOGNISED: {
    verdict: 'reject',
    title: 'A collateral file is of no known kind.',
    hint: 'The folder may hold certificates (PEM or DER), CRLs, OCSP answers, NVIDIA manifests in XML and vendor JSON. Move anything else out of --collateral DIR.',
  },
  // Packs: collateral kept in one file.
  COLLATERAL_PACK_MALFORMED: {
    verdict: 'reject',
    title: 'A collateral pack is not as it was written.',
    hint: 'A pack has one spelling, and something changed or cut this one. Copy it again from where it was made, or make it anew with vouchsafe collateral pack.',
  },
  COLLATERAL_PACK_UNSIGNED: {
    verdict: 'reject',
    title: 'A collateral pack bears no signature where one is asked for.',
    hint: 'Whoever makes the pack signs it with vouchsafe collateral pack --key. Leave out --pack-key where the pack need not be vouched for: its objects are proved either way.',
  },
  COLLATERAL_PACK_SIGNATURE_INVALID: {
    verdict: 'reject',
    title: 'The signature of a collateral pack is not by the key that was given.',
    hint: 'Check that the key given with --pack-key belongs to whoever made this pack. If it does, the pack was changed since it was signed.',
  },
} as const satisfies CodeTable
