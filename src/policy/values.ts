import { type Json, pointer } from '../core/json.ts'
import { type Fault, fault, type NonEmpty } from '../core/outcome.ts'
import type { AllowList } from './policy.ts'
import { type Loosening, leaf, refuseType, type Shape, shown } from './shape.ts'
import { readText } from './text.ts'
import { compareVersions } from './versions.ts'

/** One entry of a list, or a single text: its schema, and how it is read. */
export interface Item<T extends string | number> {
  readonly schema: Record<string, Json>
  read(json: Json, path: string, faults: Fault[]): T | undefined
}

const invalid = (path: string, expected: string, actual: unknown, faults: Fault[]): undefined => {
  faults.push(fault('POLICY_VALUE_INVALID', path, { expected, actual: shown(actual) }))
  return undefined
}

/** One of a closed list. */
export function oneOf<const T extends string>(values: readonly T[]): Item<T> {
  const expected = values.join(' | ')
  return {
    schema: { enum: values },
    read(json, path, faults) {
      const text = readText(json, path, faults, expected)
      return text === undefined ? undefined : (values.find((v) => v === text) ?? invalid(path, expected, text, faults))
    },
  }
}

/** Lower-case hexadecimal of one of these lengths. All zero is refused: it is what a report shows where there is nothing. */
export function hex(...sizesBytes: readonly number[]): Item<string> {
  const digits = sizesBytes.map((n) => 2 * n)
  const expected = `${digits.join(' or ')} lower-case hexadecimal digits`
  return {
    schema: {
      type: 'string',
      pattern: `^(${digits.map((n) => `[0-9a-f]{${n}}`).join('|')})$`,
      not: { enum: digits.map((n) => '0'.repeat(n)) },
    },
    read(json, path, faults) {
      const text = readText(json, path, faults, expected)
      if (text === undefined) return undefined
      if (!digits.includes(text.length) || !/^[0-9a-f]*$/.test(text)) {
        faults.push(fault('POLICY_HEX', path, { expected, actual: `${text} (${text.length} characters)` }))
      } else if (/^0*$/.test(text)) faults.push(fault('POLICY_ZERO_DIGEST', path, { actual: text }))
      else return text
      return undefined
    },
  }
}

/** Text of one form. @param normal gives spellings that mean the same the same text */
export function formed(
  form: RegExp,
  expected: string,
  normal: (text: string) => string = (text) => text,
): Item<string> {
  return {
    schema: { type: 'string', pattern: form.source },
    read(json, path, faults) {
      const text = readText(json, path, faults, expected)
      if (text === undefined) return undefined
      return form.test(text) ? normal(text) : invalid(path, expected, text, faults)
    },
  }
}

/** Days that exist: the months with 31, with 30, February, and its last day in leap years, of which 2000 is one. */
const DAY = [
  '20[0-9]{2}-(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])',
  '20[0-9]{2}-(0[469]|11)-(0[1-9]|[12][0-9]|30)',
  '20[0-9]{2}-02-(0[1-9]|1[0-9]|2[0-8])',
  '20([02468][048]|[13579][26])-02-29',
].join('|')

/** A day of this century, or a word in place of one. */
export const dayOr = (word: string): Item<string> =>
  formed(new RegExp(`^(${word}|${DAY})$`), `${word}, or a day such as 2026-02-01`)

/** A whole number from `least` to `most`. */
export function integer(least: number, most: number): Item<number> {
  const expected = `a whole number from ${least} to ${most}`
  return {
    schema: { type: 'integer', minimum: least, maximum: most },
    read(json, path, faults) {
      if (typeof json !== 'number' || (Number.isFinite(json) && !Number.isInteger(json))) {
        return refuseType(json, path, expected, faults)
      }
      // Beyond 2^53 neighbours are the same double, and -0 is spelled as a negative number.
      if (Number.isSafeInteger(json) && json >= least && json <= most && !Object.is(json, -0)) return json
      faults.push(fault('POLICY_NUMBER_RANGE', path, { expected, actual: json }))
      return undefined
    },
  }
}

const DIGITS = /^[0-9]{1,4}(\.[0-9]{1,4}){0,4}$/
const HEX_PAIRS = /^[0-9A-Fa-f]{2}(\.[0-9A-Fa-f]{2}){4}$/
export const decimalVersion = formed(DIGITS, 'a version such as 550.90.07')
export const vbiosVersion = formed(HEX_PAIRS, 'a VBIOS version such as 96.00.74.00.20', (text) => text.toUpperCase())

/** Values from the strictest to the loosest. */
export function choice<const T extends string>(strictToLoose: readonly T[]): Shape<T> {
  const item = oneOf(strictToLoose)
  const looseness = (value: T) => strictToLoose.indexOf(value)
  return leaf({
    ...item,
    both: (floor, tenant) => (looseness(floor) < looseness(tenant) ? floor : tenant),
    within: (tenant, floor) => looseness(tenant) <= looseness(floor),
  })
}

/** A bit that must be set, must be clear, or does not matter. */
export const bit: Shape<'required' | 'forbidden' | 'any'> = leaf({
  ...oneOf(['required', 'forbidden', 'any']),
  both: (floor, tenant) => (floor === 'any' || floor === tenant ? tenant : tenant === 'any' ? floor : undefined),
  within: (tenant, floor) => floor === 'any' || floor === tenant,
})

/** A lower bound: the higher, the stricter. */
export const atLeast = (least: number, most: number): Shape<number> =>
  leaf({
    ...integer(least, most),
    both: (floor, tenant) => Math.max(floor, tenant),
    within: (tenant, floor) => tenant >= floor,
  })

/** An upper bound: the lower, the stricter. */
export const atMost = (least: number, most: number): Shape<number> =>
  leaf({
    ...integer(least, most),
    both: (floor, tenant) => Math.min(floor, tenant),
    within: (tenant, floor) => tenant <= floor,
  })

/** A lower bound of a version. */
export function versionAtLeast(item: Item<string>, radix: 10 | 16 = 10): Shape<string> {
  const below = (a: string, b: string) => (compareVersions(a, b, radix) ?? 0) < 0
  return leaf({
    ...item,
    both: (floor, tenant) => (below(tenant, floor) ? floor : tenant),
    within: (tenant, floor) => !below(tenant, floor),
  })
}

/** Bits that must be set, hex of 8 bytes: the more, the stricter. */
export const requiredBits: Shape<string> = leaf({
  ...formed(/^[0-9a-f]{16}$/, '16 lower-case hexadecimal digits'),
  both: (floor, tenant) => (BigInt(`0x${floor}`) | BigInt(`0x${tenant}`)).toString(16).padStart(16, '0'),
  within: (tenant, floor) => (BigInt(`0x${tenant}`) & BigInt(`0x${floor}`)) === BigInt(`0x${floor}`),
})

/** One value that cannot be written otherwise. */
export function always<const T extends string | number | boolean>(value: T): Shape<T> {
  return leaf({
    schema: { const: value },
    read(json, path, faults) {
      if (json === value) return value
      if (typeof json !== typeof value) return refuseType(json, path, shown(value), faults)
      return invalid(path, shown(value), json, faults)
    },
    both: () => value,
    within: () => true,
  })
}

/** A list without repetition, in an order of its own, so that equal sets have equal digests. */
function readList<T extends string | number>(
  item: Item<T>,
  most: number,
  json: Json,
  path: string,
  faults: Fault[],
): NonEmpty<T> | undefined {
  if (!Array.isArray(json)) return refuseType(json, path, 'a list', faults)
  const given = json as readonly Json[]
  if (given.length === 0) {
    faults.push(fault('POLICY_LIST_EMPTY', path, { expected: 'at least one entry' }))
    return undefined
  }
  if (given.length > most) {
    faults.push(fault('LIMIT_POLICY', path, { expected: `at most ${most} entries`, actual: given.length }))
    return undefined
  }
  const entries = given.map((entry, i) => item.read(entry, pointer(path, i), faults))
  const repeated = entries.findIndex((entry, i) => entry !== undefined && entries.indexOf(entry) < i)
  if (repeated >= 0) {
    faults.push(fault('POLICY_DUPLICATE_ENTRY', pointer(path, repeated), { actual: shown(entries[repeated]) }))
    return undefined
  }
  return entries.every((entry) => entry !== undefined) ? nonEmpty(sorted(entries)) : undefined
}

export const sorted = <T extends string | number>(entries: readonly T[]): readonly T[] =>
  [...entries].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))

const nonEmpty = <T>([first, ...rest]: readonly T[]): NonEmpty<T> | undefined =>
  first === undefined ? undefined : [first, ...rest]

const common = <T>(a: readonly T[], b: readonly T[]): NonEmpty<T> | undefined =>
  nonEmpty(a.filter((entry) => b.includes(entry)))

const listSchema = (item: Item<string | number>, most: number) => ({
  type: 'array',
  minItems: 1,
  maxItems: most,
  uniqueItems: true,
  items: item.schema,
})

/** The values that are accepted, where some must be named. */
export const accepted = <T extends string | number>(item: Item<T>, most = 512): Shape<NonEmpty<T>> =>
  leaf({
    schema: listSchema(item, most),
    read: (json, path, faults) => readList(item, most, json, path, faults),
    both: (floor, tenant) => common(floor, tenant),
    within: (tenant, floor) => tenant.every((entry) => floor.includes(entry)),
  })

/** The values that are accepted, or `any`. */
export const allowList = <T extends string | number>(item: Item<T>, most = 512): Shape<AllowList<T>> =>
  leaf<AllowList<T>>({
    schema: { oneOf: [{ const: 'any' }, listSchema(item, most)] },
    read: (json, path, faults) => (json === 'any' ? 'any' : readList(item, most, json, path, faults)),
    both: (floor, tenant) => (floor === 'any' ? tenant : tenant === 'any' ? floor : common(floor, tenant)),
    within: (tenant, floor) => floor === 'any' || (tenant !== 'any' && tenant.every((entry) => floor.includes(entry))),
  })

/** The values that are refused, or `none`: both lists together refuse what either refuses. */
export const denyList = (item: Item<string>, most = 128): Shape<'none' | NonEmpty<string>> =>
  leaf<'none' | NonEmpty<string>>({
    schema: { oneOf: [{ const: 'none' }, listSchema(item, most)] },
    read: (json, path, faults) => (json === 'none' ? 'none' : readList(item, most, json, path, faults)),
    both: (floor, tenant) => nonEmpty(sorted([...new Set([...entriesOf(floor), ...entriesOf(tenant)])])) ?? 'none',
    // The floor's entries stay in force whatever the tenant's list says.
    within: () => true,
  })

/** What somebody consents to, or `none`: both consent only to what each does. */
export const consentList = <T extends string>(item: Item<T>, most: number): Shape<'none' | NonEmpty<T>> =>
  leaf<'none' | NonEmpty<T>>({
    schema: { oneOf: [{ const: 'none' }, listSchema(item, most)] },
    read: (json, path, faults) => (json === 'none' ? 'none' : readList(item, most, json, path, faults)),
    both: (floor, tenant) => common(entriesOf(floor), entriesOf(tenant)) ?? 'none',
    within: (tenant, floor) => entriesOf(tenant).every((entry) => entriesOf(floor).includes(entry)),
  })

const entriesOf = <T extends string>(list: 'none' | NonEmpty<T>): readonly T[] => (list === 'none' ? [] : list)

/** A word in place of a shape, with an order of its own between the two. */
export function wordOr<const W extends string, T>(
  words: readonly W[],
  shape: Shape<T>,
  order: {
    both(floor: W | T, tenant: W | T): W | T | 'shape' | 'clash'
    within(tenant: W | T, floor: W | T): boolean | 'shape'
  },
): Shape<W | T> {
  const isWord = (value: unknown): value is W => words.includes(value as W)
  return {
    schema: { oneOf: [words.length === 1 ? { const: words[0] ?? '' } : { enum: words }, shape.schema] },
    ...(shape.demands === undefined ? {} : { demands: shape.demands }),
    read: (json, path, faults, base) =>
      isWord(json) ? json : shape.read(json, path, faults, base === undefined || isWord(base) ? undefined : base),
    both(floor, tenant, path, clashes) {
      const value = order.both(floor, tenant)
      if (value === 'shape')
        return isWord(floor) || isWord(tenant) ? undefined : shape.both(floor, tenant, path, clashes)
      if (value === 'clash') clashes.push(path)
      return value === 'clash' ? undefined : value
    },
    looser(floor, tenant, path, silence): readonly Loosening[] {
      const within = order.within(tenant, floor)
      if (within === 'shape' && !isWord(floor) && !isWord(tenant)) return shape.looser(floor, tenant, path, silence)
      return within === false ? [{ path, floor: summary(floor), tenant: summary(tenant) }] : []
    },
  }
}

const summary = (value: unknown): string => (typeof value === 'object' ? 'rules' : String(value))
