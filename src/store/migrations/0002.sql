-- What a daemon needs: slots, the texts that runs are pinned to, an outbox that holds all that sending takes.

-- The texts of a job as a run began with them: another process can go on with it after they were edited.
CREATE TABLE versions (
    hash          TEXT    PRIMARY KEY,
    job           TEXT    NOT NULL,
    -- JSON: {"job": "...", "prompts": {"name.md": "..."}}
    texts         TEXT    NOT NULL,
    first_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When a timed trigger was first loaded: its moments count from then.
CREATE TABLE triggers (
    job       TEXT    NOT NULL,
    id        TEXT    NOT NULL,
    -- What fixes its moments: other ones make another trigger.
    moments   TEXT    NOT NULL,
    loaded_at INTEGER NOT NULL,
    PRIMARY KEY (job, id)
) STRICT, WITHOUT ROWID;

-- Due moments that are accounted for: one that has a run, or a stretch that was passed over.
CREATE TABLE slots (
    job          TEXT    NOT NULL,
    trigger      TEXT    NOT NULL,
    due_at       INTEGER NOT NULL,
    -- The last moment of the stretch; `due_at` for a single one.
    until        INTEGER NOT NULL CHECK (until >= due_at),
    count        INTEGER NOT NULL CHECK (count > 0),
    state        TEXT    NOT NULL CHECK (state = 'run' OR state = 'caught_up' OR state = 'skipped' OR state = 'too_old'),
    reason       TEXT,
    -- No reference: a slot outlives its run, so that it never comes again.
    run_id       INTEGER CHECK ((run_id IS NOT NULL) = (state IN ('run', 'caught_up'))),
    accounted_at INTEGER NOT NULL,
    -- It ran while the clock was ahead: the moments before it may still come.
    ahead        INTEGER NOT NULL DEFAULT 0 CHECK (ahead IN (0, 1)),
    PRIMARY KEY (job, trigger, due_at)
) STRICT, WITHOUT ROWID;

-- A stretch is found whatever ran within it while the clock was ahead.
CREATE INDEX slots_passed ON slots (job, trigger, due_at) WHERE run_id IS NULL;

-- Jobs whose triggers rest; `until` NULL means until somebody says so.
CREATE TABLE pauses (
    job   TEXT    PRIMARY KEY,
    since INTEGER NOT NULL,
    until INTEGER
) STRICT, WITHOUT ROWID;

-- Failures that the owner heard of, or will when a mute ends: the same one again is counted.
CREATE TABLE alerts (
    -- A job's name, or what of the program itself.
    about       TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    -- The newest; no reference, it may be forgotten first.
    run_id      INTEGER,
    count       INTEGER NOT NULL,
    -- Of these, the ones that a mute hid since the owner last heard of it.
    hushed      INTEGER NOT NULL,
    first_at    INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,
    told_at     INTEGER,
    PRIMARY KEY (about, fingerprint)
) STRICT, WITHOUT ROWID;

-- What the owner does not want to hear of for a while.
CREATE TABLE mutes (
    pattern TEXT    PRIMARY KEY,
    since   INTEGER NOT NULL,
    until   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The outbox, whose rows hold all that sending takes but the secrets.
CREATE TABLE outbox (
    id         INTEGER PRIMARY KEY,
    -- NULL for what the program itself has to say.
    run_id     INTEGER REFERENCES runs (id) ON DELETE CASCADE,
    -- The process that sends it; when that one dies before it did, another takes it.
    owner      TEXT,
    kind       TEXT    NOT NULL,
    -- What is sent in its order: the kind and the place.
    lane       TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    -- JSON; NULL for the usual.
    policy     TEXT,
    state      TEXT    NOT NULL CHECK (state = 'pending' OR state = 'sending' OR state = 'parked' OR state = 'sent' OR state = 'failed' OR state = 'dropped'),
    attempts   INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    expires_at INTEGER,
    reason     TEXT,
    receipt    TEXT,
    created_at INTEGER NOT NULL,
    sent_at    INTEGER
) STRICT;

INSERT INTO outbox (id, run_id, owner, kind, lane, target, body, state, attempts, due_at, reason, receipt, created_at, sent_at)
    SELECT id, run_id, owner, kind, kind, target, body, state, attempts, due_at, reason, receipt, created_at, sent_at FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE outbox RENAME TO deliveries;

CREATE INDEX deliveries_by_run ON deliveries (run_id);
-- The row id follows `lane` in the index: a lane in its order, without a sort.
CREATE INDEX deliveries_open ON deliveries (lane) WHERE state NOT IN ('sent', 'dropped');

-- Positions that move when the run ends well, of a step whose result was committed before that: JSON.
ALTER TABLE steps ADD COLUMN moved TEXT;
