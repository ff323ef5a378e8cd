//! How the domain's values look in columns.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde::Deserialize;
use serde::de::value::{Error as WordError, StrDeserializer};
use serde_json::Value;
use uuid::Uuid;

use crate::job::{Reason, TriggerKind};

/// Microseconds since 1970, UTC.
pub(super) struct Micros(pub(super) DateTime<Utc>);

/// A duration in microseconds.
pub(super) struct Span(pub(super) Duration);

/// A count of tokens. It is a provider's number: one beyond the column's range is cut, so that it
/// cannot fail a commit.
pub(super) struct Tokens(pub(super) u64);

/// JSON as text, borrowed on its way in.
pub(super) struct JsonText<'a>(pub(super) &'a Value);

/// JSON as text, on its way out.
pub(super) struct Json(pub(super) Value);

/// A UUID's 16 bytes.
pub(super) struct Id(pub(super) Uuid);

/// A trigger kind's word.
pub(super) struct Kind(pub(super) TriggerKind);

impl ToSql for Micros {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.timestamp_micros().into())
    }
}

impl FromSql for Micros {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let micros = value.as_i64()?;
        let time = DateTime::from_timestamp_micros(micros);
        time.map(Micros).ok_or(FromSqlError::OutOfRange(micros))
    }
}

impl ToSql for Span {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0.as_micros()).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Span {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let micros = value.as_i64()?;
        let micros = u64::try_from(micros).map_err(|_| FromSqlError::OutOfRange(micros))?;
        Ok(Span(Duration::from_micros(micros)))
    }
}

impl ToSql for Tokens {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Tokens {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let count = value.as_i64()?;
        let count = u64::try_from(count).map_err(|_| FromSqlError::OutOfRange(count))?;
        Ok(Tokens(count))
    }
}

impl ToSql for JsonText<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        // Not by `Display`, which lets the text grow from nothing.
        let text = serde_json::to_string(self.0)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(text.into())
    }
}

impl FromSql for Json {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?)
            .map(Json)
            .map_err(FromSqlError::other)
    }
}

impl ToSql for Id {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.as_bytes().as_slice().into())
    }
}

impl FromSql for Id {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Uuid::from_slice(value.as_blob()?)
            .map(Id)
            .map_err(FromSqlError::other)
    }
}

impl FromSql for Kind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let word: StrDeserializer<'_, WordError> = StrDeserializer::new(value.as_str()?);
        TriggerKind::deserialize(word)
            .map(Kind)
            .map_err(FromSqlError::other)
    }
}

/// Why a due moment had no run when it was due, as JSON.
pub(super) fn reason_text(reason: &Reason) -> String {
    serde_json::to_string(reason).expect("it is times and words")
}

/// [`reason_text`] of the column `reason`.
pub(super) fn read_reason(row: &Row<'_>) -> rusqlite::Result<Reason> {
    let text = row.get_ref("reason")?.as_str()?;
    serde_json::from_str(text).map_err(|error| FromSqlError::other(error).into())
}
