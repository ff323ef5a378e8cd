//! Text from outside inside a line of a message: short, in one line, and shown as it is.

use minijinja::{Error, ErrorKind};

/// One line of at most `length` characters in which Markdown finds nothing. What does not show or turns the direction of
/// what follows goes; the address of a page is never cut.
pub(super) fn plain(text: &str, length: Option<usize>) -> Result<String, Error> {
    if length == Some(0) {
        let what = "`plain` cuts after 1 character at least";
        return Err(Error::new(ErrorKind::InvalidOperation, what));
    }
    let shown: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !is_hidden(*c))
        .collect();
    let words: Vec<&str> = shown.split_whitespace().collect();
    let is_address = ["https://", "http://"].iter().any(|s| shown.starts_with(s));
    let line = match length {
        Some(length) if !(is_address && words.len() == 1) => {
            super::filters::truncate(words.join(" "), Some(length))
        }
        _ => words.join(" "),
    };
    Ok(escaped(&line))
}

/// Controls, and the marks and overrides of writing directions.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A backslash before what would begin or end a look, a link, code or an entity (CommonMark 0.31, section 2.4); where it
/// could not, the text stays as it is, for terminals show the backslash.
fn escaped(line: &str) -> String {
    let chars: Vec<char> = line.chars().collect();
    let mut out = String::with_capacity(line.len());
    for (at, &c) in chars.iter().enumerate() {
        let next = chars.get(at + 1).copied();
        let before = at.checked_sub(1).and_then(|at| chars.get(at)).copied();
        let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let space = |c: Option<char>| c == Some(' ');
        let speaks = match c {
            '`' | '~' | '<' => true,
            '*' => !(space(before) && space(next)),
            '_' => !(letter(before) && letter(next)),
            '\\' => next.is_none_or(|next| next.is_ascii_punctuation()),
            ']' => matches!(next, Some('(' | '[' | ':')),
            '&' => is_entity(&chars[at + 1..]),
            _ => false,
        };
        if speaks {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Whether what follows a `&` makes it stand for another character: `amp;`, `#42;`.
fn is_entity(rest: &[char]) -> bool {
    let name = rest
        .iter()
        .take_while(|c| c.is_ascii_alphanumeric() || **c == '#');
    let length = name.count();
    length > 0 && rest.get(length) == Some(&';')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_text_stays_in_its_line_and_as_it_is() {
        let check = |text: &str, expected: &str| {
            assert_eq!(plain(text, Some(20)).expect("it fits"), expected, "{text}");
        };
        check("Stand-up (daily)", "Stand-up (daily)");
        check("  two\r\n lines\t", "two lines");
        check("[Work] 2 * 3 a_b", "[Work] 2 * 3 a_b");
        check("**b** ```x", "\\*\\*b\\*\\* \\`\\`\\`x");
        check("[a](http://x)", "[a\\](http://x)");
        check("_x_ ~y~ <b>", "\\_x\\_ \\~y\\~ \\<b>");
        check("Q&A, R & D", "Q&A, R & D");
        check("&lt;b&#42;", "\\&lt;b\\&#42;");
        check("a\u{202e}b\u{200f}\u{7}c\u{2066}", "abc");
        check("\u{202e}\u{7}", "");
        check("one two three four five", "one two three four…");
        let link = "https://meet.example/abc-defg-hij";
        check(link, link);
        assert!(plain("x", Some(0)).is_err());
    }
}
