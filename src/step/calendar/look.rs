//! One look at one configured calendar: a file, or a web address kept as one.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::desk::Desk;
use super::server::Known;
use crate::calendar::cache::CachedDay;
use crate::calendar::download::refresh;
use crate::calendar::source::MAX_BYTES;
use crate::calendar::{Item, Range, look};
use crate::config::settings::{CalendarPlace, CalendarSettings};
use crate::job::CursorKey;
use crate::net::{Client, Limits, Policy};
use crate::template::Locale;
use crate::workspace::Workspace;
use crate::zone::Tz;

/// One look at one source.
pub(super) struct Look<'a> {
    pub desk: Desk<'a>,
    pub source: &'a CalendarSettings,
    pub range: Range,
    pub zone: Tz,
}

/// What one source holds.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub items: Vec<Item>,
    pub warnings: Vec<String>,
    pub stale: Option<Stale>,
    pub cursors: Vec<(CursorKey, Option<Value>)>,
}

/// A calendar that could not be brought up to date.
#[derive(Debug, Clone, Serialize)]
pub struct Stale {
    /// Its label.
    pub calendar: String,
    /// When its items were last known to be so: a local time, `2026-11-20 06:55`.
    pub from: String,
    /// What [`Held::warnings`](super::Held::warnings) says of it.
    pub warning: String,
}

impl Stale {
    /// What is said of it in full: `why` is what the server or the network said.
    pub(super) fn new(label: &str, from: String, why: &str, language: Locale) -> Self {
        let warning = match language {
            Locale::En => {
                format!("{label} could not be brought up to date ({why}): this is from {from}")
            }
            Locale::Es => format!("{label} no se pudo actualizar ({why}): esto es de {from}"),
        };
        Stale {
            calendar: label.to_owned(),
            from,
            warning,
        }
    }
}

impl Seen {
    /// Says that this is what was known before.
    pub(super) fn is_stale(&mut self, stale: Stale) {
        self.warnings.push(stale.warning.clone());
        self.stale = Some(stale);
    }
}

impl Look<'_> {
    /// The source's items, as new as can be had.
    pub async fn look(&self) -> Result<Seen, String> {
        let (range, zone) = (self.range, self.zone);
        let mut seen = Seen::default();
        let known = Known {
            desk: self.desk,
            source: self.source,
        };
        let file = match &self.source.place {
            CalendarPlace::File(relative) => {
                if let Some(text) = self.desk.folder.embedded(relative) {
                    let looked = look::bytes_of(text.as_bytes(), range, zone);
                    seen.items = looked.map_err(|error| error.to_string())?.items;
                    return Ok(seen);
                }
                let path = self.desk.folder.path(relative);
                path.ok_or_else(|| format!("there is no `{relative}` inside the program"))?
            }
            CalendarPlace::Google { .. } | CalendarPlace::Dav { .. } => {
                return known.look(range).await;
            }
            CalendarPlace::Url(url) => self.download(url, &mut seen).await?,
            CalendarPlace::SecretUrl(secret) => {
                let url = self.desk.secrets.get(secret)?;
                self.download(url.expose(), &mut seen).await?
            }
        };
        let key = self.key(&format!("{}+{}", range.start, range.days));
        let kept = self.kept(&key).await?;
        let looked = tokio::task::spawn_blocking(move || look::file(&file, range, zone, kept));
        let looked = looked.await.map_err(|error| format!("a bug: {error}"))?;
        let looked = looked.map_err(|error| error.to_string())?;
        if let Some(keep) = looked.keep {
            seen.cursors.extend(self.outdated().await?);
            seen.cursors.push((key, Some(keep)));
        }
        let label = &self.source.label;
        let warnings = looked.warnings.into_iter();
        seen.warnings
            .extend(warnings.map(|why| format!("{label}: {why}")));
        seen.items = looked.items;
        Ok(seen)
    }

    /// The file of a calendar at a web address, as new as can be had.
    async fn download(&self, url: &str, seen: &mut Seen) -> Result<PathBuf, String> {
        // The owner wrote the address, so its host is allowed, a private one too.
        let host = url::Url::parse(url)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned));
        let policy = Policy::allowing(host);
        let usual = Limits::default();
        let limits = Limits {
            bytes: MAX_BYTES,
            // What is known from before has to go out within the step's own time.
            total: usual.total.min(self.desk.limit * 2 / 3),
            ..usual
        };
        let client = Client::new(policy, limits, Arc::clone(self.desk.clock));
        let cache = Workspace::new(self.desk.state.join("cache"));
        let name = format!("calendar-{}.ics", self.source.name);
        let now = self.desk.clock.now().with_timezone(&self.zone);
        let now = now.format("%Y-%m-%d %H:%M").to_string();
        let download = refresh(&client, url, &cache, &name, now).await;
        let download = download.map_err(|error| error.to_string())?;
        if let Some((confirmed_at, error)) = download.stale {
            let (label, language) = (&self.source.label, self.desk.settings.language);
            seen.is_stale(Stale::new(
                label,
                confirmed_at,
                &error.to_string(),
                language,
            ));
        }
        Ok(download.file)
    }

    /// What is shared by all jobs that look at this source.
    fn key(&self, name: &str) -> CursorKey {
        CursorKey {
            owner: format!("calendar:{}", self.source.name),
            step: String::new(),
            name: name.to_owned(),
        }
    }

    async fn kept(&self, key: &CursorKey) -> Result<Option<CachedDay>, String> {
        let key = key.clone();
        let read = self
            .desk
            .store
            .read(move |reader| reader.cursor_as(&key))
            .await;
        read.map_err(|error| error.to_string())
    }

    /// Days before yesterday that are still remembered: nobody asks for them again.
    async fn outdated(&self) -> Result<Vec<(CursorKey, Option<Value>)>, String> {
        let owner = format!("calendar:{}", self.source.name);
        let read = self
            .desk
            .store
            .read(move |reader| reader.cursors(&owner, "", "20"));
        let all = read.await.map_err(|error| error.to_string())?;
        let today = self
            .desk
            .clock
            .now()
            .with_timezone(&self.zone)
            .date_naive()
            .to_string();
        let old = all.into_iter().filter(|(name, _)| *name < today);
        Ok(old.map(|(name, _)| (self.key(&name), None)).collect())
    }
}
