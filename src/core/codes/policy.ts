import type { CodeTable } from './entry.ts'

export const POLICY_CODES = {
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
    hint: 'A policy is complete in itself: put the values into it, and under extends the name of a preset, never a file. Signed reference values are passed beside the policy with --reference-values DIR.',
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
    hint: 'The presets are cpu-confidential and h100-confidential; check the spelling. A policy file is given by its path on the command line alone: extends inside a policy takes nothing but the name of a preset.',
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
    hint: 'Older firmware, drivers or report versions leave fields out: the provider can update them. Where the finding shows an unknown board instead, its product has no name in this version of Vouchsafe: the tenant should update Vouchsafe or write a policy, and a lease, that name no model, and the provider can do nothing. If this kind of hardware never has the claim, the tenant should move the rule to the alternative it belongs to.',
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
} as const satisfies CodeTable
