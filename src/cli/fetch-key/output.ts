import { close, fstat, write } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Outcome } from '../../core/outcome.ts'
import { ok } from '../../core/outcome.ts'
import { removeUnfinishedPrivate, replacePrivateFile } from '../../files/private-file.ts'
import { parseModelKey } from '../../weights/keys.ts'
import { UsageError } from '../input.ts'
import { messageOf } from '../keys/opened.ts'

export interface OutputOptions {
  readonly fd?: string
  readonly out?: string
  readonly weightsKey?: string
}

/** Where a key goes once it is here. */
export interface Output {
  /** @returns what is wrong with the key for this place; it throws UsageError where it cannot be written */
  write(key: Uint8Array): Promise<Outcome<void>>
}

/** Linux's names for file systems that live in memory: tmpfs and ramfs. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])

/**
 * The one place that was asked for, looked at before anything is asked of the service: a key that cannot be put down is a
 * release that was spent for nothing.
 * @param warn told where a file would lie on a disk
 * @throws UsageError
 */
export async function outputOf(options: OutputOptions, warn: (text: string) => void): Promise<Output> {
  const { fd, out, weightsKey } = options
  if ([fd, out, weightsKey].filter((one) => one !== undefined).length !== 1)
    throw new UsageError('exactly one of --fd, --out and --weights-key says where the key goes')
  if (fd !== undefined) return descriptor(fd)
  if (out !== undefined) return file(out, warn)
  const inner = await file(weightsKey ?? '', warn)
  return {
    async write(key) {
      const read = parseModelKey(key)
      return read.ok ? inner.write(key) : read
    },
  }
}

async function descriptor(text: string): Promise<Output> {
  const fd = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (!(fd > 2)) throw new UsageError('--fd takes the number of an open descriptor from 3 on; 0 to 2 are logged')
  await promisify(fstat)(fd).catch(() => {
    throw new UsageError(`--fd ${fd}: there is no such open descriptor`)
  })
  return {
    async write(key) {
      try {
        for (let at = 0; at < key.length; ) at += (await promisify(write)(fd, key, at)).bytesWritten
        await promisify(close)(fd)
      } catch (error) {
        throw new UsageError(`--fd ${fd}: ${messageOf(error)}`)
      }
      return ok(undefined)
    },
  }
}

async function file(path: string, warn: (text: string) => void): Promise<Output> {
  const folder = dirname(resolve(path))
  const { type } = await statfs(folder).catch((error: unknown) => {
    throw new UsageError(`${folder}: ${messageOf(error)}`)
  })
  if (!IN_MEMORY.has(type))
    warn(`${path} is no file in memory: the key stays readable on that disk after this machine is gone`)
  return {
    async write(key) {
      try {
        await replacePrivateFile(path, key)
        await removeUnfinishedPrivate(path)
      } catch (error) {
        throw new UsageError(`${path}: ${messageOf(error)}`)
      }
      return ok(undefined)
    },
  }
}
