import { concatBytes } from '../../src/core/bytes.ts'
import type { NonEmpty } from '../../src/core/outcome.ts'
import type { Random } from './random.ts'

/** What mutants are made from. */
export interface Corpus {
  /** Inputs that the decoder accepts. */
  readonly seeds: NonEmpty<Uint8Array>
  /** Inputs at the limits that cost a decoder as much as any; run once each, never mutated. */
  readonly heavy: readonly Uint8Array[]
  /** Pieces that mean something in this format: markers, brackets, tags. */
  readonly tokens: readonly Uint8Array[]
  /** No mutant is longer: a little above the limit that the decoder states. */
  readonly maxBytes: number
}

/** Number `index` of the mutants of a seed text: the first ones are the seeds themselves and the heavy inputs. */
export function mutant(corpus: Corpus, random: Random, index: number): Uint8Array {
  const untouched = corpus.seeds[index] ?? corpus.heavy[index - corpus.seeds.length]
  if (untouched !== undefined) return untouched.slice()
  let bytes: Uint8Array = random.pick(corpus.seeds).slice()
  for (let left = 1 + random.below(4); left > 0; left--) bytes = random.pick(OPERATIONS)(bytes, random, corpus)
  return bytes.length > corpus.maxBytes ? bytes.slice(0, corpus.maxBytes) : bytes
}

type Operation = (bytes: Uint8Array, random: Random, corpus: Corpus) => Uint8Array

const flipBit: Operation = (bytes, random) => {
  const at = random.below(bytes.length)
  if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
  return bytes
}

const TELLING_BYTES = [0x00, 0x01, 0x20, 0x30, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xfe, 0xff]

const setByte: Operation = (bytes, random) => {
  const at = random.below(bytes.length)
  const value = random.below(2) === 0 ? random.below(256) : random.pick(TELLING_BYTES)
  if (at < bytes.length) bytes[at] = value
  return bytes
}

const nudgeByte: Operation = (bytes, random) => {
  const at = random.below(bytes.length)
  if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) + random.below(17) - 8
  return bytes
}

const TELLING_NUMBERS = [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff]

/** A number that lengths and counts stumble over, two or four bytes wide, in either order. */
const setNumber: Operation = (bytes, random) => {
  const size = random.pick([2, 4])
  const at = random.below(bytes.length - size + 1)
  if (at < 0 || bytes.length < size) return bytes
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const little = random.below(2) === 0
  const value = random.pick(TELLING_NUMBERS)
  if (size === 2) view.setUint16(at, value & 0xffff, little)
  else view.setUint32(at, value, little)
  return bytes
}

/** A range of the input, mostly short. */
function range(bytes: Uint8Array, random: Random): readonly [start: number, end: number] {
  const start = random.below(bytes.length + 1)
  const longest = random.below(4) === 0 ? bytes.length : 16
  return [start, Math.min(bytes.length, start + random.below(longest + 1))]
}

const replace = (bytes: Uint8Array, start: number, end: number, by: Uint8Array): Uint8Array =>
  concatBytes(bytes.subarray(0, start), by, bytes.subarray(end))

const remove: Operation = (bytes, random) => replace(bytes, ...range(bytes, random), new Uint8Array())

const truncate: Operation = (bytes, random) => bytes.slice(0, random.below(bytes.length + 1))

const insertNoise: Operation = (bytes, random) => {
  const at = random.below(bytes.length + 1)
  const noise = Uint8Array.from({ length: 1 + random.below(16) }, () => random.below(256))
  return replace(bytes, at, at, noise)
}

const repeatRange: Operation = (bytes, random) => {
  const [start, end] = range(bytes, random)
  return replace(bytes, start, start, bytes.slice(start, end))
}

const moveRange: Operation = (bytes, random) => {
  const [start, end] = range(bytes, random)
  const at = random.below(bytes.length + 1)
  return replace(bytes, at, Math.min(bytes.length, at + (end - start)), bytes.slice(start, end))
}

const fillRange: Operation = (bytes, random) => bytes.fill(random.pick(TELLING_BYTES), ...range(bytes, random))

const splice: Operation = (bytes, random, { seeds }) => {
  const other = random.pick(seeds)
  return replace(other, 0, random.below(other.length + 1), bytes.slice(0, random.below(bytes.length + 1)))
}

const insertToken: Operation = (bytes, random, { tokens }) => {
  const at = random.below(bytes.length + 1)
  return tokens.length === 0 ? bytes : replace(bytes, at, at, random.pick(tokens))
}

const overwriteToken: Operation = (bytes, random, { tokens }) => {
  if (tokens.length === 0) return bytes
  const token = random.pick(tokens)
  const at = random.below(bytes.length + 1)
  return replace(bytes, at, Math.min(bytes.length, at + token.length), token)
}

/** Rarely, so that most executions stay fast: one piece again and again, for depth and for counts. */
const flood: Operation = (bytes, random, corpus) => {
  const { tokens, maxBytes } = corpus
  if (random.below(64) !== 0) return flipBit(bytes, random, corpus)
  const token = tokens.length === 0 ? Uint8Array.of(random.pick(TELLING_BYTES)) : random.pick(tokens)
  const times = random.below(Math.ceil(maxBytes / token.length))
  const flooded = new Uint8Array(times * token.length)
  for (let i = 0; i < times; i++) flooded.set(token, i * token.length)
  const at = random.below(bytes.length + 1)
  return replace(bytes, at, at, flooded)
}

const OPERATIONS: readonly Operation[] = [
  flipBit,
  flipBit,
  setByte,
  setByte,
  nudgeByte,
  setNumber,
  setNumber,
  remove,
  truncate,
  insertNoise,
  repeatRange,
  moveRange,
  fillRange,
  splice,
  insertToken,
  overwriteToken,
  flood,
]
