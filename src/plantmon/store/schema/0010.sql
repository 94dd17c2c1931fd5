-- Execution reports that were handed in to the authority: 2026-03, 2026-Q1, 2026. Entries are only added; of several to
-- one period the first that was handed in counts.
CREATE TABLE handed_in (
  id       INTEGER PRIMARY KEY,
  period   TEXT NOT NULL,
  at_ms    INTEGER NOT NULL,                -- when it was handed in
  by       TEXT NOT NULL,
  note     TEXT,
  noted_ms INTEGER NOT NULL
);
CREATE INDEX handed_in_of ON handed_in (period);
CREATE TRIGGER handed_in_is_not_changed BEFORE UPDATE ON handed_in
  BEGIN SELECT RAISE(ABORT, 'what was handed in is added to, never changed'); END;
CREATE TRIGGER handed_in_is_not_deleted BEFORE DELETE ON handed_in
  BEGIN SELECT RAISE(ABORT, 'what was handed in is added to, never deleted'); END;
