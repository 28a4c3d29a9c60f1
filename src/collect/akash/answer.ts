import type { Code } from '../../core/codes.ts'
import { type Fault, fault } from '../../core/outcome.ts'
import type { GatewayAnswer, RequestFailure } from '../pinned-https.ts'

const FAILURES: Readonly<Record<RequestFailure, Code>> = {
  unreachable: 'AKASH_GATEWAY_UNREACHABLE',
  tls: 'AKASH_TLS_FAILED',
  certificate: 'AKASH_CERTIFICATE_MISMATCH',
  'certificate-expired': 'AKASH_CERTIFICATE_EXPIRED',
  timeout: 'AKASH_DEADLINE_PASSED',
  oversize: 'AKASH_RESPONSE_OVERSIZE',
  truncated: 'AKASH_RESPONSE_TRUNCATED',
}

/** Statuses that the call has (akash.md §3). */
const STATUSES: ReadonlyMap<number, Code> = new Map([
  [400, 'AKASH_REQUEST_REFUSED'],
  [401, 'AKASH_TOKEN_REFUSED'],
  [403, 'AKASH_SCOPE_DENIED'],
  [404, 'AKASH_SIDECAR_ABSENT'],
  [429, 'AKASH_RATE_LIMITED'],
  [502, 'AKASH_SIDECAR_UNREACHABLE'],
  [503, 'AKASH_QUOTE_FAILED'],
])

/**
 * Why an answer is no quote response; undefined where it is one as far as HTTP goes. What a refusing gateway writes into its
 * body is not repeated: it may send back the very token that it was sent.
 * @param expected what the finding compares with, where the failure is one of the certificate
 */
export function answerFault(answer: GatewayAnswer, expected: string): Fault | undefined {
  if (answer.kind === 'failed') {
    const code = FAILURES[answer.failure]
    return fault(code, 'gateway', {
      ...(code === 'AKASH_CERTIFICATE_MISMATCH' ? { expected } : {}),
      actual: answer.detail,
    })
  }
  const { status, contentType, contentEncoding, bytes } = answer
  if (status >= 300 && status < 400)
    return fault('AKASH_REDIRECT_REFUSED', 'gateway.status', { expected: 200, actual: status })
  if (status !== 200)
    return fault(STATUSES.get(status) ?? 'AKASH_STATUS_UNEXPECTED', 'gateway.status', { expected: 200, actual: status })
  const type = contentType.split(';')[0]?.trim().toLowerCase() ?? ''
  if (type !== 'application/json')
    return fault('AKASH_CONTENT_TYPE_INVALID', 'gateway.contentType', { expected: 'application/json' })
  if (contentEncoding !== '' && contentEncoding !== 'identity')
    return fault('AKASH_CONTENT_TYPE_INVALID', 'gateway.contentEncoding', { expected: 'identity' })
  if (bytes.length === 0)
    return fault('AKASH_RESPONSE_TRUNCATED', 'gateway.body', { expected: 'a quote response', actual: '0 bytes' })
  return undefined
}

/** Whether asking again may help and does no harm: a quote of the same nonce is the same question. */
export const isWorthRetrying = (answer: GatewayAnswer): boolean =>
  answer.kind === 'failed' ? answer.failure === 'unreachable' : [429, 502, 503].includes(answer.status)
