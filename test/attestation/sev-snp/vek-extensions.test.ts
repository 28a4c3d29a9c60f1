import { describe, expect, it } from 'vitest'
import { vekExtensions } from '../../../src/attestation/sev-snp/vek-extensions.ts'
import { type Certificate, decodeCertificate } from '../../../src/core/x509/certificate.ts'
import { amdMachine, createAmdTestPki, type LeafOverrides, testChipId } from '../../../src/testing/amd/index.ts'
import { ext } from '../../../src/testing/pki/certificate.ts'
import { ia5, octets, utf8 } from '../../../src/testing/pki/der.ts'
import { ACCEPTED, judgeMachine, verdictOf } from './support.ts'

const pki = createAmdTestPki('extensions')
const GENOA = { product: 'Genoa', tcb: { bl: 11, tee: 0, snp: 27, ucode: 0xdb } } as const
const TURIN = { product: 'Turin', tcb: { fmc: 1, bl: 1, tee: 1, snp: 4, ucode: 81 } } as const

function certificateOf(der: Uint8Array): Certificate {
  const decoded = decodeCertificate(der, 'vek')
  if (!decoded.ok) throw new TypeError(JSON.stringify(decoded.faults))
  return decoded.value
}

const vcek = (overrides: LeafOverrides = {}, chipId = testChipId('Genoa', 'extensions')) =>
  certificateOf(pki.vcek({ ...GENOA, chipId, ...overrides }).certificate)

const seen = (certificate: Certificate) => {
  const outcome = vekExtensions(certificate)
  return outcome.ok ? outcome.value : outcome.faults.map((f) => `${f.code} ${f.path}`)
}
const invalid = (name: string) => [`SNP_VCEK_EXTENSION_INVALID vek.${name}`]

describe('extensions of an endorsement key', () => {
  it('are those of the product: Milan and Genoa, Turin, and a cloud provider’s', () => {
    const chipId = testChipId('Genoa', 'extensions')
    expect(seen(vcek())).toEqual({
      ...{ structVersion: 0, product: 'Genoa', productName: 'Genoa', hwId: chipId, cspId: undefined },
      tcb: { fmc: undefined, bootloader: 11, tee: 0, snp: 27, microcode: 0xdb },
    })
    const turinChip = testChipId('Turin', 'extensions')
    expect(seen(certificateOf(pki.vcek({ ...TURIN, chipId: turinChip }).certificate))).toEqual({
      ...{ structVersion: 1, product: 'Turin', productName: 'Turin', hwId: turinChip.subarray(0, 8), cspId: undefined },
      tcb: { fmc: 1, bootloader: 1, tee: 1, snp: 4, microcode: 81 },
    })
    const milan = { product: 'Milan', tcb: GENOA.tcb } as const
    expect(seen(certificateOf(pki.vcek({ ...milan, chipId }).certificate))).toMatchObject({
      ...{ product: 'Milan', productName: 'Milan-B0' },
    })
    expect(seen(certificateOf(pki.vlek({ ...milan, cspId: 'CN=cloud' }).certificate))).toMatchObject({
      ...{ product: 'Milan', productName: 'Milan', hwId: undefined, cspId: 'CN=cloud' },
    })
  })

  it('hold the hardware id raw or wrapped, told apart by length and not by first byte', () => {
    for (const first of [
      [0x04, 0x40],
      [0x04, 0x3e],
      [0x02, 0x01],
      [0x30, 0x3e],
    ]) {
      const chipId = testChipId('Genoa', 'extensions')
      chipId.set(first)
      for (const hwIdEncoding of ['raw', 'octet-string'] as const) {
        expect(seen(vcek({ hwIdEncoding }, chipId))).toMatchObject({ hwId: chipId })
      }
    }
    const turinChip = testChipId('Turin', 'extensions')
    turinChip.set([0x04, 0x06])
    for (const hwIdEncoding of ['raw', 'octet-string'] as const) {
      const der = pki.vcek({ ...TURIN, chipId: turinChip, hwIdEncoding }).certificate
      expect(seen(certificateOf(der))).toMatchObject({ hwId: turinChip.subarray(0, 8) })
    }
  })

  it('hold no hardware id of another length or wrapping', () => {
    for (const hwID of [
      new Uint8Array(),
      new Uint8Array(63),
      new Uint8Array(65),
      new Uint8Array(66),
      octets(new Uint8Array(63)),
      octets(new Uint8Array(65)),
      octets(octets(new Uint8Array(62))).subarray(0, 65),
      ia5('x'.repeat(64)),
    ]) {
      expect(seen(vcek({ extensions: { value: { hwID } } }))).toEqual(invalid('hwID'))
    }
  })

  it('hold names in IA5 only, and a product that nobody knows as unknown', () => {
    const named = (productName: Uint8Array) => seen(vcek({ extensions: { value: { productName } } }))
    for (const name of [utf8('Genoa'), ia5(''), ia5('Gen\u0000oa'), new Uint8Array()]) {
      expect(named(name)).toEqual(invalid('productName'))
    }
    expect(named(ia5('Genoa-B1'))).toMatchObject({ product: 'Genoa', productName: 'Genoa-B1' })
    for (const name of ['Venice', 'genoa', 'Genoa-', 'Genoa-B', 'constructor']) {
      expect(named(ia5(name))).toMatchObject({ product: undefined, productName: name })
    }
    const unnamed = pki.vlek({ ...GENOA, cspId: 'CN=cloud', extensions: { value: { cspID: utf8('CN=cloud') } } })
    expect(seen(certificateOf(unnamed.certificate))).toEqual(invalid('cspID'))
  })

  it('may be accompanied by ones that we do not know, if they are not critical', async () => {
    const append = [ext.custom('1.3.6.1.4.1.3704.1.99', octets(new Uint8Array(3)))]
    const machine = amdMachine('extensions', { leaf: { extensions: { append } } })
    expect(verdictOf(await judgeMachine(machine))).toEqual(ACCEPTED)
  })

  it('are decoded once per certificate', () => {
    const certificate = vcek()
    expect(vekExtensions(certificate)).toBe(vekExtensions(certificate))
  })
})
