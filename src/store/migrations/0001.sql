-- A list of three or more behind IN would be a table of its own, made anew for each row that is written.
-- Times are microseconds since 1970 in UTC, durations microseconds, JSON is text.
-- Ids of runs grow because the newest run is never deleted: AUTOINCREMENT would cost a page in each commit.

CREATE TABLE runs (
    id          INTEGER PRIMARY KEY,
    uuid        BLOB    NOT NULL,
    job         TEXT    NOT NULL,
    job_hash    TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state = 'queued' OR state = 'running' OR state = 'waiting' OR state = 'finished'),
    outcome     TEXT    CHECK ((outcome IS NOT NULL) = (state = 'finished')),
    reason      TEXT,
    wake_at     INTEGER,
    wake_token  TEXT,
    -- A run that backs off is still its process's; one that waits for a word is nobody's.
    owner       TEXT    CHECK (CASE state WHEN 'running' THEN owner IS NOT NULL
                                          WHEN 'waiting' THEN TRUE
                                          ELSE owner IS NULL END),
    attempt     INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER
) STRICT;

-- The row id follows `job` in the index: one job's runs, newest first, without a sort.
CREATE INDEX runs_by_job ON runs (job);
-- On the id, which does not change as a run goes on: written when it is accepted and when it is finished.
CREATE INDEX runs_active ON runs (id) WHERE state <> 'finished';

-- What a run was started by. Kept apart from `runs`, whose rows are rewritten as the run goes on.
CREATE TABLE events (
    run_id     INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    id         BLOB    NOT NULL,
    kind       TEXT    NOT NULL,
    dedupe_key TEXT,
    payload    TEXT    NOT NULL,
    at         INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX events_by_dedupe_key ON events (dedupe_key) WHERE dedupe_key IS NOT NULL;

CREATE TABLE steps (
    run_id     INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    end        TEXT    NOT NULL CHECK (end = 'started' OR end = 'done' OR end = 'skipped' OR end = 'stop' OR end = 'wait' OR end = 'failed'),
    result     TEXT,
    error      TEXT,
    detail     TEXT,
    started_at INTEGER NOT NULL,
    took_us    INTEGER NOT NULL,
    PRIMARY KEY (run_id, position, attempt)
) STRICT, WITHOUT ROWID;

-- The ledger outlives its runs, so it does not refer to them.
CREATE TABLE calls (
    run_id         INTEGER NOT NULL,
    number         INTEGER NOT NULL,
    job            TEXT    NOT NULL,
    at             INTEGER NOT NULL,
    step           TEXT    NOT NULL,
    model          TEXT    NOT NULL,
    backend        TEXT    NOT NULL,
    tokens_in      INTEGER NOT NULL,
    tokens_cached  INTEGER NOT NULL,
    tokens_out     INTEGER NOT NULL,
    load_us        INTEGER NOT NULL,
    first_token_us INTEGER NOT NULL,
    total_us       INTEGER NOT NULL,
    error          TEXT,
    PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;

-- The outbox.
CREATE TABLE deliveries (
    id         INTEGER PRIMARY KEY,
    run_id     INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    -- The process that sends it; when that one dies before it did, another takes it.
    owner      TEXT,
    kind       TEXT    NOT NULL,
    target     TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state = 'pending' OR state = 'sent' OR state = 'failed' OR state = 'dropped'),
    attempts   INTEGER NOT NULL,
    due_at     INTEGER NOT NULL,
    reason     TEXT,
    receipt    TEXT,
    created_at INTEGER NOT NULL,
    sent_at    INTEGER
) STRICT;

CREATE INDEX deliveries_by_run ON deliveries (run_id);
CREATE INDEX deliveries_pending ON deliveries (due_at) WHERE state = 'pending';

CREATE TABLE cursors (
    owner      TEXT    NOT NULL,
    step       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (owner, step, name)
) STRICT, WITHOUT ROWID;
