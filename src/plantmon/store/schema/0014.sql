-- Annual figures that were published: everything a report was made of, whole. Rows are only added; a later change is a
-- row that takes the place of the one before it, with its reason and what it changed.
CREATE TABLE published (
  id           INTEGER PRIMARY KEY,
  period       TEXT NOT NULL,               -- 2020, 2020-Q3, 2020-07
  published_ms INTEGER NOT NULL,
  by           TEXT NOT NULL,
  reason       TEXT NOT NULL,               -- of a restatement, else empty
  supersedes   INTEGER UNIQUE REFERENCES published (id),
  plant        TEXT NOT NULL,               -- hash of the plant file
  catalogue    TEXT NOT NULL,               -- hash of the catalogue of metrics
  sha256       TEXT NOT NULL,               -- of "document"
  document     TEXT NOT NULL                -- JSON: the figures with their derivations, the factors
);
CREATE INDEX published_of ON published (period);

-- What a restatement changed; values are decimal, NULL: not known.
CREATE TABLE restated (
  published INTEGER NOT NULL REFERENCES published (id),
  metric    TEXT NOT NULL,
  unit      TEXT NOT NULL,
  old       TEXT,
  new       TEXT,
  PRIMARY KEY (published, metric)
) WITHOUT ROWID;

CREATE TRIGGER published_stands BEFORE UPDATE ON published
  BEGIN SELECT RAISE(ABORT, 'what was published is never changed'); END;
CREATE TRIGGER published_stays BEFORE DELETE ON published
  BEGIN SELECT RAISE(ABORT, 'what was published is never deleted'); END;
CREATE TRIGGER restated_stands BEFORE UPDATE ON restated
  BEGIN SELECT RAISE(ABORT, 'what was published is never changed'); END;
CREATE TRIGGER restated_stays BEFORE DELETE ON restated
  BEGIN SELECT RAISE(ABORT, 'what was published is never deleted'); END;
