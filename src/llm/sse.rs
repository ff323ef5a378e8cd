//! Server-sent events, as model servers use them (WHATWG HTML, "Server-sent events"): each is one line of data.

use super::wire::{Piece, garbled, looks_like_a_page};
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
