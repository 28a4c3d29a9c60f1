import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { LIMITS } from '../core/limits.ts'
import { attemptAsync, type Outcome, refuse, take } from '../core/outcome.ts'
import { digestOf, digestOfFile } from './digest.ts'
import { existing, fileWithin, reading } from './files.ts'
import { MANIFEST_NAME, type ManifestFile } from './manifest.ts'
import { readHead } from './model-file.ts'

/** The bytes of a folder's manifest. @returns them, or WEIGHTS_MANIFEST_MISSING · WEIGHTS_MANIFEST_MALFORMED */
export const manifestIn = (root: string): Promise<Outcome<Uint8Array>> =>
  attemptAsync(async () => {
    const file = join(root, MANIFEST_NAME)
    const found = (await existing(stat(file))) ?? refuse('WEIGHTS_MANIFEST_MISSING', root)
    if (!found.isFile() || found.size > LIMITS.modelHeaderBytes)
      refuse('WEIGHTS_MANIFEST_MALFORMED', '', { expected: `a file of at most ${LIMITS.modelHeaderBytes} bytes` })
    return readFile(file)
  })

/** What a file of a sealed folder is now. */
export interface Present {
  readonly real: string
  readonly sizeBytes: number
  /** of the length and header; undefined for files of other formats, which are read whole for it */
  readonly headDigest: string | undefined
}

/**
 * A file that the manifest names, where it is.
 * @returns it, or WEIGHTS_FILE_MISSING · WEIGHTS_LINK_OUTSIDE · WEIGHTS_FILE_KIND · what `readHead` returns
 */
export const presentIn = (root: string, { name, format }: ManifestFile): Promise<Outcome<Present>> =>
  attemptAsync(async () => {
    const real = take(await fileWithin(root, name))
    return reading(real, async (file) => {
      const { size: sizeBytes } = await file.stat()
      if (format !== 'cryptotensors') return { real, sizeBytes, headDigest: undefined }
      return { real, sizeBytes, headDigest: digestOf(take(await readHead(file, name))) }
    })
  })

/** Holds a file to the manifest by its size, and by its header where it has one. @returns where it is, or WEIGHTS_DIGEST_MISMATCH */
export const listedIn = (root: string, file: ManifestFile): Promise<Outcome<string>> =>
  attemptAsync(async () => {
    const { real, sizeBytes, headDigest } = take(await presentIn(root, file))
    if (sizeBytes !== file.sizeBytes)
      refuse('WEIGHTS_DIGEST_MISMATCH', file.name, { expected: `${file.sizeBytes} bytes`, actual: sizeBytes })
    if (headDigest !== undefined && headDigest !== file.digest)
      refuse('WEIGHTS_DIGEST_MISMATCH', file.name, { expected: file.digest, actual: headDigest })
    return real
  })

/** Holds a file to the manifest by all of its bytes. @returns nothing more, or WEIGHTS_DIGEST_MISMATCH */
export const requireDigest = (file: Parameters<typeof digestOfFile>[0], { name, digest }: ManifestFile) =>
  attemptAsync(async () => {
    const actual = await digestOfFile(file)
    if (actual !== digest) refuse('WEIGHTS_DIGEST_MISMATCH', name, { expected: digest, actual })
  })
