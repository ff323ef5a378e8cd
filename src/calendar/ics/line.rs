//! Content lines (RFC 5545, section 3.1): unfolding, names, parameters, values. (The crate `icalendar` reads components by
//! recursion, and 100,000 nested ones overflow its stack.)

use std::borrow::Cow;

/// Longest content line that is looked at, in bytes: an inline attachment may be far longer.
const MAX_LINE: usize = 1 << 20;

/// The logical lines of a calendar, found without copying; CRLF and LF both end a line.
pub struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    /// Reads `bytes` from their beginning.
    pub fn new(bytes: &'a [u8]) -> Self {
        Lines { rest: bytes }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = RawLine<'a>;

    fn next(&mut self) -> Option<RawLine<'a>> {
        let blank = self.rest.iter().take_while(|byte| is_break(**byte)).count();
        self.rest = &self.rest[blank..];
        if self.rest.is_empty() {
            return None;
        }
        let mut end = line_end(self.rest);
        let mut folded = false;
        while matches!(self.rest.get(end + 1), Some(b' ' | b'\t')) {
            folded = true;
            end = end + 1 + line_end(&self.rest[end + 1..]);
        }
        let (bytes, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(RawLine { bytes, folded })
    }
}

/// One logical line, still folded.
pub struct RawLine<'a> {
    bytes: &'a [u8],
    folded: bool,
}

impl<'a> RawLine<'a> {
    /// The property's name, or nothing when it cannot be told without unfolding.
    pub fn name(&self) -> &'a [u8] {
        let end = self
            .bytes
            .iter()
            .position(|byte| matches!(byte, b':' | b';' | b'\n'));
        match end {
            Some(end) if self.bytes[end] != b'\n' => &self.bytes[..end],
            _ => &[],
        }
    }

    /// The line in one piece, cut at 1 MiB. Folds may lie within a UTF-8 sequence, so this is bytes.
    pub fn unfold(&self) -> Cow<'a, [u8]> {
        if !self.folded {
            return Cow::Borrowed(cut(without_return(self.bytes)));
        }
        let mut whole = Vec::with_capacity(self.bytes.len().min(MAX_LINE));
        for (number, part) in self.bytes.split(|byte| *byte == b'\n').enumerate() {
            let part = without_return(part);
            let part = if number == 0 {
                part
            } else {
                part.get(1..).unwrap_or_default()
            };
            let room = MAX_LINE - whole.len();
            whole.extend_from_slice(&part[..part.len().min(room)]);
            if whole.len() == MAX_LINE {
                break;
            }
        }
        Cow::Owned(whole)
    }
}

/// `NAME;PARAMETERS:VALUE`, taken apart.
#[derive(Debug, Clone, Copy)]
pub struct ContentLine<'a> {
    /// As written: compare without regard to case.
    pub name: &'a [u8],
    params: &'a [u8],
    /// As written: text is still escaped.
    pub value: &'a [u8],
}

impl<'a> ContentLine<'a> {
    /// Takes an unfolded line apart; `None` when it has no name or no colon.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let name_end = line.iter().position(|byte| matches!(byte, b':' | b';'))?;
        let (name, rest) = line.split_at(name_end);
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if name.is_empty() || !name.iter().all(is_name) {
            return None;
        }
        // A quote that is never closed would swallow the value: then the first colon decides.
        let colon = unquoted(rest, b':').or_else(|| rest.iter().position(|byte| *byte == b':'))?;
        let (params, value) = rest.split_at(colon);
        Some(ContentLine {
            name,
            params,
            value: &value[1..],
        })
    }

    /// Whether this is the property `name`.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// A parameter's value without its quotes.
    pub fn param(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut rest = self.params;
        while let Some((_, after)) = rest.split_first() {
            let end = unquoted(after, b';').unwrap_or(after.len());
            let (param, next) = after.split_at(end);
            rest = next;
            let Some(equals) = param.iter().position(|byte| *byte == b'=') else {
                continue;
            };
            if param[..equals].eq_ignore_ascii_case(name.as_bytes()) {
                let value = param[equals + 1..].trim_ascii();
                let inner = value
                    .strip_prefix(b"\"")
                    .and_then(|rest| rest.strip_suffix(b"\""));
                return Some(String::from_utf8_lossy(inner.unwrap_or(value)));
            }
        }
        None
    }
}

fn is_break(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

fn line_end(bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|byte| *byte == b'\n');
    end.unwrap_or(bytes.len())
}

fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn cut(line: &[u8]) -> &[u8] {
    &line[..line.len().min(MAX_LINE)]
}

fn unquoted(bytes: &[u8], wanted: u8) -> Option<usize> {
    let mut quoted = false;
    bytes.iter().position(|byte| {
        quoted ^= *byte == b'"';
        !quoted && *byte == wanted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &[u8], expected: &[(&str, Option<&str>, &str)]) {
        let lines: Vec<_> = Lines::new(input).map(|raw| raw.unfold()).collect();
        let found: Vec<_> = lines
            .iter()
            .filter_map(|line| ContentLine::parse(line))
            .map(|line| {
                let name = String::from_utf8_lossy(line.name).into_owned();
                let tzid = line.param("tzid").map(Cow::into_owned);
                (name, tzid, String::from_utf8_lossy(line.value).into_owned())
            })
            .collect();
        let found: Vec<_> = found
            .iter()
            .map(|(name, tzid, value)| (name.as_str(), tzid.as_deref(), value.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn lines_are_taken_apart() {
        check(
            b"A:1\r\nb;x=y:2\n\n\r\nC:3",
            &[("A", None, "1"), ("b", None, "2"), ("C", None, "3")],
        );
        check(
            b"A;X=\"p:q;r\";TZID=\"Z:1\":v:w",
            &[("A", Some("Z:1"), "v:w")],
        );
        check(
            b"A;TZID=Europe/Madrid:v",
            &[("A", Some("Europe/Madrid"), "v")],
        );
        check(b"A;X=\"open:v", &[("A", None, "v")]);
        check(b"no colon\n:no name\nA B:space\nOK:", &[("OK", None, "")]);
    }

    #[test]
    fn folds_go_even_within_a_letter_or_a_name() {
        check(b"A:ni\xc3\r\n \xb1o\n\t!", &[("A", None, "ni\u{f1}o!")]);
        check(b"SUMM\r\n ARY:x", &[("SUMMARY", None, "x")]);
        check(b"A:1\n \nB:2", &[("A", None, "1"), ("B", None, "2")]);
    }

    #[test]
    fn a_huge_line_is_cut() {
        let mut input = b"A:".to_vec();
        input.resize(3 << 20, b'x');
        let whole = Lines::new(&input).next().expect("one line").unfold();
        assert_eq!(whole.len(), MAX_LINE);
        input[1 << 19] = b'\n';
        input[(1 << 19) + 1] = b' ';
        let whole = Lines::new(&input).next().expect("one line").unfold();
        assert_eq!(whole.len(), MAX_LINE);
    }
}
