//! A calendar on a server: asked for what changed, remembered, written.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::desk::Desk;
use super::look::{Seen, Stale};
use crate::calendar::google::Write;
use crate::calendar::ics::{Calendar, Listing};
use crate::calendar::remote::{Delta, Draft, RemoteError, Resource, Target};
use crate::calendar::{Item, Range};
use crate::clock::timeout;
use crate::config::settings::{CalendarPlace, CalendarSettings};
use crate::hash::fnv1a;
use crate::job::CursorKey;
use crate::store::{Changed, CursorChange, Entry, StoreError};
use crate::zone::Tz;

use super::connect::Server;

/// So soon after a look nothing is asked again: the steps of one run see the same.
const FRESH: TimeDelta = TimeDelta::seconds(5);

/// So long a server is waited for where something is known from before.
const KNOWN: Duration = Duration::from_secs(20);

/// How old what is written down of the last look may be: an SD card wears out by what is written.
const SIGN: TimeDelta = TimeDelta::minutes(5);

/// Where a calendar is to be asked from the next time.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Position {
    /// Which place of the configuration it is of.
    place: u64,
    token: Option<String>,
    /// When the server last said what it has.
    at: DateTime<Utc>,
}

/// What is known of a calendar on a server, and how new that is.
pub(super) struct Known<'a> {
    pub desk: Desk<'a>,
    pub source: &'a CalendarSettings,
}

impl Known<'_> {
    /// The items of some days, as new as can be had.
    ///
    /// # Errors
    /// The server gave nothing, and nothing is known from before.
    pub async fn look(&self, range: Range) -> Result<Seen, String> {
        let mut seen = Seen::default();
        if let Err(why) = self.refresh(FRESH).await {
            let known = self.position().await?;
            let Some(known) = known else {
                return Err(why);
            };
            seen.is_stale(self.stale(known.at, &why));
        }
        let listing = self.items(range).await?;
        let label = &self.source.label;
        let warnings = listing.warnings.into_iter();
        seen.warnings
            .extend(warnings.map(|why| format!("{label}: {why}")));
        seen.items = listing.items;
        Ok(seen)
    }

    fn stale(&self, at: DateTime<Utc>, why: &str) -> Stale {
        let settings = self.desk.settings;
        let at = at.with_timezone(&settings.timezone);
        let at = at.format("%Y-%m-%d %H:%M").to_string();
        Stale::new(&self.source.label, at, why, settings.language)
    }

    /// Asks the server what changed, and keeps it.
    async fn refresh(&self, fresh: TimeDelta) -> Result<(), String> {
        let now = self.desk.clock.now();
        let known = self.position().await?;
        if let Some(known) = &known
            && (now - known.at).abs() < fresh
        {
            return Ok(());
        }
        // What is known from before has to go out within the step's own time; the first look may take longer.
        let limit = match &known {
            Some(_) => KNOWN.min(self.desk.limit * 2 / 3),
            None => self.desk.limit * 9 / 10,
        };
        let asked = async {
            let server = Server::connect(&self.desk, self.source, Write::No).await?;
            let versions = self.versions(known.as_ref()).await;
            let token = known.as_ref().and_then(|known| known.token.as_deref());
            server.changes(token, &versions).await
        };
        let delta = timeout(&**self.desk.clock, limit, asked).await;
        let delta = delta.map_err(|_| format!("no answer within {:.1} s", limit.as_secs_f32()))?;
        let failed = delta.as_ref().err();
        self.desk
            .accounts
            .asked(&self.desk, self.source, failed)
            .await;
        let delta = delta.map_err(|error| error.to_string())?;
        let same = !delta.whole
            && delta.changes.is_empty()
            && known
                .as_ref()
                .is_some_and(|known| known.token == delta.token && now - known.at < SIGN);
        if same {
            return Ok(());
        }
        self.take(delta, now).await
    }

    /// Keeps what changed.
    async fn take(&self, delta: Delta, now: DateTime<Utc>) -> Result<(), String> {
        let zone = self.desk.settings.timezone;
        let position = Position {
            place: self.place(),
            token: delta.token.clone(),
            at: now,
        };
        let changed = tokio::task::spawn_blocking(move || changed(delta, zone)).await;
        let changed = changed.map_err(|error| format!("a bug: {error}"))?;
        let position = (self.key(), serde_json::to_value(position).ok());
        let name = self.source.name.clone();
        let taken = self.desk.store.take_entries(name, changed, vec![position]);
        taken.await.map_err(|error| error.to_string())
    }

    /// Keeps what a write left on the server, so that the next look shows it even if the server cannot be reached then.
    pub async fn wrote(
        &self,
        id: String,
        now: Option<&Resource>,
        cursors: Vec<CursorChange>,
    ) -> Result<(), StoreError> {
        let zone = self.desk.settings.timezone;
        let changed = match now.and_then(|now| entry(id.clone(), now, zone)) {
            Some(entry) => Changed {
                here: vec![entry],
                ..Changed::default()
            },
            None => Changed {
                gone: vec![id],
                ..Changed::default()
            },
        };
        let name = self.source.name.clone();
        self.desk.store.take_entries(name, changed, cursors).await
    }

    /// What is known of some days.
    pub async fn items(&self, range: Range) -> Result<Listing, String> {
        let zone = self.desk.settings.timezone;
        let name = self.source.name.clone();
        let seconds =
            |day: chrono::NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
        let (from, to) = (seconds(range.start), seconds(range.end()));
        let read = self
            .desk
            .store
            .read(move |reader| reader.entries(&name, from, to));
        let entries = read.await.map_err(|error| error.to_string())?;
        let name = self.source.name.clone();
        let items = tokio::task::spawn_blocking(move || listed(&name, &entries, range, zone));
        items.await.map_err(|error| format!("a bug: {error}"))?
    }

    /// What lies where an item is from: the event or series, or the changed occasion of one, where that has an id of its own.
    pub async fn target(&self, item: &Item) -> Result<Option<Entry>, String> {
        let name = self.source.name.clone();
        let at = item.timestamp;
        let read = self
            .desk
            .store
            .read(move |reader| reader.entries(&name, at, at));
        let entries = read.await.map_err(|error| error.to_string())?;
        let zone = self.desk.settings.timezone;
        let mut series = None;
        for entry in entries.into_iter().filter(|entry| entry.uid == item.uid) {
            let read = Calendar::parse(entry.ics.as_bytes());
            match read.ok().and_then(|read| read.replaced(zone)) {
                None => series = series.or(Some(entry)),
                Some(original) if Some(original) == item.original => return Ok(Some(entry)),
                Some(_) => {}
            }
        }
        Ok(series)
    }

    /// The ids and versions that are known, where the server is asked by them.
    async fn versions(&self, known: Option<&Position>) -> Vec<(String, String)> {
        if known.is_none() || matches!(self.source.place, CalendarPlace::Google { .. }) {
            return Vec::new();
        }
        let name = self.source.name.clone();
        let read = self
            .desk
            .store
            .read(move |reader| reader.entry_versions(&name));
        read.await.unwrap_or_default()
    }

    async fn position(&self) -> Result<Option<Position>, String> {
        let key = self.key();
        let read = self.desk.store.read(move |reader| reader.cursor_as(&key));
        let known: Option<Position> = read.await.map_err(|error| error.to_string())?;
        Ok(known.filter(|known| known.place == self.place()))
    }

    fn place(&self) -> u64 {
        fnv1a(format!("{:?}", self.source.place).as_bytes())
    }

    fn key(&self) -> CursorKey {
        CursorKey {
            owner: format!("calendar:{}", self.source.name),
            step: String::new(),
            name: "synced".to_owned(),
        }
    }
}

/// What changed, as it is kept; what cannot be read as a calendar is left out.
fn changed(delta: Delta, zone: Tz) -> Changed {
    let mut changed = Changed {
        whole: delta.whole,
        ..Changed::default()
    };
    for change in delta.changes {
        let here = change
            .now
            .and_then(|now| entry(change.id.clone(), &now, zone));
        match here {
            Some(entry) => changed.here.push(entry),
            None => changed.gone.push(change.id),
        }
    }
    changed
}

fn entry(id: String, now: &Resource, zone: Tz) -> Option<Entry> {
    let calendar = Calendar::parse(now.ics.as_bytes()).ok()?;
    let (uid, first, last) = calendar.extent(zone)?;
    Some(Entry {
        id,
        uid,
        etag: now.etag.clone(),
        first,
        last,
        ics: now.ics.clone(),
    })
}

/// The items of some days, each with what means it.
fn listed(calendar: &str, entries: &[Entry], range: Range, zone: Tz) -> Result<Listing, String> {
    if entries.is_empty() {
        return Ok(Listing::default());
    }
    // At once: what may be spent on working out rules is for all of them.
    let text: String = entries.iter().map(|entry| entry.ics.as_str()).collect();
    let read = Calendar::parse(text.as_bytes());
    let read = read.map_err(|error| format!("what is known of it cannot be read: {error}"))?;
    let mut listing = read.items(range, zone);
    listing.warnings.splice(..0, read.warnings);
    for item in &mut listing.items {
        item.entry = handle(calendar, item);
    }
    Ok(listing)
}

/// A short name of an item that stays the same as long as it is not moved.
fn handle(calendar: &str, item: &Item) -> String {
    let start = item.original.unwrap_or(item.start);
    short(&json!([calendar, item.uid, start]))
}

/// Eight letters and digits for a value.
pub(super) fn short(value: &Value) -> String {
    let hash = fnv1a(value.to_string().as_bytes());
    let digit = |place: u32| {
        char::from_digit(u32::try_from(hash >> (5 * place) & 31).unwrap_or(0), 32).unwrap_or('0')
    };
    (0..8).map(digit).collect()
}

/// A calendar on a server that is written to.
pub(super) struct Written<'a> {
    pub known: Known<'a>,
    server: Server,
}

impl<'a> Written<'a> {
    pub async fn open(desk: Desk<'a>, source: &'a CalendarSettings) -> Result<Self, RemoteError> {
        Ok(Written {
            server: Server::connect(&desk, source, Write::Yes).await?,
            known: Known { desk, source },
        })
    }

    /// Makes an event; gives what lies there now.
    pub async fn create(&self, draft: &Draft) -> Result<(String, Resource), RemoteError> {
        let (id, made) = self.server.create(draft).await?;
        self.keep(id.clone(), Some(&made), Vec::new()).await;
        Ok((id, made))
    }

    /// Changes an event or one of its occasions.
    pub async fn update(
        &self,
        target: &Target<'_>,
        draft: &Draft,
    ) -> Result<(String, Resource), RemoteError> {
        let updated = self.server.update(target, draft).await;
        let (id, now) = self.or_look_again(updated).await?;
        self.keep(id.clone(), Some(&now), Vec::new()).await;
        Ok((id, now))
    }

    /// Deletes an event or one of its occasions; gives where, and what lies there now, which is to be kept ([`Written::keep`]).
    pub async fn delete(
        &self,
        target: &Target<'_>,
    ) -> Result<(String, Option<Resource>), RemoteError> {
        let deleted = self.server.delete(target).await;
        self.or_look_again(deleted).await
    }

    /// What was seen is not what is there: the next list shows what is.
    async fn or_look_again<T>(&self, done: Result<T, RemoteError>) -> Result<T, RemoteError> {
        if let Err(RemoteError::Changed | RemoteError::Gone) = done {
            let _ = self.known.refresh(TimeDelta::zero()).await;
        }
        done
    }

    /// Puts back what was there.
    pub async fn restore(
        &self,
        id: &str,
        was: &Resource,
        over: Option<&Resource>,
    ) -> Result<(), RemoteError> {
        let (id, now) = self.server.restore(id, was, over).await?;
        self.keep(id, Some(&now), Vec::new()).await;
        Ok(())
    }

    /// Keeps what a change left, and `cursors` with it.
    pub async fn keep(&self, id: String, now: Option<&Resource>, cursors: Vec<CursorChange>) {
        // It is on the server: the next look finds it in any case.
        let _ = self.known.wrote(id, now, cursors).await;
    }
}
