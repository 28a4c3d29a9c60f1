import type { Carrier, EvidenceKind, EvidenceSet } from '../../attestation/evidence.ts'

/**
 * What `inspect` shows, and with `--json` prints: bytes and what they say. Nothing in it is verified, and nothing in it may
 * open anything.
 */
export interface Inspection {
  readonly schema: 'vouchsafe/inspection/1'
  readonly verified: false
  /** undefined where the input is collateral alone */
  readonly envelope?: EnvelopeView
  readonly items: readonly ItemView[]
  /** event logs that no quote here can be told to have */
  readonly eventLogs?: readonly EventLogView[]
  readonly collateral: readonly CollateralView[]
  /** files that could not be read, with the reason */
  readonly unread: readonly ProblemView[]
  /** names of files that are neither evidence nor collateral */
  readonly ignored: readonly string[]
}

export interface EnvelopeView {
  readonly carrier: Carrier
  readonly binding: EvidenceSet['binding']
  /** what the carrier says of itself */
  readonly platformLabel?: string
  readonly tlsBound?: boolean
  /** the workload's own key, as the bundle brings it */
  readonly key?: { readonly domain: string; readonly spkiSha256: string }
}

export interface ItemView {
  readonly id: string
  readonly kind: EvidenceKind
  readonly sizeBytes: number
  readonly sha256: string
  readonly architectureLabel?: string
  /** why the decoder refuses it, or what travelled with it; the fields below are then raw */
  readonly problems: readonly ProblemView[]
  readonly sections: readonly SectionView[]
  readonly certificates: readonly CertificateView[]
  /** logs that travelled with the item */
  readonly eventLogs?: readonly EventLogView[]
}

/** A finding without an answer: inspection judges nothing. */
export interface ProblemView {
  readonly code: string
  readonly title: string
  readonly path: string
  readonly expected?: string
  readonly actual?: string
  readonly remedy: string
}

/** An event log replayed, and compared with nothing. */
export interface EventLogView {
  readonly form: 'ccel' | 'dstack'
  /** name of the file, where it lay in one of its own */
  readonly file?: string
  readonly sizeBytes: number
  readonly sha256: string
  /** of a dstack log: how its digests are taken to be made, and why */
  readonly version?: { readonly number: 1 | 2; readonly because: string }
  /** what the digests lead to, 48 bytes as hex */
  readonly registers: readonly { readonly index: number; readonly events: number; readonly replayed: string }[]
  readonly events: readonly EventView[]
  /** why it cannot be read */
  readonly problems: readonly ProblemView[]
}

export interface EventView {
  /** place among the measured events, from 0 */
  readonly sequence: number
  readonly register: number
  readonly type: number
  readonly typeName: string
  /** what went into the register, hex */
  readonly digest: string
  /** whether that is the digest of what the log says: else what it says is worth nothing */
  readonly recomputed: boolean
  /** name and payload, as far as they are text */
  readonly says: string
}

export interface SectionView {
  readonly title: string
  readonly fields: readonly FieldView[]
  /** said beneath the fields, e.g. which were left out because they are zero */
  readonly note?: string
}

export interface FieldView {
  readonly name: string
  /** id of a field of NVIDIA's opaque data, index of a measurement block */
  readonly number?: number
  readonly offset: number
  readonly sizeBytes: number
  /** the bytes as they lie in the report */
  readonly hex: string
  /** decoded value and what it stands for; empty where the decoder refused the report */
  readonly meaning: string
  /** bits or bytes of the field that mean something by themselves */
  readonly parts: readonly PartView[]
}

export interface PartView {
  /** `bit 19`, `bits 2–4`, `byte 7` */
  readonly at: string
  readonly name: string
  readonly value: number
  readonly meaning: string
}

export interface CertificateView {
  readonly sha256: string
  readonly subject: string
  readonly commonName: string
  readonly issuer: string
  /** content octets, hex */
  readonly serial: string
  readonly notBefore: string
  readonly notAfter: string
  readonly key: string
  /** with which its issuer says to have signed it */
  readonly algorithm: string
  readonly ca: boolean
  readonly selfIssued: boolean
  /** id of the pinned anchor that has this name and this key */
  readonly pinned?: string
  /** id of the pinned anchor whose name this certificate carries with another key */
  readonly imitates?: string
  /** digest of the certificate here that its issuer names; undefined for the top of a chain */
  readonly issuedBy?: string
  /** the names of these certificates go in a circle, which was cut here */
  readonly circular?: true
  /** id of the pinned anchor that its issuer names, where that anchor's certificate is not here */
  readonly pinnedIssuer?: string
  /** what the vendor's extensions say: chip, firmware level, firmware id */
  readonly certifies: readonly { readonly what: string; readonly value: string }[]
}

export type CollateralView =
  | { readonly kind: 'certificates'; readonly certificates: readonly CertificateView[] }
  | CrlView
  | OcspView
  | RimView
  | IntelDocumentView

export interface CrlView {
  readonly kind: 'crl'
  readonly sha256: string
  readonly issuer: string
  readonly algorithm: string
  readonly number?: string
  readonly thisUpdate: string
  readonly nextUpdate?: string
  readonly revoked: readonly { readonly serial: string; readonly at: string }[]
  readonly criticalExtensions: readonly string[]
}

export interface OcspView {
  readonly kind: 'ocsp'
  readonly sha256: string
  readonly algorithm: string
  readonly producedAt: string
  readonly nonce?: string
  readonly responses: readonly {
    readonly serial: string
    readonly status: string
    readonly hash: string
    readonly issuerKeyHash: string
    readonly thisUpdate: string
    readonly nextUpdate?: string
  }[]
  /** certificates of the responder that came with the answer */
  readonly certificates: readonly CertificateView[]
}

export interface RimView {
  readonly kind: 'rim'
  readonly sha256: string
  readonly name: string
  readonly tagId: string
  readonly version: string
  readonly product: string
  readonly edition: string
  readonly values: readonly {
    readonly index: number
    readonly active: boolean
    readonly alternatives: readonly string[]
  }[]
  readonly certificates: readonly CertificateView[]
}

/** A TCB info or QE identity of Intel's. */
export interface IntelDocumentView {
  readonly kind: 'intel-document'
  readonly document: 'tcb-info' | 'qe-identity'
  /** of the signed bytes and the signature */
  readonly sha256: string
  readonly id: 'SGX' | 'TDX' | 'QE' | 'TD_QE'
  readonly version: number
  readonly tcbEvaluationDataNumber: number
  readonly issueDate: string
  readonly nextUpdate: string
  /** of a TCB info */
  readonly fmspc?: string
  readonly pceId?: string
  /** of a QE identity */
  readonly mrSigner?: string
  readonly isvProdId?: number
  /** levels of the platform, of each TDX module, of the quoting enclave, in the order of the document */
  readonly groups: readonly { readonly of: string; readonly levels: readonly IntelLevelView[] }[]
  /** what lies beside it under the name of Intel's TCB signer, and the issuer that it names */
  readonly certificates: readonly CertificateView[]
}

export interface IntelLevelView {
  readonly status: string
  readonly tcbDate: string
  readonly advisoryIds: readonly string[]
  readonly pceSvn?: number
  readonly sgxTcbComponents?: readonly number[]
  readonly tdxTcbComponents?: readonly number[]
  readonly isvSvn?: number
}
