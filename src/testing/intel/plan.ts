import type { Tee } from '../../attestation/dcap/model.ts'
import type { JsonObject } from '../../core/json.ts'
import type { TestKey } from '../pki/keys.ts'
import type { IntelPkiOptions } from './authority.ts'
import type { IntelCollateral } from './collateral.ts'
import type { IntelCrlEdits } from './crl.ts'
import type { IntelAuthorityRole, PckCa } from './names.ts'
import type { Pck, PckEdits } from './pck.ts'
import type { IntelTestPki } from './pki.ts'
import type { QuoteSpec } from './quote.ts'
import type { PlatformFacts } from './sgx-extension.ts'

/** The hierarchy and the leaf of a machine that is being made. */
export interface Made {
  readonly pki: IntelTestPki
  readonly pck: Pck
}

/** A signed document of Intel's. */
export interface DocumentPlan {
  readonly content: JsonObject
  /** Change to the text before it is signed. */
  readonly text: (text: string) => string
  /** By default the TCB signer's key; the chain is shown beside the document. */
  readonly signer: (made: Made) => { readonly key: TestKey; readonly chain: readonly Uint8Array[] }
  /** Changes to what is delivered, after signing. */
  readonly delivered: (text: string) => string
  readonly signature: (hex: string) => string
  readonly chain: (pem: string) => string
}

/** A revocation list. */
export interface ListPlan {
  readonly issuer: (made: Made) => { readonly name: Uint8Array; readonly key: TestKey }
  readonly revokes: readonly (IntelAuthorityRole | 'pck')[]
  readonly thisUpdate: string
  /** undefined: a list without an end */
  readonly nextUpdate: string | undefined
  readonly edits: IntelCrlEdits
  readonly delivered: (der: Uint8Array) => Uint8Array
}

/** Everything a machine is made from; a fault changes some of it. */
export interface IntelPlan {
  readonly seed: string
  readonly tee: Tee
  readonly at: string
  readonly ca: PckCa
  readonly pki: IntelPkiOptions
  readonly platform: PlatformFacts
  readonly pck: (pki: IntelTestPki) => PckEdits
  /** Certificates (DER) in the quote, leaf first. */
  readonly chain: (made: Made) => readonly Uint8Array[]
  /** The quote but for what comes from the hierarchy. */
  readonly quote: Omit<QuoteSpec, 'certification'>
  /** From the PEM chain, as it stands in the quote. */
  readonly certification: (pem: Uint8Array, made: Made) => QuoteSpec['certification']
  readonly tcbInfo: DocumentPlan
  readonly qeIdentity: DocumentPlan
  readonly rootCrl: ListPlan
  readonly pckCrl: ListPlan
  /** Last change to the whole of the collateral. */
  readonly collateral: (collateral: IntelCollateral) => IntelCollateral
}

/** Where, in the order of the checks, the fault shows. */
export type IntelFaultStage =
  | 'decode'
  | 'collateral'
  | 'chain'
  | 'revocation'
  | 'match'
  | 'signature'
  | 'tcb'
  | 'appraisal'

/** Options without which the fault cannot exist; the accepted twin is the machine made with these alone. */
export interface IntelFaultNeeds {
  readonly version?: 3 | 4 | 5
  readonly body?: 'td-1.5'
}

/** One thing wrong with a machine. */
export interface IntelFaultEntry {
  readonly what: string
  readonly stage: IntelFaultStage
  /** Rows of the must-reject table that this is a case of. */
  readonly rows: readonly string[]
  readonly needs?: IntelFaultNeeds
  /** @internal */
  readonly bend: (plan: IntelPlan) => Partial<IntelPlan>
}

export type IntelFaultTable<Name extends string> = Readonly<Record<Name, IntelFaultEntry>>

/** Keeps the names of a table while checking its entries. */
export const faultTable = <Name extends string>(table: IntelFaultTable<Name>): IntelFaultTable<Name> => table
