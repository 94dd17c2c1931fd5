-- What arrived in each quarter of an hour (plant time), so that a day of any time zone can be summed up later.
CREATE TABLE tally (
  at    INTEGER NOT NULL,                   -- start of the quarter
  what  TEXT NOT NULL,                      -- readings, repeats, rejected:<reason>
  count INTEGER NOT NULL,
  PRIMARY KEY (at, what)
) WITHOUT ROWID;
