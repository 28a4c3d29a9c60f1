import { randomBytes } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { utf8 } from '../../core/bytes.ts'
import { fromBase64, fromUtf8, toBase64 } from '../../core/encodings.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import { attempt, type Outcome, ok, refuse } from '../../core/outcome.ts'
import {
  createPrivateFile,
  readPrivateFile,
  removeUnfinishedPrivate,
  replacePrivateFile,
} from '../../files/private-file.ts'

const FORMAT = 'vouchsafe/kek/1'
const KEK_BYTES = 32
const KEK_NAME = /^kek-[0-9a-f]{16}$/

/** Key-encryption keys by name. The bytes are the callers' to overwrite. */
export interface KekFile {
  readonly current: string
  readonly keks: ReadonlyMap<string, Uint8Array>
}

/** Reads a KEK file, or refuses it with RELEASE_VAULT_UNAVAILABLE. */
export async function readKekFile(path: string): Promise<Outcome<KekFile>> {
  let bytes: Uint8Array
  try {
    bytes = await readPrivateFile(path)
  } catch (error) {
    return attempt(() => refuse('RELEASE_VAULT_UNAVAILABLE', path, { actual: messageOf(error) }))
  }
  return decode(bytes, path)
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'it cannot be read')

/** What a fault shows is never of the file itself. */
function decode(bytes: Uint8Array, path: string): Outcome<KekFile> {
  return attempt(() => {
    const wrong = (expected: string): never => refuse('RELEASE_VAULT_UNAVAILABLE', path, { expected })
    const text = fromUtf8(bytes, path)
    const json = text.ok ? parseJson(text.value, path) : text
    if (!json.ok || !isJsonObject(json.value)) return wrong(`a JSON object of the format ${FORMAT}`)
    const { format, current, keks, ...others } = json.value
    if (format !== FORMAT || Object.keys(others).length > 0 || !isJsonObject(keks))
      return wrong(`format "${FORMAT}", current and keks, and nothing else`)
    const entries = Object.entries(keks).map(([name, value]): [string, Uint8Array] => {
      const kek = typeof value === 'string' ? fromBase64(value, path) : undefined
      if (!KEK_NAME.test(name) || kek?.ok !== true || kek.value.length !== KEK_BYTES)
        return wrong(`every KEK named kek-… and ${KEK_BYTES} bytes in base64`)
      return [name, kek.value]
    })
    if (typeof current !== 'string' || !entries.some(([name]) => name === current)) wrong('current to name a KEK')
    return { current: current as string, keks: new Map(entries) }
  })
}

function encode({ current, keks }: KekFile): Uint8Array {
  const texts = Object.fromEntries([...keks].map(([name, bytes]) => [name, toBase64(bytes)]))
  return utf8(`${JSON.stringify({ format: FORMAT, current, keks: texts }, null, 2)}\n`)
}

const newKek = (): [string, Uint8Array] => [`kek-${randomBytes(8).toString('hex')}`, randomBytes(KEK_BYTES)]

/**
 * Makes a KEK file (mode 0600) with one fresh key.
 * @throws Error where the file exists, or cannot be written
 */
export async function createKekFile(path: string): Promise<void> {
  const [name, bytes] = newKek()
  await createPrivateFile(path, encode({ current: name, keks: new Map([[name, bytes]]) }))
}

/**
 * Adds a fresh key and makes it the current one; the others stay, until what is under them has been sealed again.
 * @returns the name of the new key
 * @throws Error where another change is under way, or the file cannot be written
 */
export async function addKek(path: string): Promise<Outcome<string>> {
  const [name, bytes] = newKek()
  const changed = await change(path, ({ keks }) => ({ current: name, keks: new Map([...keks, [name, bytes]]) }))
  return changed.ok ? ok(name) : changed
}

/**
 * Takes a key out of the file, for good: whatever is still sealed under it never opens again.
 * @throws TypeError for the current one; Error where another change is under way, or the file cannot be written
 */
export async function dropKek(path: string, name: string): Promise<Outcome<void>> {
  return change(path, ({ current, keks }) => {
    if (name === current) throw new TypeError(`${name} is the current KEK`)
    return { current, keks: new Map([...keks].filter(([other]) => other !== name)) }
  })
}

/** One change at a time: two at once would lose a key that secrets are under. */
async function change(path: string, next: (file: KekFile) => KekFile): Promise<Outcome<void>> {
  const lock = `${path}.lock`
  const held = await open(lock, 'wx', 0o600).catch((cause: unknown) => {
    throw new Error(`${lock}: the KEKs are being changed, or a change was interrupted; if so, remove that file`, {
      cause,
    })
  })
  try {
    const file = await readKekFile(path)
    if (!file.ok) return file
    await replacePrivateFile(path, encode(next(file.value)))
    // A key that is dropped is to be nowhere.
    await removeUnfinishedPrivate(path)
    return ok(undefined)
  } finally {
    await held.close()
    await rm(lock)
  }
}
