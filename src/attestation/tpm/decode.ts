import { indexOfBytes, utf8 } from '../../core/bytes.ts'
import type { HashName } from '../../core/crypto/port.ts'
import { decodeDer } from '../../core/der.ts'
import { fromBase64, fromHex, fromUtf8 } from '../../core/encodings.ts'
import { isJsonObject, type Json, type JsonObject, parseJson, pointer } from '../../core/json.ts'
import { attempt, type Outcome, refuse, take } from '../../core/outcome.ts'
import { decodePublicKey } from '../../core/x509/algorithms.ts'
import { type Decoded, decoded } from '../kind.ts'
import { BANK_BYTES, BANKS } from './algorithms.ts'
import { type Attest, decodeAttest } from './attest.ts'
import { decodePcrFile, type PcrValues } from './pcr-file.ts'
import { decodePublicArea, type PublicArea } from './public-area.ts'
import { decodeSignature, type TpmSignature } from './signature.ts'

/** The key that is said to have signed a quote: its public area, or where a carrier has nothing else, the bare key. */
export type AttestationKey =
  | {
      readonly form: 'public-area'
      readonly area: PublicArea
      readonly kind: PublicArea['kind']
      readonly spki: Uint8Array
    }
  | { readonly form: 'key'; readonly kind: PublicArea['kind']; readonly spki: Uint8Array }

/** A quote with its signature, its key and the PCR values it is about. Nothing in it is proved. */
export interface TpmQuote {
  readonly attest: Attest
  readonly signature: TpmSignature
  readonly key: AttestationKey
  readonly pcrs: PcrValues
}

export const TPM_QUOTE_FORMAT = 'vouchsafe/tpm-quote/1'
const FORMAT = utf8(`"${TPM_QUOTE_FORMAT}"`)
const MEMBERS = ['format', 'attest', 'signature', 'rawSignature', 'akPublic', 'akSpki', 'pcrs', 'pcrFile']
const MOST_PART_BYTES = 8192
const MOST_PCR = 31

/** Whether the bytes are our JSON around a quote, which has no form of its own to travel in; no proof of anything. */
export const looksLikeTpmQuote = (bytes: Uint8Array): boolean => bytes[0] === 0x7b && indexOfBytes(bytes, FORMAT) > 0

/**
 * Decodes a quote of the form `{ "format": "vouchsafe/tpm-quote/1", "attest", "signature" | "rawSignature", "akPublic" | "akSpki",
 * "pcrs" | "pcrFile" }`: TPMS_ATTEST, TPMT_SIGNATURE (or a bare RSASSA-SHA256 one), TPMT_PUBLIC (or SubjectPublicKeyInfo) in
 * base64, PCR values as hexadecimal by bank and number, or the file of `tpm2_quote -o`.
 * @returns the quote, or JSON_* · UTF8_INVALID · ENV_BASE64_NOT_CANONICAL · HEX_NOT_CANONICAL · X509_KEY_* · DER_* ·
 * TPM_SIZE_MISMATCH · TPM_MAGIC · TPM_TYPE · TPM_PCR_SELECTION_INVALID · TPM_ALGORITHM_FORBIDDEN
 */
export function decodeTpmQuote(bytes: Uint8Array, path: string): Outcome<Decoded<TpmQuote>> {
  return attempt(() => {
    const json = take(parseJson(take(fromUtf8(bytes, path)), path))
    if (!isJsonObject(json)) return refuse('JSON_TYPE_MISMATCH', path, { expected: 'object' })
    const unknown = Object.keys(json).find((name) => !MEMBERS.includes(name))
    if (unknown !== undefined)
      refuse('JSON_UNKNOWN_KEY', pointer(path, unknown), { expected: MEMBERS.join(', '), actual: unknown })
    if (json.format !== TPM_QUOTE_FORMAT)
      refuse('JSON_TYPE_MISMATCH', pointer(path, 'format'), { expected: TPM_QUOTE_FORMAT })
    const attest = take(decodeAttest(part(json, 'attest', path), pointer(path, 'attest')))
    const signature = signatureIn(json, path)
    const key = keyIn(json, path)
    return decoded<TpmQuote>({ attest, signature, key, pcrs: pcrsIn(json, path) })
  })
}

function part(json: JsonObject, name: string, path: string): Uint8Array {
  const at = pointer(path, name)
  const text = json[name]
  if (typeof text !== 'string') return refuse('JSON_TYPE_MISMATCH', at, { expected: 'base64' })
  const bytes = take(fromBase64(text, at))
  if (bytes.length > MOST_PART_BYTES)
    refuse('TPM_SIZE_MISMATCH', at, { expected: `at most ${MOST_PART_BYTES}`, actual: bytes.length })
  return bytes
}

/** The one of two members that is there. */
function either<A extends string>(json: JsonObject, a: A, b: A, path: string): A {
  const given = [a, b].filter((name) => json[name] !== undefined)
  if (given.length !== 1)
    refuse('JSON_TYPE_MISMATCH', pointer(path, a), {
      expected: `${a} or ${b}`,
      actual: given.join(' and ') || 'absent',
    })
  return given[0] ?? a
}

function signatureIn(json: JsonObject, path: string): TpmSignature {
  const name = either(json, 'signature', 'rawSignature', path)
  const bytes = part(json, name, path)
  if (name === 'signature') return take(decodeSignature(bytes, pointer(path, name)))
  return { scheme: 'RSASSA', hash: 'sha256', signature: bytes }
}

function keyIn(json: JsonObject, path: string): AttestationKey {
  const name = either(json, 'akPublic', 'akSpki', path)
  const bytes = part(json, name, path)
  const at = pointer(path, name)
  if (name === 'akPublic') {
    const area = take(decodePublicArea(bytes, at))
    return { form: 'public-area', area, kind: area.kind, spki: area.spki }
  }
  const key = decodePublicKey(take(decodeDer(bytes, at)), at)
  return { form: 'key', kind: key.kind === 'rsa' ? 'rsa' : key.curve, spki: key.spki }
}

function pcrsIn(json: JsonObject, path: string): PcrValues {
  const name = either(json, 'pcrs', 'pcrFile', path)
  if (name === 'pcrFile') return take(decodePcrFile(part(json, name, path), pointer(path, name)))
  const at = pointer(path, name)
  const banks = new Map<HashName, ReadonlyMap<number, Uint8Array>>()
  for (const [bankName, values] of entriesOf(json.pcrs, at)) {
    const bank = BANKS.find((b) => b === bankName)
    if (bank === undefined)
      return refuse('JSON_UNKNOWN_KEY', pointer(at, bankName), { expected: BANKS.join(', '), actual: bankName })
    banks.set(bank, valuesOf(values, bank, pointer(at, bankName)))
  }
  return banks
}

function valuesOf(json: Json | undefined, bank: HashName, path: string): ReadonlyMap<number, Uint8Array> {
  const values = new Map<number, Uint8Array>()
  for (const [index, value] of entriesOf(json, path)) {
    const at = pointer(path, index)
    if (!/^(0|[1-9][0-9]?)$/.test(index) || Number(index) > MOST_PCR)
      refuse('JSON_UNKNOWN_KEY', at, { expected: `0 to ${MOST_PCR}`, actual: index })
    if (typeof value !== 'string') return refuse('JSON_TYPE_MISMATCH', at, { expected: 'hexadecimal' })
    values.set(Number(index), take(fromHex(value, BANK_BYTES[bank], at)))
  }
  return values
}

const entriesOf = (json: Json | undefined, path: string): readonly (readonly [string, Json | undefined])[] =>
  isJsonObject(json) ? Object.entries(json) : refuse('JSON_TYPE_MISMATCH', path, { expected: 'object' })
