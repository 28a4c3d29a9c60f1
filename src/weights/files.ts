import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import { LIMITS } from '../core/limits.ts'
import { attempt, attemptAsync, type Outcome, refuse, take } from '../core/outcome.ts'
import { isUnfinished } from '../files/whole-file.ts'

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
        if (isUnfinished(entry.name)) continue
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

/**
 * Opens a file that `fileWithin` found, unless a link took its place since. Ends the surrounding `attempt` with WEIGHTS_FILE_KIND
 * where something did that is no file: a pipe would never be opened, or read to its end.
 */
export async function reading<T>(real: string, read: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(real, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
  try {
    if (!(await file.stat()).isFile()) refuse('WEIGHTS_FILE_KIND', real)
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
