import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeSnpReport, looksLikeSnpReport, type SnpReport } from '../../../src/attestation/sev-snp/decode.ts'
import { SNP_REPORT_LAYOUTS } from '../../../src/attestation/sev-snp/report-layout.ts'
import type { Code } from '../../../src/core/codes.ts'
import { toHex } from '../../../src/core/encodings.ts'
import type { AmdProduct } from '../../../src/core/trust-anchors.ts'
import { type SnpReportSpec, snpReport, testChipId } from '../../../src/testing/amd/index.ts'
import { ecKey } from '../../../src/testing/pki/keys.ts'

const signer = ecKey('P-384', 'decode')
const reportOf = (spec: Omit<SnpReportSpec, 'signer'> = {}): Uint8Array => snpReport({ signer, ...spec })
const decode = (bytes: Uint8Array) => decodeSnpReport(bytes, 'report')

function decoded(spec: Omit<SnpReportSpec, 'signer'> = {}): SnpReport {
  const outcome = decode(reportOf(spec))
  if (!outcome.ok) throw new TypeError(JSON.stringify(outcome.faults))
  return outcome.value.value
}

function codeOf(bytes: Uint8Array): Code | 'accepted' {
  const outcome = decode(bytes)
  return outcome.ok ? 'accepted' : outcome.faults[0].code
}

const VERSIONS = [2, 3, 4, 5] as const

describe('decodeSnpReport', () => {
  it('reads every field, and gives none that the report does not have', () => {
    const chipId = testChipId('Genoa', 'decode')
    const numbered = (size: number, first: number) => Uint8Array.from({ length: size }, (_, i) => (first + i) & 0xff)
    const tcb = (snp: number) => ({ bl: 1, tee: 2, snp, ucode: 4 })
    const report = decoded({
      guestSvn: 0x1000b,
      familyId: numbered(16, 1),
      imageId: numbered(16, 2),
      vmpl: 3,
      reportData: numbered(64, 3),
      measurement: numbered(48, 4),
      hostData: numbered(32, 5),
      idKeyDigest: numbered(48, 6),
      authorKeyDigest: numbered(48, 7),
      authorKeyEn: true,
      reportId: numbered(32, 8),
      reportIdMa: numbered(32, 9),
      currentTcb: tcb(40),
      reportedTcb: tcb(30),
      committedTcb: tcb(35),
      launchTcb: tcb(25),
      chipId,
      currentMajor: 1,
      currentMinor: 55,
      currentBuild: 40,
      committedMajor: 1,
      committedMinor: 54,
      committedBuild: 39,
      launchMitVector: 0x0bn,
      currentMitVector: 0x8000000000000001n,
    })
    const { signedBytes, signature, policy, platformInfo, ...fields } = report
    expect(fields).toEqual({
      version: 5,
      guestSvn: 0x1000b,
      familyId: numbered(16, 1),
      imageId: numbered(16, 2),
      vmpl: 3,
      reportData: numbered(64, 3),
      measurement: numbered(48, 4),
      hostData: numbered(32, 5),
      idKeyDigest: numbered(48, 6),
      authorKeyDigest: numbered(48, 7),
      authorKeyEnabled: true,
      maskChipKey: false,
      signingKey: 'vcek',
      reportId: numbered(32, 8),
      reportIdMa: numbered(32, 9),
      currentTcb: { fmc: undefined, bootloader: 1, tee: 2, snp: 40, microcode: 4 },
      reportedTcb: { fmc: undefined, bootloader: 1, tee: 2, snp: 30, microcode: 4 },
      committedTcb: { fmc: undefined, bootloader: 1, tee: 2, snp: 35, microcode: 4 },
      launchTcb: { fmc: undefined, bootloader: 1, tee: 2, snp: 25, microcode: 4 },
      cpuid: { family: 0x19, model: 0x11, stepping: 1 },
      product: 'Genoa',
      chipId,
      currentFirmware: { major: 1, minor: 55, build: 40 },
      committedFirmware: { major: 1, minor: 54, build: 39 },
      launchMitVector: 0x0bn,
      currentMitVector: 0x8000000000000001n,
    })
    expect(policy.debugAllowed).toBe(false)
    expect(platformInfo.eccEnabled).toBe(true)
    const bytes = reportOf({ chipId })
    const again = decode(bytes)
    expect(again.ok && toHex(again.value.value.signedBytes)).toBe(toHex(bytes.subarray(0, 672)))
    expect(signedBytes).toHaveLength(672)
    expect(signature).toHaveLength(96)
  })

  it('gives r and s big-endian, as the cryptographic port takes them', () => {
    const bytes = reportOf()
    const outcome = decode(bytes)
    if (!outcome.ok) throw new TypeError('refused')
    expect(toHex(outcome.value.value.signature)).toBe(toHex(signer.signRaw(bytes.subarray(0, 672), 'sha384')))
  })

  it('takes a copy, so that what is judged is what was decoded', () => {
    const bytes = reportOf()
    const outcome = decode(bytes)
    bytes.fill(0xee)
    expect(outcome.ok && outcome.value.value.vmpl === 0 && outcome.value.value.reportData.every((b) => b === 0)).toBe(
      true,
    )
    expect(outcome.ok && outcome.value.value.signedBytes[0]).toBe(5)
  })

  it('has CPUID from version 3 and mitigation vectors from version 5', () => {
    const seen = VERSIONS.map((version) => {
      const { cpuid, product, launchMitVector, currentMitVector } = decoded({ version })
      return [cpuid !== undefined, product !== undefined, launchMitVector !== undefined, currentMitVector !== undefined]
    })
    expect(seen).toEqual([
      [false, false, false, false],
      [true, true, false, false],
      [true, true, false, false],
      [true, true, true, true],
    ])
  })

  it('refuses every other length', () => {
    const bytes = reportOf()
    for (let length = 0; length < bytes.length; length++)
      expect(codeOf(bytes.subarray(0, length))).toBe('SNP_SIZE_MISMATCH')
    expect(codeOf(reportOf({ append: new Uint8Array(1) }))).toBe('SNP_SIZE_MISMATCH')
    expect(codeOf(new Uint8Array(100_000))).toBe('SNP_SIZE_MISMATCH')
    expect(codeOf(bytes)).toBe('accepted')
  })

  it('refuses every other version', () => {
    for (const version of [0, 1, 6, 7, 0x102, 0xffffffff]) {
      expect(codeOf(reportOf({ version }))).toBe('SNP_VERSION_UNSUPPORTED')
    }
    for (const version of VERSIONS) expect(codeOf(reportOf({ version }))).toBe('accepted')
  })

  const RESERVED_BYTES = { 2: 4 + 24 + 1 + 1 + 168 + 368, 3: 4 + 21 + 1 + 1 + 168 + 368, 4: 0, 5: 547 }
  RESERVED_BYTES[4] = RESERVED_BYTES[3]

  it.each(VERSIONS)('refuses every reserved byte of version %i that is set', (version) => {
    const bytes = reportOf({ version })
    let mutants = 0
    for (const [, field] of SNP_REPORT_LAYOUTS[version].ordered) {
      if (field.kind !== 'zero') continue
      for (let at = field.offset; at < field.offset + field.sizeBytes; at++, mutants++) {
        const mutant = Uint8Array.from(bytes)
        mutant[at] = 1 << (at % 8)
        expect(`${at}: ${codeOf(mutant)}`).toBe(`${at}: SNP_RESERVED_NOT_ZERO`)
      }
    }
    expect(mutants).toBe(RESERVED_BYTES[version])
  })

  it('refuses each of the 48 bytes above the numbers of the signature', () => {
    const bytes = reportOf()
    for (const start of [0x2d0, 0x318]) {
      for (let at = start; at < start + 24; at++) {
        const mutant = Uint8Array.from(bytes)
        mutant[at] = 0x80
        expect(codeOf(mutant)).toBe('SNP_SIGNATURE_NOT_CANONICAL')
      }
    }
  })

  it('refuses numbers of the signature outside 1 to n - 1, and takes the twin (r, n - s)', () => {
    for (const signature of ['r-zero', 's-zero', 'r-is-n', 's-is-n', 'zero'] as const) {
      expect(codeOf(reportOf({ signature }))).toBe('SNP_SIGNATURE_RANGE')
    }
    expect(codeOf(reportOf({ signature: 's-negated' }))).toBe('accepted')
  })

  it('refuses every signature algorithm but 1', () => {
    for (const signatureAlgo of [0, 2, 3, 0x101, 0xffffffff]) {
      expect(codeOf(reportOf({ signatureAlgo }))).toBe('SNP_SIGNATURE_ALGORITHM')
    }
  })

  it('knows a report that the host requested from one at a VMPL that does not exist', () => {
    expect([0, 1, 2, 3].map((vmpl) => decoded({ vmpl }).vmpl)).toEqual([0, 1, 2, 3])
    expect(codeOf(reportOf({ vmpl: 0xffffffff }))).toBe('SNP_HOST_REQUESTED')
    for (const vmpl of [4, 0xff, 0xfffffffe]) expect(codeOf(reportOf({ vmpl }))).toBe('SNP_VMPL_MISMATCH')
  })

  it('takes the signing keys VCEK and VLEK only', () => {
    expect([0, 1].map((signingKey) => decoded({ signingKey }).signingKey)).toEqual(['vcek', 'vlek'])
    for (const signingKey of [2, 3, 4, 5, 6, 7]) expect(codeOf(reportOf({ signingKey }))).toBe('SNP_SIGNER_UNSUPPORTED')
  })

  it('refuses bits 31:5 of the key information, and reads bits 0 and 1', () => {
    for (let n = 5; n < 32; n++) expect(codeOf(reportOf({ keyInfo: 2 ** n }))).toBe('SNP_RESERVED_NOT_ZERO')
    const { authorKeyEnabled, maskChipKey } = decoded({ keyInfo: 3 })
    expect([authorKeyEnabled, maskChipKey]).toEqual([true, true])
  })

  it('refuses an author key digest where no author key was used', () => {
    const authorKeyDigest = new Uint8Array(48).fill(1)
    expect(codeOf(reportOf({ authorKeyDigest }))).toBe('SNP_REPORT_MALFORMED')
    expect(codeOf(reportOf({ authorKeyDigest, authorKeyEn: true }))).toBe('accepted')
  })

  it('reads each bit of the guest policy alone', () => {
    const bits = {
      16: 'smtAllowed',
      18: 'migrationAgentAllowed',
      19: 'debugAllowed',
      20: 'singleSocketRequired',
      21: 'cxlAllowed',
      22: 'memAes256XtsRequired',
      23: 'raplDisabledRequired',
      24: 'ciphertextHidingRequired',
      25: 'pageSwapDisabled',
    } as const
    for (const [n, name] of Object.entries(bits)) {
      const { abiMajor, abiMinor, ...flags } = decoded({ policy: 0x20000 + 2 ** Number(n) }).policy
      const set = Object.entries(flags).flatMap(([flag, on]) => (on ? [flag] : []))
      expect(set).toEqual([name])
      expect([abiMajor, abiMinor]).toEqual([0, 0])
    }
    const { abiMajor, abiMinor } = decoded({ policy: 0x2013a }).policy
    expect([abiMajor, abiMinor]).toEqual([1, 0x3a])
  })

  it('demands bit 17 of the guest policy and refuses bits 63:26', () => {
    expect(codeOf(reportOf({ policy: 0x10000 }))).toBe('SNP_POLICY_RESERVED_BIT')
    for (let n = 26n; n < 64n; n++) {
      expect(codeOf(reportOf({ policy: 0x20000n | (1n << n) }))).toBe('SNP_POLICY_RESERVED_BIT')
    }
  })

  it('reads each bit of the platform information alone, and passes on those without meaning', () => {
    const names = [
      ...['smtEnabled', 'tsmeEnabled', 'eccEnabled', 'raplDisabled', 'ciphertextHidingDramEnabled'],
      ...['aliasCheckComplete', 'iommuWriteSafe', 'sevTioEnabled'],
    ]
    for (const [n, name] of names.entries()) {
      const { unknownBits, ...flags } = decoded({ platformInfo: 2 ** n }).platformInfo
      expect(Object.entries(flags).flatMap(([flag, on]) => (on ? [flag] : []))).toEqual([name])
      expect(unknownBits).toBe('0')
    }
    expect(decoded({ platformInfo: 0x125 }).platformInfo.unknownBits).toBe('100')
    expect(decoded({ platformInfo: 0x8000000000000001n }).platformInfo.unknownBits).toBe('8000000000000000')
  })

  it.each([
    ['Milan', 0x19, 0x00],
    ['Milan', 0x19, 0x0f],
    ['Genoa', 0x19, 0x10],
    ['Genoa', 0x19, 0x1f],
    ['Genoa', 0x19, 0xa0],
    ['Genoa', 0x19, 0xaf],
    ['Turin', 0x1a, 0x00],
    ['Turin', 0x1a, 0x11],
    [undefined, 0x19, 0x20],
    [undefined, 0x19, 0x9f],
    [undefined, 0x19, 0xb0],
    [undefined, 0x1a, 0x12],
    [undefined, 0x1a, 0x50],
    [undefined, 0x1b, 0x00],
    [undefined, 0x00, 0x00],
  ] as [AmdProduct | undefined, number, number][])(
    'takes %s from family %i, model %i',
    (product, cpuidFamId, cpuidModId) => {
      const bytes = reportOf({ ...(product === undefined ? {} : { product }), cpuidFamId, cpuidModId })
      const outcome = decode(bytes)
      if (product === undefined) expect(codeOf(bytes)).toBe('SNP_PRODUCT_MISMATCH')
      else expect(outcome.ok && outcome.value.value.product).toBe(product)
    },
  )

  it('reads the TCB in the layout of the product and refuses bytes that it does not use', () => {
    expect(decoded({ product: 'Turin', tcb: { fmc: 1, bl: 2, tee: 3, snp: 4, ucode: 81 } }).reportedTcb).toEqual({
      ...{ fmc: 1, bootloader: 2, tee: 3, snp: 4, microcode: 81 },
    })
    const used = { Milan: [0, 1, 6, 7], Genoa: [0, 1, 6, 7], Turin: [0, 1, 2, 3, 7] } as const
    for (const [product, indexes] of Object.entries(used) as [AmdProduct, readonly number[]][]) {
      for (const field of ['currentTcb', 'reportedTcb', 'committedTcb', 'launchTcb'] as const) {
        for (let i = 0; i < 8; i++) {
          // All used bytes set, so that the bytes as a whole fit no other product.
          const tcb = Uint8Array.from({ length: 8 }, (_, at) => (indexes.includes(at) || at === i ? 1 : 0))
          const expected = indexes.includes(i) ? 'accepted' : 'SNP_RESERVED_NOT_ZERO'
          expect(`${field}[${i}] ${codeOf(reportOf({ product, [field]: tcb }))}`).toBe(`${field}[${i}] ${expected}`)
        }
      }
    }
  })

  it('names a TCB in the layout of another product as a contradiction of the product', () => {
    const genoa = Uint8Array.of(11, 1, 0, 0, 0, 0, 28, 88)
    const turin = Uint8Array.of(1, 1, 1, 4, 0, 0, 0, 81)
    expect(codeOf(reportOf({ product: 'Turin', reportedTcb: genoa }))).toBe('SNP_PRODUCT_MISMATCH')
    expect(codeOf(reportOf({ product: 'Genoa', reportedTcb: turin }))).toBe('SNP_PRODUCT_MISMATCH')
    expect(codeOf(reportOf({ product: 'Genoa', reportedTcb: genoa }))).toBe('accepted')
  })

  it('refuses version 2 with a chip id of eight bytes, but not with a masked one', () => {
    const eight = new Uint8Array(64).fill(9, 0, 8)
    expect(codeOf(reportOf({ version: 2, chipId: eight }))).toBe('SNP_PRODUCT_MISMATCH')
    expect(codeOf(reportOf({ version: 2, chipId: new Uint8Array(64) }))).toBe('accepted')
    expect(codeOf(reportOf({ version: 3, product: 'Turin', chipId: eight }))).toBe('accepted')
  })

  it('answers any bytes with an outcome', () => {
    const report = reportOf()
    const mutated = fc
      .array(fc.tuple(fc.nat(1183), fc.nat(255)), { maxLength: 12 })
      .map((edits) => edits.reduce((bytes, [at, value]) => bytes.with(at, value), report))
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 1300 })), (bytes) => {
        expect(typeof decode(bytes).ok).toBe('boolean')
        expect(typeof looksLikeSnpReport(bytes)).toBe('boolean')
      }),
      { numRuns: 2000, seed: 1 },
    )
  })
})

describe('looksLikeSnpReport', () => {
  it('knows reports by length or by their beginning, so that a cut one is named as what it is', () => {
    const report = reportOf()
    expect(looksLikeSnpReport(report)).toBe(true)
    expect(looksLikeSnpReport(reportOf({ version: 6 }))).toBe(true)
    expect(looksLikeSnpReport(report.subarray(0, 1000))).toBe(true)
    expect(looksLikeSnpReport(reportOf({ append: new Uint8Array(20) }))).toBe(true)
  })

  it('leaves other bytes alone', () => {
    const others = [
      new Uint8Array(),
      new Uint8Array(3),
      Uint8Array.of(0x11, 0xe0, 0, 0, ...new Uint8Array(1180)), // SPDM
      Uint8Array.of(4, 0, 2, 0, 0x81, ...new Uint8Array(5000)), // TDX quote
      Uint8Array.of(0x30, 0x82, 5, 0x40, ...new Uint8Array(1340)), // certificate
      new TextEncoder().encode('{"report":"..."}'),
    ]
    expect(others.map(looksLikeSnpReport)).toEqual(others.map(() => false))
    expect(looksLikeSnpReport(reportOf({ version: 6, append: new Uint8Array(20) }))).toBe(false)
  })
})
