//! Remembered positions.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::value::{Json, JsonText, Micros};
use super::{Reader, StoreError};
use crate::job::CursorKey;

/// A change of one position: `None` forgets it.
pub type CursorChange = (CursorKey, Option<Value>);

const ONE: &str = "SELECT value FROM cursors WHERE owner = ?1 AND step = ?2 AND name = ?3";

impl Reader<'_> {
    /// What is remembered under `key`, as what it is; what is not understood is as if it were not there.
    ///
    /// Large values cost a third of [`Reader::cursor`] so.
    pub fn cursor_as<T: DeserializeOwned>(&self, key: &CursorKey) -> Result<Option<T>, StoreError> {
        let mut statement = self.connection.prepare_cached(ONE)?;
        let parsed = statement
            .query_row((&key.owner, &key.step, &key.name), |row| {
                let text = row.get_ref(0)?.as_bytes()?;
                Ok(serde_json::from_slice(text).ok())
            })
            .optional()?;
        Ok(parsed.flatten())
    }

    /// What is remembered under `key`.
    pub fn cursor(&self, key: &CursorKey) -> Result<Option<Value>, StoreError> {
        let mut statement = self.connection.prepare_cached(ONE)?;
        let value: Option<Json> = statement
            .query_row((&key.owner, &key.step, &key.name), |row| row.get(0))
            .optional()?;
        Ok(value.map(|value| value.0))
    }

    /// What is remembered under the names that begin with `prefix`, in their order.
    pub fn cursors(
        &self,
        owner: &str,
        step: &str,
        prefix: &str,
    ) -> Result<Vec<(String, Value)>, StoreError> {
        // U+10FFFF sorts after every other character: a range, so that the key's index serves it.
        let sql = "SELECT name, value FROM cursors
                   WHERE owner = ?1 AND step = ?2 AND name >= ?3 AND name < ?3 || char(1114111)
                   ORDER BY name";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map((owner, step, prefix), |row| {
            Ok((row.get(0)?, row.get::<_, Json>(1)?.0))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// Writes the changes.
pub(super) fn change(
    connection: &Connection,
    changes: &[CursorChange],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    for (key, value) in changes {
        let CursorKey { owner, step, name } = key;
        match value {
            Some(value) => connection
                .prepare_cached(
                    "INSERT INTO cursors (owner, step, name, value, updated_at)
                     VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at",
                )?
                .execute((owner, step, name, JsonText(value), Micros(now)))?,
            None => connection
                .prepare_cached("DELETE FROM cursors WHERE owner = ?1 AND step = ?2 AND name = ?3")?
                .execute((owner, step, name))?,
        };
    }
    Ok(())
}
