-- What a call costs, and what it was for; written down before it is made, at the most that it can take.
ALTER TABLE calls ADD COLUMN route TEXT NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN class TEXT;
-- Thousand-millionths of the currency of the configuration.
ALTER TABLE calls ADD COLUMN cost INTEGER NOT NULL DEFAULT 0;
-- Of a model that is not at home, or has a price: what caps are about.
ALTER TABLE calls ADD COLUMN counts INTEGER NOT NULL DEFAULT 0 CHECK (counts IN (0, 1));

CREATE INDEX calls_by_time ON calls (at);
-- What was counted in a stretch of time, by the index alone.
CREATE INDEX calls_counted ON calls (at, job, tokens_in, tokens_out, cost) WHERE counts = 1;
