import type { EvidenceSet } from '../attestation/evidence.ts'
import type { Freshness } from '../attestation/evidence-set/binding.ts'
import type { ItemJudgement, NotChecked } from '../attestation/kind.ts'

/** What was not looked at, and why: nothing of it counts as passed. */
export function notCheckedOf(
  set: EvidenceSet,
  judgements: readonly ItemJudgement[],
  ignored: readonly string[],
  { policy, freshness }: { readonly policy: object | null; readonly freshness: Freshness },
): readonly NotChecked[] {
  const list: NotChecked[] = judgements.flatMap((j) => j.notChecked)
  for (const j of judgements) {
    for (const r of j.revocation) {
      if (r.status !== 'good' && (policy !== null || r.status === 'notGiven')) {
        const because =
          r.status === 'notGiven' ? 'no revocation material was given' : 'the material given does not answer'
        list.push({ what: `${j.id}: revocation of the ${r.chain} chain`, because })
      }
    }
  }
  if (freshness.kind === 'nonce')
    list.push({ what: 'age of the nonce', because: 'a bare nonce says nothing of when it was asked; a challenge does' })
  if (freshness.kind === 'notGiven') list.push({ what: 'freshness', because: 'no challenge and no nonce were given' })
  if (freshness.kind === 'notChecked') list.push({ what: 'freshness', because: freshness.because })
  if (policy === null) list.push({ what: 'appraisal', because: 'no policy was given' })
  for (const { id, unread, runtimeData } of set.items) {
    if (runtimeData !== undefined)
      list.push({ what: `${id}: VM configuration and user data of the HCL report`, because: 'no rule is about them' })
    if (unread === undefined) continue
    const what = `${id}: ${unread.length} bytes between the SPDM report and its certificates (a CEC report)`
    list.push({ what, because: 'nothing signs them for us' })
  }
  for (const name of ignored) list.push({ what: `file ${name}`, because: 'it is neither evidence nor collateral' })
  return list
}
