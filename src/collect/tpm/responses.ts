import type { Code } from '../../core/codes.ts'
import { type Fault, fault } from '../../core/outcome.ts'

/** Who answered, by the third byte of a response code. */
const LAYERS: ReadonlyMap<number, string> = new Map([
  [0, 'tpm'],
  [6, 'fapi'],
  [7, 'esys'],
  [8, 'sys'],
  [9, 'mu'],
  [10, 'tcti'],
  [11, 'resmgr'],
  [12, 'resmgr-tpm'],
])

/** Codes of the layers above the TPM, which all share them. */
const SOFTWARE: ReadonlyMap<number, string> = new Map([
  [1, 'GENERAL_FAILURE'],
  [2, 'NOT_IMPLEMENTED'],
  [3, 'BAD_CONTEXT'],
  [4, 'ABI_MISMATCH'],
  [5, 'BAD_REFERENCE'],
  [6, 'INSUFFICIENT_BUFFER'],
  [7, 'BAD_SEQUENCE'],
  [8, 'NO_CONNECTION'],
  [9, 'TRY_AGAIN'],
  [10, 'IO_ERROR'],
  [11, 'BAD_VALUE'],
  [12, 'NOT_PERMITTED'],
  [16, 'BAD_SIZE'],
  [17, 'MALFORMED_RESPONSE'],
  [21, 'NOT_SUPPORTED'],
  [22, 'BAD_TCTI_STRUCTURE'],
  [23, 'MEMORY'],
  [24, 'BAD_TR'],
  [27, 'RSP_AUTH_FAILED'],
])

/** TPM 2.0 Part 2, TPM_RC. Those with bit 7 (0x080) say which parameter, handle or session they are about. */
const TPM: ReadonlyMap<number, string> = new Map([
  ...([
    [0x100, 'INITIALIZE'],
    [0x101, 'FAILURE'],
    [0x103, 'SEQUENCE'],
    [0x120, 'DISABLED'],
    [0x121, 'EXCLUSIVE'],
    [0x124, 'AUTH_TYPE'],
    [0x125, 'AUTH_MISSING'],
    [0x126, 'POLICY'],
    [0x127, 'PCR'],
    [0x128, 'PCR_CHANGED'],
    [0x12d, 'UPGRADE'],
    [0x12e, 'TOO_MANY_CONTEXTS'],
    [0x12f, 'AUTH_UNAVAILABLE'],
    [0x130, 'REBOOT'],
    [0x142, 'COMMAND_SIZE'],
    [0x143, 'COMMAND_CODE'],
    [0x144, 'AUTHSIZE'],
    [0x145, 'AUTH_CONTEXT'],
    [0x146, 'NV_RANGE'],
    [0x147, 'NV_SIZE'],
    [0x148, 'NV_LOCKED'],
    [0x149, 'NV_AUTHORIZATION'],
    [0x14a, 'NV_UNINITIALIZED'],
    [0x14b, 'NV_SPACE'],
    [0x14c, 'NV_DEFINED'],
    [0x150, 'BAD_CONTEXT'],
    [0x152, 'PARENT'],
    [0x153, 'NEEDS_TEST'],
  ] as const),
  ...([
    [0x081, 'ASYMMETRIC'],
    [0x082, 'ATTRIBUTES'],
    [0x083, 'HASH'],
    [0x084, 'VALUE'],
    [0x085, 'HIERARCHY'],
    [0x087, 'KEY_SIZE'],
    [0x08a, 'TYPE'],
    [0x08b, 'HANDLE'],
    [0x08d, 'RANGE'],
    [0x08e, 'AUTH_FAIL'],
    [0x08f, 'NONCE'],
    [0x092, 'SCHEME'],
    [0x095, 'SIZE'],
    [0x096, 'SYMMETRIC'],
    [0x097, 'TAG'],
    [0x098, 'SELECTOR'],
    [0x09a, 'INSUFFICIENT'],
    [0x09b, 'SIGNATURE'],
    [0x09c, 'KEY'],
    [0x09d, 'POLICY_FAIL'],
    [0x09f, 'INTEGRITY'],
    [0x0a0, 'TICKET'],
    [0x0a1, 'RESERVED_BITS'],
    [0x0a2, 'BAD_AUTH'],
    [0x0a3, 'EXPIRED'],
    [0x0a4, 'POLICY_CC'],
    [0x0a6, 'CURVE'],
    [0x0a7, 'ECC_POINT'],
  ] as const),
  ...([
    [0x901, 'CONTEXT_GAP'],
    [0x902, 'OBJECT_MEMORY'],
    [0x903, 'SESSION_MEMORY'],
    [0x904, 'MEMORY'],
    [0x905, 'SESSION_HANDLES'],
    [0x906, 'OBJECT_HANDLES'],
    [0x907, 'LOCALITY'],
    [0x908, 'YIELDED'],
    [0x909, 'CANCELED'],
    [0x90a, 'TESTING'],
    [0x920, 'NV_RATE'],
    [0x921, 'LOCKOUT'],
    [0x922, 'RETRY'],
    [0x923, 'NV_UNAVAILABLE'],
  ] as const),
])

const FORMAT_ONE = 0x080
const isFromTpm = (layer: number): boolean => layer === 0 || layer === 12

/** A response code without the parameter, handle or session that it is about: what it means. */
export const baseOf = (rc: number): number => ((rc & FORMAT_ONE) === 0 ? rc & 0xffff : rc & 0x0bf)

/** A response code in words: `tpm:HANDLE(handle 1) 0x18b`, `tcti:IO_ERROR 0xa000a`. */
export function responseText(rc: number): string {
  const layer = (rc >>> 16) & 0xff
  const hex = `0x${rc.toString(16)}`
  const said = LAYERS.get(layer) ?? `layer ${layer}`
  if (!isFromTpm(layer)) return `${said}:${SOFTWARE.get(rc & 0xffff) ?? 'unknown'} ${hex}`
  return `${said}:${TPM.get(baseOf(rc)) ?? 'unknown'}${subjectOf(rc)} ${hex}`
}

function subjectOf(rc: number): string {
  if ((rc & FORMAT_ONE) === 0) return ''
  if ((rc & 0x040) !== 0) return `(parameter ${(rc >>> 8) & 0xf})`
  return (rc & 0x800) === 0 ? `(handle ${(rc >>> 8) & 7})` : `(session ${(rc >>> 8) & 7})`
}

/** Response codes that have a remedy of their own. */
const REMEDIES: ReadonlyMap<number, Code> = new Map([
  [0x921, 'COLLECT_TPM_LOCKED_OUT'],
  [0x08e, 'COLLECT_TPM_AUTHORISATION_REFUSED'],
  [0x0a2, 'COLLECT_TPM_AUTHORISATION_REFUSED'],
  [0x09d, 'COLLECT_TPM_AUTHORISATION_REFUSED'],
  [0x12f, 'COLLECT_TPM_AUTHORISATION_REFUSED'],
  [0x149, 'COLLECT_TPM_AUTHORISATION_REFUSED'],
  [0x902, 'COLLECT_TPM_OUT_OF_MEMORY'],
  [0x903, 'COLLECT_TPM_OUT_OF_MEMORY'],
  [0x904, 'COLLECT_TPM_OUT_OF_MEMORY'],
])

/** @param special codes that mean something else to this command, by `baseOf` */
export function responseFault(rc: number, path: string, special: ReadonlyMap<number, Code> = new Map()): Fault {
  const base = isFromTpm((rc >>> 16) & 0xff) ? baseOf(rc) : -1
  const code = special.get(base) ?? REMEDIES.get(base) ?? 'COLLECT_TPM_FAILED'
  return fault(code, path, { actual: responseText(rc) })
}
