//! The sections that are one table each.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Settings;
use crate::config::read::{Reader, Table};
use crate::config::secret::{Address, SecretRef};
use crate::config::value::{At, Listen, OneOrMany, Span, WebAddress, Zone};
use crate::store::Retention;
use crate::template::Locale;

/// `[defaults]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthoredDefaults {
    /// The zone for everything that names none; else the system's.
    timezone: Option<Zone>,
    /// The language of names of days and months and of the program's own words in messages.
    language: Option<Locale>,
    /// The route of steps that name none.
    route: Option<At<String>>,
    /// Nothing that jobs read reaches a cloud model.
    local_only: Option<bool>,
    /// The model whose price tells what models at home saved.
    reference: Option<At<String>>,
}

/// `[owner]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthoredOwner {
    /// Where failures are told.
    notify: Option<OneOrMany<Notify>>,
}

/// Where failures are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Notify {
    /// The log of the service.
    Journal,
    /// The chat with the owner.
    Telegram,
    /// The terminal.
    Console,
    /// A letter.
    Email,
}

/// `[telegram]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthoredTelegram {
    /// The bot's token.
    token: SecretRef,
    /// The owner's numeric user id; else the one who paired.
    owner: Option<i64>,
    /// Others who may write, by numeric user id.
    users: Option<Vec<i64>>,
    /// The only jobs that a user may start, by numeric user id; any where it is left out.
    jobs: Option<BTreeMap<String, Vec<At<String>>>>,
    /// Group chats that may be written in, by numeric chat id.
    chats: Option<Vec<i64>>,
    /// The Bot API server; Telegram's own when left out.
    api_url: Option<WebAddress>,
    /// A public address for updates, in place of long polling.
    webhook: Option<WebAddress>,
}

/// The chat with the owner.
#[derive(Debug, Clone)]
pub struct TelegramSettings {
    /// The bot's token.
    pub token: SecretRef,
    /// The owner's numeric user id.
    pub owner: Option<i64>,
    /// Others who may write.
    pub users: Vec<i64>,
    /// The only jobs that some of them may start.
    pub jobs: BTreeMap<i64, Vec<At<String>>>,
    /// Group chats that may be written in.
    pub chats: Vec<i64>,
    /// The Bot API server.
    pub api_url: Option<String>,
    /// A public address for updates.
    pub webhook: Option<String>,
}

/// `[web]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthoredWeb {
    /// The address and port of the listener; 127.0.0.1:7777 when left out.
    listen: Option<Listen>,
    /// Names under which others call it, as behind a proxy; its addresses and `localhost` need none.
    hosts: Option<Vec<String>>,
}

/// The HTTP listener.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebSettings {
    /// Where it listens; `None`: at [`DEFAULT_LISTEN`] once a job has a webhook.
    pub listen: Option<SocketAddr>,
    /// Names under which others call it.
    pub hosts: Vec<String>,
}

/// Where the listener is when nobody says where.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7777);

impl WebSettings {
    /// Whether none but programs of this machine call it.
    pub fn is_private(&self) -> bool {
        self.hosts.is_empty() && self.listen.is_none_or(|listen| listen.ip().is_loopback())
    }
}

/// `[limits]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthoredLimits {
    /// How many runs at once; 256.
    runs: Option<NonZeroU32>,
    /// How many programs of `exec` steps at once, over all jobs; the others wait; 4.
    commands: Option<NonZeroU32>,
    /// How long timed jobs wait after a start for the clock to be set right; 10m.
    clock_wait: Option<Span>,
}

/// `[history]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthoredHistory {
    /// How long finished runs are kept; 90d.
    keep: Option<Span>,
    /// How many finished runs are kept; 10000.
    runs: Option<u32>,
    /// How long what people had remembered is kept; until it is forgotten.
    memories: Option<Span>,
}

/// `[heartbeat]`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthoredHeartbeat {
    /// An address that is called while everything moves, or where it is kept if it is a secret.
    ping: Option<Address>,
    /// How often; 5m.
    every: Option<Span>,
}

/// A service that misses us when we are silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartbeatSettings {
    /// What is called.
    pub ping: Address,
    /// How often.
    pub every: Duration,
}

/// What is checked once models and routes are known.
#[derive(Default)]
pub(super) struct Later {
    /// The default route.
    pub(super) route: Option<At<String>>,
    /// The model that savings are told against.
    pub(super) reference: Option<At<String>>,
}

/// Gives what is to be checked once the models and the routes are known.
pub(super) fn resolve(
    reader: &mut Reader<'_>,
    root: &mut Table<'_>,
    settings: &mut Settings,
) -> Later {
    let mut later = Later::default();
    if let Some(defaults) = section::<AuthoredDefaults>(reader, root, "defaults") {
        settings.timezone = defaults.timezone.map_or(settings.timezone, |zone| zone.0);
        settings.language = defaults.language.unwrap_or_default();
        (later.route, later.reference) = (defaults.route, defaults.reference);
        settings.local_only = defaults.local_only.unwrap_or(false);
    }
    if let Some(history) = section::<AuthoredHistory>(reader, root, "history") {
        let usual = settings.retention;
        settings.retention = Retention {
            age: history.keep.map_or(usual.age, |keep| keep.0),
            count: history.runs.unwrap_or(usual.count),
            memories: history.memories.map(|keep| keep.0),
        };
    }
    if let Some(telegram) = section::<AuthoredTelegram>(reader, root, "telegram") {
        let users = telegram.users.unwrap_or_default();
        let jobs = telegram.jobs.unwrap_or_default();
        settings.telegram = Some(TelegramSettings {
            token: telegram.token,
            owner: telegram.owner,
            jobs: limited(reader, jobs, &users),
            users,
            chats: telegram.chats.unwrap_or_default(),
            api_url: telegram.api_url.map(|url| url.0),
            webhook: telegram.webhook.map(|url| url.0),
        });
    }
    let owner = section::<AuthoredOwner>(reader, root, "owner");
    if let Some(notify) = owner.and_then(|owner| owner.notify) {
        settings.notify = notify.0;
    }
    if let Some(web) = section::<AuthoredWeb>(reader, root, "web") {
        settings.web = WebSettings {
            listen: Some(web.listen.map_or(DEFAULT_LISTEN, |listen| listen.0)),
            hosts: web.hosts.unwrap_or_default(),
        };
    }
    // Checked now, used by the daemon.
    if let Some(limits) = section::<AuthoredLimits>(reader, root, "limits") {
        let count = |most: NonZeroU32| usize::try_from(most.get()).ok();
        settings.max_runs = limits.runs.and_then(count).unwrap_or(settings.max_runs);
        let commands = limits.commands.and_then(count);
        settings.max_commands = commands.unwrap_or(settings.max_commands);
        settings.clock_wait = limits.clock_wait.map_or(settings.clock_wait, |wait| wait.0);
    }
    if let Some(heartbeat) = section::<AuthoredHeartbeat>(reader, root, "heartbeat") {
        let every = heartbeat.every.map(|every| every.0);
        settings.heartbeat = heartbeat.ping.map(|ping| HeartbeatSettings {
            ping,
            every: every.unwrap_or(Duration::from_secs(300)),
        });
    }
    later
}

/// The jobs that some users may start, by their numbers.
fn limited(
    reader: &mut Reader<'_>,
    jobs: BTreeMap<String, Vec<At<String>>>,
    users: &[i64],
) -> BTreeMap<i64, Vec<At<String>>> {
    let mut limited = BTreeMap::new();
    for (user, jobs) in jobs {
        let span = jobs.first().map(|job| job.span.clone());
        match user.parse() {
            Ok(number) if users.contains(&number) => drop(limited.insert(number, jobs)),
            _ => {
                let what = format!("`{user}` is not among `users`");
                let right = "these are the jobs of one of `users`: `jobs.NUMBER = [\"NAME\"]`";
                reader.error(span.unwrap_or_default(), what, right);
            }
        }
    }
    limited
}

pub(super) fn section<T: DeserializeOwned>(
    reader: &mut Reader<'_>,
    root: &mut Table<'_>,
    name: &str,
) -> Option<T> {
    let table = reader.take_table(root, name)?;
    reader.table(table, &[])
}
