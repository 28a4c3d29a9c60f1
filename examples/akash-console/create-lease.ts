import { type BidIdLike, type Finding, type Gate, lintSdl, type OrderLike, type Policy } from '../../src/index.ts'

/** What Console does on the chain and at the provider for managed wallets. */
export interface Chain {
  /** signs and broadcasts MsgCreateLease */
  createLease(bid: BidIdLike): Promise<void>
  sendManifest(bid: BidIdLike, sdl: string): Promise<void>
}

export interface LeaseOrder {
  readonly bid: { readonly bid: { readonly id: BidIdLike; readonly state: string } }
  readonly order: { readonly order: OrderLike }
  readonly sdl: string
}

/** The order itself would give away what the machine is to keep: nothing was broadcast. */
export class SdlRefused extends Error {
  override readonly name = 'SdlRefused'
  readonly findings: readonly Finding[]

  constructor(findings: readonly Finding[]) {
    super(findings.map((f) => `${f.code} at ${f.path}: ${f.hint}`).join(' '))
    this.findings = findings
  }
}

/**
 * `LeaseService.createLeasesAndSendManifest` with the gate in it. Posture may have changed since the bids were listed, so it
 * is looked at again in the last moment before MsgCreateLease; the manifest leaves in clear right after.
 * @throws SdlRefused, or GateError with the row and its codes; no message was signed then
 */
export async function createLeaseAndSendManifest(
  { gate, policy, chain }: { readonly gate: Gate; readonly policy: Policy; readonly chain: Chain },
  { bid, order, sdl }: LeaseOrder,
): Promise<void> {
  const { findings } = await lintSdl(sdl)
  if (findings.length > 0) throw new SdlRefused(findings)
  gate.requireEligible({ bid: { ...bid, ...order }, policy })
  await chain.createLease(bid.bid.id)
  // From here on the machine itself has to answer: `issueChallenge({ purpose: 'lease' })`, `verify`, `requireAttested`.
  await gate.openLease({ lease: bid.bid.id, order, policy, hostData: null })
  await chain.sendManifest(bid.bid.id, sdl)
}
