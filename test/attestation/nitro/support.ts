import { sortCollateral } from '../../../src/attestation/collateral.ts'
import type { ItemJudgement } from '../../../src/attestation/kind.ts'
import { nitro } from '../../../src/attestation/nitro/index.ts'
import { Context, createVerificationCache } from '../../../src/core/context.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { NITRO_TEST_TIME, type NitroSpec, nitroDocument } from '../../../src/testing/index.ts'
import { anchorFromCertificate } from '../../support/anchors.ts'

export const SEED = 'nitro'
export const NOW = Date.parse(NITRO_TEST_TIME) / 1000

interface How {
  readonly now?: number
  readonly crls?: readonly Uint8Array[]
  readonly origin?: 'verifier' | 'evidence'
}

/** Judges document bytes under the root of the test hierarchy. */
export async function judgeBytes(
  document: Uint8Array,
  { now = NOW, crls = [], origin = 'verifier' }: How = {},
): Promise<ItemJudgement> {
  const anchors = [anchorFromCertificate(nitroDocument(SEED).root, 'aws/nitro-root')]
  const context = new Context({ now, anchors, crypto: nodeCrypto, cache: createVerificationCache() })
  const files = crls.map((bytes, i) => ({ name: `crl-${i}`, bytes }))
  const { collateral } = await sortCollateral(context, files, origin)
  return nitro.verify({ id: 'cpu', kind: 'aws/nitro', bytes: document, endorsements: [] }, collateral, context)
}

export const judge = (spec: NitroSpec = {}, how: How = {}): Promise<ItemJudgement> =>
  judgeBytes(nitroDocument(SEED, spec).document, how)

export const codesIn = ({ faults }: ItemJudgement): readonly string[] => faults.map((f) => f.code)
