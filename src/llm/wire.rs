//! What Ollama sends: lines of JSON, and its errors.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::Duration;

use serde::Deserialize;

use super::{LlmError, Model};
use crate::net::{NetError, Response, Streaming};

/// No honest line is longer.
const LONGEST_LINE: usize = 1 << 20;

/// One line of a streamed chat.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Line {
    message: Option<Content>,
    error: Option<String>,
    pub done: bool,
    pub done_reason: Option<String>,
    pub prompt_eval_count: Option<u64>,
    pub eval_count: Option<u64>,
    /// Nanoseconds.
    pub load_duration: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Content {
    content: String,
    thinking: String,
}

impl Line {
    /// The piece of the answer; thinking that the server has set apart stays hidden and counts.
    pub fn content(&self) -> Cow<'_, str> {
        match &self.message {
            Some(message) if !message.thinking.is_empty() => Cow::Owned(format!(
                "<think>{}</think>{}",
                message.thinking, message.content
            )),
            Some(message) => Cow::Borrowed(&message.content),
            None => Cow::Borrowed(""),
        }
    }
}

/// The lines of a stream that has not ended.
pub(super) struct Lines<'a> {
    stream: Streaming,
    model: &'a Model,
    buffer: VecDeque<u8>,
    searched: usize,
}

impl<'a> Lines<'a> {
    pub fn new(stream: Streaming, model: &'a Model) -> Self {
        Lines {
            stream,
            model,
            buffer: VecDeque::new(),
            searched: 0,
        }
    }

    /// The next line. The stream may not end before a line that says `done` has been given.
    pub async fn next(&mut self) -> Result<Line, LlmError> {
        loop {
            if let Some(line) = self.take_line() {
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                return self.read(&line, "a line of something else");
            }
            let chunk = self
                .stream
                .chunk()
                .await
                .map_err(|error| broken(self.model, error))?;
            match chunk {
                Some(chunk) if self.buffer.len() + chunk.len() > LONGEST_LINE => {
                    return Err(self.garbled("a line without end"));
                }
                Some(chunk) => self.buffer.extend(chunk),
                None => return self.rest(),
            }
        }
    }

    fn take_line(&mut self) -> Option<Vec<u8>> {
        let fresh = self.buffer.iter().skip(self.searched);
        let Some(end) = fresh.clone().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            return None;
        };
        let line = self.buffer.drain(..=self.searched + end).collect();
        self.searched = 0;
        Some(line)
    }

    /// The last line may lack its line break; half a line means that the server died.
    fn rest(&mut self) -> Result<Line, LlmError> {
        let rest: Vec<u8> = self.buffer.drain(..).collect();
        match serde_json::from_slice::<Line>(&rest) {
            Ok(line) if line.done || line.error.is_some() => self.read(&rest, "half a line"),
            _ if looks_like_a_page(&rest) => Err(self.garbled("a web page")),
            _ => Err(LlmError::BrokenOff(
                "the stream ended before the answer did".into(),
            )),
        }
    }

    fn read(&self, line: &[u8], otherwise: &str) -> Result<Line, LlmError> {
        if looks_like_a_page(line) {
            return Err(self.garbled("a web page"));
        }
        let text = std::str::from_utf8(line).map_err(|_| LlmError::Unreadable)?;
        let line: Line = serde_json::from_str(text).map_err(|_| self.garbled(otherwise))?;
        match &line.error {
            Some(message) => Err(told(self.model, 200, message)),
            None if line.message.is_none() && !line.done => {
                Err(self.garbled("JSON without an answer"))
            }
            None => Ok(line),
        }
    }

    fn garbled(&self, why: &str) -> LlmError {
        garbled(self.model, why)
    }
}

/// The error of an answer whose status is none of success.
pub(super) fn reported(model: &Model, answer: &Response) -> LlmError {
    let status = answer.status.as_u16();
    let retry_after = answer.headers.get("retry-after");
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
    let told_by_server = serde_json::from_slice::<Line>(&answer.body).ok();
    match (status, told_by_server.and_then(|line| line.error)) {
        (401 | 403, _) => LlmError::Denied(status),
        (429 | 503, _) => LlmError::Busy {
            status,
            retry_after: retry_after.map(Duration::from_secs),
        },
        (_, Some(message)) => told(model, status, &message),
        (500.., None) => LlmError::Server {
            status,
            message: "without a reason".into(),
        },
        (_, None) => garbled(model, &format!("status {status}")),
    }
}

/// The error that the server's own words mean.
fn told(model: &Model, status: u16, message: &str) -> LlmError {
    let lower = message.to_lowercase();
    if lower.contains("model") && lower.contains("not found") {
        return LlmError::NoModel(model.model.clone());
    }
    let memory = [
        "requires more system memory",
        "out of memory",
        "cudamalloc failed",
    ];
    let message = message
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect();
    if memory.iter().any(|words| lower.contains(words)) {
        return LlmError::Memory(message);
    }
    LlmError::Server { status, message }
}

/// The error that a failure of the network means.
pub(super) fn broken(model: &Model, error: NetError) -> LlmError {
    match error {
        NetError::Resolve { why, .. } | NetError::Connect { why, .. } => LlmError::Unreachable {
            url: model.server(),
            why,
        },
        NetError::Timeout { limit, .. } => LlmError::Unreachable {
            url: model.server(),
            why: format!("no answer within {limit:?}"),
        },
        NetError::Broken { why, .. } => LlmError::BrokenOff(why),
        NetError::TooLarge { limit, .. } => garbled(model, &format!("more than {limit} bytes")),
        other => LlmError::Net(other),
    }
}

fn garbled(model: &Model, why: &str) -> LlmError {
    LlmError::Garbled {
        url: model.server(),
        why: why.to_owned(),
    }
}

fn looks_like_a_page(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"<")
}
