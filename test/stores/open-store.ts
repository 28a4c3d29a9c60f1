import type { ReleaseStore } from '../../src/release/ports.ts'
import { postgresReleaseStore } from '../../src/stores/postgres-release.ts'
import { sqliteReleaseStore } from '../../src/stores/sqlite-release.ts'

/** A broker's store by its place: a postgres: URL, or the path of a SQLite file. */
export const openReleaseStore = async (place: string): Promise<ReleaseStore> =>
  place.startsWith('postgres:') ? postgresReleaseStore({ connectionString: place }) : sqliteReleaseStore(place)
