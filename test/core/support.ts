import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Code } from '../../src/core/codes.ts'
import type { Outcome } from '../../src/core/outcome.ts'

/** Real evidence, read where it lies and never copied. VOUCHSAFE_EVIDENCE names another place. */
export const EVIDENCE = resolve(process.env.VOUCHSAFE_EVIDENCE ?? '../shared/evidence')

/** Published test vectors: beside the evidence, unless VOUCHSAFE_VECTORS names another place. */
export const VECTORS = resolve(process.env.VOUCHSAFE_VECTORS ?? join(EVIDENCE, '../vectors'))

/** Whether tests over `folder` run: they do where it is there, and under CI=true they must, so that reading it fails. */
export const present = (folder: string): boolean => existsSync(folder) || process.env.CI === 'true'

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
