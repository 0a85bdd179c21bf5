-- Saved plans that were carried out, or begun to be: each only once.
CREATE TABLE saved_plans (
  id    TEXT    PRIMARY KEY,
  run   TEXT    NOT NULL,
  at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
