import { describe, expect, it } from 'vitest'
import { NO_COLLATERAL } from '../../../src/attestation/collateral.ts'
import type { Tee } from '../../../src/attestation/dcap/model.ts'
import { concatBytes, utf8 } from '../../../src/core/bytes.ts'
import type { Code } from '../../../src/core/codes.ts'
import { createVerificationCache } from '../../../src/core/context.ts'
import { PINNED_ANCHORS } from '../../../src/core/trust-anchors.ts'
import { ext } from '../../../src/testing/pki/certificate.ts'
import { ecKey } from '../../../src/testing/pki/keys.ts'
import {
  AT,
  type CertificatePlan,
  caCertificate,
  chain,
  judge,
  otherKey,
  PROVED,
  pckCertificate,
  quoteOf,
  refusalsOf,
  refusedWith,
  rootCertificate,
  sgxExtension,
  TEST_ANCHOR,
  TOLD,
} from './support.ts'

const TEES: readonly Tee[] = ['TDX', 'SGX']
const judged = async (tee: Tee, data: Uint8Array, at = AT) =>
  refusalsOf(await judge(quoteOf({ tee, certification: { type: 5, data } }), { tee, at }))

describe.each(TEES)('the PCK chain of a %s quote', (tee) => {
  const root = rootCertificate()
  const ca = caCertificate()
  const pck = pckCertificate()

  it('is leaf, CA and root, or leaf and CA, with a NUL behind or none', async () => {
    for (const certificates of [
      [pck, ca, root],
      [pck, ca],
    ]) {
      const pems = chain(...certificates)
      expect(await judged(tee, pems)).toEqual(PROVED)
      expect(await judged(tee, concatBytes(pems, new Uint8Array(1)))).toEqual(PROVED)
    }
  })

  it('may come under an older certificate of the same root key', async () => {
    const older = rootCertificate({ notAfter: '2033-05-21T10:41:11Z' })
    expect(await judged(tee, chain(pck, ca, older))).toEqual(PROVED)
  })

  it.each<readonly [string, readonly Uint8Array[], Code]>([
    ['the leaf alone', [pck], TOLD[tee].certData],
    ['a fourth certificate', [pck, ca, root, root], TOLD[tee].certData],
    ['the leaf twice', [pck, pck, ca], TOLD[tee].pckRole],
    ['no CA', [pck, root], TOLD[tee].pckRole],
    ['leaf and CA swapped', [ca, pck, root], TOLD[tee].pckRole],
    ['CA and root swapped', [pck, root, ca], TOLD[tee].pckRole],
    ['a leaf in place of the root', [pck, ca, pck], 'X509_NAME_CHAIN'],
    [
      'a root of that name with another key',
      [pck, ca, rootCertificate({ publicKey: otherKey, signer: otherKey })],
      'X509_ROOT_UNTRUSTED',
    ],
  ])('is refused with %s', async (_, certificates, code) => {
    expect(await judged(tee, chain(...certificates))).toEqual(refusedWith(code))
  })

  it('is refused with anything but certificates in PEM', async () => {
    expect(await judged(tee, utf8('hello'))).toEqual(refusedWith('PEM_INVALID'))
    expect(await judged(tee, concatBytes(chain(pck, ca), new Uint8Array(2)))).toEqual(refusedWith('PEM_INVALID'))
    const list = utf8(new TextDecoder().decode(chain(pck, ca)).replaceAll('CERTIFICATE', 'X509 CRL'))
    expect(await judged(tee, list)).toEqual(refusedWith(TOLD[tee].certData))
  })

  const leafOf = (plan: CertificatePlan) => chain(pckCertificate(plan), ca, root)
  const caOf = (plan: CertificatePlan) => chain(pck, caCertificate(plan), root)
  const usual = [ext.keyUsage(['digitalSignature']), ext.basicConstraints(false), sgxExtension()]
  it.each<readonly [string, Uint8Array, Code]>([
    ['a leaf named like the TCB signer', leafOf({ subject: 'Intel SGX TCB Signing' }), TOLD[tee].pckRole],
    [
      'a CA of another name',
      chain(pckCertificate({ issuer: 'Intel SGX PCK CA' }), caCertificate({ subject: 'Intel SGX PCK CA' })),
      TOLD[tee].pckRole,
    ],
    ['a leaf of the other CA', leafOf({ issuer: 'Intel SGX PCK Processor CA' }), 'X509_NAME_CHAIN'],
    ['a leaf that somebody else signed', leafOf({ signer: otherKey }), 'X509_SIGNATURE_INVALID'],
    ['a CA that somebody else signed', caOf({ signer: otherKey }), 'X509_SIGNATURE_INVALID'],
    [
      'a CA that is none',
      caOf({ extensions: [ext.keyUsage(['keyCertSign']), ext.basicConstraints(false)] }),
      'X509_NOT_CA',
    ],
    [
      'a CA without that usage',
      caOf({ extensions: [ext.keyUsage(['cRLSign']), ext.basicConstraints(true, 0)] }),
      'X509_KEY_USAGE',
    ],
    [
      'a leaf that is a CA',
      leafOf({ extensions: [ext.keyUsage(['digitalSignature']), ext.basicConstraints(true), sgxExtension()] }),
      'X509_LEAF_IS_CA',
    ],
    [
      'a leaf for other usages',
      leafOf({ extensions: [ext.keyUsage(['keyAgreement']), sgxExtension()] }),
      'X509_KEY_USAGE',
    ],
    [
      'a leaf with a critical extension',
      leafOf({ extensions: [...usual, ext.extKeyUsage(['1.2.3'], true)] }),
      'X509_CRITICAL_EXTENSION',
    ],
    [
      'a leaf that names another host',
      leafOf({ extensions: [...usual, ext.crlDistributionPoint('https://intel.example/pckcrl')] }),
      'ENV_FETCH_FROM_INPUT',
    ],
    ['a leaf with a P-384 key', leafOf({ publicKey: ecKey('P-384', 'dcap/leaf') }), 'X509_KEY_UNSUPPORTED'],
    ['a leaf out of date', leafOf({ notAfter: '2026-05-31T23:59:59Z' }), 'X509_VALIDITY'],
    ['a CA out of date', caOf({ notAfter: '2026-05-31T23:59:59Z' }), 'X509_VALIDITY'],
  ])('is refused with %s', async (_, data, code) => {
    expect(await judged(tee, data)).toEqual(refusedWith(code))
  })

  it('is refused under a root of ours where none was injected', async () => {
    const judgement = await judge(quoteOf({ tee }), { tee, anchors: PINNED_ANCHORS })
    expect(refusalsOf(judgement)).toEqual(refusedWith('X509_ROOT_UNTRUSTED'))
    const injected = await judge(quoteOf({ tee }), { tee, anchors: [...PINNED_ANCHORS, TEST_ANCHOR] })
    expect(refusalsOf(injected)).toEqual(PROVED)
    expect(injected.injectedAnchors).toEqual([TEST_ANCHOR.id])
  })

  it('may end in an anchor of another role for nobody', async () => {
    const anchors = [{ ...TEST_ANCHOR, role: 'nvidia/rim-root' as const }]
    expect(refusalsOf(await judge(quoteOf({ tee }), { tee, anchors }))).toEqual(refusedWith('X509_ROOT_UNTRUSTED'))
  })

  it('is judged anew at every time, whatever the cache remembers', async () => {
    const cache = createVerificationCache()
    const data = leafOf({ notAfter: '2026-06-01T00:00:00Z' })
    const quote = quoteOf({ tee, certification: { type: 5, data } })
    const at = async (time: string) =>
      refusalsOf(await judge(quote, { tee, at: time, cache, collateral: NO_COLLATERAL }))
    expect(await at('2026-06-01T00:00:00Z')).toEqual(PROVED)
    expect(await at('2026-06-01T00:00:01Z')).toEqual(refusedWith('X509_VALIDITY'))
    expect(await at('2023-12-31T23:59:59Z')).toEqual(refusedWith('X509_VALIDITY'))
    expect(await at('2024-01-01T00:00:00Z')).toEqual(PROVED)
  })
})
