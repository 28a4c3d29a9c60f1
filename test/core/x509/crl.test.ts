import 'reflect-metadata'
import { join } from 'node:path'
import { AsnConvert } from '@peculiar/asn1-schema'
import { CertificateList } from '@peculiar/asn1-x509'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../../../src/core/bytes.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { webCrypto } from '../../../src/core/crypto/web.ts'
import { decodeDer } from '../../../src/core/der.ts'
import { LIMITS } from '../../../src/core/limits.ts'
import { PINNED_ANCHORS } from '../../../src/core/trust-anchors.ts'
import { authenticateCrl, type Crl, type CrlIssuer, decodeCrl } from '../../../src/core/x509/crl.ts'
import { anchorKey } from '../../../src/core/x509/path.ts'
import { ext } from '../../../src/testing/pki/certificate.ts'
import { type CrlSpec, crl } from '../../../src/testing/pki/crl.ts'
import { bits, integer, nul, octets, oid, raw, seq, time, utf8 } from '../../../src/testing/pki/der.ts'
import { extension } from '../../../src/testing/pki/extensions.ts'
import { rsaKey } from '../../../src/testing/pki/keys.ts'
import { amdName } from '../../../src/testing/pki/names.ts'
import { describeEvidence } from '../../support/evidence.ts'
import { bytesOf, codesOf, EVIDENCE, valueIn } from '../support.ts'
import { certificateOf, contextAt, decoded, FROM, KEYS, NAMES, NOW, seconds, TO } from './pki.ts'

const SPEC: CrlSpec = {
  issuer: NAMES.root,
  signer: KEYS.root,
  thisUpdate: '2026-07-01T00:00:00Z',
  nextUpdate: '2026-09-01T00:00:00Z',
  number: 5,
  revoked: [
    { serial: Uint8Array.of(2, 0, 1), date: '2022-10-31T12:00:00Z' },
    { serial: 0x80, date: '2023-01-01T00:00:00Z', reason: 'keyCompromise' },
  ],
}

const { number: _number, ...WITHOUT_NUMBER } = SPEC

const decode = (der: Uint8Array) => decodeCrl(der, 'crl')
const made = (over: Partial<CrlSpec> = {}) => crl({ ...SPEC, ...over })

const withBody = (change: (members: Uint8Array[]) => Uint8Array[]) =>
  made({ mutateTbs: (tbs) => seq(...change(valueIn(decodeDer(tbs, 'tbs')).children.map((c) => c.bytes))) })

const outer = () => valueIn(decodeDer(made(), 'crl')).children.map((c) => c.bytes)
const entry = (...members: Uint8Array[]) => withBody((m) => m.with(5, seq(seq(...members))))

describe('decodeCrl', () => {
  it('gives every field', () => {
    const list = valueIn(decode(made()))
    expect(list).toMatchObject({
      ...{ algorithm: 'ES384', number: '05', delta: false, criticalExtensions: [] },
      thisUpdate: seconds(SPEC.thisUpdate),
      nextUpdate: seconds('2026-09-01T00:00:00Z'),
      revoked: new Map([
        ['020001', seconds('2022-10-31T12:00:00Z')],
        ['0080', seconds('2023-01-01T00:00:00Z')],
      ]),
    })
    expect(list.issuer.der).toEqual(NAMES.root)
  })

  it('reads a list without end, entries, number or extensions', () => {
    const { nextUpdate: _n, number: _c, ...rest } = SPEC
    expect(valueIn(decode(crl({ ...rest, revoked: [] })))).toMatchObject({
      ...{ nextUpdate: undefined, number: undefined, revoked: new Map() },
    })
  })

  it('takes a number of twenty bytes, and none that is longer', () => {
    const numbered = (value: bigint) => {
      const { number: _c, ...rest } = SPEC
      return decode(crl({ ...rest, extensions: [extension('2.5.29.20', integer(value))] }))
    }
    expect(valueIn(numbered(2n ** 160n - 1n)).number).toBe(`00${'ff'.repeat(20)}`)
    expect(codesOf(numbered(2n ** 168n))).toEqual(['CRL_MALFORMED'])
  })

  it('writes serials as decodeCertificate does, so that one finds the other', () => {
    for (const serial of [0, 1, 0x7f, 0x80, 0xff, 0x100, 2n ** 63n, 2n ** 159n]) {
      const revoked = valueIn(decode(made({ revoked: [{ serial, date: FROM }] }))).revoked
      expect([...revoked.keys()]).toEqual([decoded(certificateOf('leaf', { serial })).serial])
    }
  })

  it('tells which critical extensions there are, of the list and of its entries', () => {
    const list = made({
      extensions: [extension('1.2.3.1', nul(), true), extension('1.2.3.2', nul())],
      revoked: [
        { serial: 1, date: FROM, extensions: [extension('1.2.3.3', nul(), true), extension('1.2.3.4', nul())] },
      ],
    })
    expect(valueIn(decode(list)).criticalExtensions.toSorted()).toEqual(['1.2.3.1', '1.2.3.3'])
    expect(valueIn(decode(made({ extensions: [ext.deltaCrlIndicator(4)] }))).delta).toBe(true)
  })

  it.each([
    ['version 1', made({ version: 0 })],
    ['version 3', made({ version: 2 })],
    ['thisUpdate as text', withBody((m) => m.with(3, utf8('260701000000Z')))],
    [
      'thisUpdate that does not exist',
      withBody((m) => m.with(3, raw(0x17, new TextEncoder().encode('260230000000Z')))),
    ],
    [
      'nextUpdate that does not exist',
      withBody((m) => m.with(4, raw(0x17, new TextEncoder().encode('260230000000Z')))),
    ],
    ['three dates', withBody((m) => m.toSpliced(4, 0, time(TO)))],
    ['an entry without date', entry(integer(1))],
    ['an entry without serial', entry(time(FROM))],
    ['an entry whose serial is no INTEGER', entry(octets(Uint8Array.of(1)), time(FROM))],
    ['an entry with a member too many', entry(integer(1), time(FROM), seq(), nul())],
    ['an entry extension without value', entry(integer(1), time(FROM), seq(seq(oid('1.2.3'))))],
    [
      'an entry extension with a member too many',
      entry(integer(1), time(FROM), seq(seq(oid('1.2.3'), octets(nul()), nul()))),
    ],
    ['an entry extension that is no sequence', entry(integer(1), time(FROM), seq(nul()))],
    ['an entry that is no sequence', withBody((m) => m.with(5, seq(integer(1))))],
    ['a number that is no INTEGER', crl({ ...WITHOUT_NUMBER, extensions: [ext.custom('2.5.29.20', nul())] })],
    ['a member too many', withBody((m) => [...m, nul()])],
    ['a signature with unused bits', seq(...outer().with(2, bits(Uint8Array.of(0x80), 4)))],
    ['two members', seq(...outer().slice(0, 2))],
    ['four members', seq(...outer(), nul())],
    ['a certificate in its place', certificateOf('root')],
  ])('refuses %s: CRL_MALFORMED', (_what, der) => {
    expect(codesOf(decode(der))).toEqual(['CRL_MALFORMED'])
  })

  it('refuses bytes that are not DER, and forbidden or differing algorithms, under their own codes', () => {
    expect(codesOf(decode(made().slice(0, -1)))).toEqual(['DER_TRUNCATED'])
    expect(codesOf(decode(concatBytes(made(), Uint8Array.of(0))))).toEqual(['DER_TRAILING_BYTES'])
    expect(codesOf(decode(made({ algorithm: { kind: 'ecdsa-sha1' } })))).toEqual(['X509_ALGORITHM_FORBIDDEN'])
    expect(codesOf(decode(made({ outerAlgorithm: seq(oid('1.2.840.10045.4.3.2')) })))).toEqual([
      'X509_ALGORITHM_MISMATCH',
    ])
    expect(codesOf(decode(made({ extensions: [ext.crlNumber(6)] })))).toEqual(['X509_EXTENSION_DUPLICATE'])
  })

  it('reads twenty thousand entries, and refuses a million in good time', () => {
    const many = (n: number) => {
      const one = seq(integer(0x12345678), time(FROM))
      const all = new Uint8Array(n * one.length)
      for (let i = 0; i < n; i++) all.set(one, i * one.length)
      return withBody((m) => m.with(5, raw(0x30, all)))
    }
    expect(valueIn(decode(many(20_000))).revoked.size).toBe(1)
    const start = performance.now()
    expect(codesOf(decode(many(500_000)))).toEqual(['LIMIT_DER_ELEMENTS'])
    expect(performance.now() - start).toBeLessThan(3000)
    expect(LIMITS.derElements).toBeGreaterThan(20_000 * 3)
  })
})

describe('authenticateCrl', () => {
  const root = decoded(certificateOf('root')).publicKey
  const algorithms: CrlIssuer['algorithms'] = ['ES384', 'PS384']
  const issuer: CrlIssuer = { subject: NAMES.root, publicKey: root, algorithms, maySignCrls: true }
  const judge = (list: Crl, over: Partial<CrlIssuer> = {}, now = NOW, crypto = nodeCrypto) =>
    authenticateCrl(contextAt(now, crypto), 'collateral', list, { ...issuer, ...over }, 'crl')
  const of = (over: Partial<CrlSpec> = {}) => valueIn(decode(made(over)))

  it.each([nodeCrypto, webCrypto(globalThis.crypto.subtle)])(
    'gives back the list that it proved, on $name',
    async (crypto) => {
      const list = of()
      expect(valueIn(await judge(list, {}, NOW, crypto))).toBe(list)
      const ark = rsaKey('ark-genoa')
      for (const trailerField of ['explicit', 'absent'] as const) {
        const amd = of({
          issuer: amdName('ARK-Test'),
          signer: ark,
          algorithm: { kind: 'rsa-pss-sha384', trailerField },
        })
        const subject = amdName('ARK-Test')
        const publicKey = decoded(certificateOf('root', { publicKey: ark })).publicKey
        valueIn(await judge(amd, { subject, publicKey }, NOW, crypto))
        expect(codesOf(await judge(amd, { subject, publicKey: root }, NOW, crypto))).toEqual(['CRL_SIGNATURE_INVALID'])
      }
    },
  )

  it('takes no algorithm but those of the hierarchy', async () => {
    const [subject, ark] = [amdName('ARK-Test'), rsaKey('ark-genoa')]
    const publicKey = decoded(certificateOf('root', { publicKey: ark })).publicKey
    const list = of({ issuer: subject, signer: ark, algorithm: { kind: 'rsa-pkcs1-sha256' } })
    expect(valueIn(await judge(list, { subject, publicKey, algorithms: ['RS256'] }))).toBe(list)
    const amds: Partial<CrlIssuer> = { subject, publicKey, algorithms: ['PS384'] }
    expect(codesOf(await judge(list, amds))).toEqual(['X509_ALGORITHM_FORBIDDEN'])
  })

  it('holds from thisUpdate until before nextUpdate', async () => {
    const code = async (now: number) => {
      const outcome = await judge(of(), {}, now)
      return outcome.ok ? 'ok' : outcome.faults[0].code
    }
    const [from, to] = [seconds(SPEC.thisUpdate), seconds(SPEC.nextUpdate ?? '')]
    expect(await Promise.all([from - 1, from, to - 1, to].map(code))).toEqual([
      'CRL_TIME_INVALID',
      'ok',
      'ok',
      'CRL_STALE',
    ])
  })

  it('proves the signature before it believes the dates', async () => {
    expect(codesOf(await judge(of({ tamperSignature: true }), {}, seconds(TO)))).toEqual(['CRL_SIGNATURE_INVALID'])
    expect(codesOf(await judge(of({ tamperSignature: true }), {}, seconds(FROM)))).toEqual(['CRL_SIGNATURE_INVALID'])
  })

  it('does not take a stale list with an entry removed: the signature covers the entries', async () => {
    const honest = valueIn(decode(made()))
    const emptied = { ...honest, tbs: valueIn(decode(made({ revoked: [] }))).tbs }
    expect(codesOf(await judge(emptied))).toEqual(['CRL_SIGNATURE_INVALID'])
  })
})

describeEvidence('sev-snp/roots', () => {
  it.each([
    ['milan', '2025-08-01T00:00:00Z', '2026-06-01T00:00:00Z', []],
    ['genoa', '2025-08-01T00:00:00Z', '2026-06-01T00:00:00Z', ['020001']],
  ])('%s', async (product, current, late, revoked) => {
    const der = bytesOf(join(EVIDENCE, 'sev-snp/roots', `${product}_vcek_crl.der`))
    const list = valueIn(decode(der))
    const ark = PINNED_ANCHORS.find((a) => a.role === 'amd/ark' && a.product?.toLowerCase() === product)
    if (ark === undefined) throw new Error(product)
    const issuer: CrlIssuer = {
      ...{ subject: ark.subject, publicKey: anchorKey(ark), algorithms: ['PS384'], maySignCrls: true },
    }
    const at = (text: string) => authenticateCrl(contextAt(seconds(text)), 'collateral', list, issuer, 'crl')
    expect([...valueIn(await at(current)).revoked.keys()]).toEqual(revoked)
    expect(codesOf(await at(late))).toEqual(['CRL_STALE'])
    const theirs = AsnConvert.parse(der, CertificateList).tbsCertList
    expect(list.thisUpdate).toBe(theirs.thisUpdate.getTime().getTime() / 1000)
    expect(list.nextUpdate).toBe((theirs.nextUpdate?.getTime().getTime() ?? 0) / 1000)
    expect((theirs.revokedCertificates ?? []).map((r) => Buffer.from(r.userCertificate).toString('hex'))).toEqual(
      revoked,
    )
    const other = PINNED_ANCHORS.find((a) => a.role === 'amd/ark' && a.id !== ark.id)
    if (other === undefined) throw new Error('no other')
    const forged = authenticateCrl(
      contextAt(seconds(current)),
      'collateral',
      list,
      { ...issuer, publicKey: anchorKey(other) },
      'crl',
    )
    expect(codesOf(await forged)).toEqual(['CRL_SIGNATURE_INVALID'])
  })
})
