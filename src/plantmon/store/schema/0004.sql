-- Emission amounts: kg of pollutants, measured, substituted, unknown. Point first: they are read one point over a span.

-- Hours of points whose amounts are to be made (again).
CREATE TABLE unweighed (
  hour  INTEGER NOT NULL,
  point INTEGER NOT NULL,
  seq   INTEGER NOT NULL,
  PRIMARY KEY (hour, point)
) WITHOUT ROWID;

-- What measurement says: an hour of air, a local day of waste water.
CREATE TABLE emission (
  point       INTEGER NOT NULL,
  level       TEXT NOT NULL,                -- 1h air, 1d waste water
  start       INTEGER NOT NULL,
  "end"       INTEGER NOT NULL,             -- until when it is known: of a day that goes on, the last closed hour's end
  ran_minutes INTEGER NOT NULL,             -- running (air) or discharging (water); 0: stopped, and 0 kg
  kg          REAL,                         -- NULL: not measured
  proven_kg   REAL,                         -- what over-range readings prove, NULL without; the amount is never less
  PRIMARY KEY (point, level, start)
) WITHOUT ROWID;
CREATE INDEX emission_missing ON emission (point, start) WHERE kg IS NULL AND level = '1h';

-- What stands in for what was not measured; the row of "emission" stays as it is.
CREATE TABLE substitute (
  point       INTEGER NOT NULL,
  level       TEXT NOT NULL,
  start       INTEGER NOT NULL,
  kg          REAL,                         -- NULL: nothing could stand in; the amount is unknown
  method      TEXT NOT NULL,                -- max_180, max_720, max_2160 ... mean_before, unknown
  capture     REAL,                         -- capture rate of the hour's quarter, 0..1; NULL for waste water
  provisional INTEGER NOT NULL,             -- the quarter is not over
  minutes     INTEGER NOT NULL,             -- running (discharging) time it stands for
  PRIMARY KEY (point, level, start)
) WITHOUT ROWID;

-- Sums of local days, air and waste water alike; months and years are sums of these.
CREATE TABLE emission_day (
  point               INTEGER NOT NULL,
  start               INTEGER NOT NULL,
  "end"               INTEGER NOT NULL,     -- until when it is known
  measured_kg         REAL NOT NULL,        -- measured, or proven by over-range readings
  substituted_kg      REAL NOT NULL,
  ran_minutes         INTEGER NOT NULL,     -- running or discharging
  substituted_minutes INTEGER NOT NULL,
  unknown_minutes     INTEGER NOT NULL,
  at_least            INTEGER NOT NULL,     -- a part of it is what over-range readings prove
  provisional         INTEGER NOT NULL,
  PRIMARY KEY (point, start)
) WITHOUT ROWID;
