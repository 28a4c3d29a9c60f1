import type { CodeTable } from './entry.ts'

export const COLLATERAL_CODES = {
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
