import type { CollateralFile } from '../../attestation/collateral.ts'
import { judgeAnswered } from '../../collateral/cache/answer.ts'
import type { CachedAnswer, CollateralCache } from '../../collateral/cache/cache.ts'
import { answersIn, type CollateralPack, type PackedAnswer } from '../../collateral/pack/pack.ts'
import type { UnixSeconds } from '../../core/time.ts'

/** One answer that is held, in a cache or in a pack. */
export interface Holding {
  readonly key: string
  readonly sizeBytes: number
  /** of its own dates; undefined where nothing in it could be read */
  readonly validUntil: UnixSeconds | undefined
  /** undefined in a pack, which does not say */
  readonly fetchedAt: UnixSeconds | undefined
}

const sizeOf = (files: readonly CollateralFile[]): number => files.reduce((sum, f) => sum + f.bytes.length, 0)

export const holdingOf = ({ key, files, validUntil, fetchedAt }: CachedAnswer): Holding => ({
  key,
  sizeBytes: sizeOf(files),
  validUntil,
  fetchedAt,
})

/** What an answer out of files says of itself, as the cache would have it. */
export async function cachedFrom(
  { key, files }: PackedAnswer & { readonly key: string },
  now: UnixSeconds,
  marks: CollateralCache | undefined,
) {
  return judgeAnswered({ key, files, fetchedAt: now }, [key], now, (line) => marks?.marks('', line) ?? [])
}

export const keyed = (answers: readonly PackedAnswer[]): readonly (PackedAnswer & { readonly key: string })[] =>
  answers.flatMap(({ key, files }) => (key === undefined ? [] : [{ key, files }]))

/** The answers of a pack, and what in it answers nothing that has a name. */
export async function holdingsIn(pack: CollateralPack, now: UnixSeconds): Promise<readonly Holding[]> {
  const all = answersIn(pack)
  const named = await Promise.all(
    keyed(all).map(async (packed) => {
      const { answer } = await cachedFrom(packed, now, undefined)
      const validUntil = Number.isFinite(answer.validUntil) ? answer.validUntil : undefined
      return { key: packed.key, sizeBytes: sizeOf(packed.files), validUntil, fetchedAt: undefined }
    }),
  )
  const loose = all.flatMap(({ key, files }) =>
    key === undefined
      ? [{ key: `file ${files[0]?.name ?? ''}`, sizeBytes: sizeOf(files), validUntil: undefined, fetchedAt: undefined }]
      : [],
  )
  return [...named, ...loose]
}
