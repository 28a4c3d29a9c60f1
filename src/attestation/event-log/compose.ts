import { isZero } from '../../core/bytes.ts'
import { fromUtf8, toHex } from '../../core/encodings.ts'
import { isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import { LIMITS } from '../../core/limits.ts'
import { attemptAsync, type Outcome, refuse, take } from '../../core/outcome.ts'
import type { DstackLogVersion } from './dstack.ts'
import type { Digest } from './replay.ts'

const HASH_BYTES = 32
const MR_CONFIG_ID_BYTES = 48

/**
 * The compose hash (hex) of an MRCONFIGID of the form 0x01 ‖ compose-hash(32) ‖ 0…; undefined for another form, such as all
 * zeros, which says nothing of a compose file.
 * @param mrConfigId 48 bytes of an authenticated quote
 * @see ../shared/spec/intel-dcap.md §11
 */
export function composeHashOf(mrConfigId: Uint8Array): string | undefined {
  if (mrConfigId.length !== MR_CONFIG_ID_BYTES) throw new TypeError(`MRCONFIGID has ${mrConfigId.length} bytes`)
  if (mrConfigId[0] !== 1 || !isZero(mrConfigId.subarray(1 + HASH_BYTES))) return undefined
  return toHex(mrConfigId.subarray(1, 1 + HASH_BYTES))
}

/** What a compose file is, once its digest is known to be the measured one. */
export interface ComposeFile {
  /** SHA-256 of its bytes, hex */
  readonly composeHash: string
  readonly eventLogVersion: DstackLogVersion
}

/**
 * Reads app-compose.json and compares its SHA-256 with a measured compose hash: that of the event log or of MRCONFIGID.
 * @param compose the file byte for byte; another spelling of the same JSON is another file
 * @param composeHash lower-case hex, from `DstackClaims` or `composeHashOf`
 * @returns the file, or TDX_COMPOSE_MISMATCH · LIMIT_REQUEST_BYTES · UTF8_INVALID · JSON_*
 */
export function judgeCompose(
  compose: Uint8Array,
  composeHash: string,
  digest: Digest,
  path: string,
): Promise<Outcome<ComposeFile>> {
  return attemptAsync(async () => {
    if (compose.length > LIMITS.requestBytes)
      refuse('LIMIT_REQUEST_BYTES', path, { expected: `at most ${LIMITS.requestBytes}`, actual: compose.length })
    const actual = toHex(await digest('sha256', compose))
    if (actual !== composeHash) refuse('TDX_COMPOSE_MISMATCH', path, { expected: composeHash, actual })
    const value = take(parseJson(take(fromUtf8(compose, path)), path))
    const version = isJsonObject(value) ? declaredVersion(value) : undefined
    if (version !== 1 && version !== 2) {
      return refuse('JSON_TYPE_MISMATCH', `${path}/event_log_version`, {
        expected: '1 or 2',
        actual: JSON.stringify(version ?? null),
      })
    }
    return { composeHash, eventLogVersion: version }
  })
}

/** The guest's own rule: a file that says nothing means version 1. */
const declaredVersion = ({ event_log_version: version }: JsonObject): Json => (version === undefined ? 1 : version)
