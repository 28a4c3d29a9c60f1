import type { CollateralFile, CollateralSet } from '../../attestation/collateral.ts'
import type { Decision } from '../../decision/decision.ts'
import { sorted } from '../cache/answer.ts'
import type { PackedAnswer } from './pack.ts'

const digestsIn = ({ certificates, crls, ocspResponses, rims, intelDocuments, platformKeys }: CollateralSet) =>
  [certificates, crls, ocspResponses, rims, intelDocuments, platformKeys].flat().map((held) => held.sha256)

/**
 * The answers that a decision rests on, out of those that it was made with. Where they alone do not give the same decision
 * again, because what was wrong with another one is told in it, all of them.
 * @param judge makes the decision with these files and nothing else of the verifier's
 */
export async function answersUsed(
  answers: readonly PackedAnswer[],
  decision: Decision,
  judge: (files: readonly CollateralFile[]) => Promise<Decision>,
): Promise<readonly PackedAnswer[]> {
  const used = new Set(decision.collateral.map((u) => u.digest))
  const isUsed = await Promise.all(
    answers.map(async ({ files }) => digestsIn(await sorted(files)).some((digest) => used.has(digest))),
  )
  const some = answers.filter((_, i) => isUsed[i])
  return isSame(decision, await judge(some.flatMap((a) => a.files))) ? some : answers
}

const isSame = (a: Decision, b: Decision): boolean => JSON.stringify(a) === JSON.stringify(b)
