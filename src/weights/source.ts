import { realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fromUtf8 } from '../core/encodings.ts'
import { isJsonObject, parseJson } from '../core/json.ts'
import { LIMITS } from '../core/limits.ts'
import { attemptAsync, type Outcome, refuse, take } from '../core/outcome.ts'
import { type Found, filesBelow, isWithin, reading, realPlace } from './files.ts'
import { parseModelKey } from './keys.ts'
import { readModelFile } from './model-file.ts'

/** Told while files are worked on. */
export interface ModelProgress {
  readonly path: string
  readonly bytesDone: number
  readonly bytesTotal: number
}

/** What somebody named as a model: a folder, or one file. */
export interface Source {
  /** real path of the folder, or of the folder that the file is in */
  readonly root: string
  readonly isFolder: boolean
  readonly files: readonly Found[]
}

/** @returns the files, or what `filesBelow` returns · WEIGHTS_FILE_KIND. @throws where the path leads nowhere */
export const sourceAt = (input: string): Promise<Outcome<Source>> =>
  attemptAsync(async () => {
    const real = await realpath(input)
    const found = await stat(real)
    if (found.isDirectory()) return { root: real, isFolder: true, files: take(await filesBelow(real)) }
    if (!found.isFile()) refuse('WEIGHTS_FILE_KIND', input)
    return { root: dirname(real), isFolder: false, files: [{ path: basename(input), real }] }
  })

/**
 * Where the output goes, not made yet.
 * @returns its real path, or WEIGHTS_OUTPUT_IS_INPUT
 */
export const outputFor = (source: Source, output: string): Promise<Outcome<string>> =>
  attemptAsync(async () => {
    const root = await realPlace(output)
    const overlaps = source.isFolder
      ? isWithin(source.root, root) || isWithin(root, source.root)
      : source.files.some(({ path, real }) => join(root, path) === real)
    if (overlaps) refuse('WEIGHTS_OUTPUT_IS_INPUT', output)
    return root
  })

export const isSafetensors = (path: string): boolean => path.endsWith('.safetensors')

const INDEX = '.safetensors.index.json'

/**
 * Reads every header of a model before anything is written, and holds them to the model's index where it has one. A key file among
 * them would reach whoever the model is opened for.
 * @returns the bytes of all files together, or WEIGHTS_INDEX_MISMATCH · WEIGHTS_KEY_IN_MODEL · what `readModelFile` returns
 */
export const checkSource = ({ isFolder, files }: Source): Promise<Outcome<number>> =>
  attemptAsync(async () => {
    const indexes = files.filter(({ path }) => isFolder && path.endsWith(INDEX))
    const tensors = new Map<string, ReadonlySet<string>>()
    let total = 0
    for (const { path, real } of files) {
      const { size } = await stat(real)
      total += size
      if (!isSafetensors(path)) {
        if (size <= LIMITS.keyFileBytes && parseModelKey(await reading(real, (file) => file.readFile())).ok)
          refuse('WEIGHTS_KEY_IN_MODEL', path)
        continue
      }
      const { header } = take(await reading(real, (file) => readModelFile(file, path)))
      if (indexes.length > 0) tensors.set(path, new Set(header.tensors.map(({ name }) => name)))
    }
    for (const { path, real } of indexes) await checkIndex(path, real, tensors)
    return total
  })

/** Every tensor must be in the file that the index gives it: what is missing was not downloaded. */
async function checkIndex(path: string, real: string, files: ReadonlyMap<string, ReadonlySet<string>>): Promise<void> {
  const bytes = await reading(real, async (file) => {
    const { size } = await file.stat()
    if (size > LIMITS.modelHeaderBytes) refuse('WEIGHTS_INDEX_MISMATCH', path, { actual: `${size} bytes` })
    return file.readFile()
  })
  const index = take(parseJson(take(fromUtf8(bytes, path)), path, 'any', LIMITS.modelHeaderValues))
  const map = isJsonObject(index) ? index.weight_map : undefined
  if (!isJsonObject(map)) return refuse('WEIGHTS_INDEX_MISMATCH', `${path}/weight_map`, { expected: 'an object' })
  for (const [tensor, shard] of Object.entries(map)) {
    const file = typeof shard === 'string' ? join(dirname(path), shard) : refuse('WEIGHTS_INDEX_MISMATCH', path)
    const tensors = files.get(file) ?? refuse('WEIGHTS_INDEX_MISMATCH', path, { expected: `the file ${file}` })
    if (!tensors.has(tensor)) refuse('WEIGHTS_INDEX_MISMATCH', path, { expected: `${tensor} in ${file}` })
  }
}

/** Adds up what is done, for whoever watches. */
export function counter(bytesTotal: number, onProgress: ((progress: ModelProgress) => void) | undefined) {
  let [bytesDone, bytesOfFiles] = [0, 0]
  const report = (path: string): void => onProgress?.({ path, bytesDone, bytesTotal })
  return {
    /** some bytes of that file */
    bytes: (path: string) => (bytes: number) => {
      bytesDone += bytes
      report(path)
    },
    /** all of that file, with its header and tags */
    file: (path: string, sizeBytes: number) => {
      bytesOfFiles += sizeBytes
      bytesDone = bytesOfFiles
      report(path)
    },
  }
}
