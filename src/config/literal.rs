//! Where the characters of a TOML string's value stand in the file. Pure.

use std::ops::Range;

/// The bytes of the literal `raw` that `value` (bytes of what it stands for) came from.
///
/// TOML 1.0, "String": four kinds, escapes in two of them. `None` where `raw` is no string.
pub fn place(raw: &str, value: &Range<usize>) -> Option<Range<usize>> {
    let (quotes, escapes) = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quotes| raw.starts_with(quotes))
        .map(|quotes| (quotes, quotes.starts_with('"')))?;
    let mut at = quotes.len();
    if quotes.len() == 3 && raw[at..].starts_with('\n') {
        at += 1;
    }
    let mut read = 0;
    let mut start = None;
    while read < value.end && at < raw.len() {
        let (taken, given) = if escapes {
            piece(&raw[at..])
        } else {
            let length = raw[at..].chars().next().map_or(1, char::len_utf8);
            (length, length)
        };
        // A line that is joined stands for nothing.
        if read >= value.start && given > 0 {
            start.get_or_insert(at);
        }
        at += taken;
        read += given;
    }
    let at = at.min(raw.len());
    Some(start.unwrap_or(at)..at)
}

/// Bytes of the first character or escape, and of what it stands for.
fn piece(raw: &str) -> (usize, usize) {
    let mut chars = raw.chars();
    let first = chars.next().map_or(1, char::len_utf8);
    if !raw.starts_with('\\') {
        return (first, first);
    }
    let digits = match chars.next() {
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        Some(c) if c.is_whitespace() => {
            let rest = raw[1..].trim_start();
            return (raw.len() - rest.len(), 0);
        }
        Some(_) | None => return (2, 1),
    };
    let code = raw.get(2..2 + digits);
    let code = code.and_then(|code| u32::from_str_radix(code, 16).ok());
    let given = code.and_then(char::from_u32).map_or(1, char::len_utf8);
    (2 + digits, given)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_in_its_literal() {
        let check = |raw: &str, wanted: &str, expected: &str| {
            let file = format!("x = {raw}");
            let table: toml::Table = file.parse().expect("it is TOML");
            let value = table["x"].as_str().expect("it is a string");
            let start = value.find(wanted).expect("it is in the value");
            let range = place(raw, &(start..start + wanted.len())).expect("it is a string");
            assert_eq!(&raw[range], expected, "{raw}");
        };
        check(r#""a b""#, "b", "b");
        check(r"'a\nb'", "b", "b");
        check(r#""a\n\tb""#, "b", "b");
        check(r#""\"a\" b""#, "b", "b");
        check(r#""\u00e9 \U0001F600b""#, "b", "b");
        check(r#""\u00e9b""#, "\u{e9}", r"\u00e9");
        check("\"\"\"\na\nb\"\"\"", "b", "b");
        check("\"\"\"\na \\\n   b\"\"\"", "b", "b");
        check("'''\na\nb'''", "b", "b");
        check("\"ñ\\tñb\"", "b", "b");
        assert_eq!(place("5", &(0..1)), None);
    }
}
