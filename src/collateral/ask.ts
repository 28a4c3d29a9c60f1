import type { CollateralFile } from '../attestation/collateral.ts'
import { type Outcome, refuse } from '../core/outcome.ts'
import type { Service } from './services.ts'

/** An answer whose status, type and size are as they should be. */
export interface Body {
  readonly bytes: Uint8Array
  /** by lower-case name */
  readonly headers: ReadonlyMap<string, string>
}

/** One object as a question to one service, and how its answer is read. */
export interface Ask {
  readonly service: Service
  readonly method: 'GET' | 'POST'
  /** path and query, made of fixed words and checked values */
  readonly path: string
  readonly contentTypes: readonly string[]
  readonly body?: { readonly type: string; readonly bytes: Uint8Array }
  readonly maxBytes: number
  /** what it means that the service has no such object */
  readonly absence: string
  /**
   * Takes the files out of an answer: of the right form, and about the object that was asked for. Nothing in them is proved.
   * @returns the files, or COLLATERAL_RESPONSE_INVALID · COLLATERAL_ANSWER_MISMATCH
   */
  read(body: Body): Outcome<readonly CollateralFile[]> | Promise<Outcome<readonly CollateralFile[]>>
}

/** Ends the surrounding `attempt`: the answer is not of the form that this object has. */
export const refuseForm = (object: string, expected: string, actual: string): never =>
  refuse('COLLATERAL_RESPONSE_INVALID', object, { expected, actual })

/** Ends the surrounding `attempt`: the answer is about something else. */
export const refuseOther = (object: string, expected: string, actual: string): never =>
  refuse('COLLATERAL_ANSWER_MISMATCH', object, { expected, actual })

/** Types under which certificates and lists are served, by vendors and by the mirrors in front of them. */
export const DER_TYPES: readonly string[] = [
  'application/pkix-cert',
  'application/pkix-crl',
  'application/x-x509-ca-cert',
  'application/x-pkcs7-crl',
  'application/octet-stream',
  'binary/octet-stream',
]
export const PEM_TYPES: readonly string[] = [
  'application/x-pem-file',
  'application/pem-certificate-chain',
  'text/plain',
]

/** @throws TypeError for a value that no request may carry; whoever makes requests checks what evidence says */
export function checked(text: string, form: RegExp, what: string): string {
  if (!form.test(text)) throw new TypeError(`${what} is not of the form ${form.source}`)
  return text
}
