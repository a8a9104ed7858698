-- Version 1. A later version adds its own file and never edits this one.
-- Times are milliseconds since 1970 by the wall clock. `observed` counts seconds of the proxy's own running time.

CREATE TABLE attempts (
    key TEXT PRIMARY KEY NOT NULL,
    -- Null where the key was closed before it was ever posted.
    owner TEXT,
    hash BLOB,
    hash_key TEXT,
    amount_minor INTEGER,
    currency TEXT,
    brand TEXT,
    state TEXT NOT NULL CHECK (state IN ('recorded', 'sending', 'open', 'unconfirmed', 'final', 'closed', 'settled')),
    settled TEXT CHECK (settled IN ('redeemed', 'untouched')),
    meaning TEXT,
    unknown_try INTEGER NOT NULL DEFAULT 0,
    forbids_tries INTEGER NOT NULL DEFAULT 0,
    transaction_id TEXT,
    tries INTEGER NOT NULL DEFAULT 0,
    -- The try whose answer is the attempt's.
    answer_try INTEGER,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    ended_observed INTEGER,
    pruned INTEGER NOT NULL DEFAULT 0,
    CHECK ((owner IS NULL) = (hash IS NULL)),
    CHECK (owner IS NOT NULL OR state = 'closed')
) STRICT;

-- The guard behind VOUCHER_IN_USE, should the question before it ever fail.
CREATE UNIQUE INDEX attempts_one_open_per_voucher ON attempts (hash)
    WHERE state IN ('recorded', 'sending', 'open', 'unconfirmed');
-- Whether any is open under a key that a process lacks.
CREATE INDEX attempts_open_by_hash_key ON attempts (hash_key)
    WHERE state IN ('recorded', 'sending', 'open', 'unconfirmed');
CREATE INDEX attempts_sending ON attempts (state) WHERE state = 'sending';
CREATE INDEX attempts_to_prune ON attempts (ended_observed) WHERE pruned = 0 AND ended_observed IS NOT NULL;
CREATE INDEX attempts_by_time ON attempts (created_at);

CREATE TABLE tries (
    attempt TEXT NOT NULL REFERENCES attempts (key),
    number INTEGER NOT NULL,
    sent_at INTEGER NOT NULL,
    sent_uptime TEXT NOT NULL,
    -- The process that began it.
    process TEXT NOT NULL,
    ended_at INTEGER,
    -- Its process has gone: an answer that comes after all replaces this one.
    presumed INTEGER NOT NULL DEFAULT 0,
    status INTEGER,
    retry_after TEXT,
    body TEXT,
    meaning TEXT,
    money TEXT CHECK (money IN ('yes', 'no', 'unknown')),
    proves_untouched INTEGER,
    is_retried INTEGER,
    forbids_tries INTEGER,
    transaction_id TEXT,
    PRIMARY KEY (attempt, number)
) STRICT;

CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    attempt TEXT NOT NULL UNIQUE REFERENCES attempts (key),
    transaction_id TEXT,
    user_id TEXT,
    currency TEXT,
    value TEXT,
    outcome TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_by_transaction ON outbox (transaction_id) WHERE transaction_id IS NOT NULL;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    attempt TEXT NOT NULL REFERENCES attempts (key),
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    action TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;

-- What each key of CASHIER_PIN_KEY is recognised by.
CREATE TABLE pin_keys (
    id TEXT PRIMARY KEY NOT NULL,
    mark BLOB NOT NULL
) STRICT;

CREATE TABLE meta (
    name TEXT PRIMARY KEY NOT NULL,
    value INTEGER NOT NULL
) STRICT;
INSERT INTO meta VALUES ('observed_seconds', 0);
