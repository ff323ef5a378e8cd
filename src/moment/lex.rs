//! A sentence as words with their places: folded, numbers and what is glued to them apart, prices as nothing.

use std::ops::Range;

use crate::words::fold;

/// A word and where it stands.
pub(super) struct Token {
    /// Folded: small letters without accents.
    pub(super) word: String,
    /// Bytes of the text.
    pub(super) span: Range<usize>,
    /// Punctuation stands before it.
    pub(super) apart: bool,
}

/// What may be glued to a number and is a word of its own.
const SUFFIXES: [&str; 17] = [
    "am", "pm", "h", "hs", "hr", "hrs", "min", "mins", "m", "s", "st", "nd", "rd", "th", "o", "er",
    "oclock",
];

const MONEY: [char; 8] = ['$', '€', '£', '¥', '%', '#', '°', '‰'];

/// The words of a text, in their order; linear in its length.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut at = 0;
    let mut apart = false;
    while let Some(c) = text[at..].chars().next() {
        let before = tokens.len();
        let next = at + c.len_utf8();
        let end = if c.is_ascii_digit() {
            number(text, at, &mut tokens)
        } else if c.is_alphanumeric() {
            letters(text, at, &mut tokens)
        } else {
            if let Some(word) = sign(text, at, c, &tokens) {
                push(&mut tokens, word.to_owned(), at..next);
            }
            apart |= matches!(c, ',' | '.' | ';' | ':' | '?' | '!' | '(' | ')' | '\n');
            next
        };
        if tokens.len() > before {
            tokens[before].apart = apart;
            apart = false;
        }
        at = end;
    }
    joined(text, tokens)
}

fn push(tokens: &mut Vec<Token>, word: String, span: Range<usize>) {
    tokens.push(Token {
        word,
        span,
        apart: false,
    });
}

fn run(text: &str, from: usize, is: impl Fn(char) -> bool) -> usize {
    let rest = &text[from..];
    from + rest.find(|c| !is(c)).unwrap_or(rest.len())
}

fn inside(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2069}' | '\u{ad}')
}

fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    fold(text)
}

fn letters(text: &str, from: usize, tokens: &mut Vec<Token>) -> usize {
    let mut end = run(text, from, inside);
    let mut word = folded(&text[from..end]);
    if let Some(rest) = text[end..].strip_prefix(['\'', '’', '´']) {
        let start = text.len() - rest.len();
        let last = run(text, start, inside);
        match &text[start..last] {
            "" => {}
            // "Today's" is today.
            "s" | "S" => end = last,
            more => {
                word.push_str(&folded(more));
                end = last;
            }
        }
    }
    push(tokens, word, from..end);
    end
}

/// A number, a date or a time, and what is glued to it.
fn number(text: &str, from: usize, tokens: &mut Vec<Token>) -> usize {
    let mut end = dated(&text[from..]).map_or_else(|| digits(text, from), |length| from + length);
    // What costs so much, and what stands in an address.
    let is_part = |c| is_money(c) || matches!(c, '/' | '_' | '=');
    let paid = text[..from].chars().next_back().is_some_and(is_part);
    let sign = text[end..].strip_prefix(' ').unwrap_or(&text[end..]);
    if paid || sign.starts_with(is_money) {
        push(tokens, "€".to_owned(), from..end);
        return end;
    }
    let word = text[from..end].to_ascii_lowercase();
    let glued = run(text, end, inside);
    let suffix = folded(&text[end..glued]);
    // "17h30".
    let (hours, minutes) = suffix
        .split_once('h')
        .filter(|(before, after)| before.is_empty() && two_digits(after))
        .map_or((suffix.as_str(), ""), |(_, minutes)| ("h", minutes));
    if hours.is_empty() {
        push(tokens, word, from..end);
    } else if SUFFIXES.contains(&hours) {
        push(tokens, word, from..end);
        let middle = if minutes.is_empty() { glued } else { end + 1 };
        push(tokens, hours.to_owned(), end..middle);
        if !minutes.is_empty() {
            push(tokens, minutes.to_owned(), middle..glued);
        }
        end = glued;
    } else {
        push(tokens, word + &suffix, from..glued);
        end = glued;
    }
    end
}

fn is_money(c: char) -> bool {
    MONEY.contains(&c)
}

fn two_digits(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The end of digits with single signs between them.
fn digits(text: &str, from: usize) -> usize {
    let mut end = run(text, from, |c| c.is_ascii_digit());
    loop {
        let mut rest = text[end..].chars();
        let sign = rest
            .next()
            .is_some_and(|c| matches!(c, ':' | '/' | '.' | ','));
        if !(sign && rest.next().is_some_and(|c| c.is_ascii_digit())) {
            return end;
        }
        end = run(text, end + 1, |c| c.is_ascii_digit());
    }
}

/// The length of a date with dashes at the beginning, and of the time after a `T`.
fn dated(text: &str) -> Option<usize> {
    let digit = |c: char| c.is_ascii_digit();
    let first = run(text, 0, digit);
    let second = run(
        text,
        first + text[first..].strip_prefix('-').map(|_| 1)?,
        digit,
    );
    let third = run(
        text,
        second + text[second..].strip_prefix('-').map(|_| 1)?,
        digit,
    );
    let lengths = (first, second - first - 1, third - second - 1);
    let whole = matches!(lengths, (4, 1..=2, 1..=2) | (1..=2, 1..=2, 4));
    if !whole || text[third..].starts_with('-') {
        return None;
    }
    let Some(time) = text[third..].strip_prefix(['T', 't']) else {
        return Some(third);
    };
    if !time.starts_with(digit) {
        return Some(third);
    }
    let end = run(time, 0, |c| {
        digit(c) || matches!(c, ':' | '.' | '+' | '-' | 'Z')
    });
    let time = time[..end].trim_end_matches(|c: char| !(digit(c) || c == 'Z'));
    Some(third + 1 + time.len())
}

/// Signs that are words: a dash between numbers, "@" and "&".
fn sign(text: &str, at: usize, c: char, tokens: &[Token]) -> Option<&'static str> {
    let next = text[at + c.len_utf8()..].trim_start_matches(' ');
    match c {
        '-' | '–' | '—' => {
            let last = tokens.last()?;
            let ends = last.word.ends_with(|c: char| c.is_ascii_digit())
                || SUFFIXES.contains(&last.word.as_str());
            let near = text[last.span.end..at].trim_matches(' ').is_empty();
            (ends && near && next.starts_with(|c: char| c.is_ascii_digit())).then_some("-")
        }
        '@' if text[..at]
            .chars()
            .next_back()
            .is_none_or(char::is_whitespace) =>
        {
            Some("at")
        }
        '&' => Some("and"),
        _ => None,
    }
}

/// "a.m." and "p. m." are one word.
fn joined(text: &str, tokens: Vec<Token>) -> Vec<Token> {
    let mut all: Vec<Token> = Vec::with_capacity(tokens.len());
    for token in tokens {
        if let Some(last) = all.last_mut()
            && matches!(last.word.as_str(), "a" | "p")
            && token.word == "m"
            && matches!(&text[last.span.end..token.span.start], "." | ". ")
        {
            last.word.push('m');
            last.span.end = token.span.end;
            if text[last.span.end..].starts_with('.') {
                last.span.end += 1;
            }
            continue;
        }
        all.push(token);
    }
    all
}
