import { randomBytes } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { pointer } from '../core/json.ts'
import { attempt, attemptAsync, type Outcome, refuse, take } from '../core/outcome.ts'
import { AEADS, type AeadName, TAG_BYTES, unwrapKey, wrapKey } from './aead.ts'
import { CHUNK_BYTES, chunkCount, chunkIv, newBaseIv } from './chunks.ts'
import { digestOf } from './digest.ts'
import { encodeHeader, type Header, headerText, type Tensor } from './header.ts'
import { isSignedBy, type ModelKey, namesOf, requireNames, signed } from './keys.ts'
import type { ModelFile } from './model-file.ts'
import {
  decodeSealing,
  encodeSealing,
  isSealed,
  RESERVED,
  type SealedTensor,
  type Sealing,
  SIGNATURE,
  signatureOf,
  tagOf,
} from './sealing.ts'
import type { Done, Task } from './tasks.ts'
import { policyText, type ReleaseTerms } from './terms.ts'
import type { Workers } from './workers.ts'

/** What the work on one file needs beside the file. */
export interface Work {
  readonly key: ModelKey
  readonly workers: Workers
  /** told of each stretch of bytes that is done */
  readonly onBytes: (bytes: number) => void
}

/** A tensor may be left in the clear by its owner. Whoever opens a model says whether that is taken. */
export type PlainTensors = 'refuse' | 'allow'

export const requireSigning = (key: ModelKey) => key.signing ?? refuse('WEIGHTS_SIGNING_KEY_MISSING', 'keys')

/**
 * Encrypts the tensors of `source` into `target`, which has nothing in it yet: each under a key of its own, in chunks, at the
 * offsets that they had. The header is written last, signed.
 * @returns the digest of the sealed header, or WEIGHTS_ALREADY_SEALED · WEIGHTS_SIGNING_KEY_MISSING · WEIGHTS_FILE_TRUNCATED
 */
export const sealTensors = (
  source: FileHandle,
  { header, head }: ModelFile,
  target: FileHandle,
  { key, workers, onBytes }: Work,
  terms: ReleaseTerms,
  path: string,
): Promise<Outcome<string>> =>
  attemptAsync(async () => {
    if (isSealed(header)) refuse('WEIGHTS_ALREADY_SEALED', path)
    const { aead } = key.encryption
    const dataKeys = new Map<string, Uint8Array>()
    const tensors = new Map<string, SealedTensor>()
    for (const { name, begin, end } of header.tensors) {
      const chunks = chunkCount(end - begin, CHUNK_BYTES)
      const dataKey = new Uint8Array(randomBytes(AEADS[aead].keyBytes))
      dataKeys.set(name, dataKey)
      const tags = new Uint8Array(chunks * TAG_BYTES)
      tensors.set(name, { ...wrapKey(key.encryption, dataKey), iv: newBaseIv(chunks), tags })
    }
    const sealing = {
      version: '2',
      chunkBytes: CHUNK_BYTES,
      names: namesOf(key),
      policy: policyText(terms),
      tensors,
    } as const
    // Tags have their length before they have their value, and so has the header.
    const unfinished = signedHead(header, sealing, key)
    const places: ChunkPlace[] = []
    function* tasks(): Generator<Task> {
      for (const tensor of header.tensors) {
        const { iv } = tensors.get(tensor.name) ?? missing(tensor)
        const dataKey = dataKeys.get(tensor.name) ?? missing(tensor)
        for (const place of chunksOf(tensor, CHUNK_BYTES)) {
          places.push(place)
          const where = { from: head.length + place.at, to: unfinished.length + place.at, bytes: place.bytes }
          yield { ...where, mode: 'seal', aead, key: dataKey, iv: chunkIv(iv, place.chunk), tag: { given: undefined } }
        }
      }
    }
    await workers.run({ source: source.fd, target: target.fd }, tasks(), (i, task, done) => {
      const { tensor, chunk } = places[i] ?? missing(undefined)
      if (!(done instanceof Uint8Array)) return refuse('WEIGHTS_FILE_TRUNCATED', pointer(path, tensor.name))
      tensors.get(tensor.name)?.tags.set(done, chunk * TAG_BYTES)
      onBytes(task.bytes)
    })
    const finished = signedHead(header, sealing, key)
    await target.write(finished, 0, finished.length, 0)
    return digestOf(finished)
  })

/** A broken invariant of ours, which no file can cause. */
function missing(tensor: Tensor | undefined): never {
  throw new TypeError(`no work was prepared for ${tensor?.name ?? 'a chunk'}`)
}

interface ChunkPlace {
  readonly tensor: Tensor
  readonly chunk: number
  /** offset in the data */
  readonly at: number
  readonly bytes: number
}

function* chunksOf(tensor: Tensor, chunkBytes: number): Generator<ChunkPlace> {
  for (let chunk = 0; chunk < chunkCount(tensor.end - tensor.begin, chunkBytes); chunk++) {
    const at = chunk === 0 ? tensor.begin : tensor.begin + chunk * chunkBytes
    yield { tensor, chunk, at, bytes: Math.min(chunkBytes, tensor.end - at) }
  }
}

/** Length and header of a sealed file. */
function signedHead(
  header: Header,
  sealing: Omit<Sealing, 'terms'>,
  key: ModelKey,
  atLeast = 0,
): Uint8Array<ArrayBuffer> {
  const metadata = new Map([...plainMetadata(header), ...encodeSealing(sealing)])
  const message = Buffer.from(headerText({ ...header, metadata }))
  metadata.set(SIGNATURE, Buffer.from(signed(requireSigning(key), message)).toString('base64'))
  return encodeHeader({ ...header, metadata }, atLeast)
}

const plainMetadata = (header: Header): Map<string, string> =>
  new Map([...(header.metadata ?? [])].filter(([name]) => !RESERVED.some((reserved) => reserved === name)))

/**
 * Proves that whoever has the signing key wrote this header.
 * @returns the sealing, or WEIGHTS_HEADER_NOT_CANONICAL · WEIGHTS_KEY_OTHER · WEIGHTS_SIGNATURE_MISSING ·
 * WEIGHTS_SIGNATURE_INVALID · WEIGHTS_TENSOR_NOT_SEALED · what `decodeSealing` returns
 */
export const authenticateSealing = (
  { header, head }: ModelFile,
  key: ModelKey,
  plainTensors: PlainTensors,
  path: string,
): Outcome<Sealing> =>
  attempt(() => {
    const sealing = take(decodeSealing(header, path))
    // The signature is over what was read. So that nothing else is in the file, it must be spelled as it is written.
    if (Buffer.compare(encodeHeader(header, head.length), head) !== 0) refuse('WEIGHTS_HEADER_NOT_CANONICAL', path)
    requireNames(sealing.names, key, `${path}/__crypto_keys__`)
    const signature = take(signatureOf(header, path))
    if (!isSignedBy(key, Buffer.from(headerText(header, SIGNATURE)), signature))
      refuse('WEIGHTS_SIGNATURE_INVALID', path)
    const open = header.tensors.find(({ name }) => !sealing.tensors.has(name))
    if (open !== undefined && plainTensors !== 'allow') refuse('WEIGHTS_TENSOR_NOT_SEALED', pointer(path, open.name))
    return sealing
  })

const dataKeyOf = (key: ModelKey, sealed: SealedTensor, tensor: string, path: string): Uint8Array =>
  unwrapKey(key.encryption, sealed) ?? refuse('WEIGHTS_DATA_KEY_INVALID', pointer(path, tensor))

/**
 * Decrypts `source` into `target`, which has nothing in it yet and must not be used unless this succeeds.
 * @returns nothing more, or what `authenticateSealing` returns · WEIGHTS_DATA_KEY_INVALID · WEIGHTS_CHUNK_TAG_INVALID ·
 * WEIGHTS_FILE_TRUNCATED
 */
export const openTensors = (
  source: FileHandle,
  model: ModelFile,
  target: FileHandle,
  { key, workers, onBytes }: Work,
  plainTensors: PlainTensors,
  path: string,
): Promise<Outcome<void>> =>
  attemptAsync(async () => {
    const { header, head } = model
    const sealing = take(authenticateSealing(model, key, plainTensors, path))
    const dataKeys = new Map<string, Uint8Array>()
    for (const [name, tensor] of sealing.tensors) dataKeys.set(name, dataKeyOf(key, tensor, name, path))
    const metadata = plainMetadata(header)
    const opened = encodeHeader({ ...header, metadata: metadata.size === 0 ? undefined : metadata })
    await target.write(opened, 0, opened.length, 0)
    const { aead } = key.encryption
    const places: ChunkPlace[] = []
    function* tasks(): Generator<Task> {
      for (const tensor of header.tensors) {
        const [sealed, dataKey] = [sealing.tensors.get(tensor.name), dataKeys.get(tensor.name)]
        const chunkBytes = sealed === undefined ? CHUNK_BYTES : sealing.chunkBytes
        for (const place of chunksOf(tensor, chunkBytes)) {
          const where = { from: head.length + place.at, to: opened.length + place.at, bytes: place.bytes }
          if (sealed?.tags.length === 0) continue
          places.push(place)
          if (sealed === undefined || dataKey === undefined) yield { ...where, mode: 'copy' }
          else yield { ...where, mode: 'open', ...secretsOf(aead, dataKey, sealed, place.chunk) }
        }
      }
    }
    await workers.run({ source: source.fd, target: target.fd }, tasks(), (i, task, done) => {
      requireDone(done, places[i] ?? missing(undefined), path)
      onBytes(task.bytes)
    })
  })

const secretsOf = (aead: AeadName, key: Uint8Array, sealed: SealedTensor, chunk: number) => ({
  ...{ aead, key, iv: chunkIv(sealed.iv, chunk), tag: { given: tagOf(sealed, chunk) } },
})

function requireDone(done: Done, { tensor, chunk }: ChunkPlace, path: string): void {
  const at = pointer(pointer(path, tensor.name), `chunk ${chunk}`)
  if (done === 'wrong') refuse('WEIGHTS_CHUNK_TAG_INVALID', at)
  if (done === 'short') refuse('WEIGHTS_FILE_TRUNCATED', at)
}

/**
 * The beginning of a file under another key: every data key wrapped anew, the header signed anew. It is as long as before
 * wherever it fits, so that the tensors need not move.
 * @returns length and header, or what `authenticateSealing` returns · WEIGHTS_DATA_KEY_INVALID · WEIGHTS_SIGNING_KEY_MISSING ·
 * WEIGHTS_KEY_OTHER where the new key is of another algorithm than the tensors are
 */
export const rewrappedHead = (
  model: ModelFile,
  old: ModelKey,
  next: ModelKey,
  path: string,
): Outcome<Uint8Array<ArrayBuffer>> =>
  attempt(() => {
    // A tensor that its owner left open stays as it is; the signature says that it was so.
    const sealing = take(authenticateSealing(model, old, 'allow', path))
    requireSameAead(old, next)
    const tensors = new Map<string, SealedTensor>()
    for (const [name, tensor] of sealing.tensors)
      tensors.set(name, { ...tensor, ...wrapKey(next.encryption, dataKeyOf(old, tensor, name, path)) })
    return signedHead(model.header, { ...sealing, names: namesOf(next), tensors }, next, model.head.length)
  })

/** One algorithm serves the master key and the data keys, whose length it sets. */
export function requireSameAead(old: ModelKey, next: ModelKey): void {
  const [expected, actual] = [old.encryption.aead, next.encryption.aead]
  if (expected !== actual) refuse('WEIGHTS_KEY_OTHER', 'keys/alg', { expected, actual })
}
