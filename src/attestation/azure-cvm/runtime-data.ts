import { RSA_MODULUS_BYTES, spkiOfModulus } from '../../core/crypto/rsa.ts'
import { fromBase64url, fromUtf8 } from '../../core/encodings.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'

/** What the paravisor wrote into the runtime data. Worth something once the CPU's REPORT_DATA is their hash. */
export interface RuntimeData {
  /** SubjectPublicKeyInfo of HCLAkPub, the key that signs the quotes of the VM's TPM */
  readonly akSpki: Uint8Array
}

const AK = 'HCLAkPub'
const EXPONENT_65537 = 'AQAB'

/**
 * Reads the runtime data of an HCL report: strict JSON, nothing twice, and exactly one key of the name HCLAkPub, found by its name
 * and never by its place. What else Microsoft writes there is passed over.
 * @returns the data, or TPM_RUNTIME_DATA_INVALID
 * @see ../shared/spec/tpm-and-clouds.md §4
 */
export function decodeRuntimeData(bytes: Uint8Array, path: string): Outcome<RuntimeData> {
  return attempt(() => {
    const invalid = (field: string, expected: string, actual: string): never =>
      refuse('TPM_RUNTIME_DATA_INVALID', `${path}${field}`, { expected, actual })
    const text = fromUtf8(bytes, path)
    const json = text.ok ? parseJson(text.value, path) : text
    if (!json.ok) return invalid('', 'strict JSON', `${json.faults[0].code} at ${json.faults[0].path}`)
    const keys = isJsonObject(json.value) ? json.value.keys : undefined
    if (!Array.isArray(keys)) return invalid('/keys', 'a list of keys', 'none')
    const named = (keys as readonly Json[]).filter((k): k is JsonObject => isJsonObject(k) && k.kid === AK)
    const [ak] = named
    if (ak === undefined || named.length > 1) return invalid('/keys', `one ${AK}`, `${named.length}`)
    if (ak.kty !== 'RSA' || ak.e !== EXPONENT_65537)
      invalid(`/keys/${AK}`, 'an RSA key with exponent 65537', `${String(ak.kty)} ${String(ak.e)}`)
    const modulus = typeof ak.n === 'string' && ak.n.length < 1024 ? fromBase64url(ak.n) : undefined
    if (modulus === undefined || !RSA_MODULUS_BYTES.includes(modulus.length) || (modulus[0] ?? 0) < 0x80)
      return invalid(`/keys/${AK}/n`, 'a modulus of 2048, 3072 or 4096 bits', 'another')
    return { akSpki: spkiOfModulus(modulus) }
  })
}
