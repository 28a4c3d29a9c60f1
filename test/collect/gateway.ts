import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { utf8 } from '../../src/core/bytes.ts'
import { accountAddress } from '../../src/decision/credential/index.ts'
import { certificate, name, pem, type TestKey } from '../../src/testing/index.ts'
import { NOW } from '../reject/stage.ts'

/** The tenant's account, from a fixed secret. */
export const OWNER_SECRET = new Uint8Array(32).fill(5)
export const OWNER_KEY: Uint8Array = secp256k1.getPublicKey(OWNER_SECRET, true)
export const OWNER = await accountAddress(OWNER_KEY, 'akash')
export const PROVIDER = await accountAddress(secp256k1.getPublicKey(new Uint8Array(32).fill(6), true), 'akash')
export const OTHER_PROVIDER = await accountAddress(secp256k1.getPublicKey(new Uint8Array(32).fill(7), true), 'akash')

export interface Identity {
  readonly key: string
  readonly cert: string
  readonly sha256: string
}

/** A self-signed certificate as Akash's providers make it, with a key of its own. */
export function identity(
  commonName: string,
  { notBefore = '2026-01-01T00:00:00Z', notAfter = '2027-01-01T00:00:00Z' } = {},
): Identity {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pkcs8 = pair.privateKey.export({ type: 'pkcs8', format: 'pem' })
  const spki = new Uint8Array(pair.publicKey.export({ type: 'spki', format: 'der' }))
  const signer: TestKey = {
    kind: 'P-256',
    spki,
    sign: (message) => new Uint8Array(sign('sha256', message, createPrivateKey(pkcs8))),
    signRaw: () => new Uint8Array(),
  }
  const self = name([['CN', commonName]])
  const der = certificate({
    serial: 7,
    issuer: self,
    subject: self,
    notBefore,
    notAfter,
    publicKey: { spki },
    signer,
    extensions: [],
  })
  return { key: String(pkcs8), cert: pem([der]), sha256: createHash('sha256').update(der).digest('hex') }
}

export const IDENTITY = identity(PROVIDER)

/** One request as the gateway saw it. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly authorization: string
  readonly body: string
}

export type Answer = (request: Seen, response: ServerResponse) => void

export interface Gateway {
  readonly endpoint: string
  readonly seen: readonly Seen[]
  /** connections that were opened, whatever was sent over them */
  readonly connections: () => number
  close(): Promise<void>
}

/** A gateway on this machine. `answers` are used one after the other, the last one ever after. */
export async function gateway(
  answers: readonly [Answer, ...Answer[]],
  { key, cert }: Identity = IDENTITY,
): Promise<Gateway> {
  const seen: Seen[] = []
  let connections = 0
  const server = createServer({ key, cert }, (request, response) => {
    void bodyOf(request).then((body) => {
      const { method = '', url: path = '', headers } = request
      const one = { method, path, authorization: headers.authorization ?? '', body }
      const answer = answers[Math.min(seen.length, answers.length - 1)] ?? answers[0]
      seen.push(one)
      answer(one, response)
    })
  })
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    connections: () => connections,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

export const status =
  (code: number, headers: Record<string, string> = {}, body = 'refused'): Answer =>
  (_, response) =>
    response.writeHead(code, headers).end(body)

/**
 * Answers as the gateway of AEP-83 does: 401 for a token that the owner did not sign or that is not in force, 403 for one
 * without the scope, 404 for another lease, 400 for a nonce of another length; else the quote.
 */
export const quoting =
  (quote: unknown, lease = '18412345/1/1', now = NOW): Answer =>
  (request, response) => {
    const json = (code: number, value: unknown) =>
      response.writeHead(code, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
    const [scheme, token = ''] = request.authorization.split(' ')
    const claims = scheme === 'Bearer' ? tokenClaims(token) : undefined
    if (
      claims === undefined ||
      claims.nbf > now ||
      claims.exp <= now ||
      claims.exp - claims.iat > 1800 ||
      claims.version !== 'v1'
    )
      return json(401, { error: 'unauthorized' })
    if (!allows(claims.leases, lease)) return json(403, { error: 'forbidden' })
    if (request.method !== 'POST' || request.path !== `/lease/${lease}/attestation/quote`) return json(404, {})
    const { nonce, bind_tls: bindTls } = JSON.parse(request.body) as { nonce: string; bind_tls: boolean }
    if (Buffer.from(nonce, 'base64').length !== 64 || bindTls !== false) return json(400, {})
    return json(200, quote)
  }

interface Claims {
  readonly iss: string
  readonly iat: number
  readonly nbf: number
  readonly exp: number
  readonly version: string
  readonly leases: unknown
}

/** Claims of a token that the owner's account signed (ES256K); undefined for any other. */
export function tokenClaims(token: string): Claims | undefined {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const decoded = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
  const { alg, typ } = decoded(header) as { alg?: string; typ?: string }
  const bytes = new Uint8Array(Buffer.from(signature, 'base64url'))
  const isOwners = secp256k1.verify(bytes, utf8(`${header}.${payload}`), OWNER_KEY)
  const claims = decoded(payload) as Claims
  return alg === 'ES256K' && typ === 'JWT' && isOwners && claims.iss === OWNER ? claims : undefined
}

function allows(leases: unknown, lease: string): boolean {
  const { access, permissions } = leases as { access: string; permissions?: readonly Record<string, unknown>[] }
  const one = permissions?.find((p) => p.provider === PROVIDER)
  if (access !== 'granular' || permissions?.length !== 1 || one === undefined) return false
  if (one.access === 'scoped') return JSON.stringify(one.scope) === '["attestation"]'
  const [deployment] = one.deployments as readonly Record<string, unknown>[]
  return (
    `${deployment?.dseq}/${deployment?.gseq}/${deployment?.oseq}` === lease &&
    JSON.stringify(deployment?.scope) === '["attestation"]'
  )
}
