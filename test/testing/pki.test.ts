import 'reflect-metadata'
import { createHash, createPublicKey, verify, webcrypto, X509Certificate } from 'node:crypto'
import { BasicOCSPResponse, OCSPResponse } from '@peculiar/asn1-ocsp'
import { AsnConvert } from '@peculiar/asn1-schema'
import * as x509 from '@peculiar/x509'
import forge from 'node-forge'
import { describe, expect, it } from 'vitest'
import { type CertificateSpec, certificate, ext, pem, type SignatureSpec } from '../../src/testing/pki/certificate.ts'
import { type CrlSpec, crl } from '../../src/testing/pki/crl.ts'
import * as der from '../../src/testing/pki/der.ts'
import { ecKey, rsaKey, type TestKey } from '../../src/testing/pki/keys.ts'
import { amdName, name } from '../../src/testing/pki/names.ts'
import { type OcspResponseSpec, ocspResponse } from '../../src/testing/pki/ocsp.ts'
import { explicitEcSpki, keyId, rsaSpki, subjectPublicKey } from '../../src/testing/pki/spki.ts'

x509.cryptoProvider.set(webcrypto as never)

const ISSUER = amdName('ARK-Test')
const FROM = '2020-01-01T00:00:00Z'
const TO = '2045-01-01T00:00:00Z'

function spec(signer: TestKey, over: Partial<CertificateSpec> = {}): CertificateSpec {
  return {
    serial: Uint8Array.of(2, 0, 0),
    issuer: ISSUER,
    subject: ISSUER,
    notBefore: FROM,
    notAfter: TO,
    publicKey: signer,
    signer,
    extensions: [
      ext.basicConstraints(true, 1),
      ext.keyUsage(['keyCertSign', 'cRLSign']),
      ext.subjectKeyId(keyId(signer.spki)),
      ext.authorityKeyId(keyId(signer.spki)),
      ext.crlDistributionPoint('https://crl.example.test/ca.crl'),
      ext.authorityInfoAccess('http://ocsp.example.test/'),
      ext.extKeyUsage(['1.3.6.1.5.5.7.3.9']),
      ext.custom('1.2.3.4', Uint8Array.of(5, 0)),
    ],
    ...over,
  }
}

const SIGNERS: readonly [string, TestKey, SignatureSpec | undefined][] = [
  ['P-256 by default', ecKey('P-256', 'a'), undefined],
  ['P-384 by default', ecKey('P-384', 'a'), undefined],
  ['P-384 with SHA-256', ecKey('P-384', 'a'), { kind: 'ecdsa-sha256' }],
  ['P-384 with SHA-1', ecKey('P-384', 'a'), { kind: 'ecdsa-sha1' }],
  ['RSA-4096 PSS by default', rsaKey('ark-genoa'), undefined],
  ['RSA-4096 PSS without trailerField', rsaKey('ask-turin'), { kind: 'rsa-pss-sha384', trailerField: 'absent' }],
  ['RSA-4096 PSS, salt 32', rsaKey('ask-milan'), { kind: 'rsa-pss-sha384', saltLength: 32 }],
  ['RSA-2048 PSS', rsaKey('small-2048'), undefined],
  ['RSA PKCS#1', rsaKey('rogue-ark'), { kind: 'rsa-pkcs1-sha384' }],
  ['RSA MD5', rsaKey('rogue-ask'), { kind: 'rsa-md5' }],
]

describe.each(SIGNERS)('certificate signed by %s', (_title, signer, algorithm) => {
  const made = () => certificate(spec(signer, algorithm === undefined ? {} : { algorithm }))

  it('is the same bytes every time', () => {
    expect(made()).toEqual(made())
  })

  it('is read and verified by node:crypto', () => {
    const read = new X509Certificate(made())
    expect(read.verify(read.publicKey)).toBe(true)
    expect(read.ca).toBe(true)
    expect(read.serialNumber).toBe('020000')
    expect(read.subject).toBe('OU=Engineering\nC=US\nL=Santa Clara\nST=CA\nO=Advanced Micro Devices\nCN=ARK-Test')
    expect(read.validFromDate.toISOString()).toBe('2020-01-01T00:00:00.000Z')
    expect(read.validToDate.toISOString()).toBe('2045-01-01T00:00:00.000Z')
    expect(new Uint8Array(read.publicKey.export({ type: 'spki', format: 'der' }))).toEqual(signer.spki)
  })

  it('is read by @peculiar/x509, each extension with its value', () => {
    const read = new x509.X509Certificate(made() as Uint8Array<ArrayBuffer>)
    const constraints = read.getExtension(x509.BasicConstraintsExtension)
    expect([constraints?.ca, constraints?.pathLength, constraints?.critical]).toEqual([true, 1, true])
    const usage = read.getExtension(x509.KeyUsagesExtension)
    expect(usage?.usages).toBe(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign)
    const id = createHash('sha1').update(subjectPublicKey(signer.spki)).digest('hex')
    expect(read.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId).toBe(id)
    expect(read.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId).toBe(id)
    expect(read.getExtension(x509.ExtendedKeyUsageExtension)?.usages).toEqual(['1.3.6.1.5.5.7.3.9'])
    const points = read.getExtension(x509.CRLDistributionPointsExtension)?.distributionPoints ?? []
    const [point] = points[0]?.distributionPoint?.fullName ?? []
    expect(point?.uniformResourceIdentifier).toBe('https://crl.example.test/ca.crl')
    expect(read.getExtension(x509.AuthorityInfoAccessExtension)?.ocsp.map((o) => o.value)).toEqual([
      'http://ocsp.example.test/',
    ])
    expect(new Uint8Array(read.getExtension('1.2.3.4')?.value ?? new ArrayBuffer(0))).toEqual(Uint8Array.of(5, 0))
  })

  it('is DER that node-forge reads to the last byte and writes back unchanged', () => {
    expectForgeRoundTrip(made())
  })

  it('no longer verifies when its signature is tampered with', () => {
    const read = new X509Certificate(certificate(spec(signer, { tamperSignature: true })))
    expect(read.verify(read.publicKey)).toBe(false)
  })
})

function expectForgeRoundTrip(der: Uint8Array): void {
  const binary = Buffer.from(der).toString('latin1')
  const tree = forge.asn1.fromDer(binary, { strict: true, parseAllBytes: true } as never)
  expect(Buffer.from(forge.asn1.toDer(tree).getBytes(), 'latin1').equals(der)).toBe(true)
}

describe('@peculiar/x509 agrees on signatures', () => {
  it.each([
    ['P-256', ecKey('P-256', 'peculiar')],
    ['P-384', ecKey('P-384', 'peculiar')],
    ['RSA-4096 PSS', rsaKey('ark-milan')],
  ])('%s', async (_title, key) => {
    const read = new x509.X509Certificate(certificate(spec(key)) as Uint8Array<ArrayBuffer>)
    expect(await read.verify({ signatureOnly: true })).toBe(true)
    const bent = new x509.X509Certificate(certificate(spec(key, { tamperSignature: true })) as Uint8Array<ArrayBuffer>)
    expect(await bent.verify({ signatureOnly: true })).toBe(false)
  })
})

describe('certificate specifications that bend one thing', () => {
  const key = ecKey('P-384', 'bend')

  it('signs a mutated body validly', () => {
    const mutateTbs = (tbs: Uint8Array): Uint8Array => {
      const at = Buffer.from(tbs).indexOf('ARK-Test', 0, 'latin1')
      return tbs.map((byte, i) => (i === at ? 0x42 : byte))
    }
    const read = new X509Certificate(certificate(spec(key, { mutateTbs })))
    expect(read.issuer).toContain('CN=BRK-Test')
    expect(read.verify(read.publicKey)).toBe(true)
  })

  it('takes the inner and the outer algorithm apart', () => {
    const sha256 = Uint8Array.of(0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02)
    const plain = Buffer.from(certificate(spec(key)))
    const inner = Buffer.from(certificate(spec(key, { innerAlgorithm: sha256 })))
    const outer = Buffer.from(certificate(spec(key, { outerAlgorithm: sha256 })))
    expect([plain.indexOf(sha256), plain.lastIndexOf(sha256)]).toEqual([-1, -1])
    expect(inner.indexOf(sha256)).toBeLessThan(40)
    expect(inner.lastIndexOf(sha256)).toBe(inner.indexOf(sha256))
    expect(outer.indexOf(sha256)).toBeGreaterThan(300)
  })

  it('writes dates before 1950 and after 2049 as GeneralizedTime', () => {
    const read = new X509Certificate(
      certificate(spec(key, { notBefore: '1949-12-31T23:59:59Z', notAfter: '2050-01-01T00:00:00Z' })),
    )
    expect(read.validFromDate.toISOString()).toBe('1949-12-31T23:59:59.000Z')
    expect(read.validToDate.toISOString()).toBe('2050-01-01T00:00:00.000Z')
    expectForgeRoundTrip(certificate(spec(key, { notAfter: '2050-01-01T00:00:00Z' })))
  })

  it('writes a version 1 certificate', () => {
    const read = new x509.X509Certificate(
      certificate(spec(key, { version: 0, extensions: [] })) as Uint8Array<ArrayBuffer>,
    )
    expect(read.extensions).toEqual([])
  })

  it('carries keys of any shape', () => {
    const huge = rsaSpki(new Uint8Array(2048).fill(0xff), Uint8Array.of(1, 0, 1))
    const read = new X509Certificate(certificate(spec(key, { publicKey: { spki: huge } })))
    expect(read.publicKey.asymmetricKeyDetails?.modulusLength).toBe(16384)
    const point = key.publicPoint ?? new Uint8Array()
    const one = Uint8Array.of(1)
    const explicit = explicitEcSpki({ p: one, a: one, b: one, generator: point, n: one }, point)
    expectForgeRoundTrip(certificate(spec(key, { publicKey: { spki: explicit } })))
  })
})

describe('der', () => {
  it('nests sequences', () => {
    expect(der.nestedSequences(1)).toEqual(Uint8Array.of(0x30, 0))
    expect(der.nestedSequences(3)).toEqual(der.seq(der.seq(der.seq())))
    expectForgeRoundTrip(der.nestedSequences(200))
    expect(der.nestedSequences(100_000).subarray(0, 2)).toEqual(Uint8Array.of(0x30, 0x83))
  })

  it.each([
    [0, '020100'],
    [127, '02017f'],
    [128, '02020080'],
    [256, '02020100'],
    [-1, '0201ff'],
    [-128, '020180'],
    [-129, '0202ff7f'],
    [2n ** 64n, '0209010000000000000000'],
    [Uint8Array.of(0, 0, 5), '020105'],
    [Uint8Array.of(0x80), '02020080'],
    [new Uint8Array(3), '020100'],
  ])('writes INTEGER %s in its shortest form', (value, hex) => {
    expect(Buffer.from(der.integer(value)).toString('hex')).toBe(hex)
  })

  it('writes object identifiers with arcs of any size', () => {
    const hex = (dotted: string) => Buffer.from(der.oid(dotted)).toString('hex')
    expect(hex('1.3.6.1.4.1.3704.1.4')).toBe('06092b060104019c780104')
    expect(hex('2.999.3')).toBe('0603883703')
    expect(hex('1.3.6.1.4.1.4294971000.1.4')).toBe('060c2b060104019080809c780104')
    expect(() => der.oid('1')).toThrow(TypeError)
  })

  it('orders the members of a SET and keeps the constructed bit under an implicit tag', () => {
    const [one, two] = [der.integer(1), der.integer(2)]
    expect(der.set(two, one)).toEqual(der.set(one, two))
    expect(der.tagged(1, der.seq(one), { explicit: false })[0]).toBe(0xa1)
    expect(der.tagged(6, der.ia5('x'), { explicit: false })).toEqual(Uint8Array.of(0x86, 1, 0x78))
    expect(() => der.utcTime('2020-01-01')).toThrow(TypeError)
    expect(() => der.ia5('ä')).toThrow(TypeError)
  })
})

describe('keys', () => {
  it('derive from the seed and the curve', () => {
    expect(ecKey('P-384', 's').spki).toEqual(ecKey('P-384', 's').spki)
    expect(ecKey('P-384', 's').spki).not.toEqual(ecKey('P-384', 't').spki)
    expect([ecKey('P-256', 's').publicPoint?.length, ecKey('P-384', 's').publicPoint?.length]).toEqual([65, 97])
  })

  it.each([
    ['P-256', 'sha256'],
    ['P-384', 'sha384'],
    ['P-384', 'sha256'],
  ] as const)('make raw %s/%s signatures that node:crypto verifies', (curve, hash) => {
    const key = ecKey(curve, 'raw')
    const publicKey = createPublicKey({ key: Buffer.from(key.spki), format: 'der', type: 'spki' })
    for (let i = 0; i < 20; i++) {
      const message = new TextEncoder().encode(`message ${i}`)
      const raw = key.signRaw(message, hash)
      expect(raw).toEqual(key.signRaw(message, hash))
      expect(raw.length).toBe(curve === 'P-256' ? 64 : 96)
      expect(verify(hash, message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw)).toBe(true)
      expect(verify(hash, message, publicKey, key.sign(message, { hash }))).toBe(true)
    }
  })

  it('sign as RFC 6979 §A.2.6 prints for P-384 and SHA-384', async () => {
    const { p384 } = await import('@noble/curves/nist.js')
    const x = Buffer.from(
      '6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5',
      'hex',
    )
    const hashed = createHash('sha384').update('sample').digest()
    const raw = Buffer.from(p384.sign(hashed, x, { prehash: false, lowS: false })).toString('hex')
    expect(raw.slice(0, 32)).toBe('94edbb92a5ecb8aad4736e56c691916b')
    expect(raw.slice(96, 128)).toBe('99ef4aeb15f178cea1fe40db2603138f')
  })

  it('refuse to be used against their kind', () => {
    expect(() => rsaKey('ark-milan').signRaw(Uint8Array.of(1))).toThrow(TypeError)
    expect(() => rsaKey('ark-milan').sign(Uint8Array.of(1), { scheme: 'ecdsa' })).toThrow(TypeError)
    expect(() => ecKey('P-256', 'x').sign(Uint8Array.of(1), { scheme: 'pss' })).toThrow(TypeError)
  })
})

describe('crl', () => {
  const key = rsaKey('ark-genoa')
  const base: CrlSpec = {
    issuer: ISSUER,
    signer: key,
    algorithm: { kind: 'rsa-pss-sha384', trailerField: 'absent' },
    thisUpdate: '2025-05-06T00:00:00Z',
    nextUpdate: '2026-05-12T00:00:00Z',
    number: 4,
    authorityKeyId: keyId(key.spki),
    revoked: [
      { serial: Uint8Array.of(2, 0, 1), date: '2022-10-31T12:00:00Z' },
      { serial: 7, date: '2022-10-31T12:00:00Z', reason: 'certificateHold' },
    ],
  }

  it('is deterministic, read by @peculiar/x509 and verifies', async () => {
    expect(crl(base)).toEqual(crl(base))
    const read = new x509.X509Crl(crl(base) as Uint8Array<ArrayBuffer>)
    expect(read.thisUpdate.toISOString()).toBe('2025-05-06T00:00:00.000Z')
    expect(read.nextUpdate?.toISOString()).toBe('2026-05-12T00:00:00.000Z')
    expect(read.entries.map((e) => [e.serialNumber, e.reason])).toEqual([
      ['020001', undefined],
      ['07', x509.X509CrlReason.certificateHold],
    ])
    const issuer = new x509.X509Certificate(certificate(spec(key)) as Uint8Array<ArrayBuffer>)
    expect(await read.verify({ publicKey: issuer.publicKey })).toBe(true)
    const other = new x509.X509Crl(crl({ ...base, signer: rsaKey('ark-milan') }) as Uint8Array<ArrayBuffer>)
    expect(await other.verify({ publicKey: issuer.publicKey })).toBe(false)
    expectForgeRoundTrip(crl(base))
  })

  it('may lack nextUpdate, entries and extensions', () => {
    const { nextUpdate: _n, number: _c, authorityKeyId: _a, ...rest } = base
    const read = new x509.X509Crl(crl({ ...rest, revoked: [] }) as Uint8Array<ArrayBuffer>)
    expect(read.nextUpdate).toBeUndefined()
    expect([read.entries.length, read.extensions.length]).toEqual([0, 0])
  })

  it('has the size of the real Genoa list for the same contents', () => {
    const one = crl({
      ...base,
      revoked: [{ serial: Uint8Array.of(2, 0, 1), date: '2022-10-31T12:00:00Z' }],
      issuer: amdName('ARK-Genoa'),
    })
    expect(one.length).toBe(890)
  })
})

describe('ocspResponse', () => {
  const issuer = ecKey('P-384', 'ocsp issuer')
  const responder = ecKey('P-384', 'ocsp responder')
  const issuerName = name([
    ['CN', 'Device CA'],
    ['O', 'Test'],
  ])
  const responderName = name([
    ['CN', 'OCSP'],
    ['serialNumber', '42'],
  ])
  const delegated = certificate({
    ...spec(responder),
    issuer: issuerName,
    subject: responderName,
    signer: issuer,
    extensions: [ext.extKeyUsage(['1.3.6.1.5.5.7.3.9'])],
  })
  const certId = { hash: 'sha384', issuerNameDer: issuerName, issuerSpki: issuer.spki, serial: 0x1234 } as const
  const base: OcspResponseSpec = {
    responder: { name: responderName },
    signer: responder,
    certificates: [delegated],
    responses: [{ certId, status: 'good', thisUpdate: FROM, nextUpdate: TO }],
    producedAt: FROM,
    nonce: Uint8Array.of(1, 2, 3),
  }
  const basicOf = (der: Uint8Array) => {
    const outer = AsnConvert.parse(der, OCSPResponse)
    const body = outer.responseBytes?.response.buffer ?? new ArrayBuffer(0)
    return {
      status: outer.responseStatus,
      type: outer.responseBytes?.responseType,
      basic: AsnConvert.parse(body, BasicOCSPResponse),
    }
  }

  it('is deterministic and read by @peculiar/asn1-ocsp', () => {
    const der = ocspResponse(base)
    expect(der).toEqual(ocspResponse(base))
    expectForgeRoundTrip(der)
    const { status, type, basic } = basicOf(der)
    expect([status, type]).toEqual([0, '1.3.6.1.5.5.7.48.1.1'])
    const [single] = basic.tbsResponseData.responses
    const hash = (b: Uint8Array) => createHash('sha384').update(b).digest('hex')
    expect(Buffer.from(single?.certID.issuerNameHash.buffer ?? new ArrayBuffer(0)).toString('hex')).toBe(
      hash(issuerName),
    )
    expect(Buffer.from(single?.certID.issuerKeyHash.buffer ?? new ArrayBuffer(0)).toString('hex')).toBe(
      hash(issuer.publicPoint ?? new Uint8Array()),
    )
    expect(single?.thisUpdate.toISOString()).toBe('2020-01-01T00:00:00.000Z')
    expect(single?.nextUpdate?.toISOString()).toBe('2045-01-01T00:00:00.000Z')
    expect(single?.certStatus.good).toBeNull()
    expect(basic.tbsResponseData.responseExtensions?.[0]?.extnID).toBe('1.3.6.1.5.5.7.48.1.2')
    expect(basic.certs?.length).toBe(1)
  })

  it('is signed over the response data by the responder', () => {
    const { basic } = basicOf(ocspResponse(base))
    const publicKey = createPublicKey({ key: Buffer.from(responder.spki), format: 'der', type: 'spki' })
    const tbs = Buffer.from(AsnConvert.serialize(basic.tbsResponseData))
    expect(verify('sha384', tbs, publicKey, Buffer.from(basic.signature))).toBe(true)
    const bent = basicOf(ocspResponse({ ...base, tamperSignature: true })).basic
    expect(verify('sha384', tbs, publicKey, Buffer.from(bent.signature))).toBe(false)
  })

  it('says revoked with date and reason, and unknown', () => {
    const revoked = { revoked: { date: FROM, reason: 'certificateHold' } } as const
    const statusOf = (status: OcspResponseSpec['responses'][number]['status']) =>
      basicOf(ocspResponse({ ...base, responses: [{ certId, status, thisUpdate: FROM }] })).basic.tbsResponseData
        .responses[0]?.certStatus
    expect(statusOf(revoked)?.revoked?.revocationTime.toISOString()).toBe('2020-01-01T00:00:00.000Z')
    expect(String(statusOf(revoked)?.revoked?.revocationReason?.reason)).toBe('6')
    expect(statusOf('unknown')?.unknown).toBeNull()
  })

  it('names the responder by key hash, and answers errors without a body', () => {
    const { basic } = basicOf(
      ocspResponse({ ...base, responder: { keyHash: keyId(responder.spki) }, certificates: [] }),
    )
    const hash = new Uint8Array(basic.tbsResponseData.responderID.byKey?.buffer ?? new ArrayBuffer(0))
    expect(hash).toEqual(keyId(responder.spki))
    expect(basic.certs).toBeUndefined()
    expect(AsnConvert.parse(ocspResponse({ ...base, status: 6 }), OCSPResponse).responseBytes).toBeUndefined()
  })
})

describe('pem', () => {
  it('gives blocks that node:crypto reads, in order', () => {
    const one = certificate(spec(ecKey('P-256', 'one')))
    const two = certificate(spec(ecKey('P-256', 'two')))
    const text = pem([one, two])
    expect(text.match(/-----BEGIN CERTIFICATE-----/g)?.length).toBe(2)
    expect(new Uint8Array(new X509Certificate(text).raw)).toEqual(one)
    expect(pem(one) + pem(two)).toBe(text)
  })
})
