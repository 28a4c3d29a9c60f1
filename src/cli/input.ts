import { constants, open, readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { CollateralFile } from '../attestation/collateral.ts'
import { fromUtf8 } from '../core/encodings.ts'
import { LIMITS } from '../core/limits.ts'

/** What the caller typed cannot be used: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'no permission',
  EEXIST: 'it is there already',
  EISDIR: 'it is a folder',
  ELOOP: 'too many symbolic links',
}

/** What the operating system says about a file, without a stack. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'error'
  return REASONS[code] ?? code
}

const unreadable = (path: string, error: unknown): UsageError =>
  new UsageError(`cannot read ${path}: ${reasonOf(error)}`)

/**
 * Evidence and collateral are bounded by the library, which names what is too large. One byte more than it takes is enough
 * for that; a device or a file without end would only fill the memory.
 */
const MOST_BYTES = Math.max(LIMITS.requestBytes, LIMITS.xmlBytes, LIMITS.collateralBytes) + 1

/** All files of a folder together: what a request and its collateral may have. */
const MOST_FOLDER_BYTES = LIMITS.requestBytes + LIMITS.collateralBytes

/**
 * Somebody else may have filled a folder: there, only regular files are read. A pipe, which could keep us waiting for ever,
 * is taken where the operator names it. Not blocking, `open` does not wait for the other end of a pipe.
 */
async function bytesOf(
  path: string,
  accepts: 'anything' | 'regular files' = 'anything',
  mostBytes = MOST_BYTES,
): Promise<Uint8Array> {
  try {
    const file = await open(path, accepts === 'anything' ? 'r' : constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    try {
      if (accepts === 'regular files' && !(await file.stat()).isFile())
        throw new UsageError(`cannot read ${path}: it is not a regular file`)
      return await gather(file.createReadStream({ end: mostBytes - 1, autoClose: false }), mostBytes)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw error instanceof UsageError ? error : unreadable(path, error)
  }
}

/** An input that is not there (closed, or a folder) looks like an empty one; neither is anything to judge. */
async function standardInput(mostBytes = MOST_BYTES): Promise<Uint8Array> {
  const bytes = await gather(process.stdin, mostBytes).catch((error) => {
    throw unreadable('standard input', error)
  })
  if (bytes.length === 0) throw new UsageError('standard input is empty')
  return bytes
}

async function gather(stream: AsyncIterable<unknown>, mostBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Uint8Array)
    chunks.push(bytes)
    size += bytes.length
    if (size >= mostBytes) break
  }
  return new Uint8Array(Buffer.concat(chunks).subarray(0, mostBytes))
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** A file, the files of a folder (not of folders within it, not hidden ones), or `-` for standard input. */
export async function readFiles(path: string): Promise<CollateralFile[]> {
  if (path === '-') return [{ name: 'stdin', bytes: await standardInput() }]
  if (!(await isFolder(path))) return [{ name: basename(path), bytes: await bytesOf(path) }]
  return filesIn(path, await visibleEntries(path), (file) => basename(file))
}

/** Collateral folders are read whole, folders within them too. */
export async function readTree(path: string): Promise<CollateralFile[]> {
  if (!(await isFolder(path))) return readFiles(path)
  return filesIn(path, await entriesBelow(path), (file) => file)
}

/** Symbolic links are followed: mounted secrets and configuration consist of them. */
async function filesIn(
  folder: string,
  paths: readonly string[],
  nameOf: (path: string) => string,
): Promise<CollateralFile[]> {
  const files: CollateralFile[] = []
  let total = 0
  for (const path of paths) {
    if (await isFolder(path)) continue
    const bytes = await bytesOf(path, 'regular files')
    total += bytes.length
    if (total > MOST_FOLDER_BYTES) throw new UsageError(`${folder} holds more than ${MOST_FOLDER_BYTES} bytes`)
    files.push({ name: nameOf(path), bytes })
  }
  // An empty folder is a mistyped one, or one that nobody filled: saying nothing would look like "nothing to check".
  if (files.length === 0) throw new UsageError(`${folder} holds no files`)
  return files
}

async function visibleEntries(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder)
    return names
      .filter((name) => !name.startsWith('.'))
      .sort()
      .map((name) => join(folder, name))
  } catch (error) {
    throw unreadable(folder, error)
  }
}

/** Folders that are links are not entered, so that no tree is without end. */
async function entriesBelow(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true, recursive: true })
    return entries
      .filter((e) => !e.isDirectory() && !e.name.startsWith('.'))
      .map((e) => join(e.parentPath, e.name))
      .sort()
  } catch (error) {
    throw unreadable(folder, error)
  }
}

/** One file of the operator's, or `-` for standard input; of what is longer, so much. */
export const readBytes = (path: string, mostBytes = MOST_BYTES): Promise<Uint8Array> =>
  path === '-' ? standardInput(mostBytes) : bytesOf(path, 'anything', mostBytes)

/** A text file of the operator's: strict UTF-8. */
export async function readText(path: string): Promise<string> {
  const text = fromUtf8(await readBytes(path), path)
  if (!text.ok) throw new UsageError(`${path} is not UTF-8 text without a byte order mark`)
  return text.value
}
