//! The texts that runs are pinned to.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::value::{Json, JsonText, Micros};
use super::{Reader, StoreError};

/// A job as it was written when a run began with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// What the run's row names.
    pub hash: String,
    /// The job's name.
    pub job: String,
    /// The text of `jobs/NAME.toml`.
    pub text: String,
    /// The prompts that it names: file name and text.
    pub prompts: Vec<(String, String)>,
}

impl Reader<'_> {
    /// The newest texts of `job` that a run had.
    pub fn last_version(&self, job: &str) -> Result<Option<Version>, StoreError> {
        let sql = "SELECT job_hash FROM runs WHERE job = ?1 ORDER BY id DESC LIMIT 1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let hash: Option<String> = statement.query_row([job], |row| row.get(0)).optional()?;
        match hash {
            Some(hash) => self.version(&hash),
            None => Ok(None),
        }
    }

    /// The texts with this hash, if any run had them.
    pub fn version(&self, hash: &str) -> Result<Option<Version>, StoreError> {
        let sql = "SELECT job, texts FROM versions WHERE hash = ?1";
        let mut statement = self.connection.prepare_cached(sql)?;
        let found: Option<(String, Json)> = statement
            .query_row([hash], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(found.map(|(job, Json(texts))| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let prompts = texts["prompts"].as_object().into_iter().flatten();
            Version {
                hash: hash.to_owned(),
                job,
                text: text(&texts["job"]),
                prompts: prompts
                    .map(|(name, value)| (name.clone(), text(value)))
                    .collect(),
            }
        }))
    }
}

/// Keeps the texts, once.
pub(super) fn keep(
    connection: &Connection,
    version: &Version,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let prompts: serde_json::Map<String, Value> = version
        .prompts
        .iter()
        .map(|(name, text)| (name.clone(), Value::String(text.clone())))
        .collect();
    let texts = json!({ "job": version.text, "prompts": prompts });
    connection
        .prepare_cached(
            "INSERT INTO versions (hash, job, texts, first_used_at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (hash) DO NOTHING",
        )?
        .execute((&version.hash, &version.job, JsonText(&texts), Micros(now)))?;
    Ok(())
}
