import { ext } from '../pki/certificate.ts'
import { nul } from '../pki/der.ts'
import { rsaKey } from '../pki/keys.ts'
import { name } from '../pki/names.ts'
import type { Fault } from './fault.ts'
import { type IssuedCertificate, issue } from './issue.ts'
import { p384Key } from './keys.ts'
import { createNvidiaTestPki } from './pki.ts'
import type { RimChainSpec } from './rim-pki.ts'
import { editSignature, type RimPlan, usualSignature } from './rim-plan.ts'
import { derEncodedKeyValue, ecdsa, keyValue, rsa, type XmlSignature, x509Data } from './xmldsig.ts'

const ownEc = () => p384Key('rim/attacker')
const ownRsa = () => rsaKey('small-2048')

/** An attacker's key information beside the genuine certificates; the signature is the attacker's. */
const bare = (what: string, make: (genuine: string) => Partial<XmlSignature>): Fault<RimPlan> => ({
  what,
  row: 'RJ-RIM-17',
  apply: editSignature(({ chain }) => make(x509Data(chain.chain))),
})

/** Key information besides X509Data where the signature is the rightful signer's. */
const beside = (what: string, keyInfo: (genuine: string, plan: RimPlan) => string): Fault<RimPlan> => ({
  what,
  row: 'RJ-RIM-17',
  apply: editSignature((plan) => ({ keyInfo: keyInfo(x509Data(plan.chain.chain), plan) })),
})

/** The genuine signature with other certificates beside it. */
const certificates = (what: string, row: string, choose: (plan: RimPlan) => readonly Uint8Array[]): Fault<RimPlan> => ({
  what,
  row,
  apply: editSignature((plan) => ({ keyInfo: x509Data(choose(plan)) })),
})

/** Signed by a key of the attacker under certificates of his choice. */
const ownSigner = (what: string, choose: (plan: RimPlan) => readonly Uint8Array[]): Fault<RimPlan> => ({
  what,
  row: 'RJ-RIM-16',
  apply: editSignature((plan) => ({ method: ecdsa(ownEc()), keyInfo: x509Data(choose(plan)) })),
})

/** The rightful hierarchy with something wrong in one certificate. */
const chainWith = (what: string, row: string, spec: Omit<RimChainSpec, 'architecture'>): Fault<RimPlan> => ({
  what,
  row,
  apply: (plan) => {
    const chain = plan.pki.rimChain({ ...spec, architecture: plan.architecture })
    return { ...plan, chain, signature: usualSignature(chain) }
  },
})

const foreignChain = (plan: RimPlan) =>
  createNvidiaTestPki(`${plan.pki.seed}/foreign`).rimChain({ architecture: plan.architecture })

const selfMade = (issuer?: IssuedCertificate): Uint8Array =>
  issue({
    subject: name([
      ['C', 'US'],
      ['O', 'NVIDIA Corporation'],
      ['CN', 'HCC RIM L4 Signer'],
    ]),
    serial: Uint8Array.of(7),
    key: ownEc(),
    notBefore: '2025-01-01T00:00:00Z',
    notAfter: '2028-01-01T00:00:00Z',
    extensions: [ext.basicConstraints(false), ext.keyUsage(['digitalSignature'])],
    edit: (spec) => (issuer === undefined ? spec : { ...spec, issuer: issuer.subject }),
  }).der

/** Faults of KeyInfo and of the signer's chain. */
export const RIM_KEY_FAULTS = {
  'key-value-rsa-first': bare('an RSA key of ours before the genuine certificates', (genuine) => ({
    method: rsa(ownRsa(), 'sha256'),
    keyInfo: keyValue(ownRsa()) + genuine,
  })),
  'key-value-rsa-last': bare('an RSA key of ours behind the genuine certificates', (genuine) => ({
    method: rsa(ownRsa(), 'sha256'),
    keyInfo: genuine + keyValue(ownRsa()),
  })),
  'key-value-ec-first': bare('an EC key of ours before the genuine certificates', (genuine) => ({
    method: ecdsa(ownEc()),
    keyInfo: keyValue(ownEc()) + genuine,
  })),
  'key-value-ec-last': bare('an EC key of ours behind the genuine certificates', (genuine) => ({
    method: ecdsa(ownEc()),
    keyInfo: genuine + keyValue(ownEc()),
  })),
  'key-value-alone': bare('an EC key of ours and no certificate', () => ({
    method: ecdsa(ownEc()),
    keyInfo: keyValue(ownEc()),
  })),
  'der-encoded-key-value': bare('a DER-encoded key of ours before the genuine certificates', (genuine) => ({
    method: ecdsa(ownEc()),
    keyInfo: derEncodedKeyValue(ownEc()) + genuine,
  })),
  'signer-hidden': bare('genuine certificates, signed with a key that is nowhere', () => ({ method: ecdsa(ownEc()) })),
  'key-value-of-signer': beside(
    'the signer’s own key as KeyValue beside his certificates',
    (genuine, { chain }) => keyValue(chain.signerKey) + genuine,
  ),
  'key-name': beside('a KeyName', (genuine) => `<ds:KeyName>NVIDIA</ds:KeyName>${genuine}`),
  'retrieval-method': beside(
    'a RetrievalMethod',
    (genuine) => `<ds:RetrievalMethod URI="http://127.0.0.1:9/key"/>${genuine}`,
  ),
  'x509-subject-name': beside('an X509SubjectName inside X509Data', (genuine) =>
    genuine.replace('<ds:X509Data>', '<ds:X509Data><ds:X509SubjectName>CN=NVIDIA</ds:X509SubjectName>'),
  ),
  'x509-data-twice': beside(
    'the certificates spread over two X509Data',
    (_, { chain }) => x509Data(chain.chain.slice(0, 1)) + x509Data(chain.chain.slice(1)),
  ),
  'key-info-empty': beside('an empty KeyInfo', () => ''),
  'certificate-not-base64': beside('a certificate that is not base64', (genuine) => genuine.replace('MII', '*II')),
  'certificate-comment': beside('a comment inside a certificate', (genuine) => genuine.replace('MII', 'MI<!-- -->I')),

  'own-signer-first': ownSigner('a self-signed signer before the genuine chain', ({ chain }) => [
    selfMade(),
    ...chain.chain,
  ]),
  'own-signer-in-place': ownSigner(
    'a signer of ours that names the genuine issuer, in place of the genuine signer',
    ({ chain }) => [selfMade(chain.certificates.issuer), ...chain.chain.slice(1)],
  ),
  'own-signer-alone': ownSigner('a self-signed signer and nothing else', () => [selfMade()]),
  'chain-foreign': {
    what: 'a consistent chain under a foreign root of the same name',
    row: 'RJ-RIM-16',
    apply: (plan) => ({ ...plan, signature: usualSignature(foreignChain(plan)) }),
  },
  'chain-foreign-root-swapped': {
    what: 'a foreign chain with the genuine root in the last place',
    row: 'RJ-RIM-16',
    apply: (plan) => {
      const foreign = foreignChain(plan)
      const keyInfo = x509Data([...foreign.chain.slice(0, 3), plan.pki.roots.rim])
      return { ...plan, signature: { ...usualSignature(foreign), keyInfo } }
    },
  },
  'chain-without-issuer': certificates('the signer’s issuer missing', 'RJ-RIM-16', ({ chain }) =>
    chain.chain.toSpliced(1, 1),
  ),
  'chain-signer-only': certificates('the signer alone', 'RJ-RIM-16', ({ chain }) => chain.chain.slice(0, 1)),
  'chain-without-signer': certificates('the signer missing', 'RJ-RIM-16', ({ chain }) => chain.chain.slice(1)),
  'chain-reversed': certificates('root first', 'RJ-RIM-16', ({ chain }) => chain.chain.toReversed()),
  'chain-five': certificates('the device root as a fifth certificate', 'RJ-RIM-16', ({ chain, pki }) => [
    ...chain.chain,
    pki.roots.device,
  ]),
  'chain-empty': certificates('X509Data without a certificate', 'RJ-RIM-16', () => []),
  'signer-issuer': {
    what: 'signed by the issuer’s own key, the chain begins there',
    row: 'RJ-RIM-16',
    apply: editSignature(({ chain }) => ({
      method: ecdsa(chain.certificates.issuer.key),
      keyInfo: x509Data(chain.chain.slice(1)),
    })),
  },
  'signer-attestation-key': {
    what: 'signed by a GPU’s attestation key, with the device chain',
    row: 'RJ-RIM-16',
    apply: editSignature(({ pki }) => {
      const device = pki.device({ architecture: 'hopper', label: 'rim-forger' })
      return { method: ecdsa(device.attestationKey), keyInfo: x509Data(device.chain) }
    }),
  },
  'signer-expired': chainWith('the signer’s certificate has expired', 'RJ-X5-07', {
    signerNotBefore: '2023-01-01T00:00:00Z',
    signerNotAfter: '2025-01-01T00:00:00Z',
  }),
  'signer-not-yet-valid': chainWith('the signer’s certificate is not valid yet', 'RJ-X5-07', {
    signerNotBefore: '2090-01-01T00:00:00Z',
    signerNotAfter: '2092-01-01T00:00:00Z',
  }),
  'signer-is-ca': chainWith('the signer’s certificate is a CA’s', 'RJ-RIM-16', {
    edit: {
      signer: (spec) => ({
        ...spec,
        extensions: [ext.basicConstraints(true), ext.keyUsage(['digitalSignature', 'keyCertSign'])],
      }),
    },
  }),
  'signer-key-usage': chainWith('the signer’s certificate may not sign', 'RJ-RIM-16', {
    edit: {
      signer: (spec) => ({ ...spec, extensions: [ext.basicConstraints(false), ext.keyUsage(['keyEncipherment'])] }),
    },
  }),
  'signer-critical-extension': chainWith('an unknown critical extension in the signer’s certificate', 'RJ-X5-08', {
    edit: {
      signer: (spec) => ({ ...spec, extensions: [...spec.extensions, ext.custom('1.3.6.1.4.1.5703.1', nul(), true)] }),
    },
  }),
  'issuer-not-ca': chainWith('the signer’s issuer is no CA', 'RJ-X5-02', {
    edit: { issuer: (spec) => ({ ...spec, extensions: [ext.basicConstraints(false), ext.keyUsage(['keyCertSign'])] }) },
  }),
  'issuer-expired': chainWith('the issuer’s certificate has expired', 'RJ-X5-07', {
    edit: { issuer: (spec) => ({ ...spec, notBefore: '2022-01-01T00:00:00Z', notAfter: '2025-01-01T00:00:00Z' }) },
  }),
  'signer-signature': chainWith('one bit of the signer certificate’s signature turned over', 'RJ-RIM-16', {
    edit: { signer: (spec) => ({ ...spec, tamperSignature: true }) },
  }),
} as const satisfies Record<string, Fault<RimPlan>>
