import { DatabaseSync } from 'node:sqlite'
import { take } from '../../src/core/outcome.ts'
import { headOf, nextRow } from '../../src/release/audit/entry.ts'
import type { AuditRow, ReleaseRow } from '../../src/release/ports.ts'
import { stored } from '../../src/stores/postgres-pool.ts'
import { MIGRATIONS } from '../../src/stores/postgres-schema.ts'
import { keyValues } from '../../src/stores/release-rows.ts'
import { STORE_SCHEMA } from '../../src/stores/sqlite-schema.ts'
import { ask } from '../support/postgres.ts'
import { eventOf, keyRow, NAME } from './release-rows.ts'

/** What a store of the version before releases were numbered holds of a key that went out. */
export interface OldRelease extends Pick<ReleaseRow, 'challengeId' | 'lease' | 'hardware' | 'at'> {}

type Values = readonly (string | number)[]

/** Rows of `release_key`, `audit` and `release` as that version wrote them. @param text as the database has it */
function oldRows(releases: readonly OldRelease[], text: (text: string) => string) {
  const audit: AuditRow[] = []
  const told = ['key.registered', ...releases.map(() => 'key.released')] as const
  for (const type of told) audit.push(take(nextRow(headOf(audit.at(-1)), eventOf(type as 'key.released'), 100)))
  return {
    release_key: [[NAME.tenant, NAME.keyId, ...keyValues(keyRow())]],
    audit: audit.map(({ sequence, entry, chain }): Values => [sequence, entry, chain]),
    release: releases.map(({ challengeId, at, lease, hardware }, i): Values => {
      return [i + 2, challengeId, NAME.tenant, NAME.keyId, at, text(lease), JSON.stringify(hardware)]
    }),
  }
}

const quoted = (value: string | number) => (typeof value === 'number' ? value : `'${value.replaceAll("'", "''")}'`)

const insertions = (schema: string, rows: ReturnType<typeof oldRows>): string =>
  Object.entries(rows)
    .flatMap(([table, all]) => all.map((row) => `INSERT INTO ${schema}${table} VALUES (${row.map(quoted)});`))
    .join('\n')

export function oldSqliteFile(path: string, releases: readonly OldRelease[]): void {
  const { applicationId, migrations } = STORE_SCHEMA
  const database = new DatabaseSync(path)
  for (const migration of migrations.slice(0, 3)) database.exec(migration)
  database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = 3`)
  database.exec(insertions('', oldRows(releases, String)))
  database.close()
}

export async function oldPostgres(connectionString: string, releases: readonly OldRelease[]): Promise<void> {
  await ask(
    connectionString,
    'CREATE SCHEMA vouchsafe; CREATE TABLE vouchsafe.schema_version (version integer NOT NULL)',
  )
  for (const migration of MIGRATIONS.slice(0, 2)) await ask(connectionString, migration)
  await ask(connectionString, 'INSERT INTO vouchsafe.schema_version VALUES (2)')
  await ask(connectionString, insertions('vouchsafe.', oldRows(releases, stored)))
}
