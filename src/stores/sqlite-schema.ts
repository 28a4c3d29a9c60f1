import type { SqliteSchema } from './sqlite-file.ts'

/** The gate's state; `application_id` is "VSG1". */
export const GATE_SCHEMA: SqliteSchema = {
  applicationId: 0x56534731,
  migrations: [
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
  ],
}
