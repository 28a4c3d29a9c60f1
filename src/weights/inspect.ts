import { attemptAsync, type Outcome, refuse, take } from '../core/outcome.ts'
import { reading } from './files.ts'
import { dataBytes, type Header } from './header.ts'
import type { KeyNames } from './keys.ts'
import { decodeManifest, type ManifestFile } from './manifest.ts'
import { readModelFile } from './model-file.ts'
import { listedIn, manifestIn } from './sealed.ts'
import { decodeSealing, isSealed } from './sealing.ts'
import { sourceAt } from './source.ts'
import type { ReleaseTerms } from './terms.ts'

/** What a model says of itself. No key was asked for, so nothing of it is proved. */
export type Inspection = InspectedFile | InspectedFolder

interface Claims {
  readonly keys: KeyNames
  readonly terms: ReleaseTerms
  readonly signature: 'not checked'
}

export type InspectedFile = {
  readonly kind: 'file'
  readonly tensors: number
  readonly tensorBytes: number
} & (
  | { readonly sealed: false }
  | ({ readonly sealed: true; readonly version: '1' | '2'; readonly sealedTensors: number } & Claims)
)

export interface InspectedFolder extends Claims {
  readonly kind: 'folder'
  readonly files: readonly ManifestFile[]
}

/**
 * Describes a model file or the folder of a sealed model, without a key. Files of a folder must be there and be those that its
 * manifest names, as far as sizes and headers go.
 * @returns the description, or what `readModelFile`, `decodeSealing`, `manifestIn`, `decodeManifest` and `listedIn` return
 * @throws what the file system throws
 */
export const inspectModel = (input: string): Promise<Outcome<Inspection>> =>
  attemptAsync(async () => {
    const source = take(await sourceAt(input))
    if (source.isFolder) {
      const { manifest } = take(decodeManifest(take(await manifestIn(source.root))))
      for (const file of manifest.files) take(await listedIn(source.root, file))
      const { names, terms, files } = manifest
      return { kind: 'folder', keys: names, terms, signature: 'not checked', files } as const
    }
    const [found] = source.files
    if (found === undefined) throw new TypeError('a file was found and is not there')
    if (found.path.endsWith('.tink')) refuse('WEIGHTS_FOLDER_ONLY', found.path)
    return inspectHeader(take(await reading(found.real, (file) => readModelFile(file, found.path))).header, found.path)
  })

function inspectHeader(header: Header, path: string): InspectedFile {
  const plain = { kind: 'file', tensors: header.tensors.length, tensorBytes: dataBytes(header) } as const
  if (!isSealed(header)) return { ...plain, sealed: false }
  const { version, names, terms, tensors } = take(decodeSealing(header, path))
  const claims = { keys: names, terms, signature: 'not checked' } as const
  return { ...plain, sealed: true, version, sealedTensors: tensors.size, ...claims }
}
