import { randomBytes } from 'node:crypto'
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { JsonObject } from '../core/json.ts'
import { attemptAsync, type Outcome, refuse, take } from '../core/outcome.ts'
import { removeUnfinished, replaceFile } from '../files/whole-file.ts'
import { wrapKey } from './aead.ts'
import { digestOf, digestOfFile } from './digest.ts'
import { type Found, fileWithin, placeWithin, reading } from './files.ts'
import { checkModelKey, type ModelKey, namesOf } from './keys.ts'
import { decodeManifestFile, encodeManifest, fileJson, MANIFEST_NAME, type ManifestFile } from './manifest.ts'
import { readModelFile } from './model-file.ts'
import { PROGRESS_NAME, Progress } from './progress.ts'
import { checkSource, counter, isSafetensors, type ModelProgress, outputFor, sourceAt } from './source.ts'
import { STREAM_KEY_BYTES, sealStream } from './stream.ts'
import { authenticateSealing, requireSigning, sealTensors, type Work } from './tensors.ts'
import { checkTerms, type ReleaseTerms } from './terms.ts'
import { Workers } from './workers.ts'

export interface SealOptions {
  /** a safetensors file, any other file, or the folder of a model */
  readonly input: string
  /** the folder that gets the sealed files; made if it is not there, and never the input */
  readonly output: string
  /** with its private signing key */
  readonly key: ModelKey
  /** `sha256:…` of the policy that the key is released under, for whoever reads the sealed model */
  readonly policyDigest?: string
  /** https URL of the broker that releases the key, for the same */
  readonly brokerUrl?: string
  readonly onProgress?: (progress: ModelProgress) => void
}

export interface SealedModel {
  readonly files: readonly ManifestFile[]
  /** paths of files that an earlier run had finished */
  readonly resumed: readonly string[]
}

const SEALED_MODE = 0o644
const FOLDER_MODE = 0o755

/**
 * Seals a model: safetensors files as CryptoTensors, every other file as a Tink stream under its name and `.tink`, and a signed
 * manifest of all of them. One safetensors file by itself needs no manifest, and gets none. Nothing is written before every header
 * has been read; each file appears under its name only when it is whole and on disk. Run again after an interruption, files that
 * were finished, and whose source is the same, are left as they are.
 * @returns the files, or WEIGHTS_SIGNING_KEY_MISSING · WEIGHTS_ALREADY_SEALED · WEIGHTS_OUTPUT_IS_INPUT · what `sourceAt`,
 * `checkSource` and `sealTensors` return
 * @throws what the file system throws; TypeError for a key or terms that are none
 */
export const sealModel = (options: SealOptions): Promise<Outcome<SealedModel>> =>
  attemptAsync(async () => {
    const { key } = options
    checkModelKey(key, 'sealModel: key')
    const terms = { policyDigest: options.policyDigest, brokerUrl: options.brokerUrl }
    checkTerms(terms)
    requireSigning(key)
    const source = take(await sourceAt(options.input))
    const taken = source.files.find(({ path }) => path === MANIFEST_NAME || path === PROGRESS_NAME)
    if (taken !== undefined) refuse('WEIGHTS_ALREADY_SEALED', taken.path)
    const output = take(await outputFor(source, options.output))
    const count = counter(take(await checkSource(source)), options.onProgress)
    await mkdir(output, { recursive: true, mode: FOLDER_MODE })
    await removeUnfinished(output)
    const progress = await Progress.of(output, key, `seal ${JSON.stringify([namesOf(key), terms])}`)
    const workers = new Workers()
    const files: ManifestFile[] = []
    const resumed: string[] = []
    try {
      for (const found of source.files) {
        const finished = await finishedBefore(progress.get(found.path), found, output, key)
        if (finished !== undefined) resumed.push(found.path)
        const work = { key, workers, onBytes: count.bytes(found.path) }
        files.push(finished ?? (await sealFile(found, output, work, terms, progress)))
        count.file(found.path, (await stat(found.real)).size)
      }
    } finally {
      await workers.close()
    }
    if (source.isFolder || files.some(({ format }) => format !== 'cryptotensors'))
      await replaceFile(join(output, MANIFEST_NAME), { mode: SEALED_MODE }, (file) =>
        file.writeFile(encodeManifest({ names: namesOf(key), terms, files }, key)),
      )
    await progress.remove()
    return { files, resumed }
  })

/** What a source was when it was sealed; it is sealed anew if anything of this has changed. */
async function stateOf(real: string): Promise<string> {
  const { size, mtimeNs, ctimeNs, ino } = await stat(real, { bigint: true })
  return [real, size, mtimeNs, ctimeNs, ino].join(' ')
}

/** The entry of a file that was sealed before and is still there, proved as far as its digest goes. */
async function finishedBefore(
  entry: JsonObject | undefined,
  { path, real }: Found,
  output: string,
  key: ModelKey,
): Promise<ManifestFile | undefined> {
  if (entry === undefined || entry.source !== (await stateOf(real))) return undefined
  const decoded = decodeManifestFile(entry.file, path)
  if (!decoded.ok) return undefined
  const { name, sizeBytes, digest, format } = decoded.value
  const place = await fileWithin(output, name)
  if (!place.ok) return undefined
  const isSame = await reading(place.value, async (file) => {
    if ((await file.stat()).size !== sizeBytes) return false
    if (format !== 'cryptotensors') return (await digestOfFile(file)) === digest
    const model = await readModelFile(file, name)
    return model.ok && digestOf(model.value.head) === digest && authenticateSealing(model.value, key, 'refuse', name).ok
  })
  return isSame ? decoded.value : undefined
}

async function sealFile(
  { path, real }: Found,
  output: string,
  work: Work,
  terms: ReleaseTerms,
  progress: Progress,
): Promise<ManifestFile> {
  const source = await stateOf(real)
  const name = isSafetensors(path) ? path : `${path}.tink`
  const place = take(await placeWithin(output, name, FOLDER_MODE))
  const file = await reading(real, (plain) =>
    replaceFile(place, { mode: SEALED_MODE }, async (target): Promise<ManifestFile> => {
      if (isSafetensors(path)) {
        const model = take(await readModelFile(plain, path))
        const digest = take(await sealTensors(plain, model, target, work, terms, path))
        return { path, name, sizeBytes: (await target.stat()).size, digest, format: 'cryptotensors' }
      }
      const dataKey = new Uint8Array(randomBytes(STREAM_KEY_BYTES))
      take(await sealStream(plain, target, dataKey, path, work))
      const [{ size: sizeBytes }, digest] = [await target.stat(), await digestOfFile(target)]
      const wrapped = wrapKey(work.key.encryption, dataKey)
      return { path, name, sizeBytes, digest, format: 'tink-aes-gcm-hkdf-1mb', key: wrapped }
    }),
  )
  await progress.record(path, { source, file: fileJson(file) })
  return file
}
