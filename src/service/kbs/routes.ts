import { Hono, type Context as Request } from 'hono'
import { utf8 } from '../../core/bytes.ts'
import { canonicalJson } from '../../core/json.ts'
import { finding, type Outcome, ok, verdictOf } from '../../core/outcome.ts'
import type { Broker, Refused } from '../../release/index.ts'
import { bodyBytes, decodedBody, jsonOf } from '../body.ts'
import type { ServiceKey } from '../keys.ts'
import { noteRefusal } from '../refusal-code.ts'
import { sessionCookie, sessionOf } from './cookie.ts'
import { errorInformation, type KbsErrorName } from './error-information.ts'
import { decodeAuth, isOldAttestation, withNonce } from './handshake.ts'
import { sessionOfToken, sessionToken } from './token.ts'

export interface KbsOptions {
  readonly broker: Pick<Broker, 'openSession' | 'attestSession' | 'release'>
  readonly key: ServiceKey
  /** of the tokens */
  readonly issuer: string
  /** what keys name in `onlyLeases` to go to guests of this protocol */
  readonly workload: string
  /** how long a guest may take from its first request to its last key, 1 to 600 */
  readonly sessionSeconds: number
  readonly isTls: boolean
  readonly clock: () => number
}

const MOST_AUTH_BYTES = 64 * 1024

/** The body itself is at fault. */
const UNREAD: ReadonlySet<string> = new Set(['SERVICE_BODY_TOO_LARGE', 'SERVICE_BODY_BROKEN'])

/** Asked for more often, the same key needs a new attestation: 401 is what makes a guest attest again. */
const ATTEST_AGAIN: ReadonlySet<string> = new Set([
  'RELEASE_CHALLENGE_UNKNOWN',
  'RELEASE_CHALLENGE_CONSUMED',
  'BIND_CHALLENGE_EXPIRED',
  'RELEASE_SESSION_TAMPERED',
])

/**
 * The KBS protocol of Confidential Containers, 0.2 to 0.4: `/auth`, `/attest`, `/resource/{tenant}/{type}/{tag}`, mounted under
 * `/kbs/v0`. The key `{type}/{tag}` of the tenant is released under that key's own policy, as a JWE to the key inside the evidence.
 * A refusal is 403 with its reasons, since guests answer 401 with three more attestations.
 * @see ../shared/spec/protocols.md §1
 */
export function kbsRoutes(options: KbsOptions): Hono {
  const { broker, key, issuer, workload, sessionSeconds, isTls, clock } = options
  const app = new Hono()

  app.post('/auth', async (request) => {
    const asked = await decodedBody(request, decodeAuth, MOST_AUTH_BYTES)
    if (!asked.ok) {
      const [{ code }] = asked.faults
      const summary =
        code === 'KBS_VERSION_UNSUPPORTED' ? 'KBS Client Protocol Version Mismatch.' : 'The request cannot be answered.'
      return told(request, 401, 'AttestationError', summary, asked)
    }
    const opened = await broker.openSession({ workload, ttlSeconds: sessionSeconds })
    if (!opened.ok) return told(request, 503, 'AttestationError', 'No session can be opened now.', opened)
    const session = opened.value
    request.header('Set-Cookie', sessionCookie(session.id, session.expiresAt, isTls))
    return request.json({ nonce: session.nonce, 'extra-params': '' })
  })

  app.post('/attest', async (request) => {
    const evidence = (nonce: string) => evidenceOf(request, nonce)
    const sessionId = sessionOf(request.req.header('cookie')) ?? null
    const attested = await broker.attestSession({ sessionId, evidence })
    if (!attested.ok) return notTaken(request, attested)
    const { id: session, expiresAt } = attested.value
    return request.json({ token: await sessionToken({ session, issuedAt: clock(), expiresAt }, key, issuer) })
  })

  app.get('/resource/:tenant/:type/:tag', async (request) => {
    const session = await sessionAsked(request)
    if (session === undefined)
      return told(request, 401, 'TokenNotFound', 'There is no attested session: attest, then ask again.')
    const { tenant, type, tag } = request.req.param()
    const answer = await broker.release({
      ...{ tenant, keyId: `${type}/${tag}` },
      proof: { kind: 'session', id: session },
      wrapKey: null,
      format: 'jwe',
    })
    return answer.released ? request.json(answer.key) : refused(request, answer)
  })

  app.all('*', (request) => told(request, 404, 'InvalidRequestPath', 'There is nothing at this address.'))

  async function sessionAsked(request: Request): Promise<string | undefined> {
    const bearer = /^Bearer ([\w.-]+)$/i.exec(request.req.header('authorization') ?? '')?.[1]
    return (
      sessionOf(request.req.header('cookie')) ??
      (bearer === undefined ? undefined : sessionOfToken(bearer, key, issuer, clock()))
    )
  }
  return app
}

/** What a guest attests with, in the form of 0.4 whatever its version; or why its body cannot be read. */
async function evidenceOf(request: Request, nonce: string): Promise<Outcome<Uint8Array>> {
  const body = await bodyBytes(request)
  if (!body.ok) return body
  const read = jsonOf(body.value)
  return read.ok && isOldAttestation(read.value) ? ok(utf8(canonicalJson(withNonce(read.value, nonce)))) : body
}

function notTaken(request: Request, why: Extract<Outcome<unknown>, { ok: false }>): Response {
  const [first] = why.faults
  if (UNREAD.has(first.code)) return told(request, 413, 'SerdeError', 'The request cannot be read.', why)
  if (first.code === 'RELEASE_CHALLENGE_UNKNOWN')
    return told(request, 401, 'TokenNotFound', 'There is no session.', why)
  const status = verdictOf(first) === 'reject' ? 401 : 503
  return told(request, status, 'AttestationError', 'The evidence is not taken.', why)
}

function refused(request: Request, { verdict, findings, evidence }: Refused): Response {
  const all = [...findings, ...evidence]
  if (findings.some(({ code }) => ATTEST_AGAIN.has(code)))
    return answered(request, 401, 'TokenVerifierError', 'Attest again.', all)
  return verdict === 'reject'
    ? answered(request, 403, 'PolicyDeny', 'The key is not released.', all)
    : answered(request, 503, 'AttestationError', 'The key cannot be released now.', all)
}

type Status = 401 | 403 | 404 | 413 | 503

const told = (request: Request, status: Status, name: KbsErrorName, summary: string, why?: Outcome<unknown>) =>
  answered(
    request,
    status,
    name,
    summary,
    why === undefined || why.ok ? [] : why.faults.map((f) => finding(f, 'request')),
  )

function answered(
  request: Request,
  status: Status,
  name: KbsErrorName,
  summary: string,
  findings: Parameters<typeof errorInformation>[2] = [],
): Response {
  noteRefusal(request, findings)
  return request.json(errorInformation(name, summary, findings), status)
}
