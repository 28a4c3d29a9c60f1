import { randomBytes } from 'node:crypto'
import { constants, link, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

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
export async function replacePrivateFile(path: string, bytes: Uint8Array): Promise<void> {
  await throughNewFile(path, bytes, (written) => rename(written, path))
}

/**
 * Makes the file, as a whole or not at all. Durable when it resolves.
 * @throws Error where there is one of this name: it is never overwritten
 */
export async function createPrivateFile(path: string, bytes: Uint8Array): Promise<void> {
  await throughNewFile(path, bytes, (written) => link(written, path))
}

async function throughNewFile(path: string, bytes: Uint8Array, name: (written: string) => Promise<void>) {
  const written = `${path}.${randomBytes(8).toString('hex')}`
  try {
    const file = await open(written, 'wx', MODE)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await name(written)
  } finally {
    await rm(written, { force: true })
  }
  await syncFolder(dirname(path))
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
