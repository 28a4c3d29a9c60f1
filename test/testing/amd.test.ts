import 'reflect-metadata'
import { constants, createHash, createPublicKey, type KeyObject, verify, webcrypto, X509Certificate } from 'node:crypto'
import * as x509 from '@peculiar/x509'
import forge from 'node-forge'
import { describe, expect, it } from 'vitest'
import { reversed } from '../../src/core/bytes.ts'
import { toHex } from '../../src/core/encodings.ts'
import {
  AMD_FAULTS,
  AMD_NAMES,
  type AmdFault,
  type AmdMachine,
  type AmdMachineOptions,
  amdMachine,
  createAmdTestPki,
  LEAF_OID,
  SNP_SIGNED_BYTES,
} from '../../src/testing/amd/index.ts'
import { tlvAt, tlvsIn } from '../../src/testing/pki/der.ts'
import { describeEvidence, evidenceJson } from '../support/evidence.ts'

x509.cryptoProvider.set(webcrypto as never)

const PRODUCTS = ['Milan', 'Genoa', 'Turin'] as const
const KINDS = ['VCEK', 'VLEK'] as const
const FAULTS = Object.keys(AMD_FAULTS) as AmdFault[]
const AT = '2026-08-01T00:00:00Z'
const SEED = 'amd test'

/** SHA-256 of one machine. Where it changes, every fixture and golden vector made by the kit changes. */
const GOLDEN = 'f60c291ddb635c44f0403e7a769319162feba370e033cb64d8e1812ee006939b'

const parse = (der: Uint8Array): x509.X509Certificate => new x509.X509Certificate(der as Uint8Array<ArrayBuffer>)
const spkiKey = (spki: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
const sha256 = (...parts: readonly Uint8Array[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

/** Body and signature of a certificate or list, cut out without looking at the algorithms. */
function signedParts(der: Uint8Array): { readonly tbs: Uint8Array; readonly signature: Uint8Array } {
  const [tbs, , signature] = tlvsIn(tlvAt(der, 0).content)
  if (tbs === undefined || signature === undefined) throw new TypeError('not a signed object')
  return { tbs, signature: tlvAt(signature, 0).content.subarray(1) }
}

/** RSASSA-PSS, SHA-384, salt 48, as AMD signs everything. */
function signedBy(der: Uint8Array, key: KeyObject): boolean {
  const { tbs, signature } = signedParts(der)
  return verify('sha384', tbs, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 }, signature)
}

function reportVerifies({ report, vekKey }: AmdMachine): boolean {
  const size = vekKey.kind === 'P-384' ? 48 : 32
  const raw = Buffer.concat([0x2a0, 0x2e8].map((at) => reversed(report.subarray(at, at + size))))
  const key = spkiKey(vekKey.spki)
  return verify('sha384', report.subarray(0, SNP_SIGNED_BYTES), { key, dsaEncoding: 'ieee-p1363' }, raw)
}

describe('createAmdTestPki', () => {
  it.each(PRODUCTS)('%s: node:crypto reads the authorities and verifies them', (product) => {
    const pki = createAmdTestPki(SEED)
    const [ark, ask, asvk] = (['ark', 'ask', 'asvk'] as const).map(
      (role) => new X509Certificate(pki.authority(product, role).certificate),
    )
    if (ark === undefined || ask === undefined || asvk === undefined) throw new TypeError('three authorities')
    expect(ark.verify(ark.publicKey)).toBe(true)
    for (const certificate of [ask, asvk]) {
      expect(certificate.verify(ark.publicKey)).toBe(true)
      expect(certificate.checkIssued(ark)).toBe(true)
    }
    const head = 'OU=Engineering\nC=US\nL=Santa Clara\nST=CA\nO=Advanced Micro Devices\nCN='
    expect([ark, ask, asvk].map((c) => c.subject)).toEqual([
      `${head}ARK-${product}`,
      `${head}SEV-${product}`,
      `${head}SEV-VLEK-${product}`,
    ])
    const first = { Milan: '01', Genoa: '02', Turin: '03' }[product]
    const own = product === 'Genoa' ? '02' : '01'
    expect([ark, ask, asvk].map((c) => c.serialNumber)).toEqual([`${first}0000`, `${first}00${own}`, `${first}0101`])
    for (const certificate of [ark, ask, asvk]) {
      expect(certificate.validFromDate.toISOString()).toBe('2020-01-01T00:00:00.000Z')
      expect(certificate.validToDate.toISOString()).toBe('2045-01-01T00:00:00.000Z')
      expect(certificate.publicKey.asymmetricKeyDetails?.modulusLength).toBe(4096)
    }
  })

  it('has nine different authority keys, none of them AMD’s', () => {
    const pki = createAmdTestPki(SEED)
    const keys = PRODUCTS.flatMap((product) =>
      (['ark', 'ask', 'asvk'] as const).map((role) => sha256(pki.authority(product, role).key.spki)),
    )
    expect(new Set(keys).size).toBe(9)
    expect(keys).not.toContain('9f056bee44377e29308cb5ffa895bdfb62d18881fa6bed8d6f075b0204089cb9')
  })

  it('derives leaf keys from seed, chip and TCB', () => {
    const chipId = new Uint8Array(64).fill(1)
    const spec = { product: 'Genoa', chipId, tcb: { bl: 1, tee: 1, snp: 1, ucode: 1 } } as const
    const spki = (seed: string, over = {}) => toHex(createAmdTestPki(seed).vcek({ ...spec, ...over }).key.spki)
    expect(spki('a')).toBe(spki('a'))
    const others = [spki('b'), spki('a', { chipId: new Uint8Array(64) }), spki('a', { tcb: { ...spec.tcb, ucode: 2 } })]
    expect(new Set([spki('a'), ...others]).size).toBe(4)
  })
})

describe.each(PRODUCTS.flatMap((product) => KINDS.map((kind) => ({ product, kind }))))(
  '$product $kind machine',
  (options) => {
    const machine = amdMachine(SEED, options)
    const { product, kind } = options

    it('is the same bytes every time and others for another seed', () => {
      const bytes = ({ report, vek, crl, table }: AmdMachine) => [report, vek, crl, table].map((b) => sha256(b))
      expect(bytes(amdMachine(SEED, options))).toEqual(bytes(machine))
      expect(bytes(amdMachine('another', options))[0]).not.toBe(bytes(machine)[0])
    })

    it('is signed all the way down, says node:crypto', () => {
      const [vek, intermediate, ark] = [machine.vek, machine.intermediate, machine.ark].map(
        (c) => new X509Certificate(c),
      )
      if (vek === undefined || intermediate === undefined || ark === undefined)
        throw new TypeError('three certificates')
      expect(machine.ark).toEqual(machine.trustedArk)
      expect(ark.verify(ark.publicKey)).toBe(true)
      expect(intermediate.verify(ark.publicKey)).toBe(true)
      expect(vek.verify(intermediate.publicKey)).toBe(true)
      expect(vek.checkIssued(intermediate)).toBe(true)
      expect(BigInt(`0x${vek.serialNumber}`)).toBe(0n)
      expect(vek.subject).toContain(`CN=${AMD_NAMES[kind]}`)
      expect(new Uint8Array(vek.publicKey.export({ type: 'spki', format: 'der' }))).toEqual(machine.vekKey.spki)
      expect(reportVerifies(machine)).toBe(true)
    })

    it('is signed all the way down, says @peculiar/x509, and so is its list', async () => {
      const [vek, intermediate, ark] = [machine.vek, machine.intermediate, machine.ark].map(parse)
      if (vek === undefined || intermediate === undefined || ark === undefined)
        throw new TypeError('three certificates')
      expect(await vek.verify({ publicKey: intermediate.publicKey, signatureOnly: true })).toBe(true)
      expect(await intermediate.verify({ publicKey: ark.publicKey, signatureOnly: true })).toBe(true)
      const crl = new x509.X509Crl(machine.crl as Uint8Array<ArrayBuffer>)
      expect(await crl.verify({ publicKey: ark.publicKey })).toBe(true)
      expect(crl.issuer).toBe(ark.subject)
      expect(crl.thisUpdate.toISOString()).toBe('2026-07-02T00:00:00.000Z')
      expect(crl.nextUpdate?.toISOString()).toBe('2027-07-02T00:00:00.000Z')
      expect(crl.entries.map((entry) => entry.serialNumber)).toEqual(
        product === 'Genoa' && kind === 'VCEK' ? ['020001'] : [],
      )
    })

    it('has the extensions of its product and kind, each once', () => {
      const vek = parse(machine.vek)
      const levels = product === 'Turin' ? ['fmcSPL', 'blSPL', 'teeSPL'] : ['blSPL', 'teeSPL', 'spl4']
      const middle = product === 'Turin' ? ['snpSPL', 'spl5', 'spl6', 'spl7'] : ['spl5', 'spl6', 'spl7', 'snpSPL']
      const owner = kind === 'VCEK' ? 'hwID' : 'cspID'
      const names = [
        'structVersion',
        'productName',
        ...levels,
        ...middle,
        'ucodeSPL',
        owner,
      ] as (keyof typeof LEAF_OID)[]
      expect(vek.extensions.map((e) => e.type)).toEqual(names.map((name) => LEAF_OID[name]))
      const value = (name: keyof typeof LEAF_OID) =>
        toHex(new Uint8Array(vek.getExtension(LEAF_OID[name])?.value ?? new ArrayBuffer(0)))
      expect(value('structVersion')).toBe(product === 'Turin' ? '020101' : '020100')
      const productName = product === 'Milan' && kind === 'VCEK' ? 'Milan-B0' : product
      expect(value('productName')).toBe(
        `16${productName.length.toString(16).padStart(2, '0')}${Buffer.from(productName).toString('hex')}`,
      )
      const ucode = { Milan: '020200df', Genoa: '020158', Turin: '020154' }[product]
      expect(value('ucodeSPL')).toBe(ucode)
      if (kind === 'VCEK') {
        expect(value('hwID')).toBe(toHex(machine.chipId.subarray(0, product === 'Turin' ? 8 : 64)))
        expect(machine.report.subarray(0x1a0, 0x1e0)).toEqual(machine.chipId)
      } else {
        expect(value('cspID')).toBe(`161a${Buffer.from('CN=cc-test-1.cloud.example').toString('hex')}`)
        expect(machine.report.subarray(0x1a0, 0x1e0)).toEqual(new Uint8Array(64))
      }
    })

    it('is DER that node-forge reads to the last byte and writes back unchanged', () => {
      for (const der of [machine.vek, machine.intermediate, machine.ark, machine.crl]) {
        const binary = Buffer.from(der).toString('latin1')
        const tree = forge.asn1.fromDer(binary, { strict: true, parseAllBytes: true } as never)
        const written = Buffer.from(forge.asn1.toDer(tree).getBytes(), 'latin1')
        expect(written.equals(der)).toBe(true)
      }
    })

    it('carries what it says it expects', () => {
      expect(machine.report.subarray(0x50, 0x90)).toEqual(machine.expected.reportData)
      expect(machine.report.subarray(0x90, 0xc0)).toEqual(machine.expected.measurement)
      expect(machine.report.subarray(0xc0, 0xe0)).toEqual(machine.expected.hostData)
    })

    it('has the chain in its table and in PEM', () => {
      const view = new DataView(machine.table.buffer)
      const bodies = [0, 1, 2].map((i) => {
        const offset = view.getUint32(24 * i + 16, true)
        return machine.table.subarray(offset, offset + view.getUint32(24 * i + 20, true))
      })
      expect(bodies).toEqual([machine.ark, machine.intermediate, machine.vek])
      const blocks = machine.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/)
      expect(blocks.map((block) => new Uint8Array(new X509Certificate(block).raw))).toEqual([
        machine.vek,
        machine.intermediate,
        machine.ark,
      ])
    })
  },
)

describe('amdMachine', () => {
  it('gives the bytes it has always given', () => {
    const { report, vek, intermediate, ark, crl, table } = amdMachine('golden')
    expect(sha256(report, vek, intermediate, ark, crl, table)).toBe(GOLDEN)
  })

  it('wraps the hardware id, writes PEM bodies and puts another key first on request', () => {
    const wrapped = parse(amdMachine(SEED, { leaf: { hwIdEncoding: 'octet-string' } }).vek)
    expect(toHex(new Uint8Array(wrapped.getExtension(LEAF_OID.hwID)?.value ?? new ArrayBuffer(0))).slice(0, 4)).toBe(
      '0440',
    )
    const pemTable = amdMachine(SEED, { table: { format: 'pem', contents: 'vek-only' } }).table
    expect(Buffer.from(pemTable.subarray(48)).toString('latin1')).toMatch(/^-----BEGIN CERTIFICATE-----\n/)
    const both = amdMachine(SEED, { table: { contents: 'both-veks' } }).table
    const guids = [2, 3].map((i) => toHex(both.subarray(24 * i, 24 * i + 4)))
    expect(guids).toEqual(['a8074bc2', '63da758d'])
  })

  it('refuses options that contradict the fault', () => {
    expect(() => amdMachine(SEED, { product: 'Genoa', wrong: 'turin-fmc-missing' })).toThrow(TypeError)
    expect(() => amdMachine(SEED, { kind: 'VLEK', wrong: 'hwid-mismatch' })).toThrow(TypeError)
    expect(() => amdMachine(SEED, { report: { version: 3 }, wrong: 'mbz-v2-cpuid' })).toThrow(TypeError)
    expect(() => amdMachine(SEED, { vekKey: 'derived', wrong: 'sig-r-plus-n' })).toThrow(TypeError)
  })

  it('keeps the time of judgement inside every validity', () => {
    const { at, vek, crl } = amdMachine(SEED, { at: '2030-02-03T04:05:06Z' })
    expect(at).toBe('2030-02-03T04:05:06Z')
    const list = new x509.X509Crl(crl as Uint8Array<ArrayBuffer>)
    expect([list.thisUpdate.toISOString(), list.nextUpdate?.toISOString()]).toEqual([
      '2030-01-04T04:05:06.000Z',
      '2031-01-04T04:05:06.000Z',
    ])
    expect(parse(vek).notAfter.getTime()).toBeGreaterThan(Date.parse(at))
  })
})

/** Faults that are a broken signature; in every other machine the signature must be good, or the wrong check refuses. */
const REPORT_UNSIGNED = new Set<AmdFault>([
  'signer-none',
  'sig-r-zero',
  'sig-s-zero',
  'sig-r-is-n',
  'sig-s-is-n',
  'sig-r-plus-n',
  'sig-s-plus-n',
  'sig-zero',
  'sig-be',
  'report-byte-flip',
  'signed-by-other-key',
])
const LEAF_NOT_SIGNED_BY_INTERMEDIATE = new Set<AmdFault>([
  'leaf-pss-salt32',
  'leaf-pkcs1',
  'leaf-md5',
  'leaf-sha1',
  'leaf-signature-tampered',
  'leaf-signed-by-ark',
])
const INTERMEDIATE_NOT_SIGNED_BY_TRUSTED_ARK = new Set<AmdFault>([
  'chain-rogue-ark',
  'ask-signature-tampered',
  'ask-pss-salt32',
])
const LIST_NOT_SIGNED_BY_TRUSTED_ARK = new Set<AmdFault>([
  'chain-rogue-ark',
  'crl-signed-by-ask',
  'crl-signature-tampered',
  'crl-pss-salt32',
  'crl-other-product',
])
const OUTPUTS = ['report', 'vek', 'intermediate', 'ark', 'trustedArk', 'crl', 'table', 'chainPem'] as const

function changedOutputs(a: AmdMachine, b: AmdMachine): string[] {
  return OUTPUTS.filter((output) => sha256(Buffer.from(a[output])) !== sha256(Buffer.from(b[output])))
}

describe.each(FAULTS)('fault %s', (wrong) => {
  const { needs = {}, stage } = AMD_FAULTS[wrong]
  const options: AmdMachineOptions = needs
  const twin = amdMachine(SEED, options)
  const machine = amdMachine(SEED, { ...options, wrong })

  it('is something, the same every time, beside a sound twin', () => {
    expect(changedOutputs(machine, twin)).not.toEqual([])
    expect(changedOutputs(machine, amdMachine(SEED, { ...options, wrong }))).toEqual([])
    expect(reportVerifies(twin)).toBe(true)
    expect(signedBy(twin.vek, new X509Certificate(twin.intermediate).publicKey)).toBe(true)
  })

  it('stays in its own place', () => {
    const changed = changedOutputs(machine, twin)
    if (stage === 'table') expect(changed).toEqual(['table'])
    if (wrong.startsWith('crl-')) expect(changed).toEqual(['crl'])
    if (wrong.startsWith('ask-')) expect(changed).toEqual(['intermediate', 'table', 'chainPem'])
    if (wrong.startsWith('ark-')) expect(changed).toEqual(['ark', 'trustedArk', 'table', 'chainPem'])
    if (stage === 'decode') expect(changed).toEqual(['report'])
  })

  it('is signed anew wherever the fault is not the signature', () => {
    const pki = createAmdTestPki(SEED)
    const { product } = machine
    const ark = spkiKey(pki.authority(product, 'ark').key.spki)
    const rogue = createAmdTestPki(SEED, { rogue: true })
    const issuer = wrong === 'chain-rogue-ark' ? rogue : pki
    const role = new X509Certificate(machine.intermediate).subject.includes('SEV-VLEK') ? 'asvk' : 'ask'
    expect({
      report: reportVerifies(machine),
      leaf:
        wrong === 'leaf-indefinite-length' || signedBy(machine.vek, spkiKey(issuer.authority(product, role).key.spki)),
      intermediate: signedBy(machine.intermediate, ark),
      list: signedBy(machine.crl, ark),
      trustedArk: signedBy(machine.trustedArk, ark),
    }).toEqual({
      report: !REPORT_UNSIGNED.has(wrong),
      leaf: !LEAF_NOT_SIGNED_BY_INTERMEDIATE.has(wrong),
      intermediate: !INTERMEDIATE_NOT_SIGNED_BY_TRUSTED_ARK.has(wrong),
      list: !LIST_NOT_SIGNED_BY_TRUSTED_ARK.has(wrong),
      trustedArk: true,
    })
  })

  it('says what it is', () => {
    expect(AMD_FAULTS[wrong].what.length).toBeGreaterThan(5)
    for (const row of AMD_FAULTS[wrong].rows) expect(row).toMatch(/^RJ-(SNP|X5|BIND)-\d\d$/)
  })
})

describe('the faults', () => {
  const rows = new Set(FAULTS.flatMap((fault) => AMD_FAULTS[fault].rows))

  it('cover the SNP rows that are about bytes and certificates', () => {
    // 22, 23, 25, 29, 33 and 40 ask more of a sound machine than it has; 36 is a missing certificate.
    const bytes = [...Array.from({ length: 21 }, (_, i) => i + 1), 24, 26, 27, 28, 30, 31, 32, 34, 35, 37, 38, 39]
    expect(bytes.map((n) => `RJ-SNP-${String(n).padStart(2, '0')}`).filter((row) => !rows.has(row))).toEqual([])
  })

  it('cover the X5 rows that an AMD chain and its list can show', () => {
    // 10: leaves share serial 0; 15: a missing list; 16: OCSP; 23, 27: shapes of the container.
    const carried = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 17, 18, 19, 20, 21, 22, 24, 25, 26]
    expect(carried.map((n) => `RJ-X5-${String(n).padStart(2, '0')}`).filter((row) => !rows.has(row))).toEqual([])
  })

  it.each<[AmdFault, number, number]>([
    ['leaf-expired', -1, 0],
    ['leaf-not-yet-valid', 0, 1],
  ])('%s misses by one second', (wrong, after, before) => {
    const { notAfter, notBefore } = parse(amdMachine(SEED, { wrong }).vek)
    const at = Date.parse(AT) / 1000
    expect(after === 0 || notAfter.getTime() / 1000 - at === after).toBe(true)
    expect(before === 0 || notBefore.getTime() / 1000 - at === before).toBe(true)
  })
})

describe('what the faults write', () => {
  const leafOf = (wrong: AmdFault) => parse(amdMachine(SEED, { ...AMD_FAULTS[wrong].needs, wrong }).vek)
  const caOf = (wrong: AmdFault) => parse(amdMachine(SEED, { wrong }).intermediate)
  const listOf = (wrong: AmdFault) => new x509.X509Crl(amdMachine(SEED, { wrong }).crl as Uint8Array<ArrayBuffer>)
  const extensionHex = (wrong: AmdFault, name: keyof typeof LEAF_OID) =>
    toHex(new Uint8Array(leafOf(wrong).getExtension(LEAF_OID[name])?.value ?? new ArrayBuffer(0)))
  const count = (wrong: AmdFault, name: keyof typeof LEAF_OID) =>
    leafOf(wrong).extensions.filter((e) => e.type === LEAF_OID[name]).length

  it('in leaf extensions', () => {
    expect([
      count('ext-missing-hwid', 'hwID'),
      count('ext-duplicate-ucode', 'ucodeSPL'),
      count('ext-hwid-and-csp', 'cspID'),
    ]).toEqual([0, 2, 1])
    expect([
      count('turin-fmc-missing', 'fmcSPL'),
      count('turin-spl4-present', 'spl4'),
      count('genoa-fmc-present', 'fmcSPL'),
    ]).toEqual([0, 1, 1])
    expect(extensionHex('ext-non-minimal-integer', 'blSPL')).toBe('0202000b')
    expect(extensionHex('ext-integer-two-bytes', 'ucodeSPL')).toBe('02020158')
    expect(extensionHex('ext-integer-negative', 'ucodeSPL')).toBe('0201d8')
    expect(extensionHex('ext-value-trailing-byte', 'blSPL')).toBe('02010b00')
    expect(extensionHex('turin-structversion-0', 'structVersion')).toBe('020100')
    expect([extensionHex('ext-hwid-63', 'hwID').length, extensionHex('turin-hwid-64', 'hwID').length]).toEqual([
      126, 128,
    ])
    expect(
      ['bl', 'tee', 'snp', 'ucode'].map((c) => extensionHex(`tcb-cert-lower-${c}` as AmdFault, `${c}SPL` as 'blSPL')),
    ).toEqual(['02010a', '020100', '02011b', '020157'])
    expect(extensionHex('turin-fmc-mismatch', 'fmcSPL')).toBe('020101')
    const critical = leafOf('leaf-unknown-critical-ext').extensions.filter((e) => e.critical)
    expect(critical.map((e) => e.type)).toEqual(['1.3.6.1.4.1.99999.1'])
  })

  it('in names and keys', () => {
    expect(leafOf('leaf-wrong-cn').subject).toContain('CN=SEV-VLEK')
    expect(leafOf('leaf-issuer-name').issuer).toContain('CN=SEV-Turin')
    expect(leafOf('leaf-under-asvk-claims-vcek').issuer).toContain('CN=SEV-VLEK-Genoa')
    expect(leafOf('leaf-under-ask-claims-vlek').issuer).toMatch(/CN=SEV-Genoa$/)
    expect(leafOf('leaf-signed-by-ark').issuer).toMatch(/CN=SEV-Genoa$/)
    expect(caOf('ask-issuer-name').issuer).toContain('CN=ARK-Turin')
    expect(spkiKey(new Uint8Array(leafOf('leaf-p256').publicKey.rawData)).asymmetricKeyDetails?.namedCurve).toBe(
      'prime256v1',
    )
    const bits = (wrong: AmdFault) => spkiKey(new Uint8Array(caOf(wrong).publicKey.rawData)).asymmetricKeyDetails
    expect(bits('ask-rsa-16384')?.modulusLength).toBe(16384)
    expect(bits('ask-rsa-2048')?.modulusLength).toBe(2048)
    expect(bits('ask-rsa-huge-exponent')?.publicExponent).toBe(2n ** 255n + 1n)
    const point = (wrong: AmdFault) => toHex(new Uint8Array(leafOf(wrong).publicKey.rawData))
    const twin = point('leaf-expired')
    expect(point('leaf-point-infinity').slice(-8)).toBe('03020000')
    expect(point('leaf-point-off-curve').slice(0, -2)).toBe(twin.slice(0, -2))
    expect(() => new X509Certificate(amdMachine(SEED, { wrong: 'leaf-point-off-curve' }).vek).publicKey).toThrow()
    expect(point('leaf-point-compressed')).toContain(twin.slice(-192, -96))
    // The same point on the same curve, which openssl accepts in its long spelling too.
    expect(point('leaf-explicit-curve').slice(-194)).toBe(twin.slice(-194))
    expect(spkiKey(new Uint8Array(leafOf('leaf-explicit-curve').publicKey.rawData)).asymmetricKeyType).toBe('ec')
  })

  it('in the intermediate and the root', () => {
    expect(caOf('ask-not-ca').getExtension(x509.BasicConstraintsExtension)?.ca).toBe(false)
    expect(caOf('ask-no-basic-constraints').getExtension(x509.BasicConstraintsExtension)).toBeNull()
    expect(caOf('ask-no-cert-sign').getExtension(x509.KeyUsagesExtension)?.usages).toBe(x509.KeyUsageFlags.cRLSign)
    expect(caOf('ask-duplicate-extension').extensions.filter((e) => e.type === '2.5.29.19').length).toBe(2)
    const root = (wrong: AmdFault) => parse(amdMachine(SEED, { wrong }).trustedArk)
    expect(root('ark-path-length-0').getExtension(x509.BasicConstraintsExtension)?.pathLength).toBe(0)
    expect(root('ark-no-crl-sign').getExtension(x509.KeyUsagesExtension)?.usages).toBe(x509.KeyUsageFlags.keyCertSign)
    const rogue = amdMachine(SEED, { wrong: 'chain-rogue-ark' })
    expect([parse(rogue.ark).subject, parse(rogue.ark).serialNumber]).toEqual([
      parse(rogue.trustedArk).subject,
      parse(rogue.trustedArk).serialNumber,
    ])
    expect(new X509Certificate(rogue.intermediate).verify(new X509Certificate(rogue.ark).publicKey)).toBe(true)
    expect(rogue.ark).not.toEqual(rogue.trustedArk)
    const asRoot = amdMachine(SEED, { wrong: 'chain-ask-as-ark' })
    expect(asRoot.ark).toEqual(asRoot.intermediate)
  })

  it('in the list', () => {
    const serials = (wrong: AmdFault) => listOf(wrong).entries.map((entry) => entry.serialNumber)
    expect(serials('crl-ask-revoked')).toEqual(['020001', '020002'])
    expect(serials('crl-ark-revoked')).toEqual(['020001', '020000'])
    expect(listOf('crl-ask-on-hold').entries.map((entry) => [entry.serialNumber, entry.reason])).toEqual([
      ['020002', x509.X509CrlReason.certificateHold],
    ])
    expect(listOf('crl-no-nextupdate').nextUpdate).toBeUndefined()
    expect(listOf('crl-expired').nextUpdate?.toISOString()).toBe('2026-07-31T23:59:59.000Z')
    expect(listOf('crl-future').thisUpdate.toISOString()).toBe('2026-08-01T00:00:01.000Z')
    expect(listOf('crl-wrong-issuer').issuer).toMatch(/CN=SEV-Genoa$/)
    expect(listOf('crl-other-product').issuer).toContain('CN=ARK-Turin')
    expect(listOf('crl-delta').extensions.find((e) => e.critical)?.type).toBe('2.5.29.27')
  })

  it('in encodings', () => {
    const vek = (wrong: AmdFault) => amdMachine(SEED, { wrong }).vek
    const plain = amdMachine(SEED).vek
    expect(vek('leaf-trailing-byte').subarray(0, -1)).toEqual(plain)
    expect(vek('leaf-indefinite-length').subarray(2, -2)).toEqual(plain.subarray(4))
    const validity = Buffer.from('301e170d3230', 'hex')
    expect(Buffer.from(plain).indexOf(validity)).toBeGreaterThan(0)
    expect(Buffer.from(vek('leaf-long-form-length')).indexOf(validity)).toBe(-1)
    expect(Buffer.from(vek('leaf-long-form-length')).indexOf(Buffer.from('30811e170d3230', 'hex'))).toBeGreaterThan(0)
    expect(
      Buffer.from(vek('leaf-oid-arc-overflow')).indexOf(Buffer.from('2b060104019080809c780104', 'hex')),
    ).toBeGreaterThan(0)
  })

  it('adds to what the caller asked for', () => {
    const leaf = { certificate: { notAfter: '2027-01-01T00:00:00Z' } } as const
    const report = { patch: [{ offset: 0x29f, bytes: [7] }] }
    const { vek, report: bytes } = amdMachine(SEED, { leaf, report, wrong: 'leaf-pkcs1' })
    expect(parse(vek).notAfter.toISOString()).toBe('2027-01-01T00:00:00.000Z')
    expect(bytes[0x29f]).toBe(7)
    const both = amdMachine(SEED, { report, wrong: 'mbz-4c' }).report
    expect([both[0x4c], both[0x29f]]).toEqual([1, 7])
  })
})

describeEvidence('sev-snp/synthetic/INDEX.json', () => {
  const index = evidenceJson<readonly { readonly id: string }[]>('sev-snp/synthetic/INDEX.json')
  const renamed: Readonly<Record<string, AmdFault>> = { 'tcb-below-floor': 'tcb-below-floor-snp' }

  it.each(index.map(({ id }) => id).filter((id) => !id.startsWith('ok-')))('%s can be made', (id) => {
    expect(FAULTS).toContain(renamed[id] ?? id)
  })
})
