import { jwtVerify, SignJWT } from 'jose'
import type { UnixSeconds } from '../../core/time.ts'
import type { ServiceKey } from '../keys.ts'

const TYPE = 'kbs-session+jwt'

export interface SessionToken {
  readonly session: string
  readonly issuedAt: UnixSeconds
  readonly expiresAt: UnixSeconds
}

/**
 * What `/attest` answers with. Guests read its times, and some hand it back instead of the cookie: it names their session and
 * says nothing of the evidence, which is judged for each key.
 */
export const sessionToken = ({ session, issuedAt, expiresAt }: SessionToken, key: ServiceKey, issuer: string) =>
  new SignJWT({ session })
    .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: TYPE })
    .setIssuer(issuer)
    .setAudience(issuer)
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt)
    .setExpirationTime(expiresAt)
    .sign(key.privateKey)

/** The session that a token of ours names; undefined for any other text. Whether the session is alive, the store knows. */
export async function sessionOfToken(
  token: string,
  key: ServiceKey,
  issuer: string,
  now: UnixSeconds,
): Promise<string | undefined> {
  const expected = { algorithms: [key.algorithm], issuer, audience: issuer, typ: TYPE, requiredClaims: ['exp', 'nbf'] }
  try {
    const { payload } = await jwtVerify(token, key.publicKey, { ...expected, currentDate: new Date(now * 1000) })
    return typeof payload.session === 'string' ? payload.session : undefined
  } catch {
    return undefined
  }
}
