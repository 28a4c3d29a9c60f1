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

/** An own member in any of its spellings. @see oneSpelling */
export function member(object: Members, name: string, alias: string, alias2: string): unknown {
  return oneSpelling([name, alias], own(object, name), own(object, alias), own(object, alias2))
}

/** Two spellings of a member at once are refused, since readers would choose differently. */
export function oneSpelling(
  [name, alias]: readonly [string, string],
  value: unknown,
  other: unknown,
  third?: unknown,
): unknown {
  if (other === undefined && third === undefined) return value
  if (value !== undefined || (other !== undefined && third !== undefined))
    return malformed(name, `${name} or ${alias}, not both`, 'both')
  return other ?? third
}

/** An own member; undefined is not there. */
export const own = (object: Members, name: string): unknown => (Object.hasOwn(object, name) ? object[name] : undefined)

/**
 * What was read of a member, where it is the object's own; undefined is not there. Every bid is read with it: a plain object
 * has of its own whatever plain objects do not inherit, which is known ten times as fast as by asking for the name.
 * @param inherited the same member of `PLAIN`, read where it is used: a load by a name in a variable is slow
 */
export const ownValue = (object: Members, name: string, value: unknown, inherited: unknown): unknown =>
  value === undefined ||
  (inherited === undefined && Object.getPrototypeOf(object) === PLAIN) ||
  Object.hasOwn(object, name)
    ? value
    : undefined

/** Prototype of plain objects. */
export const PLAIN: Members = Object.prototype as unknown as Members

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

/**
 * An unsigned integer in its one decimal spelling. Numbers beyond 2^53 are refused: they may have been another number before
 * somebody read them as a double.
 * @param most largest value allowed
 */
export function unsigned(value: unknown, most: 'u64' | 'u32', path: string): string {
  const text = typeof value === 'string' ? value : decimalOf(value)
  if (text === undefined || !isCanonical(text))
    return malformed(path, 'a whole number, zero or more, in its shortest spelling', value)
  // Nineteen digits are below 2^64 and nine below 2^32: most texts need no arithmetic.
  const fits =
    most === 'u64'
      ? text.length < 20 || (text.length === 20 && BigInt(text) <= MOST_U64)
      : text.length < 10 || (text.length === 10 && Number(text) <= MOST_U32)
  return fits ? text : malformed(path, most === 'u64' ? 'less than 2^64' : 'less than 2^32', text)
}

/** By hand: a regular expression with a counted repetition takes three times as long, several times for every bid. */
function isCanonical(text: string): boolean {
  if (text.length === 0 || text.length > 20 || (text.length > 1 && text.charCodeAt(0) === 0x30)) return false
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i)
    if (digit < 0x30 || digit > 0x39) return false
  }
  return true
}

function decimalOf(value: unknown): string | undefined {
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

const PREFIX = 'akash1'
/** Account addresses have 20 bytes, those of contracts and groups 32: 32 or 52 characters, and six of checksum. */
const LENGTHS = [PREFIX.length + 38, PREFIX.length + 58] as const
const CHARACTERS = /^[02-9ac-hj-np-z]+$/
const DATA = new Uint8Array(128)
for (let c = 0; c < DATA.length; c++) DATA[c] = CHARACTERS.test(String.fromCharCode(c)) ? 1 : 0

/** An account address by its shape; whether it exists the chain alone knows. */
export function address(value: unknown, path: string): string {
  return typeof value === 'string' && isAddress(value) ? value : malformed(path, 'an akash1… address', value)
}

function isAddress(text: string): boolean {
  if ((text.length !== LENGTHS[0] && text.length !== LENGTHS[1]) || !text.startsWith(PREFIX)) return false
  for (let i = PREFIX.length; i < text.length; i++) if (DATA[text.charCodeAt(i)] !== 1) return false
  return true
}

export function readOrderId(value: unknown, path: string): OrderRef {
  const id = membersOf(value, path)
  const owner = address(ownValue(id, 'owner', id.owner, PLAIN.owner), 'id.owner')
  const dseq = unsigned(ownValue(id, 'dseq', id.dseq, PLAIN.dseq), 'u64', 'id.dseq')
  const gseq = unsigned(ownValue(id, 'gseq', id.gseq, PLAIN.gseq), 'u32', 'id.gseq')
  const oseq = unsigned(ownValue(id, 'oseq', id.oseq, PLAIN.oseq), 'u32', 'id.oseq')
  return { order: `${owner}/${dseq}/${gseq}/${oseq}`, owner }
}

export function readBidId(value: unknown, path: string): BidRef {
  const id = membersOf(value, path)
  const { order, owner } = readOrderId(id, path)
  const provider = address(ownValue(id, 'provider', id.provider, PLAIN.provider), 'id.provider')
  const bseq = ownValue(id, 'bseq', id.bseq, PLAIN.bseq)
  const sequence = bseq === undefined ? '0' : unsigned(bseq, 'u32', 'id.bseq')
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
  const id = member(inner, 'id', `${name}_id`, `${name}Id`)
  return id === undefined ? inner : id
}

export function unwrapped(outer: Members, name: string): Members {
  return Object.hasOwn(outer, name) ? membersOf(outer[name], name) : outer
}
