import { latin1 } from '../../core/bytes.ts'
import { fromHex, fromUtf8 } from '../../core/encodings.ts'
import { isJsonObject, type Json, parseJson, pointer } from '../../core/json.ts'
import { attempt, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { IntelDocument } from '../collateral.ts'
import { rememberHead } from './document-head.ts'

/** r ‖ s of ES256 */
const SIGNATURE_BYTES = 64

/** The member that holds the signed object, by the kind of document. */
const MEMBER: Readonly<Record<string, IntelDocument['kind']>> = { tcbInfo: 'tcb-info', enclaveIdentity: 'qe-identity' }

/** Whether a value has the shape of a signed answer of Intel's provisioning service; no proof of anything. */
export const isSignedAnswer = (value: Json): boolean =>
  isJsonObject(value) && Object.hasOwn(value, 'signature') && Object.keys(MEMBER).some((m) => isJsonObject(value[m]))

/**
 * Takes `{ "tcbInfo": {…}, "signature": "…" }` or `{ "enclaveIdentity": {…}, "signature": "…" }` apart. The signed object comes
 * back as its bytes stand in the answer. White space may stand between the two members and nothing else may: a third
 * member, or a name written with escapes, is refused, since another reader might find another object.
 * @returns the document, or UTF8_INVALID · JSON_* · LIMIT_JSON_* · HEX_NOT_CANONICAL
 * @see intel-dcap.md §2.2, §7
 */
export function splitAnswer(bytes: Uint8Array, path: string): Outcome<IntelDocument> {
  return attempt(() => {
    // Strict JSON first: no member comes twice, so what the scan finds is all there is.
    const value = take(parseJson(take(fromUtf8(bytes, path)), path))
    if (!isJsonObject(value)) return refuse('JSON_TYPE_MISMATCH', path, { expected: 'object' })
    const spans = spansOf(latin1(bytes))
    const members = Object.keys(value).filter((name) => name !== 'signature')
    const [name = '', other] = members
    const kind = Object.hasOwn(MEMBER, name) ? MEMBER[name] : undefined
    const span = spans.get(name)
    if (kind === undefined || other !== undefined || span === undefined || !isJsonObject(value[name])) {
      const unknown = members.find((m) => !Object.hasOwn(MEMBER, m)) ?? other ?? name
      return refuse('JSON_UNKNOWN_KEY', pointer(path, unknown), {
        expected: 'tcbInfo or enclaveIdentity as an object, and signature',
        actual: unknown,
      })
    }
    const signature = take(decodeSignature(value.signature, pointer(path, 'signature')))
    return { kind, signed: bytes.slice(span.from, span.to), signature, issuerChain: undefined }
  })
}

/**
 * A document whose signed text came as a string of its own.
 * @returns the document, or UTF8_INVALID · JSON_* · LIMIT_JSON_* · HEX_NOT_CANONICAL
 */
export function documentOf(
  kind: IntelDocument['kind'],
  signed: Uint8Array,
  signature: Json | undefined,
  path: string,
): Outcome<IntelDocument> {
  return attempt(() => {
    const value = take(parseJson(take(fromUtf8(signed, path)), path))
    if (!isJsonObject(value)) return refuse('JSON_TYPE_MISMATCH', path, { expected: 'object' })
    rememberHead(signed, value)
    return { kind, signed, signature: take(decodeSignature(signature, `${path}_signature`)), issuerChain: undefined }
  })
}

/** 128 hexadecimal digits; which case they are in is nothing that the signature covers. */
function decodeSignature(value: Json | undefined, path: string): Outcome<Uint8Array> {
  return attempt(() =>
    typeof value === 'string'
      ? take(fromHex(value.toLowerCase(), SIGNATURE_BYTES, path))
      : refuse('JSON_TYPE_MISMATCH', path, { expected: 'string' }),
  )
}

interface Span {
  readonly from: number
  readonly to: number
}

/** Where the values of the outermost object stand, by the raw spelling of their names. `text` is JSON, one character per byte. */
function spansOf(text: string): ReadonlyMap<string, Span> {
  const spans = new Map<string, Span>()
  let at = afterSpace(text, 0) + 1
  for (at = afterSpace(text, at); text[at] === '"'; at = afterSpace(text, at)) {
    const nameEnd = afterString(text, at)
    const name = text.slice(at + 1, nameEnd - 1)
    const from = afterSpace(text, afterSpace(text, nameEnd) + 1)
    const to = afterValue(text, from)
    spans.set(name, { from, to })
    at = afterSpace(text, to) + 1
  }
  return spans
}

function afterSpace(text: string, from: number): number {
  let at = from
  while (' \t\n\r'.includes(text[at] ?? 'end')) at++
  return at
}

function afterString(text: string, from: number): number {
  let at = from + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

/** Behind the value that begins at `from`; brackets inside strings do not count. */
function afterValue(text: string, from: number): number {
  if (text[from] === '"') return afterString(text, from)
  let at = from
  if (!'{['.includes(text[from] ?? 'end')) {
    while (!',}] \t\n\r'.includes(text[at] ?? ',')) at++
    return at
  }
  for (let depth = 0; ; ) {
    const character = text[at] ?? ''
    if (character === '"') {
      at = afterString(text, at)
      continue
    }
    if (character === '{' || character === '[') depth++
    if (character === '}' || character === ']') depth--
    at++
    if (depth === 0) return at
  }
}
