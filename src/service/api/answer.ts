import type { Context as Request } from 'hono'
import type { Code } from '../../core/codes.ts'
import type { Json } from '../../core/json.ts'
import { type Fault, type Finding, finding, type Outcome } from '../../core/outcome.ts'
import { noteRefusal } from '../refusal-code.ts'

/** Codes that say who may ask, not what was found. */
const STATUS: Partial<Record<Code, 401 | 403 | 404 | 409 | 413 | 429>> = {
  SERVICE_TOKEN_REFUSED: 401,
  SERVICE_TENANT_FORBIDDEN: 403,
  SERVICE_BODY_TOO_LARGE: 413,
  SERVICE_RATE_LIMITED: 429,
  ADMIN_APPROVAL_MISSING: 403,
  ADMIN_KEY_UNKNOWN: 404,
  ADMIN_KEY_CHANGED: 409,
}

export const faultAnswer = (request: Request, faults: readonly Fault[], item = 'request'): Response =>
  findingAnswer(
    request,
    faults.map((f) => finding(f, item)),
  )

/** `{ "findings": [ … ] }` with the status of the first: 400 for what cannot be read, 503 where asking again may help. */
export function findingAnswer(request: Request, findings: readonly Finding[]): Response {
  noteRefusal(request, findings)
  const [first] = findings
  const status = first === undefined ? 400 : (STATUS[first.code] ?? (first.verdict === 'reject' ? 400 : 503))
  return request.json({ findings }, status)
}

export const outcomeAnswer = <T>(request: Request, outcome: Outcome<T>, write: (value: T) => object): Response =>
  outcome.ok ? request.json(write(outcome.value) as Json) : faultAnswer(request, outcome.faults)
