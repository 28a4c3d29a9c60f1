import { fromUtf8 } from '../../core/encodings.ts'
import { isJsonObject, type JsonObject, parseJson } from '../../core/json.ts'
import { attempt, take } from '../../core/outcome.ts'
import { parseRfc3339, type UnixSeconds } from '../../core/time.ts'
import type { IntelDocument } from '../collateral.ts'

/** What a document says of itself, before anybody has proved it: only good for choosing which to prove. */
export interface DocumentHead {
  readonly id: string
  /** lower case */
  readonly fmspc: string
  readonly issueDate: UnixSeconds
  readonly nextUpdate: UnixSeconds
  readonly evaluationNumber: number
}

/** By the signed bytes, which are copies of ours that never change. */
const heads = new WeakMap<Uint8Array, DocumentHead | undefined>()

/** Read once as long as the document lives; undefined where it cannot be read that far. */
export function headOf({ signed }: IntelDocument): DocumentHead | undefined {
  if (!heads.has(signed)) {
    const value = attempt(() => take(parseJson(take(fromUtf8(signed, '')), '')))
    heads.set(signed, value.ok && isJsonObject(value.value) ? headIn(value.value) : undefined)
  }
  return heads.get(signed)
}

/**
 * Spares `headOf` the parsing, where whoever takes a document in has parsed it already.
 * @param value what strict JSON says of the very bytes in `signed`
 */
export function rememberHead(signed: Uint8Array, value: JsonObject): void {
  heads.set(signed, headIn(value))
}

function headIn(value: JsonObject): DocumentHead {
  const text = (name: string): string => (typeof value[name] === 'string' ? value[name] : '')
  const number = value.tcbEvaluationDataNumber
  return {
    // A TCB info of version 2 names no technology: there was one only.
    id: Object.hasOwn(value, 'id') ? text('id') : 'SGX',
    fmspc: text('fmspc').toLowerCase(),
    issueDate: parseRfc3339(text('issueDate')) ?? 0,
    nextUpdate: parseRfc3339(text('nextUpdate')) ?? 0,
    evaluationNumber: typeof number === 'number' ? number : 0,
  }
}
