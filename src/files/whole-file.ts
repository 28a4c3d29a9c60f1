import { randomBytes } from 'node:crypto'
import { constants, readFileSync, unlinkSync } from 'node:fs'
import { chmod, copyFile, type FileHandle, link, open, readdir, rename, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { toHex } from '../core/encodings.ts'

/** Names of unfinished files begin with a dot and end so. The numbers are of the process that writes them, and of its start. */
const UNFINISHED = /^\.(.+)\.([0-9]+)-(?:([0-9]+)-)?[0-9a-f]{12}\.vouchsafe-unfinished$/

/** Of this process, as it named them. */
const underWay = new Set<string>()

/** When this process began; read once, since every release writes a file. */
let ownStart: string | undefined

function unfinishedName(path: string): string {
  ownStart ??= startOf(process.pid)
  const writer = [process.pid, ownStart, toHex(randomBytes(6))].filter((part) => part !== undefined).join('-')
  const name = join(dirname(path), `.${basename(path)}.${writer}.vouchsafe-unfinished`)
  underWay.add(name)
  return name
}

/** When a process began, in ticks since the machine did: containers number their processes alike. Undefined where nobody says. */
function startOf(pid: number): string | undefined {
  try {
    // The name of the program comes before, in brackets, and may have anything in it.
    const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return fields.slice(fields.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

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
  } finally {
    underWay.delete(temporary)
  }
}

/** Writes a file that must not be there yet, as `replaceFile` does. @throws EEXIST */
export async function createFile(path: string, mode: number, bytes: Uint8Array): Promise<void> {
  const temporary = unfinishedName(path)
  try {
    const file = await open(temporary, 'wx', mode)
    await file.writeFile(bytes).finally(() => file.sync().finally(() => file.close()))
    await link(temporary, path)
    await syncFolder(dirname(path))
  } finally {
    await unlink(temporary).catch(() => undefined)
    underWay.delete(temporary)
  }
}

/**
 * Removes what runs left behind in a folder that were killed: the unfinished files of processes that are no more.
 * @param of name of the only file that is looked for; undefined for all
 */
export async function removeUnfinished(folder: string, of?: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, target, pid, start] = UNFINISHED.exec(name) ?? []
    if (pid === undefined || (of !== undefined && target !== of)) continue
    // A number that is ours now may have been another's, who had it in a container that is no more.
    const isAlive = Number(pid) === process.pid ? isUnderWay(name) : isRunning(Number(pid), start)
    if (!isAlive) await unlink(join(folder, name)).catch(() => undefined)
  }
}

/** However its folder is spelled: no other file has this name. */
const isUnderWay = (name: string): boolean => [...underWay].some((path) => basename(path) === name)

/** For a process that was told to end: nothing that it did not finish stays. @returns how many files that were */
export function discardUnfinished(): number {
  let count = 0
  for (const name of underWay) {
    try {
      unlinkSync(name)
      count++
    } catch {
      // It was not made yet, or has its own name already.
    }
  }
  return count
}

function isRunning(pid: number, start: string | undefined): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it runs, as somebody else.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const began = startOf(pid)
  return start === undefined || began === undefined || began === start
}

/** Whether a name is that of a file which a run has not finished, or never will. */
export const isUnfinished = (name: string): boolean => UNFINISHED.test(name)
