//! What people had remembered, found again by its words.

use chrono::{DateTime, Utc};
use rusqlite::Row;

use super::value::Micros;
use super::{Reader, Store, StoreError};

/// Something that is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Its number.
    pub id: i64,
    /// Since when.
    pub at: DateTime<Utc>,
    /// Whose it is: `owner`, or the number of somebody else.
    pub person: String,
    /// What.
    pub text: String,
    /// It reaches no model that is not at home.
    pub home: bool,
}

impl Store {
    /// Remembers a text.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn keep_memory(
        &self,
        person: String,
        text: String,
        home: bool,
    ) -> Result<i64, StoreError> {
        let now = self.now();
        self.write(move |connection| {
            let sql = "INSERT INTO memories (at, person, text, home) VALUES (?1, ?2, ?3, ?4) RETURNING id";
            let mut statement = connection.prepare_cached(sql)?;
            Ok(statement.query_row((Micros(now), &person, &text, home), |row| row.get(0))?)
        })
        .await
    }

    /// Forgets what of a person's memories has this number, or all of them; says how many.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn forget_memories(
        &self,
        person: String,
        id: Option<i64>,
    ) -> Result<usize, StoreError> {
        self.write(move |connection| {
            let sql = "DELETE FROM memories WHERE person = ?1 AND (?2 IS NULL OR id = ?2)";
            Ok(connection.prepare_cached(sql)?.execute((&person, id))?)
        })
        .await
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Memory> {
    Ok(Memory {
        id: row.get("id")?,
        at: row.get::<_, Micros>("at")?.0,
        person: row.get("person")?,
        text: row.get("text")?,
        home: row.get("home")?,
    })
}

impl Reader<'_> {
    /// A person's memories that have any of these words, the nearest first; the newest where there are no words.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn memories(
        &self,
        person: &str,
        words: &[String],
        most: u32,
    ) -> Result<Vec<Memory>, StoreError> {
        const ALL: &str = "SELECT id, at, person, text, home FROM memories WHERE person = ?1 ORDER BY id DESC LIMIT ?2";
        const FOUND: &str = "SELECT m.id, m.at, m.person, m.text, m.home FROM memories_words w JOIN memories m ON m.id = w.rowid
             WHERE memories_words MATCH ?3 AND m.person = ?1 ORDER BY bm25(memories_words), m.id DESC LIMIT ?2";
        if words.is_empty() {
            let mut statement = self.connection.prepare_cached(ALL)?;
            let rows = statement.query_map((person, most), read)?;
            return Ok(rows.collect::<Result<_, _>>()?);
        }
        // Each as a text of its own, and as the beginning of a longer word: nothing in it is an operator.
        let terms = words
            .iter()
            .map(|word| format!("\"{}\"*", word.replace('"', "")));
        let terms = terms.collect::<Vec<_>>().join(" OR ");
        let mut statement = self.connection.prepare_cached(FOUND)?;
        let rows = statement.query_map((person, most, terms), read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
