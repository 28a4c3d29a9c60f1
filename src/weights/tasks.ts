import { readSync, writeSync } from 'node:fs'
import { type AeadName, finishes, opening, sealing, TAG_BYTES } from './aead.ts'

/**
 * One piece of work between two open files: bytes that are read at one place, put through one AEAD under one key and IV, and
 * written at another. Plain data, so that it can be handed to a thread.
 */
export type Task = { readonly from: number; readonly to: number; readonly bytes: number } & (
  | { readonly mode: 'copy' }
  | ({ readonly mode: 'seal' | 'open'; readonly tag: TagPlace } & Cipher)
)

export interface Cipher {
  readonly aead: AeadName
  readonly key: Uint8Array
  readonly iv: Uint8Array
}

/**
 * Where the tag is. Apart from the data: sealing gives it back, opening is told it. In the sealed file: at that position.
 */
export type TagPlace = { readonly given: Uint8Array | undefined } | { readonly at: number }

/** A sealed chunk's tag where that is kept apart; `wrong` for one that is not what was sealed; `short` where the file ended. */
export type Done = Uint8Array | 'done' | 'wrong' | 'short'

/** Descriptors, which all threads of a process share. */
export interface Files {
  readonly source: number
  readonly target: number
}

/** Small enough to stay in the cache between reading, encrypting and writing, large enough for few calls. */
const PIECE_BYTES = 512 * 1024

const piece = Buffer.alloc(PIECE_BYTES)

/**
 * Does one task, without waiting. Opened bytes reach the target before their tag is known: it is a file under a temporary
 * name, which is given its own only when every task is `done`.
 * @throws what reading and writing throw
 */
export function perform(files: Files, task: Task): Done {
  if (task.mode === 'copy') return through(files, task, (bytes) => bytes) ? 'done' : 'short'
  return task.mode === 'seal' ? seal(files, task) : open(files, task)
}

type Ciphered = Extract<Task, { readonly mode: 'seal' | 'open' }>

function seal(files: Files, task: Ciphered): Done {
  const cipher = sealing(task.aead, task.key, task.iv)
  if (!through(files, task, (bytes) => cipher.update(bytes), discard)) return 'short'
  cipher.final()
  const tag = cipher.getAuthTag()
  if ('given' in task.tag) return new Uint8Array(tag)
  writeFully(files.target, tag, task.tag.at)
  return 'done'
}

function open(files: Files, task: Ciphered): Done {
  const tag = 'given' in task.tag ? task.tag.given : readTag(files.source, task.tag.at)
  if (tag === undefined) return 'short'
  const decipher = opening(task.aead, task.key, task.iv, tag)
  if (!through(files, task, (bytes) => decipher.update(bytes), discard)) return 'short'
  return finishes(decipher) ? 'done' : 'wrong'
}

function readTag(file: number, at: number): Uint8Array | undefined {
  const tag = new Uint8Array(TAG_BYTES)
  return readSync(file, tag, 0, TAG_BYTES, at) === TAG_BYTES ? tag : undefined
}

/** False where the source ends before the task does. */
function through(
  { source, target }: Files,
  { from, to, bytes }: Task,
  change: (part: Buffer) => Buffer,
  afterwards: (changed: Buffer) => void = () => undefined,
): boolean {
  for (let at = 0; at < bytes; ) {
    const read = readSync(source, piece, 0, Math.min(PIECE_BYTES, bytes - at), from + at)
    if (read === 0) return false
    const changed = change(piece.subarray(0, read))
    writeFully(target, changed, to + at)
    afterwards(changed)
    at += read
  }
  return true
}

/**
 * Gives the memory of a cipher's output back at once. Left to the collector it would pile up by the hundred megabytes, and each
 * new piece would come from cold memory: with this, the cipher is nearly twice as fast.
 */
function discard({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}

function writeFully(file: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at, position + at)
}
