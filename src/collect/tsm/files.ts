import { constants } from 'node:fs'
import { mkdir, open, readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The folder `tsm/report` of configfs. Making an entry in it asks the kernel for a report instance; its attributes are
 * files. Every call fails as the system calls do, with an error that has `code`.
 */
export interface TsmFiles {
  makeEntry(name: string): Promise<void>
  readAttribute(name: string, attribute: string): Promise<Uint8Array>
  /** in one write, as configfs wants it */
  writeAttribute(name: string, attribute: string, value: Uint8Array): Promise<void>
  removeEntry(name: string): Promise<void>
}

/** @param folder `/sys/kernel/config/tsm/report` */
export const configfs = (folder: string): TsmFiles => ({
  makeEntry: async (name) => {
    await mkdir(join(folder, name))
  },
  readAttribute: async (name, attribute) => new Uint8Array(await readFile(join(folder, name, attribute))),
  writeAttribute: async (name, attribute, value) => {
    // Write-only attributes cannot be opened for reading, and nothing may be created beside them.
    const file = await open(join(folder, name, attribute), constants.O_WRONLY)
    try {
      await file.write(value)
    } finally {
      await file.close()
    }
  },
  removeEntry: (name) => rmdir(join(folder, name)),
})
