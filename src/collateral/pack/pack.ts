import { createHash } from 'node:crypto'
import type { CollateralFile } from '../../attestation/collateral.ts'
import { latin1 } from '../../core/bytes.ts'
import { fromUtf8 } from '../../core/encodings.ts'
import { canonicalJson } from '../../core/json.ts'
import { attempt, type Outcome, refuse, take } from '../../core/outcome.ts'

/**
 * Collateral in one file, for ever: the objects by digest, and which of them answer which request. It says nothing of when it
 * was made, so the same collateral is the same file to the byte.
 */
export interface CollateralPack {
  /** digests of the files of each answer in their order, by the key of its request; of a manifest, one list for each revision */
  readonly answers: ReadonlyMap<string, readonly (readonly string[])[]>
  /** by SHA-256, lower-case hex */
  readonly objects: ReadonlyMap<string, Uint8Array>
}

const FORMAT = 'vouchsafe/collateral-pack/1'
/** What begins every pack, in the one spelling that it has. */
const BEGINS = /^\{"answers":\{/
/** The collateral of some hundred thousand machines; more would not fit into one text of JavaScript's. */
export const MOST_PACK_BYTES = 384 * 1024 * 1024

export const looksLikePack = (bytes: Uint8Array): boolean => BEGINS.test(latin1(bytes.subarray(0, 16)))

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** One answer in a pack; `key` undefined: files that answer no known request. */
export interface PackedAnswer {
  readonly key: string | undefined
  readonly files: readonly CollateralFile[]
}

/** Equal objects once, in no order but their own. */
export function packOf(answers: readonly PackedAnswer[]): CollateralPack {
  const objects = new Map<string, Uint8Array>()
  const byKey = new Map<string, Map<string, readonly string[]>>()
  for (const { key, files } of answers) {
    const digests = files.map(({ bytes }) => {
      const sha256 = sha256Of(bytes)
      objects.set(sha256, bytes)
      return sha256
    })
    if (key === undefined) continue
    const revisions = byKey.get(key) ?? new Map<string, readonly string[]>()
    byKey.set(key, revisions.set(digests.join(), digests))
  }
  const inOrder = (revisions: ReadonlyMap<string, readonly string[]>) =>
    [...revisions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, digests]) => digests)
  return { answers: new Map([...byKey].map(([key, revisions]) => [key, inOrder(revisions)])), objects }
}

/** The bytes that a signature covers and the digest names: canonical JSON (RFC 8785), in ASCII. */
export const packContent = (pack: CollateralPack): Uint8Array => new TextEncoder().encode(textOf(pack, undefined))

/** @param signature detached JWS over `packContent` */
export const encodePack = (pack: CollateralPack, signature: string | undefined): Uint8Array =>
  new TextEncoder().encode(textOf(pack, signature))

const textOf = ({ answers, objects }: CollateralPack, signature: string | undefined): string =>
  canonicalJson({
    format: FORMAT,
    answers: Object.fromEntries(answers),
    objects: Object.fromEntries([...objects].map(([sha256, bytes]) => [sha256, base64Of(bytes)])),
    signature,
  })

const base64Of = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

export interface ReadPack {
  readonly pack: CollateralPack
  readonly signature: string | undefined
  /** `sha256:` of `packContent`: what a pack is called by, signed or not */
  readonly digest: string
}

/**
 * Reads a pack. It is taken apart and written anew: only what comes out as the same bytes is a pack, so there is one spelling
 * of each, and nothing stands in it that was not read.
 * @returns the pack, or COLLATERAL_PACK_MALFORMED · UTF8_INVALID
 */
export function decodePack(bytes: Uint8Array, path: string): Outcome<ReadPack> {
  return attempt(() => {
    const malformed = (actual: string): never => refuse('COLLATERAL_PACK_MALFORMED', path, { actual })
    if (bytes.length > MOST_PACK_BYTES) malformed(`more than ${MOST_PACK_BYTES} bytes`)
    const text = take(fromUtf8(bytes, path))
    const { answers, objects, signature } = shapeOf(text) ?? malformed('no pack of this version')
    const held = new Map<string, Uint8Array>()
    for (const [sha256, base64] of Object.entries(objects)) {
      const object = new Uint8Array(Buffer.from(base64, 'base64'))
      if (sha256Of(object) !== sha256) malformed(`object ${sha256} has another digest`)
      held.set(sha256, object)
    }
    const pack = { answers: new Map(Object.entries(answers)), objects: held }
    if (textOf(pack, signature) !== text) malformed('another spelling than its own')
    const missing = Object.values(answers)
      .flat(2)
      .find((sha256) => !held.has(sha256))
    if (missing !== undefined) malformed(`object ${missing} is missing`)
    return { pack, signature, digest: `sha256:${sha256Of(packContent(pack))}` }
  })
}

interface Shape {
  readonly answers: Readonly<Record<string, readonly (readonly string[])[]>>
  readonly objects: Readonly<Record<string, string>>
  readonly signature: string | undefined
}

const MEMBERS = ['answers', 'format', 'objects', 'signature']
const isText = (value: unknown): value is string => typeof value === 'string'
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isDigests = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((list) => Array.isArray(list) && list.length > 0 && list.every(isText))

function shapeOf(text: string): Shape | undefined {
  const parsed = parsedOf(text)
  if (!isObject(parsed) || parsed.format !== FORMAT || Object.keys(parsed).some((name) => !MEMBERS.includes(name)))
    return undefined
  const { answers, objects, signature } = parsed
  if (!isObject(answers) || !isObject(objects) || !(signature === undefined || isText(signature))) return undefined
  if (!Object.values(answers).every(isDigests) || !Object.values(objects).every(isText)) return undefined
  return { answers: answers as Shape['answers'], objects: objects as Shape['objects'], signature }
}

function parsedOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** The files of a pack, named by the requests that they answer, where they answer one. */
export function answersIn({ answers, objects }: CollateralPack): readonly PackedAnswer[] {
  const isAnswer = new Set<string>()
  const packed: PackedAnswer[] = []
  for (const [key, revisions] of answers) {
    for (const digests of revisions) {
      const files = digests.map((sha256) => {
        isAnswer.add(sha256)
        return { name: `${key}#${sha256.slice(0, 8)}`, bytes: objects.get(sha256) ?? new Uint8Array() }
      })
      packed.push({ key, files })
    }
  }
  const loose = [...objects].filter(([sha256]) => !isAnswer.has(sha256))
  return [...packed, ...loose.map(([sha256, bytes]) => ({ key: undefined, files: [{ name: sha256, bytes }] }))]
}

/** The objects of a pack as files, each once. */
export const filesIn = ({ objects }: CollateralPack): readonly CollateralFile[] =>
  [...objects].map(([sha256, bytes]) => ({ name: sha256, bytes }))
