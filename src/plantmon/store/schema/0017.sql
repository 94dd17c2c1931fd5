-- Spans that are being computed again, and how far that is, so that one that was interrupted goes on.
CREATE TABLE recompute (
  id       INTEGER PRIMARY KEY,
  from_ms  INTEGER NOT NULL,
  to_ms    INTEGER NOT NULL,
  asked_ms INTEGER NOT NULL,
  made_by  TEXT NOT NULL,                   -- plant file and version of plantmon: with another it begins anew
  part     TEXT NOT NULL,                   -- windows, amounts, verdicts
  at_ms    INTEGER NOT NULL,                -- what of the part lies before it is done
  windows  INTEGER NOT NULL,                -- that came out differently so far
  verdicts INTEGER NOT NULL
);
