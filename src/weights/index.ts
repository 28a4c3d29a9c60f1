/*
 * Encrypted models: CryptoTensors for safetensors files, Tink streams for the others, a signed manifest for a folder. An entry of
 * its own, `vouchsafe/weights`, since it reads and writes files and starts threads.
 */
export { type InspectedFile, type InspectedFolder, type Inspection, inspectModel } from './inspect.ts'
export { readKeyFile, writeKeyFile } from './key-file.ts'
export { type KeyNames, type ModelKey, modelKeyFile, newModelKey, parseModelKey, releasedModelKey } from './keys.ts'
export type { ManifestFile } from './manifest.ts'
export { type OpenedModel, type OpenOptions, openModel } from './open.ts'
export { type RewrapOptions, type RewrappedModel, rewrapModel } from './rewrap.ts'
export { type SealedModel, type SealOptions, sealModel } from './seal.ts'
export type { ModelProgress } from './source.ts'
export type { PlainTensors } from './tensors.ts'
export type { ReleaseTerms } from './terms.ts'
