//! A fake Bot API server on 127.0.0.1:0: the real rules (offsets, one poller, lengths and entities in UTF-16 units), failing on demand.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// The token that the server knows.
pub const TOKEN: &str = "123456:AAfake-Token_of-the-test-server00000";

/// What goes wrong with one request.
#[derive(Debug, Clone)]
pub enum Fail {
    /// It is answered with this error code and description.
    With(u16, &'static str),
    /// Too many: to be asked again after so many seconds.
    Flood(u32),
    /// It is done, and the answer is no JSON.
    Garbage,
    /// It is done, and the connection ends without an answer.
    Silence,
    /// It is not done, and nothing is ever said.
    Deaf,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Call {
    /// `sendMessage` ...
    pub method: String,
    /// Its parameters.
    pub body: Value,
}

/// The running server; it ends with the test's runtime.
#[derive(Debug, Clone)]
pub struct Telegram {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    inner: Mutex<Inner>,
    /// Something changed.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    updates: VecDeque<Value>,
    next_update: i64,
    next_message: i64,
    polls: u64,
    polling: Option<u64>,
    webhook: Option<String>,
    /// What it shows there.
    secret: String,
    /// Why the last news could not be brought.
    trouble: Option<String>,
    strangers: HashSet<i64>,
    blocked: HashSet<i64>,
    fails: HashMap<String, VecDeque<Fail>>,
    calls: Vec<Call>,
    /// What people see now, by chat and number.
    messages: BTreeMap<(i64, i64), Value>,
    /// By their ids, which are their paths too.
    files: HashMap<String, Vec<u8>>,
    deaf: HashSet<String>,
    /// The highest offset that was ever asked for.
    confirmed: i64,
}

impl Telegram {
    /// Starts it.
    pub async fn start() -> Telegram {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Telegram::on(listener)
    }

    /// Starts it on this listener, within a runtime.
    pub fn on(listener: TcpListener) -> Telegram {
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared::default());
        shared.lock().next_update = 1000;
        let router = Router::new()
            .route("/{bot}/{method}", any(call))
            .route("/file/{bot}/{*path}", any(file))
            .with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Telegram { url, shared }
    }

    /// A message from a user in the chat with the bot; gives the update's number.
    pub fn says(&self, user: i64, text: &str) -> i64 {
        self.message(user, json!({ "text": text }))
    }

    /// A message with these fields beside sender, chat, number and date, which they may replace.
    pub fn message(&self, user: i64, fields: Value) -> i64 {
        let mut inner = self.shared.lock();
        inner.next_message += 1;
        let mut message = json!({
            "message_id": inner.next_message,
            "date": chrono::DateTime::parse_from_rfc3339("2026-11-20T06:00:00Z").expect("a time").timestamp(),
            "chat": { "id": user, "type": "private", "first_name": "Ana" },
            "from": { "id": user, "is_bot": false, "first_name": "Ana", "language_code": "en" },
        });
        for (key, value) in fields.as_object().expect("fields") {
            message[key] = value.clone();
        }
        drop(inner);
        self.update(json!({ "message": message }))
    }

    /// An update of any kind.
    pub fn update(&self, mut fields: Value) -> i64 {
        let mut inner = self.shared.lock();
        let number = inner.next_update;
        inner.next_update += 1;
        fields["update_id"] = number.into();
        inner.updates.push_back(fields);
        drop(inner);
        self.shared.changed.notify_waiters();
        number
    }

    /// Somebody presses a button of the newest message with one in their chat; gives the update's number.
    pub fn presses(&self, user: i64, button: &str) -> i64 {
        let (chat, number, data) = self.button(user, button).expect("there is such a button");
        self.sends_press(user, chat, number, &data)
    }

    /// What the newest button with this text says, with the chat and the number of its message.
    pub fn button(&self, chat: i64, text: &str) -> Option<(i64, i64, String)> {
        let inner = self.shared.lock();
        let mut newest = inner
            .messages
            .iter()
            .rev()
            .filter(|((of, _), _)| *of == chat);
        newest.find_map(|((chat, number), message)| {
            let rows = message["reply_markup"]["inline_keyboard"].as_array()?;
            let mut buttons = rows
                .iter()
                .flat_map(|row| row.as_array().into_iter().flatten());
            let button = buttons.find(|button| button["text"] == text)?;
            Some((*chat, *number, button["callback_data"].as_str()?.to_owned()))
        })
    }

    /// A press as a client could make it up.
    pub fn sends_press(&self, user: i64, chat: i64, number: i64, data: &str) -> i64 {
        let kind = if chat < 0 { "supergroup" } else { "private" };
        self.update(json!({ "callback_query": {
            "id": format!("{user}{number}"), "from": { "id": user, "is_bot": false, "first_name": "Ana" }, "chat_instance": "1",
            "message": { "message_id": number, "date": 0, "chat": { "id": chat, "type": kind } }, "data": data,
        } }))
    }

    /// What a chat shows now, the oldest first.
    pub fn shows(&self, chat: i64) -> Vec<String> {
        let inner = self.shared.lock();
        let messages = inner.messages.iter().filter(|((of, _), _)| *of == chat);
        let text = |message: &Value| message["text"].as_str().unwrap_or_default().to_owned();
        messages.map(|(_, message)| text(message)).collect()
    }

    /// Somebody takes a message out of the chat.
    pub fn forgets(&self, chat: i64, number: i64) {
        self.shared.lock().messages.remove(&(chat, number));
    }

    /// An update with its number.
    pub fn update_as(&self, update: Value) {
        self.shared.lock().updates.push_back(update);
        self.shared.changed.notify_waiters();
    }

    /// The next request of this method fails so.
    pub fn fail(&self, method: &str, fail: Fail) {
        let mut inner = self.shared.lock();
        inner
            .fails
            .entry(method.to_owned())
            .or_default()
            .push_back(fail);
    }

    /// Nobody with this number ever wrote to the bot.
    pub fn unknown(&self, chat: i64) {
        self.shared.lock().strangers.insert(chat);
    }

    /// This person does not want to hear from the bot any more.
    pub fn blocked_by(&self, chat: i64) {
        self.shared.lock().blocked.insert(chat);
    }

    /// A file that messages may name.
    pub fn holds(&self, id: &str, bytes: &[u8]) {
        self.shared
            .lock()
            .files
            .insert(id.to_owned(), bytes.to_vec());
    }

    /// Somebody set a webhook.
    pub fn has_webhook(&self, url: &str) {
        self.shared.lock().webhook = Some(url.to_owned());
    }

    /// Brings the next update to the webhook, with this secret or its own; gives the status of the answer. 200 confirms it.
    pub async fn brings(&self, secret: Option<&str>) -> u16 {
        self.brings_one(0, secret).await
    }

    /// The same with the news at this place: several are brought at once.
    pub async fn brings_one(&self, place: usize, secret: Option<&str>) -> u16 {
        let (url, own, news) = {
            let inner = self.shared.lock();
            let news = inner.updates.get(place).expect("there is news").clone();
            (
                inner.webhook.clone().expect("a webhook"),
                inner.secret.clone(),
                news,
            )
        };
        let update = news.to_string();
        let rest = url
            .strip_prefix("http://")
            .expect("the test server speaks plain HTTP");
        let (host, path) = rest.split_once('/').expect("a path");
        let secret = secret.unwrap_or(&own);
        let head = format!(
            "POST /{path} HTTP/1.1\r\nHost: pi.example.org\r\nContent-Type: application/json\r\nX-Telegram-Bot-Api-Secret-Token: {secret}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{update}",
            update.len()
        );
        let Ok(mut stream) = tokio::net::TcpStream::connect(host).await else {
            self.shared.lock().trouble = Some("Connection refused".to_owned());
            return 0;
        };
        stream.write_all(head.as_bytes()).await.expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("an answer");
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        let status = status.expect("a status");
        if status == 200 {
            let mut inner = self.shared.lock();
            inner.updates.retain(|known| *known != news);
        }
        status
    }

    /// The requests so far of this method.
    pub fn calls(&self, method: &str) -> Vec<Value> {
        let inner = self.shared.lock();
        let calls = inner.calls.iter().filter(|call| call.method == method);
        calls.map(|call| call.body.clone()).collect()
    }

    /// Waits until there were so many requests of this method, and gives them.
    pub async fn saw(&self, method: &str, count: usize) -> Vec<Value> {
        loop {
            let changed = self.shared.changed.notified();
            let calls = self.calls(method);
            if calls.len() >= count {
                return calls;
            }
            changed.await;
        }
    }

    /// The texts that were sent, with their chats, in their order.
    pub fn sent(&self) -> Vec<(i64, String)> {
        let calls = self.calls("sendMessage").into_iter();
        calls
            .map(|body| {
                (
                    body["chat_id"].as_i64().unwrap_or(0),
                    body["text"].as_str().unwrap_or("").to_owned(),
                )
            })
            .collect()
    }

    /// Waits until so many messages were sent.
    pub async fn has_sent(&self, count: usize) -> Vec<(i64, String)> {
        self.saw("sendMessage", count).await;
        self.sent()
    }

    /// Waits until a request of this method came that nothing is ever said to.
    pub async fn is_deaf_to(&self, method: &str) {
        loop {
            let changed = self.shared.changed.notified();
            if self.shared.lock().deaf.contains(method) {
                return;
            }
            changed.await;
        }
    }

    /// The first update that is not confirmed.
    pub fn confirmed(&self) -> i64 {
        self.shared.lock().confirmed
    }

    /// Waits until every update below this one is confirmed.
    pub async fn has_confirmed(&self, below: i64) {
        loop {
            let changed = self.shared.changed.notified();
            if self.confirmed() >= below {
                return;
            }
            changed.await;
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no panic")
    }
}

async fn call(
    State(shared): State<Arc<Shared>>,
    Path((bot, method)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if bot.strip_prefix("bot") != Some(TOKEN) {
        return error(401, "Unauthorized");
    }
    let form = headers
        .get("content-type")
        .and_then(|kind| kind.to_str().ok());
    let body = match form.and_then(|form| form.strip_prefix("multipart/form-data; boundary=")) {
        Some(boundary) => fields(&body, boundary),
        None => serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    let fail = {
        let mut inner = shared.lock();
        inner.fails.get_mut(&method).and_then(VecDeque::pop_front)
    };
    let answer = match fail {
        Some(Fail::With(code, description)) => {
            return seen(&shared, &method, body, error(code, description));
        }
        Some(Fail::Flood(seconds)) => {
            let description = format!("Too Many Requests: retry after {seconds}");
            let said = json!({ "ok": false, "error_code": 429, "description": description, "parameters": { "retry_after": seconds } });
            return (StatusCode::TOO_MANY_REQUESTS, said.to_string()).into_response();
        }
        Some(Fail::Deaf) => {
            shared.lock().deaf.insert(method.clone());
            shared.changed.notify_waiters();
            std::future::pending().await
        }
        Some(Fail::Garbage) => {
            let _ = answer(&shared, &method, &body).await;
            (StatusCode::OK, "<html>hello</html>").into_response()
        }
        Some(Fail::Silence) => {
            let _ = answer(&shared, &method, &body).await;
            seen(&shared, &method, body, StatusCode::OK.into_response());
            // axum closes the connection of a request that panics.
            panic!("the connection ends, as asked for");
        }
        None => answer(&shared, &method, &body).await,
    };
    seen(&shared, &method, body, answer)
}

/// The fields of a form; a file is its name and its content.
fn fields(body: &[u8], boundary: &str) -> Value {
    let text = String::from_utf8_lossy(body);
    let mut fields = json!({});
    for part in text.split(&format!("--{boundary}")) {
        let Some((head, content)) = part.split_once("\r\n\r\n") else {
            continue;
        };
        let content = content.strip_suffix("\r\n").unwrap_or(content);
        let named = |key: &str| {
            let rest = head.split(&format!("; {key}=\"")).nth(1)?;
            rest.split('"').next().map(str::to_owned)
        };
        let Some(name) = named("name") else {
            continue;
        };
        fields[name] = match named("filename") {
            Some(file) => json!({ "name": file, "content": content }),
            None => serde_json::from_str(content).unwrap_or_else(|_| content.into()),
        };
    }
    // A field that names a part is that part.
    let parts = fields.clone();
    for value in fields.as_object_mut().expect("fields").values_mut() {
        let part = value
            .as_str()
            .and_then(|value| value.strip_prefix("attach://"));
        if let Some(part) = part.map(str::to_owned) {
            *value = parts[part].clone();
        }
    }
    fields
}

async fn file(
    State(shared): State<Arc<Shared>>,
    Path((bot, path)): Path<(String, String)>,
) -> Response {
    let known = bot.strip_prefix("bot") == Some(TOKEN);
    let file = shared.lock().files.get(&path).cloned();
    match file.filter(|_| known) {
        Some(bytes) => (StatusCode::OK, bytes).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn seen(shared: &Shared, method: &str, body: Value, answer: Response) -> Response {
    let method = method.to_owned();
    shared.lock().calls.push(Call { method, body });
    shared.changed.notify_waiters();
    answer
}

fn error(code: u16, description: &str) -> Response {
    let said = json!({ "ok": false, "error_code": code, "description": description });
    let status = StatusCode::from_u16(code).expect("a status");
    (status, said.to_string()).into_response()
}

fn ok(result: Value) -> Response {
    (
        StatusCode::OK,
        json!({ "ok": true, "result": result }).to_string(),
    )
        .into_response()
}

async fn answer(shared: &Shared, method: &str, body: &Value) -> Response {
    match method {
        "getMe" => ok(json!({
            "id": 123_456, "is_bot": true, "first_name": "Reveille", "username": "reveille_bot", "can_join_groups": true,
            "can_read_all_group_messages": false, "supports_inline_queries": false, "has_main_web_app": false,
            "can_connect_to_business": false,
        })),
        "getUpdates" => updates(shared, body).await,
        "sendMessage" | "sendPhoto" | "sendDocument" => send(shared, method, body),
        "editMessageText" => edit(shared, body),
        "getFile" => {
            let id = body["file_id"].as_str().unwrap_or_default();
            match shared.lock().files.contains_key(id) {
                true => ok(json!({ "file_id": id, "file_unique_id": id, "file_path": id })),
                false => error(400, "Bad Request: wrong file id"),
            }
        }
        "getWebhookInfo" => {
            let url = shared.lock().webhook.clone().unwrap_or_default();
            let mut info =
                json!({ "url": url, "has_custom_certificate": false, "pending_update_count": 0 });
            if let Some(trouble) = shared.lock().trouble.clone() {
                info["last_error_message"] = trouble.into();
                info["last_error_date"] = chrono::Utc::now().timestamp().into();
            }
            ok(info)
        }
        "setWebhook" => {
            let url = body["url"].as_str().unwrap_or_default().to_owned();
            let mut inner = shared.lock();
            inner.secret = body["secret_token"].as_str().unwrap_or_default().to_owned();
            inner.webhook = Some(url);
            ok(Value::Bool(true))
        }
        "deleteWebhook" => {
            shared.lock().webhook = None;
            ok(Value::Bool(true))
        }
        "sendChatAction" | "answerCallbackQuery" | "setMyCommands" => ok(Value::Bool(true)),
        _ => error(404, "Not Found"),
    }
}

const TAKEN_OVER: &str = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
const WEBHOOK: &str = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";

async fn updates(shared: &Shared, body: &Value) -> Response {
    let offset = body["offset"].as_i64().unwrap_or(0);
    let limit = body["limit"].as_u64().unwrap_or(100).min(100) as usize;
    let wait = Duration::from_secs(body["timeout"].as_u64().unwrap_or(0));
    let ends = tokio::time::Instant::now() + wait;
    let poll = {
        let mut inner = shared.lock();
        if inner.webhook.is_some() {
            return error(409, WEBHOOK);
        }
        inner.polls += 1;
        inner.polling = Some(inner.polls);
        inner.confirmed = inner.confirmed.max(offset);
        while inner
            .updates
            .front()
            .is_some_and(|update| update["update_id"].as_i64() < Some(offset))
        {
            inner.updates.pop_front();
        }
        inner.polls
    };
    shared.changed.notify_waiters();
    loop {
        let changed = shared.changed.notified();
        {
            let inner = shared.lock();
            if inner.polling != Some(poll) {
                return error(409, TAKEN_OVER);
            }
            let found: Vec<_> = inner.updates.iter().take(limit).cloned().collect();
            if !found.is_empty() || tokio::time::Instant::now() >= ends {
                return ok(Value::Array(found));
            }
        }
        let _ = tokio::time::timeout_at(ends, changed).await;
    }
}

/// What is wrong with the buttons of a request.
fn wrong_buttons(body: &Value) -> Option<Response> {
    let rows = body["reply_markup"]["inline_keyboard"].as_array();
    let buttons = rows
        .into_iter()
        .flatten()
        .flat_map(|row| row.as_array().into_iter().flatten());
    let mut data = buttons.map(|button| button["callback_data"].as_str().unwrap_or_default());
    let wrong = data.any(|data| data.is_empty() || data.len() > 64);
    wrong.then(|| error(400, "Bad Request: BUTTON_DATA_INVALID"))
}

fn edit(shared: &Shared, body: &Value) -> Response {
    let text = match text_of(body, "text", 4096) {
        Ok(text) => text,
        Err(refused) => return *refused,
    };
    if let Some(refused) = wrong_buttons(body) {
        return refused;
    }
    let key = (
        body["chat_id"].as_i64().unwrap_or(0),
        body["message_id"].as_i64().unwrap_or(0),
    );
    let mut inner = shared.lock();
    let Some(message) = inner.messages.get_mut(&key) else {
        return error(400, "Bad Request: message to edit not found");
    };
    let new =
        json!({ "text": text, "entities": body["entities"], "reply_markup": body["reply_markup"] });
    if *message == new {
        return error(
            400,
            "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
        );
    }
    *message = new;
    ok(
        json!({ "message_id": key.1, "date": 0, "chat": { "id": key.0, "type": "private" }, "text": text }),
    )
}

fn send(shared: &Shared, method: &str, body: &Value) -> Response {
    let Some(chat) = body["chat_id"].as_i64() else {
        return error(400, "Bad Request: chat_id is empty");
    };
    let mut inner = shared.lock();
    if inner.strangers.contains(&chat) {
        return error(400, "Bad Request: chat not found");
    }
    if inner.blocked.contains(&chat) {
        return error(403, "Forbidden: bot was blocked by the user");
    }
    let text = match method {
        "sendMessage" => text_of(body, "text", 4096),
        _ if body["caption"].is_string() => text_of(body, "caption", 1024),
        _ => Ok(String::new()),
    };
    let text = match text {
        Ok(text) => text,
        Err(refused) => return *refused,
    };
    if let Some(refused) = wrong_buttons(body) {
        return refused;
    }
    inner.next_message += 1;
    let number = inner.next_message;
    inner.messages.insert(
        (chat, number),
        json!({ "text": text, "entities": body["entities"], "reply_markup": body["reply_markup"] }),
    );
    ok(json!({
        "message_id": number, "date": 0, "chat": { "id": chat, "type": "private", "first_name": "Ana" }, "text": text,
    }))
}

fn wrong(code: u16, description: &str) -> Box<Response> {
    Box::new(error(code, description))
}

/// The text of a request, if Telegram would take it with its entities.
fn text_of(body: &Value, key: &str, most: usize) -> Result<String, Box<Response>> {
    let text = body[key].as_str().unwrap_or_default();
    let units: Vec<u16> = text.encode_utf16().collect();
    let shown = text.chars().any(|c| {
        !c.is_whitespace() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
    });
    if !shown {
        return Err(wrong(400, "Bad Request: message text is empty"));
    }
    if text.trim().encode_utf16().count() > most {
        return Err(wrong(400, "Bad Request: message is too long"));
    }
    if body["parse_mode"].is_string() {
        return Err(wrong(
            400,
            "Bad Request: the test server takes entities only",
        ));
    }
    let mut spans = Vec::new();
    let looks = if key == "text" {
        "entities"
    } else {
        "caption_entities"
    };
    for entity in body[looks].as_array().into_iter().flatten() {
        let number = |key: &str| entity[key].as_u64().unwrap_or(u64::MAX) as usize;
        let (start, length) = (number("offset"), number("length"));
        let end = start.saturating_add(length);
        let whole = units
            .get(start..end)
            .is_some_and(|part| String::from_utf16(part).is_ok());
        if length == 0 || !whole {
            return Err(wrong(
                400,
                "Bad Request: can't parse entities: wrong offset or length",
            ));
        }
        spans.push((start, end));
    }
    let crossed = |(one, other): (&(usize, usize), &(usize, usize))| {
        one.0 < other.0 && other.0 < one.1 && one.1 < other.1
    };
    if spans
        .iter()
        .any(|one| spans.iter().any(|other| crossed((one, other))))
    {
        return Err(wrong(
            400,
            "Bad Request: can't parse entities: they overlap",
        ));
    }
    Ok(text.trim().to_owned())
}
