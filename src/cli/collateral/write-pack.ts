import { encodePack, type PackedAnswer, packContent, packOf, sha256Of } from '../../collateral/pack/pack.ts'
import { signPack } from '../../collateral/pack/sign.ts'
import { writeWhole } from '../output.ts'
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
