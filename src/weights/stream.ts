import { hkdfSync, randomBytes } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { concatBytes, utf8 } from '../core/bytes.ts'
import { attemptAsync, type Outcome, refuse } from '../core/outcome.ts'
import { TAG_BYTES } from './aead.ts'
import { fill } from './model-file.ts'
import type { Task } from './tasks.ts'
import type { Work } from './tensors.ts'

/*
 * Tink's streaming AEAD, AesGcmHkdfStreaming: HKDF-SHA-256, derived keys of 32 bytes, ciphertext segments of 1 MiB, no prefix.
 * Source: Google Tink, "AES-GCM-HKDF Streaming AEAD".
 */
export const STREAM_KEY_BYTES = 32
const SEGMENT_BYTES = 1024 * 1024
const SALT_BYTES = 32
const NONCE_PREFIX_BYTES = 7
const HEADER_BYTES = 1 + SALT_BYTES + NONCE_PREFIX_BYTES

/** Plain bytes of a full segment; the first one makes room for the header. */
const PLAIN_BYTES = SEGMENT_BYTES - TAG_BYTES

interface Segment {
  readonly plainAt: number
  readonly sealedAt: number
  readonly bytes: number
  readonly number: number
  readonly isLast: boolean
}

/** An empty stream has one empty segment; a full last segment has none behind it. */
const segmentCount = (plainBytes: number): number => Math.max(1, Math.ceil((plainBytes + HEADER_BYTES) / PLAIN_BYTES))

function* segmentsOf(plainBytes: number): Generator<Segment> {
  const count = segmentCount(plainBytes)
  for (let number = 0; number < count; number++) {
    const plainAt = Math.max(0, number * PLAIN_BYTES - HEADER_BYTES)
    const end = Math.min(plainBytes, (number + 1) * PLAIN_BYTES - HEADER_BYTES)
    const sealedAt = number === 0 ? HEADER_BYTES : number * SEGMENT_BYTES
    yield { plainAt, sealedAt, bytes: end - plainAt, number, isLast: number === count - 1 }
  }
}

/** Plain bytes of a stream of that size; undefined for a size that no stream has. */
export function plainBytesOf(sealedBytes: number): number | undefined {
  const segments = Math.max(1, Math.ceil(sealedBytes / SEGMENT_BYTES))
  const plainBytes = sealedBytes - HEADER_BYTES - segments * TAG_BYTES
  return plainBytes >= 0 && segmentCount(plainBytes) === segments ? plainBytes : undefined
}

/** Key and nonces of one stream. The associated data is the file's path in its folder, so that no file stands in for another. */
function ciphersOf(key: Uint8Array, salt: Uint8Array, noncePrefix: Uint8Array, associated: string) {
  const derived = new Uint8Array(hkdfSync('sha256', key, salt, utf8(associated), STREAM_KEY_BYTES))
  return ({ number, isLast }: Segment) => {
    const tail = new Uint8Array(5)
    new DataView(tail.buffer).setUint32(0, number)
    tail[4] = isLast ? 1 : 0
    return { aead: 'aes256gcm', key: derived, iv: concatBytes(noncePrefix, tail) } as const
  }
}

/**
 * Seals a whole file.
 * @param key 32 bytes, for this stream alone
 * @returns nothing more, or WEIGHTS_FILE_TRUNCATED where the source shrinks meanwhile
 */
export const sealStream = (
  source: FileHandle,
  target: FileHandle,
  key: Uint8Array,
  path: string,
  { workers, onBytes }: Pick<Work, 'workers' | 'onBytes'>,
): Promise<Outcome<void>> =>
  attemptAsync(async () => {
    const { size } = await source.stat()
    const [salt, noncePrefix] = [randomBytes(SALT_BYTES), randomBytes(NONCE_PREFIX_BYTES)]
    await target.write(concatBytes(Uint8Array.of(HEADER_BYTES), salt, noncePrefix), 0, HEADER_BYTES, 0)
    const cipher = ciphersOf(key, salt, noncePrefix, path)
    function* tasks(): Generator<Task> {
      for (const segment of segmentsOf(size)) {
        const { plainAt: from, sealedAt: to, bytes } = segment
        yield { mode: 'seal', from, to, bytes, ...cipher(segment), tag: { at: to + bytes } }
      }
    }
    await workers.run({ source: source.fd, target: target.fd }, tasks(), (_, task, done) => {
      if (done !== 'done') refuse('WEIGHTS_FILE_TRUNCATED', path)
      onBytes(task.bytes)
    })
  })

/**
 * Opens a whole stream into `target`, which must not be used unless this succeeds.
 * @returns nothing more, or WEIGHTS_STREAM_MALFORMED · WEIGHTS_SEGMENT_TAG_INVALID · WEIGHTS_FILE_TRUNCATED
 */
export const openStream = (
  source: FileHandle,
  target: FileHandle,
  key: Uint8Array,
  path: string,
  { workers, onBytes }: Pick<Work, 'workers' | 'onBytes'>,
): Promise<Outcome<void>> =>
  attemptAsync(async () => {
    const { size } = await source.stat()
    const plainBytes = plainBytesOf(size)
    const header = new Uint8Array(HEADER_BYTES)
    if (plainBytes === undefined || !(await fill(source, header, 0)) || header[0] !== HEADER_BYTES)
      return refuse('WEIGHTS_STREAM_MALFORMED', path, { actual: `${size} bytes` })
    const cipher = ciphersOf(key, header.slice(1, 1 + SALT_BYTES), header.slice(1 + SALT_BYTES), path)
    function* tasks(): Generator<Task> {
      for (const segment of segmentsOf(plainBytes ?? 0)) {
        const { plainAt: to, sealedAt: from, bytes } = segment
        yield { mode: 'open', from, to, bytes, ...cipher(segment), tag: { at: from + bytes } }
      }
    }
    await workers.run({ source: source.fd, target: target.fd }, tasks(), (i, task, done) => {
      if (done === 'wrong') refuse('WEIGHTS_SEGMENT_TAG_INVALID', `${path}/segment ${i}`)
      if (done === 'short') refuse('WEIGHTS_FILE_TRUNCATED', path)
      onBytes(task.bytes)
    })
  })
