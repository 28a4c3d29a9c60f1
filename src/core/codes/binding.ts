import type { CodeTable } from './entry.ts'

export const BINDING_CODES = {
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
  BIND_RUNTIME_DATA_MISMATCH: {
    verdict: 'reject',
    title: 'The report data is not the hash of the nonce, key and device evidence that came with it.',
    hint: 'The guest must send the key, the nonce and the text of its device evidence exactly as it hashed them (RFC 8785, SHA-384 unless agreed otherwise). Nothing between guest and broker may rewrite the request; if the guest restarted its agent, let it attest again.',
  },
  BIND_RUNTIME_DATA_MISSING: {
    verdict: 'reject',
    title: 'The evidence carries no runtime data, so there is no key in it that anything could be wrapped to.',
    hint: 'Send the body that a Confidential Containers guest attests with: runtime-data with nonce and tee-pubkey, and tee-evidence.',
  },
  BIND_INIT_DATA_MISMATCH: {
    verdict: 'reject',
    title: 'The guest was launched with other init data than it presents.',
    hint: 'Launch the pod with the very init data that is presented, byte for byte: its digest is measured at launch. The provider must not change the annotation that carries it.',
  },
  BIND_INIT_DATA_MALFORMED: {
    verdict: 'reject',
    title: 'The init data is not TOML with exactly one known hash algorithm.',
    hint: 'Write init data in format toml with one line algorithm = "sha256", "sha384" or "sha512", as Confidential Containers describes it.',
  },
  BIND_QUOTE_ORACLE: {
    verdict: 'reject',
    title: 'The measured image signs any 64 bytes for anyone, so a key in its report data proves nothing.',
    hint: 'Only another guest image closes this: one whose agent hashes its own key and signs nothing else. The tenant can deploy such an image, or accept the risk by name with acceptRisks open-quote-oracle.',
  },
} as const satisfies CodeTable
