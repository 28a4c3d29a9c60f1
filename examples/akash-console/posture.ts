import {
  accountThumbprint,
  type Gate,
  type GateDecision,
  hardwareDigest,
  type Policy,
  postureStatement,
} from '../../src/index.ts'
import type { Provider } from './rehearsal.ts'

/**
 * A provider shows its machine before anybody leases it: the gate asks, the machine answers, the account signs for the
 * hardware in the answer, and the gate judges. In production the two calls of the gate are routes of the marketplace, and what
 * lies between them happens at the provider.
 */
export async function showPosture(
  { gate, policy }: { readonly gate: Gate; readonly policy: Policy },
  provider: Provider,
  how: 'confidential' | 'debug',
): Promise<GateDecision> {
  const challenge = await gate.issueChallenge({ purpose: 'posture', provider: provider.address, policy })
  const [challengeId, nonce] = [String(challenge.id), String(challenge.nonce)]
  const quote = provider.quote(new Uint8Array(Buffer.from(nonce, 'base64')), how)
  const evidence = new TextEncoder().encode(JSON.stringify(quote))
  const statement = postureStatement({
    ...{ provider: provider.address, challengeId, nonce },
    hardwareDigest: hardwareDigest(await provider.hardwareIds(evidence)),
  })
  const providerProof = provider.sign(statement)
  return gate.verify(evidence, {
    ...{ challengeId, policy, provider: provider.address, providerProof },
    advertised: { teeType: 'cpu-gpu', gpuCount: 1, gpuModel: 'H100' },
    holderJkt: await accountThumbprint(new Uint8Array(Buffer.from(providerProof.pub_key.value, 'base64'))),
  })
}
