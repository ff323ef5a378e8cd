//! Listening to an answer as it comes: hides the thinking, and stops what is of no use.

use super::{LlmError, Said, ToolCall};

/// No answer needs more bytes than this for each of its tokens.
const BYTES_PER_TOKEN: usize = 12;
/// How many bytes may come between two looks for loops.
const LOOP_LOOK: usize = 256;

/// Collects an answer and tells the visible part of it on.
pub(super) struct Listener<'a> {
    on_delta: &'a mut (dyn FnMut(&str) + Send),
    raw_bytes: usize,
    pieces: u32,
    looked_at: usize,
    max_tokens: u32,
    thinking: Thinking,
    calls: Vec<ToolCall>,
}

impl<'a> Listener<'a> {
    /// A listener that takes at most about `max_tokens`.
    pub fn new(max_tokens: u32, on_delta: &'a mut (dyn FnMut(&str) + Send)) -> Self {
        Listener {
            on_delta,
            raw_bytes: 0,
            pieces: 0,
            looked_at: 0,
            max_tokens,
            thinking: Thinking::default(),
            calls: Vec::new(),
        }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// `Endless`, `Repeating` or `Unreadable` as soon as it shows.
    pub fn push(&mut self, piece: &str) -> Result<(), LlmError> {
        self.count(piece)?;
        if piece.chars().any(|c| c.is_control() && !c.is_whitespace()) {
            return Err(LlmError::Unreadable);
        }
        let from = self.thinking.text.len();
        self.thinking.push(piece);
        let text = &self.thinking.text;
        if let Some(delta) = text.get(from..).filter(|delta| !delta.is_empty()) {
            (self.on_delta)(delta);
        }
        if self.raw_bytes - self.looked_at >= LOOP_LOOK {
            self.looked_at = self.raw_bytes;
            self.look_for_loop()?;
        }
        Ok(())
    }

    /// Counts a piece that nobody sees: of the arguments of a call.
    ///
    /// # Errors
    /// `Endless`.
    pub fn count(&mut self, piece: &str) -> Result<(), LlmError> {
        self.raw_bytes += piece.len();
        self.pieces += 1;
        let most_bytes = (self.max_tokens as usize).saturating_mul(BYTES_PER_TOKEN);
        // A piece is a token for most servers; twice as many and some is beyond doubt.
        if self.raw_bytes > most_bytes
            || self.pieces > self.max_tokens.saturating_mul(2).saturating_add(64)
        {
            return Err(LlmError::Endless(self.max_tokens));
        }
        Ok(())
    }

    /// Takes a call of a tool.
    ///
    /// # Errors
    /// `Endless`.
    pub fn call(&mut self, call: ToolCall) -> Result<(), LlmError> {
        self.count(&call.name)?;
        self.calls.push(call);
        Ok(())
    }

    /// How many pieces came: about as many tokens.
    pub fn pieces(&self) -> u32 {
        self.pieces
    }

    /// The whole answer, trimmed. `known` tells whether the prompt held a replacement character already.
    ///
    /// # Errors
    /// `Empty`, `Unreadable` or `Repeating`.
    pub fn finish(mut self, known: Replacement) -> Result<Said, LlmError> {
        self.look_for_loop()?;
        self.thinking.end();
        let text = self.thinking.text.trim();
        if text.is_empty() && self.calls.is_empty() {
            return Err(LlmError::Empty);
        }
        if known == Replacement::New && text.contains('\u{fffd}') {
            return Err(LlmError::Unreadable);
        }
        Ok(Said {
            text: text.to_owned(),
            calls: self.calls,
        })
    }

    fn look_for_loop(&self) -> Result<(), LlmError> {
        if repeats(self.thinking.text.as_bytes()) {
            return Err(LlmError::Repeating);
        }
        Ok(())
    }
}

/// Whether U+FFFD in an answer means that it is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replacement {
    /// The prompt has none, so the answer may have none.
    New,
    /// The prompt quotes text that has it.
    Quoted,
}

/// Takes `<think>` blocks out of a stream whose pieces may cut a tag anywhere.
#[derive(Debug, Default)]
struct Thinking {
    text: String,
    /// What may be the beginning of a tag.
    held: String,
    inside: bool,
}

impl Thinking {
    fn push(&mut self, piece: &str) {
        self.held.push_str(piece);
        loop {
            let tag = if self.inside { "</think>" } else { "<think>" };
            // Some servers leave out the opening tag: then all before the closing one was thinking.
            let orphan = if self.inside {
                None
            } else {
                self.held.find("</think>")
            };
            let found = self.held.find(tag);
            match (orphan, found) {
                (Some(orphan), found) if found.is_none_or(|found| orphan < found) => {
                    self.text.clear();
                    self.held.drain(..orphan + "</think>".len());
                }
                (_, Some(found)) => {
                    if !self.inside {
                        self.text.push_str(&self.held[..found]);
                    }
                    self.held.drain(..found + tag.len());
                    self.inside = !self.inside;
                }
                _ => break,
            }
        }
        let keep = tag_begun(&self.held);
        let said: String = self.held.drain(..self.held.len() - keep).collect();
        if !self.inside {
            self.text.push_str(&said);
        }
    }

    fn end(&mut self) {
        if !self.inside {
            self.text.push_str(&self.held);
        }
        self.held.clear();
    }
}

/// How many bytes at the end of `text` may be the beginning of a tag.
fn tag_begun(text: &str) -> usize {
    let longest = |tag: &str| {
        let lengths = (1..tag.len()).rev();
        lengths
            .into_iter()
            .find(|length| text.ends_with(&tag[..*length]))
    };
    longest("<think>").max(longest("</think>")).unwrap_or(0)
}

/// Whether the end of `text` is one piece again and again: five times and 160 bytes at least.
fn repeats(text: &[u8]) -> bool {
    const WINDOW: usize = 1600;
    const LEAST: usize = 160;
    let tail = &text[text.len().saturating_sub(WINDOW)..];
    (1..=WINDOW / 5).any(|period| {
        let pairs = tail.iter().rev().zip(tail.iter().rev().skip(period));
        let same = pairs
            .take_while(|(later, earlier)| later == earlier)
            .count();
        same + period >= LEAST.max(5 * period)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(pieces: &[&str], max_tokens: u32) -> (Result<String, LlmError>, String) {
        let mut heard = String::new();
        let mut hear = |delta: &str| heard.push_str(delta);
        let mut listener = Listener::new(max_tokens, &mut hear);
        let pushed = pieces.iter().try_for_each(|piece| listener.push(piece));
        let answer = pushed.and_then(|()| listener.finish(Replacement::New));
        (answer.map(|said| said.text), heard)
    }

    fn check(pieces: &[&str], expected: &str) {
        let (answer, heard) = listen(pieces, 1000);
        assert_eq!(answer.as_deref(), Ok(expected), "{pieces:?}");
        assert!(!heard.contains("secret"), "{heard}");
    }

    #[test]
    fn thinking_is_hidden_wherever_it_is_cut() {
        check(&["Hello"], "Hello");
        check(&["<think>secret</think>\n\nHello"], "Hello");
        check(&["<th", "ink>sec", "ret</thi", "nk>", "Hello"], "Hello");
        check(&["Hel<think>secret</think>lo <b", ">"], "Hello <b>");
        check(&["a < b", " and <thin ice"], "a < b and <thin ice");
        check(&["1 <"], "1 <");
        check(&["<think></think>Hi<think>secret</think>"], "Hi");
        let (answer, _) = listen(&["reasoning </think>", "Hello"], 100);
        assert_eq!(answer.as_deref(), Ok("Hello"));
        for piece in ["", " \n", "<think>secret", "<think>secret</think>\n"] {
            assert_eq!(listen(&[piece], 100).0, Err(LlmError::Empty), "{piece}");
        }
    }

    #[test]
    fn what_is_of_no_use_is_stopped() {
        let long = "word and other word, ".repeat(3) + &"x y z ".repeat(60);
        assert_eq!(listen(&[&long], 1000).0, Err(LlmError::Repeating));
        let again = "The log shows an error in the disk controller. ".repeat(6);
        assert_eq!(listen(&[&again], 1000).0, Err(LlmError::Repeating));
        let pieces = vec![""; 500];
        assert_eq!(listen(&pieces, 100).0, Err(LlmError::Endless(100)));
        let lines: String = (0..500).map(|n| format!("line {n} of it, ")).collect();
        assert_eq!(listen(&[&lines], 100).0, Err(LlmError::Endless(100)));
        for broken in [
            "caf\u{fffd}",
            "\u{0}",
            "a\u{1b}[31m",
            "\u{7f}",
            "\u{85}x\u{9b}",
        ] {
            assert_eq!(
                listen(&[broken], 100).0,
                Err(LlmError::Unreadable),
                "{broken:?}"
            );
        }
    }

    #[test]
    fn what_only_looks_repeated_is_left() {
        let rule = "-".repeat(80);
        check(&[&rule], &rule);
        let table = "| a | b |\n".repeat(4);
        check(&[&table], table.trim());
        let days: String = (1..30)
            .map(|day| format!("{day}: 09:00 Stand-up\n"))
            .collect();
        check(&[&days], days.trim());
    }
}
