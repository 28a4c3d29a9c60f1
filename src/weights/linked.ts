import { take } from '../core/outcome.ts'
import { replaceFile } from '../files/whole-file.ts'
import { placeWithin } from './files.ts'
import { encodeHeaderText, type Tensor } from './header.ts'

/** A sealed file whose header was verified. */
export interface LinkedFile {
  /** in the output folder */
  readonly path: string
  /** where the sealed file is */
  readonly real: string
  /** of its header, base64: no other header has it */
  readonly signature: string
  /** in that header */
  readonly tensors: readonly Tensor[]
}

/**
 * Writes in the place of each sealed file where it is and which header was verified: where it is, others may write, and what they
 * put there under the same keys is not what was asked for. A symbolic link would do for a reader of sealed tensors; to every other one
 * it would be a file whose tensors are noise. This one has the form of a safetensors header, so that vLLM, which looks into headers
 * by itself, finds which types the tensors have; it says of none where it lies, which every reader of tensors asks first.
 */
export async function linkFiles(root: string, files: readonly LinkedFile[], folderMode: number): Promise<void> {
  for (const { path, real, signature, tensors } of files) {
    const metadata = { format: 'vouchsafe/linked-tensors', version: '1', file: real, signature }
    const types = tensors.map(({ name, dtype, shape }) => [name, { dtype, shape }] as const)
    const header = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(types) })
    const place = take(await placeWithin(root, path, folderMode))
    await replaceFile(place, { mode: 0o600 }, (file) => file.writeFile(encodeHeaderText(header)))
  }
}
