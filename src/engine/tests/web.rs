//! A small web server: each connection gets the next answer and is closed.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// One answer.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    /// The status, further header lines, and the body.
    Says(u16, String, String),
    /// Closes without a word.
    Hangs,
}

/// The running server; it ends with the test's runtime.
#[derive(Debug, Clone)]
pub(super) struct Web {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    answers: Arc<Mutex<Vec<Answer>>>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Web {
    /// A server with these answers in turn; the last is repeated.
    pub async fn start(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let web = Web {
            url: format!("http://{}", listener.local_addr().unwrap()),
            answers: Arc::new(Mutex::new(answers)),
            heads: Arc::default(),
        };
        let server = web.clone();
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => head.push(byte),
                        // The client went away.
                        Err(_) => break,
                    }
                }
                let head = String::from_utf8(head).unwrap();
                server.heads.lock().unwrap().push(head);
                if let Some(bytes) = server.next() {
                    let _ = stream.write_all(&bytes).await;
                }
            }
        });
        web
    }

    /// From now on it answers so.
    pub fn now_answers(&self, answers: Vec<Answer>) {
        *self.answers.lock().unwrap() = answers;
    }

    /// The heads of all requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    fn next(&self) -> Option<Vec<u8>> {
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 {
            answers.remove(0)
        } else {
            answers[0].clone()
        };
        let Answer::Says(status, more, body) = answer else {
            return None;
        };
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {length}\r\n");
        Some(format!("{head}{more}\r\n{body}").into_bytes())
    }
}

/// A calendar with these one-hour events of a day: time and title.
pub(super) fn calendar(day: &str, events: &[(&str, &str)]) -> String {
    let mut text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n".to_owned();
    for (time, title) in events {
        text.push_str(&format!(
            "BEGIN:VEVENT\r\nUID:{title}@test\r\nDTSTAMP:20260101T000000Z\r\n\
             DTSTART;TZID=Europe/Madrid:{day}T{time}00\r\nDURATION:PT1H\r\nSUMMARY:{title}\r\nEND:VEVENT\r\n"
        ));
    }
    text + "END:VCALENDAR\r\n"
}
