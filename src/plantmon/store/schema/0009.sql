-- The way of each message: every try with its answer, and the second channel for breaches whose mail is stuck.

-- Entries are only added. Of each address the first three tries and the last twenty stay; those between them go.
CREATE TABLE attempt (
  id       INTEGER PRIMARY KEY,
  message  INTEGER NOT NULL REFERENCES message (id),
  channel  TEXT NOT NULL,                   -- mail, webhook, apprise
  address  TEXT NOT NULL,                   -- of a second channel the host
  number   INTEGER NOT NULL,                -- from 1, of this address
  plant_ms INTEGER NOT NULL,
  real_ms  INTEGER NOT NULL,
  server   TEXT NOT NULL,
  state    TEXT NOT NULL,                   -- accepted, queued (to be tried again), postponed (not tried), refused
  code     INTEGER,                         -- NULL: the server answered nothing
  answer   TEXT NOT NULL
);
CREATE UNIQUE INDEX attempt_of ON attempt (message, channel, address, number);
CREATE TRIGGER attempt_is_not_changed BEFORE UPDATE ON attempt
  BEGIN SELECT RAISE(ABORT, 'a try is never changed'); END;
CREATE TRIGGER attempt_is_not_deleted BEFORE DELETE ON attempt
  WHEN OLD.number <= 3 OR NOT EXISTS (
    SELECT 1 FROM attempt AS later
    WHERE later.message = OLD.message AND later.channel = OLD.channel AND later.address = OLD.address
      AND later.number >= OLD.number + 20
  )
  BEGIN SELECT RAISE(ABORT, 'the first tries and the last stay'); END;

-- An event on the second channel, once for all the languages of its mails; composed once, so that every try is the same.
CREATE TABLE second_delivery (
  id          INTEGER PRIMARY KEY,
  channel     TEXT NOT NULL,                -- webhook, apprise
  server      TEXT NOT NULL,                -- its host; of apprise, how many services
  key         TEXT NOT NULL UNIQUE,         -- the same in each try: who gets it twice knows that it is one
  body        BLOB NOT NULL,
  state       TEXT NOT NULL,                -- queued, accepted, refused, unneeded (the mail was accepted first)
  attempts    INTEGER NOT NULL,
  queued_ms   INTEGER NOT NULL,             -- real time, as all here
  next_try_ms INTEGER NOT NULL,
  answered_ms INTEGER,
  answer      TEXT
);
CREATE INDEX second_delivery_queued ON second_delivery (next_try_ms) WHERE state = 'queued';
ALTER TABLE message ADD COLUMN second INTEGER REFERENCES second_delivery (id);
CREATE INDEX message_of_second ON message (second) WHERE second IS NOT NULL;
CREATE INDEX message_created ON message (created_ms);
CREATE INDEX delivery_refused ON delivery (answered_ms) WHERE state = 'refused';

-- The message that told of a held one; the delivery's state is then 'told'.
ALTER TABLE delivery ADD COLUMN told_by INTEGER REFERENCES message (id);
