import type { Context } from '../../core/context.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { TrustAnchor } from '../../core/trust-anchors.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import type { CollateralSet } from '../collateral.ts'
import { authenticateEndorsements, type DcapEndorsements } from './collateral.ts'
import { headOf } from './document-head.ts'
import type { Tee } from './model.ts'
import type { AuthenticPck } from './pck.ts'

/** What was proved of one platform's collateral, and what and when it was proved for. */
interface Proved {
  readonly ca: Certificate | undefined
  readonly anchor: TrustAnchor
  readonly span: Span
  readonly endorsements: DcapEndorsements
}

/** From `from` on, and before `until`. */
interface Span {
  readonly from: UnixSeconds
  readonly until: UnixSeconds
}

/** A proof shares what it points at with the cache of decoded structures. */
const COST_BYTES = 2048

/**
 * `authenticateEndorsements`, once for a machine that is judged again with the very same collateral at a time that no date
 * in it lies between: then every comparison with the time comes out as it did, and so does the answer. Refusals are not
 * remembered. What a sender brings makes a set of its own each time, whose checks are made and counted each time.
 * @param leaf SHA-256 of the PCK certificate
 */
export async function provedEndorsements(
  context: Context,
  tee: Tee,
  leaf: string,
  pck: AuthenticPck,
  collateral: CollateralSet,
): Promise<DcapEndorsements> {
  const proofs = context.table<CollateralSet, Proved>(`intel-endorsements ${tee} ${leaf}`, COST_BYTES)
  const { anchor, certificates } = pck.path
  const known = proofs.get(collateral)
  if (
    known !== undefined &&
    known.span.from <= context.now &&
    context.now < known.span.until &&
    known.ca === certificates[1] &&
    isSameAnchor(known.anchor, anchor)
  ) {
    return known.endorsements
  }
  const endorsements = await authenticateEndorsements(context, tee, pck, collateral)
  const span = unchangedSpan(collateral, anchor, context.now)
  // What a list lacks is told with the time of judgement in it.
  const isTimeless = endorsements.revocation.faults.length === 0
  if (span !== undefined && isTimeless) proofs.set(collateral, { ca: certificates[1], anchor, span, endorsements })
  return endorsements
}

/** Injected anchors are copied for each judgement; their parts are the caller's own. */
const isSameAnchor = (a: TrustAnchor, b: TrustAnchor): boolean =>
  a === b || (Object.keys(a) as (keyof TrustAnchor)[]).every((member) => a[member] === b[member])

/**
 * The longest span around `now` in which nothing in the collateral begins or ends. undefined where a list is there whose
 * time is still to come: it names what was revoked before `now`, entry by entry.
 */
function unchangedSpan(
  { certificates, crls, intelDocuments }: CollateralSet,
  anchor: TrustAnchor,
  now: UnixSeconds,
): Span | undefined {
  let from = Number.NEGATIVE_INFINITY
  let until = Number.POSITIVE_INFINITY
  const changesAt = (instant: UnixSeconds) => {
    if (instant <= now) from = Math.max(from, instant)
    else until = Math.min(until, instant)
  }
  const certified = ({ notBefore, notAfter }: Pick<Certificate, 'notBefore' | 'notAfter'>) => {
    changesAt(notBefore)
    changesAt(notAfter + 1) // the last second counts
  }
  certified(anchor)
  for (const { value } of certificates) certified(value)
  for (const { value } of crls) {
    if (value.thisUpdate > now) return undefined
    changesAt(value.thisUpdate)
    if (value.nextUpdate !== undefined) changesAt(value.nextUpdate)
  }
  for (const { value } of intelDocuments) {
    const head = headOf(value)
    if (head === undefined) continue
    changesAt(head.issueDate)
    changesAt(head.nextUpdate)
  }
  return { from, until }
}
