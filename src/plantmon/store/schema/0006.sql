-- Points slower than a minute live beside the counters in "register": a few values over a long span, read by point.
ALTER TABLE point ADD COLUMN sparse INTEGER NOT NULL DEFAULT 0;
UPDATE point SET sparse = 1 WHERE id IN (SELECT point FROM register);

-- What a person wrote about an exceedance: it hangs on the window, so that it survives entries growing together.
CREATE TABLE exceedance_note (
  id        INTEGER PRIMARY KEY,
  limit_key TEXT NOT NULL,
  start     INTEGER NOT NULL,               -- the window's
  cause     TEXT NOT NULL,
  action    TEXT NOT NULL,
  by        TEXT NOT NULL,
  noted_ms  INTEGER NOT NULL
);
CREATE INDEX exceedance_note_of ON exceedance_note (limit_key, start);

-- Exceedances that later data, a declaration or another permit took back: what was said, and what is said instead.
CREATE TABLE withdrawn (
  id           INTEGER PRIMARY KEY,
  limit_key    TEXT NOT NULL,
  start        INTEGER NOT NULL,
  "end"        INTEGER NOT NULL,
  outcome      TEXT NOT NULL,
  value        REAL,
  bound        REAL,
  withdrawn_ms INTEGER NOT NULL,            -- plant time
  now_outcome  TEXT,                        -- NULL: no limit in force judges this window any more
  now_reason   TEXT,
  now_value    REAL
);
CREATE INDEX withdrawn_of ON withdrawn (limit_key, start);

-- When a monitor's outage was told to the authority.
CREATE TABLE fault_report (
  id         INTEGER PRIMARY KEY,
  point      INTEGER NOT NULL,
  start      INTEGER NOT NULL,              -- the outage's first hour
  at_ms      INTEGER NOT NULL,
  by         TEXT NOT NULL,
  note       TEXT NOT NULL,
  noted_ms   INTEGER NOT NULL
);
CREATE INDEX fault_report_of ON fault_report (point, start);

-- What people said and what was withdrawn stays as it was written (design rule 7).
CREATE TRIGGER exceedance_note_stands BEFORE UPDATE ON exceedance_note BEGIN SELECT raise(ABORT, 'append only'); END;
CREATE TRIGGER exceedance_note_stays BEFORE DELETE ON exceedance_note BEGIN SELECT raise(ABORT, 'append only'); END;
CREATE TRIGGER withdrawn_stands BEFORE UPDATE ON withdrawn BEGIN SELECT raise(ABORT, 'append only'); END;
CREATE TRIGGER withdrawn_stays BEFORE DELETE ON withdrawn BEGIN SELECT raise(ABORT, 'append only'); END;
CREATE TRIGGER fault_report_stands BEFORE UPDATE ON fault_report BEGIN SELECT raise(ABORT, 'append only'); END;
CREATE TRIGGER fault_report_stays BEFORE DELETE ON fault_report BEGIN SELECT raise(ABORT, 'append only'); END;
