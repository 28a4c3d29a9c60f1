import type { CollateralCache } from './cache.ts'

/**
 * Opens a cache, and waits for SQLite only then: whoever keeps nothing does not load it.
 * @param path a file on a local disk, made with mode 0600 where it is not there; its folder exists
 * @throws Error where the file cannot be opened, is another program's, or was written by a later version
 */
export async function openCollateralCache(path: string): Promise<CollateralCache> {
  const { CollateralCache: Cache } = await import('./cache.ts')
  return new Cache(path)
}
