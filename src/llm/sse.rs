//! Server-sent events, as model servers use them (WHATWG HTML, "Server-sent events"): each is one line of data.

use serde::Deserialize;

use super::wire::{Piece, garbled, looks_like_a_page, read};
use super::{LlmError, Model};

/// What a line carries; `None` for what is only about the stream.
///
/// # Errors
/// It is no line of such a stream.
pub(super) fn data<'a>(model: &Model, piece: Piece<'a>) -> Result<Option<&'a [u8]>, LlmError> {
    let line = piece.bytes().trim_ascii();
    if let Some(data) = line.strip_prefix(b"data:") {
        return Ok(Some(data.trim_ascii_start()));
    }
    let known: [&[u8]; 4] = [b":", b"event:", b"id:", b"retry:"];
    let is_known = known.iter().any(|start| line.starts_with(start));
    match piece {
        Piece::Rest(_) => Ok(None),
        Piece::Line(_) if is_known => Ok(None),
        Piece::Line(_) if looks_like_a_page(line) => Err(garbled(model, "a web page")),
        Piece::Line(_) => Err(garbled(model, "a line of something else")),
    }
}

/// What an event's data means; `None` for half of one, at the end of a stream that broke off.
///
/// # Errors
/// It is something else.
pub(super) fn event<'a, T: Deserialize<'a>>(
    model: &Model,
    piece: Piece<'a>,
    data: &'a [u8],
) -> Result<Option<T>, LlmError> {
    match (piece, read(model, data, "an event of something else")) {
        (_, Ok(event)) => Ok(Some(event)),
        (Piece::Rest(_), Err(_)) => Ok(None),
        (Piece::Line(_), Err(error)) => Err(error),
    }
}
