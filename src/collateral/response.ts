import { type Fault, fault } from '../core/outcome.ts'
import type { HttpAnswer, HttpFailure } from './exchange.ts'

type FaultCode = Fault['code']

/** What an answer must be to be taken for the object that was asked for. */
export interface ExpectedAnswer {
  /** the object, for messages */
  readonly object: string
  readonly host: string
  readonly contentTypes: readonly string[]
  readonly maxBytes: number
  /** what it means that the vendor has no such object */
  readonly absence: string
}

const FAILURES: Readonly<Record<HttpFailure, FaultCode>> = {
  'host-unknown': 'COLLATERAL_HOST_UNKNOWN',
  unreachable: 'COLLATERAL_UNAVAILABLE',
  tls: 'COLLATERAL_TLS_FAILED',
  timeout: 'COLLATERAL_DEADLINE_PASSED',
  truncated: 'COLLATERAL_TRUNCATED',
  oversize: 'COLLATERAL_OVERSIZE',
  malformed: 'COLLATERAL_RESPONSE_INVALID',
}

/**
 * Whether an answer may be taken for the object asked for. It is then decoded and authenticated like any other input; a bad
 * answer only ever means that the object is missing.
 * @returns undefined if it may, else one fault, always inconclusive: COLLATERAL_HOST_UNKNOWN · COLLATERAL_UNAVAILABLE ·
 * COLLATERAL_TLS_FAILED · COLLATERAL_DEADLINE_PASSED · COLLATERAL_TRUNCATED · COLLATERAL_OVERSIZE ·
 * COLLATERAL_RESPONSE_INVALID · COLLATERAL_REDIRECTED · COLLATERAL_NOT_PUBLISHED · COLLATERAL_THROTTLED ·
 * COLLATERAL_VENDOR_FAILED · COLLATERAL_REQUEST_REFUSED · COLLATERAL_EMPTY
 */
export function judgeAnswer(answer: HttpAnswer, expected: ExpectedAnswer): Fault | undefined {
  const { object, host } = expected
  if (answer.kind === 'failed') {
    return fault(FAILURES[answer.failure], object, { expected: `an answer of ${host}`, actual: answer.detail })
  }
  const invalid = (wanted: string, actual: string) =>
    fault('COLLATERAL_RESPONSE_INVALID', object, { expected: wanted, actual })
  if (answer.host !== host) return invalid(`an answer of ${host}`, `of ${answer.host}`)
  if (answer.status !== 200) return judgeStatus(answer, expected)
  const type = answer.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (!expected.contentTypes.includes(type)) return invalid(expected.contentTypes.join(', '), type || 'no content type')
  const encoding = answer.headers.get('content-encoding') ?? 'identity'
  if (encoding !== 'identity') return invalid('no content encoding', encoding)
  if (answer.bytes.length > expected.maxBytes) {
    return invalid(`at most ${expected.maxBytes} bytes`, `${answer.bytes.length} bytes`)
  }
  if (answer.bytes.length === 0)
    return fault('COLLATERAL_EMPTY', object, { expected: 'a body', actual: `${host}: none` })
  return undefined
}

function judgeStatus(answer: HttpAnswer & { kind: 'response' }, { object, host, absence }: ExpectedAnswer): Fault {
  const { status } = answer
  const told = (code: FaultCode, actual: string) => fault(code, object, { expected: 200, actual })
  if (status >= 300 && status < 400) return told('COLLATERAL_REDIRECTED', `${host}: ${status} to ${targetOf(answer)}`)
  if (status === 404 || status === 410) return told('COLLATERAL_NOT_PUBLISHED', absence)
  if (status === 429) return told('COLLATERAL_THROTTLED', `${host}: 429${retryAfterText(answer)}`)
  if (status >= 500) return told('COLLATERAL_VENDOR_FAILED', `${host}: ${status}`)
  return told('COLLATERAL_REQUEST_REFUSED', `${host}: ${status}`)
}

/** Only the origin: the rest of such an address may hold what somebody typed into a form. */
function targetOf({ headers }: HttpAnswer & { kind: 'response' }): string {
  const location = headers.get('location') ?? ''
  return URL.canParse(location) ? new URL(location).origin : 'an address on the same host'
}

const retryAfterText = ({ headers }: HttpAnswer & { kind: 'response' }): string => {
  const value = headers.get('retry-after')
  return value === undefined ? '' : `, Retry-After ${value}`
}
