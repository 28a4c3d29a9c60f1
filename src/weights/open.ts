import { lstat, mkdir, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { toBase64 } from '../core/encodings.ts'
import { attemptAsync, type Outcome, refuse, take } from '../core/outcome.ts'
import { removeUnfinished, replaceFile } from '../files/whole-file.ts'
import { unwrapKey } from './aead.ts'
import { digestOf } from './digest.ts'
import { existing, isWithin, placeWithin, reading } from './files.ts'
import { checkModelKey, type ModelKey } from './keys.ts'
import { type LinkedFile, linkFiles } from './linked.ts'
import { authenticateManifest, type ManifestFile } from './manifest.ts'
import { type ModelFile, readModelFile } from './model-file.ts'
import { Progress } from './progress.ts'
import { listedIn, manifestIn, requireDigest } from './sealed.ts'
import { signatureOf } from './sealing.ts'
import { counter, type ModelProgress, outputFor, type Source, sourceAt } from './source.ts'
import { openStream } from './stream.ts'
import { authenticateSealing, openTensors, type PlainTensors, type Work } from './tensors.ts'
import { Workers } from './workers.ts'

export interface OpenOptions {
  /** the folder that a model was sealed into, or one CryptoTensors file */
  readonly input: string
  /** the folder that gets the opened files; made if it is not there, and never the input */
  readonly output: string
  /** what seals are opened and signatures verified with; it comes from the owner or from a release, never from the model */
  readonly key: ModelKey
  /** whether tensors are taken that their owner left in the clear */
  readonly plainTensors: PlainTensors
  /**
   * `open`, which is the default, or `link`: tensors stay sealed where they lie, and the output says where that is beside the other
   * files opened, for a reader that verifies each tensor as it loads it (`examples/sealed-weights`). Headers are verified either way.
   */
  readonly tensors?: 'open' | 'link'
  readonly onProgress?: (progress: ModelProgress) => void
}

export interface OpenedModel {
  /** paths of the opened files, in the output folder */
  readonly files: readonly string[]
  /** paths of the files that say where tensors are that stayed sealed */
  readonly linked: readonly string[]
  /** those of them that an earlier run had finished */
  readonly resumed: readonly string[]
}

/** Opened weights are for whoever opened them. */
const OPENED_MODE = 0o600
const FOLDER_MODE = 0o700

/**
 * Opens a sealed model. A folder must have its manifest, signed by the key's owner, and every file that the manifest names. All
 * signatures and headers are verified before anything is written, and each file appears under its name only when every byte of it
 * has been; run again after an interruption, finished files that nobody touched are left as they are.
 * @returns the files, or WEIGHTS_OUTPUT_IS_INPUT · what `manifestIn`, `authenticateManifest`, `listedIn`, `requireDigest`,
 * `openTensors` and `openStream` return
 * @throws TypeError for options of the wrong kind, and what the file system throws
 */
export const openModel = (options: OpenOptions): Promise<Outcome<OpenedModel>> =>
  attemptAsync(async () => {
    checkOptions(options)
    const { key, plainTensors, tensors = 'open' } = options
    const source = take(await sourceAt(options.input))
    const root = take(await outputFor(source, options.output))
    const { work: name, files: all } = source.isFolder ? await listed(source, key) : await alone(source)
    const links: LinkedFile[] = []
    for (const { real, file } of all) {
      if (file.format !== 'cryptotensors') continue
      const verified = await verifiedHeader(real, file, key, plainTensors)
      if (tensors === 'link') links.push({ path: file.path, real, ...verified })
    }
    const files = tensors === 'open' ? all : all.filter(({ file }) => file.format !== 'cryptotensors')
    const count = counter(
      files.reduce((sum, { file }) => sum + file.sizeBytes, 0),
      options.onProgress,
    )
    await mkdir(root, { recursive: true, mode: FOLDER_MODE })
    for (const folder of foldersOf(root, all)) {
      const real = await existing(realpath(folder))
      // A link that leads out of it is refused once a file is written there.
      if (real !== undefined && isWithin(root, real)) await removeUnfinished(real)
    }
    const progress = await Progress.of(root, key, name)
    const workers = new Workers()
    const resumed: string[] = []
    try {
      for (const { real, file } of files) {
        const place = take(await placeWithin(root, file.path, FOLDER_MODE))
        const entry = progress.get(file.path)
        if (entry !== undefined && entry.digest === file.digest && entry.opened === (await stateOf(place))) {
          resumed.push(file.path)
        } else {
          await openFile(real, file, place, plainTensors, { key, workers, onBytes: count.bytes(file.path) })
          await progress.record(file.path, { digest: file.digest, opened: (await stateOf(place)) ?? '' })
        }
        count.file(file.path, file.sizeBytes)
      }
      await linkFiles(root, links, FOLDER_MODE)
    } finally {
      await workers.close()
    }
    await progress.remove()
    return { files: files.map(({ file }) => file.path), linked: links.map(({ path }) => path), resumed }
  })

/** Those of the output that files of the model are in. */
const foldersOf = (root: string, files: readonly SealedFile[]): ReadonlySet<string> =>
  new Set([root, ...files.map(({ file }) => dirname(join(root, file.path)))])

const OPTIONS: ReadonlySet<string> = new Set(['input', 'output', 'key', 'plainTensors', 'tensors', 'onProgress'])

/** From JavaScript, a word that is mistyped must not open what was to stay sealed. @throws TypeError */
function checkOptions(options: OpenOptions): void {
  const { input, output, key, plainTensors, tensors } = options
  const unknown = Object.keys(options).find((name) => !OPTIONS.has(name))
  if (unknown !== undefined) throw new TypeError(`openModel: ${unknown} is no option`)
  for (const [name, value] of Object.entries({ input, output }))
    if (typeof value !== 'string' || value === '') throw new TypeError(`openModel: ${name} is a path`)
  if (plainTensors !== 'refuse' && plainTensors !== 'allow')
    throw new TypeError("openModel: plainTensors is 'refuse' or 'allow'")
  if (tensors !== undefined && tensors !== 'open' && tensors !== 'link')
    throw new TypeError("openModel: tensors is 'open' or 'link'")
  checkModelKey(key, 'openModel: key')
}

interface SealedFile {
  readonly real: string
  readonly file: ManifestFile
}

interface Sealed {
  /** which model this is, for the record of progress */
  readonly work: string
  readonly files: readonly SealedFile[]
}

async function listed({ root }: Source, key: ModelKey): Promise<Sealed> {
  const bytes = take(await manifestIn(root))
  const manifest = take(authenticateManifest(bytes, key))
  const files: SealedFile[] = []
  for (const file of manifest.files) files.push({ real: take(await listedIn(root, file)), file })
  return { work: `open ${digestOf(bytes)}`, files }
}

/** A file by itself is held to its own header, which the signature covers. */
async function alone({ files }: Source): Promise<Sealed> {
  const [found] = files
  if (found === undefined) throw new TypeError('a file was found and is not there')
  const { path, real } = found
  if (path.endsWith('.tink')) refuse('WEIGHTS_FOLDER_ONLY', path)
  const { head, sizeBytes } = await reading(real, async (file) => ({
    head: take(await readModelFile(file, path)).head,
    sizeBytes: (await file.stat()).size,
  }))
  const digest = digestOf(head)
  return {
    work: `open ${digest}`,
    files: [{ real, file: { path, name: path, sizeBytes, digest, format: 'cryptotensors' } }],
  }
}

/** @returns what a link says of the header */
async function verifiedHeader(
  real: string,
  file: ManifestFile,
  key: ModelKey,
  plainTensors: PlainTensors,
): Promise<Pick<LinkedFile, 'signature' | 'tensors'>> {
  const model = take(await reading(real, (handle) => readModelFile(handle, file.path)))
  take(authenticateSealing(model, key, plainTensors, file.path))
  requireHead(model, file)
  return { signature: toBase64(take(signatureOf(model.header, file.path))), tensors: model.header.tensors }
}

/** The header that the manifest tells of, and no other one that was sealed under the same key. */
function requireHead({ head }: ModelFile, { path, digest: expected }: ManifestFile): void {
  const actual = digestOf(head)
  if (actual !== expected) refuse('WEIGHTS_DIGEST_MISMATCH', path, { expected, actual })
}

/** The very file that was written, as the file system tells it; undefined where there is none, or a link. */
async function stateOf(place: string): Promise<string | undefined> {
  const found = await existing(lstat(place, { bigint: true }))
  return found === undefined || !found.isFile()
    ? undefined
    : [found.size, found.mtimeNs, found.ctimeNs, found.ino].join(' ')
}

async function openFile(
  real: string,
  file: ManifestFile,
  place: string,
  plainTensors: PlainTensors,
  work: Work,
): Promise<void> {
  const { path } = file
  await reading(real, (sealed) =>
    replaceFile(place, { mode: OPENED_MODE }, async (target) => {
      if (file.format === 'cryptotensors') {
        const model = take(await readModelFile(sealed, path))
        // It may have been replaced since.
        requireHead(model, file)
        return take(await openTensors(sealed, model, target, work, plainTensors, path))
      }
      take(await requireDigest(sealed, file))
      const dataKey = unwrapKey(work.key.encryption, file.key) ?? refuse('WEIGHTS_DATA_KEY_INVALID', path)
      take(await openStream(sealed, target, dataKey, path, work))
    }),
  )
}
