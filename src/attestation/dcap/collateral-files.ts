import { latin1 } from '../../core/bytes.ts'
import { fromUtf8 } from '../../core/encodings.ts'
import { type Json, parseJson } from '../../core/json.ts'
import { attempt, type Fault, fail, type Outcome, ok, take } from '../../core/outcome.ts'
import type { IntelDocument } from '../collateral.ts'
import { DerReader } from './der-reader.ts'
import { derOfHex, dersInText } from './der-text.ts'
import { isSignedAnswer, splitAnswer } from './documents.ts'
import { isQuoteCollateral, readQuoteCollateral } from './quote-collateral.ts'

/** A certificate or revocation list that stood in a file of Intel's. */
export interface NamedDer {
  readonly der: Uint8Array
  /** names it in messages */
  readonly path: string
}

/** What one file of Intel's holds. Nothing in it is proved. */
export interface IntelFile {
  readonly documents: readonly IntelDocument[]
  readonly ders: readonly NamedDer[]
  /** parts that cannot be read and are left out, so that they can only ever be missing */
  readonly faults: readonly Fault[]
}

/** Headers in which Intel sends the chain of an answer, URL-encoded. */
const ISSUER_CHAIN =
  /^(?:(?:SGX-)?TCB-Info|SGX-Enclave-Identity|SGX-PCK-CRL|SGX-PCK-Certificate|TCB-Evaluation-Data-Numbers)-Issuer-Chain:[ \t]*([^ \t\r\n]+)[ \t]*\r?$/gim
const ENCODED_PEM = /^\s*-----BEGIN%20CERTIFICATE-----/
/** A DER SEQUENCE whose length takes the long form, as every list and certificate is, written in hexadecimal. */
const HEX_DER = /^\s*308[1-4][0-9a-fA-F]+\s*$/
/** Text this long is no header file; a CRL of Intel's has some kilobytes. */
const MOST_TEXT_BYTES = 256 * 1024

/** Whether a JSON value is collateral of Intel's: a signed answer, or the collateral of one quote. */
export const isIntelCollateral = (value: Json): boolean => isSignedAnswer(value) || isQuoteCollateral(value)

/** Whether bytes are collateral of Intel's in text that is neither JSON nor PEM: an issuer chain header, a list in hexadecimal. */
export function looksLikeIntelText(bytes: Uint8Array): boolean {
  if (bytes.length > MOST_TEXT_BYTES) return false
  const text = latin1(bytes)
  return HEX_DER.test(text) || ENCODED_PEM.test(text) || text.match(ISSUER_CHAIN) !== null
}

/**
 * Reads a file of Intel's provisioning service, recognised by its content: `{ tcbInfo, signature }` and `{ enclaveIdentity,
 * signature }` as served, the collateral of a quote as quote libraries write it, saved response headers or one issuer chain
 * as the header has it, a list in hexadecimal as a PCCS serves the root's.
 * @param bytes a copy of ours: documents are views into it
 * @param reader of whoever decodes what comes back, so that it is decoded once
 * @returns undefined where it is none of these; its faults are those of `splitAnswer`, `readQuoteCollateral` and `decodePem`
 */
export function readIntelFile(bytes: Uint8Array, name: string, reader = new DerReader()): IntelFile | undefined {
  if (/^\s*\{/.test(latin1(bytes.subarray(0, 64)))) return readJson(bytes, name, reader)
  if (!looksLikeIntelText(bytes)) return undefined
  const text = latin1(bytes)
  if (HEX_DER.test(text)) return inFile(mapped(derOfHex(text.trim(), name), (der) => [{ der, path: name }]))
  const chains = ENCODED_PEM.test(text) ? [text.trim()] : [...text.matchAll(ISSUER_CHAIN)].map((m) => m[1] ?? '')
  return merged(chains.map((chain) => inFile(chainInHeader(chain, name))))
}

function readJson(bytes: Uint8Array, name: string, reader: DerReader): IntelFile | undefined {
  const parsed = attempt(() => take(parseJson(take(fromUtf8(bytes, name)), name)))
  if (!parsed.ok) return { documents: [], ders: [], faults: parsed.faults }
  if (isQuoteCollateral(parsed.value)) return readQuoteCollateral(parsed.value, name, reader)
  if (!isSignedAnswer(parsed.value)) return undefined
  const document = splitAnswer(bytes, name)
  return document.ok
    ? { documents: [document.value], ders: [], faults: [] }
    : { documents: [], ders: [], faults: document.faults }
}

function chainInHeader(encoded: string, path: string): Outcome<readonly NamedDer[]> {
  const text = percentDecoded(encoded)
  return text === undefined ? fail('PEM_INVALID', path, { actual: 'not URL-encoded' }) : dersInText(text, path)
}

/** `undefined` where an escape is broken. Plus signs are base64, and no spaces. */
function percentDecoded(text: string): string | undefined {
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return undefined
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}

const mapped = <T, U>(outcome: Outcome<T>, map: (value: T) => U): Outcome<U> =>
  outcome.ok ? ok(map(outcome.value)) : outcome

const inFile = (ders: Outcome<readonly NamedDer[]>): IntelFile =>
  ders.ok ? { documents: [], ders: ders.value, faults: [] } : { documents: [], ders: [], faults: ders.faults }

const merged = (files: readonly IntelFile[]): IntelFile => ({
  documents: files.flatMap((f) => f.documents),
  ders: files.flatMap((f) => f.ders),
  faults: files.flatMap((f) => f.faults),
})
