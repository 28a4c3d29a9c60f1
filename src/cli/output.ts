import { replaceFile } from '../files/whole-file.ts'
import { UsageError } from './input.ts'

/**
 * Writes a file for everybody to read, whole or not at all.
 * @throws UsageError where it cannot be written
 */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  try {
    await replaceFile(path, { mode: 0o644 }, (file) => file.writeFile(content))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'error'
    throw new UsageError(`cannot write ${path}: ${code}`)
  }
}
