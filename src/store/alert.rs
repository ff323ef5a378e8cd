//! Failures that the owner hears of once, and mutes.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{Connection, Row};

use super::value::Micros;
use super::{Reader, Store, StoreError, outbox};
use crate::job::{Alert, DeliveryId, Mute, NewDelivery, RunId, Saying};

/// What the end of a run, or something of the program itself, is to its owner.
#[derive(Debug, Clone)]
pub struct News {
    /// A job's name, or what of the program itself.
    pub about: String,
    /// The run that it is of.
    pub run: Option<RunId>,
    /// What it is.
    pub heard: Heard,
    /// The process that sends what there is to say.
    pub owner: String,
    /// Puts it into words.
    pub words: Words,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Something failed.
    Bad {
        /// The same for the same failure.
        fingerprint: String,
        /// Why.
        reason: String,
    },
    /// It went well.
    Good,
    /// Something happened and is over: it is told whatever was told before.
    Once,
}

/// Puts an alert into words, for each target of the owner's: only the commit that says it knows how often it came.
#[derive(Clone)]
pub struct Words(Arc<Say>);

type Say = dyn Fn(&Alert, Saying) -> Vec<NewDelivery> + Send + Sync;

impl Words {
    /// Words that `say` finds.
    pub fn new(say: impl Fn(&Alert, Saying) -> Vec<NewDelivery> + Send + Sync + 'static) -> Self {
        Words(Arc::new(say))
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words")
    }
}

/// Messages that a commit put into the outbox.
pub type Told = Vec<(DeliveryId, NewDelivery)>;

/// How long the owner hears nothing of a failure that he knows.
const REMINDER: TimeDelta = TimeDelta::days(1);

/// So many failures of one name are told apart: what comes after them is one more, however it differs.
const APART: u32 = 8;
const ALL_OTHERS: &str = "";

impl Store {
    /// Commits what belongs to no run, and what there is to say of it.
    pub async fn tell(&self, news: News) -> Result<Told, StoreError> {
        let now = self.now();
        self.write(move |connection| hear(connection, &news, now))
            .await
    }

    /// Forgets alerts of what is not there any more.
    pub async fn forget_alerts(&self, about: Vec<String>) -> Result<(), StoreError> {
        self.write(move |connection| {
            for about in &about {
                let mut statement =
                    connection.prepare_cached("DELETE FROM alerts WHERE about = ?1")?;
                statement.execute([about])?;
            }
            Ok(())
        })
        .await
    }

    /// Hides failures from the owner; a pattern that is hidden already is so until then instead.
    pub async fn mute(&self, pattern: String, until: DateTime<Utc>) -> Result<(), StoreError> {
        let now = self.now();
        self.write(move |connection| {
            let mut over = connection.prepare_cached("DELETE FROM mutes WHERE until <= ?1")?;
            over.execute([Micros(now)])?;
            let sql = "INSERT INTO mutes (pattern, since, until) VALUES (?1, ?2, ?3)
                       ON CONFLICT (pattern) DO UPDATE SET until = excluded.until";
            let row = (&pattern, Micros(now), Micros(until));
            connection.prepare_cached(sql)?.execute(row)?;
            Ok(())
        })
        .await
    }

    /// Takes a mute back; whether there was one.
    pub async fn unmute(&self, pattern: String) -> Result<bool, StoreError> {
        self.write(move |connection| {
            let sql = "DELETE FROM mutes WHERE pattern = ?1";
            Ok(connection.prepare_cached(sql)?.execute([&pattern])? > 0)
        })
        .await
    }
}

const COLUMNS: &str = "about, reason, run_id, count, first_at, last_at, told_at, hushed";

impl Reader<'_> {
    /// The failures that are not over, the newest first.
    pub fn alerts(&self) -> Result<Vec<Alert>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM alerts ORDER BY last_at DESC, about");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([], |row| Ok(read(row)?.0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What is hidden from the owner at `now`.
    pub fn mutes(&self, now: DateTime<Utc>) -> Result<Vec<Mute>, StoreError> {
        mutes(self.connection, now)
    }
}

/// Counts what happened, and puts what there is to say of it into the outbox.
pub(super) fn hear(
    connection: &Connection,
    news: &News,
    now: DateTime<Utc>,
) -> Result<Told, StoreError> {
    let said = match &news.heard {
        Heard::Once => Some((once(&news.about, now), Saying::New)),
        Heard::Good => over(connection, &news.about)?.map(|alert| (alert, Saying::Over)),
        Heard::Bad {
            fingerprint,
            reason,
        } => failed(connection, news, (fingerprint, reason), now)?,
    };
    let Some((alert, saying)) = said else {
        return Ok(Told::new());
    };
    let messages = (news.words.0)(&alert, saying).into_iter();
    messages
        .map(|message| {
            Ok((
                outbox::say(connection, &news.owner, &message, now)?,
                message,
            ))
        })
        .collect()
}

fn once(about: &str, now: DateTime<Utc>) -> Alert {
    Alert {
        about: about.to_owned(),
        reason: String::new(),
        run: None,
        count: 1,
        first_at: now,
        last_at: now,
        told_at: None,
    }
}

/// Forgets the alerts about something that works again; gives them as one, if the owner knows of any.
fn over(connection: &Connection, about: &str) -> Result<Option<Alert>, StoreError> {
    let sql = format!("DELETE FROM alerts WHERE about = ?1 RETURNING {COLUMNS}");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([about], |row| Ok(read(row)?.0))?;
    let mut whole: Option<Alert> = None;
    for row in rows {
        let row = row?;
        whole = Some(match whole {
            None => row,
            Some(other) => Alert {
                count: row.count + other.count,
                first_at: row.first_at.min(other.first_at),
                told_at: row.told_at.max(other.told_at),
                ..row
            },
        });
    }
    Ok(whole.filter(|alert| alert.told_at.is_some()))
}

fn failed(
    connection: &Connection,
    news: &News,
    (fingerprint, reason): (&str, &str),
    now: DateTime<Utc>,
) -> Result<Option<(Alert, Saying)>, StoreError> {
    let about = &news.about;
    let fingerprint = match apart(connection, about, fingerprint)? {
        true => fingerprint,
        false => ALL_OTHERS,
    };
    let mutes = mutes(connection, now)?;
    let hidden = mutes.iter().any(|mute| mute.hides(about, reason));
    let sql = format!(
        "INSERT INTO alerts (about, fingerprint, reason, run_id, count, hushed, first_at, last_at)
         VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?6)
         ON CONFLICT (about, fingerprint) DO UPDATE SET
             reason = excluded.reason, run_id = excluded.run_id, count = count + 1,
             hushed = hushed + excluded.hushed, last_at = excluded.last_at
         RETURNING {COLUMNS}"
    );
    let run = news.run.map(|run| run.0);
    let row = (about, fingerprint, reason, run, hidden, Micros(now));
    let (alert, hushed) = connection.prepare_cached(&sql)?.query_row(row, read)?;
    let saying = match alert.told_at {
        _ if hidden => return Ok(None),
        None => Saying::New,
        // The clock may have gone back since.
        Some(told_at) if hushed > 0 || (now - told_at).abs() >= REMINDER => Saying::Still,
        Some(_) => return Ok(None),
    };
    let sql = "UPDATE alerts SET told_at = ?3, hushed = 0 WHERE about = ?1 AND fingerprint = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute((about, fingerprint, Micros(now)))?;
    Ok(Some((alert, saying)))
}

/// Whether a failure is told apart from the others of its name.
fn apart(connection: &Connection, about: &str, fingerprint: &str) -> Result<bool, StoreError> {
    let sql =
        "SELECT count(*), coalesce(max(fingerprint = ?2), FALSE) FROM alerts WHERE about = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let (others, known): (u32, bool) =
        statement.query_row((about, fingerprint), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(known || others < APART)
}

fn mutes(connection: &Connection, now: DateTime<Utc>) -> Result<Vec<Mute>, StoreError> {
    let sql = "SELECT pattern, since, until FROM mutes WHERE until > ?1 ORDER BY pattern";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([Micros(now)], |row| {
        Ok(Mute {
            pattern: row.get(0)?,
            since: row.get::<_, Micros>(1)?.0,
            until: row.get::<_, Micros>(2)?.0,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// An alert, and how many failures a mute hid.
fn read(row: &Row<'_>) -> rusqlite::Result<(Alert, u32)> {
    let alert = Alert {
        about: row.get("about")?,
        reason: row.get("reason")?,
        run: row.get::<_, Option<i64>>("run_id")?.map(RunId),
        count: row.get("count")?,
        first_at: row.get::<_, Micros>("first_at")?.0,
        last_at: row.get::<_, Micros>("last_at")?.0,
        told_at: row.get::<_, Option<Micros>>("told_at")?.map(|at| at.0),
    };
    Ok((alert, row.get("hushed")?))
}
