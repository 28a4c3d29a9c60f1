import { type CollateralSet, sortCollateral } from '../../../src/attestation/collateral.ts'
import type { ItemJudgement } from '../../../src/attestation/kind.ts'
import { sevSnp } from '../../../src/attestation/sev-snp/index.ts'
import type { Code } from '../../../src/core/codes.ts'
import { Context, createVerificationCache } from '../../../src/core/context.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { parseRfc3339 } from '../../../src/core/time.ts'
import { PINNED_ANCHORS, type TrustAnchor } from '../../../src/core/trust-anchors.ts'
import type { AmdMachine } from '../../../src/testing/amd/index.ts'
import { anchorFromCertificate } from '../../support/anchors.ts'

export function contextAt(at: string, ...injected: readonly TrustAnchor[]): Context {
  const now = parseRfc3339(at)
  if (now === undefined) throw new TypeError(`${at} is not RFC 3339`)
  const anchors = [...PINNED_ANCHORS, ...injected]
  return new Context({ now, anchors, crypto: nodeCrypto, cache: createVerificationCache() })
}

/** Collateral of certificates and lists; a file that cannot be read is an error of the test. */
export async function collateralOf(context: Context, ...files: readonly Uint8Array[]): Promise<CollateralSet> {
  const { collateral, faults } = await sortCollateral(
    context,
    files.map((bytes, i) => ({ name: `file-${i}`, bytes })),
    'verifier',
  )
  if (faults.length > 0) throw new TypeError(`collateral: ${JSON.stringify(faults)}`)
  return collateral
}

export interface Judging {
  /** what travels with the report; by default the certificate table */
  readonly endorsements?: readonly Uint8Array[]
  /** by default the revocation list */
  readonly collateral?: readonly Uint8Array[]
  readonly at?: string
  /** by default the machine's root, injected */
  readonly anchors?: readonly TrustAnchor[]
}

/** Judges a machine of the test kit, its root injected as an anchor. */
export async function judgeMachine(machine: AmdMachine, judging: Judging = {}): Promise<ItemJudgement> {
  const anchors = judging.anchors ?? [anchorFromCertificate(machine.trustedArk, 'amd/ark')]
  const context = contextAt(judging.at ?? machine.at, ...anchors)
  const collateral = await collateralOf(context, ...(judging.collateral ?? [machine.crl]))
  return judgeReport(context, machine.report, judging.endorsements ?? [machine.table], collateral)
}

export const judgeReport = (
  context: Context,
  bytes: Uint8Array,
  endorsements: readonly Uint8Array[],
  collateral: CollateralSet,
): Promise<ItemJudgement> =>
  sevSnp.verify({ id: 'cpu', kind: 'amd/snp-report', bytes, endorsements }, collateral, context)

export const codesOf = (judgement: ItemJudgement): readonly Code[] => judgement.faults.map((f) => f.code)

/** What most tests assert: the codes, and that claims exist exactly where there should be some. */
export const verdictOf = (judgement: ItemJudgement): { codes: readonly Code[]; proved: boolean } => ({
  codes: codesOf(judgement),
  proved: judgement.claims !== undefined,
})

export const ACCEPTED = { codes: [], proved: true }
export const refusedWith = (code: Code): { codes: readonly Code[]; proved: boolean } => ({
  codes: [code],
  proved: false,
})

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
