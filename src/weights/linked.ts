import { take } from '../core/outcome.ts'
import { replaceFile } from '../files/whole-file.ts'
import { placeWithin } from './files.ts'

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
 * Writes in the place of each sealed file where it is and which header was verified: where it is, others may write, and what they
 * put there under the same keys is not what was asked for. A symbolic link would do for a reader of sealed tensors; to every other one
 * it would be a file whose tensors are noise, and this is a file that has none.
 */
export async function linkFiles(root: string, files: readonly LinkedFile[], folderMode: number): Promise<void> {
  for (const { path, real, signature } of files) {
    const link = { format: 'vouchsafe/linked-tensors', version: 1, file: real, signature }
    const place = take(await placeWithin(root, path, folderMode))
    await replaceFile(place, { mode: 0o600 }, (file) => file.writeFile(`${JSON.stringify(link, null, 2)}\n`))
  }
}
