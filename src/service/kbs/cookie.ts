import type { UnixSeconds } from '../../core/time.ts'
import { toHttpDate } from '../http-date.ts'

const NAME = 'kbs-session-id'
const SESSION = /(?:^|;)[ \t]*kbs-session-id=([0-9a-f]{32})(?=[ \t]*(?:;|$))/g

/** `Secure` only where it can be kept: a guest on plain HTTP would never send the cookie back. */
export const sessionCookie = (id: string, expiresAt: UnixSeconds, isTls: boolean): string =>
  `${NAME}=${id}; Expires=${toHttpDate(expiresAt)}; Path=/kbs/v0; HttpOnly${isTls ? '; Secure' : ''}`

/** The session that a request belongs to; undefined where it names none, or two. */
export function sessionOf(cookieHeader: string | undefined): string | undefined {
  const [session, ...more] = [...(cookieHeader ?? '').matchAll(SESSION)].map((m) => m[1])
  return more.length > 0 ? undefined : session
}
