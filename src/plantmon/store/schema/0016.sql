-- Days of UTC whose readings are sealed in files. From its row on, a day's readings in "reading" do not change any more,
-- and what still comes for it goes into late_reading.
CREATE TABLE archive_day (
  day         INTEGER PRIMARY KEY,
  sealed_ms   INTEGER,                      -- when its file was verified; NULL: being sealed
  released_ms INTEGER,                      -- from then on its dense readings are read from its files
  emptied_ms  INTEGER,                      -- when the last of them had left "reading"
  late_until  INTEGER NOT NULL              -- late readings up to this number are in a supplement
);
CREATE INDEX archive_day_leaving ON archive_day (released_ms) WHERE emptied_ms IS NULL;

-- The manifest: one row a file, chained to the row before it.
CREATE TABLE archive_file (
  seq        INTEGER PRIMARY KEY,
  day        INTEGER NOT NULL,
  supplement INTEGER NOT NULL,              -- 0: the day's file
  name       TEXT NOT NULL UNIQUE,          -- within the archive's folder
  rows       INTEGER NOT NULL,
  bytes      INTEGER NOT NULL,
  sha256     TEXT NOT NULL,
  sealed_ms  INTEGER NOT NULL,
  chain      TEXT NOT NULL,
  UNIQUE (day, supplement)
);

-- Readings that came for a sealed day. Those of sparse points are copies: they stay in "register" for good.
CREATE TABLE late_reading (
  ts         INTEGER NOT NULL,
  point      INTEGER NOT NULL,
  value      REAL NOT NULL,
  flag       INTEGER NOT NULL,
  arrival_ms INTEGER NOT NULL,
  added      INTEGER NOT NULL,              -- grows with every batch of them
  PRIMARY KEY (ts, point)
) WITHOUT ROWID;

-- A point that was dense and became sparse: its readings of released days before this instant are in files alone.
ALTER TABLE point ADD COLUMN filed_until_ms INTEGER NOT NULL DEFAULT 0;
