import type { Json, JsonObject } from '../core/json.ts'
import { type Fault, fault } from '../core/outcome.ts'
import { PRESET_NAMES } from './presets.ts'
import { describeJson } from './text.ts'

/** Identifies the published schema. An editor may know it by that name; nothing ever fetches it. */
export const SCHEMA_ID = 'https://unpkg.com/vouchsafe/dist/policy/policy-1.schema.json'

const COMMENT_CHARACTERS = 4096

export interface DocumentMember {
  readonly schema: JsonObject
  read(json: Json, path: string, faults: Fault[]): void
}

/** Members of a document that are gone once it takes effect. */
export const DOCUMENT_MEMBERS: Readonly<Record<'$schema' | 'extends' | 'comment', DocumentMember>> = {
  $schema: {
    schema: {
      description: 'Lets an editor help while writing. This one address is known and is never fetched.',
      const: SCHEMA_ID,
    },
    read(json, path, faults) {
      if (json !== SCHEMA_ID)
        faults.push(fault('POLICY_URL_FORBIDDEN', path, { expected: SCHEMA_ID, actual: describeJson(json) }))
    },
  },
  extends: {
    schema: {
      description:
        'A preset to start from. What is not written is taken from it, and what is written may only be stricter.',
      enum: PRESET_NAMES,
    },
    read: () => undefined,
  },
  comment: {
    schema: { description: 'For people. Not part of the digest.', type: 'string', maxLength: COMMENT_CHARACTERS },
    read(json, path, faults) {
      const expected = `text of at most ${COMMENT_CHARACTERS} characters`
      if (typeof json !== 'string') faults.push(fault('POLICY_TYPE', path, { expected, actual: describeJson(json) }))
      else if ([...json].length > COMMENT_CHARACTERS) faults.push(fault('POLICY_VALUE_INVALID', path, { expected }))
    },
  },
}
