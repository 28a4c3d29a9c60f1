import { type BitRow, bitPart, type Meaning } from './meanings.ts'

/** Every bit with a name, set or clear, and those that are set without one. @param raw up to 8 bytes, bit 0 first */
export function bitMeaning(raw: Uint8Array, rows: readonly BitRow[], text: string, prefix = ''): Meaning {
  const word = raw.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  const named = rows.reduce((sum, [bit]) => sum | (1n << BigInt(bit)), 0n)
  const unknown = word & ~named
  const parts = rows.map(([bit, name, set, clear]) => {
    const part = bitPart(bit, name, ((word >> BigInt(bit)) & 1n) === 1n, set, clear)
    return { ...part, at: prefix + part.at }
  })
  return { text: unknown === 0n ? text : `${text}; bits without a published meaning: 0x${unknown.toString(16)}`, parts }
}

const MPX: readonly BitRow[] = [
  [3, 'bndRegs', 'MPX, bounds', 'no MPX'],
  [4, 'bndCsr', 'MPX, configuration', 'no MPX'],
]
const X87_TO_AVX: readonly BitRow[] = [
  [0, 'x87', 'x87', 'no x87'],
  [1, 'sse', 'SSE', 'no SSE'],
  [2, 'avx', 'AVX', 'no AVX'],
]
const AVX_512: readonly BitRow[] = [
  [5, 'avx512Opmask', 'AVX-512, masks', 'no AVX-512'],
  [6, 'avx512ZmmHi256', 'AVX-512, upper halves', 'no AVX-512'],
  [7, 'avx512Hi16Zmm', 'AVX-512, registers 16 to 31', 'no AVX-512'],
]
const PKRU: BitRow = [9, 'pkru', 'protection keys of user pages', 'no protection keys of user pages']
const AMX: readonly BitRow[] = [
  [17, 'tileConfig', 'AMX, configuration', 'no AMX'],
  [18, 'tileData', 'AMX, data', 'no AMX'],
]

/** XFRM of an enclave: processor state that it may use, numbered as in XCR0. */
export const XFRM_BITS: readonly BitRow[] = [...X87_TO_AVX, ...MPX, ...AVX_512, PKRU, ...AMX]

/** XFAM of a TD: the same, and what IA32_XSS numbers; a TD has no MPX. */
export const XFAM_BITS: readonly BitRow[] = [
  ...X87_TO_AVX,
  ...AVX_512,
  [8, 'pt', 'processor trace', 'no processor trace'],
  PKRU,
  [11, 'cetUser', 'control-flow enforcement, user', 'no control-flow enforcement, user'],
  [12, 'cetSupervisor', 'control-flow enforcement, supervisor', 'no control-flow enforcement, supervisor'],
  [14, 'uintr', 'user interrupts', 'no user interrupts'],
  [15, 'lbr', 'last branch records', 'no last branch records'],
  ...AMX,
]

/** TDATTRIBUTES (Intel TDX module ABI); bits 0 to 7 weaken the TD whatever else they mean. */
export const TD_ATTRIBUTE_BITS: readonly BitRow[] = [
  [0, 'debug', 'the host can read and write the TD', 'the host cannot debug this TD'],
  [4, 'hgsPlusProf', 'the host may profile it for scheduling (HGS+)', 'not profiled for scheduling'],
  [5, 'perfProf', 'the host may profile its performance', 'its performance is not profiled'],
  [6, 'pmtProf', 'the host may read its telemetry (PMT)', 'no telemetry'],
  [16, 'icssd', 'counters and timestamps may be suppressed (ICSSD)', 'ICSSD is off'],
  [27, 'lass', 'linear address separation (LASS)', 'no LASS'],
  [28, 'septVeDisable', 'a page taken away ends the TD', 'a page taken away raises an exception in the guest'],
  [29, 'migratable', 'it may be moved to another machine', 'it stays on this machine'],
  [30, 'pks', 'supervisor protection keys', 'no supervisor protection keys'],
  [31, 'keyLocker', 'Key Locker', 'no Key Locker'],
  [62, 'tpa', 'TD partitioning attestation (TPA)', 'TPA is off'],
  [63, 'perfmon', 'it shares performance counters with the host', 'no performance counters'],
]

/** ATTRIBUTES of an enclave, the first eight bytes. */
export const SGX_FLAG_BITS: readonly BitRow[] = [
  [0, 'init', 'initialised', 'not initialised: no enclave that ran'],
  [1, 'debug', 'the host can read and write the enclave', 'the host cannot debug this enclave'],
  [2, 'mode64Bit', '64-bit', '32-bit'],
  [4, 'provisionKey', 'may ask for the key that identifies the platform', 'has no provisioning key'],
  [5, 'einitTokenKey', 'may decide which enclaves are launched', 'has no launch key'],
  [7, 'kss', 'key separation and sharing (KSS)', 'no KSS'],
]
