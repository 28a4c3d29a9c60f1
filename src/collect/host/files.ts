import { access, readdir, readFile, readlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { systemCodeOf } from '../system-error.ts'

/** Files of the kernel and the system below one root. What is not there, or not readable, is undefined: most of it is optional. */
export class HostFiles {
  readonly root: string
  constructor(root: string) {
    this.root = root
  }

  /** @param path absolute, as on the machine itself */
  async text(path: string): Promise<string | undefined> {
    return orUndefined(async () => (await readFile(join(this.root, path), 'utf8')).trim())
  }

  async isThere(path: string): Promise<boolean> {
    return (await orUndefined(async () => access(join(this.root, path)).then(() => true))) === true
  }

  /** Names in a folder; none where it is not there. */
  async names(path: string): Promise<readonly string[]> {
    return (await orUndefined(async () => (await readdir(join(this.root, path))).sort())) ?? []
  }

  /** Last part of what a link points to, e.g. the driver of a device. */
  async linkName(path: string): Promise<string | undefined> {
    return orUndefined(async () => basename(await readlink(join(this.root, path))))
  }
}

async function orUndefined<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    systemCodeOf(error)
    return undefined
  }
}
