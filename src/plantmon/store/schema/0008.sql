-- Alarms in the terms of ISA-18.2, one row an incident; what people last heard of it stands apart from what is wrong.
-- state: unacknowledged, acknowledged, returned (unacknowledged), shelved, normal. "cleared_ms" and "until_ms" are
-- those of the last time it went; NULL while it is wrong.
DROP INDEX alarm_standing;
ALTER TABLE alarm ADD COLUMN is_bad INTEGER NOT NULL DEFAULT 0;      -- whether it is wrong just now
ALTER TABLE alarm ADD COLUMN told TEXT NOT NULL DEFAULT 'raised';    -- what people heard last: nothing, raised, cleared
ALTER TABLE alarm ADD COLUMN times INTEGER NOT NULL DEFAULT 1;       -- how often it came within the incident
ALTER TABLE alarm ADD COLUMN clock_ms INTEGER NOT NULL DEFAULT 0;    -- from here on its age counts, for escalation
ALTER TABLE alarm ADD COLUMN escalated_ms INTEGER NOT NULL DEFAULT 0; -- age at which recipients were last looked for
ALTER TABLE alarm ADD COLUMN said_ms INTEGER;                        -- when it was first told, NULL: not yet
ALTER TABLE alarm ADD COLUMN again_ms INTEGER;                       -- when it was last told that it came back
ALTER TABLE alarm ADD COLUMN storm INTEGER;                          -- the storm that it came in, told of in lists
ALTER TABLE alarm ADD COLUMN shelved_ms INTEGER;
ALTER TABLE alarm ADD COLUMN shelved_until_ms INTEGER;
ALTER TABLE alarm ADD COLUMN shelved_by TEXT;
ALTER TABLE alarm ADD COLUMN shelf_reason TEXT;
ALTER TABLE alarm ADD COLUMN closed_ms INTEGER;
ALTER TABLE alarm ADD COLUMN closed_by TEXT;
ALTER TABLE alarm ADD COLUMN cause TEXT;
ALTER TABLE alarm ADD COLUMN action TEXT;

-- What was cleared before is over and done with: nobody is asked to acknowledge or close it now.
UPDATE alarm SET
  is_bad = state != 'cleared',
  told = CASE state WHEN 'cleared' THEN 'cleared' ELSE 'raised' END,
  clock_ms = raised_ms,
  escalated_ms = coalesce(json_extract(facts, '$.told_ms'), 0),
  said_ms = raised_ms,
  closed_ms = CASE state WHEN 'cleared' THEN cleared_ms END,
  closed_by = CASE state WHEN 'cleared' THEN 'plantmon' END,
  state = CASE state WHEN 'active' THEN 'unacknowledged' WHEN 'cleared' THEN 'normal' ELSE state END;
UPDATE alarm SET facts = json_remove(facts, '$.told_ms');

CREATE UNIQUE INDEX alarm_bad ON alarm (key) WHERE is_bad;
CREATE INDEX alarm_now_bad ON alarm (id) WHERE is_bad;
CREATE INDEX alarm_of_key ON alarm (key, id);
CREATE INDEX alarm_open ON alarm (id) WHERE state != 'normal' OR told = 'raised';
CREATE INDEX alarm_said ON alarm (said_ms);

-- When it was wrong, by event time: an incident may come and go.
CREATE TABLE alarm_span (
  alarm    INTEGER NOT NULL REFERENCES alarm (id),
  since_ms INTEGER NOT NULL,
  until_ms INTEGER,                         -- NULL: it still is
  PRIMARY KEY (alarm, since_ms)
) WITHOUT ROWID;
INSERT INTO alarm_span (alarm, since_ms, until_ms) SELECT id, since_ms, until_ms FROM alarm;

-- An alarm's history: every step, what was said of it and who did it.
CREATE TABLE alarm_event (
  id     INTEGER PRIMARY KEY,
  alarm  INTEGER NOT NULL REFERENCES alarm (id),
  at_ms  INTEGER NOT NULL,                  -- plant time
  event  TEXT NOT NULL,
  by     TEXT,                              -- NULL: plantmon itself
  detail TEXT NOT NULL                      -- JSON: state, said, reason, and what a person wrote
);
CREATE INDEX alarm_event_of ON alarm_event (alarm, id);
CREATE INDEX alarm_event_at ON alarm_event (at_ms);
INSERT INTO alarm_event (alarm, at_ms, event, detail)
  SELECT id, raised_ms, 'raise', json_object('state', 'unacknowledged', 'said', 'raised', 'came', json('true')) FROM alarm;
INSERT INTO alarm_event (alarm, at_ms, event, by, detail)
  SELECT id, acked_ms, 'acknowledge', acked_by, json_object('state', 'acknowledged', 'note', note)
  FROM alarm WHERE acked_ms IS NOT NULL;
INSERT INTO alarm_event (alarm, at_ms, event, detail)
  SELECT id, cleared_ms, 'return', json_object('state', 'normal', 'said', 'cleared')
  FROM alarm WHERE cleared_ms IS NOT NULL;
CREATE TRIGGER alarm_event_is_not_changed BEFORE UPDATE ON alarm_event
  BEGIN SELECT RAISE(ABORT, 'an alarm''s history is added to, never changed'); END;
CREATE TRIGGER alarm_event_is_not_deleted BEFORE DELETE ON alarm_event
  BEGIN SELECT RAISE(ABORT, 'an alarm''s history is added to, never deleted'); END;

-- What alarms of a storm have to say, waiting for the mail that lists it.
CREATE TABLE storm_line (
  id      INTEGER PRIMARY KEY,
  storm   INTEGER NOT NULL,
  alarm   INTEGER NOT NULL REFERENCES alarm (id),
  about   TEXT NOT NULL,                    -- raised, reminded, escalated, cleared ...
  at_ms   INTEGER NOT NULL,                 -- plant time
  told_ms INTEGER,                          -- plant time; NULL: waiting
  facts   TEXT NOT NULL                     -- JSON, as it was then
);
CREATE INDEX storm_line_waiting ON storm_line (storm) WHERE told_ms IS NULL;
CREATE INDEX storm_line_told ON storm_line (storm, told_ms);
CREATE TABLE told_alarm (
  alarm   INTEGER NOT NULL REFERENCES alarm (id),
  message INTEGER NOT NULL REFERENCES message (id),
  PRIMARY KEY (alarm, message)
) WITHOUT ROWID;

-- The mail about exceedances found in old data tells of those taken back, too.
-- late_breach.message: NULL waiting, 1 told as an exceedance, 2 told as taken back.
UPDATE message SET event = 'corrected', facts = json_set(facts, '$.kind', 'corrected') WHERE event = 'late';
INSERT INTO sequence (name, value) SELECT 'withdrawn_told', coalesce(max(id), 0) FROM withdrawn;
