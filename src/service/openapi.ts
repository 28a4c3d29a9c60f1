import type { JsonObject } from '../core/json.ts'
import { ENDPOINTS, type Endpoint } from './endpoints.ts'
import { members } from './member-schemas.ts'

const SECURITY: Readonly<Record<Endpoint['token'], readonly JsonObject[]>> = {
  none: [],
  tenant: [{ tenantToken: [] }],
  marketplace: [{ marketplaceToken: [] }],
  session: [{ sessionCookie: [] }, { sessionToken: [] }],
}

const MEANINGS: Readonly<Record<number, string>> = {
  400: 'the request cannot be read',
  401: 'no token or session that is known, or an attestation that has to be made anew',
  403: 'refused; the findings say why and what to do',
  404: 'there is no such key',
  409: 'the key was changed meanwhile',
  413: 'the body is too large',
  429: 'asked too often; Retry-After says when to ask again',
  503: 'something needed is missing now; asking again may help',
}

/** The service as an OpenAPI 3.1 document. */
export function openApi(version: string): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {}
  for (const endpoint of ENDPOINTS) {
    paths[endpoint.path] ??= {}
    const operations = paths[endpoint.path]
    if (operations !== undefined) operations[endpoint.method] = operation(endpoint)
  }
  const bearer = (description: string): JsonObject => ({ type: 'http', scheme: 'bearer', description })
  return {
    openapi: '3.1.0',
    info: {
      title: 'Vouchsafe',
      version,
      description: 'Releases keys to machines whose evidence is accepted under the policy of the key.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      securitySchemes: {
        tenantToken: bearer('token of an administrator of the tenant'),
        marketplaceToken: bearer('token of the marketplace'),
        sessionToken: bearer('token that /kbs/v0/attest answered with'),
        sessionCookie: { type: 'apiKey', in: 'cookie', name: 'kbs-session-id' },
      },
    },
  }
}

function operation({ path, summary, token, body, answer, statuses }: Endpoint): JsonObject {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map((m) => ({
    ...{ name: m[1] ?? '', in: 'path', required: true },
    schema: { type: 'string' },
  }))
  const responses = Object.fromEntries(
    statuses.map((status) => [String(status), { description: MEANINGS[status] ?? answer }]),
  )
  return {
    summary,
    parameters,
    ...(body === undefined ? {} : { requestBody: bodyOf(body) }),
    security: SECURITY[token],
    responses,
  }
}

const bodyOf = (body: Readonly<Record<string, JsonObject>>): JsonObject => ({
  required: true,
  content: { 'application/json': { schema: members(body) } },
})
