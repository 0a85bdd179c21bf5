-- What the run that sent the latest create waits for, and what follows then: another
-- plan's run and a person's command look at the entry too. 0 and '' where nobody said.
ALTER TABLE entries ADD COLUMN settle_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE entries ADD COLUMN on_unknown TEXT NOT NULL DEFAULT '';
