import type { BindingForm, EvidenceKind } from '../attestation/evidence.ts'
import type { Fault, NonEmpty, Outcome } from '../core/outcome.ts'

/** What one machine is asked, once for all its devices. */
export interface Question {
  /** of the challenge, 64 bytes */
  readonly nonce: Uint8Array
  /** SubjectPublicKeyInfo (DER) of the workload's own key, which REPORT_DATA shall cover; undefined where it has none */
  readonly key: Uint8Array | undefined
  /** how REPORT_DATA and the devices' nonces are made of nonce and key (docs/evidence.md) */
  readonly binding: BindingForm
}

/** One report and what came with it. Nothing in it is proved. */
export interface EvidencePart {
  /** unique in the machine: `cpu`, `gpu-0`; a to z, 0 to 9 and `-`, 32 characters at most */
  readonly id: string
  readonly format: EvidenceKind | 'tpm/quote'
  readonly data: Uint8Array
  /** certificates as the device gave them: PEM chain, DER, AMD's certificate table */
  readonly certs: readonly Uint8Array[]
  /** log of what was measured into the registers of a TDX quote or of a TPM */
  readonly eventLog?: Uint8Array
}

/** What a collector brought home. */
export interface Collected {
  /**
   * reports for a bundle · a document that is evidence by itself and travels as it came (a quote response, a saved bundle)
   */
  readonly evidence:
    | { readonly kind: 'parts'; readonly parts: NonEmpty<EvidencePart> }
    | { readonly kind: 'document'; readonly bytes: Uint8Array }
  /** what is wrong with the source although it answered, e.g. a GPU in DevTools mode */
  readonly faults: readonly Fault[]
}

/** What a source says of itself without being asked for evidence. */
export interface Probed {
  /** why it could not collect, or what tenants would refuse; empty where it is ready */
  readonly faults: readonly Fault[]
  /** what was seen, by name: `driver`, `uuid`, `provider`. For people and monitoring; no secrets, nothing proved. */
  readonly facts: Readonly<Record<string, string>>
}

/**
 * A source of evidence. It fetches and proves nothing; whether what it brings answers the question is for `verify`. What the
 * machine, its drivers or a remote service do wrong is a fault with a remedy; only a programmer's mistake throws TypeError.
 */
export interface Collector {
  /** `tsm`, `nvml`, `tpm`, `akash-sidecar` … */
  readonly name: string
  /** reports of devices are taken before the CPU's, which may cover them; a document stands alone */
  readonly makes: 'devices' | 'cpu' | 'document'
  probe(): Promise<Probed>
  /** @param before parts of this machine that were taken already, in the order of the bundle */
  collect(question: Question, before: readonly EvidencePart[]): Promise<Outcome<Collected>>
}

/** @throws TypeError for a question that is none */
export function checkQuestion({ nonce, key, binding }: Question): void {
  if (!(nonce instanceof Uint8Array) || nonce.length !== 64) throw new TypeError('nonce is 64 bytes')
  if (key !== undefined && !(key instanceof Uint8Array && key.length > 0 && key.length <= 1024))
    throw new TypeError('key is a SubjectPublicKeyInfo in DER, 1 to 1024 bytes')
  if (!['raw', 'derived', 'composite'].includes(binding)) throw new TypeError('binding is raw, derived or composite')
}
