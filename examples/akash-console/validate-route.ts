import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Decision, Evidence, Policy, VerifyContext } from '../../src/index.ts'
import { answerOf, type ValidateAnswer } from './validate-answer.ts'
import { readValidateRequest, type ValidateRequest } from './validate-request.ts'

const NONCE_BYTES = 64
/** Eight GPU reports with their certificates are well below. */
const MOST_BYTES = 2 * 1024 * 1024

export interface Validation {
  /** `verify`, or the gate's own judge */
  readonly judge: (evidence: Evidence, context: VerifyContext) => Promise<Decision>
  readonly policies: { readonly cpu: Policy; readonly gpu: Policy }
  readonly now: () => number
  /** from a cache that is kept warm: the route itself asks no vendor */
  readonly collateral: (evidence: Evidence) => Promise<VerifyContext['collateral']>
  readonly onError: (error: unknown) => void
  readonly context: Pick<VerifyContext, 'injectedAnchors' | 'referenceValues' | 'cache'>
}

/**
 * `POST /v1/confidential-compute/attestation/validate` of Console, judged here: same request, same answer, no vendor client.
 * It names no lease, so the evidence is held to what it says itself; the nonce is the caller's, and nobody keeps it from being
 * used twice. What opens a lease is `gate.verify`. Console's authentication stands in front of it.
 */
export const validateRoute =
  (validation: Validation) =>
  async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const text = await bodyOf(request)
      const body = text === undefined ? undefined : readValidateRequest(text)
      const nonce = body === undefined ? undefined : nonceOf(body)
      if (body === undefined || nonce === undefined) return send(response, 400, { message: 'Invalid request body' })
      return send(response, 200, await validate(validation, body, nonce))
    } catch (error) {
      // What fails here is ours, such as a collateral cache that is down: Console hides internals from its clients.
      validation.onError(error)
      return send(response, 503, { message: 'Attestation cannot be validated now' })
    }
  }

async function validate(
  { judge, policies, now, collateral, context }: Validation,
  body: ValidateRequest,
  nonce: Uint8Array,
): Promise<ValidateAnswer> {
  const { nonce: _, gpu_reports, ...cpu } = body
  const isGpu = body.tee_platform.endsWith('-gpu')
  // A CPU has no list of GPU reports; an empty one would be a label without evidence.
  const quote = isGpu || gpu_reports.length > 0 ? { ...cpu, gpu_reports } : cpu
  const evidence = new TextEncoder().encode(JSON.stringify(quote))
  const decision = await judge(evidence, {
    now: now(),
    policy: isGpu ? policies.gpu : policies.cpu,
    freshness: { kind: 'nonce', nonce },
    collateral: await collateral(evidence),
    lease: isGpu ? { teeType: 'cpu-gpu', gpuCount: gpu_reports.length || undefined } : { teeType: 'cpu' },
    physical: 'unknown',
    ...context,
  })
  return answerOf(body, decision)
}

function nonceOf({ nonce }: ValidateRequest): Uint8Array | undefined {
  const bytes = Buffer.from(nonce, 'base64')
  return bytes.length === NONCE_BYTES && bytes.toString('base64') === nonce ? new Uint8Array(bytes) : undefined
}

/** The text of the body; undefined where it is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Uint8Array[] = []
  let length = 0
  const body: AsyncIterable<Uint8Array> = request.iterator({ destroyOnReturn: false })
  for await (const chunk of body) {
    length += chunk.length
    if (length > MOST_BYTES) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function send(response: ServerResponse, status: number, body: object): void {
  // A body that was not read to its end must not be taken for the next request.
  const close = status === 200 ? {} : { connection: 'close' }
  response.writeHead(status, { 'content-type': 'application/json', ...close }).end(JSON.stringify(body))
}
