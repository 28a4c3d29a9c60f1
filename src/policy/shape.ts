import { canonicalJson, isJsonObject, type Json, type JsonObject, pointer } from '../core/json.ts'
import { type Fault, fault } from '../core/outcome.ts'
import { nearestName } from './nearest.ts'
import { describeJson, readTextFault } from './text.ts'

/** A place where one policy admits what another refuses. */
export interface Loosening {
  readonly path: string
  readonly floor: string
  readonly tenant: string
}

/** Whether a member that still has the value it takes when left out counts as not said. */
export type Silence = 'is-no-loosening' | 'does-not-exist'

/**
 * One form a policy value may have. The table of members is made of these, and from it come the parser, the published
 * schema, the defaults and the composition of policies, so that none of them can forget a member.
 */
export interface Shape<T> {
  readonly schema: JsonObject
  /** schema of what must be written unless a preset is extended, where there is any */
  readonly demands?: JsonObject
  /** The value, or undefined after having told why not. @param base the value of the extended preset */
  read(json: Json, path: string, faults: Fault[], base: T | undefined): T | undefined
  /** What meets both; undefined after having told the path at which nothing does. */
  both(floor: T, tenant: T, path: string, clashes: string[]): T | undefined
  /** Where `tenant` admits what `floor` refuses. */
  looser(floor: T, tenant: T, path: string, silence: Silence): readonly Loosening[]
}

/** A member without default: it must be written, unless a preset is extended that has it. */
export const REQUIRED = Symbol('required')
/** A member that every document writes itself. */
export const ALWAYS = Symbol('always')
/** A member that may be left out and then asks for nothing: it does not exist in the policy, which keeps its digest. */
export const OMITTED = Symbol('omitted')

export interface Member<T> {
  /** for authors: what the rule is about, as the schema says it */
  readonly description: string
  readonly shape: Shape<T>
  /** value of a member that is left out; never looser than our own floor */
  readonly absent: T | typeof REQUIRED | typeof ALWAYS | typeof OMITTED
}

export type Members<T> = { readonly [K in keyof T]-?: Member<T[K]> }

const asJson = (value: unknown): Json => value as Json
export const sameValue = (a: unknown, b: unknown): boolean => canonicalJson(asJson(a)) === canonicalJson(asJson(b))
export const shown = (value: unknown): string => (typeof value === 'string' ? value : canonicalJson(asJson(value)))

/** A closed object: unknown members are refused with the nearest known one. */
export function object<T extends object>(members: Members<T>): Shape<T> {
  const table = Object.entries(members) as [keyof T & string, Member<T[keyof T & string]>][]
  const names = table.map(([name]) => name)
  const demanded = table.filter(([, m]) => m.absent === REQUIRED).map(([name]) => name)
  const nested = table.flatMap(([name, m]) => (m.shape.demands === undefined ? [] : [[name, m.shape.demands] as const]))
  const due = table.filter(([, m]) => m.absent !== OMITTED).map(([name]) => name)
  const always = table.filter(([, m]) => m.absent === ALWAYS).map(([name]) => name)
  return {
    schema: {
      type: 'object',
      additionalProperties: false,
      ...(always.length === 0 ? {} : { required: always }),
      properties: Object.fromEntries(table.map(([name, m]) => [name, memberSchema(m)])),
    },
    ...(demanded.length + nested.length === 0
      ? {}
      : {
          demands: {
            ...(demanded.length === 0 ? {} : { required: demanded }),
            ...(nested.length === 0 ? {} : { properties: Object.fromEntries(nested) }),
          },
        }),
    read(json, path, faults, base) {
      if (!isJsonObject(json)) return refuseType(json, path, 'an object', faults)
      for (const key of Object.keys(json)) {
        if (!Object.hasOwn(members, key)) faults.push(unknownKey(key, path, names))
      }
      const value: Record<string, unknown> = {}
      for (const [name, member] of table) {
        const written = json[name]
        const at = pointer(path, name)
        if (written !== undefined) value[name] = member.shape.read(written, at, faults, base?.[name])
        else if (base?.[name] !== undefined && member.absent !== ALWAYS) value[name] = base[name]
        else if (member.absent === OMITTED) continue
        else if (typeof member.absent === 'symbol') faults.push(fault('POLICY_KEY_MISSING', at, { expected: name }))
        else value[name] = member.absent
      }
      // What was written and could not be read is undefined too, and was told.
      const isWhole =
        Object.values(value).every((v) => v !== undefined) && due.every((name) => Object.hasOwn(value, name))
      return isWhole ? (value as T) : undefined
    },
    both(floor, tenant, path, clashes) {
      const value: Record<string, unknown> = {}
      for (const [name, { shape, absent }] of table) {
        if (absent === OMITTED && (floor[name] === undefined || tenant[name] === undefined)) {
          const only = floor[name] ?? tenant[name]
          if (only !== undefined) value[name] = only
        } else value[name] = shape.both(floor[name], tenant[name], pointer(path, name), clashes)
      }
      return Object.values(value).every((v) => v !== undefined) ? (value as T) : undefined
    },
    looser: (floor, tenant, path, silence) =>
      table.flatMap(([name, { shape, absent }]) =>
        // What either leaves out, the other's rule still holds for both.
        absent === OMITTED && (floor[name] === undefined || tenant[name] === undefined)
          ? []
          : silence === 'is-no-loosening' && typeof absent !== 'symbol' && sameValue(tenant[name], absent)
            ? []
            : shape.looser(floor[name], tenant[name], pointer(path, name), silence),
      ),
  }
}

function memberSchema<T>({ shape, description, absent }: Member<T>): JsonObject {
  return { description, ...shape.schema, ...(typeof absent === 'symbol' ? {} : { default: asJson(absent) }) }
}

export function unknownKey(key: string, path: string, known: readonly string[]): Fault {
  const expected = nearestName(key, known) ?? `one of ${known.join(', ')}`
  return fault('POLICY_UNKNOWN_KEY', pointer(path, key), { expected, actual: key })
}

/** A single value with an order: `within` says whether `tenant` admits nothing that `floor` refuses. */
export function leaf<T>(form: {
  readonly schema: JsonObject
  read(json: Json, path: string, faults: Fault[]): T | undefined
  both(floor: T, tenant: T): T | undefined
  within(tenant: T, floor: T): boolean
}): Shape<T> {
  return {
    schema: form.schema,
    read: (json, path, faults) => form.read(json, path, faults),
    both(floor, tenant, path, clashes) {
      const value = form.both(floor, tenant)
      if (value === undefined) clashes.push(path)
      return value
    },
    looser: (floor, tenant, path) =>
      form.within(tenant, floor) ? [] : [{ path, floor: shown(floor), tenant: shown(tenant) }],
  }
}

/** Tells that a value has the wrong type, or, of text, that it is a pattern or an address. */
export function refuseType(json: Json, path: string, expected: string, faults: Fault[]): undefined {
  const told = typeof json === 'string' ? readTextFault(json, path) : undefined
  faults.push(told ?? fault('POLICY_TYPE', path, { expected, actual: describeJson(json) }))
  return undefined
}
