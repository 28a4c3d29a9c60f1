import type { CodeTable } from './entry.ts'

export const SERVICE_CODES = {
  // The service: what a request itself may not be.
  SERVICE_BODY_TOO_LARGE: {
    verdict: 'reject',
    title: 'The body of the request is larger than the service takes.',
    hint: 'Send the evidence of one machine in one request, without logs of other machines and without padding.',
  },
  SERVICE_BODY_BROKEN: {
    verdict: 'inconclusive',
    title: 'The body of the request broke off.',
    hint: 'Send the request again. If it happens each time, look for a proxy with a limit of size or time between client and service.',
  },
  SERVICE_REQUEST_INVALID: {
    verdict: 'reject',
    title: 'The body of the request lacks a member, or has one that it should not have.',
    hint: 'Send exactly the members that the OpenAPI document of the service (/openapi.json) names for this call; null where there is nothing to say.',
  },
  SERVICE_TOKEN_REFUSED: {
    verdict: 'reject',
    title: 'The request carries no token that the service knows.',
    hint: 'Send the administrator token as Authorization: Bearer TOKEN. Who runs the service adds the SHA-256 of a new token to its configuration.',
  },
  SERVICE_TENANT_FORBIDDEN: {
    verdict: 'reject',
    title: 'The token is for another tenant.',
    hint: 'Use the token of an administrator of this tenant; a token opens the keys and the log of its own tenant alone.',
  },
  SERVICE_RATE_LIMITED: {
    verdict: 'inconclusive',
    title: 'This client asks more often than the service answers.',
    hint: 'Wait for the seconds that Retry-After names and ask again, once. An agent that asks in a loop should pause longer after each refusal.',
  },
  SERVICE_AUDIT_ENTRY_UNKNOWN: {
    verdict: 'reject',
    title: 'The audit log has no entry of this number for the tenant.',
    hint: 'List the entries of the tenant first; their numbers have gaps, where the entries of others lie.',
  },
  KBS_REQUEST_INVALID: {
    verdict: 'reject',
    title: 'The request of the KBS client lacks a member that the protocol has.',
    hint: 'Send version, tee and extra-params, as the KBS protocol of Confidential Containers describes them. A guest image of its releases does.',
  },
  KBS_VERSION_UNSUPPORTED: {
    verdict: 'reject',
    title: 'The KBS client speaks a version of the protocol that this service does not.',
    hint: 'Use a guest image whose client speaks 0.2, 0.3 or 0.4; version 0.1 hashes its key in another way.',
  },
  KBS_TEE_UNSUPPORTED: {
    verdict: 'reject',
    title: 'The KBS client runs on a TEE that this service cannot judge.',
    hint: 'Run the workload on AMD SEV-SNP, Intel TDX or SGX, or Arm CCA. The sample attester of the guest image proves nothing and is never taken: build the guest with the attester of its hardware.',
  },
} as const satisfies CodeTable
