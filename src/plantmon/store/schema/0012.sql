-- What no sensor knows, line by line: fuels, wastes, production, laboratory results, bills. Lines are only added; a
-- correction or withdrawal is a line that supersedes another.

-- A file that was taken in, whole.
CREATE TABLE ledger_file (
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  sha256     TEXT NOT NULL,
  by         TEXT NOT NULL,
  entered_ms INTEGER NOT NULL
);

CREATE TABLE ledger (
  id          INTEGER PRIMARY KEY,
  period      TEXT NOT NULL,                -- 2020-02-14, 2020-01, 2020-Q1, 2020
  start       INTEGER NOT NULL,             -- its span in plant time, half-open
  "end"       INTEGER NOT NULL,
  item        TEXT NOT NULL,
  value       TEXT,                         -- decimal, in "unit"; NULL: the line it supersedes is withdrawn
  below       TEXT,                         -- a laboratory result below this limit, decimal; value is then 0
  unit        TEXT NOT NULL,                -- one of the item's own units
  written     TEXT NOT NULL,                -- value and unit as they were given
  source      TEXT NOT NULL,                -- the document
  note        TEXT NOT NULL,
  by          TEXT NOT NULL,
  entered_ms  INTEGER NOT NULL,
  supersedes  INTEGER UNIQUE REFERENCES ledger (id),
  reason      TEXT NOT NULL,                -- of a correction or withdrawal, else empty
  file        INTEGER REFERENCES ledger_file (id),
  line        INTEGER                       -- of the file
);
CREATE INDEX ledger_of ON ledger (item, start);
CREATE INDEX ledger_at ON ledger (start);

-- The lines that count: with a value, and superseded by none.
CREATE VIEW ledger_standing AS
  SELECT * FROM ledger AS one
  WHERE value IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ledger AS later WHERE later.supersedes = one.id);

-- Corrections are lines, never edits (design rule 7).
CREATE TRIGGER ledger_stands BEFORE UPDATE ON ledger
  BEGIN SELECT RAISE(ABORT, 'the ledger is added to, never changed'); END;
CREATE TRIGGER ledger_stays BEFORE DELETE ON ledger
  BEGIN SELECT RAISE(ABORT, 'the ledger is added to, nothing is deleted'); END;
CREATE TRIGGER ledger_file_stands BEFORE UPDATE ON ledger_file
  BEGIN SELECT RAISE(ABORT, 'the ledger is added to, never changed'); END;
CREATE TRIGGER ledger_file_stays BEFORE DELETE ON ledger_file
  BEGIN SELECT RAISE(ABORT, 'the ledger is added to, nothing is deleted'); END;
