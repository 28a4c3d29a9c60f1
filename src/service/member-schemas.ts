import type { JsonObject } from '../core/json.ts'

/*
 * JSON schemas of members of requests, as the OpenAPI document shows them. What is read is decided in `api`; these say it to clients.
 */

export const text = (description: string): JsonObject => ({ type: 'string', minLength: 1, description })
export const base64 = (description: string): JsonObject => ({ type: 'string', contentEncoding: 'base64', description })
export const oneOf = (...values: readonly string[]): JsonObject => ({ type: 'string', enum: values })

/** An object whose members are described elsewhere. */
export const object = (description: string): JsonObject => ({ type: 'object', description })

export const orNull = (schema: JsonObject): JsonObject => ({ ...schema, type: [schema.type ?? 'object', 'null'] })

/** An object that has exactly these members. */
export const members = (properties: Readonly<Record<string, JsonObject>>, description?: string): JsonObject => ({
  type: 'object',
  ...(description === undefined ? {} : { description }),
  additionalProperties: false,
  required: Object.keys(properties),
  properties,
})

const COUNT: JsonObject = { type: 'integer', minimum: 1 }

const either = (description: string, schema: JsonObject, word: string): JsonObject => ({
  description,
  oneOf: [schema, { const: word }],
})

/** Members of a key's limits: nested under `limits` where a key is registered, the body itself where they are changed. */
export const LIMITS: Readonly<Record<string, JsonObject>> = {
  releases: either('how often the key may go out', COUNT, 'unlimited'),
  window: either(
    'at most so many releases within any so many seconds',
    members({ releases: COUNT, seconds: COUNT }),
    'unlimited',
  ),
  leases: either('to how many different leases it may go', COUNT, 'unlimited'),
  chips: either('to how many different machines it may go', COUNT, 'unlimited'),
  onlyLeases: either(
    'ids of leases, and workloads without lease, that it may go to',
    { type: 'array', minItems: 1, maxItems: 1000, items: { type: 'string', pattern: '^[\\x21-\\x7e]{1,512}$' } },
    'any',
  ),
}
