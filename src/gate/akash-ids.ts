import { attempt, type Outcome, refuse } from '../core/outcome.ts'

/** 64-bit number as chain SDKs carry it. */
export interface LongLike {
  readonly low: number
  readonly high: number
  readonly unsigned: boolean
}

/** A sequence number as it comes: text from LCD and Console, `Long` or bigint from SDKs, a number where it fits. */
export type IntegerLike = string | number | bigint | LongLike

export interface OrderIdLike {
  readonly owner: string
  readonly dseq: IntegerLike
  readonly gseq: IntegerLike
  readonly oseq: IntegerLike
}

/** Of a bid, and with the same six members of the lease that it becomes. `bseq` left out is 0, as proto3 JSON omits it. */
export interface BidIdLike extends OrderIdLike {
  readonly provider: string
  readonly bseq?: IntegerLike
}

export interface OrderRef {
  /** `owner/dseq/gseq/oseq`: the one text of this order */
  readonly order: string
  readonly owner: string
}

export interface BidRef extends OrderRef {
  /** `owner/dseq/gseq/oseq/provider/bseq`: the one text of this bid, and of the lease made of it */
  readonly bid: string
  readonly provider: string
}

/** A value whose members are read one by one, each as the object's own: a polluted prototype supplies nothing. */
export type Members = Readonly<Record<string, unknown>>

export const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)

/** @returns the object's members, or ends the surrounding `attempt` with GATE_OBJECT_MALFORMED */
export function membersOf(value: unknown, path: string): Members {
  if (!isMembers(value)) return malformed(path, 'an object', value)
  return value
}

/** An own member in any of its spellings; two spellings at once are refused, since readers would choose differently. */
export function member(object: Members, path: string, name: string, ...aliases: readonly string[]): unknown {
  let found: unknown
  let spelling: string | undefined
  if (Object.hasOwn(object, name)) {
    found = object[name]
    spelling = name
  }
  for (const alias of aliases) {
    if (!Object.hasOwn(object, alias)) continue
    if (spelling !== undefined) return malformed(`${path}.${alias}`, `${spelling} or ${alias}, not both`, 'both')
    found = object[alias]
    spelling = alias
  }
  return found
}

export function malformed(path: string, expected: string, actual: unknown): never {
  return refuse('GATE_OBJECT_MALFORMED', path, { expected, actual: shown(actual) })
}

const shown = (value: unknown): string => {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value === 'bigint') return `${value}`
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : typeof value
}

const MOST_U64 = 0xffff_ffff_ffff_ffffn
const MOST_U32 = 0xffff_ffff
const CANONICAL = /^(?:0|[1-9][0-9]{0,19})$/

/**
 * An unsigned integer in its one decimal spelling. Numbers beyond 2^53 are refused: they may have been another number before
 * somebody read them as a double.
 * @param most largest value allowed
 */
export function unsigned(value: unknown, most: 'u64' | 'u32', path: string): string {
  const text = decimalOf(value)
  if (text === undefined) return malformed(path, 'a whole number, zero or more, in its shortest spelling', value)
  // Nineteen digits are below 2^64 and nine below 2^32: most texts need no arithmetic.
  const fits =
    most === 'u64'
      ? text.length < 20 || BigInt(text) <= MOST_U64
      : text.length < 10 || (text.length === 10 && Number(text) <= MOST_U32)
  return fits ? text : malformed(path, most === 'u64' ? 'less than 2^64' : 'less than 2^32', text)
}

function decimalOf(value: unknown): string | undefined {
  if (typeof value === 'string') return CANONICAL.test(value) ? value : undefined
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0) ? String(value) : undefined
  }
  if (typeof value === 'bigint') return value >= 0n && value <= MOST_U64 ? `${value}` : undefined
  return isMembers(value) ? longOf(value) : undefined
}

function longOf(long: Members): string | undefined {
  if (!(Object.hasOwn(long, 'low') && Object.hasOwn(long, 'high') && Object.hasOwn(long, 'unsigned'))) return undefined
  const { low, high, unsigned: isUnsigned } = long
  if (!isWord(low) || !isWord(high) || typeof isUnsigned !== 'boolean') return undefined
  if (!isUnsigned && high < 0) return undefined
  return `${(BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)}`
}

/** `Long` keeps its halves as signed 32-bit integers. */
const isWord = (value: unknown): value is number => typeof value === 'number' && (value | 0) === value

/** Account addresses have 20 bytes, those of contracts and groups 32: 32 or 52 characters, and six of checksum. */
const ADDRESS = /^akash1(?:[02-9ac-hj-np-z]{38}|[02-9ac-hj-np-z]{58})$/

/** An account address by its shape; whether it exists the chain alone knows. */
export function address(value: unknown, path: string): string {
  return typeof value === 'string' && ADDRESS.test(value) ? value : malformed(path, 'an akash1… address', value)
}

export function readOrderId(value: unknown, path: string): OrderRef {
  const id = membersOf(value, path)
  const owner = address(member(id, path, 'owner'), `${path}.owner`)
  const dseq = unsigned(member(id, path, 'dseq'), 'u64', `${path}.dseq`)
  const gseq = unsigned(member(id, path, 'gseq'), 'u32', `${path}.gseq`)
  const oseq = unsigned(member(id, path, 'oseq'), 'u32', `${path}.oseq`)
  return { order: `${owner}/${dseq}/${gseq}/${oseq}`, owner }
}

export function readBidId(value: unknown, path: string): BidRef {
  const { order, owner } = readOrderId(value, path)
  const id = membersOf(value, path)
  const provider = address(member(id, path, 'provider'), `${path}.provider`)
  const bseq = member(id, path, 'bseq')
  const sequence = bseq === undefined ? '0' : unsigned(bseq, 'u32', `${path}.bseq`)
  return { order, owner, provider, bid: `${order}/${provider}/${sequence}` }
}

/** Reads the id of an order, or an order that has one. @returns GATE_OBJECT_MALFORMED on refusal */
export const orderRef = (value: unknown): Outcome<OrderRef> =>
  attempt(() => readOrderId(idOf(value, 'order'), 'order.id'))

/**
 * Reads the id of a bid or lease, or an object that has one, wrapped as the chain's REST interface wraps it or not.
 * @returns GATE_OBJECT_MALFORMED on refusal
 */
export const bidRef = (value: unknown): Outcome<BidRef> => attempt(() => readBidId(idOf(value, 'bid'), 'bid.id'))

/** The lease id has the six members of the bid's id and is written the same. @returns GATE_OBJECT_MALFORMED on refusal */
export const leaseRef = (value: unknown): Outcome<BidRef> => attempt(() => readBidId(idOf(value, 'lease'), 'lease.id'))

/** The id itself, out of `{ bid: { id } }`, `{ id }` (or `bid_id` of older versions) or as it is. */
export function idOf(value: unknown, name: 'order' | 'bid' | 'lease'): unknown {
  const outer = membersOf(value, name)
  const inner = unwrapped(outer, name)
  const id = member(inner, name, 'id', `${name}_id`, `${name}Id`)
  return id === undefined ? inner : id
}

export function unwrapped(outer: Members, name: string): Members {
  return Object.hasOwn(outer, name) ? membersOf(outer[name], name) : outer
}
