//! A text and the looks of its parts.

/// How a part of a text looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Style {
    /// Bold; headings too.
    Bold,
    /// Italic.
    Italic,
    /// Struck through.
    Strike,
    /// One line of code.
    Code,
    /// A block of code, in a language if one is named.
    Pre(Option<String>),
    /// Leads to this address.
    Link(String),
    /// Somebody else's words.
    Quote,
}

/// A part of a text that has a look of its own: bytes `start..end` of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// How it looks.
    pub style: Style,
    /// Its first byte.
    pub start: usize,
    /// The first byte after it.
    pub end: usize,
}

/// A text and the looks of its parts, in the order of their starts, the longer first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rich {
    /// The words.
    pub text: String,
    /// The looks.
    pub entities: Vec<Entity>,
}

impl Style {
    /// Bot API, `MessageEntity.type`.
    pub fn word(&self) -> &'static str {
        match self {
            Style::Bold => "bold",
            Style::Italic => "italic",
            Style::Strike => "strikethrough",
            Style::Code => "code",
            Style::Pre(_) => "pre",
            Style::Link(_) => "text_link",
            Style::Quote => "blockquote",
        }
    }
}

/// A text without looks, whatever it holds.
pub fn plain(text: &str) -> Rich {
    let text: String = text.chars().filter(|c| !is_unwanted(*c)).collect();
    Rich {
        text: text.trim().to_owned(),
        entities: Vec::new(),
    }
}

/// What turns the line around, or cannot be shown at all.
pub(super) fn is_unwanted(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202d}' | '\u{202e}')
}
