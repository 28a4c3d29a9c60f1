import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKekFile } from '../../src/release/vault/index.ts'

/** Where a process that a test starts puts its files, so that the test removes them. */
export const FOLDER_VARIABLE = 'VOUCHSAFE_TEST_FOLDER'

const given = process.env[FOLDER_VARIABLE]
export const folder = given ?? mkdtempSync(join(tmpdir(), 'vouchsafe-release-'))
if (given === undefined) {
  const { afterAll } = await import('vitest')
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
}

let files = 0

/** A name in a folder that the tests of this file share. */
export const newFile = (kind: string): string => join(folder, `${process.pid}-${files++}.${kind}`)

export async function newKekFile(): Promise<string> {
  const path = newFile('kek')
  await createKekFile(path)
  return path
}
