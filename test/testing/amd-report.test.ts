import { createPublicKey, verify } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { isZero, reversed } from '../../src/core/bytes.ts'
import { toHex } from '../../src/core/encodings.ts'
import {
  certificateTable,
  chosenKey,
  SNP_REPORT_BYTES,
  SNP_REPORT_FIELDS,
  SNP_SIGNED_BYTES,
  type SnpReportSpec,
  type SnpSignature,
  snpReport,
  snpReportBody,
  TABLE_GUID,
  tcbVersion,
} from '../../src/testing/amd/index.ts'
import { ecKey, type TestKey } from '../../src/testing/pki/keys.ts'

const signer = ecKey('P-384', 'report test')
const N = 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n

const make = (over: Partial<SnpReportSpec> = {}): Uint8Array => snpReport({ signer, ...over })
const component = (report: Uint8Array, at: number): Uint8Array => reversed(report.subarray(at, at + 48))
const asNumber = (report: Uint8Array, at: number): bigint => BigInt(`0x${toHex(component(report, at))}`)

/** What a verifier does that ignores everything but the low 48 bytes of each component. */
function verifies(report: Uint8Array, key: TestKey = signer): boolean {
  const publicKey = createPublicKey({ key: Buffer.from(key.spki), format: 'der', type: 'spki' })
  const raw = Buffer.concat([component(report, 0x2a0), component(report, 0x2e8)])
  return verify('sha384', report.subarray(0, SNP_SIGNED_BYTES), { key: publicKey, dsaEncoding: 'ieee-p1363' }, raw)
}

describe('SNP_REPORT_FIELDS', () => {
  it('names fields in rising order that do not overlap and stay inside the signed part', () => {
    let end = 0
    for (const [offset, size] of Object.values(SNP_REPORT_FIELDS)) {
      expect(offset).toBeGreaterThanOrEqual(end)
      end = offset + size
    }
    expect(end).toBeLessThanOrEqual(SNP_SIGNED_BYTES)
  })

  it('leaves exactly the reserved bytes of version 5 unnamed', () => {
    const named = Object.values(SNP_REPORT_FIELDS).reduce((sum, [, size]) => sum + size, 0)
    expect(SNP_SIGNED_BYTES - named).toBe(4 + 21 + 1 + 1 + 152)
  })
})

describe('snpReport', () => {
  it('is 1184 bytes, the same every time, and verifies with node:crypto', () => {
    expect(make().length).toBe(SNP_REPORT_BYTES)
    expect(make()).toEqual(make())
    expect(verifies(make())).toBe(true)
    expect(isZero(make().subarray(0x2d0, 0x2e8))).toBe(true)
    expect(isZero(make().subarray(0x318))).toBe(true)
  })

  it('describes a Genoa machine in good order unless told otherwise', () => {
    const report = make()
    const view = new DataView(report.buffer)
    expect({
      version: view.getUint32(0, true),
      policy: view.getBigUint64(8, true),
      vmpl: view.getUint32(0x30, true),
      signatureAlgo: view.getUint32(0x34, true),
      platformInfo: view.getBigUint64(0x40, true),
      keyInfo: view.getUint32(0x48, true),
      cpuid: [...report.subarray(0x188, 0x18b)],
      mitVectors: [view.getBigUint64(0x1f8, true), view.getBigUint64(0x200, true)],
    }).toEqual({
      version: 5,
      policy: 0x30000n,
      vmpl: 0,
      signatureAlgo: 1,
      platformInfo: 0x25n,
      keyInfo: 0,
      cpuid: [0x19, 0x11, 1],
      mitVectors: [0x3fn, 0x3fn],
    })
    const tcbs = [0x38, 0x180, 0x1e0, 0x1f0].map((at) => toHex(report.subarray(at, at + 8)))
    expect(new Set(tcbs)).toEqual(new Set(['0b01000000001c58']))
  })

  it.each([
    [2, 0, 0],
    [3, 0x19, 0],
    [4, 0x19, 0],
    [5, 0x19, 0x3f],
  ])('version %i has CPU family %i and mitigation vector %i', (version, family, vector) => {
    const report = make({ version })
    expect([report[0], report[0x188], report[0x1f8]]).toEqual([version, family, vector])
    expect(verifies(report)).toBe(true)
  })

  it('writes a field that is given even where its version reserves the bytes', () => {
    expect(make({ version: 2, cpuidFamId: 0x19 })[0x188]).toBe(0x19)
    expect(make({ version: 3, currentMitVector: 1n })[0x200]).toBe(1)
  })

  it.each(Object.entries(SNP_REPORT_FIELDS))(
    'writes %s at its offset and nowhere else',
    (name, [offset, size, kind]) => {
      const bytes = Uint8Array.from({ length: size }, (_, i) => 0x80 + i)
      const value = kind === 'number' ? BigInt(`0x${toHex(reversed(bytes))}`) : bytes
      const other = make({ [name]: name === 'version' ? Number(value) : value })
      // Another version has other defaults; everything else may change the signature and its own bytes only.
      const base = name === 'version' ? make({ version: 99 }) : make()
      expect(other.subarray(offset, offset + size)).toEqual(bytes)
      const rest = (report: Uint8Array) => report.slice(0, SNP_SIGNED_BYTES).fill(0, offset, offset + size)
      expect(toHex(rest(other))).toBe(toHex(rest(base)))
      expect(verifies(other)).toBe(true)
    },
  )

  it('composes the key information from its parts', () => {
    const info = (over: Partial<SnpReportSpec>) => new DataView(make(over).buffer).getUint32(0x48, true)
    expect(info({ authorKeyEn: true })).toBe(1)
    expect(info({ maskChipKey: true })).toBe(2)
    expect(info({ signingKey: 7 })).toBe(7 << 2)
    expect(info({ keyInfo: 0x25, signingKey: 1 })).toBe(0x25)
  })

  it('lays TCBs out as the product does', () => {
    const tcb = { fmc: 1, bl: 2, tee: 3, snp: 4, ucode: 5 }
    expect(toHex(tcbVersion('Turin', tcb))).toBe('0102030400000005')
    expect(toHex(tcbVersion('Genoa', tcb))).toBe('0203000000000405')
    expect(toHex(tcbVersion('Milan', tcb))).toBe('0203000000000405')
    expect(toHex(make({ product: 'Turin', tcb }).subarray(0x180, 0x188))).toBe('0102030400000005')
  })

  it('patches before signing and tampers after it', () => {
    const patched = make({ patch: [{ offset: 0x4c, bytes: [1] }] })
    const tampered = make({ tamper: [{ offset: 0x4c, bytes: [1] }] })
    expect([patched[0x4c], tampered[0x4c]]).toEqual([1, 1])
    expect([verifies(patched), verifies(tampered)]).toEqual([true, false])
  })

  it('may be cut or carry bytes behind it', () => {
    expect(make({ truncate: 671 })).toEqual(make().subarray(0, 671))
    expect(make({ append: Uint8Array.of(9) }).at(-1)).toBe(9)
    expect(make({ append: Uint8Array.of(9) }).length).toBe(1185)
  })

  it('refuses values that do not fit their field', () => {
    expect(() => make({ reportData: new Uint8Array(63) })).toThrow(TypeError)
    expect(() => make({ vmpl: 2 ** 32 })).toThrow(TypeError)
    expect(() => make({ vmpl: -1 })).toThrow(TypeError)
    expect(() => make({ product: 'Turin', tcb: { bl: 1, tee: 1, snp: 1, ucode: 1 } })).toThrow(TypeError)
    expect(() => make({ tcb: { bl: 256, tee: 1, snp: 1, ucode: 1 } })).toThrow(TypeError)
    expect(() => make({ patch: [{ offset: SNP_SIGNED_BYTES, bytes: [1] }] })).toThrow(RangeError)
  })
})

describe('signature block', () => {
  const signed = (signature: SnpSignature) => make({ signature })
  const [r, s] = [asNumber(make(), 0x2a0), asNumber(make(), 0x2e8)]

  it.each<[SnpSignature, bigint, bigint, boolean]>([
    ['valid', r, s, true],
    ['zero', 0n, 0n, false],
    ['r-zero', 0n, s, false],
    ['s-zero', r, 0n, false],
    ['r-is-n', N, s, false],
    ['s-is-n', r, N, false],
    ['s-negated', r, N - s, true],
  ])('%s', (signature, expectedR, expectedS, isValid) => {
    const report = signed(signature)
    expect([asNumber(report, 0x2a0), asNumber(report, 0x2e8)]).toEqual([expectedR, expectedS])
    expect(verifies(report)).toBe(isValid)
    expect(report.subarray(0, SNP_SIGNED_BYTES)).toEqual(make().subarray(0, SNP_SIGNED_BYTES))
  })

  it.each<[SnpSignature, number]>([
    ['r-high-byte', 0x2a0 + 60],
    ['s-high-byte', 0x2e8 + 60],
    ['tail-byte', 0x2a0 + 200],
  ])('%s sets one byte outside a signature that stays valid', (signature, offset) => {
    const report = signed(signature)
    const plain = make()
    const changed = [...report.keys()].filter((i) => report[i] !== plain[i])
    expect(changed).toEqual([offset])
    expect(verifies(report)).toBe(true)
  })

  it('big-endian is the valid signature the other way round', () => {
    const report = signed('big-endian')
    expect(BigInt(`0x${toHex(report.subarray(0x2a0, 0x2d0))}`)).toBe(r)
    expect(BigInt(`0x${toHex(report.subarray(0x2e8, 0x318))}`)).toBe(s)
    expect(verifies(report)).toBe(false)
  })
})

describe('chosenKey', () => {
  const body = snpReportBody({})
  const key = chosenKey(body)
  const small = snpReport({ signer: key })

  it('fits a small valid signature over its message', () => {
    expect(verifies(small, key)).toBe(true)
    expect(asNumber(small, 0x2a0) < 2n ** 184n).toBe(true)
    expect(asNumber(small, 0x2e8) < 2n ** 184n).toBe(true)
    expect(chosenKey(body).spki).toEqual(key.spki)
  })

  it.each(['r', 's'] as const)('leaves room for %s + n in the 48 bytes', (which) => {
    const offset = which === 'r' ? 0x2a0 : 0x2e8
    const report = snpReport({ signer: key, signature: `${which}-plus-n` })
    expect(asNumber(report, offset)).toBe(asNumber(small, offset) + N)
    expect(isZero(report.subarray(offset + 48, offset + 72))).toBe(true)
    expect(verifies(report, key)).toBe(false)
  })

  it('cannot sign anything else', () => {
    expect(() => key.signRaw(Uint8Array.of(1))).toThrow(TypeError)
    expect(() => key.sign(Uint8Array.of(1))).toThrow(TypeError)
  })

  it('signs as X.509 does, too', () => {
    const publicKey = createPublicKey({ key: Buffer.from(key.spki), format: 'der', type: 'spki' })
    expect(verify('sha384', body, publicKey, key.sign(body))).toBe(true)
  })
})

describe('certificateTable', () => {
  const entries = [
    { kind: 'ASK', body: Uint8Array.of(1, 2, 3) },
    { guid: '00112233-4455-6677-8899-aabbccddeeff', body: Uint8Array.of(4) },
  ] as const

  it('has a header of true offsets and lengths, a zero entry, and the bodies', () => {
    const table = certificateTable(entries)
    expect(toHex(table)).toBe(
      `${TABLE_GUID.ASK.replaceAll('-', '')}4800000003000000` +
        '00112233445566778899aabbccddeeff4b00000001000000' +
        `${'00'.repeat(24)}01020304`,
    )
  })

  it('lies on request', () => {
    const view = (options: Parameters<typeof certificateTable>[1]) =>
      new DataView(certificateTable(entries, options).buffer)
    expect(view({ offset: { 1: 0xfffffff0 } }).getUint32(40, true)).toBe(0xfffffff0)
    expect(view({ length: { 0: 77 } }).getUint32(20, true)).toBe(77)
    expect(view({ withoutTerminator: true }).byteLength).toBe(52)
    expect(view({ withoutTerminator: true }).getUint32(16, true)).toBe(48)
    expect(view({ truncate: 30 }).byteLength).toBe(30)
    expect(view({ append: new Uint8Array(4) }).byteLength).toBe(80)
    expect(() => certificateTable([{ guid: 'nonsense', body: new Uint8Array() }])).toThrow(TypeError)
  })
})
