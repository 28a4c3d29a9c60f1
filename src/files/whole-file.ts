import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { chmod, copyFile, type FileHandle, link, open, readdir, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { toHex } from '../core/encodings.ts'

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

/** Whether a name is that of a file which a run has not finished, or never will. */
export const isUnfinished = (name: string): boolean => UNFINISHED.test(name)
