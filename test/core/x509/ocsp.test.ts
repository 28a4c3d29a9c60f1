import 'reflect-metadata'
import { BasicOCSPResponse, OCSPResponse } from '@peculiar/asn1-ocsp'
import { AsnConvert } from '@peculiar/asn1-schema'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../src/core/bytes.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { webCrypto } from '../../../src/core/crypto/web.ts'
import { type Der, decodeDer } from '../../../src/core/der.ts'
import {
  authenticateOcsp,
  CERTIFICATE_HOLD,
  decodeOcsp,
  findOcspSingle,
  type OcspSingle,
  ocspStaleness,
} from '../../../src/core/x509/ocsp.ts'
import { ext, PURPOSE } from '../../../src/testing/pki/certificate.ts'
import {
  enumerated,
  generalizedTime,
  integer,
  nul,
  octets,
  oid,
  raw,
  seq,
  tagged,
  utcTime,
} from '../../../src/testing/pki/der.ts'
import { extension } from '../../../src/testing/pki/extensions.ts'
import { ecKey, rsaKey } from '../../../src/testing/pki/keys.ts'
import type { OcspResponseSpec, SingleResponseSpec } from '../../../src/testing/pki/ocsp.ts'
import { keyId } from '../../../src/testing/pki/spki.ts'
import { codesOf, valueIn } from '../support.ts'
import {
  authenticate,
  CERT_ID,
  NONCE,
  type OcspChange,
  ocsp,
  RESPONDER_KEY,
  RESPONDER_NAME,
  responderCertificate,
  SINGLE,
  SUBJECT,
} from './ocsp-pki.ts'
import { certificateOf, contextAt, decoded, FROM, KEYS, LEAF_USAGE, NAMES, NOW, seconds, serialOf, TO } from './pki.ts'

const decode = (der: Uint8Array) => decodeOcsp(der, 'ocsp')
const single = (over: Partial<SingleResponseSpec>): OcspChange => ({ responses: [{ ...SINGLE, ...over }] })
const read = (change: OcspChange = {}) => valueIn(decode(ocsp(change)))
const statusOf = (status: SingleResponseSpec['status']) => read(single({ status })).responses[0]?.status

const members = (der: Uint8Array) => valueIn(decodeDer(der, 'x')).children.map((c: Der) => c.bytes)
/** The answer with the members of its tbsResponseData changed. */
const withBody = (change: (m: Uint8Array[]) => Uint8Array[]) =>
  ocsp({ mutateTbs: (tbs) => seq(...change(members(tbs))) })
/** The answer with the members of its one SingleResponse changed. */
const withSingle = (change: (m: Uint8Array[]) => Uint8Array[]) =>
  withBody((m) => m.with(2, seq(seq(...change(members(members(m[2] ?? nul())[0] ?? nul()))))))
/** The answer with its BasicOCSPResponse replaced. */
const wrapped = (basic: Uint8Array) => seq(enumerated(0), tagged(0, seq(oid('1.3.6.1.5.5.7.48.1.1'), octets(basic))))
const basicOf = (der: Uint8Array) => {
  const response = AsnConvert.parse(der, OCSPResponse)
  return new Uint8Array(response.responseBytes?.response.buffer ?? new ArrayBuffer(0))
}

describe('decodeOcsp', () => {
  it('gives every field', () => {
    const response = read()
    expect(response).toMatchObject({
      ...{ algorithm: 'ES384', responder: { name: RESPONDER_NAME }, nonce: NONCE },
      producedAt: seconds('2026-07-31T00:00:00Z'),
      responses: [
        {
          ...{ hash: 'sha384', serial: '1234', status: { kind: 'good' } },
          thisUpdate: seconds('2026-07-31T00:00:00Z'),
          nextUpdate: seconds('2026-08-07T00:00:00Z'),
        },
      ],
    })
    expect(response.certificates.map((c) => c.der)).toEqual([responderCertificate()])
  })

  it('reads what may be left out as absent', () => {
    const { nextUpdate: _, ...open } = SINGLE
    const response = read({ nonce: undefined, certificates: [], responses: [open] })
    expect([response.nonce, response.certificates, response.responses[0]?.nextUpdate]).toEqual([
      undefined,
      [],
      undefined,
    ])
  })

  it('tells good, unknown, revoked and held apart', () => {
    const at = seconds(FROM)
    expect(statusOf('good')).toEqual({ kind: 'good' })
    expect(statusOf('unknown')).toEqual({ kind: 'unknown' })
    expect(statusOf({ revoked: { date: FROM } })).toEqual({ kind: 'revoked', at, reason: undefined })
    expect(statusOf({ revoked: { date: FROM, reason: 'unspecified' } })).toEqual({ kind: 'revoked', at, reason: 0 })
    expect(statusOf({ revoked: { date: FROM, reason: 'keyCompromise' } })).toEqual({ kind: 'revoked', at, reason: 1 })
    expect(statusOf({ revoked: { date: FROM, reason: 'certificateHold' } })).toEqual({
      kind: 'revoked',
      at,
      reason: CERTIFICATE_HOLD,
    })
  })

  it('reads a nonce with or without its inner OCTET STRING', () => {
    const bare = extension('1.3.6.1.5.5.7.48.1.2', Uint8Array.of(9, 8, 7))
    expect(read({ nonce: undefined, extensions: [bare] }).nonce).toEqual(Uint8Array.of(9, 8, 7))
    const critical = extension('1.3.6.1.5.5.7.48.1.2', octets(NONCE), true)
    expect(read({ nonce: undefined, extensions: [critical] }).nonce).toEqual(NONCE)
  })

  it.each([1, 2, 3, 5, 6])('gives a refusal of the responder (status %d) as inconclusive', (status) => {
    expect(codesOf(decode(ocsp({ status })))).toEqual(['OCSP_INVALID'])
  })

  const revokedInfo = (...m: Uint8Array[]) => withSingle((all) => all.with(1, raw(0xa1, concatBytes(...m))))
  it.each([
    ['another type than basic', seq(enumerated(0), tagged(0, seq(oid('1.2.3'), octets(basicOf(ocsp())))))],
    ['no response', seq(enumerated(0))],
    ['a status that is no ENUMERATED', seq(integer(0))],
    ['two responses', seq(enumerated(0), tagged(0, concatBytes(...members(ocsp()).slice(1), nul())))],
    ['a member after the response', seq(...members(ocsp()), nul())],
    ['a version', withBody((m) => [tagged(0, integer(0)), ...m])],
    ['a responder of no kind', withBody((m) => m.with(0, tagged(3, seq())))],
    ['a responder of two names', withBody((m) => m.with(0, tagged(1, concatBytes(RESPONDER_NAME, RESPONDER_NAME))))],
    ['a responder’s key hash as a name', withBody((m) => m.with(0, tagged(1, octets(keyId(RESPONDER_KEY.spki)))))],
    ['a responder’s name as a key hash', withBody((m) => m.with(0, tagged(2, RESPONDER_NAME)))],
    ['an empty responder', withBody((m) => m.with(0, raw(0xa2, new Uint8Array())))],
    ['producedAt as UTCTime', withBody((m) => m.with(1, utcTime(FROM)))],
    ['no single response', withBody((m) => m.with(2, seq()))],
    ['a single response that is no sequence', withBody((m) => m.with(2, seq(nul())))],
    ['a critical extension', ocsp({ extensions: [extension('1.2.3', nul(), true)] })],
    ['a critical single extension', ocsp(single({ extensions: [extension('1.2.3', nul(), true)] }))],
    ['a member too many', withBody((m) => [...m, nul()])],
    ['certs of two lists', wrapped(seq(...members(basicOf(ocsp())).slice(0, 3), tagged(0, concatBytes(seq(), seq()))))],
    ['certs that are no list', wrapped(seq(...members(basicOf(ocsp())).slice(0, 3), tagged(0, nul())))],
    ['a member after certs', wrapped(seq(...members(basicOf(ocsp())), nul()))],
    [
      'a hash that is not known',
      withSingle((m) => m.with(0, seq(seq(oid('1.2.3'), nul()), ...members(m[0] ?? nul()).slice(1)))),
    ],
    [
      'a hash with parameters',
      withSingle((m) => m.with(0, seq(seq(oid('1.3.14.3.2.26'), integer(1)), ...members(m[0] ?? nul()).slice(1)))),
    ],
    ['a CertID of five members', withSingle((m) => m.with(0, seq(...members(m[0] ?? nul()), nul())))],
    ['a status of no kind', withSingle((m) => m.with(1, raw(0x83, new Uint8Array())))],
    ['good with content', withSingle((m) => m.with(1, raw(0x80, Uint8Array.of(0))))],
    ['unknown with content', withSingle((m) => m.with(1, raw(0x82, Uint8Array.of(0))))],
    ['a revocation without time', revokedInfo()],
    ['a revocation in UTCTime', revokedInfo(utcTime(FROM))],
    ['a revocation with a reason out of its tag', revokedInfo(generalizedTime(FROM), enumerated(6))],
    ['a revocation with a reason that is no ENUMERATED', revokedInfo(generalizedTime(FROM), tagged(0, integer(6)))],
    ['a revocation with an empty reason', revokedInfo(generalizedTime(FROM), raw(0xa0, new Uint8Array()))],
    [
      'a revocation with a negative reason',
      revokedInfo(generalizedTime(FROM), tagged(0, raw(0x0a, Uint8Array.of(0xff)))),
    ],
    [
      'a revocation with two reasons',
      revokedInfo(generalizedTime(FROM), tagged(0, concatBytes(enumerated(0), enumerated(6)))),
    ],
    ['a revocation with a member too many', revokedInfo(generalizedTime(FROM), tagged(0, enumerated(0)), nul())],
    ['thisUpdate as UTCTime', withSingle((m) => m.with(2, utcTime(FROM)))],
    ['nextUpdate as UTCTime', withSingle((m) => m.with(3, tagged(0, utcTime(TO))))],
    ['two nextUpdates', withSingle((m) => m.with(3, tagged(0, concatBytes(generalizedTime(TO), generalizedTime(TO)))))],
    ['a single response with a member too many', withSingle((m) => [...m, nul()])],
  ])('refuses %s: OCSP_MALFORMED', (_what, der) => {
    expect(codesOf(decode(der))).toEqual(['OCSP_MALFORMED'])
  })

  it('refuses what it carries under the code of that', () => {
    expect(codesOf(decode(ocsp().slice(0, -1)))).toEqual(['DER_TRUNCATED'])
    expect(codesOf(decode(wrapped(concatBytes(basicOf(ocsp()), Uint8Array.of(0)))))).toEqual(['DER_TRAILING_BYTES'])
    expect(codesOf(decode(ocsp({ algorithm: { kind: 'ecdsa-sha1' } })))).toEqual(['X509_ALGORITHM_FORBIDDEN'])
    expect(codesOf(decode(ocsp({ certificates: [responderCertificate({ version: 1 })] })))).toEqual(['X509_MALFORMED'])
    const nonce = extension('1.3.6.1.5.5.7.48.1.2', octets(NONCE))
    expect(codesOf(decode(ocsp({ extensions: [nonce] })))).toEqual(['X509_EXTENSION_DUPLICATE'])
  })
})

describe('decodeOcsp agrees with @peculiar/asn1-ocsp', () => {
  const statuses: SingleResponseSpec['status'][] = [
    'good',
    'unknown',
    { revoked: { date: FROM } },
    { revoked: { date: FROM, reason: 6 } },
  ]
  const variants: [string, OcspChange][] = [
    ...(['sha1', 'sha256', 'sha384'] as const).map((hash): [string, OcspChange] => [
      hash,
      single({ certId: { ...CERT_ID, hash } }),
    ]),
    ...statuses.map((status): [string, OcspChange] => [JSON.stringify(status), single({ status })]),
    ['by key hash', { responderId: { keyHash: keyId(RESPONDER_KEY.spki) } }],
    ['without nonce and certificates', { nonce: undefined, certificates: [] }],
    ['several answers', { responses: [SINGLE, { ...SINGLE, certId: { ...CERT_ID, serial: 9 }, status: 'unknown' }] }],
    ['signed with RSASSA-PSS', { signer: rsaKey('ark-genoa') }],
  ]

  it.each(variants)('%s', (_what, change) => {
    const der = ocsp(change)
    const ours = valueIn(decode(der))
    const theirs = AsnConvert.parse(basicOf(der), BasicOCSPResponse)
    const data = theirs.tbsResponseData
    expect(ours.tbs).toEqual(new Uint8Array(AsnConvert.serialize(data)))
    expect(ours.signature).toEqual(new Uint8Array(theirs.signature))
    expect(ours.producedAt).toBe(data.producedAt.getTime() / 1000)
    expect(ours.certificates.map((c) => c.der)).toEqual(
      (theirs.certs ?? []).map((c) => new Uint8Array(AsnConvert.serialize(c))),
    )
    const { byName, byKey } = data.responderID
    expect(ours.responder).toEqual(
      byName === undefined
        ? { keyHash: new Uint8Array(byKey?.buffer ?? new ArrayBuffer(0)) }
        : { name: new Uint8Array(AsnConvert.serialize(byName)) },
    )
    expect(ours.responses).toEqual(
      data.responses.map(
        (r): OcspSingle => ({
          hash:
            (
              {
                '1.3.14.3.2.26': 'sha1',
                '2.16.840.1.101.3.4.2.1': 'sha256',
                '2.16.840.1.101.3.4.2.2': 'sha384',
              } as const
            )[r.certID.hashAlgorithm.algorithm] ?? 'sha1',
          issuerNameHash: new Uint8Array(r.certID.issuerNameHash.buffer),
          issuerKeyHash: new Uint8Array(r.certID.issuerKeyHash.buffer),
          serial: Buffer.from(r.certID.serialNumber).toString('hex'),
          status:
            r.certStatus.revoked !== undefined
              ? {
                  kind: 'revoked',
                  at: r.certStatus.revoked.revocationTime.getTime() / 1000,
                  reason: r.certStatus.revoked.revocationReason?.reason,
                }
              : { kind: r.certStatus.good === undefined ? 'unknown' : 'good' },
          thisUpdate: r.thisUpdate.getTime() / 1000,
          nextUpdate: r.nextUpdate === undefined ? undefined : r.nextUpdate.getTime() / 1000,
        }),
      ),
    )
  })
})

it('RJ-LIM a response holds 64 answers at most', () => {
  const many = (n: number) => decode(ocsp({ responses: Array.from({ length: n }, () => SINGLE) }))
  expect(many(64).ok).toBe(true)
  expect(codesOf(many(65))).toEqual(['OCSP_MALFORMED'])
})

describe('findOcspSingle', () => {
  const find = (change: OcspChange, subject = SUBJECT) => findOcspSingle(contextAt(), read(change), subject)

  it.each(['sha1', 'sha256', 'sha384'] as const)('finds the answer by CertID under %s', async (hash) => {
    expect(await find(single({ certId: { ...CERT_ID, hash } }))).toMatchObject({ hash, status: { kind: 'good' } })
  })

  it('finds it for an issuer with an RSA key', async () => {
    const issuer = decoded(certificateOf('sub', { publicKey: rsaKey('ask-genoa') })).publicKey
    const change = single({ certId: { ...CERT_ID, issuerSpki: rsaKey('ask-genoa').spki } })
    expect(await find(change, { ...SUBJECT, issuerKey: issuer })).toMatchObject({ status: { kind: 'good' } })
    expect(await find(change)).toBeUndefined()
  })

  it.each([
    ['serial', { serial: serialOf('leaf') + 1 }],
    ['issuer name', { issuerNameDer: NAMES.top }],
    ['issuer key', { issuerSpki: KEYS.top.spki }],
  ])('finds nothing for another %s', async (_what, over) => {
    expect(await find(single({ certId: { ...CERT_ID, ...over } }))).toBeUndefined()
  })

  it('finds the one among many', async () => {
    const others = [1, 2, 3].map(
      (serial): SingleResponseSpec => ({ ...SINGLE, certId: { ...CERT_ID, serial }, status: 'unknown' }),
    )
    expect(await find({ responses: [...others, SINGLE] })).toMatchObject({ serial: '1234', status: { kind: 'good' } })
    expect(await find({ responses: others })).toBeUndefined()
  })

  it('gives the worst of several answers about the same certificate, in any order and under any hash', async () => {
    const answer = (status: SingleResponseSpec['status'], hash: 'sha1' | 'sha384' = 'sha384') => ({
      ...SINGLE,
      status,
      certId: { ...CERT_ID, hash },
    })
    const revoked = { revoked: { date: FROM } } as const
    const kind = async (...responses: SingleResponseSpec[]) => (await find({ responses }))?.status.kind
    expect(await kind(answer('good'), answer(revoked, 'sha1'))).toBe('revoked')
    expect(await kind(answer(revoked), answer('unknown'), answer('good'))).toBe('revoked')
    expect(await kind(answer('good'), answer('unknown'))).toBe('unknown')
    expect(await kind(answer('good'), answer('good', 'sha1'))).toBe('good')
  })
})

describe('authenticateOcsp', () => {
  const byIssuer: OcspChange = { responderId: { name: NAMES.sub }, signer: KEYS.sub, certificates: [] }

  it.each([nodeCrypto, webCrypto(globalThis.crypto.subtle)])(
    'accepts the issuer itself and its delegate, on $name',
    async (crypto) => {
      for (const change of [
        ...[{}, byIssuer, { ...byIssuer, responderId: { keyHash: keyId(KEYS.sub.spki) } }],
        { responderId: { keyHash: keyId(RESPONDER_KEY.spki) } },
      ] satisfies OcspChange[]) {
        valueIn(await authenticate(change, { crypto }))
        expect(codesOf(await authenticate({ ...change, tamperSignature: true }, { crypto }))).toEqual([
          'OCSP_SIGNATURE_INVALID',
        ])
      }
    },
  )

  it('accepts RSASSA-PSS and P-256 where the keys are of that kind', async () => {
    for (const key of [rsaKey('ask-genoa'), rsaKey('small-2048'), ecKey('P-256', 'responder')]) {
      const change: OcspChange = { signer: key, responder: { publicKey: key } }
      valueIn(await authenticate(change))
      expect(codesOf(await authenticate({ ...change, tamperSignature: true }))).toEqual(['OCSP_SIGNATURE_INVALID'])
    }
    const issuer = rsaKey('ark-milan')
    const subject = { ...SUBJECT, issuerKey: decoded(certificateOf('sub', { publicKey: issuer })).publicKey }
    valueIn(await authenticate({ responder: { signer: issuer } }, { subject }))
    expect(codesOf(await authenticate({}, { subject }))).toEqual(['OCSP_INVALID'])
  })

  it('refuses a signature by another key than that of the responder', async () => {
    expect(codesOf(await authenticate({ signer: KEYS.stranger }))).toEqual(['OCSP_SIGNATURE_INVALID'])
    expect(codesOf(await authenticate({ ...byIssuer, signer: RESPONDER_KEY }))).toEqual(['OCSP_SIGNATURE_INVALID'])
    expect(codesOf(await authenticate({ signer: rsaKey('ark-genoa') }))).toEqual(['OCSP_SIGNATURE_INVALID'])
  })

  it.each<[string, OcspChange]>([
    ['without its certificate', { certificates: [] }],
    ['with the certificate of somebody else', { certificates: [certificateOf('leaf')] }],
    ['issued by another CA', { responder: { issuer: NAMES.top, signer: KEYS.top } }],
    ['issued in the name of the CA by somebody else', { responder: { signer: KEYS.stranger } }],
    ['with a bent certificate', { responder: { tamperSignature: true } }],
    ['without the purpose', { responder: { extensions: [LEAF_USAGE] } }],
    [
      'for another purpose',
      { responder: { extensions: [ext.extKeyUsage([PURPOSE.clientAuth, '2.5.29.37.0']), LEAF_USAGE] } },
    ],
    [
      'that is a CA',
      { responder: { extensions: [ext.basicConstraints(true), ext.extKeyUsage([PURPOSE.ocspSigning])] } },
    ],
    [
      'that may not sign',
      { responder: { extensions: [ext.keyUsage(['keyAgreement']), ext.extKeyUsage([PURPOSE.ocspSigning])] } },
    ],
    [
      'with an unknown critical extension',
      { responder: { extensions: [ext.extKeyUsage([PURPOSE.ocspSigning]), ext.custom('1.2.3', nul(), true)] } },
    ],
    ['not yet valid', { responder: { notBefore: '2026-08-01T00:00:01Z' } }],
    ['no longer valid', { responder: { notAfter: '2026-07-31T23:59:59Z' } }],
    ['named by the hash of another key', { responderId: { keyHash: keyId(KEYS.stranger.spki) } }],
  ])('finds no delegation in a responder %s: OCSP_INVALID', async (_what, change) => {
    expect(codesOf(await authenticate(change))).toEqual(['OCSP_INVALID'])
  })

  it.each<[string, OcspChange]>([
    ['in date to the second', { responder: { notBefore: '2026-08-01T00:00:00Z', notAfter: '2026-08-01T00:00:00Z' } }],
    [
      'of several purposes',
      { responder: { extensions: [ext.extKeyUsage([PURPOSE.clientAuth, PURPOSE.ocspSigning])] } },
    ],
    [
      'with extensions that are not critical',
      {
        responder: { extensions: [ext.extKeyUsage([PURPOSE.ocspSigning]), ext.custom('1.3.6.1.5.5.7.48.1.5', nul())] },
      },
    ],
    [
      'explicitly no CA',
      { responder: { extensions: [ext.basicConstraints(false), ext.extKeyUsage([PURPOSE.ocspSigning])] } },
    ],
    [
      'beside other certificates',
      { certificates: [certificateOf('leaf'), certificateOf('sub'), responderCertificate()] },
    ],
  ])('accepts a responder %s', async (_what, change) => {
    valueIn(await authenticate(change))
  })

  it('compares the nonce where one was asked, and only there', async () => {
    for (const nonce of [
      undefined,
      Uint8Array.of(1, 2),
      Uint8Array.of(1, 2, 3, 0),
      Uint8Array.of(0, 2, 3),
      new Uint8Array(),
    ]) {
      expect(codesOf(await authenticate({ nonce }))).toEqual(['OCSP_INVALID'])
      valueIn(await authenticate({ nonce }, { asked: { notAsked: 'stapled' } }))
    }
    valueIn(await authenticate({}, { asked: { notAsked: 'stapled' } }))
  })

  it('throws for an empty nonce, which asks nothing', async () => {
    await expect(authenticate({}, { asked: new Uint8Array() })).rejects.toThrow(TypeError)
  })

  it('compares a nonce from another realm, too', async () => {
    const { runInNewContext } = await import('node:vm')
    const foreign = runInNewContext('Uint8Array.of(1, 2, 4)') as Uint8Array
    expect(foreign instanceof Uint8Array).toBe(false)
    expect(codesOf(await authenticate({}, { asked: foreign }))).toEqual(['OCSP_INVALID'])
    valueIn(await authenticate({}, { asked: runInNewContext('Uint8Array.of(1, 2, 3)') as Uint8Array }))
  })

  it('proves the body: an answer altered after signing is refused', async () => {
    const honest = valueIn(decode(ocsp(single({ status: { revoked: { date: FROM } } }))))
    const forged = { ...honest, tbs: read().tbs }
    const outcome = await authenticateOcsp(contextAt(), 'collateral', forged, SUBJECT, NONCE, 'ocsp')
    expect(codesOf(outcome)).toEqual(['OCSP_SIGNATURE_INVALID'])
  })
})

describe('ocspStaleness', () => {
  const of = (
    now: number,
    over: Partial<OcspResponseSpec['responses'][number]> = {},
    whole: SingleResponseSpec = SINGLE,
  ) => {
    const [answer] = read({ responses: [{ ...whole, ...over }] }).responses
    if (answer === undefined) throw new Error('no answer')
    return ocspStaleness(contextAt(now), answer, 3600)
  }
  const [from, to] = [seconds(SINGLE.thisUpdate), seconds(SINGLE.nextUpdate ?? '')]
  const { nextUpdate: _, ...open } = SINGLE

  it('is nothing from thisUpdate until before nextUpdate', () => {
    expect([from - 1, from, to - 1, to].map((now) => of(now) === undefined)).toEqual([false, true, true, false])
    expect(of(to)).toEqual({ expected: '2026-07-31T00:00:00Z to 2026-08-07T00:00:00Z', actual: '2026-08-07T00:00:00Z' })
  })

  it('is counted from thisUpdate where the responder named no end', () => {
    expect([from - 1, from, from + 3599, from + 3600].map((now) => of(now, {}, open) === undefined)).toEqual([
      false,
      true,
      true,
      false,
    ])
  })

  it('can be said of the last second there is', () => {
    const last = { thisUpdate: '9999-12-31T23:59:59Z' }
    expect(of(NOW, last, open)).toMatchObject({ expected: '9999-12-31T23:59:59Z to +010000-01-01T00:59:59Z' })
  })
})
