import { createHash } from 'node:crypto'
import type { CollateralSet, Held, IntelDocument } from '../../attestation/collateral.ts'
import { headOf } from '../../attestation/dcap/document-head.ts'
import { rimIdentityOf } from '../../attestation/nvidia/rim/index.ts'
import { isBiosVersion } from '../../attestation/nvidia/versions.ts'
import { isAmdProduct } from '../../attestation/sev-snp/products.ts'
import { vekExtensions } from '../../attestation/sev-snp/vek-extensions.ts'
import { toHex } from '../../core/encodings.ts'
import { LAST_SECOND, type UnixSeconds } from '../../core/time.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import type { Crl } from '../../core/x509/crl.ts'
import { commonName, nameText } from '../../core/x509/names.ts'
import type { OcspResponse } from '../../core/x509/ocsp.ts'
import { certIdKey, requestKey } from './key.ts'

/** What an object says of itself, decoded and proved by nobody. */
export interface ObjectFacts {
  /** as a decision names the object: SHA-256, lower-case hex */
  readonly digest: string
  /** keys of the requests that it may be the answer to; empty where its content does not tell */
  readonly keys: readonly string[]
  /**
   * names under which its re-issues follow one another, so that the newest is remembered; empty where re-issue follows no
   * order (certificates, manifests). AMD signs one list for VCEK and one for VLEK under one name: such a list has two.
   */
  readonly lines: readonly string[]
  readonly issuedAt: UnixSeconds
  readonly validUntil: UnixSeconds
  readonly evaluationNumber: number | undefined
  readonly sequenceNumber: bigint | undefined
  /** digest of what its issuer signed: one number, one content */
  readonly content: string
}

const UPDATES = ['standard', 'early'] as const
const NO_NUMBER = { evaluationNumber: undefined, sequenceNumber: undefined } as const

/** The facts of every object of a set; an OCSP answer has one for each certificate that it speaks of. */
export const factsOf = (set: CollateralSet): readonly ObjectFacts[] => [
  ...set.certificates.map(certificateFacts),
  ...set.crls.map(crlFacts),
  ...set.ocspResponses.flatMap(ocspFacts),
  ...set.rims.map(rimFacts),
  ...set.intelDocuments.flatMap(documentFacts),
]

function certificateFacts({ value, sha256 }: Held<Certificate>): ObjectFacts {
  return {
    digest: sha256,
    keys: certificateKeys(value),
    lines: [],
    issuedAt: value.notBefore,
    validUntil: value.notAfter,
    ...NO_NUMBER,
    content: sha256,
  }
}

function certificateKeys(certificate: Certificate): readonly string[] {
  const [, authority, product] = /^(ARK|SEV|SEV-VLEK)-([A-Z][a-z]+)$/.exec(commonName(certificate.subject) ?? '') ?? []
  if (isAmdProduct(product)) {
    const keys = authority === 'ARK' ? (['vcek', 'vlek'] as const) : ([authority === 'SEV' ? 'vcek' : 'vlek'] as const)
    return keys.map((key) => requestKey({ kind: 'amd-chain', product, key }))
  }
  const extensions = vekExtensions(certificate)
  if (!extensions.ok || extensions.value.product === undefined || extensions.value.hwId === undefined) return []
  const { product: line, hwId, tcb } = extensions.value
  return [requestKey({ kind: 'amd-vcek', product: line, hwid: toHex(hwId), tcb: { ...tcb, fmc: tcb.fmc ?? 0 } })]
}

function crlFacts({ value, sha256 }: Held<Crl>): ObjectFacts {
  const keys = crlKeys(value)
  return {
    digest: sha256,
    keys,
    lines: keys.length > 0 ? keys : [`crl/${nameText(value.issuer)}`],
    issuedAt: value.thisUpdate,
    validUntil: value.nextUpdate ?? value.thisUpdate,
    evaluationNumber: undefined,
    sequenceNumber: value.number === undefined ? undefined : BigInt(`0x${value.number}`),
    // Of a signature with salt there are many over one list.
    content: sha256Of(value.tbs),
  }
}

const INTEL_ISSUERS: ReadonlyMap<string | undefined, string> = new Map([
  ['Intel SGX Root CA', requestKey({ kind: 'intel-root-crl' })],
  ['Intel SGX PCK Processor CA', requestKey({ kind: 'intel-pck-crl', ca: 'processor' })],
  ['Intel SGX PCK Platform CA', requestKey({ kind: 'intel-pck-crl', ca: 'platform' })],
])

function crlKeys({ issuer }: Crl): readonly string[] {
  const name = commonName(issuer)
  const intel = INTEL_ISSUERS.get(name)
  if (intel !== undefined) return [intel]
  const product = name?.startsWith('ARK-') === true ? name.slice('ARK-'.length) : undefined
  if (!isAmdProduct(product)) return []
  return (['vcek', 'vlek'] as const).map((key) => requestKey({ kind: 'amd-crl', product, key }))
}

/** NVIDIA's own verifiers let an answer without an end hold for an hour. */
const OCSP_SECONDS = 3600

const ocspFacts = ({ value, sha256 }: Held<OcspResponse>): readonly ObjectFacts[] =>
  value.responses.map((single) => ({
    digest: sha256,
    keys: [certIdKey(single)],
    lines: [certIdKey(single)],
    issuedAt: single.thisUpdate,
    validUntil: single.nextUpdate ?? single.thisUpdate + OCSP_SECONDS,
    ...NO_NUMBER,
    content: sha256Of(value.tbs),
  }))

/** A manifest has no dates of its own, and is re-issued under one id: revisions stand beside one another. */
const rimFacts = (held: Held<Uint8Array>): ObjectFacts => ({
  digest: held.sha256,
  keys: rimKeys(held),
  lines: [],
  issuedAt: 0,
  validUntil: LAST_SECOND,
  ...NO_NUMBER,
  content: held.sha256,
})

/** The board that a VBIOS is for, which its id names, stands nowhere in its manifest. */
function rimKeys(held: Held<Uint8Array>): readonly string[] {
  const identity = rimIdentityOf(held)
  if (!identity.ok) return []
  const { product, edition, version } = identity.value
  if (edition === 'SWITCH') return [rimKey(`NV_SWITCH_BIOS_5612_0002_890_${withoutDots(version)}`)]
  if (isBiosVersion(version)) return []
  return [rimKey(`NV_GPU_${product === 'GH100' ? '' : 'CC_'}DRIVER_${product}_${version}`)]
}

const rimKey = (id: string): string => requestKey({ kind: 'nvidia-rim', id })
const withoutDots = (version: string): string => version.replaceAll('.', '').toUpperCase()

/** Whether a manifest may be the one published under an id, which ends with its version. */
export function isRimOf(id: string, held: Held<Uint8Array>): boolean {
  const identity = rimIdentityOf(held)
  if (!identity.ok) return false
  const { version } = identity.value
  return id.endsWith(`_${isBiosVersion(version) ? withoutDots(version) : version}`)
}

function documentFacts({ value, sha256 }: Held<IntelDocument>): readonly ObjectFacts[] {
  const head = headOf(value)
  if (head === undefined) return []
  const isTdx = head.id.startsWith('TD')
  const tee = isTdx ? 'tdx' : 'sgx'
  const keys = UPDATES.map((update) =>
    value.kind === 'tcb-info'
      ? requestKey({ kind: 'intel-tcb-info', tee, fmspc: head.fmspc, update })
      : requestKey({ kind: 'intel-qe-identity', tee, update }),
  )
  return [
    {
      digest: sha256,
      keys,
      // Early and standard documents are of one line: the evaluation number orders them.
      lines: [value.kind === 'tcb-info' ? `intel-tcb-info/${tee}/${head.fmspc}` : `intel-qe-identity/${head.id}`],
      issuedAt: head.issueDate,
      validUntil: head.nextUpdate,
      evaluationNumber: head.evaluationNumber,
      sequenceNumber: undefined,
      content: sha256Of(value.signed),
    },
  ]
}

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
