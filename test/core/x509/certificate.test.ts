import 'reflect-metadata'
import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import { AsnConvert } from '@peculiar/asn1-schema'
import { Certificate as AsnCertificate, BasicConstraints, ExtendedKeyUsage } from '@peculiar/asn1-x509'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../src/core/bytes.ts'
import { decodeDer } from '../../../src/core/der.ts'
import { attempt, refuse } from '../../../src/core/outcome.ts'
import { decodePublicKey, decodeSignatureAlgorithm, keyFits, portSignature } from '../../../src/core/x509/algorithms.ts'
import { decodeCertificate } from '../../../src/core/x509/certificate.ts'
import {
  attribute,
  commonName,
  decodeName,
  nameText,
  sameName,
  serialNumberAttribute,
} from '../../../src/core/x509/names.ts'
import { algorithmIdentifier, ext, type SignatureSpec } from '../../../src/testing/pki/certificate.ts'
import {
  bits,
  bool,
  generalizedTime,
  integer,
  nul,
  octets,
  oid,
  raw,
  seq,
  set,
  tagged,
  utcTime,
  utf8,
} from '../../../src/testing/pki/der.ts'
import { ecKey, rsaKey } from '../../../src/testing/pki/keys.ts'
import { name } from '../../../src/testing/pki/names.ts'
import { rsaSpki, subjectPublicKey } from '../../../src/testing/pki/spki.ts'
import { describeEvidence } from '../../support/evidence.ts'
import { bytesOf, codesOf, EVIDENCE, filesBelow, hex, pemBodies, valueIn } from '../support.ts'
import { CA_USAGE, certificateOf, decoded, FROM, KEYS, LEAF_USAGE, NAMES, seconds, TO } from './pki.ts'

const decode = (der: Uint8Array) => decodeCertificate(der, 'c')

/** The leaf with the members of its body changed; signatures do not matter to a decoder. */
function withBody(change: (members: Uint8Array[]) => Uint8Array[]): Uint8Array {
  return certificateOf('leaf', {
    mutateTbs: (tbs) => seq(...change(valueIn(decodeDer(tbs, 'tbs')).children.map((c) => c.bytes))),
  })
}

const replaced = (index: number, by: Uint8Array) => withBody((members) => members.with(index, by))

describe('decodeCertificate', () => {
  it('gives every field', () => {
    const der = certificateOf('sub')
    const c = valueIn(decode(der))
    expect(c).toMatchObject({
      serial: '03',
      algorithm: 'ES384',
      notBefore: seconds(FROM),
      notAfter: seconds(TO),
      basicConstraints: { ca: true, pathLength: 0 },
      keyUsage: new Set(['keyCertSign', 'cRLSign']),
      extendedKeyUsage: undefined,
      publicKey: { kind: 'ec', curve: 'P-384', spki: KEYS.sub.spki, point: KEYS.sub.publicPoint },
    })
    expect(c.issuer.der).toEqual(NAMES.top)
    expect(c.subject.der).toEqual(NAMES.sub)
    expect(c.der).toBe(der)
    expect([...c.extensions.keys()]).toEqual(['2.5.29.19', '2.5.29.15', '2.5.29.14', '2.5.29.35'])
    expect(c.extensions.get('2.5.29.19')).toMatchObject({ critical: true, value: hex('30060101ff020100') })
    expect(c.extensions.get('2.5.29.14')?.critical).toBe(false)
  })

  it('says nothing about extensions that are not there', () => {
    expect(decoded(certificateOf('leaf', { extensions: [] }))).toMatchObject({
      ...{ basicConstraints: undefined, keyUsage: undefined, extendedKeyUsage: undefined, extensions: new Map() },
    })
  })

  it('keeps every bit of a long serial number apart', () => {
    const serial = (bytes: Uint8Array) => decoded(certificateOf('leaf', { serial: bytes })).serial
    expect(serial(Uint8Array.of(0))).toBe('00')
    expect(serial(Uint8Array.of(0x80))).toBe('0080')
    expect(serial(new Uint8Array(20).fill(0x7f))).toBe('7f'.repeat(20))
    expect(decoded(replaced(1, raw(2, Uint8Array.of(0x80)))).serial).toBe('80')
  })

  it('reads both forms of dates', () => {
    const validity = (from: Uint8Array, to: Uint8Array) => {
      const { notBefore, notAfter } = decoded(replaced(4, seq(from, to)))
      return [notBefore, notAfter]
    }
    const [a, b] = ['2021-11-05T00:00:00Z', '9999-12-31T23:59:59Z']
    expect(validity(utcTime(a), generalizedTime(b))).toEqual([seconds(a), 253402300799])
    expect(validity(generalizedTime(a), generalizedTime(b))).toEqual([seconds(a), 253402300799])
  })

  it.each([
    ['a version 1 certificate', certificateOf('leaf', { version: 0, extensions: [] })],
    ['a version 2 certificate', certificateOf('leaf', { version: 1 })],
    ['a version 4 certificate', certificateOf('leaf', { version: 3 })],
    ['two versions', replaced(0, tagged(0, concatBytes(integer(2), integer(2))))],
    ['a version that is no INTEGER', replaced(0, tagged(0, raw(4, Uint8Array.of(2))))],
    ['an empty version', replaced(0, raw(0xa0, new Uint8Array()))],
    ['a serial number that is no INTEGER', replaced(1, octets(Uint8Array.of(1)))],
    ['a date that does not exist', replaced(4, seq(utcTime('2026-02-30T00:00:00Z'), utcTime(TO)))],
    ['one date', replaced(4, seq(utcTime(TO)))],
    ['three dates', replaced(4, seq(utcTime(FROM), utcTime(TO), utcTime(TO)))],
    ['dates as text', replaced(4, seq(utf8('200101000000Z'), utf8('400101000000Z')))],
    ['a date without seconds', replaced(4, seq(raw(0x17, new TextEncoder().encode('2001010000Z')), utcTime(TO)))],
    ['a date of a million digits', replaced(4, seq(raw(0x17, new Uint8Array(1 << 20).fill(0x30)), utcTime(TO)))],
    ['a name that is no sequence', replaced(5, set())],
    ['a name of no sets', replaced(5, seq(seq(seq(oid('2.5.4.3'), utf8('x')))))],
    ['an attribute of three parts', replaced(5, seq(set(seq(oid('2.5.4.3'), utf8('x'), nul()))))],
    ['an attribute without a value', replaced(5, seq(set(seq(oid('2.5.4.3')))))],
    ['an issuer unique id', withBody((m) => [...m.slice(0, 7), raw(0x81, Uint8Array.of(0, 1)), ...m.slice(7)])],
    ['a member too many', withBody((m) => [...m, nul()])],
    ['a member too few', withBody((m) => m.slice(0, 6))],
    ['an empty list of extensions', replaced(7, tagged(3, seq()))],
    ['two lists of extensions', replaced(7, tagged(3, concatBytes(seq(LEAF_USAGE), seq(CA_USAGE))))],
    [
      'an extension whose critical FALSE is written out',
      certificateOf('leaf', { more: [seq(oid('1.2.3'), bool(false), octets(nul()))] }),
    ],
    ['an extension without value', certificateOf('leaf', { more: [seq(oid('1.2.3'))] })],
    [
      'an extension with two values',
      certificateOf('leaf', { more: [seq(oid('1.2.3'), octets(nul()), octets(nul()))] }),
    ],
    ['a path length without CA', certificateOf('leaf', { more: [ext.basicConstraints(false, 0)] })],
    [
      'a negative path length',
      certificateOf('leaf', { more: [ext.custom('2.5.29.19', seq(bool(true), integer(-1)))] }),
    ],
    ['basicConstraints of another type', certificateOf('leaf', { more: [ext.custom('2.5.29.19', set())] })],
    [
      'basicConstraints with a member too many',
      certificateOf('leaf', { more: [ext.custom('2.5.29.19', seq(bool(true), integer(1), nul()))] }),
    ],
    ['key usage of no bits', certificateOf('leaf', { extensions: [ext.custom('2.5.29.15', bits(new Uint8Array()))] })],
    [
      'key usage of 17 bits',
      certificateOf('leaf', { extensions: [ext.custom('2.5.29.15', bits(Uint8Array.of(1, 1, 0x80), 7))] }),
    ],
    [
      'key usage of another type',
      certificateOf('leaf', { extensions: [ext.custom('2.5.29.15', octets(Uint8Array.of(0, 0x80)))] }),
    ],
    ['an extended key usage of no purpose', certificateOf('leaf', { more: [ext.extKeyUsage([])] })],
    ['an extended key usage of another type', certificateOf('leaf', { more: [ext.custom('2.5.29.37', seq(nul()))] })],
    ['a signature with unused bits', seq(...parts().with(2, bits(Uint8Array.of(0x80), 4)))],
    ['a certificate of two members', seq(...parts().slice(0, 2))],
    ['a certificate of four members', seq(...parts(), nul())],
    ['a certificate that is a SET', raw(0x31, concatBytes(...parts()))],
    ['a public key', KEYS.leaf.spki],
    ['NULL', nul()],
  ])('refuses %s: X509_MALFORMED', (_what, der) => {
    expect(codesOf(decode(der))).toEqual(['X509_MALFORMED'])
  })

  it.each([
    [
      'an RSA key without parameters',
      seq(seq(oid('1.2.840.113549.1.1.1')), bits(subjectPublicKey(rsaKey('ark-genoa').spki))),
    ],
    [
      'an RSA key with other parameters',
      seq(seq(oid('1.2.840.113549.1.1.1'), integer(1)), bits(subjectPublicKey(rsaKey('ark-genoa').spki))),
    ],
    [
      'an RSA key with parameters twice',
      seq(seq(oid('1.2.840.113549.1.1.1'), nul(), nul()), bits(subjectPublicKey(rsaKey('ark-genoa').spki))),
    ],
    ['an RSASSA-PSS key', seq(seq(oid('1.2.840.113549.1.1.10')), bits(subjectPublicKey(rsaKey('ark-genoa').spki)))],
    [
      'a curve with more parameters',
      seq(seq(oid('1.2.840.10045.2.1'), oid('1.3.132.0.34'), nul()), bits(KEYS.leaf.publicPoint ?? nul())),
    ],
    ['a key with unused bits', seq(seq(oid('1.2.840.10045.2.1'), oid('1.3.132.0.34')), bits(Uint8Array.of(0x80), 4))],
    [
      'a key of three members',
      seq(seq(oid('1.2.840.10045.2.1'), oid('1.3.132.0.34')), bits(KEYS.leaf.publicPoint ?? nul()), nul()),
    ],
  ])('refuses %s: X509_KEY_UNSUPPORTED', (_what, spki) => {
    expect(codesOf(decode(certificateOf('leaf', { publicKey: { spki } })))).toEqual(['X509_KEY_UNSUPPORTED'])
  })

  it('takes RSA keys of 2048, 3072 and 4096 bits', () => {
    const bitsOf = (spki: Uint8Array) => decoded(certificateOf('leaf', { publicKey: { spki } })).publicKey
    const three = rsaSpki(new Uint8Array(384).fill(0xc1), Uint8Array.of(1, 0, 1))
    expect([rsaKey('small-2048').spki, three, rsaKey('ark-genoa').spki].map(bitsOf)).toMatchObject([
      ...[2048, 3072, 4096].map((modulusBits) => ({ kind: 'rsa', modulusBits })),
    ])
  })

  it.each([
    ['a negative modulus', seq(raw(2, new Uint8Array(512).fill(0xc1)), integer(65537))],
    ['bytes after the key', concatBytes(subjectPublicKey(rsaKey('ark-genoa').spki), nul())],
    ['a third number', seq(integer(new Uint8Array(512).fill(0xc1)), integer(65537), integer(1))],
    ['a third number that is 65537', seq(integer(new Uint8Array(512).fill(0xc1)), integer(3), integer(65537))],
    ['a modulus of 4103 bits', seq(integer(new Uint8Array(513).fill(0x41)), integer(65537))],
    ['a long exponent', seq(integer(new Uint8Array(512).fill(0xc1)), raw(2, Uint8Array.of(0, 1, 0, 1)))],
    ['no number', seq()],
    ['no sequence', nul()],
    ['nothing', new Uint8Array()],
  ])('refuses an RSA key with %s: X509_KEY_SIZE', (_what, key) => {
    const spki = seq(seq(oid('1.2.840.113549.1.1.1'), nul()), bits(key))
    expect(codesOf(decode(certificateOf('leaf', { publicKey: { spki } })))).toEqual(['X509_KEY_SIZE'])
  })
})

function parts(): Uint8Array[] {
  return valueIn(decodeDer(certificateOf('leaf'), 'c')).children.map((c) => c.bytes)
}

describe('decodeSignatureAlgorithm', () => {
  const of = (der: Uint8Array) => attempt(() => decodeSignatureAlgorithm(valueIn(decodeDer(der, 'a')), 'a'))
  const SHA384 = seq(oid('2.16.840.1.101.3.4.2.2'), nul())
  const BARE = seq(oid('2.16.840.1.101.3.4.2.2'))
  const MGF1 = (hash: Uint8Array) => seq(oid('1.2.840.113549.1.1.8'), hash)
  const pss = (...parameters: Uint8Array[]) => seq(oid('1.2.840.113549.1.1.10'), seq(...parameters))
  const full = [tagged(0, SHA384), tagged(1, MGF1(SHA384)), tagged(2, integer(48)), tagged(3, integer(1))]

  it.each([
    ['ECDSA with SHA-256', algorithmIdentifier({ kind: 'ecdsa-sha256' }), 'ES256'],
    ['ECDSA with SHA-384', algorithmIdentifier({ kind: 'ecdsa-sha384' }), 'ES384'],
    ['RSASSA-PSS as AMD wrote it until 2024', pss(...full), 'PS384'],
    ['RSASSA-PSS as AMD writes it since', pss(...full.slice(0, 3)), 'PS384'],
    ['RSASSA-PSS with bare hashes', pss(tagged(0, BARE), tagged(1, MGF1(BARE)), tagged(2, integer(48))), 'PS384'],
  ])('reads %s', (_what, der, algorithm) => {
    expect(valueIn(of(der))).toBe(algorithm)
  })

  it.each([
    ['no parameters', seq(oid('1.2.840.113549.1.1.10'))],
    ['empty parameters, which mean SHA-1', pss()],
    ['SHA-1 by default', pss(...full.slice(1))],
    ['SHA-256', pss(...full.with(0, tagged(0, seq(oid('2.16.840.1.101.3.4.2.1'), nul()))))],
    ['MGF1 with SHA-1 by default', pss(...full.toSpliced(1, 1))],
    ['MGF1 with SHA-256', pss(...full.with(1, tagged(1, MGF1(seq(oid('2.16.840.1.101.3.4.2.1'))))))],
    ['MGF1 without hash', pss(...full.with(1, tagged(1, seq(oid('1.2.840.113549.1.1.8')))))],
    ['another mask generation', pss(...full.with(1, tagged(1, seq(oid('1.2.840.113549.1.1.9'), SHA384))))],
    ['a salt of 20 by default', pss(...full.toSpliced(2, 1))],
    ['a salt of 32', pss(...full.with(2, tagged(2, integer(32))))],
    ['a salt of -48', pss(...full.with(2, tagged(2, integer(-48))))],
    ['a salt that is no number', pss(...full.with(2, tagged(2, octets(Uint8Array.of(48)))))],
    ['a trailer of 2', pss(...full.with(3, tagged(3, integer(2))))],
    ['parameters out of order', pss(...full.toReversed())],
    ['a parameter twice', pss(...full, tagged(3, integer(1)))],
    ['two values in one parameter', pss(...full.with(2, tagged(2, concatBytes(integer(48), integer(48)))))],
    ['parameters after the parameters', seq(oid('1.2.840.113549.1.1.10'), seq(...full), nul())],
    ['a hash with other parameters', pss(...full.with(0, tagged(0, seq(oid('2.16.840.1.101.3.4.2.2'), integer(1)))))],
  ])('refuses RSASSA-PSS with %s', (_what, der) => {
    expect(codesOf(of(der))).toEqual(['X509_ALGORITHM_FORBIDDEN'])
  })

  it.each<SignatureSpec['kind']>(['ecdsa-sha1', 'rsa-pkcs1-sha384', 'rsa-sha1', 'rsa-md5'])('refuses %s', (kind) => {
    if (kind === 'rsa-pss-sha384') throw new TypeError(kind)
    expect(codesOf(of(algorithmIdentifier({ kind })))).toEqual(['X509_ALGORITHM_FORBIDDEN'])
  })

  it('takes PKCS #1 v1.5 with SHA-256, and only with NULL for parameters', () => {
    expect(valueIn(of(algorithmIdentifier({ kind: 'rsa-pkcs1-sha256' })))).toBe('RS256')
    for (const der of [seq(oid('1.2.840.113549.1.1.11')), seq(oid('1.2.840.113549.1.1.11'), nul(), nul())]) {
      expect(codesOf(of(der))).toEqual(['X509_ALGORITHM_FORBIDDEN'])
    }
  })

  it('refuses ECDSA with parameters and what is no identifier', () => {
    for (const der of [seq(oid('1.2.840.10045.4.3.3'), nul()), seq(), seq(nul()), set(), seq(oid('1.3.101.112'))]) {
      expect(codesOf(of(der))).toEqual(['X509_ALGORITHM_FORBIDDEN'])
    }
  })
})

describe('keyFits and portSignature', () => {
  const key = (spki: Uint8Array) => valueIn(attempt(() => decodePublicKey(valueIn(decodeDer(spki, 'k')), 'k')))
  const [p256, p384, rsa] = [ecKey('P-256', 'f'), ecKey('P-384', 'f'), rsaKey('small-2048')]

  it('let each kind of key make its own signatures only', () => {
    const fits = [p256, p384, rsa].map((k) =>
      (['ES256', 'ES384', 'PS384'] as const).map((a) => keyFits(key(k.spki), a)),
    )
    expect(fits).toEqual([
      [true, false, false],
      [false, true, false],
      [false, false, true],
    ])
  })

  it('give the port the form that it takes', () => {
    const message = Uint8Array.of(1)
    expect(portSignature(key(p384.spki), p384.sign(message))).toEqual(p384.signRaw(message))
    expect(portSignature(key(p384.spki), p384.signRaw(message))).toBeUndefined()
    expect(portSignature(key(rsa.spki), Uint8Array.of(7))).toEqual(Uint8Array.of(7))
  })
})

describe('names', () => {
  const malformed = (what: string): never => refuse('X509_MALFORMED', 'n', { actual: what })
  const nameOf = (der: Uint8Array) => valueIn(attempt(() => decodeName(valueIn(decodeDer(der, 'n')), malformed)))

  it('give attributes by type, where there is exactly one', () => {
    const n = nameOf(
      name([
        ['CN', 'a'],
        ['serialNumber', '7'],
        ['O', 'b'],
        ['O', 'c'],
        ['1.2.3', 'd', 'ia5'],
      ]),
    )
    expect([
      commonName(n),
      serialNumberAttribute(n),
      attribute(n, '1.2.3'),
      attribute(n, '2.5.4.10'),
      attribute(n, '2.5.4.6'),
    ]).toEqual([...['a', '7', 'd', undefined, undefined]])
    expect(nameText(n)).toBe('CN=a, serialNumber=7, O=b, O=c, 1.2.3=d')
  })

  it('with two attributes in one set have both', () => {
    const n = nameOf(seq(set(seq(oid('2.5.4.3'), utf8('a')), seq(oid('2.5.4.10'), utf8('b')))))
    expect(n.attributes.map((a) => a.text)).toEqual(['a', 'b'])
  })

  it('are compared byte for byte', () => {
    expect(sameName(nameOf(name([['CN', 'a']])), nameOf(name([['CN', 'a']])))).toBe(true)
    for (const other of [
      name([['CN', 'A']]),
      name([['CN', 'a', 'printable']]),
      name([['CN', 'a ']]),
      name([
        ['CN', 'a'],
        ['O', 'b'],
      ]),
      seq(),
    ]) {
      expect(sameName(nameOf(name([['CN', 'a']])), nameOf(other))).toBe(false)
    }
  })

  it('show what is not text as such, and print nothing raw', () => {
    const cn = (value: Uint8Array) => nameOf(seq(set(seq(oid('2.5.4.3'), value))))
    expect(commonName(cn(raw(0x0c, hex('41ff42'))))).toBe('A\ufffdB')
    expect(commonName(cn(raw(0x1e, hex('00410042'))))).toBe('')
    expect(nameText(cn(utf8('a\x1b[31m\nb\u202e')))).toBe('CN=a\\u001b[31m\\u000ab\\u202e')
  })

  it('keep a byte order mark, so that no other name reads the same', () => {
    expect(commonName(nameOf(name([['CN', '\ufeffa']])))).toBe('\ufeffa')
  })
})

describeEvidence('sev-snp', () => {
  const ders = [
    ...filesBelow(join(EVIDENCE, 'sev-snp'), /(vcek|vlek|vek|ark|ask|asvk)\.der$/)
      .filter((p) => !/synthetic|neg/.test(p))
      .map(bytesOf),
    ...filesBelow(join(EVIDENCE, 'nvidia'), /\.pem$/).flatMap((p) => pemBodies(p)),
  ]
  const distinct = [...new Map(ders.map((der) => [Buffer.from(der).toString('base64'), der])).values()]
  const accepted = distinct.flatMap((der) => {
    const outcome = decode(der)
    return outcome.ok ? [outcome.value] : []
  })

  it('and refuses only what uses algorithms that no vendor of evidence uses', () => {
    const refused = distinct.map(decode).flatMap((o) => (o.ok ? [] : o.faults.map((f) => f.code)))
    expect(accepted.length).toBeGreaterThan(60)
    expect(refused.filter((code) => code !== 'X509_ALGORITHM_FORBIDDEN')).toEqual([])
  })

  it('on dates, names, serial, key and extensions', () => {
    for (const ours of accepted) {
      const { tbsCertificate: theirs } = AsnConvert.parse(ours.der, AsnCertificate)
      expect(ours.notBefore).toBe(theirs.validity.notBefore.getTime().getTime() / 1000)
      expect(ours.notAfter).toBe(theirs.validity.notAfter.getTime().getTime() / 1000)
      expect(ours.issuer.der).toEqual(new Uint8Array(AsnConvert.serialize(theirs.issuer)))
      expect(ours.subject.der).toEqual(new Uint8Array(AsnConvert.serialize(theirs.subject)))
      expect(ours.serial).toBe(Buffer.from(theirs.serialNumber).toString('hex'))
      expect(ours.publicKey.spki).toEqual(new Uint8Array(AsnConvert.serialize(theirs.subjectPublicKeyInfo)))
      const extensions = theirs.extensions ?? []
      expect([...ours.extensions.values()]).toEqual(
        extensions.map((e) => ({
          oid: e.extnID,
          critical: e.critical === true,
          value: new Uint8Array(e.extnValue.buffer),
        })),
      )
      const constraints = extensions.find((e) => e.extnID === '2.5.29.19')
      const parsed = constraints === undefined ? undefined : AsnConvert.parse(constraints.extnValue, BasicConstraints)
      expect([ours.basicConstraints?.ca, ours.basicConstraints?.pathLength]).toEqual([
        parsed?.cA,
        parsed?.pathLenConstraint,
      ])
      const purposes = extensions.find((e) => e.extnID === '2.5.29.37')
      expect(ours.extendedKeyUsage).toEqual(
        purposes === undefined ? undefined : [...AsnConvert.parse(purposes.extnValue, ExtendedKeyUsage)],
      )
    }
  })

  it('on names, read by OpenSSL', () => {
    for (const ours of accepted) {
      const lines = new X509Certificate(ours.der).subject?.split('\n') ?? []
      const cn = lines.filter((line) => line.startsWith('CN=')).map((line) => line.slice(3))
      expect(commonName(ours.subject)).toBe(cn.length === 1 ? cn[0] : undefined)
    }
  })
})
