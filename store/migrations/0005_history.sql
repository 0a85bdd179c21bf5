-- What a run did beside its counts, as JSON; '{}' for runs before this column.
ALTER TABLE runs ADD COLUMN detail TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(detail));

DROP VIEW run_log;
CREATE VIEW run_log AS SELECT
  id AS run, command, plan, plan_digest, host, user, pid, version,
  strftime('%Y-%m-%dT%H:%M:%fZ', started_at_ms / 1000.0, 'unixepoch') AS started_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', finished_at_ms / 1000.0, 'unixepoch') AS finished_at,
  exit_code, counts, detail
FROM runs;

-- Deletions of old events. An event that no row here reaches cannot be deleted,
-- and so each deletion has left its row.
CREATE TABLE prunes (
  id            INTEGER PRIMARY KEY,
  at_ms         INTEGER NOT NULL,
  who           TEXT    NOT NULL,
  before_ms     INTEGER NOT NULL, -- what is older than this was to go
  through_event INTEGER NOT NULL, -- no event after it was deleted
  events        INTEGER NOT NULL,
  runs          INTEGER NOT NULL
) STRICT;

DROP TRIGGER events_no_delete;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events
WHEN OLD.id > (SELECT coalesce(max(through_event), 0) FROM prunes)
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE VIEW prune_log AS SELECT
  strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch') AS at, who,
  strftime('%Y-%m-%dT%H:%M:%fZ', before_ms / 1000.0, 'unixepoch') AS older_than, events, runs
FROM prunes;
