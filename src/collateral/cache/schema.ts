import type { SqliteSchema } from '../../stores/sqlite-file.ts'

/** `application_id` is "VSC1". Objects are held once by digest; an answer is one revision of what a request gave. */
export const CACHE_SCHEMA: SqliteSchema = {
  applicationId: 0x56534331,
  migrations: [
    `
    CREATE TABLE object (id INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, bytes BLOB NOT NULL) STRICT;
    CREATE TABLE answer (
      id INTEGER PRIMARY KEY, key TEXT NOT NULL, revision TEXT NOT NULL, line TEXT, fetched_at INTEGER NOT NULL,
      issued_at INTEGER NOT NULL, valid_until INTEGER NOT NULL, evaluation_number INTEGER, sequence_number TEXT,
      UNIQUE (key, revision)
    ) STRICT;
    CREATE INDEX answer_line ON answer (line) WHERE line IS NOT NULL;
    CREATE TABLE file (
      answer INTEGER NOT NULL REFERENCES answer (id) ON DELETE CASCADE, position INTEGER NOT NULL, name TEXT NOT NULL,
      sha256 TEXT NOT NULL, PRIMARY KEY (answer, position)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX file_sha256 ON file (sha256);
    CREATE TABLE absence (key TEXT PRIMARY KEY, faults TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL)
      STRICT, WITHOUT ROWID;
    CREATE TABLE mark (
      scope TEXT NOT NULL, line TEXT NOT NULL, issued_at INTEGER NOT NULL, evaluation_number INTEGER,
      sequence_number TEXT, content TEXT NOT NULL, PRIMARY KEY (scope, line, issued_at)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE clock (
      only INTEGER PRIMARY KEY CHECK (only = 1), latest INTEGER NOT NULL, instant INTEGER NOT NULL, boot TEXT,
      uptime REAL NOT NULL
    ) STRICT;
    `,
  ],
}
