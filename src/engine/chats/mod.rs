//! Messages of Telegram chats become events of the jobs that claim them.
//!
//! An update is confirmed only once everything that came with it is on the disk: whatever dies in between brings it again, and
//! its number tells that it is known.

mod held;
mod hooked;
mod inbox;
mod own;
mod pairing;
mod parts;
mod presses;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, StreamExt};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use super::{Alerts, Intake, Loaded, Notice, Subject};
use crate::clock::Clock;
use crate::config::intents;
use crate::job::CursorKey;
use crate::journal::{self, Level};
use crate::net::Secret;
use crate::store::Store;
use crate::telegram::{self, Bot, Failure, File, Message, News, Press};
use crate::template::Locale;
use crate::workspace::Workspace;

use held::Fetching;
pub use hooked::Brought;
use hooked::Hooked;
use inbox::Inbox;
pub use pairing::{Pairing, owner};

/// Runs a verb of the command line and gives what it says.
pub type Verbs = Arc<dyn Fn(Vec<String>) -> BoxFuture<'static, String> + Send + Sync>;

/// What the chats are read with.
pub(super) struct Chats {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) store: Store,
    pub(super) intake: Intake,
    pub(super) alerts: Alerts,
    pub(super) verbs: Verbs,
    /// The state folder.
    pub(super) state: PathBuf,
    /// Says how to become the owner where there is none; not where somebody is shown a code already.
    pub(super) greets: bool,
    /// What Telegram brings.
    pub(super) brought: mpsc::Receiver<Brought>,
}

/// The wait after a failure, doubled by each up to the longest.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// So many failures in a row are told to the owner; fewer are Wi-Fi.
const TOLD_AFTER: u32 = 5;

/// So many chats are taken in beside each other: all hundred of an answer hold eight megabytes for a moment, and share little more.
const ABREAST: usize = 16;

/// Where the updates that are confirmed are remembered, for the bot with this number.
fn offset_key(bot: &str) -> CursorKey {
    CursorKey {
        owner: "telegram".to_owned(),
        step: bot.to_owned(),
        name: "offset".to_owned(),
    }
}

/// Reads the chats, by the configuration of each moment, until it is dropped.
pub(super) async fn bring(mut chats: Chats) {
    let nothing = mpsc::channel(1).1;
    let mut hooked = Hooked::new(std::mem::replace(&mut chats.brought, nothing));
    let chats = Arc::new(chats);
    let mut reloaded = chats.intake.reloaded();
    let mut inbox = Inbox::new(&chats);
    let mut failures = 0;
    let (mut fetching, mut known) = (Fetching::new(), String::new());
    loop {
        let loaded = Arc::clone(&reloaded.borrow_and_update());
        let Some(bot) = chats.bot(&loaded) else {
            match reloaded.changed().await {
                Ok(()) => continue,
                Err(_) => return,
            }
        };
        inbox.reload(&loaded, intents(&loaded.jobs));
        if known != bot.number {
            known.clone_from(&bot.number);
            chats.greet(&loaded).await;
            chats.go_on((&inbox, &bot), &mut fetching).await;
        }
        chats.offer(&bot, &inbox).await;
        while let Ok(false) = reloaded.has_changed() {
            let settings = loaded.settings.telegram.as_ref();
            let heard = match settings.and_then(|settings| settings.webhook.as_deref()) {
                Some(url) => {
                    let came = (&mut hooked, &mut fetching);
                    let heard = chats.hear((&bot, url), &inbox, &mut reloaded, came);
                    heard.await
                }
                None => {
                    let looked = chats.look(&bot, &inbox, &mut reloaded, &mut fetching);
                    looked.await
                }
            };
            match heard {
                Ok(()) => {
                    // One of an earlier life, too.
                    chats.alerts.over_with(&Subject::Chats).await;
                    failures = 0;
                }
                Err(Failure::Conflict { webhook: true }) if chats.unhook(&bot).await => {}
                Err(failure) => {
                    failures += 1;
                    let wait = chats.tell(&bot, &failure, failures).await;
                    tokio::select! {
                        _ = reloaded.changed() => reloaded.mark_changed(),
                        () = chats.clock.sleep(wait) => {}
                    }
                }
            }
        }
        if reloaded.has_changed().is_err() {
            return;
        }
    }
}

/// What comes from a chat.
enum Came {
    Message(Message),
    Press(Press),
}

impl Came {
    fn update(&self) -> i64 {
        match self {
            Came::Message(message) => message.update,
            Came::Press(press) => press.update,
        }
    }
}

/// A bot and its number, the part of a token that is no secret.
#[derive(Clone)]
struct Reader {
    bot: Bot,
    number: String,
    token: Secret,
}

impl Chats {
    fn bot(&self, loaded: &Loaded) -> Option<Reader> {
        let settings = loaded.settings.telegram.as_ref()?;
        let made = loaded.secrets.get(&settings.token).and_then(|token| {
            let number = token
                .expose()
                .split(':')
                .next()
                .unwrap_or_default()
                .to_owned();
            let bot = self
                .intake
                .outbox()
                .bot(&token, settings.api_url.as_deref());
            let bot = bot?;
            Ok(Reader { bot, number, token })
        });
        match made {
            Ok(reader) => Some(reader),
            Err(why) => {
                journal::say(Level::Error, format!("[telegram] cannot be read: {why}"));
                None
            }
        }
    }

    /// Where nobody owns the bot yet: says how to.
    async fn greet(&self, loaded: &Loaded) {
        let named = loaded.settings.telegram.as_ref();
        let named = named.and_then(|settings| settings.owner);
        if !self.greets {
            return;
        }
        let now = self.clock.now();
        let is_asked = Pairing::is_asked(&self.store, now).await.unwrap_or(true);
        if named.or(self.intake.outbox().owner()).is_some() || is_asked {
            return;
        }
        let random = self.clock.id().as_u128();
        match Pairing::begin(&self.store, random, now).await {
            Ok(pairing) => journal::say(
                Level::Info,
                format!(
                    "nobody is the bot's owner: send it `/pair {}` within ten minutes, or ask for another code by `reveille telegram pair`",
                    pairing.code
                ),
            ),
            Err(error) => journal::say(Level::Warning, error),
        }
    }

    /// Tells Telegram which commands to offer, where they are not those that it was told last.
    async fn offer(&self, reader: &Reader, inbox: &Inbox) {
        let key = CursorKey {
            name: "commands".to_owned(),
            ..offset_key(&reader.number)
        };
        // In the program's own language, and in the other to who has it on the phone.
        let usual = self.intake.loaded().settings.language;
        let (other, code) = match usual {
            Locale::En => (Locale::Es, "es"),
            Locale::Es => (Locale::En, "en"),
        };
        let offers = [(usual, None), (other, Some(code))];
        let offers = offers.map(|(language, code)| (inbox.commands(language), code));
        let commands = json!(offers);
        let known = {
            let key = key.clone();
            self.store.read(move |store| store.cursor(&key)).await
        };
        if matches!(&known, Ok(Some(known)) if *known == commands) {
            return;
        }
        for (commands, code) in &offers {
            if reader.bot.offer(commands, *code).await.is_err() {
                // Done at the next start or reload.
                return;
            }
        }
        let _ = self.store.remember(vec![(key, Some(commands))]).await;
    }

    /// Waits for news, and deals with what comes.
    ///
    /// A reload ends the waiting, and nothing else: what came is dealt with whole.
    async fn look(
        self: &Arc<Self>,
        reader: &Reader,
        inbox: &Inbox,
        reloaded: &mut watch::Receiver<Arc<Loaded>>,
        fetching: &mut Fetching,
    ) -> Result<(), Failure> {
        let key = offset_key(&reader.number);
        let known = {
            let key = key.clone();
            self.store
                .read(move |store| store.cursor_as::<i64>(&key))
                .await
        };
        let offset = match known {
            Ok(offset) => offset.unwrap_or(0),
            Err(error) => return Err(Failure::Refused(error.to_string())),
        };
        let mut news = tokio::select! {
            news = reader.bot.news(offset, true) => news?,
            _ = reloaded.changed() => {
                reloaded.mark_changed();
                return Ok(());
            }
        };
        if parts::goes_on(&news) {
            // The rest of a long text is on its way.
            self.clock.sleep(parts::PARTS).await;
            news = reader.bot.news(offset, false).await?;
        }
        let Some(last) = news.iter().filter_map(telegram::number).max() else {
            return Ok(());
        };
        let news = self.hold((inbox, reader), news, fetching).await;
        self.take(inbox, &news, reader).await;
        // What is not remembered comes again.
        let moved = vec![(key, Some((last + 1).into()))];
        let remembered = self.intake.remember(moved).await;
        remembered.map_err(|error| Failure::Refused(error.to_string()))
    }

    /// In their order within a chat, and some chats beside each other, so that they share commits.
    async fn take(&self, inbox: &Inbox, news: &[Value], reader: &Reader) {
        let (mut messages, mut presses) = (Vec::new(), Vec::new());
        for update in news {
            match telegram::read(update) {
                News::Message(message) => messages.push(*message),
                News::Press(press) => presses.push(*press),
                News::Other => {}
            }
        }
        let mut chats: BTreeMap<i64, Vec<Came>> = BTreeMap::new();
        for message in parts::joined(messages) {
            let of_chat = chats.entry(message.chat.id).or_default();
            of_chat.push(Came::Message(message));
        }
        for press in presses {
            let chat = press.chat.as_ref().map_or(press.from.id, |chat| chat.id);
            chats.entry(chat).or_default().push(Came::Press(press));
        }
        let each = chats.into_values().map(async |mut came| {
            came.sort_by_key(Came::update);
            for came in came {
                match came {
                    Came::Message(message) => inbox.take(self, message, reader).await,
                    Came::Press(press) => inbox.press(self, press, reader).await,
                }
            }
        });
        stream::iter(each)
            .buffer_unordered(ABREAST)
            .collect::<()>()
            .await;
    }

    /// Fetches a file into the workspace; gives what templates see of it.
    async fn keep(&self, reader: &Reader, update: i64, file: &File) -> Result<Value, String> {
        let (mut wait, longest) = AGAIN;
        let bytes = loop {
            match reader.bot.fetch(&file.id).await {
                Ok(bytes) => break bytes,
                Err(failure @ (Failure::Refused(_) | Failure::Token)) => {
                    return Err(failure.words());
                }
                Err(failure) if wait > longest / 8 => return Err(failure.words()),
                Err(_) => self.clock.sleep(wait).await,
            }
            wait *= 2;
        };
        let path = format!("inbox/{update}-{}", file.safe_name());
        let kept = json!({ "path": path, "name": file.name, "size": bytes.len() });
        let workspace = Workspace::new(self.state.join("workspace"));
        let written = tokio::task::spawn_blocking(move || workspace.write(&path, &bytes)).await;
        match written {
            Ok(Ok(())) => Ok(kept),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the program ends".to_owned()),
        }
    }

    /// Tells of a failure, the owner too where it lasts; gives how long to wait.
    async fn tell(&self, reader: &Reader, failure: &Failure, failures: u32) -> Duration {
        let (first, longest) = AGAIN;
        let doubled = first * 2_u32.saturating_pow(failures.min(10) - 1);
        let (at_once, wait) = match failure {
            Failure::Flood(wait) => (false, *wait),
            Failure::Token => (true, longest),
            Failure::Conflict { .. } => (failures > 1, (doubled * 5).min(longest)),
            _ => (false, doubled.min(longest)),
        };
        journal::say(
            Level::Warning,
            format!("the chats cannot be read: {}", failure.words()),
        );
        if at_once || failures == TOLD_AFTER {
            let reason = match failure {
                Failure::Conflict { webhook: true } => match reader.bot.webhook().await {
                    Ok(Some(there)) => format!(
                        "{}: {}; open https://api.telegram.org/bot<TOKEN>/deleteWebhook to take them back, or make another bot (@BotFather, /newbot)",
                        failure.words(),
                        there.url
                    ),
                    _ => failure.words(),
                },
                Failure::Conflict { webhook: false } => format!(
                    "{}: a second Reveille, OpenClaw, Home Assistant or n8n with the same token? Each program needs a bot of its own (@BotFather, /newbot)",
                    failure.words()
                ),
                _ => failure.words(),
            };
            self.alerts.tell(Notice::Deaf { reason }).await;
        }
        wait
    }
}
