import { concatBytes } from '../../../src/core/bytes.ts'
import { Context, createVerificationCache } from '../../../src/core/context.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import type { CryptoPort } from '../../../src/core/crypto/port.ts'
import type { NonEmpty, Outcome } from '../../../src/core/outcome.ts'
import { parseRfc3339 } from '../../../src/core/time.ts'
import type { TrustAnchor } from '../../../src/core/trust-anchors.ts'
import { type Certificate, decodeCertificate } from '../../../src/core/x509/certificate.ts'
import { type PathProfile, type ValidatedPath, validatePath } from '../../../src/core/x509/path.ts'
import { type CertificateSpec, certificate, ext } from '../../../src/testing/pki/certificate.ts'
import { octets } from '../../../src/testing/pki/der.ts'
import { ecKey, rsaKey } from '../../../src/testing/pki/keys.ts'
import { name } from '../../../src/testing/pki/names.ts'
import { keyId } from '../../../src/testing/pki/spki.ts'
import { valueIn } from '../support.ts'

export const FROM = '2020-01-01T00:00:00Z'
export const TO = '2040-01-01T00:00:00Z'
export const NOW_TEXT = '2026-08-01T00:00:00Z'

export const seconds = (text: string): number => {
  const at = parseRfc3339(text)
  if (at === undefined) throw new TypeError(text)
  return at
}

export const NOW = seconds(NOW_TEXT)

/** Three levels under a root, as NVIDIA has them: leaf ← 'sub' (CA, path length 0) ← 'top' (CA, path length 1) ← root. */
export const KEYS = {
  root: ecKey('P-384', 'x509 root'),
  top: ecKey('P-384', 'x509 top'),
  sub: ecKey('P-384', 'x509 sub'),
  leaf: ecKey('P-384', 'x509 leaf'),
  stranger: ecKey('P-384', 'x509 stranger'),
} as const

export type Level = 'root' | 'top' | 'sub' | 'leaf'

export const NAMES: Readonly<Record<Level, Uint8Array>> = {
  root: name([
    ['CN', 'Test Root'],
    ['O', 'Vouchsafe'],
  ]),
  top: name([
    ['CN', 'Test Top'],
    ['O', 'Vouchsafe'],
  ]),
  sub: name([
    ['CN', 'Test Sub'],
    ['O', 'Vouchsafe'],
  ]),
  leaf: name([
    ['CN', 'Test Leaf'],
    ['serialNumber', '42'],
  ]),
}

const ISSUER: Readonly<Record<Level, Level>> = { root: 'root', top: 'root', sub: 'top', leaf: 'sub' }
const SERIAL: Readonly<Record<Level, number>> = { root: 1, top: 2, sub: 3, leaf: 0x1234 }
export const serialOf = (level: Level): number => SERIAL[level]

export const CA_USAGE = ext.keyUsage(['keyCertSign', 'cRLSign'])
export const LEAF_USAGE = ext.keyUsage(['digitalSignature'])

const usualExtensions = (level: Level): Uint8Array[] => [
  ...(level === 'leaf' ? [] : [ext.basicConstraints(true, { root: undefined, top: 1, sub: 0 }[level])]),
  level === 'leaf' ? LEAF_USAGE : CA_USAGE,
  ext.subjectKeyId(keyId(KEYS[level].spki)),
  ext.authorityKeyId(keyId(KEYS[ISSUER[level]].spki)),
]

/** Changes to the certificate of one level; the rest stays as the accepted twin has it. */
export interface LevelChange extends Partial<CertificateSpec> {
  /** bytes of a private extension that makes the certificate large */
  readonly padding?: number
  /** added to the usual extensions */
  readonly more?: readonly Uint8Array[]
}

export type Changes = { readonly [L in Level]?: LevelChange }

const made = new Map<string, Uint8Array>()

export function certificateOf(level: Level, change: LevelChange = {}): Uint8Array {
  const known = Object.keys(change).length === 0 ? made.get(level) : undefined
  if (known !== undefined) return known
  const { padding, more = [], ...over } = change
  const padded = padding === undefined ? [] : [ext.custom('1.3.6.1.4.1.55555.1', octets(new Uint8Array(padding)))]
  const der = certificate({
    serial: SERIAL[level],
    issuer: NAMES[ISSUER[level]],
    subject: NAMES[level],
    notBefore: FROM,
    notAfter: TO,
    publicKey: KEYS[level],
    signer: KEYS[ISSUER[level]],
    extensions: [...usualExtensions(level), ...more, ...padded],
    ...over,
  })
  if (Object.keys(change).length === 0) made.set(level, der)
  return der
}

export interface Device {
  readonly der: Readonly<Record<Level, Uint8Array>>
}

/** The whole hierarchy, with changes. */
export const device = (changes: Changes = {}): Device => ({
  der: {
    root: certificateOf('root', changes.root),
    top: certificateOf('top', changes.top),
    sub: certificateOf('sub', changes.sub),
    leaf: certificateOf('leaf', changes.leaf),
  },
})

export const decoded = (der: Uint8Array): Certificate => valueIn(decodeCertificate(der, 'c'))

/** An anchor made from a root's certificate. */
export function anchorOf(rootDer: Uint8Array, over: Partial<TrustAnchor> = {}): TrustAnchor {
  const root = decoded(rootDer)
  return {
    id: 'test/root',
    role: 'nvidia/device-root',
    product: undefined,
    subject: root.subject.der,
    serial: root.serial,
    notBefore: root.notBefore,
    notAfter: root.notAfter,
    spki: root.publicKey.spki,
    spkiSha256: '',
    certificateSha256: '',
    injected: true,
    ...over,
  }
}

export const ANCHOR = anchorOf(certificateOf('root'))

export const PROFILE: PathProfile = {
  algorithms: ['ES384'],
  leafKeyUsage: 'digitalSignature',
  knownCritical: [],
  hosts: ['ocsp.example.test', 'crl.example.test'],
}

export const contextAt = (now: number = NOW, crypto: CryptoPort = nodeCrypto): Context =>
  new Context({ now, anchors: [ANCHOR], crypto, cache: createVerificationCache() })

export interface PathOptions {
  readonly anchors?: readonly TrustAnchor[]
  readonly offeredRoots?: readonly Uint8Array[]
  readonly profile?: PathProfile
  readonly order?: NonEmpty<Level>
  readonly crypto?: CryptoPort
}

/** Decodes the levels below the root and validates them, leaf first. */
export async function validate(changes: Changes = {}, o: PathOptions = {}): Promise<Outcome<ValidatedPath>> {
  const { der } = device(changes)
  const [first, ...others] = o.order ?? ['leaf', 'sub', 'top']
  return validatePath(
    contextAt(NOW, o.crypto ?? nodeCrypto),
    'evidence',
    [decoded(der[first]), ...others.map((level) => decoded(der[level]))],
    (o.offeredRoots ?? []).map(decoded),
    o.anchors ?? [ANCHOR],
    o.profile ?? PROFILE,
    'path',
  )
}

/** The path of AMD's shape: RSA-4096 root and intermediate, RSASSA-PSS throughout, a leaf without usual extensions. */
export const AMD_KEYS = {
  ark: rsaKey('ark-genoa'),
  ask: rsaKey('ask-genoa'),
  vcek: ecKey('P-384', 'x509 vcek'),
} as const

export const flipped = (bytes: Uint8Array, at: number, bits = 1): Uint8Array => {
  const bent = bytes.slice()
  const index = at < 0 ? bent.length + at : at
  bent[index] = (bent[index] ?? 0) ^ bits
  return bent
}

export const withTail = (bytes: Uint8Array, ...tail: number[]): Uint8Array => concatBytes(bytes, Uint8Array.from(tail))
