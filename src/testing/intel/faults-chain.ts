import { utf8 } from '../../core/bytes.ts'
import { ext } from '../pki/certificate.ts'
import { nul } from '../pki/der.ts'
import { shifted } from '../pki/instants.ts'
import { rememberedKey } from '../pki/remembered.ts'
import type { IntelAuthority } from './authority.ts'
import { inPck } from './bend.ts'
import type { IntelCertificateEdits } from './certificate.ts'
import { INTEL_NAMES, intelName } from './names.ts'
import type { PckEdits } from './pck.ts'
import { createIntelTestPki, type IntelTestPki } from './pki.ts'
import { faultTable, type IntelPlan, type Made } from './plan.ts'

type From<T> = (plan: IntelPlan) => T

const chain = (what: string, row: string, shown: (made: Made, plan: IntelPlan) => readonly Uint8Array[]) => ({
  what,
  stage: 'chain' as const,
  rows: [row],
  bend: (plan: IntelPlan) => ({ chain: (made: Made) => shown(made, plan) }),
})

const leaf = (what: string, row: string, edits: From<PckEdits>) => ({
  what,
  stage: 'chain' as const,
  rows: [row],
  bend: inPck(edits),
})

/** The authority that issues PCK certificates, bent and signed by the genuine root. */
const intermediate = (what: string, row: string, edits: From<IntelCertificateEdits>) => ({
  what,
  stage: 'chain' as const,
  rows: [row],
  bend: (plan: IntelPlan) => ({ pki: { ...plan.pki, [plan.ca]: edits(plan) } }),
})

/** The root, bent and trusted as it is. */
const root = (what: string, row: string, edits: From<IntelCertificateEdits>) => ({
  what,
  stage: 'chain' as const,
  rows: [row],
  bend: (plan: IntelPlan) => ({ pki: { ...plan.pki, root: edits(plan) } }),
})

const text = (what: string, data: (pem: Uint8Array) => Uint8Array) => ({
  what,
  stage: 'chain' as const,
  rows: ['RJ-X5-27'],
  bend: () => ({ certification: (pem: Uint8Array) => ({ type: 5, data: data(pem) }) }),
})

const rogueOf = (plan: IntelPlan): IntelTestPki => createIntelTestPki(plan.seed, { ...plan.pki, rogue: true })
const rootOf = ({ pki }: Made): Uint8Array => pki.authority('root').certificate
const issuerOf = ({ pki }: Made, { ca }: IntelPlan): Uint8Array => pki.authority(ca).certificate
const unknownCritical = ext.custom('1.3.6.1.4.1.99999.1', nul(), true)
const otherCa = ({ ca }: IntelPlan) => (ca === 'platform' ? 'processor' : 'platform')

/** A PCK certificate under a PCK certificate: its key signs what its certificate does not let it sign. */
const pckAsAuthority = (plan: IntelPlan, pki: IntelTestPki): IntelAuthority => {
  const { key, certificate, serial } = pki.pck(plan.ca, plan.platform)
  return { role: plan.ca, key, certificate, serial, name: intelName(INTEL_NAMES.pck) }
}

/** Faults in the certificate chain that the quote shows. */
export const CHAIN_FAULTS = faultTable({
  'chain-foreign-root': {
    what: 'everything self-consistent under a foreign root with Intel’s names',
    stage: 'chain',
    rows: ['RJ-X5-01'],
    bend: (plan) => ({ pki: { ...plan.pki, rogue: true } }),
  },
  'chain-root-same-name': chain(
    'a self-signed root of Intel’s name in the place of the root',
    'RJ-X5-01',
    (made, plan) => [made.pck.certificate, issuerOf(made, plan), rogueOf(plan).authority('root').certificate],
  ),
  'chain-foreign-issuer': chain(
    'the issuing authority of a foreign hierarchy between the genuine ends',
    'RJ-X5-01',
    (made, plan) => [made.pck.certificate, rogueOf(plan).authority(plan.ca).certificate, rootOf(made)],
  ),
  'chain-leaf-only': chain('the PCK certificate alone', 'RJ-X5-01', ({ pck }) => [pck.certificate]),
  'chain-without-issuer': chain('leaf and root', 'RJ-X5-01', (made) => [made.pck.certificate, rootOf(made)]),
  'chain-without-root': chain('leaf and issuing authority', 'RJ-X5-01', (made, plan) => [
    made.pck.certificate,
    issuerOf(made, plan),
  ]),
  'chain-extra-certificate': chain('the TCB signer’s certificate behind the root', 'RJ-X5-01', (made, plan) => [
    made.pck.certificate,
    issuerOf(made, plan),
    rootOf(made),
    made.pki.authority('tcbSigner').certificate,
  ]),
  'chain-duplicate': chain('the issuing authority twice', 'RJ-X5-01', (made, plan) => [
    made.pck.certificate,
    issuerOf(made, plan),
    issuerOf(made, plan),
    rootOf(made),
  ]),
  'chain-reversed': chain('root first', 'RJ-X5-01', (made, plan) => [
    rootOf(made),
    issuerOf(made, plan),
    made.pck.certificate,
  ]),
  'chain-reordered': chain('issuing authority before the leaf', 'RJ-X5-01', (made, plan) => [
    issuerOf(made, plan),
    made.pck.certificate,
    rootOf(made),
  ]),
  'chain-other-authority': chain('the other of Intel’s two issuing authorities', 'RJ-X5-01', (made, plan) => [
    made.pck.certificate,
    made.pki.authority(otherCa(plan)).certificate,
    rootOf(made),
  ]),
  'chain-other-pck': {
    ...chain('the PCK certificate of another machine', 'RJ-TDX-10', (made, plan) => [
      made.pki.pck(plan.ca, plan.platform, { key: rememberedKey('P-256', `intel/pck/other/${plan.seed}`) }).certificate,
      issuerOf(made, plan),
      rootOf(made),
    ]),
    stage: 'signature',
  },
  'chain-tcb-signer-as-pck': chain('the TCB signer’s certificate as the leaf', 'RJ-X5-01', (made) => [
    made.pki.authority('tcbSigner').certificate,
    rootOf(made),
    rootOf(made),
  ]),
  'chain-pck-as-authority': {
    what: 'a PCK certificate issued by a PCK certificate',
    stage: 'chain',
    rows: ['RJ-X5-02'],
    bend: (plan) => ({
      pck: (pki) => ({
        issuedBy: pckAsAuthority(plan, pki),
        key: rememberedKey('P-256', `intel/pck/below/${plan.seed}`),
        certificate: { issuer: intelName(INTEL_NAMES.pck) },
      }),
      chain: (made) => [
        made.pck.certificate,
        pckAsAuthority(plan, made.pki).certificate,
        issuerOf(made, plan),
        rootOf(made),
      ],
    }),
  },
  'chain-garbage': text('certification data that is no PEM', (pem) => pem.map(() => 0x41)),
  'chain-text-between': text('text before the first certificate', (pem) =>
    utf8(`chain:\n${new TextDecoder().decode(pem)}`),
  ),
  'chain-text-behind': text('text behind the last certificate', (pem) => utf8(`${new TextDecoder().decode(pem)}end\n`)),
  'chain-bytes-behind-nul': text('bytes behind the NUL that ends the chain', (pem) =>
    Uint8Array.from([...pem, 0, 0x41]),
  ),

  'pck-expired': leaf('PCK certificate expired a second ago', 'RJ-X5-07', ({ at }) => ({
    certificate: { notAfter: shifted(at, -1) },
  })),
  'pck-not-yet-valid': leaf('PCK certificate valid from a second hence', 'RJ-X5-07', ({ at }) => ({
    certificate: { notBefore: shifted(at, 1) },
  })),
  'pck-signature-tampered': leaf('one bit of the PCK certificate’s signature changed', 'RJ-X5-01', () => ({
    certificate: { tamperSignature: true },
  })),
  'pck-issuer-name': leaf('PCK certificate that names the other issuing authority', 'RJ-X5-05', (plan) => ({
    certificate: { issuer: intelName(INTEL_NAMES[otherCa(plan)]) },
  })),
  'pck-common-name': leaf('a leaf with the name of the TCB signer', 'RJ-X5-05', () => ({
    certificate: { subject: intelName(INTEL_NAMES.tcbSigner) },
  })),
  'pck-is-ca': leaf('a PCK certificate with CA true', 'RJ-X5-04', () => ({
    replace: { basicConstraints: ext.basicConstraints(true) },
  })),
  'pck-no-digital-signature': leaf('a PCK certificate that may not sign', 'RJ-X5-06', () => ({
    replace: { keyUsage: ext.keyUsage(['keyEncipherment']) },
  })),
  'pck-unknown-critical-ext': leaf('critical extension nobody knows in the PCK certificate', 'RJ-X5-08', () => ({
    append: [unknownCritical],
  })),
  'pck-duplicate-extension': leaf('two key usages in the PCK certificate', 'RJ-X5-26', () => ({
    append: [ext.keyUsage(['digitalSignature', 'nonRepudiation'])],
  })),
  'pck-key-p384': leaf('a PCK key on P-384', 'RJ-X5-17', ({ seed }) => ({
    certificate: { publicKey: rememberedKey('P-384', `intel/pck/${seed}`) },
  })),
  'pck-signed-with-sha1': leaf('PCK certificate signed with SHA-1', 'RJ-X5-25', () => ({
    certificate: { algorithm: { kind: 'ecdsa-sha1' } },
  })),

  'issuer-expired': intermediate('issuing authority expired a second ago', 'RJ-X5-07', ({ at }) => ({
    certificate: { notAfter: shifted(at, -1) },
  })),
  'issuer-not-yet-valid': intermediate('issuing authority valid from a second hence', 'RJ-X5-07', ({ at }) => ({
    certificate: { notBefore: shifted(at, 1) },
  })),
  'issuer-not-ca': intermediate('issuing authority with CA false', 'RJ-X5-02', () => ({
    replace: { basicConstraints: ext.basicConstraints(false) },
  })),
  'issuer-no-basic-constraints': intermediate('issuing authority without basicConstraints', 'RJ-X5-02', () => ({
    replace: { basicConstraints: 'absent' },
  })),
  'issuer-no-cert-sign': intermediate('issuing authority whose key usage lacks keyCertSign', 'RJ-X5-06', () => ({
    replace: { keyUsage: ext.keyUsage(['cRLSign']) },
  })),
  'issuer-unknown-critical-ext': intermediate(
    'critical extension nobody knows in the issuing authority',
    'RJ-X5-08',
    () => ({ append: [unknownCritical] }),
  ),
  'issuer-signature-tampered': intermediate('one bit of the issuing authority’s signature changed', 'RJ-X5-01', () => ({
    certificate: { tamperSignature: true },
  })),
  'root-expired': root('trusted root expired a second ago', 'RJ-X5-07', ({ at }) => ({
    certificate: { notAfter: shifted(at, -1) },
  })),
  'root-not-yet-valid': root('trusted root valid from a second hence', 'RJ-X5-07', ({ at }) => ({
    certificate: { notBefore: shifted(at, 1) },
  })),
  'root-path-length-0': root('trusted root that allows no issuing authority', 'RJ-X5-03', () => ({
    replace: { basicConstraints: ext.basicConstraints(true, 0) },
  })),
})
