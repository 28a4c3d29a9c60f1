import { open, rename, unlink } from 'node:fs/promises'
import { UsageError } from '../input.ts'

/** Writes a file so that a reader sees the old one or the new one and never a part of it. */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o644)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await unlink(temporary).catch(() => undefined)
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'error'
    throw new UsageError(`cannot write ${path}: ${code}`)
  }
}
