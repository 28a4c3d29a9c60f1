import 'reflect-metadata'
import { AsnConvert } from '@peculiar/asn1-schema'
import { Certificate as AsnCertificate } from '@peculiar/asn1-x509'
import fc from 'fast-check'
import forge from 'node-forge'
import { describe, expect, it } from 'vitest'
import { concatBytes, utf8 } from '../../src/core/bytes.ts'
import {
  bitStringBytes,
  context,
  type Der,
  DerSequence,
  decodeDer,
  oidText,
  smallInteger,
  TAG,
  timeOf,
} from '../../src/core/der.ts'
import { LIMITS } from '../../src/core/limits.ts'
import { attempt, refuse } from '../../src/core/outcome.ts'
import { generalizedTime, integer, nul, octets, oid, raw, seq, utcTime } from '../../src/testing/pki/der.ts'
import { describeEvidence } from '../support/evidence.ts'
import { bytesOf, codesOf, EVIDENCE, filesBelow, hex, pemBodies, valueIn } from './support.ts'

const decode = (bytes: Uint8Array) => decodeDer(bytes, 'd')
const one = (bytes: Uint8Array): Der => valueIn(decode(bytes))

describe('decodeDer reads', () => {
  it('a tree with views into the input', () => {
    const der = one(hex('30 08 020105 3103 040177'))
    expect([der.tag, der.children.map((c) => c.tag), der.children[1]?.children[0]?.content]).toEqual([
      TAG.sequence,
      [TAG.integer, TAG.set],
      hex('77'),
    ])
    expect(Buffer.from(der.children[1]?.bytes ?? []).toString('hex')).toBe('3103040177')
  })

  it.each([0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000])('%d bytes of content at its shortest length', (n) => {
    expect(one(raw(TAG.octetString, new Uint8Array(n))).content.length).toBe(n)
  })

  it('content of more than 16 MiB', () => {
    expect(one(raw(TAG.octetString, new Uint8Array(1 << 24))).content.length).toBe(1 << 24)
  })

  it('every class, primitive and constructed', () => {
    expect([0x40, 0x80, 0xc0].map((tag) => one(Uint8Array.of(tag, 1, 0x80)).children.length)).toEqual([0, 0, 0])
    expect([0x60, 0xa0, 0xe0].map((tag) => one(Uint8Array.of(tag, 2, 5, 0)).children.length)).toEqual([1, 1, 1])
    expect([context(3, 'constructed'), context(3, 'primitive')]).toEqual([0xa3, 0x83])
  })
})

describe('decodeDer refuses', () => {
  it.each([
    ['an indefinite length', '3080 020105 0000'],
    ['an indefinite length before a context-specific tag', '3080 800100 0000'],
    ['an indefinite length inside', '3006 3080 0500 0000'],
    ['the long form for a short length', '048105 0102030405'],
    ['a leading zero octet in the length', '04820005 0102030405'],
    ['four octets of length for five bytes', '048400000005 0102030405'],
    ['nine octets of length for five bytes', '0489000000000000000005 0102030405'],
    ['the reserved length octet', '04ff 00'],
    ['the reserved length octet before others', `04ff ${'01'.repeat(127)}`],
    ['two octets of length for 255 bytes', `048200ff${'00'.repeat(255)}`],
    ['a high tag number', '1f20 00'],
    ['a high tag number in its long form', 'bf8101 00'],
    ['an end-of-contents', '0000'],
    ['an end-of-contents inside', '3004 05000000'],
    ['a constructed type 0', '2000'],
    ['an OCTET STRING in pieces', '2406 040101 040102'],
    ['a BIT STRING in pieces', '2304 03020001'],
    ['a UTF8String in pieces', '2c03 0c0141'],
    ['a UTCTime in pieces', '3700'],
    ['a constructed INTEGER', '2203 020101'],
    ['a primitive SEQUENCE', '1003 020101'],
    ['a primitive SET', '1100'],
    ['an INTEGER without content', '0200'],
    ['an INTEGER with a zero octet too many', '02020001'],
    ['an INTEGER with an FF octet too many', '0202ff80'],
    ['an ENUMERATED with a zero octet too many', '0a020001'],
    ['a BOOLEAN of 01', '010101'],
    ['a BOOLEAN of two octets', '0102ffff'],
    ['a BOOLEAN without content', '0100'],
    ['a NULL with content', '050100'],
    ['a BIT STRING without octets', '0300'],
    ['eight unused bits', '03020800'],
    ['unused bits of nothing', '030101'],
  ])('%s: DER_NOT_CANONICAL', (_what, text) => {
    expect(codesOf(decode(hex(text)))).toEqual(['DER_NOT_CANONICAL'])
  })

  it.each([
    ['the first byte after the element', '0500 00'],
    ['a second element', '0500 0500'],
    ['a set bit among the unused', '03020181'],
    ['a set bit among seven unused', '0302077f'],
  ])('%s: DER_TRAILING_BYTES', (_what, text) => {
    expect(codesOf(decode(hex(text)))).toEqual(['DER_TRAILING_BYTES'])
  })

  it.each([
    ['nothing', ''],
    ['a tag alone', '30'],
    ['a length octet missing', '3081'],
    ['two of three length octets', '308301'],
    ['content short of one byte', '040201'],
    ['an element longer than its parent', '3003 040201'],
    ['a length that reaches past the parent but not past the input', '3004 3003 0201 05'],
    ['a length of 2^31', '048480000000'],
    ['a length of 2^40', '04850100000000'],
    ['a length of 2^1000', `04fe${'ff'.repeat(126)}`],
  ])('%s: DER_TRUNCATED', (_what, text) => {
    expect(codesOf(decode(hex(text)))).toEqual(['DER_TRUNCATED'])
  })

  it.each([
    ['no arc', '0600'],
    ['an arc with a leading 80', '06028001'],
    ['a later arc with a leading 80', '06032a8001'],
    ['an end inside an arc', '06022a86'],
    ['an arc of 2^32', '06062a9080808000'],
    ['an arc of 2^64', `060b2a82${'80'.repeat(8)}00`],
    ['65 octets', `0641${'01'.repeat(65)}`],
  ])('an OID with %s: DER_OID_INVALID', (_what, text) => {
    expect(codesOf(decode(hex(text)))).toEqual(['DER_OID_INVALID'])
  })

  it('more than 32 levels, without help from the stack', () => {
    const nested = (n: number): Uint8Array => {
      let der: Uint8Array = nul()
      for (let i = 1; i < n; i++) der = seq(der)
      return der
    }
    expect(decode(nested(LIMITS.derDepth)).ok).toBe(true)
    expect(codesOf(decode(nested(LIMITS.derDepth + 1)))).toEqual(['LIMIT_DER_DEPTH'])
  })

  it('100,000 nested SEQUENCEs (RJ-X5-23)', () => {
    // Every header costs at most five octets, written from the inside out into one buffer.
    const bomb = new Uint8Array(600_000)
    let at = bomb.length
    for (let i = 0; i < 100_000; i++) {
      const length = bomb.length - at
      const octetsOfLength =
        length < 0x80
          ? [length]
          : length < 0x100
            ? [0x81, length]
            : length < 0x10000
              ? [0x82, length >> 8, length & 255]
              : [0x83, length >> 16, (length >> 8) & 255, length & 255]
      at -= octetsOfLength.length + 1
      bomb.set([0x30, ...octetsOfLength], at)
    }
    expect(codesOf(decode(bomb.slice(at)))).toEqual(['LIMIT_DER_DEPTH'])
  })

  it('more elements than a certificate or revocation list has', () => {
    const nulls = (n: number) =>
      raw(
        TAG.sequence,
        new Uint8Array(2 * n).map((_, i) => (i % 2 === 0 ? 5 : 0)),
      )
    expect(one(nulls(LIMITS.derElements - 1)).children.length).toBe(LIMITS.derElements - 1)
    expect(codesOf(decode(nulls(LIMITS.derElements)))).toEqual(['LIMIT_DER_ELEMENTS'])
  })

  it('or reads, but never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => typeof decode(bytes).ok === 'boolean'),
      { numRuns: 2000 },
    )
    const likely = fc.array(fc.constantFrom(0x30, 0x31, 0xa0, 0x80, 0x02, 0x03, 0x06, 0, 1, 2, 3, 4, 8, 0x81, 0x82), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(likely, (bytes) => typeof decode(Uint8Array.from(bytes)).ok === 'boolean'),
      { numRuns: 5000 },
    )
  })
})

/** Trees that the writer of the test kit makes, as DER. */
const tree: fc.Arbitrary<Uint8Array> = fc.letrec<{ node: Uint8Array }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 6 },
    fc.oneof(
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }).map((n) => integer(n)),
      fc.uint8Array({ maxLength: 200 }).map(octets),
      fc.constant(nul()),
      fc.array(fc.nat(), { minLength: 1, maxLength: 6 }).map((arcs) => oid(`1.3.${arcs.join('.')}`)),
    ),
    fc.array(tie('node'), { maxLength: 5 }).map((parts) => seq(...parts)),
    fc.array(tie('node'), { maxLength: 3 }).map((parts) => raw(0xa1, concatBytes(...parts))),
  ),
})).node

const rewritten = (der: Der): Uint8Array =>
  raw(der.tag, (der.tag & 0x20) === 0 ? der.content : concatBytes(...der.children.map(rewritten)))

describe('decodeDer and other readers', () => {
  it('reads every tree the writer makes, and the tree written again is the same bytes', () => {
    fc.assert(
      fc.property(tree, (der) => {
        expect(rewritten(one(der))).toEqual(der)
      }),
    )
  })

  it('accepts nothing that is not written back to the same bytes: one form per value', () => {
    const mutant = fc.tuple(tree, fc.nat(), fc.nat(255)).map(([der, at, to]) => {
      const bent = der.slice()
      bent[at % bent.length] = to
      return bent
    })
    fc.assert(
      fc.property(mutant, (bytes) => {
        const outcome = decode(bytes)
        if (outcome.ok) expect(rewritten(outcome.value)).toEqual(bytes)
      }),
      { numRuns: 3000 },
    )
  })

  it('accepts no tree that node-forge refuses', () => {
    fc.assert(
      fc.property(tree, (der) => {
        const theirs = forge.asn1.fromDer(Buffer.from(der).toString('latin1'), {
          strict: true,
          decodeBitStrings: false,
        } as never)
        expect(shapeOfForge(theirs)).toEqual(shapeOf(one(der)))
      }),
      { numRuns: 200 },
    )
  })
})

interface Shape {
  readonly tag: number
  readonly content: string | readonly Shape[]
}

const shapeOf = (der: Der): Shape => ({
  tag: der.tag,
  content: (der.tag & 0x20) === 0 ? Buffer.from(der.content).toString('hex') : der.children.map(shapeOf),
})

const shapeOfForge = (node: forge.asn1.Asn1): Shape => ({
  tag: node.tagClass | (node.constructed ? 0x20 : 0) | node.type,
  content: Array.isArray(node.value)
    ? node.value.map(shapeOfForge)
    : Buffer.from(node.value as unknown as string, 'latin1').toString('hex'),
})

describeEvidence('.', () => {
  const found = [
    ...filesBelow(EVIDENCE, /\.(der|crt|cer)$/).map((path) => ({ path, der: bytesOf(path) })),
    ...filesBelow(EVIDENCE, /\.pem$/).flatMap((path) => pemBodies(path).map((der) => ({ path, der }))),
  ].filter(({ path, der }) => der[0] === 0x30 && !/synthetic|neg|bad|invalid/.test(path))

  it('finds some', () => {
    expect(found.length).toBeGreaterThan(100)
  })

  it('reads them as node-forge does, element by element', () => {
    for (const { der } of found) {
      const theirs = forge.asn1.fromDer(Buffer.from(der).toString('latin1'), {
        strict: true,
        decodeBitStrings: false,
      } as never)
      expect(shapeOf(one(der))).toEqual(shapeOfForge(theirs))
    }
  })

  it('reads certificates as @peculiar/asn1-schema does: body, serial, names and key', () => {
    let certificates = 0
    for (const { der } of found) {
      let theirs: AsnCertificate
      try {
        theirs = AsnConvert.parse(der, AsnCertificate)
      } catch {
        continue // a revocation list or a key
      }
      certificates++
      const [tbs, , signature] = one(der).children
      const parts = tbs?.children ?? []
      expect(parts[1]?.content).toEqual(new Uint8Array(theirs.tbsCertificate.serialNumber))
      expect(parts[3]?.bytes).toEqual(new Uint8Array(AsnConvert.serialize(theirs.tbsCertificate.issuer)))
      expect(parts[5]?.bytes).toEqual(new Uint8Array(AsnConvert.serialize(theirs.tbsCertificate.subject)))
      expect(parts[6]?.bytes).toEqual(new Uint8Array(AsnConvert.serialize(theirs.tbsCertificate.subjectPublicKeyInfo)))
      expect(signature?.content.subarray(1)).toEqual(new Uint8Array(theirs.signatureValue))
    }
    expect(certificates).toBeGreaterThan(100)
  })
})

describe('oidText', () => {
  it('gives the dotted form back for arcs below 2^32', () => {
    const arc = fc.oneof(fc.nat(200), fc.integer({ min: 0, max: 2 ** 32 - 81 }))
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 }), arc, fc.array(arc, { maxLength: 8 }), (root, second, rest) => {
        const dotted = [root, root < 2 ? second % 40 : second, ...rest].join('.')
        expect(oidText(one(oid(dotted)))).toBe(dotted)
      }),
    )
    expect(oidText(one(oid('2.999.4294967295')))).toBe('2.999.4294967295')
  })
})

describe('smallInteger', () => {
  it('gives 0 to 2^47 - 1, and nothing for what is larger or negative', () => {
    const small = (n: bigint) => smallInteger(one(integer(n)))
    expect([0n, 1n, 127n, 128n, 255n, 256n, 2n ** 47n - 1n].map(small)).toEqual([0, 1, 127, 128, 255, 256, 2 ** 47 - 1])
    expect([-1n, -128n, 2n ** 47n, 2n ** 64n].map(small)).toEqual([undefined, undefined, undefined, undefined])
  })

  it('gives nothing for an element without content', () => {
    expect(smallInteger(one(hex('8000')))).toBeUndefined()
  })
})

describe('bitStringBytes', () => {
  it('gives the bytes where no bit is unused', () => {
    expect(bitStringBytes(one(hex('030300abcd')))).toEqual(hex('abcd'))
    expect(bitStringBytes(one(hex('030100')))).toEqual(new Uint8Array())
    expect(bitStringBytes(one(hex('030204f0')))).toBeUndefined()
  })
})

describe('timeOf', () => {
  it('reads both forms', () => {
    const at = (instant: string, form: (i: string) => Uint8Array) => timeOf(one(form(instant)))
    expect(at('1970-01-01T00:00:00Z', utcTime)).toBe(0)
    expect(at('2049-12-31T23:59:59Z', utcTime)).toBe(Date.parse('2049-12-31T23:59:59Z') / 1000)
    expect(at('1950-01-01T00:00:00Z', utcTime)).toBe(Date.parse('1950-01-01T00:00:00Z') / 1000)
    expect(at('2050-01-01T00:00:00Z', utcTime)).toBe(Date.parse('1950-01-01T00:00:00Z') / 1000)
    expect(at('9999-12-31T23:59:59Z', generalizedTime)).toBe(253402300799)
  })

  it.each([
    [TAG.utcTime, '2601010000Z'],
    [TAG.utcTime, '260101000000'],
    [TAG.utcTime, '260101000000+0000'],
    [TAG.utcTime, '20260101000000Z'],
    [TAG.utcTime, '260230000000Z'],
    [TAG.utcTime, '26 101000000Z'],
    [TAG.utcTime, '260101000060Z'],
    [TAG.utcTime, '260101000000Z\n'],
    [TAG.utcTime, ''],
    [TAG.generalizedTime, '20260101000000.0Z'],
    [TAG.generalizedTime, '20260101000000'],
    [TAG.generalizedTime, '2026010100Z'],
    [TAG.generalizedTime, '20261301000000Z'],
    [TAG.generalizedTime, '202601010000000Z'],
    [TAG.printableString, '260101000000Z'],
    [TAG.octetString, ''],
  ])('gives nothing for tag %d with %j', (tag, text) => {
    expect(timeOf(one(raw(tag, new Uint8Array(Buffer.from(text, 'latin1')))))).toBeUndefined()
  })

  it.each(['1950-01-31', '2000-02-29', '2023-02-28', '2024-02-29', '2024-04-30', '2026-12-31', '2049-06-15'])(
    'reads %s as every calendar does',
    (day) => {
      for (const instant of [`${day}T00:00:00Z`, `${day}T23:59:59Z`]) {
        for (const form of [utcTime, generalizedTime])
          expect(timeOf(one(form(instant)))).toBe(Date.parse(instant) / 1000)
      }
    },
  )

  it.each([
    '20000230000000Z',
    '21000229000000Z',
    '20230229000000Z',
    '20260431000000Z',
    '20260100000000Z',
    '20260001000000Z',
  ])('gives nothing for %s, which no calendar has', (text) =>
    expect(timeOf(one(raw(TAG.generalizedTime, utf8(text))))).toBeUndefined(),
  )

  it.each(['260115101112Z', '260131101112Z'])('gives nothing for %s with anything but a digit in any place', (text) => {
    const bytes = utf8(text)
    expect(timeOf(one(raw(TAG.utcTime, bytes)))).toBeDefined()
    for (let at = 0; at < bytes.length; at++) {
      for (const other of [0x2f, 0x3a, 0x20, 0x00, 0xff])
        expect(timeOf(one(raw(TAG.utcTime, bytes.with(at, other))))).toBeUndefined()
    }
  })

  it('is not overrun by a date of a million digits', () => {
    expect(timeOf(one(raw(TAG.utcTime, new Uint8Array(1 << 20).fill(0x30))))).toBeUndefined()
  })
})

describe('DerSequence', () => {
  const malformed = (what: string): never => refuse('X509_MALFORMED', 'd', { actual: what })
  const walk = <T>(der: Uint8Array, steps: (s: DerSequence) => T) =>
    attempt(() => steps(new DerSequence(one(der), TAG.sequence, malformed)))

  it('walks in order, by tag', () => {
    const outcome = walk(seq(integer(1), octets(hex('aa')), nul()), (s) => {
      const first = s.next('first', TAG.integer, TAG.null)
      const absent = s.optional(TAG.boolean)
      const second = s.optional(TAG.octetString, TAG.boolean)
      const rest = s.rest()
      s.end('end')
      return [first.tag, absent, second?.tag, rest.map((r) => r.tag), s.optional(TAG.null), s.rest().length]
    })
    expect(valueIn(outcome)).toEqual([TAG.integer, undefined, TAG.octetString, [TAG.null], undefined, 0])
  })

  it.each([
    ['another tag outside', () => attempt(() => new DerSequence(one(nul()), TAG.sequence, malformed))],
    ['another tag inside', () => walk(seq(nul()), (s) => s.next('x', TAG.integer))],
    ['nothing left', () => walk(seq(), (s) => s.next('x'))],
    ['something left', () => walk(seq(nul()), (s) => s.end('x'))],
  ])('is malformed for %s', (_what, run) => {
    expect(codesOf(run())).toEqual(['X509_MALFORMED'])
  })
})
