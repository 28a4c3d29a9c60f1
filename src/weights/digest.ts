import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'

/** `sha256:` and 64 hexadecimal digits, as digests are written everywhere. */
export const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

/** The digest of a whole file. */
export async function digestOfFile(file: FileHandle): Promise<string> {
  const hash = createHash('sha256')
  for await (const bytes of file.createReadStream({ start: 0, autoClose: false, highWaterMark: 1024 * 1024 }))
    hash.update(bytes as Uint8Array)
  return `sha256:${hash.digest('hex')}`
}
