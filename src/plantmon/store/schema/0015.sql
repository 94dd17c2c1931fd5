-- What is to be sent to an InfluxDB: a blob of each committed batch, in the order of the commits.

-- AUTOINCREMENT: a number is never given twice, also when all before it are gone.
CREATE TABLE spool (
  seq  INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,                       -- reading, window, verdict, alarm, metric
  rows INTEGER NOT NULL,
  data BLOB NOT NULL
);

-- One row: how much is kept at most (0: nothing is spooled), and what there is.
CREATE TABLE spool_total (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  most     INTEGER NOT NULL,                 -- bytes
  bytes    INTEGER NOT NULL,
  rows     INTEGER NOT NULL,
  accepted INTEGER NOT NULL,                -- blobs up to this number were accepted, and stay for a while
  held     INTEGER NOT NULL,                -- rows of those
  refused  INTEGER NOT NULL                 -- lines refused for good since the store began
);
INSERT INTO spool_total (id, most, bytes, rows, accepted, held, refused) VALUES (1, 0, 0, 0, 0, 0, 0);

-- What was dropped because the spool was full, as one span of event time a kind, until it was sent again.
CREATE TABLE spool_dropped (
  kind    TEXT PRIMARY KEY,
  from_ms INTEGER NOT NULL,
  to_ms   INTEGER NOT NULL,                 -- not included
  rows    INTEGER NOT NULL
) WITHOUT ROWID;

-- Spans somebody asked to be sent again, and how far that is: part and the key in it that was sent last.
CREATE TABLE resend (
  id       INTEGER PRIMARY KEY,
  from_ms  INTEGER NOT NULL,
  to_ms    INTEGER NOT NULL,
  asked_ms INTEGER NOT NULL,
  by       TEXT NOT NULL,
  part     TEXT NOT NULL,                   -- reading, register, window, verdict, alarm, metric
  after    TEXT NOT NULL,                   -- JSON
  rows     INTEGER NOT NULL                 -- sent so far
);

-- What InfluxDB refused for good, with its answer; the newest are kept.
CREATE TABLE refused_line (
  id         INTEGER PRIMARY KEY,
  refused_ms INTEGER NOT NULL,              -- plant time
  line       TEXT NOT NULL,
  code       INTEGER,
  answer     TEXT NOT NULL
);

-- The tags of a point, as they were when it was first sent: another tag would make another series of the same readings.
CREATE TABLE sent_point (
  point    INTEGER PRIMARY KEY,
  name     TEXT NOT NULL,
  unit     TEXT NOT NULL,
  outlet   TEXT,
  quantity TEXT
);
