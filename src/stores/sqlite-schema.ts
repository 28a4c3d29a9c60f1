import type { SqliteSchema } from './sqlite-file.ts'

/** The state of a gate and of a broker, which may share a file; `application_id` is "VSG1". */
export const STORE_SCHEMA: SqliteSchema = {
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
    // A MAC of before does not cover the revision and proves nothing any more; a session lasts ten minutes at most.
    `
    UPDATE release_key SET mac = '';
    DROP TABLE session;
    CREATE TABLE session (
      id TEXT PRIMARY KEY, workload TEXT NOT NULL, nonce TEXT NOT NULL, evidence TEXT NOT NULL, expires_at INTEGER NOT NULL,
      kek TEXT NOT NULL, mac TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX session_end ON session (expires_at);
    `,
    // Releases of a key are numbered in the order of their times, and whom it went to is kept beside them: the last number says
    // how many there are. Which hardware counts as a chip is the broker's rule (release/limits.ts), as it was at this version.
    `
    CREATE TABLE numbered_release (
      audit_sequence INTEGER NOT NULL REFERENCES audit (sequence), challenge_id TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL,
      key_id TEXT NOT NULL, at INTEGER NOT NULL, lease TEXT NOT NULL, hardware TEXT NOT NULL, number INTEGER NOT NULL,
      UNIQUE (tenant, key_id, number)
    ) STRICT;
    INSERT INTO numbered_release SELECT audit_sequence, challenge_id, tenant, key_id, at, lease, hardware,
      row_number() OVER (PARTITION BY tenant, key_id ORDER BY at, audit_sequence) FROM release;
    DROP TABLE release;
    ALTER TABLE numbered_release RENAME TO release;
    CREATE TABLE release_recipient (
      tenant TEXT NOT NULL, key_id TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, number INTEGER NOT NULL,
      PRIMARY KEY (tenant, key_id, kind, id), UNIQUE (tenant, key_id, kind, number)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO release_recipient SELECT tenant, key_id, kind, id,
      row_number() OVER (PARTITION BY tenant, key_id, kind ORDER BY min(number), id)
      FROM (
        SELECT tenant, key_id, 'lease' AS kind, lease AS id, number FROM release
        UNION ALL SELECT tenant, key_id, 'chip', value, number FROM release, json_each(hardware)
          WHERE substr(value, 1, 7) <> 'nvidia-'
      ) GROUP BY tenant, key_id, kind, id;
    CREATE TRIGGER release_kept BEFORE DELETE ON release BEGIN SELECT raise(ABORT, 'releases are only added to'); END;
    CREATE TRIGGER release_fixed BEFORE UPDATE ON release BEGIN SELECT raise(ABORT, 'releases are only added to'); END;
    CREATE TRIGGER recipient_kept BEFORE DELETE ON release_recipient
      BEGIN SELECT raise(ABORT, 'recipients are only added to'); END;
    CREATE TRIGGER recipient_fixed BEFORE UPDATE ON release_recipient
      BEGIN SELECT raise(ABORT, 'recipients are only added to'); END;
    `,
  ],
}
