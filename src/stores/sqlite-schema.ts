import type { DatabaseSync } from 'node:sqlite'

/** `application_id` of our files, so that no other program's database is written to: "VSG1". */
const APPLICATION_ID = 0x56534731

/** Forward only: entry n leads from version n to n + 1 (`user_version`). An entry is never changed once released. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE challenge (
    id TEXT PRIMARY KEY, record TEXT NOT NULL, expires_at INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE burnt (id TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE posture (
    provider TEXT NOT NULL, policy_digest TEXT NOT NULL, decided_at INTEGER NOT NULL, valid_until INTEGER NOT NULL,
    posture TEXT NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY (provider, policy_digest)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX posture_revision ON posture (revision);
  CREATE TABLE hardware (id TEXT PRIMARY KEY, holders TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE lease (
    lease TEXT PRIMARY KEY, provider TEXT NOT NULL, due_at INTEGER, state TEXT NOT NULL, revision INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX lease_due ON lease (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX lease_revision ON lease (revision);
  CREATE TABLE denial (subject TEXT PRIMARY KEY, reason TEXT NOT NULL, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE event (sequence INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL) STRICT;
  CREATE TABLE cursor (consumer TEXT PRIMARY KEY, sequence INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE revision (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO revision VALUES ('view', 0), ('denials', 0);
  `,
  `
  CREATE TABLE release_key (
    tenant TEXT NOT NULL, key_id TEXT NOT NULL, policy_digest TEXT NOT NULL, policy TEXT NOT NULL, kek TEXT NOT NULL,
    algorithm TEXT NOT NULL, data TEXT NOT NULL, limits TEXT NOT NULL, state TEXT NOT NULL, registered_at INTEGER NOT NULL,
    revision INTEGER NOT NULL, mac TEXT NOT NULL, PRIMARY KEY (tenant, key_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE audit (sequence INTEGER PRIMARY KEY, entry TEXT NOT NULL, chain TEXT NOT NULL) STRICT;
  CREATE TABLE release (
    audit_sequence INTEGER NOT NULL REFERENCES audit (sequence), challenge_id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL,
    key_id TEXT NOT NULL, at INTEGER NOT NULL, lease TEXT NOT NULL, hardware TEXT NOT NULL
  ) STRICT;
  CREATE INDEX release_of_key ON release (tenant, key_id, audit_sequence);
  CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, statement TEXT NOT NULL) STRICT;
  CREATE TABLE session (
    id TEXT PRIMARY KEY, workload TEXT NOT NULL, nonce TEXT NOT NULL, evidence TEXT NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX session_end ON session (expires_at);
  CREATE TABLE epoch (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO epoch VALUES ('policy', 0), ('collateral', 0);
  CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'the audit log is only added to'); END;
  CREATE TRIGGER audit_fixed BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit log is only added to'); END;
  CREATE TRIGGER release_kept BEFORE DELETE ON release BEGIN SELECT raise(ABORT, 'releases are only added to'); END;
  CREATE TRIGGER release_fixed BEFORE UPDATE ON release BEGIN SELECT raise(ABORT, 'releases are only added to'); END;
  `,
]

const numberOf = (database: DatabaseSync, pragma: string): number =>
  Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0] ?? 0)

/**
 * Brings a database to this version's schema, several processes at once or not.
 * @throws Error where the file is another program's, or was written by a later version
 */
export function migrate(database: DatabaseSync, path: string): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    const version = numberOf(database, 'user_version')
    const owner = numberOf(database, 'application_id')
    const tables = database.prepare('SELECT count(*) AS n FROM sqlite_schema').get() as { readonly n: number }
    if (owner !== APPLICATION_ID && (owner !== 0 || version !== 0 || tables.n > 0))
      throw new Error(`${path} is the database of another program`)
    if (version > MIGRATIONS.length)
      throw new Error(`${path} was written by a later version of vouchsafe (schema ${version})`)
    for (const migration of MIGRATIONS.slice(version)) database.exec(migration)
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length}`)
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}

/** @throws Error where a database that is only read is not one of ours of this version's schema */
export function checkSchema(database: DatabaseSync, path: string): void {
  if (numberOf(database, 'application_id') !== APPLICATION_ID)
    throw new Error(`${path} is the database of another program`)
  const version = numberOf(database, 'user_version')
  if (version !== MIGRATIONS.length)
    throw new Error(`${path} has schema ${version}, and this version of vouchsafe reads schema ${MIGRATIONS.length}`)
}
