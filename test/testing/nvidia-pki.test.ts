import 'reflect-metadata'
import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto'
import { BasicOCSPResponse, OCSPResponse, OCSPResponseStatus } from '@peculiar/asn1-ocsp'
import { AsnConvert } from '@peculiar/asn1-schema'
import * as x509 from '@peculiar/x509'
import { describe, expect, it } from 'vitest'
import {
  createNvidiaTestPki,
  NVIDIA_TEST_TIME,
  type NvidiaArchitecture,
  OCSP_FAULTS,
  type OcspFault,
} from '../../src/testing/nvidia/index.ts'
import { describeEvidence, evidence } from '../support/evidence.ts'
import { derShape, linked, pemCertificates } from './nvidia-walk.ts'

const pki = createNvidiaTestPki('pki tests')
const ARCHITECTURES: readonly NvidiaArchitecture[] = ['hopper', 'blackwell', 'ls10']
const commonName = (of: X509Certificate): string => /^CN=(.*)$/m.exec(of.subject)?.[1] ?? ''

describe.each(ARCHITECTURES)('device chain, %s', (architecture) => {
  const device = pki.device({ architecture, label: 'a' })
  const chain = pemCertificates(device.chainPem)

  it('is five certificates, each signed by the next, up to the root', () => {
    expect(chain).toHaveLength(5)
    expect(linked(chain)).toBe(true)
    expect(chain.at(-1)?.raw).toEqual(Buffer.from(pki.roots.device))
    expect(device.chain.map((der) => Buffer.from(der))).toEqual(chain.map(({ raw }) => raw))
    for (const { publicKey } of chain) expect(publicKey.asymmetricKeyDetails?.namedCurve).toBe('secp384r1')
    for (const { validTo } of chain) expect(new Date(validTo).toISOString()).toBe('9999-12-31T23:59:59.000Z')
  })

  it('parses in @peculiar/x509 with the keys it was made with', () => {
    for (const [i, der] of device.chain.entries()) {
      const parsed = new x509.X509Certificate(new Uint8Array(der))
      expect(parsed.subject).toContain(commonName(chain[i] as X509Certificate))
      expect(parsed.signatureAlgorithm).toMatchObject({ name: 'ECDSA', hash: { name: 'SHA-384' } })
    }
    expect(chain[0]?.publicKey.export({ type: 'spki', format: 'der' })).toEqual(Buffer.from(device.attestationKey.spki))
    expect(chain[1]?.publicKey.export({ type: 'spki', format: 'der' })).toEqual(Buffer.from(device.identityKey.spki))
  })

  it('numbers the identity by prefix and PDI, the attestation key by its identifier', () => {
    const prefix = architecture === 'ls10' ? '50' : '41'
    expect(device.identitySerial).toBe(prefix + Buffer.from(device.pdi).toString('hex').toUpperCase())
    expect(chain[1]?.serialNumber).toBe(device.identitySerial)
    expect(chain[1]?.subject).toContain(`serialNumber=${device.identitySerial}`)
    expect(chain[0]?.serialNumber).toBe(device.attestationSerial)
    expect(chain[0]?.subject).toContain(`serialNumber=${device.attestationSerial}`)
    expect(device.attestationSerial).toMatch(/^[4-7][0-9A-F]{39}$/)
  })

  it('carries the FWID, and beside it the identity key where the form has one', () => {
    const leaf = chain[0]?.raw ?? Buffer.alloc(0)
    expect(leaf.includes(Buffer.from(device.fwid))).toBe(true)
    // OBJECT IDENTIFIER 2.23.133.5.4.1 (composite device identity) and 2.23.133.5.4.1.1 (DICE TcbInfo)
    const extensionId = architecture === 'blackwell' ? '060767810505040101' : '0606678105050401'
    expect(leaf.includes(Buffer.from(extensionId, 'hex'))).toBe(true)
    expect(leaf.includes(Buffer.from(device.identityKey.spki))).toBe(architecture !== 'blackwell')
  })
})

it('tells devices and seeds apart, and repeats itself', () => {
  const a = pki.device({ architecture: 'hopper', label: 'a' })
  const b = pki.device({ architecture: 'hopper', label: 'b' })
  expect(createNvidiaTestPki('pki tests').device({ architecture: 'hopper', label: 'a' }).chain).toEqual(a.chain)
  expect(b.identitySerial).not.toBe(a.identitySerial)
  expect(b.attestationSerial).not.toBe(a.attestationSerial)
  expect(b.chain.slice(2)).toEqual(a.chain.slice(2))
  const foreign = createNvidiaTestPki('other')
  expect(foreign.roots.device).not.toEqual(pki.roots.device)
  expect(foreign.roots.rim).not.toEqual(pki.roots.rim)
  expect(new X509Certificate(foreign.roots.device).subject).toBe(new X509Certificate(pki.roots.device).subject)
})

it('signs an edited certificate by its rightful issuer', () => {
  const edit = { attestation: (spec: object) => ({ ...spec, notAfter: '2022-01-01T00:00:00Z' }) as never }
  const { chainPem } = pki.device({ architecture: 'hopper', label: 'a', edit })
  const [leaf, identity] = pemCertificates(chainPem)
  expect(leaf?.validTo).toContain('2022')
  expect(leaf?.verify((identity as X509Certificate).publicKey)).toBe(true)
})

describe('OCSP', () => {
  const nonce = new Uint8Array(32).fill(9)
  const { certificates } = pki.device({ architecture: 'hopper', label: 'a' })
  const { certificates: rim } = pki.rimChain()
  const parse = (der: Uint8Array) => {
    const outer = AsnConvert.parse(der, OCSPResponse)
    const body = outer.responseBytes?.response
    return { status: outer.responseStatus, basic: body && AsnConvert.parse(body.buffer, BasicOCSPResponse) }
  }
  const tbsOf = (basic: BasicOCSPResponse) => Buffer.from(AsnConvert.serialize(basic.tbsResponseData))
  const signedBy = (basic: BasicOCSPResponse, certificate: X509Certificate): boolean =>
    verify('sha384', tbsOf(basic), certificate.publicKey, Buffer.from(basic.signature))
  const responderOf = (basic: BasicOCSPResponse) =>
    new X509Certificate(Buffer.from(AsnConvert.serialize(basic.certs?.[0])))

  it.each([
    ['identity', certificates.identity],
    ['provisioner', certificates.provisioner],
    ['architecture', certificates.architecture],
    ['RIM signer', rim.signer],
    ['RIM issuer', rim.issuer],
    ['RIM authority', rim.authority],
  ])('%s: good, by a responder its own issuer delegated', (_, certificate) => {
    const { status, basic } = parse(pki.ocsp({ certificate, nonce }))
    if (basic === undefined || certificate.issuer === undefined) throw new Error('no body')
    const issuer = new X509Certificate(certificate.issuer.der)
    const responder = responderOf(basic)
    expect(status).toBe(OCSPResponseStatus.successful)
    expect(signedBy(basic, responder)).toBe(true)
    expect(responder.checkIssued(issuer) && responder.verify(issuer.publicKey)).toBe(true)
    expect(responder.keyUsage).toEqual(['1.3.6.1.5.5.7.3.9'])
    const [single] = basic.tbsResponseData.responses
    expect(single?.certStatus.good).toBeNull()
    expect(
      Buffer.from(single?.certID.serialNumber ?? new ArrayBuffer())
        .toString('hex')
        .replace(/^00/, ''),
    ).toBe(new X509Certificate(certificate.der).serialNumber.toLowerCase())
    const spki = issuer.publicKey.export({ type: 'spki', format: 'der' })
    expect(Buffer.from(single?.certID.issuerKeyHash.buffer ?? new ArrayBuffer())).toEqual(
      createHash('sha384').update(spki.subarray(-97)).digest(),
    )
    expect(Buffer.from(single?.certID.issuerNameHash.buffer ?? new ArrayBuffer())).toEqual(
      createHash('sha384').update(certificate.issuer.subject).digest(),
    )
    const at = Date.parse(NVIDIA_TEST_TIME)
    expect(single?.thisUpdate.getTime()).toBeLessThan(at)
    expect(single?.nextUpdate?.getTime()).toBeGreaterThan(at)
    const [echoed] = basic.tbsResponseData.responseExtensions ?? []
    expect(Buffer.from(echoed?.extnValue.buffer ?? new ArrayBuffer())).toEqual(Buffer.from([0x04, 32, ...nonce]))
  })

  it('says revoked, on hold and unknown', () => {
    const certificate = certificates.identity
    const single = (status: Parameters<typeof pki.ocsp>[0]['status'] & {}) =>
      parse(pki.ocsp({ certificate, status })).basic?.tbsResponseData.responses[0]?.certStatus
    const revoked = single({ revoked: { date: '2026-01-01T00:00:00Z', reason: 'certificateHold' } })
    expect(revoked?.revoked?.revocationTime.toISOString()).toBe('2026-01-01T00:00:00.000Z')
    expect(revoked?.revoked?.revocationReason?.toString()).toBe('certificateHold')
    expect(single('unknown')?.unknown).toBeNull()
  })

  it('may be signed by the issuer itself', () => {
    const { basic } = parse(pki.ocsp({ certificate: certificates.identity, direct: true, hash: 'sha1' }))
    expect(basic?.certs).toBeUndefined()
    expect(basic && signedBy(basic, new X509Certificate(certificates.provisioner.der))).toBe(true)
    expect(basic?.tbsResponseData.responses[0]?.certID.issuerKeyHash.byteLength).toBe(20)
  })

  /** What is left of an answer's three legs: responder under the issuer, signature by the responder, purpose. */
  const legs = (wrong: OcspFault) => {
    const { basic } = parse(pki.ocsp({ certificate: certificates.identity, nonce, wrong }))
    if (basic === undefined) return 'no body'
    const responder = responderOf(basic)
    const issuer = createPublicKey({ key: Buffer.from(certificates.provisioner.key.spki), format: 'der', type: 'spki' })
    return [
      responder.verify(issuer),
      signedBy(basic, responder),
      responder.keyUsage?.includes('1.3.6.1.5.5.7.3.9') === true,
    ]
  }

  it.each<[OcspFault, unknown]>([
    ['responder-without-purpose', [true, true, false]],
    ['responder-expired', [true, true, true]],
    ['responder-above', [false, true, true]],
    ['responder-stranger', [false, true, true]],
    ['responder-self-made', [false, true, true]],
    ['signature', [true, false, true]],
    ['certid-sibling', [true, true, true]],
    ['certid-issuer', [true, true, true]],
    ['stale', [true, true, true]],
    ['future', [true, true, true]],
    ['no-next-update', [true, true, true]],
    ['nonce-other', [true, true, true]],
    ['try-later', 'no body'],
  ])('%s: one thing is wrong', (wrong, left) => {
    expect(legs(wrong)).toEqual(left)
    expect(pki.ocsp({ certificate: certificates.identity, nonce, wrong })).not.toEqual(
      pki.ocsp({ certificate: certificates.identity, nonce }),
    )
  })

  it('knows every fault it is tested for', () => {
    expect(Object.keys(OCSP_FAULTS)).toHaveLength(13)
    expect(() => pki.ocsp({ certificate: certificates.identity, wrong: 'nonce-other' })).toThrow(TypeError)
    expect(() => pki.ocsp({ certificate: certificates.root })).toThrow(TypeError)
  })
})

/** Certificates as shapes, and everything that is the same in every certificate of a role. */
const template = (certificate: X509Certificate) => ({
  shape: derShape(certificate.raw),
  name: commonName(certificate),
  subjectTypes: certificate.subject.split('\n').map((part) => part.split('=')[0]),
})

describeEvidence('nvidia/gpu-hopper-580.159.03', () => {
  it.each([
    ['hopper', 'nvidia/gpu-hopper-580.159.03/certs.pem'],
    ['blackwell', 'nvidia/gpu-blackwell-575.32/certs.pem'],
    ['ls10', 'nvidia/switch-ls10-96.10.55.00.01-full/certs.pem'],
  ] as const)('%s: certificates have the shape of the real ones', (architecture, path) => {
    const real = pemCertificates(Buffer.from(evidence(path)).toString())
    const made = pemCertificates(pki.device({ architecture, label: 'a' }).chainPem)
    expect(linked(real)).toBe(true)
    expect(made.map(template)).toEqual(real.map(template))
    expect(made.map(({ validFrom, validTo }) => [validFrom, validTo])).toEqual(
      real.map(({ validFrom, validTo }) => [validFrom, validTo]),
    )
  })

  it.each([
    ['hopper', 'nvidia/gpu-hopper-545.00-full/driver-rim.xml'],
    ['ls10', 'nvidia/switch-ls10-96.10.55.00.01-full/bios-rim.xml'],
  ] as const)('%s: manifest certificates have the shape of the real ones', (architecture, path) => {
    const xml = Buffer.from(evidence(path)).toString()
    const real = [...xml.matchAll(/<ds:X509Certificate>([^<]+)</g)].map(
      ([, base64 = '']) => new X509Certificate(Buffer.from(base64, 'base64')),
    )
    const made = pki.rimChain({ architecture }).chain.map((der) => new X509Certificate(der))
    expect(linked(made)).toBe(true)
    expect(made.map(template)).toEqual(real.map(template))
  })
})
