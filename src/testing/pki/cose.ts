import { type CborEntry, cborArray, cborBytes, cborInt, cborMap, cborTag, cborText } from './cbor.ts'
import type { TestKey } from './keys.ts'

/** IANA numbers of COSE headers and algorithms that the kit writes. */
export const COSE = { alg: 1, crit: 2, kid: 4, ES256: -7, ES384: -35, ES512: -36 } as const

/** Everything in a COSE_Sign1; header, key and tag need not fit one another. */
export interface CoseSign1Spec {
  readonly protectedHeader: readonly CborEntry[]
  readonly unprotectedHeader: readonly CborEntry[]
  readonly payload: Uint8Array
  readonly signer: TestKey
  /** what is signed beside the structure; nothing in real evidence */
  readonly externalAad: Uint8Array
  /** whether tag 18 stands around it */
  readonly isTagged: boolean
  /** last change to the signature (r ‖ s) */
  readonly signature: (raw: Uint8Array) => Uint8Array
}

export const algHeader = (algorithm: number): readonly CborEntry[] => [[cborInt(COSE.alg), cborInt(algorithm)]]

/** A signed structure (RFC 9052 §4.2). The same specification gives the same bytes. */
export function coseSign1(spec: CoseSign1Spec): Uint8Array {
  const header = spec.protectedHeader.length === 0 ? new Uint8Array() : cborMap(spec.protectedHeader)
  const parts = [header, spec.externalAad, spec.payload].map(cborBytes)
  const signature = spec.signature(spec.signer.signRaw(cborArray(cborText('Signature1'), ...parts)))
  const structure = cborArray(
    cborBytes(header),
    cborMap(spec.unprotectedHeader),
    cborBytes(spec.payload),
    cborBytes(signature),
  )
  return spec.isTagged ? cborTag(18, structure) : structure
}
