import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import {
  chmod,
  copyFile,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  stat,
  unlink,
} from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { toHex } from '../core/encodings.ts'
import { LIMITS } from '../core/limits.ts'
import { attempt, attemptAsync, type Outcome, refuse, take } from '../core/outcome.ts'

/** Names of unfinished files begin with a dot and end so. The number is of the process that writes them. */
const UNFINISHED = /^\.(.+)\.([0-9]+)-[0-9a-f]{12}\.vouchsafe-unfinished$/

const unfinishedName = (path: string): string =>
  join(dirname(path), `.${basename(path)}.${process.pid}-${toHex(randomBytes(6))}.vouchsafe-unfinished`)

/** Waits until the entries of a folder are on disk, so that a rename outlives a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Writes a file so that at every moment its name means what was there before or what `write` made, whole and on disk: under a
 * temporary name in the same folder first. When `write` throws, nothing is left of it.
 * @param mode permissions of the new file
 * @param copyOf a file that the new one begins as a copy of, sharing its blocks where the file system can
 */
export async function replaceFile<T>(
  path: string,
  { mode, copyOf }: { readonly mode: number; readonly copyOf?: string },
  write: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const temporary = unfinishedName(path)
  try {
    if (copyOf !== undefined) {
      await copyFile(copyOf, temporary, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
      await chmod(temporary, mode | 0o200)
    }
    const made = copyOf === undefined ? constants.O_CREAT | constants.O_EXCL : 0
    const file = await open(temporary, constants.O_RDWR | made, mode)
    const result = await write(file).finally(() => file.sync().finally(() => file.close()))
    await rename(temporary, path)
    await syncFolder(dirname(path))
    return result
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    throw error
  }
}

/** Writes a file that must not be there yet, as `replaceFile` does. @throws EEXIST */
export async function createFile(path: string, mode: number, bytes: Uint8Array): Promise<void> {
  const temporary = unfinishedName(path)
  const file = await open(temporary, 'wx', mode)
  try {
    await file.writeFile(bytes).finally(() => file.sync().finally(() => file.close()))
    await link(temporary, path)
    await syncFolder(dirname(path))
  } finally {
    await unlink(temporary).catch(() => undefined)
  }
}

/** Removes what runs left behind in a folder that were killed: the unfinished files of processes that are no more. */
export async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = UNFINISHED.exec(name)?.[2]
    if (pid !== undefined && !isRunning(Number(pid))) await unlink(join(folder, name)).catch(() => undefined)
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: it runs, as somebody else.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** A file of a model: its path in the folder, with `/`, and where its bytes really are. */
export interface Found {
  readonly path: string
  readonly real: string
}

/**
 * All files below a folder, in order of their paths. Links to files within it are followed.
 * @param root real path of the folder
 * @returns the files, or WEIGHTS_LINK_OUTSIDE · WEIGHTS_FILE_KIND · WEIGHTS_FOLDER_EMPTY · WEIGHTS_FOLDER_TOO_LARGE ·
 * WEIGHTS_PATH_UNSAFE
 */
export const filesBelow = (root: string): Promise<Outcome<readonly Found[]>> =>
  attemptAsync(async () => {
    const found: Found[] = []
    const look = async (folder: string): Promise<void> => {
      for (const entry of await readdir(folder, { withFileTypes: true })) {
        if (UNFINISHED.test(entry.name)) continue
        const full = join(folder, entry.name)
        const path = relative(root, full).split(sep).join('/')
        if (entry.isDirectory()) {
          await look(full)
          continue
        }
        take(safePath(path))
        if (!entry.isFile() && !entry.isSymbolicLink()) refuse('WEIGHTS_FILE_KIND', path)
        found.push({ path, real: take(await fileWithin(root, path)) })
        if (found.length > LIMITS.modelFiles)
          refuse('WEIGHTS_FOLDER_TOO_LARGE', root, { expected: `at most ${LIMITS.modelFiles} files` })
      }
    }
    await look(root)
    if (found.length === 0) refuse('WEIGHTS_FOLDER_EMPTY', root)
    return found.sort((a, b) => (a.path < b.path ? -1 : 1))
  })

/** A path that means one file below a folder, and the same one everywhere. @returns it, or WEIGHTS_PATH_UNSAFE */
export const safePath = (path: string): Outcome<string> =>
  attempt(() => {
    const isUnsafe = path.split('/').some((part) => part === '' || part === '.' || part === '..')
    if (isUnsafe || /[\\\u0000-\u001f\u007f]/.test(path) || !path.isWellFormed()) refuse('WEIGHTS_PATH_UNSAFE', path)
    return path
  })

export const isWithin = (root: string, real: string): boolean =>
  real === root || real.startsWith(root.endsWith(sep) ? root : root + sep)

/**
 * Where a file of the folder really is.
 * @returns its real path, or WEIGHTS_FILE_MISSING · WEIGHTS_LINK_OUTSIDE · WEIGHTS_FILE_KIND
 */
export const fileWithin = (root: string, path: string): Promise<Outcome<string>> =>
  attemptAsync(async () => {
    const real = await existing(realpath(join(root, path)))
    if (real === undefined) return refuse('WEIGHTS_FILE_MISSING', path)
    if (!isWithin(root, real)) return refuse('WEIGHTS_LINK_OUTSIDE', path, { actual: real })
    if (!(await stat(real)).isFile()) return refuse('WEIGHTS_FILE_KIND', path)
    return real
  })

/** The value, or undefined for a path that leads nowhere. */
export async function existing<T>(value: Promise<T>): Promise<T | undefined> {
  try {
    return await value
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** Opens a file that `fileWithin` found, unless a link took its place since. */
export async function reading<T>(real: string, read: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(real, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
  try {
    return await read(file)
  } finally {
    await file.close()
  }
}

/**
 * Where a file of the output is to be, its folders made. A link in the output folder must not lead the model elsewhere.
 * @param root real path of the output folder
 * @returns the path, or WEIGHTS_LINK_OUTSIDE
 */
export const placeWithin = (root: string, path: string, folderMode: number): Promise<Outcome<string>> =>
  attemptAsync(async () => {
    const place = join(root, path)
    let folder = root
    for (const part of path.split('/').slice(0, -1)) {
      folder = join(folder, part)
      await mkdir(folder, { recursive: true, mode: folderMode })
      if (!isWithin(root, await realpath(folder))) refuse('WEIGHTS_LINK_OUTSIDE', path, { actual: folder })
    }
    return place
  })

/** Where a path leads, or would lead once it is made. */
export async function realPlace(path: string): Promise<string> {
  const absolute = resolve(path)
  const real = await existing(realpath(absolute))
  if (real !== undefined || dirname(absolute) === absolute) return real ?? absolute
  return join(await realPlace(dirname(absolute)), basename(absolute))
}
