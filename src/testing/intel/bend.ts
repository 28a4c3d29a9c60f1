import type { Json } from '../../core/json.ts'
import { edited, type JsonPath } from './json-edits.ts'
import type { PckEdits } from './pck.ts'
import type { DocumentPlan, IntelPlan, ListPlan } from './plan.ts'
import type { QuoteSpec } from './quote.ts'
import type { QuoteHeader, SgxReport, TdReport } from './report-fields.ts'
import type { PlatformFacts, SgxExtensionEdits } from './sgx-extension.ts'

type Bend = (plan: IntelPlan) => Partial<IntelPlan>
type From<T> = T | ((plan: IntelPlan) => T)

const from = <T extends object>(value: From<T>, plan: IntelPlan): T =>
  typeof value === 'function' ? (value as (plan: IntelPlan) => T)(plan) : value

/** Changes members of the quote. */
export const inQuote =
  (change: From<Partial<IntelPlan['quote']>>): Bend =>
  (plan) => ({ quote: { ...plan.quote, ...from(change, plan) } })

export const inHeader = (fields: QuoteHeader): Bend =>
  inQuote(({ quote }) => ({ header: { ...quote.header, ...fields } }))

/** Changes fields of the TD report. */
export const inTd =
  (fields: From<TdReport>): Bend =>
  (plan) => {
    const { body } = plan.quote
    if (body.kind === 'sgx') throw new TypeError('an enclave has no TD report')
    return { quote: { ...plan.quote, body: { ...body, report: { ...body.report, ...from(fields, plan) } } } }
  }

/** Changes fields of the enclave's report. */
export const inEnclave =
  (fields: From<SgxReport>): Bend =>
  (plan) => {
    const { body } = plan.quote
    if (body.kind !== 'sgx') throw new TypeError('a TD has no enclave report')
    return { quote: { ...plan.quote, body: { ...body, report: { ...body.report, ...from(fields, plan) } } } }
  }

/** Changes fields of the quoting enclave's report, which the PCK signs anew. */
export const inQe = (fields: From<SgxReport>): Bend =>
  inQeSpec((plan) => ({ report: { ...plan.quote.qe.report, ...from(fields, plan) } }))

export const inQeSpec = (change: From<Partial<QuoteSpec['qe']>>): Bend =>
  inQuote((plan) => ({ qe: { ...plan.quote.qe, ...from(change, plan) } }))

/** A change to the finished quote. */
export const afterSigning = (change: QuoteSpec['afterSigning']): Bend => inQuote({ afterSigning: change })

export const inPlatform =
  (facts: From<Partial<PlatformFacts>>): Bend =>
  (plan) => ({ platform: { ...plan.platform, ...from(facts, plan) } })

export const inPck =
  (edits: (plan: IntelPlan) => PckEdits): Bend =>
  (plan) => ({ pck: () => edits(plan) })

export const inSgxExtension = (sgx: SgxExtensionEdits): Bend => inPck(() => ({ sgx }))

export type DocumentName = 'tcbInfo' | 'qeIdentity'
export type ListName = 'rootCrl' | 'pckCrl'

export const inDocument =
  (which: DocumentName, change: From<Partial<DocumentPlan>>): Bend =>
  (plan) => ({ [which]: { ...plan[which], ...from(change, plan) } })

/** Changes what stands at a place of a document, which is signed anew. */
export const inContent =
  (which: DocumentName, path: JsonPath, change: (value: Json | undefined, plan: IntelPlan) => Json | undefined): Bend =>
  (plan) => ({
    [which]: { ...plan[which], content: edited(plan[which].content, path, (value) => change(value, plan)) },
  })

export const inList =
  (which: ListName, change: From<Partial<ListPlan>>): Bend =>
  (plan) => ({ [which]: { ...plan[which], ...from(change, plan) } })
