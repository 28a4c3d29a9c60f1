import type { PckExtension, SvnComponent, Tee } from '../../../src/attestation/dcap/model.ts'
import { utf8 } from '../../../src/core/bytes.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { type CertificateSpec, certificate, ext, pem } from '../../../src/testing/pki/certificate.ts'
import { type CrlSpec, crl } from '../../../src/testing/pki/crl.ts'
import { ecKey, type TestKey } from '../../../src/testing/pki/keys.ts'
import { name } from '../../../src/testing/pki/names.ts'
import { anchorFromCertificate } from '../../support/anchors.ts'

/** Names, keys and documents of Intel's hierarchy as tests of collateral need them: everything is signed by keys of our own. */
const intelName = (commonName: string): Uint8Array =>
  name([
    ['CN', commonName],
    ['O', 'Intel Corporation'],
    ['L', 'Santa Clara'],
    ['ST', 'CA'],
    ['C', 'US'],
  ])

export const NAMES = {
  root: intelName('Intel SGX Root CA'),
  platformCa: intelName('Intel SGX PCK Platform CA'),
  processorCa: intelName('Intel SGX PCK Processor CA'),
  pck: intelName('Intel SGX PCK Certificate'),
  signer: intelName('Intel SGX TCB Signing'),
}

export const KEYS = {
  root: ecKey('P-256', 'intel root'),
  platformCa: ecKey('P-256', 'intel platform ca'),
  pck: ecKey('P-256', 'intel pck'),
  signer: ecKey('P-256', 'intel tcb signer'),
  foreign: ecKey('P-256', 'nobody'),
}

export const NOW = Date.parse('2026-08-01T00:00:00Z') / 1000
export const SERIALS = { root: 1, platformCa: 2, signer: 3, pck: 4 }

const AUTHORITY = [ext.basicConstraints(true, 0), ext.keyUsage(['keyCertSign', 'cRLSign'])]
const LEAF = [ext.basicConstraints(false), ext.keyUsage(['digitalSignature', 'nonRepudiation'])]

const issued = (spec: Partial<CertificateSpec>): Uint8Array =>
  certificate({
    ...{ serial: SERIALS.signer, issuer: NAMES.root, subject: NAMES.signer, signer: KEYS.root, publicKey: KEYS.signer },
    ...{ notBefore: '2025-05-06T00:00:00Z', notAfter: '2032-05-06T00:00:00Z', extensions: LEAF },
    ...spec,
  })

export const rootCertificate = (key: TestKey = KEYS.root): Uint8Array =>
  issued({
    ...{ serial: SERIALS.root, subject: NAMES.root, publicKey: key, signer: key },
    extensions: [ext.basicConstraints(true, 1), ext.keyUsage(['keyCertSign', 'cRLSign'])],
  })

export const signerCertificate = (spec: Partial<CertificateSpec> = {}): Uint8Array => issued(spec)

export const PLATFORM_CA = issued({
  ...{ serial: SERIALS.platformCa, subject: NAMES.platformCa, publicKey: KEYS.platformCa, extensions: AUTHORITY },
})
export const PCK = issued({
  ...{ serial: SERIALS.pck, issuer: NAMES.platformCa, subject: NAMES.pck, signer: KEYS.platformCa },
  publicKey: KEYS.pck,
})
export const CA_EXTENSIONS = AUTHORITY

const LIST = { thisUpdate: '2026-07-20T00:00:00Z', nextUpdate: '2026-08-20T00:00:00Z', revoked: [], number: 1 } as const
export const rootCrl = (spec: Partial<CrlSpec> = {}): Uint8Array =>
  crl({ ...LIST, issuer: NAMES.root, signer: KEYS.root, ...spec })
export const pckCrl = (spec: Partial<CrlSpec> = {}): Uint8Array =>
  crl({ ...LIST, issuer: NAMES.platformCa, signer: KEYS.platformCa, ...spec })

export const FMSPC = '90c06f000000'
type Json = Readonly<Record<string, unknown>>

const sixteen = (...first: readonly number[]): readonly Partial<SvnComponent>[] =>
  Array.from({ length: 16 }, (_, i) => ({ svn: first[i] ?? 0 }))

export interface LevelSpec {
  readonly sgx: readonly number[]
  readonly pceSvn: number
  readonly tdx?: readonly number[]
  readonly status: string
  readonly date?: string
  readonly advisories?: readonly string[]
}

const facts = ({ status, date = '2025-05-14T00:00:00Z', advisories }: Omit<LevelSpec, 'sgx' | 'pceSvn'>): Json => ({
  tcbDate: date,
  tcbStatus: status,
  ...(advisories === undefined ? {} : { advisoryIDs: advisories }),
})

export const level = ({ sgx, pceSvn, tdx, ...rest }: LevelSpec): Json => ({
  tcb: {
    sgxtcbcomponents: sixteen(...sgx),
    pcesvn: pceSvn,
    ...(tdx === undefined ? {} : { tdxtcbcomponents: sixteen(...tdx) }),
  },
  ...facts(rest),
})

export const isvLevel = (isvsvn: number, status: string, rest: Pick<LevelSpec, 'date' | 'advisories'> = {}): Json => ({
  tcb: { isvsvn },
  ...facts({ status, ...rest }),
})

export const module = { mrsigner: '00'.repeat(48), attributes: '00'.repeat(8), attributesMask: 'FF'.repeat(8) }

const DATES = { issueDate: '2026-07-20T00:00:00Z', nextUpdate: '2026-08-19T00:00:00Z', tcbEvaluationDataNumber: 20 }

/** TCB info of version 3 with two levels and a module of major version 1. */
export const tcbInfoOf = (tee: Tee, spec: Json = {}): Json => ({
  ...{ id: tee, version: 3, ...DATES, fmspc: FMSPC.toUpperCase(), pceId: '0000', tcbType: 0 },
  ...(tee === 'SGX'
    ? {}
    : {
        tdxModule: module,
        tdxModuleIdentities: [
          {
            ...{ id: 'TDX_01', ...module },
            tcbLevels: [isvLevel(7, 'UpToDate'), isvLevel(4, 'OutOfDate', { advisories: ['INTEL-SA-01099'] })],
          },
        ],
      }),
  tcbLevels: [
    level({ sgx: [3, 3], pceSvn: 13, status: 'UpToDate', ...(tee === 'TDX' ? { tdx: [7, 1, 3] } : {}) }),
    level({
      ...{ sgx: [2, 2], pceSvn: 13, status: 'OutOfDate', ...(tee === 'TDX' ? { tdx: [5, 1, 2] } : {}) },
      ...{ date: '2024-03-13T00:00:00Z', advisories: ['INTEL-SA-01036'] },
    }),
  ],
  ...spec,
})

export const qeIdentityOf = (tee: Tee, spec: Json = {}): Json => ({
  ...{ id: tee === 'TDX' ? 'TD_QE' : 'QE', version: 2, ...DATES },
  ...{ miscselect: '01000000', miscselectMask: 'FFFFFFFF' },
  ...{ attributes: `11${'00'.repeat(15)}`, attributesMask: `FBFFFFFFFFFFFFFF${'00'.repeat(8)}` },
  ...{ mrsigner: 'DC'.repeat(32), isvprodid: 2 },
  tcbLevels: [isvLevel(4, 'UpToDate'), isvLevel(2, 'OutOfDate', { advisories: ['INTEL-SA-00615'] })],
  ...spec,
})

export const sign = (text: string | Uint8Array, key: TestKey = KEYS.signer): string =>
  toHex(key.signRaw(typeof text === 'string' ? utf8(text) : text, 'sha256'))

/** A signed answer as Intel serves it. */
export function answer(document: Json, key: TestKey = KEYS.signer): Uint8Array {
  const text = JSON.stringify(document)
  const member = Object.hasOwn(document, 'mrsigner') ? 'enclaveIdentity' : 'tcbInfo'
  return utf8(`{"${member}":${text},"signature":"${sign(text, key)}"}`)
}

export const chainPem = (signer: Uint8Array = signerCertificate()): string => pem([signer, rootCertificate()])

/** The collateral of a quote as quote libraries write it. */
export function quoteCollateral(): Json {
  const [info, qe] = [tcbInfoOf('TDX'), qeIdentityOf('TDX')].map((document) => JSON.stringify(document))
  if (info === undefined || qe === undefined) throw new TypeError('documents')
  return {
    pck_crl_issuer_chain: pem([PLATFORM_CA, rootCertificate()]),
    root_ca_crl: toHex(rootCrl()),
    pck_crl: toHex(pckCrl()),
    tcb_info_issuer_chain: chainPem(),
    tcb_info: info,
    tcb_info_signature: sign(info),
    qe_identity_issuer_chain: chainPem(),
    qe_identity: qe,
    qe_identity_signature: sign(qe),
  }
}

export const ANCHOR = anchorFromCertificate(rootCertificate(), 'intel/sgx-root')
/** What the chain looks at of it. */
export const EXTENSION = { fmspc: Uint8Array.from(Buffer.from(FMSPC, 'hex')) } as unknown as PckExtension
