import { equalBytes } from '../bytes.ts'
import type { Context, Payer } from '../context.ts'
import type { SignatureAlgorithm } from '../crypto/port.ts'
import {
  bitStringBytes,
  context as contextTag,
  DerSequence,
  decodeDer,
  oidText,
  smallInteger,
  TAG,
  timeOf,
} from '../der.ts'
import { toHex } from '../encodings.ts'
import { attempt, attemptAsync, type NonEmpty, type Outcome, refuse, take } from '../outcome.ts'
import { toRfc3339, type UnixSeconds } from '../time.ts'
import { decodeSignatureAlgorithm, type PublicKeyInfo } from './algorithms.ts'
import { decodeExtensions } from './certificate.ts'
import { decodeName, type Name, nameText } from './names.ts'
import { isSignedStructure } from './path.ts'

export interface Crl {
  readonly der: Uint8Array
  readonly tbs: Uint8Array
  readonly algorithm: SignatureAlgorithm
  readonly signature: Uint8Array
  readonly issuer: Name
  readonly thisUpdate: UnixSeconds
  readonly nextUpdate: UnixSeconds | undefined
  /** content octets of cRLNumber, lower-case hex */
  readonly number: string | undefined
  /** serial (content octets, lower-case hex) → when it was revoked */
  readonly revoked: ReadonlyMap<string, UnixSeconds>
  readonly criticalExtensions: readonly string[]
  readonly delta: boolean
}

/** Twenty octets, and a zero in front of a high one (RFC 5280 §5.2.3). Longer ones cost whoever compares them minutes. */
const MOST_NUMBER_BYTES = 21

const OID = { cRLNumber: '2.5.29.20', deltaCRLIndicator: '2.5.29.27' } as const

/**
 * Decodes a v2 certificate revocation list.
 * @returns the list, or a DER_* code, CRL_MALFORMED · X509_ALGORITHM_MISMATCH · X509_ALGORITHM_FORBIDDEN ·
 * X509_EXTENSION_DUPLICATE
 * @see RFC 5280 §5.1
 */
export function decodeCrl(der: Uint8Array, path: string): Outcome<Crl> {
  return attempt(() => {
    const malformed = (what: string): never => refuse('CRL_MALFORMED', path, { actual: what })
    const outer = new DerSequence(take(decodeDer(der, path)), TAG.sequence, malformed)
    const tbsDer = outer.next('tbsCertList', TAG.sequence)
    const outerAlgorithm = outer.next('signatureAlgorithm', TAG.sequence)
    const signature = bitStringBytes(outer.next('signature', TAG.bitString)) ?? malformed('signature with unused bits')
    outer.end('CertificateList')

    const tbs = new DerSequence(tbsDer, TAG.sequence, malformed)
    if (smallInteger(tbs.next('version', TAG.integer)) !== 1) malformed('version other than 2')
    const innerAlgorithm = tbs.next('signature', TAG.sequence)
    if (!equalBytes(innerAlgorithm.bytes, outerAlgorithm.bytes)) refuse('X509_ALGORITHM_MISMATCH', path)
    const algorithm = decodeSignatureAlgorithm(outerAlgorithm, path)
    const issuer = decodeName(tbs.next('issuer', TAG.sequence), malformed)
    const thisUpdate = timeOf(tbs.next('thisUpdate')) ?? malformed('thisUpdate')
    const next = tbs.optional(TAG.utcTime, TAG.generalizedTime)
    const nextUpdate = next === undefined ? undefined : (timeOf(next) ?? malformed('nextUpdate'))
    const entries = tbs.optional(TAG.sequence)
    const critical: string[] = []
    const revoked = new Map<string, UnixSeconds>()
    for (const entry of entries?.children ?? []) {
      const fields = new DerSequence(entry, TAG.sequence, malformed)
      const serial = toHex(fields.next('userCertificate', TAG.integer).content)
      const date = timeOf(fields.next('revocationDate')) ?? malformed('revocationDate')
      const details = fields.optional(TAG.sequence)
      fields.end('revoked certificate')
      for (const detail of details?.children ?? []) {
        const extension = new DerSequence(detail, TAG.sequence, malformed)
        const oid = extension.next('entry extension', TAG.oid)
        if (extension.optional(TAG.boolean)?.content[0] === 0xff) critical.push(oidText(oid))
        extension.next('entry extension value', TAG.octetString)
        extension.end('entry extension')
      }
      revoked.set(serial, date)
    }
    const extensions = decodeExtensions(tbs.optional(contextTag(0, 'constructed')), path, malformed)
    tbs.end('tbsCertList')
    for (const e of extensions.values()) if (e.critical) critical.push(e.oid)
    const numberExtension = extensions.get(OID.cRLNumber)
    const number =
      numberExtension === undefined ? undefined : take(decodeDer(numberExtension.value, `${path}.cRLNumber`))
    if (number !== undefined && (number.tag !== TAG.integer || number.content.length > MOST_NUMBER_BYTES))
      malformed('cRLNumber')
    return {
      der,
      tbs: tbsDer.bytes,
      algorithm,
      signature,
      issuer,
      thisUpdate,
      nextUpdate,
      number: number === undefined ? undefined : toHex(number.content),
      revoked,
      criticalExtensions: critical,
      delta: extensions.has(OID.deltaCRLIndicator),
    }
  })
}

/** Who must have signed a CRL: an anchor or a certificate of the validated path that may sign CRLs. */
export interface CrlIssuer {
  readonly subject: Uint8Array
  readonly publicKey: PublicKeyInfo
  /** those of its hierarchy, which its certificates are held to as well */
  readonly algorithms: NonEmpty<SignatureAlgorithm>
  readonly maySignCrls: boolean
}

/**
 * Proves that a complete CRL was made by `issuer` and speaks for the time of judgement: thisUpdate ≤ now < nextUpdate.
 * @returns the CRL, or CRL_SIGNATURE_INVALID · X509_ALGORITHM_FORBIDDEN · CRL_UNSUPPORTED · CRL_TIME_INVALID · CRL_STALE
 * @see RFC 5280 §6.3
 */
export function authenticateCrl(
  context: Context,
  payer: Payer,
  crl: Crl,
  issuer: CrlIssuer,
  path: string,
): Promise<Outcome<Crl>> {
  return attemptAsync(async () => {
    if (!equalBytes(crl.issuer.der, issuer.subject)) {
      refuse('CRL_SIGNATURE_INVALID', `${path}.issuer`, {
        expected: 'the issuer of the certificates',
        actual: nameText(crl.issuer),
      })
    }
    if (!issuer.maySignCrls) refuse('CRL_UNSUPPORTED', path, { expected: 'a signer with key usage cRLSign' })
    if (crl.delta || crl.criticalExtensions.length > 0) {
      refuse('CRL_UNSUPPORTED', path, { actual: crl.delta ? 'delta CRL' : crl.criticalExtensions.join(', ') })
    }
    // RFC 5280 §5.1.2.5 demands nextUpdate. Without it the list can never become stale, and no retry would mend it.
    if (crl.nextUpdate === undefined) return refuse('CRL_UNSUPPORTED', `${path}.nextUpdate`, { expected: 'present' })
    if (!(await isSignedStructure(context, payer, crl, issuer.publicKey))) refuse('CRL_SIGNATURE_INVALID', path)
    if (!issuer.algorithms.includes(crl.algorithm))
      refuse('X509_ALGORITHM_FORBIDDEN', path, { expected: issuer.algorithms.join(', '), actual: crl.algorithm })
    if (crl.thisUpdate > context.now) {
      refuse('CRL_TIME_INVALID', `${path}.thisUpdate`, {
        expected: `at or before ${toRfc3339(context.now)}`,
        actual: toRfc3339(crl.thisUpdate),
      })
    }
    if (crl.nextUpdate <= context.now) {
      refuse('CRL_STALE', `${path}.nextUpdate`, {
        expected: `after ${toRfc3339(context.now)}`,
        actual: toRfc3339(crl.nextUpdate),
      })
    }
    return crl
  })
}

/**
 * The first of these serials that a list of its issuer's names as revoked. A list that is past its nextUpdate still tells what
 * was revoked; one whose thisUpdate lies ahead (a clock that is behind, or a judgement of an earlier time) tells what was
 * revoked before `now`.
 * @param outcome of `authenticateCrl`; where its refusal is another, the list is nobody's word and names nothing
 */
export function revokedOf(
  crl: Crl,
  outcome: Outcome<unknown>,
  serials: readonly string[],
  now: UnixSeconds,
): string | undefined {
  const code = outcome.ok ? undefined : outcome.faults[0].code
  if (code !== undefined && code !== 'CRL_STALE' && code !== 'CRL_TIME_INVALID') return undefined
  return serials.find((serial) => {
    const since = crl.revoked.get(serial)
    return since !== undefined && (code !== 'CRL_TIME_INVALID' || since <= now)
  })
}
