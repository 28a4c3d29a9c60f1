import { isZero, latin1 } from '../../core/bytes.ts'
import type { Code } from '../../core/codes.ts'
import type { HashName } from '../../core/crypto/port.ts'
import { Cursor } from '../../core/cursor.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'
import { EV } from './event-types.ts'

/** What a reader of logs of one platform takes: PCRs of a TPM, or the measurement registers of a TD. */
export interface TcgProfile {
  /** the highest number of a register, inclusive */
  readonly highestRegister: number
  readonly algorithms: readonly HashName[]
  readonly mostEvents: number
  readonly codes: { readonly malformed: Code; readonly tooMany: Code }
}

/** One TCG_PCR_EVENT2. Byte fields are views into the log. */
export interface TcgEvent {
  /** offset of the record in the log */
  readonly offset: number
  readonly register: number
  readonly type: number
  readonly digests: ReadonlyMap<HashName, Uint8Array>
  readonly data: Uint8Array
}

export interface TcgLog {
  /** in the order of the log's first record */
  readonly algorithms: readonly HashName[]
  /** without the first record, and with those that measure nothing (EV_NO_ACTION) */
  readonly events: readonly TcgEvent[]
  /** without the padding behind the last event */
  readonly sizeBytes: number
}

/** TPM_ALG_ID and size of its digests. */
const ALGORITHMS: ReadonlyMap<number, { readonly name: HashName; readonly digestBytes: number }> = new Map([
  [0x0004, { name: 'sha1', digestBytes: 20 }],
  [0x000b, { name: 'sha256', digestBytes: 32 }],
  [0x000c, { name: 'sha384', digestBytes: 48 }],
  [0x000d, { name: 'sha512', digestBytes: 64 }],
])

const SIGNATURE = 'Spec ID Event03\0'
/** Of the first record: register, type, SHA-1 digest, size. */
const FIRST_RECORD_BYTES = 32

/** Whether bytes begin with the first record of a crypto-agile log; no proof of anything. */
export const looksLikeTcgLog = (bytes: Uint8Array): boolean =>
  latin1(bytes.subarray(FIRST_RECORD_BYTES, FIRST_RECORD_BYTES + SIGNATURE.length)) === SIGNATURE

/**
 * Reads a crypto-agile event log: Spec ID Event03, then TCG_PCR_EVENT2 records up to the end of the area or its padding.
 * Every count and size is bounded before anything is read by it, so time is linear in the bytes. No digest is checked.
 * @param path prefix of the paths in faults
 * @returns the log, or the codes of the profile
 * @see TCG PC Client Platform Firmware Profile §10.2; ../shared/spec/intel-dcap.md §10
 */
export function decodeTcgLog(bytes: Uint8Array, path: string, profile: TcgProfile): Outcome<TcgLog> {
  return attempt(() => {
    const reader = new Reader(bytes, path, profile)
    const algorithms = reader.header()
    const events: TcgEvent[] = []
    while (!reader.atEnd()) {
      if (events.length === profile.mostEvents)
        refuse(profile.codes.tooMany, path, { expected: `at most ${profile.mostEvents} events` })
      events.push(reader.event(events.length, algorithms))
    }
    reader.padding()
    return { algorithms, events, sizeBytes: reader.offset }
  })
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #path: string
  readonly #profile: TcgProfile
  readonly #cursor: Cursor

  constructor(bytes: Uint8Array, path: string, profile: TcgProfile) {
    this.#bytes = bytes
    this.#path = path
    this.#profile = profile
    this.#cursor = new Cursor(bytes, path, profile.codes.malformed)
  }

  get offset(): number {
    return this.#cursor.offset
  }

  /** TCG_PCR_EVENT with TCG_EfiSpecIDEvent: what algorithms every later record has. */
  header(): readonly HashName[] {
    this.#cursor.u32('header.register')
    this.#expect('header.type', EV.NO_ACTION, this.#cursor.u32('header.type'))
    if (!isZero(this.#cursor.take(20, 'header.digest'))) this.#malformed('header.digest', 'zero', 'another value')
    const data = this.#cursor.take(this.#cursor.u32('header.size'), 'header.data')
    const spec = new Cursor(data, `${this.#path}.header`, this.#profile.codes.malformed)
    const signature = latin1(spec.take(SIGNATURE.length, 'signature'))
    if (signature !== SIGNATURE) this.#malformed('header.signature', 'Spec ID Event03', signature)
    spec.take(8, 'versions')
    const count = spec.u32('algorithmCount')
    if (count === 0 || count > ALGORITHMS.size)
      this.#malformed('header.algorithmCount', `1 to ${ALGORITHMS.size}`, `${count}`)
    const names: HashName[] = []
    for (let i = 0; i < count; i++) {
      const algorithm = this.#algorithm(spec.u16('algorithmId'), 'header.algorithmId')
      this.#expect('header.digestSize', algorithm.digestBytes, spec.u16('digestSize'))
      if (names.includes(algorithm.name)) this.#malformed('header.algorithmId', 'each once', algorithm.name)
      names.push(algorithm.name)
    }
    spec.take(spec.u8('vendorInfoSize'), 'vendorInfo')
    spec.end()
    return names
  }

  /** End of the area, or the first bytes of padding: a register of all ones, or register and type zero. */
  atEnd(): boolean {
    const rest = this.#bytes.subarray(this.offset)
    const head = rest.subarray(0, 8)
    if (head.length < 8) return isFilled(head)
    return isZero(head) || head.subarray(0, 4).every((byte) => byte === 0xff)
  }

  /** @param place of the event in the log */
  event(place: number, algorithms: readonly HashName[]): TcgEvent {
    const { offset } = this
    const field = (name: string) => `events[${place}].${name}`
    const register = this.#cursor.u32(field('register'))
    if (register > this.#profile.highestRegister)
      this.#malformed(field('register'), `at most ${this.#profile.highestRegister}`, `${register}`)
    const type = this.#cursor.u32(field('type'))
    this.#expect(field('digestCount'), algorithms.length, this.#cursor.u32(field('digestCount')))
    const digests = new Map<HashName, Uint8Array>()
    for (const _ of algorithms) {
      const { name, digestBytes } = this.#algorithm(this.#cursor.u16(field('algorithmId')), field('algorithmId'))
      if (!algorithms.includes(name) || digests.has(name))
        this.#malformed(field('algorithmId'), `${algorithms.join(', ')}, each once`, name)
      digests.set(name, this.#cursor.take(digestBytes, field('digest')))
    }
    const data = this.#cursor.take(this.#cursor.u32(field('size')), field('data'))
    return { offset, register, type, digests, data }
  }

  /** What follows is no log: another reader, with another idea of the end, must find no events there. */
  padding(): void {
    if (!isFilled(this.#bytes.subarray(this.offset)))
      this.#malformed(`padding at ${this.offset}`, 'nothing but 0x00 or nothing but 0xff', 'other bytes')
  }

  #algorithm(id: number, field: string): { readonly name: HashName; readonly digestBytes: number } {
    const algorithm = ALGORITHMS.get(id)
    if (algorithm === undefined || !this.#profile.algorithms.includes(algorithm.name))
      return this.#malformed(field, this.#profile.algorithms.join(', '), `0x${id.toString(16).padStart(4, '0')}`)
    return algorithm
  }

  #expect(field: string, expected: number, actual: number): void {
    if (actual !== expected) this.#malformed(field, `${expected}`, `${actual}`)
  }

  #malformed(field: string, expected: string, actual: string): never {
    return refuse(this.#profile.codes.malformed, `${this.#path}.${field}`, { expected, actual })
  }
}

/** All 0x00, all 0xff, or nothing at all. */
const isFilled = (bytes: Uint8Array): boolean => {
  const [first = 0] = bytes
  return (first === 0 || first === 0xff) && bytes.every((byte) => byte === first)
}
