//! A long text in messages that Telegram takes.

use super::rich::{Entity, Rich};
use crate::template::Locale;

/// UTF-16 units of one message. Bot API, `sendMessage`: 1-4096 characters after entities parsing.
pub const LONGEST: usize = 4096;

/// UTF-16 units below a file. Bot API, `sendDocument`.
pub const CAPTION: usize = 1024;

/// Looks of one message; further ones are ignored. Bot API, `MessageEntity`.
const MOST_ENTITIES: usize = 100;

/// One message of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    /// The words, spaces at their end included: all chunks together are the whole text.
    pub text: String,
    /// The looks, in UTF-16 units of `text`.
    pub entities: Vec<Entity>,
}

/// Room for the longest words of [`Chunk::mark_repeat`].
pub const REPEAT_LONGEST: usize = 32;

impl Chunk {
    /// Says that it may have arrived before.
    pub fn mark_repeat(&mut self, language: Locale) {
        let words = match language {
            Locale::En => "(perhaps a repeat)\n",
            Locale::Es => "(quizá repetido)\n",
        };
        let units = words.encode_utf16().count();
        for entity in &mut self.entities {
            (entity.start, entity.end) = (entity.start + units, entity.end + units);
        }
        self.text.insert_str(0, words);
    }
}

/// Splits a text into messages of `longest` UTF-16 units at most: at paragraphs where there are any, else at lines, sentences, words.
pub fn split(rich: &Rich, longest: usize) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut from = 0;
    while from < rich.text.len() {
        let to = end_of(rich, from, longest);
        let chunk = cut(rich, from, to);
        // Nothing but space is no message; it goes with the one before it.
        if chunk.text.trim().is_empty() {
            if let Some(Chunk { text, .. }) = chunks.last_mut() {
                text.push_str(&chunk.text);
            }
        } else {
            chunks.push(chunk);
        }
        from = to;
    }
    chunks
}

/// Where the chunk that begins at `from` ends.
fn end_of(rich: &Rich, from: usize, longest: usize) -> usize {
    let rest = &rich.text[from..];
    let mut units = 0;
    let mut room = rest.len();
    for (place, c) in rest.char_indices() {
        units += c.len_utf16();
        if units > longest {
            room = place;
            break;
        }
    }
    let begins = |entity: &&Entity| entity.start >= from;
    if let Some(entity) = rich.entities.iter().filter(begins).nth(MOST_ENTITIES) {
        // At least one character, or it would never end.
        let first = rest.chars().next().map_or(1, char::len_utf8);
        room = room.min((entity.start - from).max(first));
    }
    if room == rest.len() {
        return rich.text.len();
    }
    // Nothing is cut into very small pieces for the sake of a nicer place.
    let least = room / 4;
    let window = &rest[..room];
    for (separator, keep) in [("\n\n", 2), ("\n", 1), (". ", 2), (" ", 1)] {
        let mut places = window
            .rmatch_indices(separator)
            .map(|(place, _)| place + keep);
        let nice = |place: &usize| !is_within(rich, from + place);
        if let Some(place) = places
            .by_ref()
            .take_while(|place| *place > least)
            .find(nice)
        {
            return from + place;
        }
    }
    // A block of code, or a quotation, that is longer than a message: at a line, else anywhere.
    let line = window
        .rfind('\n')
        .map(|place| place + 1)
        .filter(|place| *place > least);
    from + line.unwrap_or(room)
}

/// Whether a place is inside something that belongs together.
fn is_within(rich: &Rich, place: usize) -> bool {
    rich.entities
        .iter()
        .any(|entity| entity.start < place && place < entity.end)
}

fn cut(rich: &Rich, from: usize, to: usize) -> Chunk {
    let text = &rich.text[from..to];
    let units = |byte: usize| text[..byte].encode_utf16().count();
    let parts = rich.entities.iter().filter_map(|entity| {
        let (start, end) = (entity.start.max(from), entity.end.min(to));
        let part = rich.text.get(start..end)?;
        let (lead, tail) = (part.len() - part.trim_start().len(), part.trim_end().len());
        (lead < tail).then(|| Entity {
            style: entity.style.clone(),
            start: units(start + lead - from),
            end: units(start + tail - from),
        })
    });
    Chunk {
        entities: parts.collect(),
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::markdown::render;
    use super::*;

    fn texts(markdown: &str, longest: usize) -> Vec<String> {
        let chunks = split(&render(markdown), longest);
        chunks.into_iter().map(|chunk| chunk.text).collect()
    }

    #[test]
    fn a_text_is_split_where_it_hurts_least() {
        assert_eq!(texts("aaaa\n\nbbbb cc", 10), ["aaaa\n\n", "bbbb cc"]);
        assert_eq!(texts("aaaa\nbbbb cc", 10), ["aaaa\n", "bbbb cc"]);
        assert_eq!(texts("aaaaa bbbbb ccccc", 12), ["aaaaa bbbbb ", "ccccc"]);
        assert_eq!(texts("aaaaaaaaaaaaaaa", 10), ["aaaaaaaaaa", "aaaaa"]);
        // A pair of surrogates stays whole, and a link too.
        assert_eq!(texts("aaaa😀b", 5), ["aaaa", "😀b"]);
        assert_eq!(
            texts("aaaa [bb bb](https://x.y) c", 8),
            ["aaaa ", "bb bb c"]
        );
    }

    #[test]
    fn a_block_of_code_goes_on_in_the_next_message() {
        let chunks = split(&render("```\naaaa\nbbbb\ncccc\n```"), 10);
        let looks: Vec<_> = chunks
            .iter()
            .map(|chunk| {
                (
                    chunk.text.as_str(),
                    chunk.entities[0].start,
                    chunk.entities[0].end,
                )
            })
            .collect();
        assert_eq!(looks, [("aaaa\nbbbb\n", 0, 9), ("cccc", 0, 4)]);
    }

    #[test]
    fn a_message_has_a_hundred_looks_at_most() {
        let chunks = split(&render(&"*a* ".repeat(250)), LONGEST);
        let counts: Vec<_> = chunks.iter().map(|chunk| chunk.entities.len()).collect();
        assert_eq!(counts, [100, 100, 50]);
    }

    proptest! {
        #[test]
        fn the_chunks_together_are_the_whole(markdown in "([ *_`~>#\\[\\]()!|\\-:\n]|[a-z]{1,9}|é|😀|```)*", longest in 2_usize..60) {
            let rich = render(&markdown);
            let chunks = split(&rich, longest);
            let joined: String = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
            prop_assert_eq!(&joined, &rich.text);
            for chunk in &chunks {
                let units: Vec<u16> = chunk.text.encode_utf16().collect();
                prop_assert!(chunk.text.trim().encode_utf16().count() <= longest);
                for entity in &chunk.entities {
                    prop_assert!(entity.start < entity.end && entity.end <= units.len());
                    let part = String::from_utf16(&units[entity.start..entity.end]);
                    prop_assert!(part.is_ok_and(|part| part.trim() == part));
                }
            }
        }
    }
}
