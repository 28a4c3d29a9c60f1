import { concatBytes, utf8 } from './bytes.ts'
import { type Cbor, type CborMap, CborTag, cborByteString, cborTypeOf, DETERMINISTIC, decodeCbor } from './cbor.ts'
import type { Context, Payer } from './context.ts'
import { attempt, type NonEmpty, type Outcome, refuse, take } from './outcome.ts'

/** Algorithms that structures of ours are signed with, by their IANA numbers. */
const ALGORITHMS = { ES256: -7, ES384: -35 } as const
export type CoseAlgorithm = keyof typeof ALGORITHMS

const HEADER = { alg: 1, crit: 2 } as const
const SIGN1_TAG = 18

/** A COSE_Sign1 as a structure. Nothing in it is proved. */
export interface CoseSign1 {
  readonly algorithm: CoseAlgorithm
  /** the protected header as it was signed */
  readonly protectedBytes: Uint8Array
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

/** What one structure's signatures must look like. */
export interface CoseProfile {
  readonly algorithms: NonEmpty<CoseAlgorithm>
  /** whether tag 18 must stand around it, or may */
  readonly tag: 'required' | 'optional'
}

/**
 * Decodes a COSE_Sign1: the protected header holds the algorithm and nothing else, the unprotected header is empty, the
 * payload is attached. No header of ours is critical, so `crit` is refused whatever it names.
 * @returns the structure, or those of `decodeCbor` · COSE_MALFORMED · COSE_ALGORITHM · COSE_HEADER_INVALID
 * @see RFC 9052 §§3, 3.1, 4.2; RFC 9053 §2.1
 */
export function decodeCoseSign1(bytes: Uint8Array, path: string, profile: CoseProfile): Outcome<CoseSign1> {
  return attempt(() => {
    const malformed = (at: string, expected: string, actual: string): never =>
      refuse('COSE_MALFORMED', `${path}${at}`, { expected, actual })
    const outer = take(decodeCbor(bytes, path, { ...DETERMINISTIC, tags: [SIGN1_TAG] }))
    if (!(outer instanceof CborTag) && profile.tag === 'required') malformed('', 'tag 18', cborTypeOf(outer))
    const inner = outer instanceof CborTag ? outer.content : outer
    if (!Array.isArray(inner) || inner.length !== 4) return malformed('', 'array of 4', cborTypeOf(inner))
    const [protectedBytes, unprotected, payload, signature]: readonly Cbor[] = inner
    if (!(protectedBytes instanceof Uint8Array)) return malformed('.protected', 'byte string', 'another item')
    if (!(unprotected instanceof Map)) return malformed('.unprotected', 'map', 'another item')
    if (!(payload instanceof Uint8Array)) return malformed('.payload', 'byte string', 'another item')
    if (!(signature instanceof Uint8Array)) return malformed('.signature', 'byte string', 'another item')
    // RFC 9052 §3: an empty protected header is the empty string, and then the algorithm is not protected.
    const headers =
      protectedBytes.length === 0 ? new Map() : take(decodeCbor(protectedBytes, `${path}.protected`, DETERMINISTIC))
    if (!(headers instanceof Map)) return malformed('.protected', 'map', cborTypeOf(headers))
    const algorithm = algorithmOf(headers, unprotected, profile, path)
    checkHeaders(headers, [HEADER.alg], `${path}.protected`)
    checkHeaders(unprotected, [], `${path}.unprotected`)
    return { algorithm, protectedBytes, payload, signature }
  })
}

function algorithmOf(
  protectedHeader: CborMap,
  unprotected: CborMap,
  { algorithms }: CoseProfile,
  path: string,
): CoseAlgorithm {
  const expected = algorithms.map((name) => `${name} (${ALGORITHMS[name]})`).join(' or ')
  if (unprotected.has(HEADER.alg)) {
    refuse('COSE_ALGORITHM', `${path}.unprotected`, { expected: 'alg in the protected header alone' })
  }
  const given = protectedHeader.get(HEADER.alg)
  const algorithm = algorithms.find((name) => ALGORITHMS[name] === given)
  if (algorithm !== undefined) return algorithm
  const actual = typeof given === 'number' || typeof given === 'string' ? given : 'none'
  return refuse('COSE_ALGORITHM', `${path}.protected`, { expected, actual })
}

function checkHeaders(header: CborMap, known: readonly number[], path: string): void {
  for (const label of header.keys()) {
    if (known.some((k) => k === label)) continue
    const actual = label === HEADER.crit ? 'crit' : `label ${String(label)}`
    refuse('COSE_HEADER_INVALID', path, { expected: known.length === 0 ? 'empty' : 'alg alone', actual })
  }
}

/**
 * The bytes that the signature of a COSE_Sign1 covers: ["Signature1", protected, external AAD, payload].
 * @param externalAad what the application signs beside the structure; empty for every kind of evidence so far
 * @see RFC 9052 §4.4
 */
export const signedBytesOf = (
  { protectedBytes, payload }: Pick<CoseSign1, 'protectedBytes' | 'payload'>,
  externalAad: Uint8Array,
): Uint8Array =>
  concatBytes(
    Uint8Array.of(0x84, 0x60 | CONTEXT.length),
    CONTEXT,
    ...[protectedBytes, externalAad, payload].map(cborByteString),
  )

const CONTEXT = utf8('Signature1')

/** Whether the key behind `spki` signed the structure with its own algorithm; false too where the key is of another kind. */
export function isCoseSigned(
  context: Context,
  payer: Payer,
  sign1: CoseSign1,
  spki: Uint8Array,
  externalAad: Uint8Array,
): Promise<boolean> {
  const message = signedBytesOf(sign1, externalAad)
  return context.verify(payer, sign1.algorithm, spki, message, sign1.signature, 'once')
}
