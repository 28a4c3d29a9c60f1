import { concatBytes, equalBytes, isZero } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { toHex } from '../../core/encodings.ts'
import { attemptAsync, type Fault, type Outcome, refuse, take } from '../../core/outcome.ts'
import { checkValidity } from '../../core/x509/path.ts'
import type { Claims, DcapTcbClaims, EventLogClaims, PckClaims } from '../claims.ts'
import type { CollateralSet } from '../collateral.ts'
import type { EvidenceItem } from '../evidence.ts'
import type { Authentic, CollateralUse, Decoded, ItemJudgement, NotChecked } from '../kind.ts'
import { toPckClaims } from './claims.ts'
import { DCAP_CODES } from './codes.ts'
import type { DcapEndorsements } from './collateral.ts'
import { provedEndorsements } from './endorsement-memo.ts'
import type { PckExtension, TdTcbFacts, Tee } from './model.ts'
import { type AuthenticPck, authenticatePck, isQeReportSigned, type OfferedPck, offeredPck } from './pck.ts'
import { type DcapQuote, declaredPart } from './quote.ts'
import { checkQeIdentity, evaluateTcb } from './tcb.ts'

/** A decoded quote of either TEE. */
export interface QuoteReport {
  readonly quote: DcapQuote
}

/** A quote that was proved to come from a genuine platform, with what Intel says about that platform. */
export interface ProvedQuote<R extends QuoteReport> {
  readonly report: R
  readonly pck: PckClaims
  /** undefined where none came with the quote, and for SGX */
  readonly eventLog: EventLogClaims | undefined
  /** undefined where Intel's documents about the platform were not there */
  readonly tcb: DcapTcbClaims | undefined
}

/** What one TEE adds to the way that all quotes are judged. */
export interface QuoteKind<R extends QuoteReport> {
  readonly tee: Tee
  readonly decode: (bytes: Uint8Array, path: string) => Outcome<Decoded<R>>
  /** undefined for SGX */
  readonly tdFacts: (report: R) => TdTcbFacts | undefined
  /** what must hold in a proved report under any policy; ends the surrounding `attempt` */
  readonly checkProved: (report: R) => void
  /** what the event log beside a proved report says; ends the surrounding `attemptAsync` where it does not lead to it */
  readonly eventLog: (report: R, item: EvidenceItem, context: Context) => Promise<EventLogClaims | undefined>
  readonly claims: (proved: ProvedQuote<R>) => Authentic<Claims>
}

/**
 * Judges one quote alone: decoding, PCK chain, Intel's documents and revocation, validity at the time of judgement, the
 * quoting enclave, the quote's own signature, the event log beside it, and then the TCB. Stops at the first refusal; documents that are missing are
 * told beside the claims.
 * @see ../shared/spec/intel-dcap.md §2
 */
export async function judgeQuote<R extends QuoteReport>(
  kind: QuoteKind<R>,
  item: EvidenceItem,
  collateral: CollateralSet,
  context: Context,
): Promise<ItemJudgement> {
  const outcome = await attemptAsync(() => prove(kind, item, collateral, context))
  if (!outcome.ok) return refused(item, outcome.faults)
  const { report, offered, pck, endorsements, eventLog, tcb } = outcome.value
  const { anchor } = pck.path
  const hardwareId = await hardwareIdOf(context, pck.extension)
  return {
    id: item.id,
    kind: item.kind,
    faults: endorsements.missing,
    claims: kind.claims({ report, pck: toPckClaims(pck), eventLog, tcb }),
    hardwareId,
    revocation: [endorsements.revocation],
    collateral: [...usesOf(offered), ...endorsements.uses],
    notChecked: hardwareId === undefined ? [NO_IDENTITY] : [],
    injectedAnchors: [...new Set([...(anchor.injected ? [anchor.id] : []), ...endorsements.injectedAnchors])],
    unpadded: declaredPart(item.bytes, report.quote),
  }
}

const NO_IDENTITY: NotChecked = {
  what: 'which machine made the quote',
  because: 'its PCK certificate names neither a platform instance nor a PPID',
}

const refused = ({ id, kind }: EvidenceItem, faults: readonly Fault[]): ItemJudgement => ({
  id,
  kind,
  faults,
  claims: undefined,
  hardwareId: undefined,
  revocation: [],
  collateral: [],
  notChecked: [],
  injectedAnchors: [],
})

const usesOf = ({ leaf, ca }: OfferedPck): readonly CollateralUse[] =>
  [leaf, ca].map(({ value, sha256 }) => ({
    kind: 'x509-certificate',
    digest: sha256,
    issuedAt: value.notBefore,
    validUntil: value.notAfter,
  }))

interface ProvedKey {
  readonly offered: OfferedPck
  readonly pck: AuthenticPck
  readonly endorsements: DcapEndorsements
}

/**
 * The quote's own signature is the one check that no cache can answer, and its key is in the quote: it runs while the rest
 * is judged. Its verdict counts in its place, after the quoting enclave that vouches for that key.
 */
async function prove<R extends QuoteReport>(
  kind: QuoteKind<R>,
  item: EvidenceItem,
  collateral: CollateralSet,
  context: Context,
) {
  const report = take(kind.decode(item.bytes, 'quote')).value
  const { quote } = report
  const [key, isSigned] = await Promise.all([
    attemptAsync(() => proveKey(kind.tee, quote, collateral, context)),
    context.verify('evidence', 'ES256', quote.attestationSpki, quote.signedBytes, quote.signature, 'once'),
  ])
  const proved = take(key)
  if (!isSigned) {
    refuse(DCAP_CODES[kind.tee].signature, 'quote.signature', { expected: 'made by the attestation key' })
  }
  kind.checkProved(report)
  const eventLog = await kind.eventLog(report, item, context)
  return { report, ...proved, eventLog, tcb: tcbOf(kind, report, proved) }
}

/** Everything but the quote's own signature: the certificate, and the quoting enclave that vouches for the attestation key. */
async function proveKey(tee: Tee, quote: DcapQuote, collateral: CollateralSet, context: Context): Promise<ProvedKey> {
  const codes = DCAP_CODES[tee]
  const offered = await offeredPck(context, tee, quote, collateral)
  const [chain, isQeSigned, keyDigest] = await Promise.all([
    attemptAsync(() => authenticatePck(context, tee, offered)),
    isQeReportSigned(context, quote, offered.leaf.value),
    context.digest('sha256', concatBytes(quote.attestationKey, quote.qeAuthData)),
  ])
  const pck = take(chain)
  const endorsements = await provedEndorsements(context, tee, offered.leaf.sha256, pck, collateral)
  checkValidity(context, pck.path, 'chain')
  if (!isQeSigned) refuse(codes.qeSignature, 'quote.qeReportSignature', { expected: 'made by the PCK' })
  const { reportData } = quote.qeReport
  if (!equalBytes(reportData.subarray(0, 32), keyDigest) || !isZero(reportData.subarray(32))) {
    refuse(codes.qeBinding, 'quote.qeReport.reportData', {
      expected: `${toHex(keyDigest)}, then zeros`,
      actual: toHex(reportData),
    })
  }
  if (endorsements.qeIdentity !== undefined) checkQeIdentity(tee, quote.qeReport, endorsements.qeIdentity)
  return { offered, pck, endorsements }
}

function tcbOf<R extends QuoteReport>(
  kind: QuoteKind<R>,
  report: R,
  { pck, endorsements: { tcbInfo, qeIdentity } }: ProvedKey,
): DcapTcbClaims | undefined {
  if (tcbInfo === undefined || qeIdentity === undefined) return undefined
  const facts = { pck: pck.extension, qeReport: report.quote.qeReport, td: kind.tdFacts(report) }
  return evaluateTcb(kind.tee, facts, tcbInfo, qeIdentity)
}

/** The platform instance where the certificate names one, else the PPID; zeros name nothing. */
async function hardwareIdOf(context: Context, { platformInstanceId, ppid }: PckExtension): Promise<string | undefined> {
  const id = [platformInstanceId, ppid].find((bytes) => bytes !== undefined && !isZero(bytes))
  return id === undefined ? undefined : `intel-platform:${await context.digestHex('sha256', id)}`
}
