//! `calendar`: what the configured calendars hold.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{Days as Days64, SecondsFormat};
use chrono_tz::Tz;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Context, Declaration, Done, StepError};
use crate::calendar::download::refresh;
use crate::calendar::source::MAX_BYTES;
use crate::calendar::{Item, Range, look, mark_overlaps, merge};
use crate::config::resolve::Scope;
use crate::config::settings::{CalendarPlace, CalendarSettings};
use crate::config::value::{At, OneOrMany};
use crate::job::CursorKey;
use crate::net::{Client, Limits, Policy};
use crate::workspace::Workspace;

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// `list`: the entries of a range.
    calendar: At<Verb>,
    /// `today`, `tomorrow`, `week` (seven days from today) or a number of days from today, as `3d`.
    range: Option<Days>,
    /// Only these calendars.
    from: Option<At<OneOrMany<String>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Verb {
    List,
}

/// Days from today: the first, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// 0 is today.
    pub first: u32,
    /// At least 1.
    pub count: u32,
}

crate::config::value::from_text!(
    Days,
    days,
    "Days",
    Some("^(today|tomorrow|week|[0-9]+d)$"),
    "today, tomorrow, week or a number of days, as \"3d\""
);

fn days(text: &str) -> Result<Days, (String, String)> {
    let (first, count) = match text {
        "today" => (0, 1),
        "tomorrow" => (1, 1),
        "week" => (0, 7),
        other => {
            let count = other
                .strip_suffix('d')
                .and_then(|number| number.parse().ok());
            (
                0,
                count.filter(|count| (1..=366).contains(count)).unwrap_or(0),
            )
        }
    };
    if count == 0 {
        let right = "write today, tomorrow, week or a number of days up to 366, as \"3d\"";
        return Err((format!("`{text}` is not a range of days"), right.to_owned()));
    }
    Ok(Days { first, count })
}

/// What calendars hold.
#[derive(Debug, Clone)]
pub struct Calendar {
    /// Which days.
    pub days: Days,
    /// Only these calendars; empty means all.
    pub from: Vec<String>,
}

impl Authored {
    pub(super) fn resolve(self, scope: &mut Scope<'_>) -> Option<Calendar> {
        if scope.settings.calendars.is_empty() {
            let right = "add a [calendars.NAME] with `ics = ...` to config/reveille.toml";
            scope.error(self.calendar.span, "no calendar is configured", right);
        }
        Some(Calendar {
            days: self.range.unwrap_or(Days { first: 0, count: 1 }),
            from: scope.calendars(self.from),
        })
    }
}

impl Calendar {
    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: false,
            outside_text: true,
            private: true,
            timeout: Duration::from_secs(45),
            example: json!({
                "items": [item_example()], "count": 1, "from": "2026-11-20", "days": 1,
                "warnings": ["text"]
            }),
        }
    }

    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let zone = context.settings.timezone;
        let today = context.clock.now().with_timezone(&zone).date_naive();
        let range = Range {
            start: today + Days64::new(u64::from(self.days.first)),
            days: self.days.count,
        };
        let mut lists = Vec::new();
        let mut warnings = Vec::new();
        let mut failures = Vec::new();
        let mut cursors = Vec::new();
        for source in &context.settings.calendars {
            if !self.from.is_empty() && !self.from.contains(&source.name) {
                continue;
            }
            let look = Look {
                context,
                source,
                range,
                zone,
            };
            match look.look(&mut cursors, &mut warnings).await {
                Ok(mut items) => {
                    for item in &mut items {
                        item.calendar.clone_from(&source.label);
                    }
                    lists.push(items);
                }
                Err(why) => failures.push(format!("{}: {why}", source.label)),
            }
        }
        if lists.is_empty() && !failures.is_empty() {
            return Err(StepError::new(failures.join("; ")));
        }
        warnings.extend(failures);
        let mut items = merge(lists);
        mark_overlaps(&mut items);
        let count = items.len();
        let result = json!({
            "items": items, "count": count, "from": range.start, "days": range.days,
            "warnings": warnings,
        });
        Ok(Done {
            cursors,
            ..Done::result(result)
        })
    }
}

/// One look at one source.
struct Look<'a> {
    context: &'a Context<'a>,
    source: &'a CalendarSettings,
    range: Range,
    zone: Tz,
}

impl Look<'_> {
    async fn look(
        &self,
        cursors: &mut Vec<(CursorKey, Option<Value>)>,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<Item>, String> {
        let (range, zone) = (self.range, self.zone);
        let file = match &self.source.place {
            CalendarPlace::File(relative) => {
                if let Some(text) = self.context.folder.embedded(relative) {
                    let looked = look::bytes_of(text.as_bytes(), range, zone);
                    return looked
                        .map(|looked| looked.items)
                        .map_err(|error| error.to_string());
                }
                let path = self.context.folder.path(relative);
                path.ok_or_else(|| format!("there is no `{relative}` inside the program"))?
            }
            CalendarPlace::Url(url) => self.download(url, cursors, warnings).await?,
            CalendarPlace::SecretUrl(secret) => {
                let url = self.context.secrets.get(secret)?;
                self.download(url.expose(), cursors, warnings).await?
            }
        };
        let key = self.key(&format!("{}+{}", range.start, range.days));
        let kept = self.kept(&key).await?;
        let looked = tokio::task::spawn_blocking(move || look::file(&file, range, zone, kept));
        let looked = looked.await.map_err(|error| format!("a bug: {error}"))?;
        let looked = looked.map_err(|error| error.to_string())?;
        if let Some(keep) = looked.keep {
            cursors.extend(self.outdated().await?);
            cursors.push((key, Some(keep)));
        }
        warnings.extend(
            looked
                .warnings
                .into_iter()
                .map(|why| format!("{}: {why}", self.source.label)),
        );
        Ok(looked.items)
    }

    /// The file of a calendar at a web address, as new as can be had.
    async fn download(
        &self,
        url: &str,
        cursors: &mut Vec<(CursorKey, Option<Value>)>,
        warnings: &mut Vec<String>,
    ) -> Result<PathBuf, String> {
        // The owner wrote the address, so its host is allowed, a private one too.
        let host = url::Url::parse(url)
            .ok()
            .and_then(|url| url.host_str().map(str::to_owned));
        let policy = Policy::allowing(host);
        let limits = Limits {
            bytes: MAX_BYTES,
            ..Limits::default()
        };
        let client = Client::new(policy, limits, Arc::clone(self.context.clock));
        let cache = Workspace::new(self.context.state.join("cache"));
        let name = format!("calendar-{}.ics", self.source.name);
        let key = self.key("download");
        let kept = self.kept(&key).await?;
        let now = self.context.clock.now().with_timezone(&self.zone);
        let now = now.to_rfc3339_opts(SecondsFormat::Secs, false);
        let download = refresh(&client, url, &cache, &name, kept, now).await;
        let download = download.map_err(|error| error.to_string())?;
        cursors.extend(download.keep.map(|keep| (key, Some(keep))));
        if let Some((fetched_at, error)) = download.stale {
            let label = &self.source.label;
            warnings.push(format!(
                "{label} could not be reached ({error}): this is from {fetched_at}"
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

    async fn kept(&self, key: &CursorKey) -> Result<Option<Value>, String> {
        let key = key.clone();
        let read = self
            .context
            .store
            .read(move |reader| reader.cursor(&key))
            .await;
        read.map_err(|error| error.to_string())
    }

    /// Days before yesterday that are still remembered: nobody asks for them again.
    async fn outdated(&self) -> Result<Vec<(CursorKey, Option<Value>)>, String> {
        let owner = format!("calendar:{}", self.source.name);
        let read = self
            .context
            .store
            .read(move |reader| reader.cursors(&owner, "", "20"));
        let all = read.await.map_err(|error| error.to_string())?;
        let today = self
            .context
            .clock
            .now()
            .with_timezone(&self.zone)
            .date_naive()
            .to_string();
        let old = all.into_iter().filter(|(name, _)| *name < today);
        Ok(old.map(|(name, _)| (self.key(&name), None)).collect())
    }
}

/// One entry as templates see it.
pub fn item_example() -> Value {
    json!({
        "date": "2026-11-20", "weekday": 5, "start_time": "09:00", "end_time": "09:30",
        "all_day": false, "title": "text", "location": "text", "description": "text",
        "calendar": "text", "start": "2026-11-20T09:00:00+01:00",
        "end": "2026-11-20T09:30:00+01:00", "day": 1, "days": 1, "starts_before": false,
        "ends_after": false, "overlaps": ["text"], "status": "confirmed", "uid": "text",
        "timestamp": 1_795_161_600
    })
}
