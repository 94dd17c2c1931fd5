-- What devices report of minutes, hours and days, beside what we compute ourselves (HJ 212 CN 2051, 2061, 2031).
-- Values are in the point's unit; amounts in their own, NULL where HJ 212 names none that holds.

CREATE TABLE reported (
  point             INTEGER NOT NULL,
  start             INTEGER NOT NULL,
  level             TEXT NOT NULL,          -- 1h, 1d, or the length of minute data: 10min
  mean              REAL,
  minimum           REAL,
  maximum           REAL,
  converted_mean    REAL,                   -- to the reference oxygen
  converted_minimum REAL,
  converted_maximum REAL,
  amount            REAL,
  converted_amount  REAL,
  amount_unit       TEXT,
  flag              INTEGER NOT NULL,
  arrival_ms        INTEGER NOT NULL,
  own               REAL,                   -- our mean it was compared with
  compared          TEXT,                   -- agrees, differs, not_comparable; NULL: not compared yet
  PRIMARY KEY (point, start, level)
) WITHOUT ROWID;
CREATE INDEX reported_waiting ON reported (start) WHERE compared IS NULL;
