/** Forward only: entry n leads from version n to n + 1. An entry is never changed once released. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE DOMAIN vouchsafe.name AS text COLLATE "C";
  CREATE TABLE vouchsafe.challenge (
    id vouchsafe.name PRIMARY KEY, record text NOT NULL, expires_at bigint NOT NULL, used boolean NOT NULL DEFAULT false
  );
  CREATE TABLE vouchsafe.burnt (id vouchsafe.name PRIMARY KEY, until bigint NOT NULL);
  CREATE TABLE vouchsafe.posture (
    provider vouchsafe.name, policy_digest vouchsafe.name, decided_at bigint NOT NULL, valid_until bigint NOT NULL,
    posture text NOT NULL, revision bigint NOT NULL, PRIMARY KEY (provider, policy_digest)
  );
  CREATE INDEX ON vouchsafe.posture (revision);
  CREATE TABLE vouchsafe.hardware (id vouchsafe.name PRIMARY KEY, holders text NOT NULL);
  CREATE TABLE vouchsafe.lease (
    lease vouchsafe.name PRIMARY KEY, provider vouchsafe.name NOT NULL, due_at bigint, state text NOT NULL,
    revision bigint NOT NULL
  );
  CREATE INDEX ON vouchsafe.lease (due_at) WHERE due_at IS NOT NULL;
  CREATE INDEX ON vouchsafe.lease (revision);
  CREATE TABLE vouchsafe.denial (subject vouchsafe.name PRIMARY KEY, reason text NOT NULL, since bigint NOT NULL);
  CREATE TABLE vouchsafe.event (sequence bigint PRIMARY KEY, event text NOT NULL);
  CREATE TABLE vouchsafe.cursor (consumer vouchsafe.name PRIMARY KEY, sequence bigint NOT NULL);
  CREATE TABLE vouchsafe.counter (name vouchsafe.name PRIMARY KEY, value bigint NOT NULL);
  INSERT INTO vouchsafe.counter VALUES ('view', 0), ('denials', 0), ('event', 0), ('policy', 0), ('collateral', 0);

  CREATE TABLE vouchsafe.release_key (
    tenant vouchsafe.name, key_id vouchsafe.name, policy_digest text NOT NULL, policy text NOT NULL, kek text NOT NULL,
    algorithm text NOT NULL, data text NOT NULL, limits text NOT NULL, state text NOT NULL, registered_at bigint NOT NULL,
    revision bigint NOT NULL, mac text NOT NULL, PRIMARY KEY (tenant, key_id)
  );
  CREATE TABLE vouchsafe.audit (sequence bigint PRIMARY KEY, entry text NOT NULL, chain text NOT NULL);
  CREATE TABLE vouchsafe.release (
    audit_sequence bigint NOT NULL REFERENCES vouchsafe.audit, challenge_id vouchsafe.name PRIMARY KEY,
    tenant vouchsafe.name NOT NULL, key_id vouchsafe.name NOT NULL, at bigint NOT NULL, lease text NOT NULL,
    hardware text NOT NULL
  );
  CREATE INDEX ON vouchsafe.release (tenant, key_id, audit_sequence);
  CREATE TABLE vouchsafe.checkpoint (size bigint PRIMARY KEY, statement text NOT NULL);
  CREATE TABLE vouchsafe.session (
    id text PRIMARY KEY, workload text NOT NULL, nonce text NOT NULL, evidence text NOT NULL, expires_at bigint NOT NULL
  );
  CREATE INDEX session_end ON vouchsafe.session (expires_at);

  CREATE FUNCTION vouchsafe.only_added_to() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '% is only added to', TG_TABLE_NAME; END $$;
  CREATE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON vouchsafe.audit
    FOR EACH STATEMENT EXECUTE FUNCTION vouchsafe.only_added_to();
  CREATE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON vouchsafe.release
    FOR EACH STATEMENT EXECUTE FUNCTION vouchsafe.only_added_to();
  `,
  // A MAC of before does not cover the revision and proves nothing any more; a session lasts ten minutes at most.
  `
  UPDATE vouchsafe.release_key SET mac = '';
  DROP TABLE vouchsafe.session;
  CREATE TABLE vouchsafe.session (
    id text PRIMARY KEY, workload text NOT NULL, nonce text NOT NULL, evidence text NOT NULL, expires_at bigint NOT NULL,
    kek text NOT NULL, mac text NOT NULL
  );
  CREATE INDEX session_end ON vouchsafe.session (expires_at);
  `,
  // Releases of a key are numbered in the order of their times, and whom it went to is kept beside them: the last number says
  // how many there are. Which hardware counts as a chip is the broker's rule (release/limits.ts), as it was at this version.
  `
  ALTER TABLE vouchsafe.release ADD COLUMN number bigint;
  ALTER TABLE vouchsafe.release DISABLE TRIGGER kept;
  UPDATE vouchsafe.release r SET number = n.number FROM (
    SELECT challenge_id, row_number() OVER (PARTITION BY tenant, key_id ORDER BY at, audit_sequence) AS number
      FROM vouchsafe.release
  ) n WHERE r.challenge_id = n.challenge_id;
  ALTER TABLE vouchsafe.release ENABLE TRIGGER kept;
  ALTER TABLE vouchsafe.release ALTER COLUMN number SET NOT NULL, ADD UNIQUE (tenant, key_id, number);
  DROP INDEX vouchsafe.release_tenant_key_id_audit_sequence_idx;
  CREATE TABLE vouchsafe.release_recipient (
    tenant vouchsafe.name, key_id vouchsafe.name, kind text, id vouchsafe.name, number bigint NOT NULL,
    PRIMARY KEY (tenant, key_id, kind, id), UNIQUE (tenant, key_id, kind, number)
  );
  INSERT INTO vouchsafe.release_recipient SELECT tenant, key_id, kind, id,
    row_number() OVER (PARTITION BY tenant, key_id, kind ORDER BY min(number), id)
    FROM (
      SELECT tenant, key_id, 'lease' AS kind, lease AS id, number FROM vouchsafe.release
      UNION ALL SELECT tenant, key_id, 'chip', replace(chip, '\\', '\\\\'), number
        FROM vouchsafe.release, json_array_elements_text(hardware::json) AS chip WHERE NOT starts_with(chip, 'nvidia-')
    ) recipient GROUP BY tenant, key_id, kind, id;
  CREATE TRIGGER kept BEFORE UPDATE OR DELETE OR TRUNCATE ON vouchsafe.release_recipient
    FOR EACH STATEMENT EXECUTE FUNCTION vouchsafe.only_added_to();
  `,
]
