import { constants, open } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { createFile, removeUnfinished, replaceFile } from './whole-file.ts'

const MODE = 0o600
const OTHERS = 0o077
const MOST_BYTES = 1024 * 1024

/**
 * The bytes of a file that nobody but its owner may open.
 * @throws Error where it cannot be read, others may open it, or it has more than 1 MiB; the message names no content
 */
export async function readPrivateFile(path: string): Promise<Uint8Array> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const { mode, size } = await file.stat()
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) throw new Error(`${path} is not a regular file`)
    if ((mode & OTHERS) !== 0) throw new Error(`${path} may be opened by others: its mode must be 0600`)
    if (size > MOST_BYTES) throw new Error(`${path} has more than ${MOST_BYTES} bytes`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

/** Replaces the file as a whole, or leaves it as it was: after a crash it has the old bytes or the new ones. Durable when it resolves. */
export const replacePrivateFile = (path: string, bytes: Uint8Array): Promise<void> =>
  replaceFile(path, { mode: MODE }, (file) => file.writeFile(bytes))

/** Removes what processes that were killed while they wrote it left of it, which is as secret. */
export const removeUnfinishedPrivate = (path: string): Promise<void> => removeUnfinished(dirname(path), basename(path))

/**
 * Makes the file, as a whole or not at all. Durable when it resolves.
 * @throws Error where there is one of this name: it is never overwritten
 */
export const createPrivateFile = (path: string, bytes: Uint8Array): Promise<void> => createFile(path, MODE, bytes)
