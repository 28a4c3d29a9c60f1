/*
 * The published stores that need more than the language: an entry of their own, so that importing the library never loads
 * `node:sqlite`, and `pg` only who opens a store in PostgreSQL. `memoryStore` is in the library itself.
 */
export type { GateStore } from '../gate/store.ts'
export type { ReleaseStore } from '../release/ports.ts'
export { memoryReleaseStore } from './memory-release.ts'
export { postgresStore } from './postgres.ts'
export type { PostgresOptions } from './postgres-options.ts'
export { postgresReleaseStore } from './postgres-release.ts'
export { sqliteStore } from './sqlite.ts'
export { sqliteReleaseStore } from './sqlite-release.ts'
