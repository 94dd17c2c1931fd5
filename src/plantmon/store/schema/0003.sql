-- What people declare after the fact: marks over spans, corrected values, calibrations (design rules 7 and 10).
-- Entries, not edits: a later one supersedes an earlier one, which stays readable.

CREATE TABLE mark (
  id          INTEGER PRIMARY KEY,
  outlet      TEXT,                         -- NULL: the point is a meter
  point       TEXT,                         -- full id; NULL: all points of the outlet
  start       INTEGER NOT NULL,
  "end"       INTEGER NOT NULL,             -- not included
  state       TEXT NOT NULL,                -- tables/states.csv; normal: as the device flagged it
  by          TEXT NOT NULL,
  reason      TEXT NOT NULL,
  declared_ms INTEGER NOT NULL
);
-- Both bounds, so that a slice of time is answered from the index alone where nothing is declared.
CREATE INDEX mark_until ON mark ("end", start);

CREATE TABLE correction (
  id          INTEGER PRIMARY KEY,
  point       INTEGER NOT NULL REFERENCES point (id),
  ts          INTEGER NOT NULL,             -- of the reading
  value       REAL NOT NULL,                -- in the point's unit
  was         REAL NOT NULL,                -- what stood until then
  by          TEXT NOT NULL,
  reason      TEXT NOT NULL,
  declared_ms INTEGER NOT NULL
);
CREATE INDEX correction_at ON correction (ts, point);

CREATE TABLE calibration (
  id          INTEGER PRIMARY KEY,
  point       INTEGER NOT NULL REFERENCES point (id),
  at_ms       INTEGER NOT NULL,
  zero        REAL NOT NULL,                -- what the instrument showed of zero and span gas, in the point's unit
  span        REAL NOT NULL,
  result      TEXT NOT NULL CHECK (result IN ('pass', 'fail')),
  by          TEXT NOT NULL,
  note        TEXT,
  declared_ms INTEGER NOT NULL
);
CREATE INDEX calibration_of ON calibration (point, at_ms);
CREATE INDEX calibration_failed ON calibration (point) WHERE result = 'fail';
-- Of several entries for one point and instant the newest stands.
CREATE VIEW calibration_standing AS
  SELECT * FROM calibration AS one
  WHERE NOT EXISTS (
    SELECT 1 FROM calibration AS later
    WHERE later.point = one.point AND later.at_ms = one.at_ms AND later.id > one.id
  );

CREATE TRIGGER mark_is_not_changed BEFORE UPDATE ON mark
  BEGIN SELECT RAISE(ABORT, 'declarations are added to, never changed'); END;
CREATE TRIGGER mark_is_not_deleted BEFORE DELETE ON mark
  BEGIN SELECT RAISE(ABORT, 'declarations are added to, never deleted'); END;
CREATE TRIGGER correction_is_not_changed BEFORE UPDATE ON correction
  BEGIN SELECT RAISE(ABORT, 'declarations are added to, never changed'); END;
CREATE TRIGGER correction_is_not_deleted BEFORE DELETE ON correction
  BEGIN SELECT RAISE(ABORT, 'declarations are added to, never deleted'); END;
CREATE TRIGGER calibration_is_not_changed BEFORE UPDATE ON calibration
  BEGIN SELECT RAISE(ABORT, 'declarations are added to, never changed'); END;
CREATE TRIGGER calibration_is_not_deleted BEFORE DELETE ON calibration
  BEGIN SELECT RAISE(ABORT, 'declarations are added to, never deleted'); END;
