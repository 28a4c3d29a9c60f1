import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, latin1, utf8 } from '../../src/core/bytes.ts'
import { CODES } from '../../src/core/codes.ts'
import { ecdsaRawFromDer, isUncompressedPoint } from '../../src/core/crypto/ecdsa.ts'
import { decodeDer } from '../../src/core/der.ts'
import { fromBase64, fromHex, fromUtf8 } from '../../src/core/encodings.ts'
import { parseJson } from '../../src/core/json.ts'
import { bytes, decodeLayout, layout, zero } from '../../src/core/layout.ts'
import type { NonEmpty, Outcome } from '../../src/core/outcome.ts'
import { decodePem, looksLikePem } from '../../src/core/pem.ts'
import { parseRfc3339 } from '../../src/core/time.ts'
import { type Certificate, decodeCertificate } from '../../src/core/x509/certificate.ts'
import { authenticateCrl, type CrlIssuer, decodeCrl } from '../../src/core/x509/crl.ts'
import { authenticateOcsp, decodeOcsp, findOcspSingle } from '../../src/core/x509/ocsp.ts'
import { orderPath, validatePath } from '../../src/core/x509/path.ts'
import { pem } from '../../src/testing/pki/certificate.ts'
import { crl } from '../../src/testing/pki/crl.ts'
import { nul, octets, oid, raw, seq } from '../../src/testing/pki/der.ts'
import { NONCE, ocsp, SUBJECT } from './x509/ocsp-pki.ts'
import { ANCHOR, certificateOf, contextAt, decoded, FROM, KEYS, NAMES, PROFILE, TO } from './x509/pki.ts'

const SIZE = 64 * 1024

const TABLE = layout('HOSTILE', SIZE, { head: bytes(0, 16), reserved: zero(16, SIZE - 16) })

/** Everything in core that reads bytes or text of the world. */
const DECODERS: readonly (readonly [string, (input: Uint8Array) => unknown])[] = [
  ['decodeDer', (b) => decodeDer(b, 'x')],
  ['decodeCertificate', (b) => decodeCertificate(b, 'x')],
  ['decodeCrl', (b) => decodeCrl(b, 'x')],
  ['decodeOcsp', (b) => decodeOcsp(b, 'x')],
  ['decodePem', (b) => decodePem(b, 'x')],
  ['looksLikePem', looksLikePem],
  ['parseJson', (b) => parseJson(latin1(b), 'x')],
  ['fromUtf8', (b) => fromUtf8(b, 'x')],
  ['fromBase64', (b) => fromBase64(latin1(b), 'x')],
  ['fromHex', (b) => fromHex(latin1(b), b.length >> 1, 'x')],
  ['parseRfc3339', (b) => parseRfc3339(latin1(b))],
  ['ecdsaRawFromDer', (b) => ecdsaRawFromDer('P-384', b)],
  ['isUncompressedPoint', (b) => isUncompressedPoint('P-384', b)],
  [
    'decodeLayout',
    (b) => decodeLayout(TABLE, b, 'x', { size: 'SNP_SIZE_MISMATCH', reserved: 'SNP_RESERVED_NOT_ZERO' }),
  ],
]

const filled = (pattern: Uint8Array): Uint8Array => {
  const out = new Uint8Array(SIZE)
  for (let at = 0; at < SIZE; at += pattern.length) out.set(pattern.subarray(0, SIZE - at), at)
  return out
}
const repeated = (text: string): Uint8Array => filled(utf8(text))
/** One element whose content is the pattern over and over, about 64 KiB in all. */
const full = (tag: number, part: Uint8Array): Uint8Array =>
  raw(tag, concatBytes(...Array.from({ length: Math.floor((SIZE - 8) / part.length) }, () => part)))

function nested(inside: Uint8Array, levels: number): Uint8Array {
  let der = inside
  for (let i = 0; i < levels; i++) der = seq(der)
  return der
}

/** Numbers that are the same in every run. */
function noise(seed: number): Uint8Array {
  let state = seed
  return Uint8Array.from({ length: SIZE }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
}

const [root, leaf] = [certificateOf('root'), certificateOf('leaf')]
const bigCertificate = certificateOf('leaf', { padding: 60_000 })
const list = crl({
  issuer: NAMES.root,
  signer: KEYS.root,
  thisUpdate: FROM,
  nextUpdate: TO,
  revoked: [{ serial: 1, date: FROM }],
})
const answer = ocsp()

const HOSTILE: readonly (readonly [string, Uint8Array])[] = [
  ...[1, 2, 3].map((seed) => [`noise ${seed}`, noise(seed)] as const),
  ...[0x00, 0x24, 0x30, 0x31, 0x80, 0xa0, 0xbf, 0xff].map(
    (byte) => [`all 0x${byte.toString(16)}`, filled(Uint8Array.of(byte))] as const,
  ),
  ['indefinite lengths', filled(Uint8Array.of(0x30, 0x80))],
  ['lengths of 4 GiB', filled(Uint8Array.of(0x30, 0x84, 0xff, 0xff, 0xff, 0xff))],
  ['many NULLs', full(0x30, nul())],
  ['many empty SEQUENCEs', full(0x30, seq())],
  ['many NULLs, 30 levels deep', nested(full(0x30, nul()), 30)],
  ['many OIDs', full(0x30, oid('1.3.6.1.4.1.3704.1.4'))],
  ['one long OID', raw(6, filled(Uint8Array.of(0x81)))],
  ['one long INTEGER', raw(2, filled(Uint8Array.of(0x7f)))],
  ['one long BIT STRING', raw(3, filled(Uint8Array.of(0)))],
  ['one long date', seq(seq(raw(0x17, filled(Uint8Array.of(0x30)))))],
  [
    'two long integers',
    seq(
      raw(2, filled(Uint8Array.of(0x7f)).subarray(0, SIZE / 2)),
      raw(2, filled(Uint8Array.of(0x7f)).subarray(0, SIZE / 2)),
    ),
  ],
  ['a certificate of 60 KB', bigCertificate],
  ['a certificate over and over', filled(leaf)],
  ['certificates in a SEQUENCE', full(0x30, leaf)],
  ['a list over and over', filled(list)],
  ['an answer over and over', filled(answer)],
  [
    'a certificate of many names',
    certificateOf('leaf', { subject: full(0x30, raw(0x31, seq(oid('2.5.4.3'), raw(0x0c, utf8('x'))))) }),
  ],
  [
    'a certificate of many extensions',
    certificateOf('leaf', { extensions: Array.from({ length: 4000 }, (_, i) => seq(oid(`1.2.${i}`), octets(nul()))) }),
  ],
  ['PEM over and over', repeated(pem(leaf))],
  ['PEM beginnings', repeated('-----BEGIN CERTIFICATE-----\n')],
  ['PEM of short blocks', repeated('-----BEGIN A-----\nAA==\n-----END A-----\n')],
  ['PEM without end', concatBytes(utf8('-----BEGIN A-----\n'), repeated('AAAA\n')).subarray(0, SIZE)],
  ['PEM of dashes', repeated('-')],
  ['brackets', repeated('[')],
  ['braces', repeated('{"a":')],
  ['many empty arrays', concatBytes(utf8('['), repeated('[],').subarray(0, SIZE - 3), utf8('1]'))],
  ['many equal keys', concatBytes(utf8('{'), repeated('"a":1,').subarray(0, SIZE - 2))],
  ['many keys', utf8(`{${Array.from({ length: 6000 }, (_, i) => `"${i}":1`).join(',')}}`)],
  ['a long number', repeated('1')],
  ['a long string of escapes', concatBytes(utf8('"'), repeated('\\u0041').subarray(0, SIZE - 2), utf8('"'))],
  ['quotes', repeated('"')],
  ['quotes and backslashes', repeated('"\\')],
  ['white space', repeated(' \n\t\r')],
  ['hexadecimal', repeated('af')],
  ['base64', repeated('AQID')],
  ['padding', repeated('=')],
  ['dates', repeated('2026-01-01T00:00:00Z')],
  ['cut UTF-8', filled(Uint8Array.of(0xe2, 0x82))],
  ['overlong UTF-8', filled(Uint8Array.of(0xc0, 0xaf))],
]

describe('64 KiB of anything', () => {
  it('is about 64 KiB', () => {
    expect(HOSTILE.filter(([, b]) => b.length < 32 * 1024 || b.length > 96 * 1024).map(([what]) => what)).toEqual([])
  })

  it.each(DECODERS)('costs %s less than a second in total, and no exception', (_name, decode) => {
    const start = process.cpuUsage()
    for (const [what, input] of HOSTILE) {
      try {
        decode(input)
      } catch (error) {
        throw new Error(`thrown for ${what}: ${String(error)}`)
      }
    }
    const { user, system } = process.cpuUsage(start)
    expect((user + system) / 1e6).toBeLessThan(1)
  })

  it('leaves fault texts short', () => {
    for (const [, decode] of DECODERS) {
      for (const [what, input] of HOSTILE) {
        const outcome = decode(input)
        if (!isFailure(outcome)) continue
        for (const f of outcome.faults)
          expect([what, JSON.stringify(f).length < 12_000, f.code in CODES]).toEqual([what, true, true])
      }
    }
  })
})

const isFailure = (o: unknown): o is Extract<Outcome<never>, { ok: false }> =>
  typeof o === 'object' && o !== null && 'faults' in o

/** Bytes near something well formed: flipped, cut, spliced, repeated. */
const near = (originals: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      fc.constantFrom(...originals),
      fc.constantFrom(...originals),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom('set', 'cut', 'insert', 'delete', 'splice'), fc.nat(255)), {
        minLength: 1,
        maxLength: 4,
      }),
    )
    .map(([original, other, edits]) =>
      edits.reduce((b, [where, edit, value]) => {
        const at = b.length === 0 ? 0 : where % b.length
        if (edit === 'set') return b.length === 0 ? b : b.with(at, value)
        if (edit === 'cut') return b.slice(0, at)
        if (edit === 'insert') return concatBytes(b.subarray(0, at), Uint8Array.of(value), b.subarray(at))
        if (edit === 'delete') return concatBytes(b.subarray(0, at), b.subarray(at + 1 + (value % 8)))
        return concatBytes(
          b.subarray(0, at),
          other.subarray(where % (other.length + 1), (where % (other.length + 1)) + value),
          b.subarray(at),
        )
      }, original),
    )

describe('bytes near something well formed', () => {
  it('never make a decoder throw', () => {
    const text = [pem(leaf), '{"a":[1,2.5e3,"x\\u00e9\\n",{"b":null}],"c":true}', '2026-01-01T00:00:00Z'].map(utf8)
    const input = near([root, leaf, list, answer, ...text])
    fc.assert(
      fc.property(input, (b) => {
        for (const [, decode] of DECODERS) decode(b)
      }),
      { numRuns: 1500 },
    )
  })

  it('never make a check throw, and never pass one: what was signed is every byte', async () => {
    const context = () => contextAt()
    const { publicKey } = decoded(root)
    const issuer: CrlIssuer = { subject: NAMES.root, publicKey, algorithms: ['ES384'], maySignCrls: true }
    await fc.assert(
      fc.asyncProperty(near([leaf]), near([list]), near([answer]), async (certificateBytes, listBytes, answerBytes) => {
        const certificate = decodeCertificate(certificateBytes, 'c')
        if (certificate.ok && Buffer.compare(certificate.value.tbs, decoded(leaf).tbs) !== 0) {
          const offered = [decoded(certificateOf('sub')), decoded(certificateOf('top'))]
          const ordered: NonEmpty<Certificate> = orderPath(certificate.value, offered)
          expect((await validatePath(context(), 'evidence', ordered, [], [ANCHOR], PROFILE, 'p')).ok).toBe(false)
        }
        const revocations = decodeCrl(listBytes, 'l')
        if (revocations.ok && Buffer.compare(revocations.value.tbs, VALID_LIST) !== 0) {
          expect((await authenticateCrl(context(), 'collateral', revocations.value, issuer, 'l')).ok).toBe(false)
        }
        const response = decodeOcsp(answerBytes, 'o')
        if (response.ok) {
          await findOcspSingle(context(), response.value, SUBJECT)
          const outcome = await authenticateOcsp(context(), 'collateral', response.value, SUBJECT, NONCE, 'o')
          if (outcome.ok) expect(response.value.tbs).toEqual(VALID_ANSWER)
        }
      }),
      { numRuns: 600 },
    )
  })
})

const VALID_LIST = (() => {
  const outcome = decodeCrl(list, 'l')
  return outcome.ok ? outcome.value.tbs : new Uint8Array()
})()
const VALID_ANSWER = (() => {
  const outcome = decodeOcsp(answer, 'o')
  return outcome.ok ? outcome.value.tbs : new Uint8Array()
})()
