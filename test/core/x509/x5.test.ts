import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../src/core/bytes.ts'
import { CODES, type Code, isCode } from '../../../src/core/codes.ts'
import { decodeDer } from '../../../src/core/der.ts'
import { attempt, fail, type Outcome, ok } from '../../../src/core/outcome.ts'
import { decodePem } from '../../../src/core/pem.ts'
import { decodeCertificate } from '../../../src/core/x509/certificate.ts'
import { authenticateCrl, type CrlIssuer, decodeCrl } from '../../../src/core/x509/crl.ts'
import { checkValidity } from '../../../src/core/x509/path.ts'
import { ext, pem } from '../../../src/testing/pki/certificate.ts'
import { type CrlSpec, crl } from '../../../src/testing/pki/crl.ts'
import { bits, nul, octets, oid, raw, seq } from '../../../src/testing/pki/der.ts'
import { extension } from '../../../src/testing/pki/extensions.ts'
import { ecKey, rsaKey } from '../../../src/testing/pki/keys.ts'
import { name } from '../../../src/testing/pki/names.ts'
import { ecSpki, explicitEcSpki, rsaSpki } from '../../../src/testing/pki/spki.ts'
import { codesOf, EVIDENCE, valueIn } from '../support.ts'
import { authenticate, OCSP_GOOD, type OcspChange } from './ocsp-pki.ts'
import {
  ANCHOR,
  anchorOf,
  CA_USAGE,
  type Changes,
  certificateOf,
  contextAt,
  decoded,
  FROM,
  KEYS,
  LEAF_USAGE,
  type Level,
  NAMES,
  NOW,
  PROFILE,
  seconds,
  serialOf,
  TO,
  validate,
} from './pki.ts'

type Run = () => Outcome<unknown> | Promise<Outcome<unknown>>

/** One thing wrong, and the same with that one thing right. */
interface Case {
  readonly id: string
  readonly code: Code
  readonly what: string
  readonly refused: Run
  readonly twin: Run
}

const cases: Case[] = []
const row = (id: string, code: Code, what: string, refused: Run, twin: Run): void => {
  cases.push({ id: `RJ-X5-${id}`, code, what, refused, twin })
}

const good: Run = () => validate()

// 01: the pinned root's name on another key.
const impostorRoot = () => certificateOf('root', { publicKey: KEYS.stranger, signer: KEYS.stranger })
row(
  '01',
  'X509_ROOT_UNTRUSTED',
  'a root of the pinned name with another key',
  () => validate({ top: { signer: KEYS.stranger } }, { offeredRoots: [impostorRoot()] }),
  () => validate({}, { offeredRoots: [certificateOf('root')] }),
)
const elsewhere = name([
  ['CN', 'Test Root'],
  ['O', 'Elsewhere'],
])
row(
  '01',
  'X509_ROOT_UNTRUSTED',
  'a root of another name',
  () => validate({ top: { issuer: elsewhere, signer: KEYS.stranger } }),
  () =>
    validate(
      { top: { issuer: elsewhere, signer: KEYS.stranger } },
      {
        anchors: [
          anchorOf(
            certificateOf('root', {
              subject: elsewhere,
              issuer: elsewhere,
              publicKey: KEYS.stranger,
              signer: KEYS.stranger,
            }),
          ),
        ],
      },
    ),
)
row(
  '01',
  'X509_ROOT_UNTRUSTED',
  'a chain that stops below the root',
  () => validate({}, { order: ['leaf', 'sub'] }),
  () => validate({}, { order: ['leaf', 'sub', 'top'] }),
)

// 02 to 06: roles.
const caExtensions = (constraints: readonly Uint8Array[], usage = CA_USAGE) => ({ extensions: [...constraints, usage] })
for (const level of ['sub', 'top'] as const) {
  const twin = () => validate({ [level]: caExtensions([ext.basicConstraints(true)]) })
  row(
    '02',
    'X509_NOT_CA',
    `${level} with basicConstraints false`,
    () => validate({ [level]: caExtensions([ext.basicConstraints(false)]) }),
    twin,
  )
  row('02', 'X509_NOT_CA', `${level} without basicConstraints`, () => validate({ [level]: caExtensions([]) }), twin)
  row(
    '06',
    'X509_KEY_USAGE',
    `${level} without keyCertSign`,
    () =>
      validate({ [level]: caExtensions([ext.basicConstraints(true)], ext.keyUsage(['cRLSign', 'digitalSignature'])) }),
    () => validate({ [level]: caExtensions([ext.basicConstraints(true)], ext.keyUsage(['keyCertSign'])) }),
  )
  row(
    '06',
    'X509_KEY_USAGE',
    `${level} without key usage`,
    () => validate({ [level]: { extensions: [ext.basicConstraints(true)] } }),
    twin,
  )
}
row(
  '03',
  'X509_PATH_LENGTH',
  'one CA below a CA of path length 0',
  () => validate({ top: caExtensions([ext.basicConstraints(true, 0)]) }),
  () => validate({ top: caExtensions([ext.basicConstraints(true, 1)]) }),
)
row(
  '04',
  'X509_LEAF_IS_CA',
  'a leaf with basicConstraints CA',
  () => validate({ leaf: { extensions: [ext.basicConstraints(true), LEAF_USAGE] } }),
  () => validate({ leaf: { extensions: [ext.basicConstraints(false), LEAF_USAGE] } }),
)
row(
  '04',
  'X509_LEAF_IS_CA',
  'an intermediate in place of the leaf',
  () => validate({}, { order: ['sub', 'top'] }),
  good,
)
for (const level of ['leaf', 'sub'] as const) {
  row(
    '05',
    'X509_NAME_CHAIN',
    `${level} that names another issuer`,
    () => validate({ [level]: { issuer: NAMES.leaf } }),
    good,
  )
}
row('05', 'X509_NAME_CHAIN', 'a chain out of order', () => validate({}, { order: ['leaf', 'top', 'sub'] }), good)
row(
  '05',
  'X509_NAME_CHAIN',
  'an issuer of the same text in another string type',
  () =>
    validate({
      leaf: {
        issuer: name([
          ['CN', 'Test Sub', 'printable'],
          ['O', 'Vouchsafe'],
        ]),
      },
    }),
  good,
)
row(
  '06',
  'X509_KEY_USAGE',
  'a leaf without digitalSignature',
  () => validate({ leaf: { extensions: [ext.keyUsage(['keyAgreement'])] } }),
  () => validate({ leaf: { extensions: [ext.keyUsage(['keyAgreement', 'digitalSignature'])] } }),
)
row(
  '06',
  'X509_KEY_USAGE',
  'a leaf with key usage where the vendor writes none',
  () => validate({}, { profile: { ...PROFILE, leafKeyUsage: 'absent' } }),
  () => validate({ leaf: { extensions: [] } }, { profile: { ...PROFILE, leafKeyUsage: 'absent' } }),
)

// 07: each level and the anchor, one second outside and on the edge.
const EDGES = { notBefore: '2025-03-01T12:00:00Z', notAfter: '2027-03-01T12:00:00Z' } as const
for (const level of ['leaf', 'sub', 'top', 'root'] as const) {
  const at = async (now: number): Promise<Outcome<unknown>> => {
    const changes: Changes = level === 'root' ? {} : { [level]: EDGES }
    const anchor = level === 'root' ? anchorOf(certificateOf('root', EDGES)) : ANCHOR
    const validated = valueIn(await validate(changes, { anchors: [anchor] }))
    return attempt(() => checkValidity(contextAt(now), validated, 'path'))
  }
  const [begins, ends] = [seconds(EDGES.notBefore), seconds(EDGES.notAfter)]
  row(
    '07',
    'X509_VALIDITY',
    `${level}, one second before notBefore`,
    () => at(begins - 1),
    () => at(begins),
  )
  row(
    '07',
    'X509_VALIDITY',
    `${level}, one second after notAfter`,
    () => at(ends + 1),
    () => at(ends),
  )
}

// 08: critical extensions.
for (const level of ['leaf', 'sub', 'top'] as const) {
  const unknown = (critical: boolean): Changes => ({
    [level]: { more: [ext.custom('1.3.6.1.4.1.55555.9', nul(), critical)] },
  })
  row(
    '08',
    'X509_CRITICAL_EXTENSION',
    `${level}, critical or not`,
    () => validate(unknown(true)),
    () => validate(unknown(false)),
  )
  row(
    '08',
    'X509_CRITICAL_EXTENSION',
    `${level}, known to the profile or not`,
    () => validate(unknown(true), { profile: { ...PROFILE, knownCritical: ['1.3.6.1.4.1.55555.8'] } }),
    () => validate(unknown(true), { profile: { ...PROFILE, knownCritical: ['1.3.6.1.4.1.55555.9'] } }),
  )
}
row(
  '08',
  'X509_CRITICAL_EXTENSION',
  'name constraints, which are not evaluated',
  () => validate({ top: { more: [ext.custom('2.5.29.30', seq(), true)] } }),
  good,
)

// 09 to 15: revocation lists. `revokes` stands in for the one line with which each kind turns the list into its code.
const CRL: CrlSpec = {
  issuer: NAMES.top,
  signer: KEYS.top,
  thisUpdate: '2026-07-01T00:00:00Z',
  nextUpdate: '2026-09-01T00:00:00Z',
  number: 7,
  revoked: [{ serial: 0x99, date: '2026-01-01T00:00:00Z' }],
}
const CRL_ISSUER: CrlIssuer = {
  subject: NAMES.top,
  publicKey: decoded(certificateOf('top')).publicKey,
  algorithms: ['ES384'],
  maySignCrls: true,
}
const list = (change: Partial<CrlSpec> = {}, issuer: Partial<CrlIssuer> = {}, now = NOW) =>
  authenticateCrl(
    contextAt(now),
    'collateral',
    valueIn(decodeCrl(crl({ ...CRL, ...change }), 'crl')),
    { ...CRL_ISSUER, ...issuer },
    'crl',
  )
const listed = async (level: Level, serial: number): Promise<Outcome<unknown>> => {
  const authentic = valueIn(
    await list({
      revoked: [
        { serial: 0x99, date: FROM },
        { serial, date: FROM },
      ],
    }),
  )
  return authentic.revoked.has(decoded(certificateOf(level)).serial) ? fail('X509_REVOKED', level) : ok(undefined)
}
row(
  '09',
  'X509_REVOKED',
  'the list has the serial of the intermediate',
  () => listed('sub', serialOf('sub')),
  () => listed('sub', 0x98),
)
row(
  '10',
  'X509_REVOKED',
  'the list has the serial of the leaf',
  () => listed('leaf', serialOf('leaf')),
  () => listed('leaf', 0x34),
)
row(
  '11',
  'CRL_SIGNATURE_INVALID',
  'a bit of the signature',
  () => list({ tamperSignature: true }),
  () => list(),
)
row(
  '11',
  'CRL_SIGNATURE_INVALID',
  'signed with another key',
  () => list({ signer: KEYS.stranger }),
  () => list(),
)
row(
  '11',
  'CRL_SIGNATURE_INVALID',
  'signed by another CA in its own name',
  () => list({ signer: KEYS.sub, issuer: NAMES.sub }),
  () => list(),
)
row(
  '11',
  'CRL_SIGNATURE_INVALID',
  'signed in the name of another CA',
  () => list({ issuer: NAMES.sub }),
  () => list(),
)
row(
  '11',
  'CRL_SIGNATURE_INVALID',
  'signed with a key of another kind',
  () => list({ signer: rsaKey('ark-genoa') }),
  () => list(),
)
row(
  '12',
  'CRL_UNSUPPORTED',
  'a signer without cRLSign',
  () => list({}, { maySignCrls: false }),
  () => list(),
)
const unknownCritical = (critical: boolean) => extension('1.3.6.1.4.1.55555.7', nul(), critical)
row(
  '12',
  'CRL_UNSUPPORTED',
  'an unknown critical extension',
  () => list({ extensions: [unknownCritical(true)] }),
  () => list({ extensions: [unknownCritical(false)] }),
)
row(
  '12',
  'CRL_UNSUPPORTED',
  'an unknown critical extension of an entry',
  () => list({ revoked: [{ serial: 1, date: FROM, extensions: [unknownCritical(true)] }] }),
  () => list({ revoked: [{ serial: 1, date: FROM, extensions: [unknownCritical(false)] }] }),
)
row(
  '12',
  'CRL_UNSUPPORTED',
  'a list for some certificates only (issuingDistributionPoint)',
  () => list({ extensions: [extension('2.5.29.28', seq(raw(0x81, Uint8Array.of(0xff))), true)] }),
  () => list(),
)
row(
  '12',
  'CRL_UNSUPPORTED',
  'a delta list',
  () => list({ extensions: [ext.deltaCrlIndicator(6)] }),
  () => list(),
)
row(
  '12',
  'CRL_UNSUPPORTED',
  'a delta list that hides it as not critical',
  () => list({ extensions: [ext.custom('2.5.29.27', Uint8Array.of(2, 1, 6))] }),
  () => list(),
)
const [issued, due] = [seconds(CRL.thisUpdate), seconds(CRL.nextUpdate ?? '')]
row(
  '13',
  'CRL_STALE',
  'at nextUpdate',
  () => list({}, {}, due),
  () => list({}, {}, due - 1),
)
row(
  '13',
  'CRL_STALE',
  'one second after nextUpdate',
  () => list({}, {}, due + 1),
  () => list({}, {}, due - 1),
)
// The row is split: a list from the future may be right later; one without an end is no list that RFC 5280 knows.
row(
  '14',
  'CRL_TIME_INVALID',
  'thisUpdate one second ahead',
  () => list({}, {}, issued - 1),
  () => list({}, {}, issued),
)
const { nextUpdate: _, ...endless } = CRL
row(
  '14',
  'CRL_UNSUPPORTED',
  'no nextUpdate',
  async () => authenticateCrl(contextAt(), 'collateral', valueIn(decodeCrl(crl(endless), 'crl')), CRL_ISSUER, 'crl'),
  () => list(),
)

// 16: OCSP.
const ocsp = (what: string, change: OcspChange) =>
  row(
    '16',
    'OCSP_INVALID',
    what,
    () => authenticate(change),
    () => authenticate(OCSP_GOOD),
  )
ocsp('another nonce', { nonce: Uint8Array.of(1, 2, 4) })
ocsp('no nonce', { nonce: undefined })
ocsp('no certificate of the responder', { certificates: [] })
ocsp('a responder of another issuer', { responder: { issuer: NAMES.top } })
ocsp('a responder signed by another key', { responder: { signer: KEYS.stranger } })
ocsp('a responder without the purpose', { responder: { extensions: [LEAF_USAGE] } })
ocsp('a responder for another purpose', { responder: { extensions: [ext.extKeyUsage(['1.3.6.1.5.5.7.3.2'])] } })
ocsp('an answer to tryLater', { status: 3 })

// 17, 18, 24: keys.
const keyed =
  (spki: Uint8Array): Run =>
  () =>
    decodeCertificate(certificateOf('leaf', { publicKey: { spki } }), 'c')
const point = KEYS.leaf.publicPoint ?? new Uint8Array()
const one = Uint8Array.of(1)
const twinKey = keyed(KEYS.leaf.spki)
row(
  '17',
  'X509_KEY_UNSUPPORTED',
  'explicit curve parameters',
  keyed(explicitEcSpki({ p: one, a: one, b: one, generator: point, n: one }, point)),
  twinKey,
)
row(
  '17',
  'X509_KEY_UNSUPPORTED',
  'a curve of no name here',
  keyed(seq(seq(oid('1.2.840.10045.2.1'), oid('1.3.132.0.10')), bits(point))),
  twinKey,
)
row('17', 'X509_KEY_UNSUPPORTED', 'no curve', keyed(seq(seq(oid('1.2.840.10045.2.1'), nul()), bits(point))), twinKey)
row(
  '17',
  'X509_KEY_UNSUPPORTED',
  'a key that is neither EC nor RSA',
  keyed(seq(seq(oid('1.3.101.112')), bits(new Uint8Array(32)))),
  twinKey,
)
const bentPoint = point.map((byte, i) => (i === 96 ? byte ^ 1 : byte))
row('18', 'X509_KEY_INVALID', 'a point off the curve', keyed(ecSpki('P-384', bentPoint)), twinKey)
row('18', 'X509_KEY_INVALID', 'the neutral element', keyed(ecSpki('P-384', Uint8Array.of(0))), twinKey)
row(
  '18',
  'X509_KEY_INVALID',
  'the neutral element in full length',
  keyed(ecSpki('P-384', concatBytes(Uint8Array.of(4), new Uint8Array(96)))),
  twinKey,
)
row(
  '18',
  'X509_KEY_INVALID',
  'a compressed point',
  keyed(ecSpki('P-384', concatBytes(Uint8Array.of(2 + ((point[96] ?? 0) & 1)), point.subarray(1, 49)))),
  twinKey,
)
row(
  '18',
  'X509_KEY_INVALID',
  'a point of the other curve',
  keyed(ecSpki('P-384', ecKey('P-256', 'x').publicPoint ?? point)),
  twinKey,
)
const modulus = (bytes: number, first = 0xc0) => new Uint8Array(bytes).fill(0xa5).map((b, i) => (i === 0 ? first : b))
const F4 = Uint8Array.of(1, 0, 1)
const twinRsa = keyed(rsaSpki(modulus(512), F4))
row('24', 'X509_KEY_SIZE', 'a modulus of 16,384 bits', keyed(rsaSpki(modulus(2048), F4)), twinRsa)
row('24', 'X509_KEY_SIZE', 'a modulus of 1024 bits', keyed(rsaSpki(modulus(128), F4)), twinRsa)
row('24', 'X509_KEY_SIZE', 'a modulus of 4095 bits', keyed(rsaSpki(modulus(512, 0x40), F4)), twinRsa)
row(
  '24',
  'X509_KEY_SIZE',
  'an exponent of 2^255',
  keyed(
    rsaSpki(
      modulus(512),
      new Uint8Array(32).map((_b, i) => (i === 0 ? 0x80 : 0)),
    ),
  ),
  twinRsa,
)
row('24', 'X509_KEY_SIZE', 'an exponent of 1', keyed(rsaSpki(modulus(512), one)), twinRsa)
row('24', 'X509_KEY_SIZE', 'an exponent of 3', keyed(rsaSpki(modulus(512), Uint8Array.of(3))), twinRsa)

// 19, 20, 21, 23: DER.
const leaf = () => certificateOf('leaf')
const der =
  (bytes: Uint8Array): Run =>
  () =>
    decodeCertificate(bytes, 'c')
const withExtension = (extensionDer: Uint8Array): Run => der(certificateOf('leaf', { more: [extensionDer] }))
const content = leaf().subarray(4)
row(
  '19',
  'DER_NOT_CANONICAL',
  'an indefinite length outside',
  der(concatBytes(Uint8Array.of(0x30, 0x80), content, Uint8Array.of(0, 0))),
  der(leaf()),
)
row(
  '19',
  'DER_NOT_CANONICAL',
  'three octets of length where two do',
  der(concatBytes(Uint8Array.of(0x30, 0x83, 0), leaf().subarray(2))),
  der(leaf()),
)
const plainExtension = seq(oid('1.2.3.4'), octets(nul()))
const body = plainExtension.subarray(2)
row(
  '19',
  'DER_NOT_CANONICAL',
  'the long form for a short length inside',
  withExtension(concatBytes(Uint8Array.of(0x30, 0x81, body.length), body)),
  withExtension(plainExtension),
)
row(
  '19',
  'DER_NOT_CANONICAL',
  'an indefinite length inside',
  withExtension(concatBytes(Uint8Array.of(0x30, 0x80), body, Uint8Array.of(0, 0))),
  withExtension(plainExtension),
)
row(
  '19',
  'DER_NOT_CANONICAL',
  'an OCTET STRING in pieces',
  withExtension(seq(oid('1.2.3.4'), raw(0x24, octets(nul())))),
  withExtension(plainExtension),
)
row(
  '20',
  'DER_OID_INVALID',
  'an arc that a reader of 32 bits takes for AMD’s',
  withExtension(ext.custom(`1.3.6.1.4.1.${3704 + 2 ** 32}.1.4`, octets(new Uint8Array(64)))),
  withExtension(ext.custom('1.3.6.1.4.1.3704.1.4', octets(new Uint8Array(64)))),
)
row(
  '20',
  'DER_OID_INVALID',
  'an arc with a leading 80',
  withExtension(seq(raw(6, Uint8Array.of(0x2a, 0x80, 0x03)), octets(nul()))),
  withExtension(plainExtension),
)
row('21', 'DER_TRAILING_BYTES', 'a byte after the certificate', der(concatBytes(leaf(), Uint8Array.of(0))), der(leaf()))
row(
  '21',
  'DER_TRAILING_BYTES',
  'another certificate after the certificate',
  der(concatBytes(leaf(), leaf())),
  der(leaf()),
)
row(
  '21',
  'DER_TRAILING_BYTES',
  'a set bit among the unused ones',
  withExtension(seq(oid('2.5.29.99'), bits(Uint8Array.of(0x81), 7), octets(nul()))),
  withExtension(seq(oid('2.5.29.99'), octets(nul()))),
)
row(
  '21',
  'DER_TRAILING_BYTES',
  'a set bit among the unused ones of key usage',
  der(certificateOf('leaf', { extensions: [ext.custom('2.5.29.15', bits(Uint8Array.of(0x81), 7), true)] })),
  der(certificateOf('leaf', { extensions: [ext.custom('2.5.29.15', bits(Uint8Array.of(0x80), 7), true)] })),
)
row(
  '21',
  'DER_TRAILING_BYTES',
  'bytes after the value of an extension',
  der(certificateOf('leaf', { extensions: [ext.custom('2.5.29.19', concatBytes(seq(), nul()), true), LEAF_USAGE] })),
  der(certificateOf('leaf', { extensions: [ext.custom('2.5.29.19', seq(), true), LEAF_USAGE] })),
)
row('23', 'LIMIT_DER_DEPTH', '100,000 nested SEQUENCEs', der(nestedSequences(100_000)), () =>
  decodeDer(nestedSequences(32), 'c'),
)
row('23', 'LIMIT_DER_DEPTH', 'an extension too deep', withExtension(nestedSequences(40)), withExtension(plainExtension))

function nestedSequences(levels: number): Uint8Array {
  const bytes: number[][] = []
  let length = 0
  for (let i = 0; i < levels; i++) {
    const octetsOfLength =
      length < 0x80
        ? [length]
        : length < 0x100
          ? [0x81, length]
          : length < 0x10000
            ? [0x82, length >> 8, length & 255]
            : [0x83, length >> 16, (length >> 8) & 255, length & 255]
    bytes.push([0x30, ...octetsOfLength])
    length += 1 + octetsOfLength.length
  }
  return Uint8Array.from(bytes.reverse().flat())
}

// 22, 25: algorithms.
const ES256 = seq(oid('1.2.840.10045.4.3.2'))
row(
  '22',
  'X509_ALGORITHM_MISMATCH',
  'another algorithm inside',
  der(certificateOf('leaf', { innerAlgorithm: ES256 })),
  der(leaf()),
)
row(
  '22',
  'X509_ALGORITHM_MISMATCH',
  'another algorithm outside',
  der(certificateOf('leaf', { outerAlgorithm: ES256 })),
  der(leaf()),
)
const pss = (trailerField: 'explicit' | 'absent') =>
  ({ signer: rsaKey('ask-genoa'), algorithm: { kind: 'rsa-pss-sha384', trailerField } }) as const
row(
  '22',
  'X509_ALGORITHM_MISMATCH',
  'the two spellings of RSASSA-PSS in one certificate',
  der(certificateOf('leaf', { ...pss('explicit'), outerAlgorithm: algorithmOf(certificateOf('leaf', pss('absent'))) })),
  der(
    certificateOf('leaf', { ...pss('explicit'), outerAlgorithm: algorithmOf(certificateOf('leaf', pss('explicit'))) }),
  ),
)

function algorithmOf(certificateDer: Uint8Array): Uint8Array {
  return valueIn(decodeDer(certificateDer, 'c')).children[1]?.bytes ?? new Uint8Array()
}

const rsa = rsaKey('rogue-ask')
const twinPss = der(certificateOf('leaf', pss('explicit')))
row(
  '25',
  'X509_ALGORITHM_FORBIDDEN',
  'MD5 with RSA',
  der(certificateOf('leaf', { signer: rsa, algorithm: { kind: 'rsa-md5' } })),
  twinPss,
)
row(
  '25',
  'X509_ALGORITHM_FORBIDDEN',
  'SHA-1 with RSA',
  der(certificateOf('leaf', { signer: rsa, algorithm: { kind: 'rsa-sha1' } })),
  twinPss,
)
row(
  '25',
  'X509_ALGORITHM_FORBIDDEN',
  'SHA-1 with ECDSA',
  der(certificateOf('leaf', { algorithm: { kind: 'ecdsa-sha1' } })),
  der(leaf()),
)
row(
  '25',
  'X509_ALGORITHM_FORBIDDEN',
  'PKCS #1 v1.5',
  der(certificateOf('leaf', { signer: rsa, algorithm: { kind: 'rsa-pkcs1-sha384' } })),
  twinPss,
)
row(
  '25',
  'X509_ALGORITHM_FORBIDDEN',
  'a salt of 32 bytes',
  der(certificateOf('leaf', { signer: rsa, algorithm: { kind: 'rsa-pss-sha384', saltLength: 32 } })),
  twinPss,
)
row(
  '25',
  'X509_ALGORITHM_FORBIDDEN',
  'ECDSA with SHA-256 where the vendor has SHA-384',
  () => validate({ leaf: { signer: KEYS.sub, algorithm: { kind: 'ecdsa-sha256' } } }),
  good,
)

// 26, 27.
row(
  '26',
  'X509_EXTENSION_DUPLICATE',
  'basicConstraints twice',
  der(certificateOf('top', { more: [ext.basicConstraints(false)] })),
  der(certificateOf('top')),
)
row(
  '26',
  'X509_EXTENSION_DUPLICATE',
  'an unknown extension twice',
  der(certificateOf('top', { more: [plainExtension, plainExtension] })),
  der(certificateOf('top', { more: [plainExtension] })),
)
const text =
  (t: string): Run =>
  () =>
    decodePem(new Uint8Array(Buffer.from(t, 'latin1')), 'pem')
const block = pem(leaf())
row('27', 'PEM_INVALID', 'text between blocks', text(`${block}text\n${block}`), text(block + block))
row('27', 'PEM_INVALID', 'a byte order mark', text(`\xef\xbb\xbf${block}`), text(block))
// Two blocks where one is expected: who expects one counts the list, which test/reject/x5.test.ts shows in a machine.

describe.each(cases)('$id $what', ({ code, refused, twin }) => {
  it(`is refused with ${code} alone`, async () => {
    expect(codesOf(await refused())).toEqual([code])
  })

  it('and its twin is accepted', async () => {
    valueIn(await twin())
  })
})

describe('the rows X5', () => {
  /** Said by whoever asks for revocation material, above core: no function of core knows that none was given. */
  const ABOVE_CORE = ['RJ-X5-15']
  const catalogue = join(process.env.VOUCHSAFE_REJECT ?? join(EVIDENCE, '../reject'), 'reject.json')

  it('are all here, once each or more', () => {
    const ids = Array.from({ length: 27 }, (_v, i) => `RJ-X5-${String(i + 1).padStart(2, '0')}`)
    expect([...new Set([...cases.map((c) => c.id), ...ABOVE_CORE])].sort()).toEqual(ids)
    expect(cases.filter((c) => !(c.code in CODES))).toEqual([])
  })

  it.runIf(existsSync(catalogue) || process.env.CI === 'true')(
    'have the codes of the catalogue, but for the half of 14 that no retry mends',
    () => {
      const rows = JSON.parse(readFileSync(catalogue, 'utf8')) as { id: string; area: string; code: string }[]
      const codeOf = new Map(rows.filter((r) => r.area === 'X5').map((r) => [r.id, r.code]))
      expect([...codeOf.values()].every(isCode)).toBe(true)
      const differing = cases.filter((c) => codeOf.get(c.id) !== c.code).map((c) => `${c.id} ${c.what} ${c.code}`)
      expect(differing).toEqual(['RJ-X5-14 no nextUpdate CRL_UNSUPPORTED'])
    },
  )

  it('last beyond the time of judgement, so that only the change under test can refuse', () => {
    expect([seconds(FROM) < NOW, NOW < seconds(TO)]).toEqual([true, true])
  })
})
