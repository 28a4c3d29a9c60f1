import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { rootCertificates } from 'node:tls'
import { fromUtf8 } from '../core/encodings.ts'
import { isJsonObject, type JsonObject, parseJson } from '../core/json.ts'
import { fail, type Outcome, ok } from '../core/outcome.ts'

export interface ServiceAddress {
  /** `https://host[:port]`, or `http:` where the caller has decided that it may be */
  readonly url: string
  /** authorities (PEM) beside those that Node.js brings */
  readonly ca: readonly string[]
}

export interface Question {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: JsonObject
}

export interface Answer {
  readonly status: number
  readonly body: JsonObject
  /** name and value of the cookie that was set, as it is sent back */
  readonly cookie: string | undefined
}

const MOST_BYTES = 1024 * 1024
const TIMEOUT_MILLISECONDS = 30_000

/** Node's names for certificates that do not hold, of OpenSSL and of its own. */
const CERTIFICATE = /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO_|SIGNATURE_FAILURE/

/**
 * Asks the service once. TLS is 1.2 or later and always checked; no redirect is followed.
 * @returns the answer, a JSON object of whatever status; or AGENT_SERVICE_UNREACHABLE · AGENT_SERVICE_CERTIFICATE · AGENT_ANSWER_INVALID
 */
export async function ask(service: ServiceAddress, question: Question): Promise<Outcome<Answer>> {
  try {
    const { bytes, ...answer } = await exchanged(service, question)
    const text = fromUtf8(bytes, 'answer')
    const json = text.ok ? parseJson(text.value, 'answer') : text
    if (!json.ok || !isJsonObject(json.value))
      return answer.status >= 500
        ? fail('AGENT_SERVICE_UNREACHABLE', question.path, { actual: `status ${answer.status}` })
        : fail('AGENT_ANSWER_INVALID', question.path, { expected: 'a JSON object', actual: `status ${answer.status}` })
    return ok({ ...answer, body: json.value })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no answer'
    return fail(CERTIFICATE.test(code) ? 'AGENT_SERVICE_CERTIFICATE' : 'AGENT_SERVICE_UNREACHABLE', service.url, {
      actual: code,
    })
  }
}

interface Exchanged extends Omit<Answer, 'body'> {
  readonly bytes: Uint8Array
}

function exchanged({ url, ca }: ServiceAddress, { method, path, headers, body }: Question): Promise<Exchanged> {
  const target = new URL(path, url)
  const isTls = target.protocol === 'https:'
  const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  return new Promise((resolve, reject) => {
    const sent = (isTls ? tlsRequest : plainRequest)(
      target,
      {
        method,
        headers: {
          ...headers,
          ...(content === undefined
            ? {}
            : { 'Content-Type': 'application/json', 'Content-Length': String(content.length) }),
        },
        ...(isTls ? { ca: [...rootCertificates, ...ca], minVersion: 'TLSv1.2' } : {}),
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
      },
      (response) => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > MOST_BYTES) sent.destroy(new Error('the answer is too large'))
          else chunks.push(chunk)
        })
        response.on('error', reject)
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            bytes: new Uint8Array(Buffer.concat(chunks)),
            cookie: response.headers['set-cookie']?.[0]?.split(';')[0],
          })
        })
      },
    )
    sent.on('error', reject)
    sent.end(content)
  })
}
