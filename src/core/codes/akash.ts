import type { CodeTable } from './entry.ts'

export const AKASH_CODES = {
  // Akash: what is lint of an order, and what the gateway answers.
  SDL_UNREADABLE: {
    verdict: 'reject',
    title: 'The order is not YAML that every reader reads alike.',
    hint: 'Write one plain YAML document: no tags, no merge keys, no key twice, few aliases. The finding names the line.',
  },
  SDL_SHAPE_INVALID: {
    verdict: 'reject',
    title: 'A member of the order is missing or has another form than an SDL gives it.',
    hint: 'Mend the member that the finding names; the SDL reference of Akash shows its form. Nothing below it was looked at.',
  },
  SDL_TEE_MISSING: {
    verdict: 'reject',
    title: 'A service does not ask for a confidential machine.',
    hint: 'Add params.tee with the value cpu or cpu-gpu to the service. Without it the provider may run it on any machine.',
  },
  SDL_TEE_UNKNOWN: {
    verdict: 'reject',
    title: 'A service asks for a kind of confidential machine that does not exist.',
    hint: 'Write params.tee with the value cpu or cpu-gpu, nothing else. Which silicon it is, the evidence shows later and the policy decides.',
  },
  SDL_TEE_MIXED: {
    verdict: 'reject',
    title: 'Services of one placement ask for different kinds of confidential machines.',
    hint: 'A placement becomes one group, and a group has one kind: give all of its services the same value in params.tee, or spread them over two placements.',
  },
  SDL_ATTESTATION_OFF: {
    verdict: 'reject',
    title: 'A service switches its attestation off.',
    hint: 'Remove the member attestation, or set it to true. Without it no sidecar runs, and no evidence of this machine can ever be had.',
  },
  SDL_GPU_MISSING: {
    verdict: 'reject',
    title: 'A service asks for confidential GPUs and its profile has none.',
    hint: 'Set gpu.units to the number of GPUs in the compute profile that the deployment names, or ask for params.tee with the value cpu.',
  },
  SDL_GPU_OUTSIDE_TEE: {
    verdict: 'reject',
    title: 'A service has GPUs that its kind of confidential machine does not cover.',
    hint: 'Ask for params.tee with the value cpu-gpu: under cpu the GPU is not attested, and what it computes on lies open to the host.',
  },
  SDL_GPU_MODEL_MISSING: {
    verdict: 'reject',
    title: 'A service asks for confidential GPUs without naming a model.',
    hint: 'Name one under gpu.attributes.vendor.nvidia, for example h100 or h200. Without it any GPU fits the order, and most have no confidential mode.',
  },
  SDL_GPU_MODEL_NOT_CONFIDENTIAL: {
    verdict: 'reject',
    title: 'A service asks for a GPU that has no confidential mode on an AMD or Intel host.',
    hint: 'Choose one that has: h100, h200, h800 or b200. Consumer cards, RTX, L4, L40S, A10, A100, V100 and T4 cannot attest.',
  },
  SDL_GPU_MODEL_UNKNOWN: {
    verdict: 'inconclusive',
    title: 'A service asks for a GPU of which it is not known whether it has a confidential mode.',
    hint: 'Check the spelling, and choose h100, h200, h800 or b200 where the workload allows it. A newer version of this tool may know the model.',
  },
  SDL_SECRET_IN_CLEAR: {
    verdict: 'reject',
    title: 'A service carries what looks like a secret, and the provider reads all of it in clear.',
    hint: 'Take it out of env, args and command, replace it if it was ever sent, and have it released to the attested machine instead. Where it is no secret, give it a name that does not say so.',
  },
  SDL_CREDENTIALS_IN_CLEAR: {
    verdict: 'reject',
    title: 'A service carries credentials for its registry, and the provider reads them in clear.',
    hint: 'Use a public image, encrypted if it is confidential, or credentials that can do nothing but pull this one image and expire soon. They reach the provider before anything is attested.',
  },
  SDL_IMAGE_NOT_PINNED: {
    verdict: 'reject',
    title: 'The image of a service is not pinned by digest.',
    hint: 'Write the image as name@sha256: and its digest, which docker buildx imagetools inspect prints. A tag can be moved to another image at any time.',
  },
  AKASH_ENDPOINT_INVALID: {
    verdict: 'inconclusive',
    title: 'The address of the gateway is not an HTTPS origin.',
    hint: 'The provider should set host_uri on the chain to https:// with host and port, usually 8443, and nothing behind it.',
  },
  AKASH_GATEWAY_UNREACHABLE: {
    verdict: 'inconclusive',
    title: 'The gateway of the provider cannot be reached.',
    hint: 'The provider should check DNS, firewall and that the gateway listens on the port of its host_uri. The finding names what the network answered.',
  },
  AKASH_TLS_FAILED: {
    verdict: 'inconclusive',
    title: 'No TLS connection to the gateway came about.',
    hint: 'The provider should check that the gateway itself answers TLS 1.2 or later on this port, with no proxy before it.',
  },
  AKASH_CERTIFICATE_MISMATCH: {
    verdict: 'reject',
    title: 'Another machine answers: the certificate is not the one that the provider has on the chain.',
    hint: 'Nothing was sent to it. The provider should see that its gateway serves the certificate it published, and publish a new one before it is exchanged; then read the fingerprint from the chain again.',
  },
  AKASH_CERTIFICATE_EXPIRED: {
    verdict: 'inconclusive',
    title: 'The certificate of the gateway is not valid at this time.',
    hint: 'The provider should create and publish a new certificate, and the clock of the collector should be right. Nothing was sent.',
  },
  AKASH_REQUEST_REFUSED: {
    verdict: 'inconclusive',
    title: 'The gateway refuses the form of the request.',
    hint: 'It wants a nonce of 64 bytes in base64. Where that is what it got, the provider runs a version without attestation, or another one than AEP-83 describes, and should update.',
  },
  AKASH_TOKEN_REFUSED: {
    verdict: 'inconclusive',
    title: 'The gateway does not accept who is asking.',
    hint: 'Sign the token with the key of the account that owns the lease, and compare both clocks. A provider that was never updated for tokens wants a client certificate instead.',
  },
  AKASH_SCOPE_DENIED: {
    verdict: 'inconclusive',
    title: 'The gateway does not allow this token to ask for attestation.',
    hint: 'The token needs the scope attestation for this provider. Where it has that, the provider runs a version that does not know the scope, and should update.',
  },
  AKASH_SIDECAR_ABSENT: {
    verdict: 'inconclusive',
    title: 'The gateway finds no such lease, or no running pod of it with an attestation sidecar.',
    hint: 'Ask again once the pod runs, which takes minutes after the manifest was sent. If it runs: the manifest has attestation off, the runtime class is not confidential, or the webhook was away when the pod was made, and the provider should restart it.',
  },
  AKASH_RATE_LIMITED: {
    verdict: 'inconclusive',
    title: 'The gateway asks to be left alone for a while.',
    hint: 'Ask less often; the collector has waited and tried again as long as it was allowed to.',
  },
  AKASH_SIDECAR_UNREACHABLE: {
    verdict: 'inconclusive',
    title: 'The gateway cannot reach the sidecar in the pod.',
    hint: 'The provider should check the pod proxy of the API server, the network policy for port 8790, and whether the sidecar runs.',
  },
  AKASH_QUOTE_FAILED: {
    verdict: 'inconclusive',
    title: 'The sidecar could not get a quote from the hardware.',
    hint: 'The provider should read the log of the sidecar: usually configfs-tsm or /dev/sev-guest is missing in the guest, or the quote service for TDX does not run.',
  },
  AKASH_STATUS_UNEXPECTED: {
    verdict: 'inconclusive',
    title: 'The gateway answers with a status that this call does not have.',
    hint: 'The provider should look into the log of its gateway, and for a proxy before it that answers instead.',
  },
  AKASH_REDIRECT_REFUSED: {
    verdict: 'inconclusive',
    title: 'The gateway sends the request elsewhere, which is not followed.',
    hint: 'The provider should answer at the address it has on the chain; a proxy before the gateway must pass requests on, not redirect them.',
  },
  AKASH_CONTENT_TYPE_INVALID: {
    verdict: 'inconclusive',
    title: 'The answer of the gateway is not JSON as it stands.',
    hint: 'Something before the gateway answers instead, or encodes what it passes on. The provider should let the gateway answer application/json itself, without compression.',
  },
  AKASH_RESPONSE_OVERSIZE: {
    verdict: 'inconclusive',
    title: 'The answer of the gateway is larger than the limit.',
    hint: 'A quote of a machine with eight GPUs has about 150 kilobytes. The provider should look for what answers instead of the sidecar.',
  },
  AKASH_RESPONSE_TRUNCATED: {
    verdict: 'inconclusive',
    title: 'The answer of the gateway breaks off.',
    hint: 'Ask again. If it happens each time, the provider should look for a proxy or a limit of size or time between gateway and pod.',
  },
  AKASH_DEADLINE_PASSED: {
    verdict: 'inconclusive',
    title: 'The gateway did not answer in time.',
    hint: 'A quote of eight GPUs takes some seconds: allow for that. The provider should look for a sidecar that hangs, usually on the driver of a GPU.',
  },
} as const satisfies CodeTable
