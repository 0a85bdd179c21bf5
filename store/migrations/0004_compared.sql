-- When the details of a job were last held against its entry, and the fields, by
-- comma, in which the service had something else: '' for none.
ALTER TABLE entries ADD COLUMN compared_at_ms INTEGER;
ALTER TABLE entries ADD COLUMN differed TEXT NOT NULL DEFAULT '';

DROP VIEW jobs;
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
