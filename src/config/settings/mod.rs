//! `config/reveille.toml`: models, routes, calendars, Telegram, web, limits.

mod budget;
mod calendars;
mod email;
mod google;
mod models;
mod plain;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::diagnostic::{Diagnostic, Source};
use super::read::Reader;
use super::secret::{Address, SecretRef};
use super::words::without_consequences;
use crate::llm::Price;
use crate::llm::class::Classifier;
use crate::store::Retention;
use crate::template::Locale;
use crate::zone::Tz;

pub use budget::{AuthoredBudget, Budget};
pub use calendars::{AuthoredCalendar, CalendarPlace, CalendarSettings};
pub use email::{AuthoredEmail, EmailSettings, Security};
pub use google::{AuthoredGoogle, GoogleCredentials, GoogleSettings};
pub use models::{AuthoredClasses, AuthoredModel, AuthoredRoute, ModelSettings, RouteSettings};
pub use plain::{
    AuthoredDefaults, AuthoredHeartbeat, AuthoredHistory, AuthoredLimits, AuthoredOwner,
    AuthoredTelegram, AuthoredWeb, DEFAULT_LISTEN, HeartbeatSettings, Notify, TelegramSettings,
    WebSettings,
};

/// The configuration, resolved.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The zone for everything that names none.
    pub timezone: Tz,
    /// The language of names of days and months, and of the program's own words in messages.
    pub language: Locale,
    /// The route of steps that name none.
    pub default_route: Option<String>,
    /// Calendars by name, in the order of the file.
    pub calendars: Vec<CalendarSettings>,
    /// Accounts at Google, in the order of the file.
    pub google: Vec<GoogleSettings>,
    /// Models by name.
    pub models: BTreeMap<String, ModelSettings>,
    /// Routes by name.
    pub routes: BTreeMap<String, RouteSettings>,
    /// Tells what kind of message it is, for routes that ask.
    pub classifier: Arc<Classifier>,
    /// What calls to models may take.
    pub budget: Budget,
    /// The price that savings of models at home are told against.
    pub reference: Option<Price>,
    /// The server that takes letters, where one is configured.
    pub email: Option<EmailSettings>,
    /// The chat with the owner, where one is configured.
    pub telegram: Option<TelegramSettings>,
    /// Where failures are told.
    pub notify: Vec<Notify>,
    /// The HTTP listener.
    pub web: WebSettings,
    /// A service that misses us when we are silent.
    pub heartbeat: Option<HeartbeatSettings>,
    /// What is kept of what is over.
    pub retention: Retention,
    /// How many runs may be under way at once.
    pub max_runs: usize,
    /// How many programs of `exec` steps may run at once.
    pub max_commands: usize,
    /// Nothing private goes to a cloud model.
    pub local_only: bool,
    /// How long timed jobs wait after a start for the clock to be set right.
    pub clock_wait: Duration,
}

impl Settings {
    /// What holds without a configuration file.
    pub fn new(timezone: Tz) -> Self {
        Settings {
            timezone,
            language: Locale::En,
            default_route: None,
            calendars: Vec::new(),
            google: Vec::new(),
            models: BTreeMap::new(),
            routes: BTreeMap::new(),
            classifier: Arc::default(),
            budget: Budget::default(),
            reference: None,
            email: None,
            telegram: None,
            notify: vec![Notify::Journal],
            web: WebSettings::default(),
            heartbeat: None,
            retention: Retention {
                age: Duration::from_secs(90 * 86_400),
                count: 10_000,
                memories: None,
            },
            max_runs: 256,
            max_commands: 4,
            local_only: false,
            clock_wait: Duration::from_secs(600),
        }
    }

    /// Where its secrets are kept.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        let keys = self.models.values().flat_map(|model| &model.api_key);
        let calendars = self.calendars.iter();
        let addresses = calendars.filter_map(|calendar| calendar.place.secret());
        let telegram = self.telegram.iter().map(|telegram| &telegram.token);
        let login = self.email.iter().flat_map(|email| &email.login);
        let password = login.map(|(_, password)| password);
        let ping = self
            .heartbeat
            .iter()
            .filter_map(|heartbeat| match &heartbeat.ping {
                Address::Secret(secret) => Some(secret),
                Address::Typed(_) => None,
            });
        let google = self.google.iter().flat_map(GoogleSettings::secrets);
        keys.chain(addresses)
            .chain(google)
            .chain(telegram)
            .chain(password)
            .chain(ping)
    }
}

/// The sections of the file.
pub const SECTIONS: &[&str] = &[
    "defaults",
    "owner",
    "calendars",
    "google",
    "models",
    "routes",
    "classes",
    "budget",
    "email",
    "telegram",
    "web",
    "limits",
    "history",
    "heartbeat",
];

/// Reads the configuration file; `system_zone` is for a file that names none.
///
/// Pure: everything wrong with the text is reported, and what is right is kept.
pub fn resolve(source: &Arc<Source>, system_zone: Tz, problems: &mut Vec<Diagnostic>) -> Settings {
    let mut reader = Reader { source, problems };
    let first = reader.problems.len();
    let mut root = reader.parse(&source.text);
    let syntax = reader.problems.len() - first;
    let mut settings = Settings::new(system_zone);
    let later = plain::resolve(&mut reader, &mut root, &mut settings);
    settings.google = google::resolve(&mut reader, &mut root);
    let accounts: Vec<&str> = settings
        .google
        .iter()
        .map(|account| account.name.as_str())
        .collect();
    settings.calendars = calendars::resolve(&mut reader, &mut root, &accounts);
    settings.email = email::resolve(&mut reader, &mut root);
    models::resolve(&mut reader, &mut root, &mut settings);
    budget::resolve(&mut reader, &mut root, &mut settings);
    if let Some(reference) = later.reference {
        let known = settings.models.keys().map(String::as_str);
        let name = reader.one_of(reference, "model", known);
        let model = name.and_then(|name| settings.models.get(&name));
        settings.reference = model.and_then(|model| model.price);
    }
    if let Some(route) = later.route {
        let known = settings.routes.keys().map(String::as_str);
        settings.default_route = reader.one_of(route, "route", known);
    }
    reader.leftover(root, "section", SECTIONS);
    without_consequences(reader.problems, first, syntax);
    settings
}
