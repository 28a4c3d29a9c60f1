import { utf8 } from '../../core/bytes.ts'
import { toBase64 } from '../../core/encodings.ts'
import { fail, type Outcome, ok } from '../../core/outcome.ts'
import type { UnixSeconds } from '../../core/time.ts'
import type { Collected, Collector, Probed, Question } from '../collector.ts'
import { ANY_CERTIFICATE, type GatewayAnswer, pinnedPost } from '../pinned-https.ts'
import { type AkashCollection, type CollectorPorts, collectAkash, NODE_PORTS } from './gateway.ts'

/** AEP-83 knows the bare nonce alone. */
function checkRaw({ binding, key }: Question): void {
  if (binding !== 'raw' || key !== undefined) throw new TypeError('Akash answers raw questions without a key')
}

const NOTHING_TO_PROBE: Probed = { faults: [], facts: {} }

/** Evidence of a running lease through the provider's gateway; see `collectAkash`. */
export function akashCollector(
  collection: Omit<AkashCollection, 'nonce' | 'now'>,
  clock: () => UnixSeconds,
  ports: CollectorPorts = NODE_PORTS,
): Collector {
  return {
    name: 'akash-gateway',
    makes: 'document',
    probe: async () => NOTHING_TO_PROBE,
    async collect(question: Question): Promise<Outcome<Collected>> {
      checkRaw(question)
      const quote = await collectAkash({ ...collection, nonce: question.nonce, now: clock() }, ports)
      return quote.ok ? ok({ evidence: { kind: 'document', bytes: quote.value.bytes }, faults: [] }) : quote
    },
  }
}

export interface SidecarOptions {
  /** `https://10.0.3.7:8790` */
  readonly url: string
  /** the certificate's SHA-256 in lower-case hex; or nobody's, by name */
  readonly tls: { readonly certificateSha256: string } | { readonly insecure: true }
  readonly clock: () => UnixSeconds
  readonly timeoutMilliseconds: number
}

const SIDECAR_NAME = 'akash-attestation-sidecar'
const MOST_BYTES = 1024 * 1024

/**
 * Evidence straight from the sidecar of AEP-83, for whoever reaches the pod. TLS protects no secret here; a pinned certificate
 * says which pod answered, and the evidence proves itself.
 * @throws TypeError for a URL or fingerprint that is none
 */
export function sidecarCollector({ url, tls, clock, timeoutMilliseconds }: SidecarOptions): Collector {
  if (!/^https:\/\/[^/@?#]+\/?$/.test(url) || !URL.canParse(url)) throw new TypeError('url is https://host:port')
  const certificateSha256 = 'insecure' in tls ? ANY_CERTIFICATE : tls.certificateSha256
  if (!('insecure' in tls) && !/^[0-9a-f]{64}$/.test(certificateSha256))
    throw new TypeError('certificateSha256 is 64 lower-case hexadecimal digits')
  return {
    name: 'akash-sidecar',
    makes: 'document',
    probe: async () => NOTHING_TO_PROBE,
    async collect(question: Question): Promise<Outcome<Collected>> {
      checkRaw(question)
      const answer = await pinnedPost({
        url: new URL('/quote', url).href,
        certificateSha256,
        commonName: SIDECAR_NAME,
        headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
        body: utf8(JSON.stringify({ nonce: toBase64(question.nonce), bind_tls: false })),
        maxBytes: MOST_BYTES,
        timeoutMilliseconds,
        now: clock(),
      })
      return documentOf(answer, certificateSha256)
    },
  }
}

function documentOf(answer: GatewayAnswer, expected: string): Outcome<Collected> {
  if (answer.kind === 'failed') {
    const { failure, detail: actual } = answer
    if (failure === 'certificate' || failure === 'certificate-expired')
      return fail('COLLECT_SIDECAR_CERTIFICATE_MISMATCH', 'sidecar', { expected, actual })
    const isSilent = failure === 'unreachable' || failure === 'timeout'
    return fail(isSilent ? 'COLLECT_SIDECAR_UNREACHABLE' : 'COLLECT_SIDECAR_ANSWER_UNUSABLE', 'sidecar', { actual })
  }
  const { status, contentType, bytes } = answer
  if (status === 503) return fail('AKASH_QUOTE_FAILED', 'sidecar.status', { expected: 200, actual: status })
  if (status !== 200)
    return fail('COLLECT_SIDECAR_ANSWER_UNUSABLE', 'sidecar.status', { expected: 200, actual: status })
  const [type = ''] = contentType.split(';')
  if (type.trim().toLowerCase() !== 'application/json')
    return fail('COLLECT_SIDECAR_ANSWER_UNUSABLE', 'sidecar.contentType', {
      expected: 'application/json',
      actual: contentType,
    })
  return ok({ evidence: { kind: 'document', bytes }, faults: [] })
}
