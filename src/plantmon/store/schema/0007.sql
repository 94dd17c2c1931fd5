-- What makes a point's minutes suspicious, an hour's pieces each: one value for too long, a step too high.
-- Derived from the minutes of closed hours; it changes no validity, and is computed again with its hours.
CREATE TABLE suspect (
  point  INTEGER NOT NULL,
  start  INTEGER NOT NULL,
  kind   TEXT NOT NULL,                     -- stuck, jump
  "end"  INTEGER NOT NULL,
  detail TEXT NOT NULL,                     -- the value; the means before and after
  PRIMARY KEY (point, start, kind)
) WITHOUT ROWID;

-- When a reading of a point was last refused as lying in the future: its device's clock is ahead.
ALTER TABLE point ADD COLUMN ahead_ms INTEGER;
