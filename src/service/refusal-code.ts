import type { Context as Request } from 'hono'
import type { Code } from '../core/codes.ts'

const NAME = 'refusalCode'

/** Remembers with a request the first code of its answer, which is all that the log says of a refusal. */
export function noteRefusal(request: Request, [first]: readonly { readonly code: Code }[]): void {
  if (first !== undefined) request.set(NAME, first.code)
}

/** undefined where the request was not refused, or with no code. */
export const refusalCode = (request: Request): Code | undefined => request.get(NAME)
