import type { CollateralFile } from '../../attestation/collateral.ts'
import { decodePack, filesIn, looksLikePack, MOST_PACK_BYTES, type ReadPack } from '../../collateral/pack/pack.ts'
import { checkPackSignature, packKey } from '../../collateral/pack/sign.ts'
import { isJsonObject, parseJson } from '../../core/json.ts'
import { LIMITS } from '../../core/limits.ts'
import type { Outcome } from '../../core/outcome.ts'
import type { PublicJwk } from '../../decision/credential/jws.ts'
import { faultText } from '../faults.ts'
import { readBytes, readText, readTree, UsageError } from '../input.ts'

/** The public key that packs must be signed with. */
export async function packKeyFrom(path: string): Promise<PublicJwk> {
  const jwk = parseJson(await readText(path), path)
  const key = jwk.ok && isJsonObject(jwk.value) ? packKey(jwk.value) : undefined
  if (key === undefined) throw new UsageError(`${path} is not a public key of P-256 or Ed25519 as a JWK`)
  return key
}

/**
 * The files that `--collateral` names: folders are read whole, and a pack stands for the objects in it.
 * @param key with which every pack must be signed; undefined where that is not asked for
 * @throws UsageError for a pack that is not as it was written, or not by that key
 */
export async function collateralFiles(
  paths: readonly string[],
  key: PublicJwk | undefined,
): Promise<readonly CollateralFile[]> {
  const given = (await Promise.all(paths.map(readTree))).flat()
  const files = await Promise.all(
    given.map(async (file) => (looksLikePack(file.bytes) ? filesIn((await opened(file, key)).pack) : [file])),
  )
  return files.flat()
}

/** A pack of any size, with its digest. */
export const readPack = async (path: string, key: PublicJwk | undefined): Promise<ReadPack> =>
  checkedPack({ name: path, bytes: await readBytes(path, MOST_PACK_BYTES + 1) }, key)

/** What `readTree` has of a file that is longer. */
const MOST_GIVEN_BYTES = LIMITS.collateralBytes + 1

async function opened({ name, bytes }: CollateralFile, key: PublicJwk | undefined): Promise<ReadPack> {
  if (bytes.length === MOST_GIVEN_BYTES)
    throw new UsageError(
      `${name} is too large for one judgement: take it into a cache with vouchsafe collateral import`,
    )
  return checkedPack({ name, bytes }, key)
}

async function checkedPack({ name, bytes }: CollateralFile, key: PublicJwk | undefined): Promise<ReadPack> {
  const pack = decodePack(bytes, name)
  const checked: Outcome<ReadPack> =
    pack.ok && key !== undefined ? await checkPackSignature(pack.value, key, name) : pack
  if (checked.ok) return checked.value
  throw new UsageError(`${name} cannot be used as a pack:\n${faultText(checked.faults)}`)
}
