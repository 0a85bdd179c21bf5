-- All times are integer milliseconds since 1970 UTC; NULL means never. JSON is
-- text. A job's identity is (plan, name). Released migrations are never edited.

-- The one row about the ledger itself.
CREATE TABLE meta (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  lineage       TEXT    NOT NULL,           -- a UUID, made with the file
  serial        INTEGER NOT NULL DEFAULT 0, -- changes of entries so far
  account       TEXT    NOT NULL DEFAULT '',
  service       TEXT    NOT NULL DEFAULT '',
  created_at_ms INTEGER NOT NULL
) STRICT;

-- Executions of commands that may change something, in order of seq.
CREATE TABLE runs (
  seq            INTEGER PRIMARY KEY,
  id             TEXT    NOT NULL UNIQUE,
  command        TEXT    NOT NULL,
  plan           TEXT    NOT NULL,
  plan_digest    TEXT    NOT NULL,
  host           TEXT    NOT NULL,
  user           TEXT    NOT NULL,
  pid            INTEGER NOT NULL,
  version        TEXT    NOT NULL,
  started_at_ms  INTEGER NOT NULL,
  finished_at_ms INTEGER,
  exit_code      INTEGER,
  counts         TEXT    CHECK (json_valid(counts)),
  CHECK ((finished_at_ms IS NULL) = (exit_code IS NULL))
) STRICT;

-- What is known about each job now.
CREATE TABLE entries (
  id            INTEGER PRIMARY KEY,
  plan          TEXT    NOT NULL CHECK (plan <> ''),
  name          TEXT    NOT NULL CHECK (name <> ''),
  state         TEXT    NOT NULL CHECK (state IN (
    'intent', 'unknown', 'created', 'rejected', 'not-sent', 'absent', 'conflict', 'duplicate', 'lost')),
  attempt       INTEGER NOT NULL CHECK (attempt >= 0),
  region        TEXT    NOT NULL,
  digest        TEXT    NOT NULL,
  spec          TEXT    NOT NULL CHECK (json_valid(spec)),
  labels        TEXT    NOT NULL CHECK (json_valid(labels)),
  aps_job_id    TEXT    UNIQUE CHECK (aps_job_id <> ''),
  candidates    TEXT    NOT NULL CHECK (json_valid(candidates)),
  code          TEXT    NOT NULL,
  reason        TEXT    NOT NULL,
  signed_at_ms  INTEGER,
  baseline      TEXT    NOT NULL CHECK (json_valid(baseline)),
  request_id    TEXT    NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  UNIQUE (plan, name),
  CHECK ((aps_job_id IS NOT NULL) = (state IN ('created', 'lost')))
) STRICT;

CREATE INDEX entries_by_state ON entries (plan, state);
CREATE INDEX entries_live ON entries (region) WHERE state IN ('created', 'lost');

-- Every create request that was promised, and what became of it.
CREATE TABLE attempts (
  entry_id         INTEGER NOT NULL REFERENCES entries (id),
  attempt          INTEGER NOT NULL CHECK (attempt >= 1),
  nonce            TEXT    NOT NULL UNIQUE CHECK (nonce <> ''),
  signed_at_ms     INTEGER NOT NULL,
  server_offset_ms INTEGER NOT NULL,
  endpoint         TEXT    NOT NULL,
  region           TEXT    NOT NULL,
  digest           TEXT    NOT NULL,
  baseline         TEXT    NOT NULL CHECK (json_valid(baseline)),
  run_id           TEXT    NOT NULL,
  outcome          TEXT    NOT NULL CHECK (outcome IN (
    'intent', 'unknown', 'created', 'rejected', 'not-sent', 'absent', 'conflict', 'duplicate')),
  request_id       TEXT    NOT NULL DEFAULT '',
  code             TEXT    NOT NULL DEFAULT '',
  reason           TEXT    NOT NULL DEFAULT '',
  evidence         TEXT    NOT NULL DEFAULT '' CHECK (evidence = '' OR json_valid(evidence)),
  created_at_ms    INTEGER NOT NULL,
  updated_at_ms    INTEGER NOT NULL,
  PRIMARY KEY (entry_id, attempt)
) STRICT;

-- One row per transition, in order of id. They are never changed, and they do
-- not refer to entries, so that they outlive them.
CREATE TABLE events (
  id         INTEGER PRIMARY KEY,
  serial     INTEGER NOT NULL,
  at_ms      INTEGER NOT NULL,
  run_id     TEXT    NOT NULL,
  plan       TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  attempt    INTEGER NOT NULL,
  from_state TEXT    NOT NULL,
  to_state   TEXT    NOT NULL,
  aps_job_id TEXT    NOT NULL,
  request_id TEXT    NOT NULL,
  code       TEXT    NOT NULL,
  reason     TEXT    NOT NULL,
  evidence   TEXT    NOT NULL
) STRICT;

CREATE INDEX events_by_job ON events (plan, name, id);

CREATE TRIGGER events_no_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TRIGGER events_no_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

-- INSERT OR REPLACE deletes without asking the trigger above.
CREATE TRIGGER events_no_replace BEFORE INSERT ON events
WHEN EXISTS (SELECT 1 FROM events WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

-- What `apsctl ledger sql` promises to keep (docs/ledger.md): the tables above
-- may change, these columns only grow. Times are ISO 8601 in UTC.
CREATE VIEW jobs AS SELECT
  plan, name AS job, state, attempt AS attempts, aps_job_id, region,
  json_extract(spec, '$.source.instance') AS source,
  json_extract(spec, '$.destination.instance') AS destination,
  code, reason, request_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', signed_at_ms / 1000.0, 'unixepoch') AS sent_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', updated_at_ms / 1000.0, 'unixepoch') AS updated_at,
  labels, candidates, baseline, digest, spec
FROM entries;

CREATE VIEW attempts_log AS SELECT
  e.plan, e.name AS job, a.attempt, a.outcome, a.region, a.endpoint, a.nonce,
  strftime('%Y-%m-%dT%H:%M:%fZ', a.signed_at_ms / 1000.0, 'unixepoch') AS sent_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', a.updated_at_ms / 1000.0, 'unixepoch') AS updated_at,
  a.request_id, a.code, a.reason, nullif(a.evidence, '') AS evidence, a.baseline, a.digest, a.run_id AS run
FROM attempts a JOIN entries e ON e.id = a.entry_id;

CREATE VIEW history AS SELECT
  id, serial, strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch') AS at,
  plan, name AS job, attempt, from_state, to_state, aps_job_id, request_id, code, reason, nullif(evidence, '') AS evidence, run_id AS run
FROM events;

CREATE VIEW run_log AS SELECT
  id AS run, command, plan, plan_digest, host, user, pid, version,
  strftime('%Y-%m-%dT%H:%M:%fZ', started_at_ms / 1000.0, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', finished_at_ms / 1000.0, 'unixepoch') AS finished_at,
  exit_code, counts
FROM runs;
