import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { webCrypto } from '../../../src/core/crypto/web.ts'
import { attempt, type NonEmpty } from '../../../src/core/outcome.ts'
import { PINNED_ANCHORS } from '../../../src/core/trust-anchors.ts'
import type { Certificate } from '../../../src/core/x509/certificate.ts'
import { anchorKey, checkValidity, orderPath, type PathProfile, validatePath } from '../../../src/core/x509/path.ts'
import { certificate, ext } from '../../../src/testing/pki/certificate.ts'
import { ia5, raw, seq, tagged, utf8 } from '../../../src/testing/pki/der.ts'
import { ecKey, rsaKey } from '../../../src/testing/pki/keys.ts'
import { amdName, name } from '../../../src/testing/pki/names.ts'
import { describeEvidence } from '../../support/evidence.ts'
import { bytesOf, codesOf, EVIDENCE, filesBelow, pemBodies, valueIn } from '../support.ts'
import {
  ANCHOR,
  anchorOf,
  certificateOf,
  contextAt,
  decoded,
  FROM,
  KEYS,
  NAMES,
  NOW,
  PROFILE,
  TO,
  validate,
} from './pki.ts'

describe('validatePath', () => {
  it.each([nodeCrypto, webCrypto(globalThis.crypto.subtle)])(
    'accepts the path and names its anchor, on $name',
    async (crypto) => {
      const path = valueIn(await validate({}, { crypto }))
      expect(path.anchor).toBe(ANCHOR)
      expect(path.certificates.map((c) => c.subject.der)).toEqual([NAMES.leaf, NAMES.sub, NAMES.top])
      expect(codesOf(await validate({ leaf: { tamperSignature: true } }, { crypto }))).toEqual([
        'X509_SIGNATURE_INVALID',
      ])
    },
  )

  it('accepts a leaf directly under the anchor', async () => {
    const changes = { leaf: { issuer: NAMES.root, signer: KEYS.root } }
    expect(valueIn(await validate(changes, { order: ['leaf'] })).certificates).toHaveLength(1)
  })

  it.each(['leaf', 'sub', 'top'] as const)('checks the signature of %s', async (level) => {
    const path = `path[${['leaf', 'sub', 'top'].indexOf(level)}]`
    for (const change of [
      { tamperSignature: true },
      { signer: KEYS.stranger },
      { signer: ecKey('P-256', 'x'), algorithm: { kind: 'ecdsa-sha384' } as const },
      { mutateTbs: (tbs: Uint8Array) => tbs },
    ]) {
      const outcome = await validate({ [level]: change })
      if ('mutateTbs' in change) valueIn(outcome)
      else expect(outcome).toMatchObject({ faults: [{ code: 'X509_SIGNATURE_INVALID', path }] })
    }
  })

  it('names the lowest broken link', async () => {
    const outcome = await validate({ leaf: { tamperSignature: true }, top: { tamperSignature: true } })
    expect(outcome).toMatchObject({ faults: [{ code: 'X509_SIGNATURE_INVALID', path: 'path[0]' }] })
  })

  it('says "not the pinned root" only where an impostor of its name is there and the link to it is the broken one', async () => {
    const impostor = certificateOf('root', { publicKey: KEYS.stranger, signer: KEYS.stranger })
    const genuine = certificateOf('root')
    const code = async (...given: Parameters<typeof validate>) => codesOf(await validate(...given))
    const underImpostor = { top: { signer: KEYS.stranger } }
    expect(await code(underImpostor, { offeredRoots: [impostor] })).toEqual(['X509_ROOT_UNTRUSTED'])
    expect(await code(underImpostor, { offeredRoots: [genuine, impostor] })).toEqual(['X509_ROOT_UNTRUSTED'])
    expect(await code(underImpostor, { offeredRoots: [genuine] })).toEqual(['X509_SIGNATURE_INVALID'])
    expect(await code(underImpostor)).toEqual(['X509_SIGNATURE_INVALID'])
    expect(await code({ leaf: { tamperSignature: true } }, { offeredRoots: [impostor] })).toEqual([
      'X509_SIGNATURE_INVALID',
    ])
    // An impostor beside a path that holds is of no interest.
    valueIn(await validate({}, { offeredRoots: [impostor] }))
  })

  it('tries every anchor of that name, and ends in the one whose key fits', async () => {
    const older = anchorOf(certificateOf('root', { publicKey: KEYS.stranger, signer: KEYS.stranger }), {
      id: 'test/older',
    })
    expect(valueIn(await validate({}, { anchors: [older, ANCHOR] })).anchor.id).toBe('test/root')
    expect(codesOf(await validate({}, { anchors: [older] }))).toEqual(['X509_SIGNATURE_INVALID'])
    expect(codesOf(await validate({}, { anchors: [] }))).toEqual(['X509_ROOT_UNTRUSTED'])
  })

  it('does not let a key of one kind sign in the name of another algorithm', async () => {
    const rsa = anchorOf(certificateOf('root', { publicKey: rsaKey('ark-genoa'), signer: rsaKey('ark-genoa') }))
    expect(codesOf(await validate({}, { anchors: [rsa] }))).toEqual(['X509_SIGNATURE_INVALID'])
  })

  it('counts path length below each CA', async () => {
    const limit = (pathLength: number) => ({
      extensions: [ext.basicConstraints(true, pathLength), ext.keyUsage(['keyCertSign'])],
    })
    expect(codesOf(await validate({ top: limit(0) }))).toEqual(['X509_PATH_LENGTH'])
    valueIn(await validate({ top: limit(1), sub: limit(0) }))
    valueIn(await validate({ sub: limit(0) }))
  })
})

describe('addresses in certificates', () => {
  const at = (...urls: readonly string[]) => ({ top: { more: urls.map((url) => ext.crlDistributionPoint(url)) } })

  it.each([
    ['http://crl.example.test/a.crl', true],
    ['https://crl.example.test/a.crl', true],
    ['http://ocsp.example.test', true],
    ['http://evil.example.test/a.crl', false],
    ['http://crl.example.test.evil.test/', false],
    ['http://crl.example.test@evil.test/', false],
    ['http://crl.example.test:8080/', false],
    ['http://crl.example.test\\@evil.test/', false],
    ['http://169.254.169.254/latest', false],
    ['http:///crl.example.test/', false],
    ['HTTP://crl.example.test/', false],
    ['ldap://crl.example.test/', false],
    ['file:///etc/passwd', false],
    ['//crl.example.test/', false],
    ['http://crl.example.test?x', false],
    ['http://crl.example.test/\n', true],
    [' http://crl.example.test/', false],
    ['', false],
  ])('%j: expected %s', async (url, expected) => {
    const outcome = await validate(at(url))
    if (expected) valueIn(outcome)
    else expect(codesOf(outcome)).toEqual(['ENV_FETCH_FROM_INPUT'])
  })

  it('are looked at in authority information access too, and wherever they stand', async () => {
    const access = (url: string) => ({ leaf: { more: [ext.authorityInfoAccess(url)] } })
    valueIn(await validate(access('http://ocsp.example.test/')))
    expect(codesOf(await validate(access('http://evil.test/')))).toEqual(['ENV_FETCH_FROM_INPUT'])
    const uri = (url: string) => tagged(6, ia5(url), { explicit: false })
    const second = ext.custom(
      '2.5.29.31',
      seq(
        seq(tagged(0, tagged(0, uri('http://crl.example.test/')))),
        seq(tagged(0, raw(0xa0, uri('http://evil.test/')))),
      ),
    )
    expect(codesOf(await validate({ sub: { more: [second] } }))).toEqual(['ENV_FETCH_FROM_INPUT'])
  })

  it('must be DER', async () => {
    const broken = ext.custom('2.5.29.31', Uint8Array.of(0x30, 0x80, 0, 0))
    expect(codesOf(await validate({ sub: { more: [broken] } }))).toEqual(['DER_NOT_CANONICAL'])
    valueIn(await validate({ sub: { more: [ext.custom('2.5.29.31', seq())] } }))
  })

  it('may be anything in an extension that names no address', async () => {
    valueIn(await validate({ sub: { more: [ext.custom('1.2.3.4', utf8('http://evil.test/'))] } }))
  })
})

describe('orderPath', () => {
  const c = (level: 'leaf' | 'sub' | 'top' | 'root') => decoded(certificateOf(level))

  it('orders whatever order was offered, and leaves the root out', () => {
    for (const offered of [
      ['sub', 'top', 'root'],
      ['root', 'top', 'sub'],
      ['top', 'root', 'sub'],
      ['top', 'sub'],
    ] as const) {
      expect(orderPath(c('leaf'), offered.map(c)).map((x) => x.subject.der)).toEqual([NAMES.leaf, NAMES.sub, NAMES.top])
    }
  })

  it('stops where the issuer is missing', () => {
    expect(orderPath(c('leaf'), [c('top'), c('root')])).toHaveLength(1)
    expect(orderPath(c('leaf'), [])).toHaveLength(1)
    expect(orderPath(c('leaf'), [c('sub')])).toHaveLength(2)
  })

  it('does not run in circles', () => {
    const a = decoded(certificateOf('sub', { issuer: NAMES.top }))
    const b = decoded(certificateOf('top', { issuer: NAMES.sub }))
    expect(orderPath(c('leaf'), [a, b])).toHaveLength(3)
    expect(orderPath(a, [a, b])).toHaveLength(2)
  })

  it('ignores what does not belong', () => {
    const unrelated = decoded(certificateOf('leaf', { subject: name([['CN', 'Someone']]) }))
    expect(orderPath(c('leaf'), [unrelated, c('sub'), unrelated])).toHaveLength(2)
  })
})

describe('a path of AMD’s shape', () => {
  const [ark, ask, vcek] = [rsaKey('ark-genoa'), rsaKey('ask-genoa'), ecKey('P-384', 'x509 vcek')]
  const dates = { notBefore: FROM, notAfter: TO }
  const ca = (subject: string, pathLen: number | undefined) => ({
    ...{ ...dates, issuer: amdName('ARK-Test'), subject: amdName(subject), signer: ark },
    extensions: [ext.basicConstraints(true, pathLen), ext.keyUsage(['keyCertSign'])],
  })
  const profile: PathProfile = { ...PROFILE, algorithms: ['PS384'], leafKeyUsage: 'absent' }
  const anchor = anchorOf(certificate({ ...ca('ARK-Test', undefined), serial: 1, publicKey: ark }))
  const path = (trailerField: 'explicit' | 'absent', over: { saltLength?: number } = {}): NonEmpty<Certificate> => [
    decoded(
      certificate({
        ...{
          ...dates,
          serial: 0,
          issuer: amdName('SEV-Test'),
          subject: amdName('SEV-VCEK'),
          publicKey: vcek,
          signer: ask,
        },
        ...{ extensions: [ext.custom('1.3.6.1.4.1.3704.1.4', new Uint8Array(64))] },
        algorithm: { kind: 'rsa-pss-sha384', trailerField, ...over },
      }),
    ),
    decoded(certificate({ ...ca('SEV-Test', 0), serial: 2, publicKey: ask })),
  ]

  it.each(['explicit', 'absent'] as const)('is accepted with the trailer field %s', async (trailerField) => {
    for (const crypto of [nodeCrypto, webCrypto(globalThis.crypto.subtle)]) {
      const outcome = await validatePath(
        contextAt(NOW, crypto),
        'evidence',
        path(trailerField),
        [],
        [anchor],
        profile,
        'path',
      )
      const validated = valueIn(outcome)
      expect(attempt(() => checkValidity(contextAt(), validated, 'path')).ok).toBe(true)
      expect(validated.certificates[0].serial).toBe('00')
    }
  })

  it('is refused under the profile of another vendor', async () => {
    const outcome = await validatePath(contextAt(), 'evidence', path('explicit'), [], [anchor], PROFILE, 'path')
    expect(codesOf(outcome)).toEqual(['X509_ALGORITHM_FORBIDDEN'])
  })
})

describe('anchorKey', () => {
  it('throws for an anchor that is no key: anchors are ours', () => {
    expect(() => anchorKey({ ...ANCHOR, spki: Uint8Array.of(5, 0) })).toThrow()
    expect(anchorKey(ANCHOR)).toBe(anchorKey(ANCHOR))
  })
})

const DEVICE: PathProfile = {
  algorithms: ['ES384'],
  leafKeyUsage: 'digitalSignature',
  knownCritical: [],
  hosts: ['ocsp.ndis.nvidia.com', 'crl.ndis.nvidia.com'],
}

describeEvidence('nvidia', () => {
  const chains = filesBelow(join(EVIDENCE, 'nvidia'), /\.pem$/).filter(
    (path) => /certs\.pem$/.test(path) && !/chain-|bad|invalid/.test(path),
  )

  it.each(chains.map((path) => [path.slice(EVIDENCE.length + 1), path]))('%s', async (_title, path) => {
    const [leaf, ...others] = pemBodies(path).map(decoded)
    if (leaf === undefined) throw new Error('no certificate')
    const ordered = orderPath(leaf, others)
    const outcome = await validatePath(contextAt(), 'evidence', ordered, [], PINNED_ANCHORS, DEVICE, 'path')
    expect(valueIn(outcome).anchor.id).toBe('nvidia/NVIDIA Device Identity CA')
    expect(ordered.length).toBe(others.length)
  })

  it('finds chains to try', () => {
    expect(chains.length).toBeGreaterThan(20)
  })

  it.each(['milan', 'genoa', 'turin'])('AMD %s: ASK and ASVK under the pinned ARK', async (product) => {
    const profile: PathProfile = {
      ...DEVICE,
      algorithms: ['PS384'],
      leafKeyUsage: 'absent',
      hosts: ['kdsintf.amd.com'],
    }
    for (const role of ['ask', 'asvk']) {
      const intermediate = decoded(bytesOf(join(EVIDENCE, 'sev-snp/roots', `${product}_${role}.der`)))
      const leaf = decoded(
        certificate({
          ...{
            serial: 0,
            issuer: intermediate.subject.der,
            subject: amdName('x'),
            notBefore: FROM,
            notAfter: TO,
            extensions: [],
          },
          ...{ publicKey: KEYS.leaf, signer: rsaKey('ask-genoa') },
        }),
      )
      // Our leaf cannot be signed by AMD: all that may be wrong is that link.
      const outcome = await validatePath(
        contextAt(),
        'evidence',
        [leaf, intermediate],
        [],
        PINNED_ANCHORS,
        profile,
        'path',
      )
      expect(outcome).toMatchObject({ faults: [{ code: 'X509_SIGNATURE_INVALID', path: 'path[0]' }] })
    }
  })
})
