-- Version 2: checkout sessions, the lock on guessing, delivery of the books, and the mark of a restored ledger.
-- `due_at` and the times of `guesses` are the ledger's steady seconds: seconds of the proxy's own running time.

ALTER TABLE attempts ADD COLUMN session TEXT;
-- The ledger was restored from a copy, and what this attempt has been through meanwhile may be forgotten.
ALTER TABLE attempts ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;
CREATE INDEX attempts_by_session ON attempts (session) WHERE session IS NOT NULL;
CREATE INDEX attempts_sending_by_owner ON attempts (owner) WHERE state = 'sending';

-- Tells the step that began a try, should that step be repeated after its answer was lost.
ALTER TABLE tries ADD COLUMN ticket TEXT;

ALTER TABLE outbox ADD COLUMN delivered_at INTEGER;
ALTER TABLE outbox ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN due_at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX outbox_undelivered ON outbox (user_id, sequence) WHERE delivered_at IS NULL;
-- What is due, in order, without all that were ever delivered.
CREATE INDEX outbox_due ON outbox (sequence) WHERE delivered_at IS NULL;

-- Invalid PINs in a row.
CREATE TABLE guesses (
    owner TEXT PRIMARY KEY NOT NULL,
    count INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT;

INSERT INTO meta VALUES ('ledger', 0), ('generation', 0), ('forgotten_until', 0);
