import { type Fault, fault } from '../core/outcome.ts'

/** What a vendor's service answered, as the client saw it. */
export type VendorAnswer =
  | { readonly kind: 'unreachable'; readonly because: string }
  | {
      readonly kind: 'response'
      readonly status: number
      readonly contentType: string
      readonly bytes: Uint8Array
      /** host that answered in the end, after redirects */
      readonly host: string
    }

export interface ExpectedAnswer {
  readonly host: string
  readonly contentTypes: readonly string[]
  readonly maxBytes: number
}

/**
 * Whether an answer may be taken for the object asked for. It is then decoded and authenticated like any other input; a bad
 * answer only ever means that the object is missing.
 * @returns COLLATERAL_UNAVAILABLE · COLLATERAL_RESPONSE_INVALID, both inconclusive; empty if it may
 */
export function judgeAnswer(answer: VendorAnswer, expected: ExpectedAnswer): readonly Fault[] {
  if (answer.kind === 'unreachable') return [fault('COLLATERAL_UNAVAILABLE', expected.host, { actual: answer.because })]
  const invalid = (field: string, wanted: string | number, actual: string | number) => [
    fault('COLLATERAL_RESPONSE_INVALID', `${expected.host}.${field}`, { expected: wanted, actual }),
  ]
  if (answer.host !== expected.host) return invalid('host', expected.host, answer.host)
  if (answer.status !== 200)
    return [fault('COLLATERAL_UNAVAILABLE', expected.host, { expected: 200, actual: answer.status })]
  const type = answer.contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  if (!expected.contentTypes.includes(type)) return invalid('contentType', expected.contentTypes.join(', '), type)
  if (answer.bytes.length === 0 || answer.bytes.length > expected.maxBytes) {
    return invalid('body', `1 to ${expected.maxBytes} bytes`, `${answer.bytes.length} bytes`)
  }
  return []
}
