import { equalBytes } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { attemptAsync, type Fault, failed, type Outcome, refuse, take, verdictOf } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import { type Brought, type IntelDocument, payerOf } from '../collateral.ts'
import { type CollateralFacts, judgeCollateral } from '../collateral-rules.ts'
import { COLLATERAL_CODES } from './collateral-codes.ts'
import { type DocumentHead, headOf } from './document-head.ts'
import type { Tee } from './model.ts'
import type { TcbSigner } from './tcb-signer.ts'

/** What every document of Intel's has. */
interface Dated {
  readonly issueDate: UnixSeconds
  readonly nextUpdate: UnixSeconds
  readonly tcbEvaluationDataNumber: number
}

/** What is looked for among the documents. */
export interface Wanted<T extends Dated> {
  readonly kind: IntelDocument['kind']
  readonly tee: Tee
  readonly fits: (head: DocumentHead) => boolean
  readonly decode: (signed: Uint8Array, tee: Tee, path: string) => Outcome<T>
  /** names it in messages: `tcbInfo` */
  readonly path: string
}

/** A document that Intel signed and that is in date. */
export interface ProvedDocument<T> {
  readonly value: T
  readonly sha256: string
  readonly signer: TcbSigner
}

/** A folder may hold forgeries for any platform; so many tell a genuine document beside a few of them. */
const MOST_DOCUMENTS = 8
/** Intel's own have about 20 kilobytes. */
const MOST_DOCUMENT_BYTES = 64 * 1024

/**
 * The document that is wanted, proved: of those that fit, the one of the highest evaluation number and then the newest.
 * Where none fits and only one of that kind was given at all, that one, so that the contradiction is named by whoever uses
 * it. A document that Intel signed under a higher number and that cannot be used (expired, of a form that is not understood)
 * leaves no older one standing. Ends the surrounding `attemptAsync` there, and where documents were given and none of them can be used: with the code of the
 * signer's certificate, TDX_COLLATERAL_SIGNATURE, a code of the decoder, COLLATERAL_EXPIRED · COLLATERAL_NOT_YET_VALID. At
 * most 8 are tried, what the verifier holds before what the sender brought.
 * @returns undefined where none was given for this platform
 */
export async function chooseDocument<T extends Dated>(
  context: Context,
  documents: readonly Brought<IntelDocument>[],
  signers: readonly TcbSigner[],
  wanted: Wanted<T>,
): Promise<ProvedDocument<T> | undefined> {
  const ofKind = documents.filter(({ value }) => value.kind === wanted.kind)
  const fitting = ofKind.filter(({ value }) => {
    const head = headOf(value)
    return head !== undefined && wanted.fits(head)
  })
  const candidates = fitting.length > 0 || ofKind.length > 1 ? inOrder(fitting, context) : ofKind
  const outcomes: Outcome<ProvedDocument<T>>[] = []
  const superseding: { readonly number: number; readonly fault: Fault }[] = []
  for (const document of candidates.slice(0, MOST_DOCUMENTS)) {
    const genuine = await attemptAsync(() => authenticDocument(context, document, signers, wanted))
    const outcome = genuine.ok ? await attemptAsync(() => usableDocument(context, genuine.value, wanted)) : genuine
    outcomes.push(outcome)
    if (!genuine.ok || outcome.ok || outcome.faults[0].code === 'COLLATERAL_NOT_YET_VALID') continue
    superseding.push({ number: headOf(document.value)?.evaluationNumber ?? 0, fault: outcome.faults[0] })
  }
  const [best] = outcomes
    .flatMap((o) => (o.ok ? [o.value] : []))
    .sort(
      (a, b) =>
        b.value.tcbEvaluationDataNumber - a.value.tcbEvaluationDataNumber || b.value.issueDate - a.value.issueDate,
    )
  if (best !== undefined) {
    // Intel said something newer, which cannot be used: what it said before does not stand any more, whoever brings it.
    const newer = superseding.find(({ number }) => number > best.value.tcbEvaluationDataNumber)
    return newer === undefined ? best : take(failed([newer.fault]))
  }
  const faults = outcomes.flatMap((o) => (o.ok ? [] : o.faults))
  const told = faults.find((f) => verdictOf(f) === 'reject') ?? faults[0]
  return told === undefined ? undefined : take(failed([told]))
}

/** What the sender brought stands behind what the verifier holds, so that it cannot crowd that out. */
function inOrder(
  documents: readonly Brought<IntelDocument>[],
  { now }: Pick<Context, 'now'>,
): readonly Brought<IntelDocument>[] {
  const isInDate = (head: DocumentHead | undefined) =>
    head !== undefined && head.issueDate <= now && now < head.nextUpdate
  return [...documents].sort((a, b) => {
    const [x, y] = [headOf(a.value), headOf(b.value)]
    return (
      Number(a.origin === 'evidence') - Number(b.origin === 'evidence') ||
      Number(isInDate(y)) - Number(isInDate(x)) ||
      (y?.evaluationNumber ?? 0) - (x?.evaluationNumber ?? 0) ||
      (y?.issueDate ?? 0) - (x?.issueDate ?? 0) ||
      (a.sha256 < b.sha256 ? -1 : Number(a.sha256 > b.sha256))
    )
  })
}

/** A document that Intel signed, whatever it says and whenever it was in date. */
interface Genuine {
  readonly document: Brought<IntelDocument>
  readonly signer: TcbSigner
}

async function authenticDocument(
  context: Context,
  document: Brought<IntelDocument>,
  signers: readonly TcbSigner[],
  { tee, path }: Pick<Wanted<Dated>, 'tee' | 'path'>,
): Promise<Genuine> {
  const { issuerChain } = document.value
  const offered = signers.filter(
    ({ value }) => issuerChain === undefined || issuerChain.some((der) => equalBytes(der, value.der)),
  )
  const signer = await signerOf(context, document, offered)
  if (signer === undefined) {
    // Where no certificate under the signer's name holds, that is what is wrong; else the document is.
    const [first] = offered
    if (first !== undefined && !first.proof.ok) take(first.proof)
    return refuse(COLLATERAL_CODES[tee].signature, path, { expected: 'signed by Intel SGX TCB Signing' })
  }
  take(signer.proof)
  return { document, signer }
}

async function usableDocument<T extends Dated>(
  context: Context,
  { document, signer }: Genuine,
  { decode, tee, path }: Wanted<T>,
): Promise<ProvedDocument<T>> {
  const { signed, kind } = document.value
  const value = take(
    await context.decodeOnce(`${kind}/${path}`, signed, MOST_DOCUMENT_BYTES, () => decode(signed, tee, path)),
  )
  checkDates(context, value, path, document.sha256)
  return { value, sha256: document.sha256, signer }
}

/** The signer whose key signed these very bytes; proved ones are asked first. */
async function signerOf(
  context: Context,
  document: Brought<IntelDocument>,
  signers: readonly TcbSigner[],
): Promise<TcbSigner | undefined> {
  const { signed, signature } = document.value
  for (const signer of signers) {
    const { spki } = signer.value.publicKey
    if (await context.verify(payerOf(document), 'ES256', spki, signed, signature, 'remember')) return signer
  }
  return undefined
}

function checkDates(context: Context, value: Dated, path: string, digest: string): void {
  const facts: CollateralFacts = {
    id: path,
    subject: path,
    digest,
    issuedAt: value.issueDate,
    validUntil: value.nextUpdate,
    evaluationNumber: value.tcbEvaluationDataNumber,
    sequenceNumber: undefined,
  }
  const [first, ...more] = judgeCollateral(facts, {
    now: context.now,
    maxAgeSeconds: undefined,
    // The minimum is the policy's, which finds the number among the claims; the marks are the cache's.
    minEvaluationNumber: undefined,
    subject: path,
    seen: undefined,
  })
  if (first !== undefined) take(failed([first, ...more]))
}
