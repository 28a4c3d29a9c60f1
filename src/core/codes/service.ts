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
