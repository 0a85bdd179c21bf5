-- The same rows at less cost of each change. SQLite makes a table of its own for
-- every list of more than two that a statement has to check, so states are compared
-- one by one, and first those that nearly all changes are between. Attempts are kept
-- in the order of their key instead of beside it.
DROP VIEW jobs;
DROP VIEW attempts_log;

CREATE TABLE entries_lean (
  id                   INTEGER PRIMARY KEY,
  plan                 TEXT    NOT NULL CHECK (plan <> ''),
  name                 TEXT    NOT NULL CHECK (name <> ''),
  state                TEXT    NOT NULL CHECK (
    state = 'intent' OR state = 'created' OR state = 'unknown' OR state = 'rejected' OR state = 'not-sent'
    OR state = 'absent' OR state = 'conflict' OR state = 'duplicate' OR state = 'lost'),
  attempt              INTEGER NOT NULL CHECK (attempt >= 0),
  region               TEXT    NOT NULL,
  digest               TEXT    NOT NULL,
  spec                 TEXT    NOT NULL CHECK (json_valid(spec)),
  labels               TEXT    NOT NULL CHECK (json_valid(labels)),
  aps_job_id           TEXT    UNIQUE CHECK (aps_job_id <> ''),
  candidates           TEXT    NOT NULL CHECK (json_valid(candidates)),
  code                 TEXT    NOT NULL,
  reason               TEXT    NOT NULL,
  signed_at_ms         INTEGER,
  baseline             TEXT    NOT NULL CHECK (json_valid(baseline)),
  request_id           TEXT    NOT NULL,
  updated_at_ms        INTEGER NOT NULL,
  pending              TEXT    NOT NULL DEFAULT '',
  pending_digest       TEXT    NOT NULL DEFAULT '',
  pending_signed_at_ms INTEGER,
  pending_confirmed    INTEGER NOT NULL DEFAULT 0,
  life                 TEXT    NOT NULL DEFAULT '{}' CHECK (json_valid(life)),
  doing                TEXT    NOT NULL DEFAULT '',
  compared_at_ms       INTEGER,
  differed             TEXT    NOT NULL DEFAULT '',
  UNIQUE (plan, name),
  CHECK ((aps_job_id IS NOT NULL) = (state IN ('created', 'lost')))
) STRICT;

INSERT INTO entries_lean SELECT id, plan, name, state, attempt, region, digest, spec, labels, aps_job_id, candidates,
  code, reason, signed_at_ms, baseline, request_id, updated_at_ms, pending, pending_digest, pending_signed_at_ms,
  pending_confirmed, life, doing, compared_at_ms, differed
FROM entries ORDER BY id;

CREATE TABLE attempts_lean (
  entry_id         INTEGER NOT NULL REFERENCES entries_lean (id),
  attempt          INTEGER NOT NULL CHECK (attempt >= 1),
  nonce            TEXT    NOT NULL UNIQUE CHECK (nonce <> ''),
  signed_at_ms     INTEGER NOT NULL,
  server_offset_ms INTEGER NOT NULL,
  endpoint         TEXT    NOT NULL,
  region           TEXT    NOT NULL,
  digest           TEXT    NOT NULL,
  baseline         TEXT    NOT NULL CHECK (json_valid(baseline)),
  run_id           TEXT    NOT NULL,
  outcome          TEXT    NOT NULL CHECK (
    outcome = 'intent' OR outcome = 'created' OR outcome = 'unknown' OR outcome = 'rejected' OR outcome = 'not-sent'
    OR outcome = 'absent' OR outcome = 'conflict' OR outcome = 'duplicate'),
  request_id       TEXT    NOT NULL DEFAULT '',
  code             TEXT    NOT NULL DEFAULT '',
  reason           TEXT    NOT NULL DEFAULT '',
  evidence         TEXT    NOT NULL DEFAULT '' CHECK (evidence = '' OR json_valid(evidence)),
  created_at_ms    INTEGER NOT NULL,
  updated_at_ms    INTEGER NOT NULL,
  PRIMARY KEY (entry_id, attempt)
) STRICT, WITHOUT ROWID;

INSERT INTO attempts_lean SELECT entry_id, attempt, nonce, signed_at_ms, server_offset_ms, endpoint, region, digest,
  baseline, run_id, outcome, request_id, code, reason, evidence, created_at_ms, updated_at_ms
FROM attempts ORDER BY entry_id, attempt;

DROP TABLE attempts;
DROP TABLE entries;
ALTER TABLE entries_lean RENAME TO entries;
ALTER TABLE attempts_lean RENAME TO attempts;

CREATE INDEX entries_by_state ON entries (plan, state);
CREATE INDEX entries_live ON entries (region) WHERE state IN ('created', 'lost');
CREATE INDEX entries_open ON entries (plan, name)
  WHERE state = 'intent' OR state = 'unknown' OR state = 'conflict' OR state = 'duplicate';

CREATE VIEW jobs AS SELECT
  plan, name AS job, state, attempt AS attempts, aps_job_id, region,
  json_extract(spec, '$.source.instance') AS source,
  json_extract(spec, '$.destination.instance') AS destination,
  code, reason, request_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', signed_at_ms / 1000.0, 'unixepoch') AS sent_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', updated_at_ms / 1000.0, 'unixepoch') AS updated_at,
  labels, candidates, baseline, digest, spec, nullif(pending, '') AS pending,
  strftime('%Y-%m-%dT%H:%M:%fZ', pending_signed_at_ms / 1000.0, 'unixepoch') AS pending_since,
  strftime('%Y-%m-%dT%H:%M:%fZ', compared_at_ms / 1000.0, 'unixepoch') AS compared_at,
  nullif(differed, '') AS differed
FROM entries;

CREATE VIEW attempts_log AS SELECT
  e.plan, e.name AS job, a.attempt, a.outcome, a.region, a.endpoint, a.nonce,
  strftime('%Y-%m-%dT%H:%M:%fZ', a.signed_at_ms / 1000.0, 'unixepoch') AS sent_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', a.updated_at_ms / 1000.0, 'unixepoch') AS updated_at,
  a.request_id, a.code, a.reason, nullif(a.evidence, '') AS evidence, a.baseline, a.digest, a.run_id AS run
FROM attempts a JOIN entries e ON e.id = a.entry_id;
