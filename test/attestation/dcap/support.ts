import { createHash } from 'node:crypto'
import type { CollateralSet } from '../../../src/attestation/collateral.ts'
import { NO_COLLATERAL } from '../../../src/attestation/collateral.ts'
import type { Tee } from '../../../src/attestation/dcap/model.ts'
import type { ItemJudgement } from '../../../src/attestation/kind.ts'
import { sgx } from '../../../src/attestation/sgx/index.ts'
import { tdx } from '../../../src/attestation/tdx/index.ts'
import { concatBytes, utf8 } from '../../../src/core/bytes.ts'
import type { Code } from '../../../src/core/codes.ts'
import { Context, createVerificationCache, type VerificationCache } from '../../../src/core/context.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { type Outcome, verdictOf } from '../../../src/core/outcome.ts'
import { parseRfc3339 } from '../../../src/core/time.ts'
import { PINNED_ANCHORS, type TrustAnchor } from '../../../src/core/trust-anchors.ts'
import { certificate, ext, pem } from '../../../src/testing/pki/certificate.ts'
import { enumerated, integer, octets, oid, seq } from '../../../src/testing/pki/der.ts'
import { ecKey, type TestKey } from '../../../src/testing/pki/keys.ts'
import { name } from '../../../src/testing/pki/names.ts'
import { anchorFromCertificate } from '../../support/anchors.ts'

/** Time of judgement of everything made here. */
export const AT = '2026-06-01T00:00:00Z'

const key = (seed: string): TestKey => ecKey('P-256', `dcap/${seed}`)
const KEYS = { root: key('root'), ca: key('ca'), pck: key('pck'), attestation: key('attestation') }
export const otherKey = key('other')

const intelName = (cn: string): Uint8Array =>
  name([
    ['CN', cn],
    ['O', 'Intel Corporation'],
    ['L', 'Santa Clara'],
    ['ST', 'CA'],
    ['C', 'US'],
  ])

const SGX = '1.2.840.113741.1.13.1'
export const member = (suffix: string, value: Uint8Array): Uint8Array => seq(oid(`${SGX}.${suffix}`), value)

/** The members of TCB, 18 in all. */
export const tcbMembers = (): Uint8Array[] => [
  ...Array.from({ length: 16 }, (_, i) => member(`2.${i + 1}`, integer(i))),
  member('2.17', integer(11)),
  member('2.18', octets(new Uint8Array(16).fill(5))),
]

/** The members of the extension by the last arc of their OID. */
export const extensionMembers = (): Record<string, Uint8Array> => ({
  1: member('1', octets(new Uint8Array(16).fill(1))),
  2: member('2', seq(...tcbMembers())),
  3: member('3', octets(new Uint8Array(2))),
  4: member('4', octets(Uint8Array.of(0x90, 0xc0, 0x6f, 0, 0, 0))),
  5: member('5', enumerated(1)),
})

export const sgxExtension = (members: readonly Uint8Array[] = Object.values(extensionMembers())): Uint8Array =>
  ext.custom(SGX, seq(...members))

export interface CertificatePlan {
  readonly subject?: string
  readonly issuer?: string
  readonly signer?: TestKey
  readonly publicKey?: TestKey
  readonly notAfter?: string
  readonly serial?: number
  readonly extensions?: readonly Uint8Array[]
}

const made = (usual: Required<CertificatePlan>, plan: CertificatePlan): Uint8Array => {
  const { subject, issuer, signer, publicKey, notAfter, serial, extensions } = { ...usual, ...plan }
  return certificate({
    serial,
    issuer: intelName(issuer),
    subject: intelName(subject),
    notBefore: '2024-01-01T00:00:00Z',
    notAfter,
    publicKey,
    signer,
    extensions,
  })
}

const ROOT = 'Intel SGX Root CA'
const CA = 'Intel SGX PCK Platform CA'
const END = '2030-01-01T00:00:00Z'

const caExtensions = (pathLength: number) => [
  ext.keyUsage(['keyCertSign', 'cRLSign']),
  ext.basicConstraints(true, pathLength),
]
const leafExtensions = (extension: Uint8Array) => [
  ext.crlDistributionPoint(
    'https://api.trustedservices.intel.com/sgx/certification/v4/pckcrl?ca=platform&encoding=der',
  ),
  ext.keyUsage(['digitalSignature', 'nonRepudiation']),
  ext.basicConstraints(false),
  extension,
]

export const rootCertificate = (plan: CertificatePlan = {}): Uint8Array =>
  made(
    {
      subject: ROOT,
      issuer: ROOT,
      signer: KEYS.root,
      publicKey: KEYS.root,
      notAfter: '2049-01-01T00:00:00Z',
      serial: 1,
      extensions: caExtensions(1),
    },
    plan,
  )
export const caCertificate = (plan: CertificatePlan = {}): Uint8Array =>
  made(
    {
      subject: CA,
      issuer: ROOT,
      signer: KEYS.root,
      publicKey: KEYS.ca,
      notAfter: END,
      serial: 2,
      extensions: caExtensions(0),
    },
    plan,
  )
export const pckCertificate = (plan: CertificatePlan & { readonly sgx?: Uint8Array } = {}): Uint8Array =>
  made(
    {
      subject: 'Intel SGX PCK Certificate',
      issuer: CA,
      signer: KEYS.ca,
      publicKey: KEYS.pck,
      notAfter: END,
      serial: 3,
      extensions: leafExtensions(plan.sgx ?? sgxExtension()),
    },
    plan,
  )

export const chain = (...certificates: readonly Uint8Array[]): Uint8Array =>
  utf8(certificates.map((c) => pem(c)).join(''))
export const goodChain = (): Uint8Array => chain(pckCertificate(), caCertificate(), rootCertificate())

export interface QuotePlan {
  readonly tee?: Tee
  readonly version?: 3 | 4 | 5
  readonly bodyType?: 1 | 2 | 3
  /** writes over header, descriptor and body before they are signed */
  readonly edit?: (signed: Uint8Array) => void
  readonly editQe?: (report: Uint8Array) => void
  readonly qeAuthData?: Uint8Array
  readonly qeSigner?: TestKey
  readonly signer?: TestKey
  readonly outerType?: number
  readonly certification?: { readonly type: number; readonly data: Uint8Array }
}

const le = (value: number, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => Math.floor(value / 2 ** (8 * i)) & 0xff)
const point = ({ publicPoint }: TestKey): Uint8Array => (publicPoint ?? new Uint8Array(65)).subarray(1)
const VENDOR = [0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07]
export const BODY_BYTES = { 1: 384, 2: 584, 3: 648 } as const

/** A quote of the test hierarchy: re-signed over whatever the plan makes of it. */
export function quoteOf(plan: QuotePlan = {}): Uint8Array {
  const tee = plan.tee ?? 'TDX'
  const version = plan.version ?? (tee === 'TDX' ? 4 : 3)
  const bodyType = plan.bodyType ?? (tee === 'TDX' ? 2 : 1)
  const body = new Uint8Array(BODY_BYTES[bodyType])
  if (bodyType === 1) body[48] = 5
  else body.set([0, 0, 0, 0x10, 0, 0, 0, 0, 0xe7, 0x02, 0x06], 120)
  body.fill(0xaa, body.length - 64)
  const signed = concatBytes(
    le(version, 2),
    le(2, 2),
    le(tee === 'TDX' ? 0x81 : 0, 4),
    new Uint8Array(4),
    Uint8Array.from(VENDOR),
    new Uint8Array(20),
    ...(version === 5 ? [le(bodyType, 2), le(body.length, 4)] : []),
    body,
  )
  plan.edit?.(signed)
  const attestationKey = point(KEYS.attestation)
  const qeAuthData = plan.qeAuthData ?? new Uint8Array(32).fill(7)
  const qeReport = new Uint8Array(384)
  qeReport[48] = 0x15
  qeReport.set(createHash('sha256').update(attestationKey).update(qeAuthData).digest(), 320)
  plan.editQe?.(qeReport)
  const { type, data } = plan.certification ?? { type: 5, data: concatBytes(goodChain(), new Uint8Array(1)) }
  const qe = concatBytes(
    qeReport,
    (plan.qeSigner ?? KEYS.pck).signRaw(qeReport),
    le(qeAuthData.length, 2),
    qeAuthData,
    le(type, 2),
    le(data.length, 4),
    data,
  )
  const rest = version === 3 ? qe : concatBytes(le(plan.outerType ?? 6, 2), le(qe.length, 4), qe)
  const auth = concatBytes((plan.signer ?? KEYS.attestation).signRaw(signed), attestationKey, rest)
  return concatBytes(signed, le(auth.length, 4), auth)
}

export const TEST_ANCHOR: TrustAnchor = anchorFromCertificate(rootCertificate(), 'intel/sgx-root')

const seconds = (at: string): number => {
  const parsed = parseRfc3339(at)
  if (parsed === undefined) throw new TypeError(at)
  return parsed
}

export interface Judging {
  readonly tee?: Tee
  readonly at?: string | number
  readonly anchors?: readonly TrustAnchor[]
  readonly collateral?: CollateralSet
  readonly cache?: VerificationCache
}

export const contextAt = (at: string | number, anchors: readonly TrustAnchor[], cache = createVerificationCache()) =>
  new Context({ now: typeof at === 'number' ? at : seconds(at), anchors, crypto: nodeCrypto, cache })

/** Judges a quote by itself. Documents of Intel's are not given unless they are in `collateral`. */
export function judge(bytes: Uint8Array, how: Judging = {}): Promise<ItemJudgement> {
  const verifier = (how.tee ?? 'TDX') === 'TDX' ? tdx : sgx
  const context = contextAt(how.at ?? AT, how.anchors ?? [TEST_ANCHOR], how.cache)
  return verifier.verify(
    { id: 'cpu', kind: verifier.kind, bytes, endorsements: [] },
    how.collateral ?? NO_COLLATERAL,
    context,
  )
}

/** A real quote, under the pinned anchors. */
export const judgeReal = (bytes: Uint8Array, tee: Tee, at: number): Promise<ItemJudgement> =>
  judge(bytes, { tee, at, anchors: PINNED_ANCHORS })

/** What refused a quote; documents that were not given are told beside the claims and refuse nothing. */
export const refusalsOf = ({ faults, claims }: ItemJudgement): { codes: readonly Code[]; proved: boolean } => ({
  codes: faults.filter((f) => claims === undefined || verdictOf(f) === 'reject').map((f) => f.code),
  proved: claims !== undefined,
})
export const PROVED = { codes: [], proved: true }
export const refusedWith = (...codes: readonly Code[]) => ({ codes, proved: false })

/** Codes of an outcome; empty where it is a value. */
export const faultCodes = (outcome: Outcome<unknown>): Code[] => (outcome.ok ? [] : outcome.faults.map((f) => f.code))

/** The words in which each TEE is told of the checks that both go through. */
export const TOLD = {
  TDX: {
    certData: 'TDX_CERT_DATA_INVALID',
    pckMissing: 'TDX_PCK_CERT_MISSING',
    pckRole: 'TDX_PCK_CERT_ROLE',
    pckExtension: 'TDX_PCK_EXTENSION_INVALID',
    qeSignature: 'TDX_QE_SIGNATURE_INVALID',
    qeBinding: 'TDX_QE_BINDING_INVALID',
    signature: 'TDX_SIGNATURE_INVALID',
  },
  SGX: {
    certData: 'SGX_CERT_DATA_INVALID',
    pckMissing: 'SGX_PCK_CERT_MISSING',
    pckRole: 'SGX_PCK_CERT_ROLE',
    pckExtension: 'SGX_PCK_EXTENSION_INVALID',
    qeSignature: 'SGX_QE_SIGNATURE_INVALID',
    qeBinding: 'SGX_QE_BINDING_INVALID',
    signature: 'SGX_SIGNATURE_INVALID',
  },
} as const satisfies Readonly<Record<Tee, Readonly<Record<string, Code>>>>
