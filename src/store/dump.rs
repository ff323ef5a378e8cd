//! Everything that the database holds, for people.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

use super::{Reader, StoreError};

impl Reader<'_> {
    /// Tells every row of every table, with the table's name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn dump(&self, mut each: impl FnMut(&str, Value)) -> Result<(), StoreError> {
        // The words of memories are those of their texts.
        let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE 'memories_words%'
                   ORDER BY name";
        let mut tables = self.connection.prepare(sql)?;
        let names = tables.query_map([], |row| row.get::<_, String>(0))?;
        for name in names.collect::<Result<Vec<_>, _>>()? {
            let mut statement = self.connection.prepare(&format!("SELECT * FROM {name}"))?;
            let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let mut object = Map::new();
                for (place, column) in columns.iter().enumerate() {
                    object.insert(column.clone(), value(row.get_ref(place)?));
                }
                each(&name, Value::Object(object));
            }
        }
        Ok(())
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => {
            let text = String::from_utf8_lossy(text);
            // Most of it is JSON, which is read better as such.
            let is_json = text.starts_with(['{', '[']);
            let read = is_json.then(|| serde_json::from_str(&text).ok()).flatten();
            read.unwrap_or_else(|| Value::String(text.into_owned()))
        }
        ValueRef::Blob(bytes) => STANDARD.encode(bytes).into(),
    }
}
