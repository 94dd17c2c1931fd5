-- The store's first shape. Instants are UTC epoch milliseconds; JSON columns hold objects.
-- Numbered files are applied in order, each in one transaction, and never edited after release.

CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value TEXT NOT NULL
) WITHOUT ROWID;

-- Every plant file that was ever loaded, whole (design rule 6).
CREATE TABLE plant_version (
  id        INTEGER PRIMARY KEY,
  hash      TEXT NOT NULL,
  loaded_ms INTEGER NOT NULL,
  text      TEXT NOT NULL
);

CREATE TABLE point (
  id        INTEGER PRIMARY KEY,
  name      TEXT NOT NULL UNIQUE,
  unit      TEXT NOT NULL,
  since_ms  INTEGER NOT NULL,               -- first loaded; silence counts from here
  spoken_ms INTEGER,                        -- newest event time, never from a retained message
  heard_ms  INTEGER,                        -- arrival of the newest live message
  first_ms  INTEGER                         -- oldest event time: windows begin here
);

-- Gauges: time first, because windows read a slice of time for all points at once.
CREATE TABLE reading (
  ts         INTEGER NOT NULL,
  point      INTEGER NOT NULL,
  value      REAL NOT NULL,
  flag       INTEGER NOT NULL,
  arrival_ms INTEGER NOT NULL,
  PRIMARY KEY (ts, point)
) WITHOUT ROWID;

-- Counters: point first, because a window needs the readings around its edges, however far away.
CREATE TABLE register (
  point      INTEGER NOT NULL,
  ts         INTEGER NOT NULL,
  value      REAL NOT NULL,
  flag       INTEGER NOT NULL,
  arrival_ms INTEGER NOT NULL,
  PRIMARY KEY (point, ts)
) WITHOUT ROWID;

-- What was not stored, counted by reason and topic; a bounded number of payloads is kept for each.
CREATE TABLE rejected (
  id       INTEGER PRIMARY KEY,
  reason   TEXT NOT NULL,
  topic    TEXT NOT NULL,
  count    INTEGER NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms  INTEGER NOT NULL,
  UNIQUE (reason, topic)
);
CREATE TABLE rejected_payload (
  id         INTEGER PRIMARY KEY,
  rejected   INTEGER NOT NULL REFERENCES rejected (id),
  arrival_ms INTEGER NOT NULL,
  point      TEXT,
  ts         INTEGER,
  detail     TEXT NOT NULL,
  size       INTEGER NOT NULL,
  payload    BLOB NOT NULL
);
CREATE INDEX rejected_payload_of ON rejected_payload (rejected);

-- Hours of a point whose readings changed since its windows were computed; minutes is a mask of 60 bits.
CREATE TABLE touched (
  hour    INTEGER NOT NULL,
  point   INTEGER NOT NULL,
  minutes INTEGER NOT NULL,
  seq     INTEGER NOT NULL,
  PRIMARY KEY (hour, point)
) WITHOUT ROWID;
CREATE TABLE sequence (
  name  TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) WITHOUT ROWID;

-- Minute windows, packed: one row a point and hour, arrays of 60 inside.
CREATE TABLE minutes (
  hour   INTEGER NOT NULL,
  point  INTEGER NOT NULL,
  packed BLOB NOT NULL,
  PRIMARY KEY (hour, point)
) WITHOUT ROWID;

-- Hours and days. Gauges: mean, minimum, maximum of valid readings; lower_bound where over-range readings are.
-- Counters: amount in 1e-6 of the unit, as integer.
CREATE TABLE "window" (
  level       TEXT NOT NULL,                -- 1h, 1d
  start       INTEGER NOT NULL,
  point       INTEGER NOT NULL,
  "end"       INTEGER NOT NULL,
  mean        REAL,
  minimum     REAL,
  maximum     REAL,
  lower_bound REAL,
  amount      INTEGER,
  due         INTEGER NOT NULL,             -- parts due: minutes, values or hours; milliseconds for a counter
  had         INTEGER NOT NULL,             -- parts with any reading
  valid       INTEGER NOT NULL,             -- parts that count
  readings    INTEGER NOT NULL,             -- valid readings
  over_range  INTEGER NOT NULL,             -- parts with an over-range reading
  ran         INTEGER,                      -- when the source ran: hour, mask of minutes; day, hours; NULL: no such condition
  is_valid    INTEGER NOT NULL,
  estimated   INTEGER NOT NULL,
  PRIMARY KEY (level, start, point)
) WITHOUT ROWID;

-- The span in which a point's hours and days are closed: each of them has its row in "window".
CREATE TABLE closed (
  point    INTEGER NOT NULL,
  level    TEXT NOT NULL,
  from_ms  INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  PRIMARY KEY (point, level)
) WITHOUT ROWID;

-- Windows whose verdicts are to be made (again).
CREATE TABLE unjudged (
  level TEXT NOT NULL,
  start INTEGER NOT NULL,
  point INTEGER NOT NULL,
  seq   INTEGER NOT NULL,
  PRIMARY KEY (level, start, point)
) WITHOUT ROWID;

-- What a counter's register did besides counting.
CREATE TABLE meter_event (
  point  INTEGER NOT NULL,
  ts     INTEGER NOT NULL,
  kind   TEXT NOT NULL,                     -- reset, roll_over, slight_fall, brief_zero, replaced, too_fast
  before REAL NOT NULL,
  after  REAL NOT NULL,
  amount INTEGER NOT NULL,
  PRIMARY KEY (point, ts)
) WITHOUT ROWID;

CREATE TABLE verdict (
  limit_key TEXT NOT NULL,
  start     INTEGER NOT NULL,
  "end"     INTEGER NOT NULL,
  outcome   TEXT NOT NULL,                  -- ok, warn, exceed, exceed_at_least, not_judged
  reason    TEXT,                           -- why not judged
  value     REAL,
  bound     REAL,                           -- the limit's end that was compared
  detail    TEXT,                           -- readings: excursions of the hour
  seq       INTEGER NOT NULL UNIQUE,        -- grows with every change; the alarms read from where they were
  PRIMARY KEY (limit_key, start)
) WITHOUT ROWID;

-- Runs of breaching readings that limits on single readings follow live; one row a limit.
CREATE TABLE live_run (
  limit_key TEXT PRIMARY KEY,
  first_ms  INTEGER NOT NULL,
  last_ms   INTEGER NOT NULL,
  peak      REAL NOT NULL,
  total     REAL NOT NULL,
  count     INTEGER NOT NULL,
  at_least  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE alarm (
  id          INTEGER PRIMARY KEY,
  key         TEXT NOT NULL,                -- what is wrong: breach:<limit>, warning:<limit>, silent:<point> ...
  kind        TEXT NOT NULL,
  severity    TEXT NOT NULL,                -- breach, warning, data
  state       TEXT NOT NULL,                -- active, acknowledged, cleared
  raised_ms   INTEGER NOT NULL,
  since_ms    INTEGER NOT NULL,             -- event time at which it began
  cleared_ms  INTEGER,
  until_ms    INTEGER,                      -- event time at which it ended
  acked_ms    INTEGER,
  acked_by    TEXT,
  note        TEXT,
  reminded_ms INTEGER,
  facts       TEXT NOT NULL                 -- JSON: outlet, point, limit, value, peak, mean, windows ...
);
CREATE UNIQUE INDEX alarm_standing ON alarm (key) WHERE state != 'cleared';

-- The newest window that moved an alarm; older verdicts change the register only.
CREATE TABLE alarm_cursor (
  limit_key TEXT PRIMARY KEY,
  start     INTEGER NOT NULL
) WITHOUT ROWID;

-- Breaches found in old data, waiting for their one summary mail.
CREATE TABLE late_breach (
  limit_key TEXT NOT NULL,
  start     INTEGER NOT NULL,
  found_ms  INTEGER NOT NULL,
  message   INTEGER,
  PRIMARY KEY (limit_key, start)
) WITHOUT ROWID;

-- The outbox. A message is what is said, a delivery is one address it goes to.
CREATE TABLE message (
  id         INTEGER PRIMARY KEY,
  message_id TEXT NOT NULL UNIQUE,
  alarm      INTEGER REFERENCES alarm (id),
  event      TEXT NOT NULL,                 -- raised, reminded, escalated, cleared, late, test
  severity   TEXT NOT NULL,
  language   TEXT NOT NULL,
  created_ms INTEGER NOT NULL,              -- plant time
  not_before_ms INTEGER NOT NULL,           -- plant time; quiet hours
  facts      TEXT NOT NULL,
  mime       BLOB                           -- composed once, so that every try sends the same
);
CREATE INDEX message_of_alarm ON message (alarm);
CREATE TABLE delivery (
  message     INTEGER NOT NULL REFERENCES message (id),
  address     TEXT NOT NULL,
  recipient   TEXT NOT NULL,
  state       TEXT NOT NULL,                -- queued, accepted, refused
  attempts    INTEGER NOT NULL,
  next_try_ms INTEGER NOT NULL,             -- real time
  answered_ms INTEGER,                      -- real time
  answer      TEXT,
  PRIMARY KEY (message, address)
) WITHOUT ROWID;
CREATE INDEX delivery_queued ON delivery (next_try_ms) WHERE state = 'queued';

CREATE TABLE health (
  component TEXT PRIMARY KEY,
  state     TEXT NOT NULL,                  -- ok, failing
  since_ms  INTEGER NOT NULL,
  count     INTEGER NOT NULL,
  detail    TEXT NOT NULL
) WITHOUT ROWID;
