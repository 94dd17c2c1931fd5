-- What people ask of the daemon from other processes; the daemon answers in the same row.
CREATE TABLE request (
  id          INTEGER PRIMARY KEY,
  kind        TEXT NOT NULL,
  body        TEXT NOT NULL,
  asked_by    TEXT NOT NULL,
  asked_ms    INTEGER NOT NULL,             -- real time
  answered_ms INTEGER,
  ok          INTEGER,
  answer      TEXT
);
CREATE INDEX request_open ON request (id) WHERE answered_ms IS NULL;
