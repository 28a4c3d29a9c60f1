import type { JsonObject } from '../core/json.ts'
import { DOCUMENT_MEMBERS, SCHEMA_ID } from './document.ts'
import { policyShape } from './rules-policy.ts'

/**
 * The published JSON Schema (2020-12) of policy version 1, made from the table that the parser itself reads. It describes
 * the form; what holds between members (a contradiction, a risk that must be named) only `parsePolicy` knows.
 */
export const POLICY_SCHEMA: JsonObject = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  $id: SCHEMA_ID,
  title: 'Vouchsafe policy, version 1',
  description:
    'What a machine must prove before it may have a workload. A member that is left out takes its default, which is never looser than what Vouchsafe asks by itself.',
  ...policyShape.schema,
  properties: {
    ...Object.fromEntries(Object.entries(DOCUMENT_MEMBERS).map(([name, { schema }]) => [name, schema])),
    ...(policyShape.schema.properties as JsonObject),
  },
  // With a preset, what is not written comes from there.
  if: { required: ['extends'] },
  else: policyShape.demands ?? {},
}
