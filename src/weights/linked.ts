import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { take } from '../core/outcome.ts'
import { replaceByLink, replaceFile } from '../files/whole-file.ts'
import { existing, placeWithin } from './files.ts'

/** What a reader of sealed tensors holds them to; `examples/sealed-weights` does. */
export const LINKED_NAME = 'vouchsafe-linked.json'

/** A sealed file whose header was verified. */
export interface LinkedFile {
  /** in the output folder */
  readonly path: string
  /** where the sealed file is */
  readonly real: string
  /** of its header, base64: no other header has it */
  readonly signature: string
}

/**
 * Links to sealed files, and writes down which headers were verified under which names: a link leads to where others may write,
 * and what they put there under the same keys is not what was asked for.
 */
export async function linkFiles(root: string, files: readonly LinkedFile[], folderMode: number): Promise<void> {
  const signatures = Object.fromEntries(files.map(({ path, signature }) => [path, signature]))
  const text = JSON.stringify({ format: 'vouchsafe/linked-tensors', version: 1, signatures }, null, 2)
  for (const { path, real } of files) await replaceByLink(take(await placeWithin(root, path, folderMode)), real)
  await replaceFile(join(root, LINKED_NAME), { mode: 0o600 }, (file) => file.writeFile(`${text}\n`))
}

/** Tensors that are opened in the place of links are held to nothing any more. */
export const forgetLinks = (root: string) => existing(unlink(join(root, LINKED_NAME)))
