import { equalBytes } from '../../../core/bytes.ts'
import type { Context, Payer } from '../../../core/context.ts'
import { LIMITS } from '../../../core/limits.ts'
import { attempt, attemptAsync, failed, type NonEmpty, type Outcome, refuse, take } from '../../../core/outcome.ts'
import type { Certificate } from '../../../core/x509/certificate.ts'
import { nameText, sameName } from '../../../core/x509/names.ts'
import { type PathProfile, type ValidatedPath, validatePath } from '../../../core/x509/path.ts'
import { type Brought, payerOf } from '../../collateral.ts'
import { canonicalForms } from './canonical.ts'
import { checkManifestShape, decodeManifest, type Manifest } from './manifest.ts'
import { decodeSignature, decodeSignedInfo } from './signature.ts'
import { findSignature } from './signature-scope.ts'
import { decodeXml, MANIFEST_CHARACTERS } from './xml.ts'

/** A manifest that a key certified under NVIDIA's manifest root signed. Its dates and its revocation are not judged yet. */
export interface AuthenticRim extends Manifest {
  /** SHA-256 of the file, lower-case hex: which revision this is */
  readonly sha256: string
  /** signer first, for `checkValidity` and the revocation of the chain */
  readonly path: ValidatedPath
  /** as the file brings them, signer first; a root that comes last bears the anchor's name and key */
  readonly certificates: NonEmpty<Certificate>
}

/** What NVIDIA's manifest chains look like. */
const RIM_PROFILE: PathProfile = {
  algorithms: ['ES384'],
  leafKeyUsage: 'digitalSignature',
  knownCritical: [],
  hosts: ['ocsp.ndis.nvidia.com', 'crl.ndis.nvidia.com'],
}

/** A document whose digest fits its own SignedInfo; whoever signed that. */
interface DigestedDocument {
  /** canonical form */
  readonly signedInfo: Uint8Array
  readonly signatureValue: Uint8Array
  /** signer first, in the order of its X509Data */
  readonly certificates: NonEmpty<Certificate>
  /** what the digested bytes say; its faults are paths within the document */
  readonly manifest: Outcome<Manifest>
}

/**
 * Proves that NVIDIA's manifest signers made this file. One form of signature is accepted, the one NVIDIA makes; the key
 * is that of the first certificate of the very X509Data whose chain reaches a pinned anchor of the role
 * `nvidia/rim-root`; and the values are read from the canonical bytes that were digested, so nothing is read that was not
 * signed. Not judged here: dates (`checkValidity` on `path`), revocation, and whether it is the manifest for a device.
 * @returns the manifest, or LIMIT_XML · LIMIT_CERT_COUNT · XML_ENCODING · XML_DTD_FORBIDDEN · XML_SYNTAX ·
 * RIM_SIGNATURE_SCOPE · RIM_SIGNATURE_COUNT · RIM_SIGNATURE_MALFORMED · RIM_SIGNER_NOT_BOUND · RIM_KEYINFO_FORBIDDEN ·
 * RIM_REFERENCE_INVALID · RIM_TRANSFORM_FORBIDDEN · RIM_ALGORITHM_FORBIDDEN · RIM_SCHEMA_INVALID · RIM_SIGNATURE_INVALID ·
 * RIM_SIGNER_UNTRUSTED · the codes of `validatePath` and `decodeCertificate` · RIM_MALFORMED · RIM_INDEX_DUPLICATE ·
 * RIM_VALUE_INVALID · RIM_EMPTY
 * @see XML Signature 1.1 §3.2
 */
export function authenticateRim(
  context: Context,
  file: Brought<Uint8Array>,
  path: string,
): Promise<Outcome<AuthenticRim>> {
  const known = judged.get(context) ?? new Map<string, Promise<Outcome<AuthenticRim>>>()
  judged.set(context, known)
  const key = `${file.sha256} ${file.origin} ${path}`
  const outcome = known.get(key) ?? authenticate(context, file, path)
  known.set(key, outcome)
  return outcome
}

/** The GPUs of one machine share their manifests: within one judgement each is judged once. */
const judged = new WeakMap<Context, Map<string, Promise<Outcome<AuthenticRim>>>>()

/** NVIDIA's own have 20 to 30 kilobytes. */
const MOST_REMEMBERED_BYTES = 64 * 1024

function authenticate(context: Context, file: Brought<Uint8Array>, path: string): Promise<Outcome<AuthenticRim>> {
  return attemptAsync(async () => {
    if (file.value.length > LIMITS.xmlBytes) {
      refuse('LIMIT_XML', path, { expected: `at most ${LIMITS.xmlBytes} bytes`, actual: `${file.value.length} bytes` })
    }
    const document = take(
      await context.decodeOnce('nvidia-rim', file.value, MOST_REMEMBERED_BYTES, () =>
        digestedDocument(context, file.value, path),
      ),
    )
    const at = `${path}.Signature.KeyInfo.X509Data`
    const [signer] = document.certificates
    checkSigner(signer, `${at}[0]`)
    const payer = payerOf(file)
    const [validated, isSigned] = await Promise.all([
      signerPath(context, payer, document.certificates, at),
      context.verify(payer, 'ES384', signer.publicKey.spki, document.signedInfo, document.signatureValue, 'remember'),
    ])
    const chain = take(validated)
    if (!isSigned)
      refuse('RIM_SIGNATURE_INVALID', `${path}.Signature.SignatureValue`, { actual: nameText(signer.subject) })
    return {
      ...take(withPath(document.manifest, path)),
      sha256: file.sha256,
      path: chain,
      certificates: document.certificates,
    }
  })
}

/** Everything about a file that needs no key, so that it is done once for every judgement that uses the file. */
function digestedDocument(context: Context, bytes: Uint8Array, path: string): Promise<Outcome<DigestedDocument>> {
  return attemptAsync(async () => {
    const file = take(decodeXml(bytes, MANIFEST_CHARACTERS, path))
    const at = `${path}.Signature`
    const element = findSignature(file.root, path)
    const signature = decodeSignature(element, at)
    decodeSignedInfo(signature.signedInfo, `${at}.SignedInfo`)
    checkManifestShape(file.root, 'signed', path)

    const { content, signedInfo } = take(await canonicalForms(file, element, path))
    // From here on only what is signed is read: the Reference from the canonical SignedInfo, the manifest from the content.
    const reference = decodeSignedInfo(take(decodeXml(signedInfo, LIMITS.xmlBytes, at)).root, `${at}.SignedInfo`)
    if (!equalBytes(await context.digest('sha384', content), reference)) {
      refuse('RIM_SIGNATURE_INVALID', `${at}.SignedInfo.Reference.DigestValue`)
    }
    const keys = `${at}.KeyInfo.X509Data`
    const decoded = await Promise.all(signature.certificates.map((der, i) => context.certificate(der, `${keys}[${i}]`)))
    const [signer, ...others] = decoded.map(take)
    if (signer === undefined) throw new TypeError('a decoded signature has a certificate')
    const { signatureValue } = signature
    const manifest = attempt(() => decodeManifest(take(decodeXml(content, LIMITS.xmlBytes, '')).root, ''))
    return { signedInfo, signatureValue, certificates: [signer, ...others], manifest }
  })
}

/** What every manifest signer of NVIDIA's carries: it signs data, and nothing else. */
function checkSigner(signer: Certificate, path: string): void {
  const { basicConstraints, keyUsage, extendedKeyUsage } = signer
  const usage = [...(keyUsage ?? [])].join(', ')
  if (basicConstraints?.ca !== false || usage !== 'digitalSignature' || extendedKeyUsage !== undefined) {
    refuse('RIM_SIGNER_UNTRUSTED', path, {
      expected: 'no CA, key usage digitalSignature alone, no extended key usage',
      actual: `${nameText(signer.subject)}: key usage ${usage || 'absent'}`,
    })
  }
}

/** The path of the certificates in their order; a root may come last, and must then carry the anchor's key. */
function signerPath(
  context: Context,
  payer: Payer,
  certificates: NonEmpty<Certificate>,
  path: string,
): Promise<Outcome<ValidatedPath>> {
  return attemptAsync(async () => {
    const [signer, ...others] = certificates
    const isSelfIssued = (c: Certificate) => sameName(c.subject, c.issuer)
    const roots = others.filter(isSelfIssued)
    const steps: NonEmpty<Certificate> = [signer, ...others.filter((c) => !isSelfIssued(c))]
    const anchors = context.anchors.filter((a) => a.role === 'nvidia/rim-root')
    const validated = take(await validatePath(context, payer, steps, roots, anchors, RIM_PROFILE, path))
    const stranger = roots.find((r) => !equalBytes(r.publicKey.spki, validated.anchor.spki))
    const stray = stranger ?? roots.find((r) => r !== certificates.at(-1))
    if (stray !== undefined) {
      refuse('X509_ROOT_UNTRUSTED', path, {
        expected: `no other root than ${validated.anchor.id}, in the last place`,
        actual: nameText(stray.subject),
      })
    }
    return validated
  })
}

function withPath<T>(outcome: Outcome<T>, path: string): Outcome<T> {
  if (outcome.ok) return outcome
  const [first, ...more] = outcome.faults
  const moved = (f: typeof first) => ({ ...f, path: `${path}${f.path}` })
  return failed([moved(first), ...more.map(moved)])
}
