import type { Context as Request } from 'hono'
import { fromUtf8 } from '../core/encodings.ts'
import { type Json, parseJson } from '../core/json.ts'
import { attempt, attemptAsync, type Outcome, refuse, take, unquoted } from '../core/outcome.ts'

/** Evidence of a board of eight GPUs with its chains, in base64 in JSON in JSON. */
export const MOST_BODY_BYTES = 4 * 1024 * 1024

/**
 * The bytes of a request, of which no more are ever kept than may be there.
 * @returns the bytes, or SERVICE_BODY_TOO_LARGE · SERVICE_BODY_BROKEN
 */
export function bodyBytes(request: Request, most = MOST_BODY_BYTES): Promise<Outcome<Uint8Array>> {
  return attemptAsync(async () => {
    const tooLarge = (): never => refuse('SERVICE_BODY_TOO_LARGE', 'body', { expected: `at most ${most} bytes` })
    if (Number(request.req.header('content-length') ?? 0) > most) tooLarge()
    const chunks: Uint8Array[] = []
    let size = 0
    try {
      for await (const chunk of request.req.raw.body ?? []) {
        size += chunk.length
        if (size > most) break
        chunks.push(chunk)
      }
    } catch {
      refuse('SERVICE_BODY_BROKEN', 'body')
    }
    if (size > most) tooLarge()
    return new Uint8Array(Buffer.concat(chunks))
  })
}

/** @returns the value, or UTF8_INVALID · JSON_* · LIMIT_JSON_*, which quote nothing: keys are sent in bodies */
export const jsonOf = (bytes: Uint8Array): Outcome<Json> =>
  unquoted(attempt(() => take(parseJson(take(fromUtf8(bytes, 'body')), 'body'))))

/** The body as strict JSON, read by `decode`. @returns its outcome, or that of `bodyBytes` and `jsonOf` */
export async function decodedBody<T>(
  request: Request,
  decode: (value: Json) => Outcome<T>,
  most?: number,
): Promise<Outcome<T>> {
  const bytes = await bodyBytes(request, most)
  return attempt(() => take(decode(take(jsonOf(take(bytes))))))
}
