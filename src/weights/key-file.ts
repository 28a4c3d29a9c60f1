import { open } from 'node:fs/promises'
import { utf8 } from '../core/bytes.ts'
import { LIMITS } from '../core/limits.ts'
import { attemptAsync, type Outcome, refuse, take } from '../core/outcome.ts'
import { createPrivateFile } from '../files/private-file.ts'
import { type ModelKey, modelKeyFile, parseModelKey } from './keys.ts'

const OTHERS = 0o077

/**
 * Reads a key file that nobody but its owner can read or write.
 * @returns the keys, or WEIGHTS_KEY_FILE_EXPOSED · WEIGHTS_KEY_FILE_INVALID · what `parseModelKey` returns
 * @throws what the file system throws
 */
export const readKeyFile = (path: string): Promise<Outcome<ModelKey>> =>
  attemptAsync(async () => {
    const file = await open(path, 'r')
    try {
      const { mode, size } = await file.stat()
      // Windows has no such bits; access lists guard files there.
      if (process.platform !== 'win32' && (mode & OTHERS) !== 0)
        refuse('WEIGHTS_KEY_FILE_EXPOSED', path, { expected: 'mode 600', actual: `mode ${(mode & 0o777).toString(8)}` })
      if (size > LIMITS.keyFileBytes)
        refuse('WEIGHTS_KEY_FILE_INVALID', path, { expected: `at most ${LIMITS.keyFileBytes} bytes`, actual: size })
      return take(parseModelKey(await file.readFile()))
    } finally {
      await file.close()
    }
  })

/** Writes a key file that its owner alone can read. @throws EEXIST where there is one: it may be the only copy of a key */
export const writeKeyFile = (path: string, key: ModelKey): Promise<void> =>
  createPrivateFile(path, utf8(modelKeyFile(key)))
