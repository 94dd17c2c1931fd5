-- Declared changes of meters: what the old register showed last, what the new one showed first. Entries, not edits: of
-- several for one meter and instant the newest stands, and one that withdraws another takes it back.
CREATE TABLE meter_change (
  id          INTEGER PRIMARY KEY,
  point       INTEGER NOT NULL REFERENCES point (id),
  at_ms       INTEGER NOT NULL,
  final       REAL,                         -- in the register's unit, before the ratio; NULL: a withdrawal
  initial     REAL,
  serial      TEXT,                         -- of the new meter
  by          TEXT NOT NULL,
  note        TEXT,
  declared_ms INTEGER NOT NULL,
  withdraws   INTEGER REFERENCES meter_change (id),
  CHECK ((withdraws IS NULL) = (final IS NOT NULL AND initial IS NOT NULL AND serial IS NOT NULL))
);
CREATE INDEX meter_change_of ON meter_change (point, at_ms);
CREATE UNIQUE INDEX meter_change_withdrawn ON meter_change (withdraws) WHERE withdraws IS NOT NULL;
CREATE VIEW meter_change_standing AS
  SELECT * FROM meter_change AS one
  WHERE one.withdraws IS NULL
    AND NOT EXISTS (SELECT 1 FROM meter_change AS back WHERE back.withdraws = one.id)
    AND NOT EXISTS (
      SELECT 1 FROM meter_change AS later
      WHERE later.point = one.point AND later.at_ms = one.at_ms AND later.withdraws IS NULL AND later.id > one.id
        AND NOT EXISTS (SELECT 1 FROM meter_change AS back WHERE back.withdraws = later.id)
    );
CREATE TRIGGER meter_change_is_not_changed BEFORE UPDATE ON meter_change
  BEGIN SELECT RAISE(ABORT, 'declarations are added to, never changed'); END;
CREATE TRIGGER meter_change_is_not_deleted BEFORE DELETE ON meter_change
  BEGIN SELECT RAISE(ABORT, 'declarations are added to, never deleted'); END;

-- Hours that hold part of a gap are few; reports ask for their sum over a year.
CREATE INDEX window_estimated ON "window" (start, point) WHERE level = '1h' AND estimated != 0;
