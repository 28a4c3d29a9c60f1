import type { FileHandle } from 'node:fs/promises'
import { LIMITS } from '../core/limits.ts'
import { attemptAsync, type Outcome, refuse, take } from '../core/outcome.ts'
import { dataBytes, decodeHeader, type Header, LENGTH_BYTES } from './header.ts'

/** A safetensors file, as far as its header says what it is. */
export interface ModelFile {
  readonly header: Header
  /** length and header as they stand in the file */
  readonly head: Uint8Array<ArrayBuffer>
}

/**
 * Reads length and header of a safetensors file, whatever the header says. Memory is bounded by the format's cap of it.
 * @param path names the file in faults
 * @returns the bytes as they stand in the file, or WEIGHTS_FILE_TRUNCATED · WEIGHTS_HEADER_TOO_LARGE
 */
export const readHead = (file: FileHandle, path: string): Promise<Outcome<Uint8Array<ArrayBuffer>>> =>
  attemptAsync(async () => {
    const { size: fileBytes } = await file.stat()
    const length = new Uint8Array(LENGTH_BYTES)
    if (!(await fill(file, length, 0)))
      refuse('WEIGHTS_FILE_TRUNCATED', path, { expected: 'a header', actual: fileBytes })
    const headerBytes = new DataView(length.buffer).getBigUint64(0, true)
    if (headerBytes > BigInt(LIMITS.modelHeaderBytes))
      refuse('WEIGHTS_HEADER_TOO_LARGE', path, { expected: `at most ${LIMITS.modelHeaderBytes}`, actual: headerBytes })
    const expected = LENGTH_BYTES + Number(headerBytes)
    if (expected > fileBytes) refuse('WEIGHTS_FILE_TRUNCATED', path, { expected, actual: fileBytes })
    const head = new Uint8Array(expected)
    if (!(await fill(file, head, 0))) refuse('WEIGHTS_FILE_TRUNCATED', path, { expected })
    return head
  })

/**
 * Reads the header of a safetensors file and holds it to the file's size.
 * @param path names the file in faults
 * @returns the header, or WEIGHTS_FILE_TRAILING_BYTES · what `readHead` and `decodeHeader` return
 */
export const readModelFile = (file: FileHandle, path: string): Promise<Outcome<ModelFile>> =>
  attemptAsync(async () => {
    const head = take(await readHead(file, path))
    const header = take(decodeHeader(head.subarray(LENGTH_BYTES), path))
    const expected = head.length + dataBytes(header)
    const { size: actual } = await file.stat()
    if (actual < expected) refuse('WEIGHTS_FILE_TRUNCATED', path, { expected, actual })
    if (actual > expected) refuse('WEIGHTS_FILE_TRAILING_BYTES', path, { expected, actual })
    return { header, head }
  })

/** Fills `bytes` from the file; false where the file ends before. */
export async function fill(file: FileHandle, bytes: Uint8Array, position: number): Promise<boolean> {
  let at = 0
  while (at < bytes.length) {
    const { bytesRead } = await file.read(bytes, at, bytes.length - at, position + at)
    if (bytesRead === 0) return false
    at += bytesRead
  }
  return true
}
