import type { CodeTable } from './entry.ts'

export const NITRO_CCA_CODES = {
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
} as const satisfies CodeTable
