import type { CodeTable } from './entry.ts'

export const GATE_CODES = {
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
    hint: 'Pass the object as the chain, Console or the SDK gives it. Sequence numbers are whole and never negative, addresses are lower-case bech32. As one text (--lease of fetch-key) a lease is OWNER/DSEQ/GSEQ/OSEQ/PROVIDER/BSEQ, with both addresses as the chain prints them.',
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
} as const satisfies CodeTable
