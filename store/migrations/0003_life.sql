-- What the plan last said of a job beside its spec, for when the job has left the
-- plan, and what it was last put to or found at: '', 'running' or 'suspended'.
ALTER TABLE entries ADD COLUMN life TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(life));
ALTER TABLE entries ADD COLUMN doing TEXT NOT NULL DEFAULT '';
