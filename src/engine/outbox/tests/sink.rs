//! A web service on 127.0.0.1 that answers as it is told.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// How a request is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    /// With a status, headers (each ended by CR LF) and a body.
    With(u16, &'static str, &'static str),
    /// With this, and the connection closed.
    Bytes(&'static str),
    /// Not at all: the connection is closed once the request is read.
    Close,
    /// Not at all: the connection is held.
    Hang,
}

pub const OK: Answer = Answer::With(200, "", "");

/// What came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub head: String,
    pub body: String,
}

#[derive(Clone)]
pub struct Sink {
    pub url: String,
    seen: watch::Sender<Vec<Seen>>,
    connections: watch::Sender<usize>,
    answers: Arc<Mutex<Vec<Answer>>>,
}

impl Sink {
    /// A service that gives these answers in their order, and the last of them for ever.
    pub async fn answering(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sink = Sink {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            seen: watch::Sender::default(),
            connections: watch::Sender::default(),
            answers: Arc::new(Mutex::new(answers.to_vec())),
        };
        let server = sink.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                server.connections.send_modify(|count| *count += 1);
                tokio::spawn(server.clone().serve(stream));
            }
        });
        sink
    }

    /// From now on.
    pub fn answer(&self, answers: &[Answer]) {
        *self.answers.lock().unwrap() = answers.to_vec();
    }

    /// Waits for the request of that number, from 1; gives the bodies so far.
    pub async fn bodies(&self, count: usize) -> Vec<String> {
        let mut seen = self.seen.subscribe();
        let seen = seen.wait_for(|seen| seen.len() >= count).await.unwrap();
        seen.iter().map(|seen| seen.body.clone()).collect()
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.borrow().clone()
    }

    pub fn connections(&self) -> usize {
        *self.connections.borrow()
    }

    async fn serve(self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        while let Some(request) = request(&mut stream).await {
            let answer = {
                let mut answers = self.answers.lock().unwrap();
                match answers.len() {
                    1 => answers[0].clone(),
                    _ => answers.remove(0),
                }
            };
            self.seen.send_modify(|seen| seen.push(request));
            let text = match answer {
                Answer::With(status, headers, body) => format!(
                    "HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n{body}",
                    body.len()
                ),
                Answer::Bytes(bytes) => {
                    let _ = stream.write_all(bytes.as_bytes()).await;
                    return;
                }
                Answer::Close => return,
                Answer::Hang => std::future::pending().await,
            };
            if stream.write_all(text.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

async fn request(stream: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    let length = head.to_lowercase().lines().find_map(|line| {
        let length = line.strip_prefix("content-length:")?;
        length.trim().parse().ok()
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    let body = String::from_utf8(body).unwrap();
    Some(Seen { head, body })
}
