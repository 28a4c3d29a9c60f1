import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'

/** Where in a document: member names and positions; `*` is every position of a list. */
export type JsonPath = readonly (string | number)[]

/**
 * The document with what stands at `path` changed; `undefined` takes a member or an entry away. A member that is not there
 * yet is added behind the others.
 */
export function edited(
  document: JsonObject,
  path: JsonPath,
  change: (value: Json | undefined) => Json | undefined,
): JsonObject {
  const out = step(document, path, change)
  if (!isJsonObject(out)) throw new TypeError('the document itself is not a place to edit')
  return out
}

function step(
  value: Json | undefined,
  [head, ...rest]: JsonPath,
  change: (value: Json | undefined) => Json | undefined,
): Json | undefined {
  if (head === undefined) return change(value)
  if (Array.isArray(value)) {
    if (typeof head === 'number' && head >= value.length) throw new TypeError(`no entry ${head} in the list`)
    const list: readonly Json[] = value
    return list.flatMap((entry, i) => {
      if (head !== '*' && head !== i) return [entry]
      const next = step(entry, rest, change)
      return next === undefined ? [] : [next]
    })
  }
  if (!isJsonObject(value) || typeof head === 'number') throw new TypeError(`nothing to edit at ${head}`)
  const next = step(value[head], rest, change)
  if (next !== undefined) return { ...value, [head]: next }
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== head))
}
