//! A fake model server on 127.0.0.1:0: Ollama's real protocol (NDJSON over chunked HTTP/1.1), failing on demand, and by their
//! paths those of OpenAI and Anthropic (server-sent events).
#![allow(dead_code, reason = "each test binary uses a part of it")]

mod dialects;

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};

/// One thing that the server does in an answer. The first [`Act::Status`] sets the status line, else it is 200.
#[derive(Debug, Clone)]
pub enum Act {
    /// Answers with this status and body, and is done.
    Status(u16, &'static str),
    /// Streams this much of the answer.
    Say(&'static str),
    /// Streams these bytes as they are.
    Raw(&'static [u8]),
    /// Calls a tool with these arguments, as JSON.
    Tool(&'static str, &'static str),
    /// Ends the stream with figures; the reason is `stop` or `length`.
    Done(&'static str),
    /// Answers at once, as servers do that do not stream.
    Whole(&'static str),
    /// Waits for [`Ollama::go_on`].
    Wait,
    /// Says nothing more and keeps the connection, until the client hangs up.
    Hang,
    /// Closes the connection in the middle.
    Die,
    /// Says this again and again until the client hangs up.
    Forever(&'static str),
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    /// `/api/chat` ...
    pub path: String,
    /// Request line and headers.
    pub head: String,
    /// The JSON, or null.
    pub body: Value,
}

/// What the server does.
#[derive(Debug, Clone)]
pub struct Script {
    /// `/api/generate` without a prompt: the load.
    pub load: Vec<Act>,
    /// `/api/chat`, one entry a request; the last is repeated.
    pub chats: Vec<Vec<Act>>,
    /// What `/api/show` says about the context.
    pub context: u32,
}

impl Script {
    /// A loaded model that says `text`.
    pub fn says(text: &'static str) -> Self {
        Script::chat(vec![Act::Say(text), Act::Done("stop")])
    }

    /// A loaded model that answers every chat so.
    pub fn chat(acts: Vec<Act>) -> Self {
        Script {
            load: Vec::new(),
            chats: vec![acts],
            context: 4096,
        }
    }
}

/// The running server; it ends with the test's runtime.
#[derive(Debug, Clone)]
pub struct Ollama {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    script: Script,
    seen: watch::Sender<Vec<Seen>>,
    hung_up: watch::Sender<usize>,
    go_on: Notify,
    chats: Mutex<usize>,
}

impl Ollama {
    /// Starts a server that follows `script`.
    pub async fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let shared = Arc::new(Shared {
            script,
            seen: watch::Sender::new(Vec::new()),
            hung_up: watch::Sender::new(0),
            go_on: Notify::new(),
            chats: Mutex::new(0),
        });
        let server = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(Arc::clone(&server), stream));
            }
        });
        Ollama {
            url: format!("http://{address}"),
            shared,
        }
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.seen.borrow().clone()
    }

    /// The bodies of the requests for `path` so far.
    pub fn bodies(&self, path: &str) -> Vec<Value> {
        let seen = self.seen();
        let of_path = seen.into_iter().filter(|request| request.path == path);
        of_path.map(|request| request.body).collect()
    }

    /// Waits until a request for `path` has come.
    pub async fn asked(&self, path: &str) {
        let mut seen = self.shared.seen.subscribe();
        let asked = |seen: &Vec<Seen>| seen.iter().any(|request| request.path == path);
        seen.wait_for(asked)
            .await
            .expect("the sender lives in self");
    }

    /// Waits until a client has gone in the middle of an answer.
    pub async fn hung_up(&self) {
        let mut hung_up = self.shared.hung_up.subscribe();
        hung_up
            .wait_for(|count| *count > 0)
            .await
            .expect("the sender lives in self");
    }

    /// How often a client has gone in the middle of an answer.
    pub fn hang_ups(&self) -> usize {
        *self.shared.hung_up.borrow()
    }

    /// Lets an [`Act::Wait`] pass.
    pub fn go_on(&self) {
        self.shared.go_on.notify_one();
    }
}

async fn serve(shared: Arc<Shared>, stream: TcpStream) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = read_request(&mut stream).await {
        let acts = shared.acts(&request);
        let path = request.path.clone();
        shared.seen.send_modify(|seen| seen.push(request));
        match play(&shared, &path, &acts, stream.get_mut()).await {
            Ok(End::KeepAlive) => {}
            Ok(End::Close) => return,
            Err(_) => {
                shared.hung_up.send_modify(|count| *count += 1);
                return;
            }
        }
    }
}

async fn read_request(stream: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some(Seen {
        path: head.split(' ').nth(1)?.to_owned(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
        head,
    })
}

impl Shared {
    fn acts(&self, request: &Seen) -> Vec<Act> {
        match &request.path[..] {
            "/api/chat" | dialects::OPENAI | dialects::ANTHROPIC => {
                let mut count = self.chats.lock().expect("no panic under the lock");
                let chats = &self.script.chats;
                *count += 1;
                chats
                    .get(*count - 1)
                    .or(chats.last())
                    .cloned()
                    .unwrap_or_default()
            }
            "/api/generate" => self.script.load.clone(),
            _ => Vec::new(),
        }
    }

    /// The answers that do not stream.
    fn fixed(&self, path: &str) -> (u16, String) {
        let model = json!({"name": "tiny", "model": "tiny", "size": 1});
        let context = self.script.context;
        let body = match path {
            "/api/version" => json!({"version": "0.12.6"}),
            "/api/tags" | "/api/ps" => json!({"models": [model]}),
            "/v1/models" => json!({"data": [{"id": "gpt"}]}),
            "/api/pull" => {
                let lines = "{\"status\":\"downloading\",\"total\":10,\"completed\":5}\n{\"status\":\"success\"}\n";
                return (200, lines.to_owned());
            }
            "/api/show" => json!({"model_info": {"qwen2.context_length": context}}),
            "/api/generate" => {
                json!({"model": "tiny", "response": "", "done": true, "done_reason": "load"})
            }
            _ => return (404, "404 page not found".into()),
        };
        (200, body.to_string())
    }
}

enum End {
    KeepAlive,
    Close,
}

async fn play(
    shared: &Shared,
    path: &str,
    acts: &[Act],
    stream: &mut TcpStream,
) -> std::io::Result<End> {
    let mut streaming = false;
    for act in acts {
        match act {
            Act::Status(status, body) => {
                whole(stream, *status, body).await?;
                return Ok(End::KeepAlive);
            }
            Act::Wait => shared.go_on.notified().await,
            Act::Die => return Ok(End::Close),
            Act::Hang => return gone(stream).await,
            Act::Raw(bytes) => chunk(stream, path, &mut streaming, bytes).await?,
            Act::Say(_) | Act::Tool(..) | Act::Done(_) => {
                let mut bytes = String::new();
                if !streaming {
                    bytes.push_str(dialects::begin(path));
                }
                bytes.push_str(&dialects::says(path, act));
                chunk(stream, path, &mut streaming, bytes.as_bytes()).await?;
            }
            Act::Whole(text) => {
                whole(stream, 200, &dialects::whole(path, text)).await?;
                return Ok(End::KeepAlive);
            }
            Act::Forever(text) => loop {
                let bytes = dialects::says(path, &Act::Say(text));
                chunk(stream, path, &mut streaming, bytes.as_bytes()).await?;
            },
        }
    }
    if streaming {
        stream.write_all(b"0\r\n\r\n").await?;
    } else {
        let (status, body) = shared.fixed(path);
        whole(stream, status, &body).await?;
    }
    Ok(End::KeepAlive)
}

/// Waits for the client to close, which is what reading nothing means.
async fn gone(stream: &mut TcpStream) -> std::io::Result<End> {
    while stream.read(&mut [0; 64]).await? > 0 {}
    Err(std::io::ErrorKind::ConnectionAborted.into())
}

async fn whole(stream: &mut TcpStream, status: u16, body: &str) -> std::io::Result<()> {
    let kind = if body.starts_with('<') {
        "text/html"
    } else {
        "application/json"
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nRetry-After: 7\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await
}

async fn chunk(
    stream: &mut TcpStream,
    path: &str,
    streaming: &mut bool,
    bytes: &[u8],
) -> std::io::Result<()> {
    let mut out = Vec::new();
    if !*streaming {
        let kind = dialects::kind(path);
        out.extend_from_slice(format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n").as_bytes());
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
        *streaming = true;
    }
    out.extend_from_slice(format!("{:x}\r\n", bytes.len()).as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
    stream.write_all(&out).await
}
