import 'reflect-metadata'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { AsnConvert } from '@peculiar/asn1-schema'
import { Certificate as AsnCertificate } from '@peculiar/asn1-x509'
import { describe, expect, it } from 'vitest'
import { toHex } from '../../src/core/encodings.ts'
import { PINNED_ANCHORS } from '../../src/core/trust-anchors.ts'
import { decodeCertificate } from '../../src/core/x509/certificate.ts'
import { anchorKey } from '../../src/core/x509/path.ts'
import { describeEvidence } from '../support/evidence.ts'
import { bytesOf, EVIDENCE, pemBodies, valueIn } from './support.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

describe('PINNED_ANCHORS', () => {
  it('pins each role of each product once, of TPMs both roots of Google, and nothing injected', () => {
    expect(PINNED_ANCHORS.map((a) => `${a.role} ${a.product ?? ''}`).sort()).toEqual([
      ...['amd/ark Genoa', 'amd/ark Milan', 'amd/ark Turin', 'amd/ask Genoa', 'amd/ask Milan', 'amd/ask Turin'],
      ...['amd/asvk Genoa', 'amd/asvk Milan', 'amd/asvk Turin', 'aws/nitro-root ', 'intel/sgx-root '],
      ...['nvidia/device-root ', 'nvidia/rim-root ', 'tpm/root ', 'tpm/root '],
    ])
    expect(PINNED_ANCHORS.filter((a) => a.injected)).toEqual([])
    for (const member of ['id', 'spkiSha256', 'certificateSha256'] as const) {
      expect(new Set(PINNED_ANCHORS.map((a) => a[member])).size).toBe(PINNED_ANCHORS.length)
    }
  })

  it('names every key by its own digest, and every key is one that paths may rest on', () => {
    for (const anchor of PINNED_ANCHORS) {
      expect([anchor.id, anchor.spkiSha256]).toEqual([anchor.id, sha256(anchor.spki)])
      const key = {
        ...{ amd: { modulusBits: 4096 }, nvidia: { curve: 'P-384' } },
        ...{ intel: { curve: 'P-256' }, aws: { curve: 'P-384' }, tpm: { modulusBits: 4096 } },
      }
      expect(anchorKey(anchor)).toMatchObject(key[anchor.role.split('/')[0] as keyof typeof key])
      expect(anchor.notBefore).toBeLessThan(anchor.notAfter)
    }
  })
})

describeEvidence('sev-snp/roots', () => {
  const amd = (file: string) => [bytesOf(join(EVIDENCE, 'sev-snp/roots', `${file}.der`))]
  const nvidia = (file: string) => pemBodies(join(EVIDENCE, 'nvidia/trust-anchors', `${file}.pem`))
  const intel = (file: string) => [bytesOf(join(EVIDENCE, 'intel/_anchors', `${file}.der`))]
  const aws = (file: string) => pemBodies(join(EVIDENCE, 'tpm-and-clouds/_roots', `${file}.pem`))

  it.each([
    ...['milan', 'genoa', 'turin'].flatMap((p) => ['ark', 'ask', 'asvk'].map((role) => [`${p}_${role}`, amd] as const)),
    ['nvidia-device-identity-ca', nvidia] as const,
    ['nvidia-corim-signing-root-ca', nvidia] as const,
    ['intel_sgx_root_ca', intel] as const,
    ['aws-nitro-root-G1', aws] as const,
  ])('agree on %s', (file, read) => {
    const [der = new Uint8Array()] = read(file)
    const anchor = PINNED_ANCHORS.find((a) => a.certificateSha256 === sha256(der))
    const ours = valueIn(decodeCertificate(der, file))
    const theirs = AsnConvert.parse(der, AsnCertificate).tbsCertificate
    expect(anchor).toMatchObject({
      subject: ours.subject.der,
      serial: ours.serial,
      notBefore: ours.notBefore,
      notAfter: ours.notAfter,
      spki: ours.publicKey.spki,
    })
    expect(anchor).toMatchObject({
      subject: new Uint8Array(AsnConvert.serialize(theirs.subject)),
      serial: toHex(new Uint8Array(theirs.serialNumber)),
      notBefore: theirs.validity.notBefore.getTime().getTime() / 1000,
      notAfter: theirs.validity.notAfter.getTime().getTime() / 1000,
      spki: new Uint8Array(AsnConvert.serialize(theirs.subjectPublicKeyInfo)),
    })
  })
})
