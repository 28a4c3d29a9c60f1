import type { CodeTable } from './entry.ts'

export const AGENT_CODES = {
  // The agent in the guest: what it meets on the way to a key.
  AGENT_SERVICE_UNREACHABLE: {
    verdict: 'inconclusive',
    title: 'The service that releases keys does not answer.',
    hint: 'Look at the address, the name service and the network of the workload, and ask again.',
  },
  AGENT_SERVICE_CERTIFICATE: {
    verdict: 'reject',
    title: 'The certificate of the service is not one that this machine trusts for its name.',
    hint: 'Name the authority that issued it with --ca FILE, and the service by a name that stands in the certificate. Checking it cannot be switched off.',
  },
  AGENT_ANSWER_INVALID: {
    verdict: 'reject',
    title: 'What answered is no service that releases keys, or speaks another version.',
    hint: 'Give the address of the service without any path. Look for a proxy that answers in its place, and update the older of agent and service.',
  },
  AGENT_CHALLENGE_MISMATCH: {
    verdict: 'reject',
    title: 'The challenge of the service is not about the key and lease that were asked for.',
    hint: 'Nothing was sent to it. Compare the lease id with the one that the marketplace shows, and find out who answers at this address.',
  },
  AGENT_SERVICE_REFUSED: {
    verdict: 'reject',
    title: 'The service refuses, for a reason that this agent does not know.',
    hint: 'Look the named code up in the documentation of the service, which is newer than this agent, or update the agent.',
  },
} as const satisfies CodeTable
