import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { encodePack, type PackedAnswer, packContent, packOf, sha256Of } from '../../collateral/pack/pack.ts'
import { signPack } from '../../collateral/pack/sign.ts'
import { UsageError } from '../input.ts'
import type { SigningKey } from './signing-key.ts'

export interface WrittenPack {
  readonly digest: string
  readonly objects: number
}

/**
 * Writes a pack, whole or not at all.
 * @param key undefined: without a signature
 */
export async function writePack(
  path: string,
  answers: readonly PackedAnswer[],
  key: SigningKey | undefined,
): Promise<WrittenPack> {
  const pack = packOf(answers)
  const signature = key === undefined ? undefined : await signPack(pack, key.privateKey, key.jwk)
  await writeWhole(path, encodePack(pack, signature))
  return { digest: `sha256:${sha256Of(packContent(pack))}`, objects: pack.objects.size }
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const part = `${path}.${randomBytes(6).toString('hex')}.part`
  try {
    const file = await open(part, 'wx', 0o644)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new UsageError(`cannot write ${path}: ${code}`)
  }
}
