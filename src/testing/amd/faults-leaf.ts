import { p384 } from '@noble/curves/nist.js'
import { concatBytes } from '../../core/bytes.ts'
import { algorithmIdentifier, ext, type SignatureSpec } from '../pki/certificate.ts'
import { bits, ia5, integer, nul, oid, raw, seq, tlvAt, tlvsIn } from '../pki/der.ts'
import { shifted } from '../pki/instants.ts'
import { ecKey } from '../pki/keys.ts'
import { amdName } from '../pki/names.ts'
import { ecSpki, explicitEcSpki } from '../pki/spki.ts'
import { authority } from './authority.ts'
import { type LeafExtensionEdits, type LeafOverrides, leafKeyLabel } from './leaf.ts'
import {
  type AmdFaultNeeds,
  type FaultTable,
  faultTable,
  inLeaf,
  inReport,
  type MachinePlan,
  moved,
  otherProduct,
} from './plan.ts'
import { AMD_NAMES, type AmdTcb, LEAF_OID, type LeafExtensionName, PRODUCTS } from './products.ts'
import { testChipId } from './report.ts'

const TURIN = { product: 'Turin' } as const
const VLEK = { kind: 'VLEK' } as const
const VCEK = { kind: 'VCEK' } as const

const tcbOff = (component: keyof AmdTcb, by: 1 | -1) => ({
  what: `certificate for a ${by < 0 ? 'lower' : 'higher'} ${component} than the report says`,
  stage: 'match' as const,
  rows: ['RJ-SNP-12'],
  ...(component === 'fmc' ? { needs: TURIN } : {}),
  bend: (plan: MachinePlan) => ({ leafTcb: moved(plan.tcb, component, by) }),
})

type Edits = LeafExtensionEdits | ((plan: MachinePlan) => LeafExtensionEdits)

const extensions = (what: string, edits: Edits, needs?: AmdFaultNeeds) => ({
  what,
  stage: 'match' as const,
  rows: ['RJ-SNP-13'],
  ...(needs === undefined ? {} : { needs }),
  bend: inLeaf((plan) => ({ extensions: typeof edits === 'function' ? edits(plan) : edits })),
})

const missing = (name: LeafExtensionName, needs?: AmdFaultNeeds) =>
  extensions(`${name} absent`, { drop: [name] }, needs)

const chain = (what: string, row: string, overrides: (plan: MachinePlan) => LeafOverrides) => ({
  what,
  stage: 'chain' as const,
  rows: [row],
  bend: inLeaf(overrides),
})

const signedAs = (what: string, row: string, algorithm: SignatureSpec) =>
  chain(what, row, () => ({ certificate: { algorithm } }))

/** SubjectPublicKeyInfo in place of the leaf's own, made from its true point. */
const keyShape = (what: string, row: string, shape: (point: Uint8Array) => Uint8Array) =>
  chain(what, row, (plan) => {
    const { product, tcb, kind, chipId, cspId, seed } = plan
    const identity = kind === 'VCEK' ? ({ kind, chipId } as const) : ({ kind, cspId } as const)
    const key = ecKey('P-384', `${seed}/${leafKeyLabel(product, identity, tcb)}`)
    return { key, certificate: { publicKey: { spki: shape(key.publicPoint ?? new Uint8Array()) } } }
  })

/** Faults in the leaf certificate, signed by the genuine issuer unless the fault is who signs. */
export const LEAF_FAULTS = faultTable({
  'hwid-mismatch': {
    what: 'VCEK of another chip',
    stage: 'match',
    rows: ['RJ-SNP-11'],
    needs: VCEK,
    bend: ({ product, seed }) => ({ leafChipId: testChipId(product, `${seed}/another`) }),
  },
  'turin-chipid-tail-nonzero': {
    what: 'CHIP_ID begins with the hardware id of the VCEK and does not end in zeros',
    stage: 'match',
    rows: ['RJ-SNP-11'],
    needs: { ...TURIN, ...VCEK },
    bend: inReport(({ chipId }) => ({ chipId: chipId.map((byte, i) => (i === 63 ? 1 : byte)) })),
  },
  'v2-turin-like-chip': {
    what: 'version 2 report, which names no product, with a chip id of eight bytes as on Turin',
    stage: 'match',
    rows: ['RJ-SNP-26'],
    needs: { ...VCEK, report: { version: 2 } },
    bend: ({ chipId }) => ({ chipId: chipId.map((byte, i) => (i < 8 ? byte : 0)) }),
  },
  'tcb-cert-lower-bl': tcbOff('bl', -1),
  'tcb-cert-lower-tee': tcbOff('tee', -1),
  'tcb-cert-lower-snp': tcbOff('snp', -1),
  'tcb-cert-lower-ucode': tcbOff('ucode', -1),
  'tcb-cert-higher-bl': tcbOff('bl', 1),
  'tcb-cert-higher-tee': tcbOff('tee', 1),
  'tcb-cert-higher-snp': tcbOff('snp', 1),
  'tcb-cert-higher-ucode': tcbOff('ucode', 1),
  'turin-fmc-mismatch': tcbOff('fmc', -1),
  'turin-fmc-higher': tcbOff('fmc', 1),

  'ext-missing-structversion': missing('structVersion'),
  'ext-missing-product': missing('productName'),
  'ext-missing-hwid': missing('hwID', VCEK),
  'ext-missing-bl': missing('blSPL'),
  'ext-missing-spl5': missing('spl5'),
  'ext-missing-ucode': missing('ucodeSPL'),
  'ext-vlek-without-csp': missing('cspID', VLEK),
  'turin-fmc-missing': missing('fmcSPL', TURIN),
  'ext-duplicate-bl': extensions('blSPL twice with different values', ({ tcb }) => ({
    append: [ext.custom(LEAF_OID.blSPL, integer(tcb.bl + 1))],
  })),
  'ext-duplicate-ucode': extensions('ucodeSPL twice with the same value', { duplicate: ['ucodeSPL'] }),
  'ext-hwid-63': extensions(
    'hwID one byte short',
    ({ product, chipId }) => ({ value: { hwID: chipId.subarray(0, PRODUCTS[product].hwIdBytes - 1) } }),
    VCEK,
  ),
  'turin-hwid-64': extensions('hwID of 64 bytes on Turin', ({ chipId }) => ({ value: { hwID: chipId } }), {
    ...TURIN,
    ...VCEK,
  }),
  'ext-hwid-and-csp': extensions(
    'VCEK with a CSP_ID beside its hwID',
    ({ cspId }) => ({ value: { cspID: ia5(cspId) } }),
    VCEK,
  ),
  'ext-vlek-with-hwid': extensions(
    'VLEK with a hwID beside its CSP_ID',
    ({ chipId }) => ({ value: { hwID: chipId } }),
    VLEK,
  ),
  'ext-structversion': extensions('structVersion of the other TCB layout', ({ product }) => ({
    value: { structVersion: integer(1 - PRODUCTS[product].structVersion) },
  })),
  'turin-structversion-0': extensions('structVersion 0 on Turin', { value: { structVersion: integer(0) } }, TURIN),
  'turin-spl4-present': extensions('spl4, which Turin has not', { value: { spl4: integer(0) } }, TURIN),
  'genoa-fmc-present': extensions(
    'fmcSPL, which Genoa has not',
    { value: { fmcSPL: integer(0) } },
    { product: 'Genoa' },
  ),
  'ext-spl5-nonzero': extensions('reserved spl5 not zero', { value: { spl5: integer(1) } }),
  'ext-non-minimal-integer': extensions('blSPL with a superfluous leading zero', ({ tcb }) => ({
    value: { blSPL: raw(0x02, Uint8Array.of(0, tcb.bl)) },
  })),
  'ext-integer-two-bytes': extensions('ucodeSPL above 255 whose low byte is right', ({ tcb }) => ({
    value: { ucodeSPL: integer(0x100 + tcb.ucode) },
  })),
  'ext-integer-negative': {
    ...extensions('', {}),
    what: 'ucodeSPL negative, right when read without its sign',
    bend: (plan) => ({
      tcb: { ...plan.tcb, ucode: plan.tcb.ucode | 0x80 },
      leaf: { ...plan.leaf, extensions: { value: { ucodeSPL: raw(0x02, Uint8Array.of(plan.tcb.ucode | 0x80)) } } },
    }),
  },
  'ext-value-trailing-byte': extensions('a byte behind the INTEGER of blSPL', ({ tcb }) => ({
    value: { blSPL: concatBytes(integer(tcb.bl), Uint8Array.of(0)) },
  })),
  'ext-value-not-integer': extensions('blSPL is a NULL', { value: { blSPL: nul() } }),
  'ext-product-name': {
    ...extensions('productName of another product', ({ product }) => ({
      value: { productName: ia5(PRODUCTS[otherProduct(product)].productName.VCEK) },
    })),
    rows: ['RJ-SNP-26'],
  },

  'signer-kind-vlek-in-report-vcek-cert': {
    what: 'report names VLEK, certificate is a VCEK',
    stage: 'match',
    rows: ['RJ-SNP-38'],
    needs: VCEK,
    bend: inReport({ signingKey: 1 }),
  },
  'signer-kind-vcek-in-report-vlek-cert': {
    what: 'report names VCEK, certificate is a VLEK',
    stage: 'match',
    rows: ['RJ-SNP-38'],
    needs: VLEK,
    bend: inReport({ signingKey: 0 }),
  },
  'leaf-under-asvk-claims-vcek': {
    ...chain('VCEK issued by the ASVK', 'RJ-SNP-38', () => ({ issuedBy: 'asvk' })),
    stage: 'match',
    needs: VCEK,
  },
  'leaf-under-ask-claims-vlek': {
    ...chain('VLEK issued by the ASK', 'RJ-SNP-38', () => ({ issuedBy: 'ask' })),
    stage: 'match',
    needs: VLEK,
  },
  'leaf-wrong-cn': {
    ...chain('subject of the other kind of key', 'RJ-SNP-38', ({ kind }) => ({
      commonName: AMD_NAMES[kind === 'VCEK' ? 'VLEK' : 'VCEK'],
    })),
    stage: 'match',
  },

  'leaf-expired': chain('leaf expired a second ago', 'RJ-X5-07', ({ at }) => ({
    certificate: { notAfter: shifted(at, -1) },
  })),
  'leaf-not-yet-valid': chain('leaf valid from a second hence', 'RJ-X5-07', ({ at }) => ({
    certificate: { notBefore: shifted(at, 1) },
  })),
  'leaf-pss-salt32': signedAs('RSASSA-PSS with a salt of 32 bytes', 'RJ-X5-25', {
    kind: 'rsa-pss-sha384',
    saltLength: 32,
  }),
  'leaf-pkcs1': signedAs('PKCS#1 v1.5 signature of the genuine issuer', 'RJ-X5-25', { kind: 'rsa-pkcs1-sha384' }),
  'leaf-md5': signedAs('MD5 signature of the genuine issuer', 'RJ-X5-25', { kind: 'rsa-md5' }),
  'leaf-sha1': signedAs('SHA-1 signature of the genuine issuer', 'RJ-X5-25', { kind: 'rsa-sha1' }),
  'leaf-alg-mismatch': chain('inner and outer algorithm differ', 'RJ-X5-22', () => ({
    certificate: { innerAlgorithm: algorithmIdentifier({ kind: 'rsa-pkcs1-sha384' }) },
  })),
  'leaf-signature-tampered': chain('signature of the leaf with one bit changed', 'RJ-X5-01', () => ({
    certificate: { tamperSignature: true },
  })),
  'leaf-signed-by-ark': chain(
    'names the intermediate as issuer, signed by the root',
    'RJ-X5-01',
    ({ product, pki }) => ({ certificate: { signer: authority(product, 'ark', pki).key } }),
  ),
  'leaf-issuer-name': chain(
    'issuer is the intermediate of another product, signed by this one',
    'RJ-X5-05',
    ({ product, kind }) => ({
      certificate: { issuer: amdName(AMD_NAMES[kind === 'VCEK' ? 'ask' : 'asvk'](otherProduct(product))) },
    }),
  ),
  'leaf-unknown-critical-ext': chain('critical extension nobody knows', 'RJ-X5-08', () => ({
    extensions: { append: [ext.custom('1.3.6.1.4.1.99999.1', nul(), true)] },
  })),
  'leaf-is-ca': chain('leaf with the CA bit', 'RJ-X5-04', () => ({
    extensions: { append: [ext.basicConstraints(true)] },
  })),
  'leaf-p256': chain('P-256 key', 'RJ-X5-17', ({ seed }) => ({ key: ecKey('P-256', `${seed}/p256`) })),
  'leaf-explicit-curve': keyShape('curve spelled out instead of named', 'RJ-X5-17', explicitP384),
  'leaf-point-off-curve': keyShape('point not on the curve', 'RJ-X5-18', (point) =>
    ecSpki(
      'P-384',
      point.map((byte, i) => (i === 96 ? byte ^ 1 : byte)),
    ),
  ),
  'leaf-point-infinity': keyShape('point at infinity', 'RJ-X5-18', () => ecSpki('P-384', Uint8Array.of(0))),
  'leaf-point-compressed': keyShape('compressed point', 'RJ-X5-18', (point) =>
    ecSpki('P-384', concatBytes(Uint8Array.of(2 | ((point[96] ?? 0) & 1)), point.subarray(1, 49))),
  ),
  'leaf-unused-bits': keyShape('key in a BIT STRING with an unused bit', 'RJ-X5-21', (point) =>
    seq(seq(oid('1.2.840.10045.2.1'), oid('1.3.132.0.34')), bits(point, 1)),
  ),
  'leaf-trailing-byte': chain('a byte behind the certificate', 'RJ-X5-21', () => ({
    reshape: (der) => concatBytes(der, Uint8Array.of(0)),
  })),
  'leaf-indefinite-length': chain('certificate in BER with indefinite length', 'RJ-X5-19', () => ({
    reshape: (der) => concatBytes(Uint8Array.of(0x30, 0x80), tlvAt(der, 0).content, Uint8Array.of(0, 0)),
  })),
  'leaf-long-form-length': chain('a short length in long form inside the signed body', 'RJ-X5-19', () => ({
    certificate: { mutateTbs: longFormValidity },
  })),
  'leaf-oid-arc-overflow': chain(
    'hwID under an arc that equals 3704 modulo 2^32',
    'RJ-X5-20',
    ({ chipId, product }) => ({
      extensions: {
        drop: ['hwID'],
        append: [ext.custom('1.3.6.1.4.1.4294971000.1.4', chipId.subarray(0, PRODUCTS[product].hwIdBytes))],
      },
    }),
  ),
})

function explicitP384(point: Uint8Array): Uint8Array {
  const { p, n, a, b } = p384.Point.CURVE()
  const bytes = (value: bigint) => Uint8Array.from(Buffer.from(value.toString(16).padStart(96, '0'), 'hex'))
  const generator = new Uint8Array(p384.Point.BASE.toBytes(false))
  return explicitEcSpki({ p: bytes(p), n: bytes(n), a: bytes(a), b: bytes(b), generator }, point)
}

/** The validity is the fifth member of a version 3 body: version, serial, algorithm, issuer, validity. */
function longFormValidity(tbs: Uint8Array): Uint8Array {
  const parts = tlvsIn(tlvAt(tbs, 0).content)
  return seq(...parts.map((part, i) => (i === 4 ? concatBytes(Uint8Array.of(0x30, 0x81), part.subarray(1)) : part)))
}

export type LeafFault = typeof LEAF_FAULTS extends FaultTable<infer Name> ? Name : never
