-- Files of readings that are taken in, and how far that is, so that one that was interrupted goes on.
CREATE TABLE import (
  id         INTEGER PRIMARY KEY,
  file       TEXT NOT NULL,
  sha256     TEXT NOT NULL,                 -- of the file as it was given
  staged     TEXT NOT NULL,                 -- the folder beside the store that holds what was read of it, until the end
  asked_by   TEXT NOT NULL,
  begun_ms   INTEGER NOT NULL,              -- the arrival of its readings, unless theirs were kept
  first_ms   INTEGER,                       -- of its readings
  last_ms    INTEGER,
  total      INTEGER NOT NULL,              -- readings, and devices' own figures, in it
  checked    INTEGER NOT NULL DEFAULT 0,    -- so many of the readings were compared with what stands
  done       INTEGER NOT NULL DEFAULT 0,    -- so many of the total are done
  fresh      INTEGER NOT NULL DEFAULT 0,    -- so many of these were new
  conflicts  INTEGER NOT NULL DEFAULT 0,    -- so many contradicted what came while it was taken in
  ended_ms   INTEGER
);
