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

-- What people had remembered, each with whose it is.
CREATE TABLE memories (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    -- "owner", or the number of somebody else.
    person TEXT    NOT NULL,
    text   TEXT    NOT NULL,
    -- It reaches no model that is not at home.
    home   INTEGER NOT NULL DEFAULT 0 CHECK (home IN (0, 1))
) STRICT;

CREATE INDEX memories_by_person ON memories (person, id);

-- The words of them, folded; it holds no copy of the texts.
CREATE VIRTUAL TABLE memories_words USING fts5 (text, content = 'memories', content_rowid = 'id', tokenize = "unicode61 remove_diacritics 2");

CREATE TRIGGER memories_added AFTER INSERT ON memories BEGIN
    INSERT INTO memories_words (rowid, text) VALUES (new.id, new.text);
END;

CREATE TRIGGER memories_gone AFTER DELETE ON memories BEGIN
    INSERT INTO memories_words (memories_words, rowid, text) VALUES ('delete', old.id, old.text);
END;
