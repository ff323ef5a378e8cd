//! Requests to the Bot API.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use teloxide::RequestError;
use teloxide::payloads::{
    AnswerCallbackQuery, DeleteWebhook, GetFile, GetMe, GetUpdates, GetWebhookInfo, SendChatAction,
    SetMyCommands, SetWebhook,
};
use teloxide::requests::{JsonRequest, MultipartPayload, MultipartRequest, Request};
use teloxide::types::{AllowedUpdate, BotCommand, CallbackQueryId, ChatAction, ChatId, FileId};

use super::mend::mended;
use super::payload::{Named, Raw};
use super::{Failure, Outgoing};
use crate::clock::{Clock, timeout};
use crate::net::{self, NetError, Secret};

/// Telegram's own server.
const SERVER: &str = "https://api.telegram.org";

/// How long a request may take that does not wait for news. teloxide itself rests for ten seconds once a server failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a poll waits for news, and how much longer an answer may take before the connection counts as deaf.
const POLL: Duration = Duration::from_secs(25);
const DEAF: Duration = Duration::from_secs(15);

/// Where the news go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hooked {
    /// The address.
    pub url: String,
    /// Why they could not be brought there the last time.
    pub trouble: Option<String>,
    /// When that was.
    pub trouble_at: Option<DateTime<Utc>>,
}

/// The news that are asked for.
const NEWS: [AllowedUpdate; 2] = [AllowedUpdate::Message, AllowedUpdate::CallbackQuery];

/// The largest file that a bot may fetch, in bytes. Bot API, `getFile`.
pub const LARGEST: usize = 20 << 20;

/// How long fetching or sending one may take.
const FETCHING: Duration = Duration::from_secs(300);

/// A bot, as its token and its server make it. Clones share connections.
#[derive(Clone)]
pub struct Bot {
    inner: teloxide::Bot,
    /// For files.
    http: net::Http,
    server: String,
    clock: Arc<dyn Clock>,
    origin: String,
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
        let server = url.as_str().to_owned();
        let inner = teloxide::Bot::with_client(token.expose(), client.clone()).set_api_url(url);
        Ok(Bot {
            inner,
            http: client,
            server,
            clock,
            origin,
        })
    }

    /// Sends a message, or puts it in the place of another; gives its number.
    ///
    /// # Errors
    /// Every [`Failure`] but `Conflict`.
    pub async fn send(&self, message: &Outgoing) -> Result<i64, Failure> {
        if let Some(edited) = message.edits {
            let words = message.new_words().ok_or(Failure::Gone)?;
            return match self.call(words).await {
                Ok(_) | Err(Failure::Unchanged) => Ok(edited),
                Err(failure) => Err(failure),
            };
        }
        let sent = match &message.file {
            None => self.call(message.new_text()).await?,
            Some(file) if file.photo => self.upload(message.photo(file)).await?,
            Some(file) => self.upload(message.document(file)).await?,
        };
        let number = sent["message_id"].as_i64();
        number.ok_or_else(|| Failure::Lost("the answer names no message".to_owned()))
    }

    /// Shows in a chat that something is being written, for some five seconds.
    ///
    /// # Errors
    /// What a network does.
    pub async fn types(&self, chat: i64) -> Result<(), Failure> {
        let typing = SendChatAction::new(ChatId(chat), ChatAction::Typing);
        self.call(typing).await.map(drop)
    }

    /// Answers a press: the button stops turning, and the words are shown for a moment.
    ///
    /// # Errors
    /// `Refused` where it was pressed too long ago, and what a network does.
    pub async fn pressed(&self, id: &str, words: &str) -> Result<(), Failure> {
        let mut answer = AnswerCallbackQuery::new(CallbackQueryId(id.to_owned()));
        // Bot API, `answerCallbackQuery`: 200 characters.
        answer.text = Some(words.chars().take(200).collect());
        self.call(answer).await.map(drop)
    }

    /// From now on news come to `url` with this secret, and are not asked for.
    ///
    /// # Errors
    /// `Refused` where the address is none that Telegram takes, `Token`, and what a network does.
    pub async fn set_webhook(&self, url: &str, secret: &str) -> Result<(), Failure> {
        let url = url
            .parse()
            .map_err(|error| Failure::Refused(format!("{url}: {error}")))?;
        let mut payload = SetWebhook::new(url);
        payload.secret_token = Some(secret.to_owned());
        payload.allowed_updates = Some(NEWS.to_vec());
        self.call(payload).await.map(drop)
    }

    /// From now on news are asked for.
    ///
    /// # Errors
    /// `Token`, and what a network does.
    pub async fn delete_webhook(&self) -> Result<(), Failure> {
        self.call(DeleteWebhook::new()).await.map(drop)
    }

    /// What the bot is called (`reveille_bot`).
    ///
    /// # Errors
    /// `Token`, and what a network does.
    pub async fn name(&self) -> Result<String, Failure> {
        let me = self.call(GetMe::new()).await?;
        Ok(me["username"].as_str().unwrap_or_default().to_owned())
    }

    /// Tells Telegram which commands to offer while somebody types, each with what it does; to people whose phone has this
    /// language, or to all others.
    ///
    /// # Errors
    /// `Token`, and what a network does.
    pub async fn offer(
        &self,
        commands: &[(String, String)],
        language: Option<&str>,
    ) -> Result<(), Failure> {
        // Bot API, `BotCommand`: 256 characters of description at most, 100 commands.
        let short = |about: &str| about.chars().take(256).collect::<String>();
        let commands = commands.iter().take(100);
        let commands = commands.map(|(name, about)| BotCommand::new(name, short(about)));
        let mut payload = SetMyCommands::new(commands);
        payload.language_code = language.map(str::to_owned);
        self.call(payload).await.map(drop)
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
        // By ourselves: teloxide writes `/` as `%2F`, which not every server takes.
        let server = self.server.trim_end_matches('/');
        let url = format!("{server}/file/bot{}/{path}", self.inner.token());
        let broken = |error| Failure::Lost(NetError::of(&self.origin, error).to_string());
        let read = async {
            let mut answer = self.http.get(url).send().await.map_err(broken)?;
            match answer.status() {
                status if status.is_success() => {}
                status if status.is_server_error() => {
                    return Err(Failure::Server(status.to_string()));
                }
                _ => {
                    let gone = "Telegram does not have it any more";
                    return Err(Failure::Refused(gone.to_owned()));
                }
            }
            let mut bytes = Vec::new();
            while let Some(part) = answer.chunk().await.map_err(broken)? {
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
    pub async fn webhook(&self) -> Result<Option<Hooked>, Failure> {
        let info = self.call(GetWebhookInfo::new()).await?;
        let url = info["url"].as_str().filter(|url| !url.is_empty());
        Ok(url.map(|url| Hooked {
            url: url.to_owned(),
            trouble: info["last_error_message"].as_str().map(str::to_owned),
            trouble_at: info["last_error_date"]
                .as_i64()
                .and_then(|at| DateTime::from_timestamp(at, 0)),
        }))
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
        poll.allowed_updates = Some(NEWS.to_vec());
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
        self.answer(limit, request).await
    }

    async fn upload<P>(&self, payload: P) -> Result<Value, Failure>
    where
        P: Named + MultipartPayload + Serialize + Send + 'static,
    {
        let request = MultipartRequest::new(self.inner.clone(), Raw(payload)).send();
        self.answer(FETCHING, request).await
    }

    async fn answer(
        &self,
        limit: Duration,
        request: impl Future<Output = Result<Value, RequestError>>,
    ) -> Result<Value, Failure> {
        match timeout(self.clock.as_ref(), limit, request).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(RequestError::InvalidJson { source, raw })) => match mended(&raw) {
                Some(answer) => Ok(answer),
                None => {
                    let error = RequestError::InvalidJson { source, raw };
                    Err(Failure::of(error, &self.origin))
                }
            },
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
