//! The shape of the file: whose it is, which version, and the way from one version to the next.

use std::path::Path;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::StoreError;

/// Marks a SQLite file as ours ("RvlE"), in the header field that <https://sqlite.org/fileformat.html#application_id> reserves for it.
const APPLICATION_ID: i64 = 0x5276_6c45;

/// Version N of the schema is what the first N of these make; one that was released never changes.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
    include_str!("migrations/0004.sql"),
];

/// Makes an empty file ours.
pub(super) fn create(connection: &mut Connection) -> Result<(), StoreError> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    apply(connection, MIGRATIONS)
}

/// Brings the file to this program's version.
///
/// # Errors
/// [`StoreError::Foreign`], [`StoreError::Newer`], or what SQLite says of a damaged file.
pub(super) fn bring_up(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    if pragma(connection, "application_id")? != APPLICATION_ID {
        return Err(StoreError::Foreign(path.to_path_buf()));
    }
    let known = MIGRATIONS.len() as i64;
    let found = pragma(connection, "user_version")?;
    if found > known {
        let path = path.to_path_buf();
        return Err(StoreError::Newer { path, found, known });
    }
    if found < known {
        apply(connection, MIGRATIONS)?;
    }
    // Parses the whole schema, so that a damaged one is found here and not in the first statement.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    Ok(())
}

fn apply(connection: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    for (number, sql) in (1_i64..).zip(migrations) {
        let behavior = TransactionBehavior::Immediate;
        let transaction = Transaction::new(connection, behavior)?;
        // Read again under the write lock: a second process may have gone this way meanwhile.
        if pragma(&transaction, "user_version")? < number {
            transaction.execute_batch(sql)?;
            transaction.pragma_update(None, "user_version", number)?;
        }
        transaction.commit()?;
    }
    Ok(())
}

fn pragma(connection: &Connection, name: &str) -> Result<i64, StoreError> {
    Ok(connection.pragma_query_value(None, name, |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(connection: &mut Connection, migrations: &[&str]) -> (Result<(), StoreError>, i64) {
        let applied = apply(connection, migrations);
        let version = pragma(connection, "user_version").unwrap();
        (applied, version)
    }

    #[test]
    fn each_migration_is_applied_once_and_in_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        let first = "CREATE TABLE a (x) STRICT".replace("(x)", "(x INTEGER)");
        let second = "ALTER TABLE a ADD COLUMN y INTEGER";
        assert_eq!(versions(&mut connection, &[&first]), (Ok(()), 1));
        assert_eq!(versions(&mut connection, &[&first, second]), (Ok(()), 2));
        assert_eq!(versions(&mut connection, &[&first, second]), (Ok(()), 2));
        connection
            .execute("INSERT INTO a (x, y) VALUES (1, 2)", [])
            .unwrap();
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let mut connection = Connection::open_in_memory().unwrap();
        let broken = "CREATE TABLE a (x INTEGER); CREATE TABLE a (x INTEGER)";
        let (applied, version) = versions(&mut connection, &[broken]);
        assert!(applied.is_err());
        assert_eq!(version, 0);
        assert!(connection.is_autocommit());
        assert!(connection.prepare("SELECT x FROM a").is_err());
    }
}
