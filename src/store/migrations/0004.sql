-- What calendar servers have, as it was last seen: days are listed from here, also while a server cannot be reached.
CREATE TABLE entries (
    -- The calendar's name in the configuration.
    calendar TEXT    NOT NULL,
    -- The server's id or path.
    id       TEXT    NOT NULL,
    -- What all parts of a series share.
    uid      TEXT    NOT NULL,
    -- The server's version of it.
    etag     TEXT    NOT NULL,
    -- Seconds since 1970, with some days around: nothing of it lies outside.
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    -- A VCALENDAR.
    ics      TEXT    NOT NULL,
    UNIQUE (calendar, id)
) STRICT;

CREATE INDEX entries_by_time ON entries (calendar, last, first, uid);
CREATE INDEX entries_by_uid ON entries (calendar, uid);
