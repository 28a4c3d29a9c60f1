import { createHmac, hkdfSync } from 'node:crypto'
import { lstat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { constantTimeEqual, utf8 } from '../core/bytes.ts'
import { fromBase64, fromUtf8, toBase64 } from '../core/encodings.ts'
import { canonicalJson, isJsonObject, type JsonObject, parseJson } from '../core/json.ts'
import { LIMITS } from '../core/limits.ts'
import { replaceFile } from '../files/whole-file.ts'
import { existing, reading } from './files.ts'
import type { ModelKey } from './keys.ts'

export const PROGRESS_NAME = '.vouchsafe-progress.json'

/**
 * Which files of a folder are finished, so that a run that was interrupted goes on where it was. The record lies where others
 * may write: it carries a MAC under a key derived from the model's, and one that is not ours, or of other work, counts as none.
 */
export class Progress {
  readonly #file: string
  readonly #key: Uint8Array
  readonly #work: string
  #done: { [path: string]: JsonObject }

  private constructor(file: string, key: Uint8Array, work: string, done: { [path: string]: JsonObject }) {
    this.#file = file
    this.#key = key
    this.#work = work
    this.#done = done
  }

  /** @param work says all that must be the same for finished files to count: what is done, to what, under which terms */
  static async of(folder: string, key: ModelKey, work: string): Promise<Progress> {
    const file = join(folder, PROGRESS_NAME)
    const secret = key.encryption.key.export()
    const macKey = new Uint8Array(
      hkdfSync('sha256', secret, new Uint8Array(0), utf8('vouchsafe/weights-progress/1'), 32),
    )
    const found = await existing(lstat(file))
    const isOurs = found?.isFile() === true && found.size <= LIMITS.modelHeaderBytes
    const bytes = isOurs ? await existing(reading(file, (handle) => handle.readFile())) : undefined
    const done = bytes === undefined ? undefined : finished(bytes, macKey, work)
    return new Progress(file, macKey, work, done ?? Object.create(null))
  }

  /** What was recorded of a file. */
  get(path: string): JsonObject | undefined {
    return this.#done[path]
  }

  /** Records, on disk when it returns. */
  async record(path: string, entry: JsonObject): Promise<void> {
    this.#done[path] = entry
    const body = { work: this.#work, done: this.#done }
    const text = JSON.stringify({ ...body, mac: toBase64(macOf(body, this.#key)) })
    await replaceFile(this.#file, { mode: 0o600 }, (file) => file.writeFile(text))
  }

  async remove(): Promise<void> {
    await existing(unlink(this.#file))
  }
}

const macOf = (body: JsonObject, key: Uint8Array): Uint8Array =>
  createHmac('sha256', key).update(canonicalJson(body)).digest()

function finished(bytes: Uint8Array, key: Uint8Array, work: string): { [path: string]: JsonObject } | undefined {
  const text = fromUtf8(bytes, PROGRESS_NAME)
  const value = text.ok ? parseJson(text.value, PROGRESS_NAME, 'integers', LIMITS.modelHeaderValues) : text
  if (!value.ok || !isJsonObject(value.value)) return undefined
  const { mac, ...body } = value.value
  const given = typeof mac === 'string' ? fromBase64(mac, 'mac') : undefined
  if (given?.ok !== true || !constantTimeEqual(given.value, macOf(body as JsonObject, key))) return undefined
  return body.work === work && isJsonObject(body.done) ? (body.done as { [path: string]: JsonObject }) : undefined
}
