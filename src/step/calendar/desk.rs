//! What the calendars of the configuration hold, for steps and for the triggers that go before entries.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use serde_json::Value;

use super::connect::Accounts;
use super::look::{Look, Seen, Stale};
use super::server::Known;
use crate::calendar::{Item, Range, mark_overlaps, merge};
use crate::clock::Clock;
use crate::config::Settings;
use crate::config::folder::Folder;
use crate::config::secrets::Secrets;
use crate::config::settings::CalendarSettings;
use crate::job::CursorKey;
use crate::store::Store;

/// What is needed to look at calendars.
#[derive(Clone, Copy)]
pub struct Desk<'a> {
    /// Time.
    pub clock: &'a Arc<dyn Clock>,
    /// The configuration.
    pub settings: &'a Settings,
    /// The user's folder.
    pub folder: &'a Folder,
    /// Passwords and secret addresses.
    pub secrets: &'a Secrets,
    /// What is known of calendars.
    pub store: &'a Store,
    /// Accounts of Google that were asked already.
    pub accounts: &'a Accounts,
    /// The folder with the database.
    pub state: &'a Path,
    /// How long a look may take.
    pub limit: Duration,
}

/// What calendars hold for some days.
#[derive(Debug, Default)]
pub struct Held {
    /// In order, with their overlaps.
    pub items: Vec<Item>,
    /// What was wrong, in words.
    pub warnings: Vec<String>,
    /// Of which calendars this is what was known before.
    pub stale: Vec<Stale>,
    /// What is to be remembered of the look.
    pub cursors: Vec<(CursorKey, Option<Value>)>,
}

impl Desk<'_> {
    /// The entries of some days in these calendars; in all of them where none is named.
    ///
    /// # Errors
    /// None of them could be looked at, nor is anything known from before.
    pub async fn items(&self, from: &[String], range: Range) -> Result<Held, String> {
        let sources = self.settings.calendars.iter();
        let sources = sources.filter(|source| from.is_empty() || from.contains(&source.name));
        // At once, so that a server which does not answer costs its own time only.
        let looks: Vec<_> = sources.map(|source| self.look(source, range)).collect();
        let mut lists = Vec::new();
        let mut held = Held::default();
        let mut failures = Vec::new();
        for (source, seen) in join_all(looks).await {
            match seen {
                Ok(mut seen) => {
                    for item in &mut seen.items {
                        item.calendar.clone_from(&source.label);
                    }
                    lists.push(seen.items);
                    held.warnings.append(&mut seen.warnings);
                    held.stale.extend(seen.stale);
                    held.cursors.append(&mut seen.cursors);
                }
                Err(why) => failures.push(format!("{}: {why}", source.label)),
            }
        }
        if lists.is_empty() && !failures.is_empty() {
            return Err(failures.join("; "));
        }
        held.warnings.extend(failures);
        held.items = merge(lists);
        mark_overlaps(&mut held.items);
        Ok(held)
    }

    fn look<'l>(
        &'l self,
        source: &'l CalendarSettings,
        range: Range,
    ) -> BoxFuture<'l, (&'l CalendarSettings, Result<Seen, String>)> {
        let look = Look {
            desk: *self,
            source,
            range,
            zone: self.settings.timezone,
        };
        Box::pin(async move { (source, look.look().await) })
    }

    /// What is known of a calendar on a server.
    pub(super) fn known<'k>(&self, source: &'k CalendarSettings) -> Known<'k>
    where
        Self: 'k,
    {
        Known {
            desk: *self,
            source,
        }
    }

    /// The calendar that is written to: this one, else the first that can be.
    ///
    /// # Errors
    /// There is none.
    pub fn written(&self, name: Option<&str>) -> Result<&CalendarSettings, String> {
        let mut known = self.settings.calendars.iter();
        let found = match name {
            Some(name) => known.find(|source| source.name == name),
            None => known.find(|source| source.place.is_written()),
        };
        let found = found.filter(|source| source.place.is_written());
        found.ok_or_else(|| {
            "no calendar here can be written: add a [calendars.NAME] with `google` or `caldav` to config/reveille.toml".to_owned()
        })
    }
}
