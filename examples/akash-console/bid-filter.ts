import type { BidRow, Gate, ListedBid, Policy } from '../../src/index.ts'

/**
 * One more filter for the chain in `BidService.list`, behind those for audited providers and blocked GPU models: bids in,
 * bids out, in their order. Synchronous and from memory, so that a list of bids never waits for a vendor.
 * In shadow mode (`enforce: false`) it hides nothing, and still tells what it would have hidden.
 * @param refused hears of every row that is no accept: for a log, a badge, or the provider's own dashboard
 */
export const filterBidsByConfidentialHardware =
  (gate: Gate, policy: Policy, refused: (row: BidRow) => void) =>
  <Bid extends ListedBid>(bids: readonly Bid[]): Bid[] => {
    const rows = gate.decideBids(bids, policy)
    return bids.filter((_, i) => {
      const row = rows[i]
      if (row === undefined) return false
      if (row.verdict !== 'accept') refused(row)
      return row.verdict === 'accept' || !row.enforced
    })
  }
