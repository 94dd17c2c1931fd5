-- Which plant-file version judges which time (design rule 6): a version is in force from its loading unless it was
-- adopted for another day. Of several adoptions of a version the newest counts; none is ever changed.

CREATE TABLE adoption (
  id          INTEGER PRIMARY KEY,
  version     INTEGER NOT NULL REFERENCES plant_version (id),
  from_ms     INTEGER NOT NULL,             -- a local midnight
  "by"        TEXT NOT NULL,
  reason      TEXT NOT NULL,
  declared_ms INTEGER NOT NULL
);
CREATE TRIGGER adoption_unchanged BEFORE UPDATE ON adoption
BEGIN
  SELECT RAISE(ABORT, 'an adoption is never changed');
END;
CREATE TRIGGER adoption_kept BEFORE DELETE ON adoption
BEGIN
  SELECT RAISE(ABORT, 'an adoption is never deleted');
END;
