import { concatBytes, utf8 } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { canonicalJson, isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import { fail, type Outcome, ok } from '../../core/outcome.ts'

/** What a client of the KBS protocol hashed into its evidence (protocols.md §1.2). */
export interface RuntimeData {
  /** as the client was given it, text */
  readonly nonce: string
  /** JWK of the workload's key, every member as it came */
  readonly teePubkey: JsonObject
  /** `additional_evidence`, byte for byte; empty where there is none */
  readonly additionalEvidence: string
  readonly hash: RuntimeDataHash
}

/** sha384 unless the session selected another */
export type RuntimeDataHash = 'sha256' | 'sha384' | 'sha512'

const MOST_KEY_CHARACTERS = 8192

/**
 * Reads the `runtime-data` of an attestation and compares its nonce with the one that the session was given.
 * @param value `{ "nonce": …, "tee-pubkey": { … } }`; no other member
 * @returns the runtime data, or BIND_RUNTIME_DATA_INVALID
 */
export function decodeRuntimeData(
  value: Json,
  about: { readonly nonce: string; readonly additionalEvidence: string; readonly hash: RuntimeDataHash },
): Outcome<RuntimeData> {
  const invalid = (path: string, expected: string) => fail('BIND_RUNTIME_DATA_INVALID', path, { expected })
  if (!isJsonObject(value)) return invalid('runtime-data', 'an object')
  const { nonce, 'tee-pubkey': teePubkey, ...others } = value
  if (Object.keys(others).length > 0) return invalid('runtime-data', 'nonce and tee-pubkey alone')
  if (nonce !== about.nonce) return invalid('runtime-data.nonce', 'the nonce of the session')
  if (!isJsonObject(teePubkey) || canonicalJson(teePubkey).length > MOST_KEY_CHARACTERS)
    return invalid('runtime-data.tee-pubkey', 'a JWK')
  return ok({ teePubkey, ...about })
}

/** REPORT_DATA of the CPU, 64 bytes: the digest over additional evidence, nonce and key, with zeros behind a shorter one. */
export const cpuReportData = (digest: Context['digest'], data: RuntimeData): Promise<Uint8Array> =>
  fitted(digest, data, { 'additional-evidence': data.additionalEvidence })

/** What devices are asked with, 64 bytes of which each takes what it has room for: the digest over nonce and key. */
export const deviceReportData = (digest: Context['digest'], data: RuntimeData): Promise<Uint8Array> =>
  fitted(digest, data, {})

const REPORT_DATA_BYTES = 64

async function fitted(digest: Context['digest'], data: RuntimeData, more: JsonObject): Promise<Uint8Array> {
  const text = canonicalJson({ ...more, nonce: data.nonce, 'tee-pubkey': data.teePubkey })
  const hash = await digest(data.hash, utf8(text))
  return concatBytes(hash, new Uint8Array(REPORT_DATA_BYTES - hash.length))
}
