import { equalBytes } from '../bytes.ts'
import type { Context, Payer } from '../context.ts'
import type { SignatureAlgorithm } from '../crypto/port.ts'
import {
  bitStringBytes,
  context as contextTag,
  type Der,
  DerSequence,
  decodeDer,
  oidText,
  smallInteger,
  TAG,
  timeOf,
} from '../der.ts'
import { toHex } from '../encodings.ts'
import { attempt, attemptAsync, type Outcome, refuse, take } from '../outcome.ts'
import { toRfc3339, type UnixSeconds } from '../time.ts'
import { decodeSignatureAlgorithm, type PublicKeyInfo } from './algorithms.ts'
import { type Certificate, decodeCertificate, decodeExtensions, EXTENSION } from './certificate.ts'
import { isSignedStructure } from './path.ts'

export type OcspStatus =
  | { readonly kind: 'good' }
  | { readonly kind: 'revoked'; readonly at: UnixSeconds; readonly reason: number | undefined }
  | { readonly kind: 'unknown' }

/** CRLReason certificateHold (RFC 5280 §5.3.1): NVIDIA uses it as a recall that it may lift. */
export const CERTIFICATE_HOLD = 6

export interface OcspSingle {
  readonly hash: 'sha1' | 'sha256' | 'sha384'
  readonly issuerNameHash: Uint8Array
  readonly issuerKeyHash: Uint8Array
  /** content octets, lower-case hex */
  readonly serial: string
  readonly status: OcspStatus
  readonly thisUpdate: UnixSeconds
  readonly nextUpdate: UnixSeconds | undefined
}

export interface OcspResponse {
  readonly der: Uint8Array
  readonly tbs: Uint8Array
  readonly algorithm: SignatureAlgorithm
  readonly signature: Uint8Array
  readonly responder: { readonly name: Uint8Array } | { readonly keyHash: Uint8Array }
  readonly producedAt: UnixSeconds
  readonly responses: readonly OcspSingle[]
  readonly nonce: Uint8Array | undefined
  readonly certificates: readonly Certificate[]
}

const OID = {
  basicResponse: '1.3.6.1.5.5.7.48.1.1',
  nonce: '1.3.6.1.5.5.7.48.1.2',
  ocspSigning: '1.3.6.1.5.5.7.3.9',
} as const

const HASHES: Readonly<Record<string, OcspSingle['hash']>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
}

/** Answers are given for one certificate, or for the few of a chain. */
const MAX_SINGLES = 64

/**
 * Decodes an OCSP response whose status is `successful` and whose type is basic.
 * @returns the response, or a DER_* or X509_* code of what it carries, OCSP_MALFORMED · OCSP_INVALID (a responder's refusal)
 * @see RFC 6960 §4.2
 */
export function decodeOcsp(der: Uint8Array, path: string): Outcome<OcspResponse> {
  return attempt(() => {
    const malformed = (what: string): never => refuse('OCSP_MALFORMED', path, { actual: what })
    const outer = new DerSequence(take(decodeDer(der, path)), TAG.sequence, malformed)
    const status = smallInteger(outer.next('responseStatus', TAG.enumerated))
    if (status !== 0)
      return refuse('OCSP_INVALID', `${path}.responseStatus`, { expected: 'successful (0)', actual: status ?? '?' })
    const [responseBytes, more] = outer.next('responseBytes', contextTag(0, 'constructed')).children
    outer.end('OCSPResponse')
    if (responseBytes === undefined || more !== undefined) return malformed('responseBytes')
    const typed = new DerSequence(responseBytes, TAG.sequence, malformed)
    if (oidText(typed.next('responseType', TAG.oid)) !== OID.basicResponse) malformed('response type other than basic')
    const basicDer = take(decodeDer(typed.next('response', TAG.octetString).content, path))
    typed.end('responseBytes')

    const basic = new DerSequence(basicDer, TAG.sequence, malformed)
    const tbsDer = basic.next('tbsResponseData', TAG.sequence)
    const algorithm = decodeSignatureAlgorithm(basic.next('signatureAlgorithm', TAG.sequence), path)
    const signature = bitStringBytes(basic.next('signature', TAG.bitString)) ?? malformed('signature with unused bits')
    const certs = basic.optional(contextTag(0, 'constructed'))
    basic.end('BasicOCSPResponse')
    const list = certs === undefined ? undefined : (only(certs, TAG.sequence) ?? malformed('certs'))
    const certificates = (list?.children ?? []).map((c, i) => take(decodeCertificate(c.bytes, `${path}.certs[${i}]`)))

    const tbs = new DerSequence(tbsDer, TAG.sequence, malformed)
    if (tbs.optional(contextTag(0, 'constructed')) !== undefined) malformed('version other than 1')
    const responderDer = tbs.next('responderID', contextTag(1, 'constructed'), contextTag(2, 'constructed'))
    const byName = responderDer.tag === contextTag(1, 'constructed')
    const responderValue = only(responderDer, byName ? TAG.sequence : TAG.octetString) ?? malformed('responderID')
    const producedAt = timeOf(tbs.next('producedAt', TAG.generalizedTime)) ?? malformed('producedAt')
    const singles = tbs.next('responses', TAG.sequence).children
    if (singles.length === 0) malformed('no response')
    if (singles.length > MAX_SINGLES) malformed(`more than ${MAX_SINGLES} responses`)
    const responses = singles.map((r) => single(r, path, malformed))
    const extensions = decodeExtensions(tbs.optional(contextTag(1, 'constructed')), path, malformed)
    tbs.end('tbsResponseData')
    for (const e of extensions.values()) if (e.critical && e.oid !== OID.nonce) malformed(`critical extension ${e.oid}`)
    return {
      der,
      tbs: tbsDer.bytes,
      algorithm,
      signature,
      responder: byName ? { name: responderValue.bytes } : { keyHash: responderValue.content },
      producedAt,
      responses,
      nonce: nonceOf(extensions.get(OID.nonce)?.value, path),
      certificates,
    }
  })
}

/** RFC 8954: an OCTET STRING inside the extension's own. Some responders leave the inner one out. */
function nonceOf(value: Uint8Array | undefined, path: string): Uint8Array | undefined {
  if (value === undefined) return undefined
  const inner = decodeDer(value, `${path}.nonce`)
  return inner.ok && inner.value.tag === TAG.octetString ? inner.value.content : value
}

/** The one member of an explicit tag, where it has that tag. */
function only(wrapper: Der, tag: number): Der | undefined {
  const [member, more] = wrapper.children
  return member?.tag === tag && more === undefined ? member : undefined
}

function single(der: Der, path: string, malformed: (what: string) => never): OcspSingle {
  const fields = new DerSequence(der, TAG.sequence, malformed)
  const id = new DerSequence(fields.next('certID', TAG.sequence), TAG.sequence, malformed)
  const hashAlgorithm = new DerSequence(id.next('hashAlgorithm', TAG.sequence), TAG.sequence, malformed)
  const hashOid = oidText(hashAlgorithm.next('hash', TAG.oid))
  const hash = HASHES[hashOid] ?? malformed(`hash ${hashOid}`)
  hashAlgorithm.optional(TAG.null)
  hashAlgorithm.end('hashAlgorithm')
  const issuerNameHash = id.next('issuerNameHash', TAG.octetString).content
  const issuerKeyHash = id.next('issuerKeyHash', TAG.octetString).content
  const serial = toHex(id.next('serialNumber', TAG.integer).content)
  id.end('certID')
  const status = statusOf(fields.next('certStatus'), malformed)
  const thisUpdate = timeOf(fields.next('thisUpdate', TAG.generalizedTime)) ?? malformed('thisUpdate')
  const next = fields.optional(contextTag(0, 'constructed'))
  const nextUpdate = next === undefined ? undefined : generalizedTime(next, 'nextUpdate', malformed)
  const extensions = decodeExtensions(
    fields.optional(contextTag(1, 'constructed')),
    `${path}.singleExtensions`,
    malformed,
  )
  fields.end('SingleResponse')
  for (const e of extensions.values()) if (e.critical) malformed(`critical extension ${e.oid}`)
  return { hash, issuerNameHash, issuerKeyHash, serial, status, thisUpdate, nextUpdate }
}

function generalizedTime(wrapper: Der, what: string, malformed: (what: string) => never): UnixSeconds {
  const time = only(wrapper, TAG.generalizedTime)
  return (time === undefined ? undefined : timeOf(time)) ?? malformed(what)
}

function statusOf(der: Der, malformed: (what: string) => never): OcspStatus {
  const kind =
    der.tag === contextTag(0, 'primitive') ? 'good' : der.tag === contextTag(2, 'primitive') ? 'unknown' : 'revoked'
  if (kind !== 'revoked') return der.content.length === 0 ? { kind } : malformed('certStatus')
  const fields = new DerSequence(der, contextTag(1, 'constructed'), malformed)
  const at = timeOf(fields.next('revocationTime', TAG.generalizedTime)) ?? malformed('revocationTime')
  const wrapper = fields.optional(contextTag(0, 'constructed'))
  fields.end('certStatus')
  if (wrapper === undefined) return { kind, at, reason: undefined }
  const reason = only(wrapper, TAG.enumerated) ?? malformed('revocationReason')
  return { kind, at, reason: smallInteger(reason) ?? malformed('revocationReason') }
}

/** The certificate asked about, by what its issuer is: name and key. */
export interface OcspSubject {
  readonly serial: string
  readonly issuerName: Uint8Array
  readonly issuerKey: PublicKeyInfo
}

/**
 * The answer in `response` about `subject`, if it holds one: CertID equal under the hash that the response used. Of
 * several answers about the same certificate the worst one counts: revoked, then unknown, then good.
 * @returns undefined where the response speaks of other certificates only
 */
export async function findOcspSingle(
  context: Context,
  response: OcspResponse,
  subject: OcspSubject,
): Promise<OcspSingle | undefined> {
  const answers: OcspSingle[] = []
  for (const single of bySerial(response).get(subject.serial) ?? []) {
    const [name, key] = await Promise.all([
      context.digest(single.hash, subject.issuerName),
      context.digest(single.hash, keyBits(subject.issuerKey)),
    ])
    if (equalBytes(name, single.issuerNameHash) && equalBytes(key, single.issuerKeyHash)) answers.push(single)
  }
  return WORST_FIRST.map((kind) => answers.find((a) => a.status.kind === kind)).find((a) => a !== undefined)
}

const indexes = new WeakMap<OcspResponse, ReadonlyMap<string, readonly OcspSingle[]>>()

/** Every certificate of a judgement is looked up in every response: each response is gone through once. */
function bySerial(response: OcspResponse): ReadonlyMap<string, readonly OcspSingle[]> {
  const index = indexes.get(response) ?? Map.groupBy(response.responses, (single) => single.serial)
  indexes.set(response, index)
  return index
}

const WORST_FIRST = ['revoked', 'unknown', 'good'] as const

/** issuerKeyHash covers the BIT STRING's content without its octet of unused bits (RFC 6960 §4.1.1). */
export function keyBits(key: PublicKeyInfo): Uint8Array {
  if (key.kind === 'ec') return key.point
  const known = rsaBits.get(key.spki) ?? take(decodeDer(key.spki, 'spki')).children[1]?.content.subarray(1)
  const bits = known ?? new Uint8Array()
  rsaBits.set(key.spki, bits)
  return bits
}

/** One array for one key, so that a judgement digests it once. */
const rsaBits = new WeakMap<Uint8Array, Uint8Array>()

/**
 * Proves that `response` was signed by the issuer of `subject`, or by a responder that this issuer itself certified for
 * OCSP signing and whose certificate is in date; and, where the caller asked with a nonce, that it answers that question.
 * @param nonce the nonce of the question, at least one byte, or why there is none to compare (a stapled answer)
 * @returns OCSP_SIGNATURE_INVALID · OCSP_INVALID (responder not delegated, nonce) on refusal
 * @see RFC 6960 §§3.2, 4.2.2.2
 */
export function authenticateOcsp(
  context: Context,
  payer: Payer,
  response: OcspResponse,
  subject: OcspSubject,
  nonce: Uint8Array | { readonly notAsked: string },
  path: string,
): Promise<Outcome<OcspResponse>> {
  return attemptAsync(async () => {
    // Not `instanceof`: bytes from another realm (a frame, a vm context) must not pass for "not asked".
    if (!('notAsked' in nonce) && nonce.length === 0) throw new TypeError('an empty nonce asks nothing')
    if (!('notAsked' in nonce) && (response.nonce === undefined || !equalBytes(nonce, response.nonce))) {
      refuse('OCSP_INVALID', `${path}.nonce`, {
        expected: toHex(nonce),
        actual: response.nonce === undefined ? 'absent' : toHex(response.nonce),
      })
    }
    const byIssuer = await isNamed(context, response, subject.issuerName, subject.issuerKey)
    const key = byIssuer ? subject.issuerKey : await delegatedKey(context, payer, response, subject, path)
    if (!(await isSignedStructure(context, payer, response, key))) refuse('OCSP_SIGNATURE_INVALID', path)
    return response
  })
}

async function isNamed(
  context: Context,
  response: OcspResponse,
  name: Uint8Array,
  key: PublicKeyInfo,
): Promise<boolean> {
  if ('name' in response.responder) return equalBytes(response.responder.name, name)
  return equalBytes(response.responder.keyHash, await context.digest('sha1', keyBits(key)))
}

const KNOWN_CRITICAL: readonly string[] = [EXTENSION.basicConstraints, EXTENSION.keyUsage, EXTENSION.extKeyUsage]

async function delegatedKey(
  context: Context,
  payer: Payer,
  response: OcspResponse,
  subject: OcspSubject,
  path: string,
): Promise<PublicKeyInfo> {
  const refused = (what: string): never => refuse('OCSP_INVALID', `${path}.responder`, { actual: what })
  for (const c of response.certificates) {
    if (!(await isNamed(context, response, c.subject.der, c.publicKey))) continue
    if (!equalBytes(c.issuer.der, subject.issuerName)) return refused('responder certified by another issuer')
    if (c.extendedKeyUsage?.includes(OID.ocspSigning) !== true)
      return refused('responder certificate is not for OCSP signing')
    if (c.basicConstraints?.ca === true) return refused('responder certificate is a CA')
    if (c.keyUsage?.has('digitalSignature') === false) return refused('responder certificate may not sign')
    for (const e of c.extensions.values()) {
      if (e.critical && !KNOWN_CRITICAL.includes(e.oid))
        return refused(`responder certificate with critical extension ${e.oid}`)
    }
    if (context.now < c.notBefore || context.now > c.notAfter) return refused('responder certificate is out of date')
    if (!(await isSignedStructure(context, payer, c, subject.issuerKey)))
      return refused('responder certificate not signed by the issuer')
    return c.publicKey
  }
  return refused('responder certificate not included')
}

/**
 * Whether a single answer speaks for the time of judgement: thisUpdate ≤ now < nextUpdate, or within `defaultSeconds` of
 * thisUpdate where the responder named no nextUpdate.
 * @returns the fault, or undefined where it is current
 */
export function ocspStaleness(
  context: Context,
  single: OcspSingle,
  defaultSeconds: number,
): { expected: string; actual: string } | undefined {
  const until = single.nextUpdate ?? single.thisUpdate + defaultSeconds
  if (single.thisUpdate <= context.now && context.now < until) return undefined
  return { expected: `${toRfc3339(single.thisUpdate)} to ${toRfc3339(until)}`, actual: toRfc3339(context.now) }
}
