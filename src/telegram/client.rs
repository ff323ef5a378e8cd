//! Requests to the Bot API.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use serde::Serialize;
use serde_json::{Value, json};
use teloxide::net::Download;
use teloxide::payloads::{GetFile, GetMe, GetUpdates, GetWebhookInfo, SendMessage, SetMyCommands};
use teloxide::requests::{JsonRequest, Payload, Request};
use teloxide::types::{AllowedUpdate, BotCommand, FileId};
use teloxide::{ApiError, RequestError};

use super::Outgoing;
use crate::clock::{Clock, timeout};
use crate::net::{self, NetError, Secret};

/// Telegram's own server.
const SERVER: &str = "https://api.telegram.org";

/// How long a request may take that does not wait for news. teloxide itself rests for ten seconds once a server failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a poll waits for news, and how much longer an answer may take before the connection counts as deaf.
const POLL: Duration = Duration::from_secs(25);
const DEAF: Duration = Duration::from_secs(15);

/// The largest file that a bot may fetch, in bytes. Bot API, `getFile`.
pub const LARGEST: usize = 20 << 20;

/// How long fetching one may take.
const FETCHING: Duration = Duration::from_secs(300);

/// A bot, as its token and its server make it. Clones share connections.
#[derive(Clone)]
pub struct Bot {
    inner: teloxide::Bot,
    clock: Arc<dyn Clock>,
    origin: String,
}

/// Why a request did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Too many; to be asked again after this time.
    Flood(Duration),
    /// The group has this number now.
    Migrated(i64),
    /// The token is not one of a bot, or no longer.
    Token,
    /// Somebody else asks for the bot's news, or they go to a webhook.
    Conflict {
        /// They go to a webhook.
        webhook: bool,
    },
    /// The text or its entities were not taken.
    Form(String),
    /// It will never be done, for this reason.
    Refused(String),
    /// The server failed: it may be done.
    Server(String),
    /// Not one byte left.
    Unreachable(String),
    /// Bytes left, and no answer came that can be read.
    Lost(String),
}

/// A payload of teloxide's, whose answer stays as it is: teloxide loses what it does not know.
#[derive(Serialize)]
#[serde(transparent)]
struct Raw<P>(P);

/// What the Bot API calls a payload; teloxide writes the first letter large, which not every server takes.
trait Named {
    const NAMED: &'static str;
}

macro_rules! named {
    ($($payload:ident $name:literal),*) => {
        $(impl Named for $payload {
            const NAMED: &'static str = $name;
        })*
    };
}

named! {
    GetFile "getFile",
    GetMe "getMe",
    GetUpdates "getUpdates",
    GetWebhookInfo "getWebhookInfo",
    SendMessage "sendMessage",
    SetMyCommands "setMyCommands"
}

impl<P: Named> Payload for Raw<P> {
    type Output = Value;
    const NAME: &'static str = P::NAMED;
}

impl Bot {
    /// A bot; nothing is asked yet.
    ///
    /// # Errors
    /// The address of the server is none.
    pub fn new(
        token: &Secret,
        server: Option<&str>,
        http: &net::Client,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NetError> {
        let (client, url) = http.behind(server.unwrap_or(SERVER))?;
        let origin = url.origin().ascii_serialization();
        let inner = teloxide::Bot::with_client(token.expose(), client).set_api_url(url);
        Ok(Bot {
            inner,
            clock,
            origin,
        })
    }

    /// Sends a message; gives its number.
    ///
    /// # Errors
    /// Every [`Failure`] but `Conflict`.
    pub async fn send(&self, message: &Outgoing) -> Result<i64, Failure> {
        let sent = self.call(message.payload()).await?;
        let number = sent["message_id"].as_i64();
        number.ok_or_else(|| Failure::Lost("the answer names no message".to_owned()))
    }

    /// What the bot is called (`reveille_bot`).
    ///
    /// # Errors
    /// `Token`, and what a network does.
    pub async fn name(&self) -> Result<String, Failure> {
        let me = self.call(GetMe::new()).await?;
        Ok(me["username"].as_str().unwrap_or_default().to_owned())
    }

    /// Tells Telegram which commands to offer while somebody types, each with what it does.
    ///
    /// # Errors
    /// `Token`, and what a network does.
    pub async fn offer(&self, commands: &[(String, String)]) -> Result<(), Failure> {
        // Bot API, `BotCommand`: 256 characters of description at most, 100 commands.
        let short = |about: &str| about.chars().take(256).collect::<String>();
        let commands = commands.iter().take(100);
        let commands = commands.map(|(name, about)| BotCommand::new(name, short(about)));
        self.call(SetMyCommands::new(commands)).await.map(drop)
    }

    /// Fetches a file of at most [`LARGEST`] bytes.
    ///
    /// # Errors
    /// [`Failure::Refused`] where it is larger or gone, and what a network does.
    pub async fn fetch(&self, file: &str) -> Result<Vec<u8>, Failure> {
        let found = self.call(GetFile::new(FileId(file.to_owned()))).await?;
        let path = found["file_path"].as_str();
        let path =
            path.ok_or_else(|| Failure::Refused("Telegram does not give this file".to_owned()))?;
        let read = async {
            let mut bytes = Vec::new();
            let mut parts = std::pin::pin!(self.inner.download_file_stream(path));
            while let Some(part) = parts.next().await {
                let part = part.map_err(|error| {
                    Failure::Lost(NetError::of(&self.origin, error).to_string())
                })?;
                bytes.extend_from_slice(&part);
                if bytes.len() > LARGEST {
                    return Err(Failure::Refused("it is larger than 20 MB".to_owned()));
                }
            }
            Ok(bytes)
        };
        match timeout(self.clock.as_ref(), FETCHING, read).await {
            Ok(read) => read,
            Err(late) => Err(Failure::Lost(format!("{}: {late}", self.origin))),
        }
    }

    /// Where its news go by webhook, if anywhere.
    ///
    /// # Errors
    /// `Token`, and what a network does.
    pub async fn webhook(&self) -> Result<Option<String>, Failure> {
        let info = self.call(GetWebhookInfo::new()).await?;
        let url = info["url"].as_str().filter(|url| !url.is_empty());
        Ok(url.map(str::to_owned))
    }

    /// Waits for news from `offset` on, which confirms everything below it; gives them as they came, and none after a while.
    ///
    /// # Errors
    /// `Conflict`, `Token`, `Flood`, and what a network does; [`Failure::Lost`] where it is deaf.
    pub async fn news(&self, offset: i64, waits: bool) -> Result<Vec<Value>, Failure> {
        let wait = if waits { POLL } else { Duration::ZERO };
        let mut poll = GetUpdates::new();
        poll.offset = i32::try_from(offset).ok();
        poll.timeout = u32::try_from(wait.as_secs()).ok();
        poll.allowed_updates = Some(vec![AllowedUpdate::Message, AllowedUpdate::CallbackQuery]);
        match self.within(poll, wait + DEAF).await? {
            Value::Array(news) => Ok(news),
            _ => Err(Failure::Lost("the answer is no list".to_owned())),
        }
    }

    async fn call<P>(&self, payload: P) -> Result<Value, Failure>
    where
        P: Named + Serialize + Send + 'static,
    {
        self.within(payload, PATIENCE).await
    }

    async fn within<P>(&self, payload: P, limit: Duration) -> Result<Value, Failure>
    where
        P: Named + Serialize + Send + 'static,
    {
        let request = JsonRequest::new(self.inner.clone(), Raw(payload)).send();
        match timeout(self.clock.as_ref(), limit, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(Failure::of(error, &self.origin)),
            Err(late) => Err(Failure::Lost(format!("{}: {late}", self.origin))),
        }
    }
}

/// Without the client, whose server and token it would show.
impl std::fmt::Debug for Bot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bot")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl Failure {
    fn of(error: RequestError, origin: &str) -> Self {
        match error {
            RequestError::RetryAfter(seconds) => Failure::Flood(seconds.duration()),
            RequestError::MigrateToChatId(chat) => Failure::Migrated(chat.0),
            RequestError::Api(error) => Failure::of_api(error),
            RequestError::Network(error) => match Arc::into_inner(error) {
                Some(error) => {
                    let error = NetError::of(origin, error);
                    match error.before_sending() {
                        true => Failure::Unreachable(error.to_string()),
                        false => Failure::Lost(error.to_string()),
                    }
                }
                None => Failure::Lost(format!("{origin}: the connection broke")),
            },
            RequestError::InvalidJson { .. } => Failure::Lost(format!(
                "{origin} answered with something that is not the Bot API"
            )),
            RequestError::Io(error) => Failure::Refused(error.to_string()),
        }
    }

    fn of_api(error: ApiError) -> Self {
        match &error {
            ApiError::InvalidToken => Failure::Token,
            ApiError::TerminatedByOtherGetUpdates => Failure::Conflict { webhook: false },
            ApiError::CantGetUpdates => Failure::Conflict { webhook: true },
            ApiError::CantParseEntities(_)
            | ApiError::MessageTextIsEmpty
            | ApiError::MessageIsTooLong => Failure::Form(error.to_string()),
            ApiError::BotBlocked => Failure::Refused("the person blocked the bot".to_owned()),
            ApiError::ChatNotFound => Failure::Refused(
                "Telegram does not know this chat: somebody there has to write to the bot first"
                    .to_owned(),
            ),
            ApiError::Unknown(said) => {
                let said = said.clone();
                let lower = said.to_ascii_lowercase();
                let refused = ["bad request", "forbidden", "unauthorized"];
                if lower.contains("entit") && lower.starts_with("bad request") {
                    Failure::Form(said)
                } else if lower.starts_with("conflict") {
                    Failure::Conflict {
                        webhook: lower.contains("webhook"),
                    }
                } else if refused.iter().any(|word| lower.starts_with(word)) {
                    Failure::Refused(said)
                } else {
                    Failure::Server(said)
                }
            }
            _ => Failure::Refused(error.to_string()),
        }
    }

    /// Why, for people.
    pub fn words(&self) -> String {
        match self {
            Failure::Flood(after) => format!(
                "Telegram wants to be asked again after {} s",
                after.as_secs()
            ),
            Failure::Migrated(chat) => format!("the group has become the chat {chat}"),
            Failure::Token => {
                "Telegram does not know the token of [telegram]: @BotFather has it (/mybots)"
                    .to_owned()
            }
            Failure::Conflict { webhook: false } => {
                "another program reads the messages of this bot".to_owned()
            }
            Failure::Conflict { webhook: true } => {
                "the messages of this bot go to a webhook".to_owned()
            }
            Failure::Form(why) | Failure::Refused(why) => why.clone(),
            Failure::Server(why) => format!("Telegram's server failed: {why}"),
            Failure::Unreachable(why) | Failure::Lost(why) => why.clone(),
        }
    }
}

impl Outgoing {
    /// As the Bot API wants it; the parts are ours, and their JSON is teloxide's.
    fn payload(&self) -> SendMessage {
        use teloxide::types::{ChatId, LinkPreviewOptions, MessageId, ReplyParameters};
        let mut payload = SendMessage::new(ChatId(self.chat), &self.chunk.text);
        let entities = self.chunk.entities.iter().filter_map(entity);
        payload.entities = Some(entities.collect());
        payload.link_preview_options =
            serde_json::from_value::<LinkPreviewOptions>(json!({ "is_disabled": true })).ok();
        payload.disable_notification = self.silent.then_some(true);
        payload.reply_parameters = self.reply_to.and_then(|message| {
            let message = i32::try_from(message).ok()?;
            Some(ReplyParameters::new(MessageId(message)).allow_sending_without_reply())
        });
        payload
    }
}

/// An entity as teloxide has it; `None` for an address that it does not take.
fn entity(entity: &super::Entity) -> Option<teloxide::types::MessageEntity> {
    use teloxide::types::{MessageEntity, MessageEntityKind};

    use super::Style;
    let kind = match &entity.style {
        Style::Bold => MessageEntityKind::Bold,
        Style::Italic => MessageEntityKind::Italic,
        Style::Strike => MessageEntityKind::Strikethrough,
        Style::Code => MessageEntityKind::Code,
        Style::Pre(language) => MessageEntityKind::Pre {
            language: language.clone(),
        },
        Style::Link(url) => MessageEntityKind::TextLink {
            url: url.parse().ok()?,
        },
        Style::Quote => MessageEntityKind::Blockquote,
    };
    Some(MessageEntity::new(
        kind,
        entity.start,
        entity.end - entity.start,
    ))
}
