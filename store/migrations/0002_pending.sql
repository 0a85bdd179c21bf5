-- The change of an existing job that may still take effect, '' for none, the
-- digest of what it is to be, and whether the job was seen to be so since.
ALTER TABLE entries ADD COLUMN pending TEXT NOT NULL DEFAULT '';
ALTER TABLE entries ADD COLUMN pending_digest TEXT NOT NULL DEFAULT '';
ALTER TABLE entries ADD COLUMN pending_signed_at_ms INTEGER;
ALTER TABLE entries ADD COLUMN pending_confirmed INTEGER NOT NULL DEFAULT 0;

-- What may exist without a settled id: no other plan may create it meanwhile.
CREATE INDEX entries_open ON entries (plan, name) WHERE state IN ('intent', 'unknown', 'conflict', 'duplicate');

DROP VIEW jobs;
CREATE VIEW jobs AS SELECT
  plan, name AS job, state, attempt AS attempts, aps_job_id, region,
  json_extract(spec, '$.source.instance') AS source,
  json_extract(spec, '$.destination.instance') AS destination,
  code, reason, request_id,
  strftime('%Y-%m-%dT%H:%M:%fZ', signed_at_ms / 1000.0, 'unixepoch') AS sent_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', updated_at_ms / 1000.0, 'unixepoch') AS updated_at,
  labels, candidates, baseline, digest, spec, nullif(pending, '') AS pending,
  strftime('%Y-%m-%dT%H:%M:%fZ', pending_signed_at_ms / 1000.0, 'unixepoch') AS pending_since
FROM entries;
