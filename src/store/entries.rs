//! What calendar servers have, as it was last seen.

use rusqlite::{Connection, OptionalExtension, Row};

use super::cursor::{self, CursorChange};
use super::{Reader, Store, StoreError};

/// What a calendar server keeps under one id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The server's id or path.
    pub id: String,
    /// What all parts of a series share.
    pub uid: String,
    /// The server's version of it.
    pub etag: String,
    /// Nothing of it begins before, in seconds since 1970.
    pub first: i64,
    /// Nothing of it ends after; none where it goes on for good.
    pub last: Option<i64>,
    /// A VCALENDAR.
    pub ics: String,
}

/// What changed in a calendar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// Whether this is all there is.
    pub whole: bool,
    /// New and changed.
    pub here: Vec<Entry>,
    /// Ids of what is gone.
    pub gone: Vec<String>,
}

impl Store {
    /// Takes what changed in a calendar, and moves positions with it.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn take_entries(
        &self,
        calendar: String,
        changed: Changed,
        positions: Vec<CursorChange>,
    ) -> Result<(), StoreError> {
        let now = self.now();
        self.write(move |connection| {
            if changed.whole {
                let sql = "DELETE FROM entries WHERE calendar = ?1";
                connection.prepare_cached(sql)?.execute([&calendar])?;
            }
            for id in &changed.gone {
                forget(connection, &calendar, id)?;
            }
            for entry in &changed.here {
                put(connection, &calendar, entry)?;
            }
            cursor::change(connection, &positions, now)
        })
        .await
    }
}

/// Google keeps changed occasions of a series under ids of their own: those go with their series (its UID, or what their ids begin
/// with), it does not go with one of them. No line of a text begins with RECURRENCE-ID: folded ones begin with a space.
fn forget(connection: &Connection, calendar: &str, id: &str) -> Result<(), StoreError> {
    let of_its_uid = "DELETE FROM entries WHERE calendar = ?1 AND instr(ics, char(10) || 'RECURRENCE-ID') > 0 AND uid IN
                          (SELECT uid FROM entries WHERE calendar = ?1 AND id = ?2
                               AND instr(ics, char(10) || 'RECURRENCE-ID') = 0)";
    let of_its_id = "DELETE FROM entries WHERE calendar = ?1 AND id > ?2 || '_' AND id < ?2 || '`'
                         AND instr(ics, char(10) || 'RECURRENCE-ID') > 0";
    let itself = "DELETE FROM entries WHERE calendar = ?1 AND id = ?2";
    // One by one: each has its index, which an OR would not use.
    for sql in [of_its_uid, of_its_id, itself] {
        connection.prepare_cached(sql)?.execute([calendar, id])?;
    }
    Ok(())
}

fn put(connection: &Connection, calendar: &str, entry: &Entry) -> Result<(), StoreError> {
    let sql = "INSERT INTO entries (calendar, id, uid, etag, first, last, ics) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
               ON CONFLICT (calendar, id) DO UPDATE SET uid = excluded.uid, etag = excluded.etag, first = excluded.first,
                   last = excluded.last, ics = excluded.ics";
    connection.prepare_cached(sql)?.execute((
        calendar,
        &entry.id,
        &entry.uid,
        &entry.etag,
        entry.first,
        entry.last.unwrap_or(i64::MAX),
        &entry.ics,
    ))?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Entry> {
    let last: i64 = row.get("last")?;
    Ok(Entry {
        id: row.get("id")?,
        uid: row.get("uid")?,
        etag: row.get("etag")?,
        first: row.get("first")?,
        last: (last < i64::MAX).then_some(last),
        ics: row.get("ics")?,
    })
}

impl Reader<'_> {
    /// All parts of the events of a calendar that may touch the time from `from` to `to` (seconds since 1970), those of one UID
    /// together.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn entries(&self, calendar: &str, from: i64, to: i64) -> Result<Vec<Entry>, StoreError> {
        let sql = "SELECT * FROM entries WHERE calendar = ?1 AND uid IN
                       (SELECT uid FROM entries WHERE calendar = ?1 AND last >= ?2 AND first <= ?3)
                   ORDER BY uid, id";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map((calendar, from, to), read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What lies in a calendar under an id.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn entry(&self, calendar: &str, id: &str) -> Result<Option<Entry>, StoreError> {
        let sql = "SELECT * FROM entries WHERE calendar = ?1 AND id = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_row((calendar, id), read).optional()?)
    }

    /// The ids and versions of all that is known of a calendar.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn entry_versions(&self, calendar: &str) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "SELECT id, etag FROM entries WHERE calendar = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([calendar], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
