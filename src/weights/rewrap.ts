import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { equalBytes } from '../core/bytes.ts'
import { attemptAsync, type Outcome, refuse, take } from '../core/outcome.ts'
import { removeUnfinished, replaceFile } from '../files/whole-file.ts'
import { unwrapKey, wrapKey } from './aead.ts'
import { CHUNK_BYTES } from './chunks.ts'
import { digestOf } from './digest.ts'
import { reading } from './files.ts'
import { checkModelKey, type ModelKey, namesOf } from './keys.ts'
import { authenticateManifest, decodeManifest, encodeManifest, MANIFEST_NAME, type ManifestFile } from './manifest.ts'
import { fill, type ModelFile, readModelFile } from './model-file.ts'
import { Progress } from './progress.ts'
import { manifestIn, presentIn } from './sealed.ts'
import { type Source, sourceAt } from './source.ts'
import type { Task } from './tasks.ts'
import { requireSameAead, requireSigning, rewrappedHead } from './tensors.ts'
import { Workers } from './workers.ts'

export interface RewrapOptions {
  /** the folder that a model was sealed into, or one CryptoTensors file; replaced in place */
  readonly input: string
  /** the key that the model is under now */
  readonly from: ModelKey
  /** the key that it gets, with its private signing key */
  readonly to: ModelKey
}

export interface RewrappedModel {
  /** names of the files, in the folder */
  readonly files: readonly string[]
}

/**
 * Puts a model under another key: every data key is wrapped anew, headers and manifest are signed anew, tensors and other files
 * stay as they are. A model file is replaced by a copy of itself with another header, which costs the header alone where the file
 * system shares blocks between files, and the copying elsewhere: changing the header in place would leave neither the old
 * nor the new file if the machine stopped half-way. A folder that was interrupted is finished by running again with the same keys.
 * @returns the files, or WEIGHTS_SIGNING_KEY_MISSING · WEIGHTS_FOLDER_ONLY · WEIGHTS_DIGEST_MISMATCH · WEIGHTS_DATA_KEY_INVALID ·
 * what `manifestIn`, `authenticateManifest`, `readModelFile` and `rewrappedHead` return
 * @throws what the file system throws; TypeError for keys that are none
 */
export const rewrapModel = ({ input, from, to }: RewrapOptions): Promise<Outcome<RewrappedModel>> =>
  attemptAsync(async () => {
    checkModelKey(from, 'rewrapModel: from')
    checkModelKey(to, 'rewrapModel: to')
    requireSigning(to)
    const source = take(await sourceAt(input))
    const workers = new Workers()
    try {
      await removeUnfinished(source.root)
      return {
        files: source.isFolder ? await folder(source, from, to, workers) : await alone(source, from, to, workers),
      }
    } finally {
      await workers.close()
    }
  })

async function alone(
  { root, files }: Source,
  from: ModelKey,
  to: ModelKey,
  workers: Workers,
): Promise<readonly string[]> {
  const [found] = files
  if (found === undefined) throw new TypeError('a file was found and is not there')
  if (await isListed(root, found.real)) refuse('WEIGHTS_FOLDER_ONLY', found.path)
  const model = take(await reading(found.real, (file) => readModelFile(file, found.path)))
  await replaceHead(found.real, model, take(rewrappedHead(model, from, to, found.path)), workers)
  return [found.path]
}

/** Whether the folder's manifest has that file. Who wrote the manifest does not matter: it asks for more care, never for less. */
async function isListed(root: string, real: string): Promise<boolean> {
  const bytes = await manifestIn(root)
  const manifest = bytes.ok ? decodeManifest(bytes.value) : bytes
  return manifest.ok && manifest.value.manifest.files.some(({ name }) => join(root, name) === real)
}

async function folder({ root }: Source, from: ModelKey, to: ModelKey, workers: Workers): Promise<readonly string[]> {
  const bytes = take(await manifestIn(root))
  const manifest = authenticateManifest(bytes, from)
  if (!manifest.ok) {
    // The manifest is the last to change: under the new key, an earlier run did all there is to do.
    const changed = authenticateManifest(bytes, to)
    if (!changed.ok) return take<never>(manifest)
    return changed.value.files.map(({ name }) => name)
  }
  requireSameAead(from, to)
  const progress = await Progress.of(root, to, `rewrap ${digestOf(bytes)}`)
  const files: ManifestFile[] = []
  for (const file of manifest.value.files) {
    if (file.format === 'cryptotensors') {
      files.push(await rewrapListed(root, file, from, to, progress, workers))
      continue
    }
    const dataKey = unwrapKey(from.encryption, file.key) ?? refuse('WEIGHTS_DATA_KEY_INVALID', file.path)
    files.push({ ...file, key: wrapKey(to.encryption, dataKey) })
  }
  const { terms } = manifest.value
  await replaceFile(join(root, MANIFEST_NAME), { mode: 0o644 }, (target) =>
    target.writeFile(encodeManifest({ names: namesOf(to), terms, files }, to)),
  )
  await progress.remove()
  return files.map(({ name }) => name)
}

async function rewrapListed(
  root: string,
  file: ManifestFile,
  from: ModelKey,
  to: ModelKey,
  progress: Progress,
  workers: Workers,
): Promise<ManifestFile> {
  const { real, sizeBytes, headDigest } = take(await presentIn(root, file))
  const before = progress.get(file.path)
  // Recorded before it was put in place, so that a file that is neither the old one nor that one is somebody else's.
  if (before !== undefined && before.digest === headDigest) return { ...file, sizeBytes, digest: headDigest ?? '' }
  if (headDigest !== file.digest)
    return refuse('WEIGHTS_DIGEST_MISMATCH', file.name, { expected: file.digest, actual: headDigest ?? '' })
  const model = take(await reading(real, (handle) => readModelFile(handle, file.path)))
  const head = take(rewrappedHead(model, from, to, file.path))
  const digest = digestOf(head)
  await progress.record(file.path, { digest })
  await replaceHead(real, model, head, workers)
  return { ...file, sizeBytes: sizeBytes - model.head.length + head.length, digest }
}

/** Replaces a file by one with another beginning and the same tensors. Ends with WEIGHTS_DIGEST_MISMATCH where it is another file now. */
async function replaceHead(real: string, model: ModelFile, head: Uint8Array, workers: Workers): Promise<void> {
  await reading(real, async (source) => {
    const { mode: modes, size } = await source.stat()
    const mode = modes & 0o777
    if (head.length === model.head.length) {
      await replaceFile(real, { mode, copyOf: real }, async (target) => {
        // Copied by its path, where something else may lie by now: a link to another's file, or a folder of such.
        await requireSameHead(target, model, real)
        await target.write(head, 0, head.length, 0)
      })
      return
    }
    await requireSameHead(source, model, real)
    await replaceFile(real, { mode }, async (target) => {
      await target.write(head, 0, head.length, 0)
      await workers.run(
        { source: source.fd, target: target.fd },
        copies(model.head.length, head.length, size),
        (_, __, done) => {
          if (done !== 'done') refuse('WEIGHTS_FILE_TRUNCATED', real)
        },
      )
    })
  })
}

async function requireSameHead(file: FileHandle, { head }: ModelFile, path: string): Promise<void> {
  const found = new Uint8Array(head.length)
  if (!(await fill(file, found, 0)) || !equalBytes(found, head)) refuse('WEIGHTS_DIGEST_MISMATCH', path)
}

function* copies(from: number, to: number, size: number): Generator<Task> {
  for (let at = 0; from + at < size; at += CHUNK_BYTES)
    yield { mode: 'copy', from: from + at, to: to + at, bytes: Math.min(CHUNK_BYTES, size - from - at) }
}
