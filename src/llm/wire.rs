//! What model servers send: lines, and errors in their own words.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::call::Exchange;
use super::{LlmError, Model, Phase};
use crate::clock::timeout;
use crate::net::{NetError, Response, Streaming, retry_after};

/// No honest line is longer.
const LONGEST_LINE: usize = 1 << 20;

/// What a line of an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The server is there, and has said nothing.
    Nothing,
    /// A part of the answer.
    Part,
    /// The answer is whole.
    End,
}

/// A piece of a stream.
#[derive(Debug, Clone, Copy)]
pub(super) enum Piece<'a> {
    /// A line, without its break.
    Line(&'a [u8]),
    /// What is left at the end of the stream: a line without a break, or half of one, or nothing.
    Rest(&'a [u8]),
}

impl<'a> Piece<'a> {
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Piece::Line(bytes) | Piece::Rest(bytes) => bytes,
        }
    }
}

/// Reads a stream that was asked for at `sent` until its answer is whole; the time to its first part goes to `first_part`.
///
/// # Errors
/// Its first part takes longer than `first`, or a later one longer than the model may stall, whatever else comes between them.
pub(super) async fn follow(
    exchange: &Exchange<'_>,
    stream: Streaming,
    (sent, first): (Duration, Duration),
    first_part: &mut Duration,
    mut read: impl FnMut(Piece<'_>) -> Result<Meaning, LlmError>,
) -> Result<(), LlmError> {
    let Exchange { clock, model, .. } = *exchange;
    let mut lines = Lines::new(stream, model);
    let (mut since, mut phase, mut limit) = (sent, Phase::FirstToken, first);
    loop {
        let left = limit.saturating_sub(clock.monotonic().saturating_sub(since));
        let next = timeout(clock, left, lines.next()).await;
        let next = next.unwrap_or(Err(LlmError::Timeout { phase, limit }))?;
        let meaning = match &next {
            Some(line) => read(Piece::Line(line))?,
            None => {
                let rest = lines.rest();
                let end = read(Piece::Rest(&rest))?;
                if end != Meaning::End {
                    return Err(match looks_like_a_page(&rest) {
                        true => garbled(model, "a web page"),
                        false => {
                            LlmError::BrokenOff("the stream ended before the answer did".into())
                        }
                    });
                }
                end
            }
        };
        let now = clock.monotonic();
        if meaning != Meaning::Nothing {
            if phase == Phase::FirstToken {
                *first_part = now.saturating_sub(sent);
            }
            (since, phase, limit) = (now, Phase::Stall, model.timeouts.stall);
        }
        if meaning == Meaning::End {
            return Ok(());
        }
    }
}

/// The lines of a stream.
struct Lines<'a> {
    stream: Streaming,
    model: &'a Model,
    buffer: VecDeque<u8>,
    searched: usize,
}

impl<'a> Lines<'a> {
    fn new(stream: Streaming, model: &'a Model) -> Self {
        Lines {
            stream,
            model,
            buffer: VecDeque::new(),
            searched: 0,
        }
    }

    /// The next line that is not blank; `None` at the end, with something [left](Lines::rest) perhaps.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, LlmError> {
        loop {
            if let Some(line) = self.take_line() {
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                return Ok(Some(line));
            }
            let chunk = self.stream.chunk().await;
            match chunk.map_err(|error| broken(self.model, error))? {
                Some(chunk) if self.buffer.len() + chunk.len() > LONGEST_LINE => {
                    return Err(garbled(self.model, "a line without end"));
                }
                Some(chunk) => self.buffer.extend(chunk),
                None => return Ok(None),
            }
        }
    }

    fn take_line(&mut self) -> Option<Vec<u8>> {
        let mut fresh = self.buffer.iter().skip(self.searched);
        let Some(end) = fresh.position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            return None;
        };
        let line = self.buffer.drain(..=self.searched + end).collect();
        self.searched = 0;
        Some(line)
    }

    fn rest(&mut self) -> Vec<u8> {
        self.buffer.drain(..).collect()
    }
}

/// Reads JSON that has to be of a certain form; `otherwise` names what came where it is not.
pub(super) fn read<'a, T: Deserialize<'a>>(
    model: &Model,
    bytes: &'a [u8],
    otherwise: &str,
) -> Result<T, LlmError> {
    if looks_like_a_page(bytes) {
        return Err(garbled(model, "a web page"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| LlmError::Unreadable)?;
    serde_json::from_str(text).map_err(|_| garbled(model, otherwise))
}

/// The error of an answer whose status is none of success.
pub(super) fn reported(model: &Model, answer: &Response, now: DateTime<Utc>) -> LlmError {
    let status = answer.status.as_u16();
    let wait = answer.headers.get("retry-after");
    let wait = wait.and_then(|value| retry_after(value.to_str().ok()?, now));
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    let words = body.as_ref().and_then(words);
    match (status, words) {
        (401 | 403, _) => LlmError::Denied(status),
        // An account that is empty does not fill by waiting.
        (429, Some(words)) if words.contains("quota") => told(model, status, words),
        // 529 is Anthropic's "overloaded".
        (429 | 503 | 529, _) => LlmError::Busy {
            status,
            retry_after: wait,
        },
        (404, Some(words)) if words.to_lowercase().contains("model") => {
            LlmError::NoModel(model.model.clone())
        }
        (_, Some(words)) => told(model, status, words),
        (500.., None) => LlmError::Server {
            status,
            message: "without a reason".into(),
        },
        (_, None) => garbled(model, &format!("status {status}")),
    }
}

/// A server's own words for an error, wherever it puts them.
pub(super) fn words(body: &Value) -> Option<&str> {
    let error = &body["error"];
    let places = [error, &error["message"], &body["message"], &body["detail"]];
    places.into_iter().find_map(Value::as_str)
}

/// The error that the server's own words mean.
pub(super) fn told(model: &Model, status: u16, message: &str) -> LlmError {
    let lower = message.to_lowercase();
    let any = |known: &[&str]| known.iter().any(|words| lower.contains(words));
    if lower.contains("model") && any(&["not found", "does not exist"]) {
        return LlmError::NoModel(model.model.clone());
    }
    let message = message
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect();
    if any(&[
        "requires more system memory",
        "out of memory",
        "cudamalloc failed",
    ]) {
        return LlmError::Memory(message);
    }
    if any(&[
        "context length",
        "context size",
        "context window",
        "prompt is too long",
        "maximum context",
    ]) {
        return LlmError::Overflow(message);
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

pub(super) fn garbled(model: &Model, why: &str) -> LlmError {
    LlmError::Garbled {
        url: model.server(),
        why: why.to_owned(),
    }
}

pub(super) fn looks_like_a_page(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"<")
}
