import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { CollateralFile } from '../attestation/collateral.ts'
import { isAmdProduct } from '../attestation/sev-snp/products.ts'
import { utf8 } from '../core/bytes.ts'
import { DerSequence, decodeDer, oidText, TAG } from '../core/der.ts'
import { toHex } from '../core/encodings.ts'
import { attempt, refuse, take } from '../core/outcome.ts'
import type { AmdProduct } from '../core/trust-anchors.ts'
import type { Certificate } from '../core/x509/certificate.ts'
import { sameName } from '../core/x509/names.ts'
import { sorted } from './cache/answer.ts'
import { certIdKey, requestKey } from './cache/key.ts'
import { pemOf } from './files/pem.ts'
import { answerOf } from './files/recognise.ts'
import type { CollateralRequest } from './objects.ts'

/** Files by the key of the request that they answer, the newest revision only; undefined where nothing is held. */
export type FindFiles = (key: string) => Promise<readonly CollateralFile[] | undefined>

const MOST_QUESTION_BYTES = 64 * 1024

/**
 * The vendors' services as far as something is held: AMD's key service, Intel's provisioning service (version 4, and what a
 * PCCS has beside it), NVIDIA's manifests and its OCSP responder, each under the vendor's own paths. OCSP answers are given
 * as they are held, without the nonce of whoever asks.
 * @see ../shared/spec: sev-snp.md §7e, intel-dcap.md §7, nvidia-gpu.md §§4, 6
 */
export function vendorPaths(find: FindFiles): Hono {
  const app = new Hono()
  const held = (request: CollateralRequest) => find(requestKey(request))
  const der = async (request: CollateralRequest, type: string) => {
    const [first] = (await held(request)) ?? []
    return first === undefined ? missing() : bytesOf(await derIn(first), type)
  }

  app.get('/:key/v1/:product/cert_chain', async (c) => {
    const request = productRequest('amd-chain', c.req.param())
    const files = request === undefined ? undefined : await held(request)
    if (files === undefined) return missing()
    return bytesOf(utf8(pemOf(await chainIn(files))), 'application/x-pem-file')
  })
  app.get('/:key/v1/:product/crl', (c) => {
    const request = productRequest('amd-crl', c.req.param())
    return request === undefined ? missing() : der(request, 'application/pkix-crl')
  })
  app.get('/vcek/v1/:product/:hwid', (c) => {
    const { product, hwid } = c.req.param()
    const level = (name: string) => Number(c.req.query(`${name}SPL`) ?? '0')
    if (!isAmdProduct(product)) return missing()
    const [fmc, bootloader, tee, snp, microcode] = [
      level('fmc'),
      level('bl'),
      level('tee'),
      level('snp'),
      level('ucode'),
    ]
    const tcb = { fmc, bootloader, tee, snp, microcode }
    return der({ kind: 'amd-vcek', product, hwid: hwid.toLowerCase(), tcb }, 'application/pkix-cert')
  })

  app.get('/:tee/certification/v4/tcb', async (c) => {
    const tee = teeOf(c.req.param('tee'))
    const fmspc = (c.req.query('fmspc') ?? '').toLowerCase()
    if (tee === undefined) return missing()
    return document(
      await held({ kind: 'intel-tcb-info', tee, fmspc, update: updateOf(c.req.query('update')) }),
      'TCB-Info',
    )
  })
  app.get('/:tee/certification/v4/qe/identity', async (c) => {
    const tee = teeOf(c.req.param('tee'))
    if (tee === undefined) return missing()
    return document(
      await held({ kind: 'intel-qe-identity', tee, update: updateOf(c.req.query('update')) }),
      'SGX-Enclave-Identity',
    )
  })
  app.get('/sgx/certification/v4/pckcrl', async (c) => {
    const ca = c.req.query('ca')
    if (ca !== 'processor' && ca !== 'platform') return missing()
    const files = await held({ kind: 'intel-pck-crl', ca })
    const [first] = files ?? []
    if (files === undefined || first === undefined) return missing()
    const list = await derIn(first)
    const chain = chainHeader('SGX-PCK-CRL', await chainIn(files))
    return c.req.query('encoding') === 'der'
      ? bytesOf(list, 'application/pkix-crl', chain)
      : bytesOf(utf8(pemOf([list]).replaceAll('CERTIFICATE', 'X509 CRL')), 'application/x-pem-file', chain)
  })
  app.get('/IntelSGXRootCA.der', () => der({ kind: 'intel-root-crl' }, 'application/pkix-crl'))
  app.get('/sgx/certification/v4/rootcacrl', async () => {
    const [first] = (await held({ kind: 'intel-root-crl' })) ?? []
    return first === undefined ? missing() : bytesOf(utf8(toHex(await derIn(first))), 'text/plain')
  })

  app.get('/v1/rim/:id', async (c) => {
    const id = c.req.param('id')
    const [file] = (await held({ kind: 'nvidia-rim', id })) ?? []
    if (file === undefined) return missing()
    const rim = Buffer.from(file.bytes).toString('base64')
    return c.json({
      id,
      rim,
      sha256: createHash('sha256').update(file.bytes).digest('hex'),
      rim_format: 'TCG',
      request_id: 'held',
    })
  })

  app.post('/', bodyLimit({ maxSize: MOST_QUESTION_BYTES }), async (c) => {
    const key = questionIn(new Uint8Array(await c.req.arrayBuffer()))
    const [answer] = (key === undefined ? undefined : await find(key)) ?? []
    // RFC 6960 §4.2.1: unauthorized, as a responder says that does not answer about a certificate.
    return bytesOf(answer?.bytes ?? Uint8Array.of(0x30, 0x03, 0x0a, 0x01, 0x06), 'application/ocsp-response')
  })
  return app
}

const missing = (): Response => new Response('not held\n', { status: 404, headers: { 'Content-Type': 'text/plain' } })

const bytesOf = (bytes: Uint8Array, type: string, headers: Readonly<Record<string, string>> = {}): Response =>
  new Response(new Uint8Array(bytes), { headers: { 'Content-Type': type, ...headers } })

function productRequest(
  kind: 'amd-chain' | 'amd-crl',
  { key, product }: { readonly key: string; readonly product: string },
): { kind: 'amd-chain' | 'amd-crl'; product: AmdProduct; key: 'vcek' | 'vlek' } | undefined {
  return (key === 'vcek' || key === 'vlek') && isAmdProduct(product) ? { kind, product, key } : undefined
}

const teeOf = (text: string): 'sgx' | 'tdx' | undefined => (text === 'sgx' || text === 'tdx' ? text : undefined)
const updateOf = (text: string | undefined): 'standard' | 'early' => (text === 'early' ? 'early' : 'standard')

/** A certificate or list, whether it is held in DER or in PEM. */
async function derIn(file: CollateralFile): Promise<Uint8Array> {
  const { certificates, crls } = await sorted([file])
  return crls[0]?.value.der ?? certificates[0]?.value.der ?? file.bytes
}

/** The certificates of an answer, a root last. */
async function chainIn(files: readonly CollateralFile[]): Promise<readonly Uint8Array[]> {
  const isRoot = (c: Certificate) => sameName(c.subject, c.issuer)
  const certificates = (await sorted(files)).certificates.map(({ value }) => value)
  return [...certificates.filter((c) => !isRoot(c)), ...certificates.filter(isRoot)].map((c) => c.der)
}

const chainHeader = (name: string, chain: readonly Uint8Array[]): Readonly<Record<string, string>> =>
  chain.length === 0 ? {} : { [`${name}-Issuer-Chain`]: encodeURIComponent(pemOf(chain)) }

async function document(files: readonly CollateralFile[] | undefined, header: string): Promise<Response> {
  if (files === undefined) return missing()
  const [held] = (await sorted(files)).intelDocuments
  if (held === undefined) return missing()
  return bytesOf(answerOf(held.value), 'application/json', chainHeader(header, await chainIn(files)))
}

const HASHES: Readonly<Record<string, 'sha1' | 'sha256' | 'sha384'>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
}

/** The key of the certificate that a request is about: the first one's (RFC 6960 §4.1.1). */
function questionIn(bytes: Uint8Array): string | undefined {
  const malformed = (what: string): never => refuse('OCSP_MALFORMED', 'request', { actual: what })
  const key = attempt(() => {
    const request = new DerSequence(take(decodeDer(bytes, 'request')), TAG.sequence, malformed)
    const [list] = request.next('tbsRequest', TAG.sequence).children.filter((child) => child.tag === TAG.sequence)
    const first = list?.children[0]?.children[0] ?? malformed('no request')
    const id = new DerSequence(first, TAG.sequence, malformed)
    const algorithm = new DerSequence(id.next('hashAlgorithm', TAG.sequence), TAG.sequence, malformed)
    return certIdKey({
      hash: HASHES[oidText(algorithm.next('hash', TAG.oid))] ?? malformed('hash'),
      issuerNameHash: id.next('issuerNameHash', TAG.octetString).content,
      issuerKeyHash: id.next('issuerKeyHash', TAG.octetString).content,
      serial: toHex(id.next('serialNumber', TAG.integer).content),
    })
  })
  return key.ok ? key.value : undefined
}
