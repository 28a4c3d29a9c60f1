import { request } from 'node:https'
import { isJsonObject, type JsonObject } from '../../../core/json.ts'
import { fail, type Outcome, ok } from '../../../core/outcome.ts'
import { systemCode } from '../../system-error.ts'
import type { ClusterAccess } from './kubeconfig.ts'

const MOST_BYTES = 32 * 1024 * 1024
const TIMEOUT_MILLISECONDS = 10_000

/**
 * The items of a list that the API server gives.
 * @param path `/api/v1/nodes`
 * @returns the items, or DOCTOR_CLUSTER_UNREACHABLE · DOCTOR_CLUSTER_DENIED
 */
export async function listObjects(access: ClusterAccess, path: string): Promise<Outcome<readonly JsonObject[]>> {
  const answer = await get(access, path)
  if ('failure' in answer) return fail('DOCTOR_CLUSTER_UNREACHABLE', path, { actual: answer.failure })
  if (answer.status === 401 || answer.status === 403)
    return fail('DOCTOR_CLUSTER_DENIED', path, { expected: 200, actual: answer.status })
  if (answer.status !== 200) return fail('DOCTOR_CLUSTER_UNREACHABLE', path, { expected: 200, actual: answer.status })
  try {
    const list: unknown = JSON.parse(answer.body)
    const items = isObject(list) ? list.items : undefined
    if (Array.isArray(items)) return ok(items.filter(isObject))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return fail('DOCTOR_CLUSTER_UNREACHABLE', path, { expected: 'a list in JSON' })
}

const isObject = (value: unknown): value is JsonObject => isJsonObject(value as never)

type Answer = { readonly status: number; readonly body: string } | { readonly failure: string }

function get({ server, ca, cert, key, token }: ClusterAccess, path: string): Promise<Answer> {
  const url = new URL(`${server.pathname.replace(/\/$/, '')}${path}`, server)
  return new Promise((resolve) => {
    const failed = (error: Error) => resolve({ failure: systemCode(error) ?? codeOf(error) })
    const sent = request(
      url,
      {
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        headers: { Accept: 'application/json', ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }) },
        signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > MOST_BYTES) sent.destroy(new Error('answer too large'))
          else chunks.push(chunk)
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        )
        response.on('error', failed)
      },
    )
    sent.on('error', failed)
    sent.end()
  })
}

/** Names of OpenSSL's and Node's own, e.g. DEPTH_ZERO_SELF_SIGNED_CERT; never a message, which may repeat a secret. */
const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : error.name)
