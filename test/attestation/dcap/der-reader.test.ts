import { describe, expect, it } from 'vitest'
import { DerReader } from '../../../src/attestation/dcap/der-reader.ts'
import { copyOf, utf8 } from '../../../src/core/bytes.ts'
import { decodeCertificate } from '../../../src/core/x509/certificate.ts'
import { rootCrl } from './intel-authority.ts'
import { rootCertificate } from './support.ts'

describe('DerReader', () => {
  it('decodes equal bytes once, wherever they stand', () => {
    const reader = new DerReader()
    const der = rootCertificate()
    const first = reader.certificate(der, 'a')
    const again = reader.certificate(copyOf(der), 'b')
    expect(first).toEqual(decodeCertificate(der, 'a'))
    expect(first.ok && again.ok && first.value === again.value).toBe(true)
  })

  it('tells other bytes apart, however alike', () => {
    const reader = new DerReader()
    reader.certificate(rootCertificate({ serial: 1 }), 'a')
    const other = reader.certificate(rootCertificate({ serial: 2 }), 'b')
    expect(other.ok && other.value.serial).toBe('02')
  })

  it('names a fault by the path of whoever asks', () => {
    const reader = new DerReader()
    for (const path of ['a', 'b'])
      expect(reader.certificate(utf8('0'), path)).toEqual(decodeCertificate(utf8('0'), path))
  })

  it('knows a list that it has decoded, and nothing else', () => {
    const reader = new DerReader()
    const der = rootCrl()
    expect(reader.knownCrl(der)).toBeUndefined()
    const crl = reader.crl(der, 'crl')
    expect(crl.ok && reader.knownCrl(copyOf(der)) === crl.value).toBe(true)
    reader.certificate(rootCertificate(), 'a')
    expect(reader.knownCrl(rootCertificate())).toBeUndefined()
  })

  it('keeps eight, so that a folder of thousands costs no more than its size', () => {
    const reader = new DerReader()
    const ders = Array.from({ length: 9 }, (_, i) => rootCertificate({ serial: i + 1 }))
    const first = ders.map((der, i) => reader.certificate(der, `${i}`))[0]
    const again = reader.certificate(rootCertificate({ serial: 1 }), 'again')
    expect(again).toEqual(first)
    expect(first?.ok && again.ok && again.value !== first.value).toBe(true)
  })
})
