import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'vitest'
import type { Code } from '../../src/core/codes.ts'
import type { Outcome } from '../../src/core/outcome.ts'
import { evidencePath } from '../support/evidence.ts'

/** Real evidence, read where it lies and never copied: `describeEvidence` guards every group that reads it. */
export const EVIDENCE = evidencePath('')

/** Published test vectors: beside the evidence, unless VOUCHSAFE_VECTORS names another place. */
export const VECTORS = process.env.VOUCHSAFE_VECTORS ?? join(EVIDENCE, '../vectors')

/** `describe` for tests over published vectors: skipped by name where they are absent, and a failure under CI=true. */
export function describeVectors(path: string, body: () => void): void {
  if (existsSync(join(VECTORS, path))) {
    describe(`vectors ${path}`, body)
  } else if (process.env.CI === 'true') {
    throw new TypeError(`CI without vectors: ${join(VECTORS, path)} does not exist; set VOUCHSAFE_VECTORS`)
  } else {
    it.skip(`vectors ${path} (absent: set VOUCHSAFE_VECTORS)`, () => {})
  }
}

/** The codes of a refusal; fails where the outcome is a value. */
export function codesOf(outcome: Outcome<unknown>): Code[] {
  if (outcome.ok) throw new Error('accepted, where a refusal was expected')
  return outcome.faults.map((f) => f.code)
}

/** The value of an outcome; fails with the faults where it is a refusal. */
export function valueIn<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(`refused: ${JSON.stringify(outcome.faults)}`)
  return outcome.value
}

export const hex = (text: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.from(text.replaceAll(' ', ''), 'hex'))

/** Files below `folder` whose path ends as asked, in a stable order. */
export function filesBelow(folder: string, endsWith: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => endsWith.test(path))
    .sort()
    .map((path) => join(folder, path))
}

export const bytesOf = (path: string): Uint8Array<ArrayBuffer> => new Uint8Array(readFileSync(path))

/** Bodies of the PEM blocks in a file, found by searching: an independent reader for what is not strict PEM, too. */
export function pemBodies(path: string): Uint8Array[] {
  const blocks = readFileSync(path, 'latin1').matchAll(/-----BEGIN ([A-Z0-9 ]+)-----([^-]+)-----END \1-----/g)
  return [...blocks].map(([, , body = '']) => new Uint8Array(Buffer.from(body, 'base64')))
}
