//! Takes out of a line what changes from one occurrence to the next: numbers, ids, addresses, paths.

const DIGIT: u8 = 1;
const HEX: u8 = 2;
const LETTER: u8 = 4;
const JOIN: u8 = 8;
const WORD: u8 = DIGIT | HEX | LETTER;

/// The kind of each byte; bytes of other scripts count as letters.
const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'f' | b'A'..=b'F' => HEX,
            b'g'..=b'z' | b'G'..=b'Z' | b'_' | 0x80..=0xff => LETTER,
            b'.' | b':' | b',' | b'-' => JOIN,
            _ => 0,
        };
        byte += 1;
    }
    kinds
};

/// What stands for a path in a masked line.
const PATH: &[u8] = b"<path>";

/// Appends `text` to `out` with numbers, hexadecimal ids, addresses and times as `#` and paths as `<path>`.
///
/// Masking before the parse tree is the "preprocessing by domain knowledge" of Drain (see `tree`).
/// Runs of blanks become one space, so that the words of the result are split by single spaces.
pub fn mask(text: &[u8], out: &mut Vec<u8>) {
    let mut at = 0;
    let mut in_url = false;
    while let Some(&byte) = text.get(at) {
        let before = at.checked_sub(1).map_or(b' ', |before| text[before]);
        if kind(byte) & WORD != 0 {
            let (end, found) = compound(text, at);
            mask_compound(&text[at..end], found, out);
            at = end;
        } else if byte == b'/' && starts_path(before, text.get(at + 1), in_url) {
            at = path_end(text, at);
            in_url = false;
            out.extend_from_slice(PATH);
        } else {
            if byte.is_ascii_whitespace() {
                in_url = false;
                if !matches!(out.last(), None | Some(b' ')) {
                    out.push(b' ');
                }
            } else {
                in_url |= byte == b'/' && before == b'/';
                out.push(byte);
            }
            at += 1;
        }
    }
    if out.last() == Some(&b' ') {
        out.pop();
    }
}

fn kind(byte: u8) -> u8 {
    KINDS[usize::from(byte)]
}

/// The end of the words joined by `.:,-` that begin at `start`, and the kinds of byte in them.
fn compound(text: &[u8], start: usize) -> (usize, u8) {
    let (mut end, mut found) = (start, 0);
    for (offset, &byte) in text[start..].iter().enumerate() {
        match kind(byte) {
            0 => break,
            JOIN => {}
            kind => {
                found |= kind;
                end = start + offset + 1;
            }
        }
    }
    (end, found)
}

fn mask_compound(compound: &[u8], found: u8, out: &mut Vec<u8>) {
    let has_digit = found & DIGIT != 0;
    if found & LETTER == 0 {
        let colons = || compound.iter().filter(|&&byte| byte == b':').count();
        if has_digit || compound.len() >= 8 && !compound.contains(&b'-') || colons() >= 2 {
            push_number(out);
        } else {
            out.extend_from_slice(compound);
        }
    } else if has_digit || compound.len() >= 8 {
        let mut number_end = None;
        for piece in compound.split_inclusive(|&byte| kind(byte) == JOIN) {
            match piece {
                [word @ .., join] if kind(*join) == JOIN => {
                    mask_word(word, &mut number_end, out);
                    out.push(*join);
                }
                word => mask_word(word, &mut number_end, out),
            }
        }
    } else {
        out.extend_from_slice(compound);
    }
}

/// One word of a compound; a number joined to the number before it (`1.5`, `10.0.0.1`) is the same `#`.
fn mask_word(word: &[u8], number_end: &mut Option<usize>, out: &mut Vec<u8>) {
    if is_id(word) {
        number(number_end, out);
        return;
    }
    for run in word.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()) {
        if run[0].is_ascii_digit() {
            number(number_end, out);
        } else {
            out.extend_from_slice(run);
        }
    }
}

fn number(number_end: &mut Option<usize>, out: &mut Vec<u8>) {
    let joined = number_end
        .filter(|&end| out.len() > end && out[end..].iter().all(|&byte| kind(byte) == JOIN));
    match joined {
        Some(end) => out.truncate(end),
        None if number_end.is_none() && kind(out.last().copied().unwrap_or(0)) & WORD == 0 => {
            push_number(out);
        }
        None => out.push(b'#'),
    }
    *number_end = Some(out.len());
}

/// A sign that stands free belongs to its number.
fn push_number(out: &mut Vec<u8>) {
    if let [.., b' ' | b'=' | b'(' | b'[', b'-' | b'+'] | [b'-' | b'+'] = out[..] {
        out.pop();
    }
    out.push(b'#');
}

/// Hexadecimal with a digit or at least 8 long, `0x...`, or long and mixed as random ids are.
fn is_id(word: &[u8]) -> bool {
    let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
    let hex = word.iter().all(u8::is_ascii_hexdigit);
    if hex && !word.is_empty() {
        return digits > 0 || word.len() >= 8;
    }
    if word.starts_with(b"0x") {
        return true;
    }
    let changes = word
        .windows(2)
        .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit())
        .count();
    word.len() >= 12 && changes >= 4
}

/// A `/` after a free place begins a path; in a URL the first one after the host does.
fn starts_path(before: u8, after: Option<&u8>, in_url: bool) -> bool {
    let names = |&byte: &u8| kind(byte) & WORD != 0 || byte == b'.';
    if in_url {
        return before != b'/';
    }
    let free = kind(before) & WORD == 0 && before != b'/' && before != b'.';
    free && after.is_some_and(names)
}

fn path_end(text: &[u8], start: usize) -> usize {
    let stops = |byte: &u8| byte.is_ascii_whitespace() || b"\"'<>()[]{},;|".contains(byte);
    let end = text[start..]
        .iter()
        .position(stops)
        .map_or(text.len(), |length| start + length);
    let trailing = text[start..end]
        .iter()
        .rev()
        .take_while(|&&byte| kind(byte) == JOIN)
        .count();
    end - trailing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: &str) {
        let mut out = Vec::new();
        mask(line.as_bytes(), &mut out);
        assert_eq!(String::from_utf8_lossy(&out), expected, "{line}");
    }

    #[test]
    fn what_changes_is_masked_and_what_names_stays() {
        check("took 12 s", "took # s");
        check("took 12.5s at -3 or +4", "took #s at # or #");
        check("a=-5 b=7", "a=# b=#");
        check("up to 99%", "up to #%");
        check("eth0: link is up", "eth#: link is up");
        check("sshd[4711]: bye", "sshd[#]: bye");
        check("from 10.0.0.1:8080 to 192.168.1.20", "from # to #");
        check("at fe80::1 and 2001:db8::ff00:42:8329", "at # and #");
        check("mac aa:bb:cc:dd:ee:ff", "mac #");
        check("id 123e4567-e89b-12d3-a456-426614174000.", "id #.");
        check("commit deadbeef and 0x7ffe12", "commit # and #");
        check("bad face added", "bad face added");
        check("on 2026-11-20 20:04:01,123 done", "on # # done");
        check("on 2026-11-20T20:04:01.5Z done", "on #T#Z done");
        check("version 1.5.2-rc1", "version #-rc#");
        check("x86_64 http2", "x#_# http#");
        check("key 8fK2jH3s9dQ1 used", "key # used");
        check("open /etc/passwd: denied", "open <path>: denied");
        check("(/dev/sda1) and '/a b'", "(<path>) and '<path> b'");
        check("read/write and/or", "read/write and/or");
        check("GET /a/b?x=1 500", "GET <path> #");
        check(
            "to https://api.example.org/bot1/x failed",
            "to https://api.example.org<path> failed",
        );
        check("to http://10.0.0.7:80/ failed", "to http://#<path> failed");
        check("  two   blanks\t", "two blanks");
        check("niño 3 años", "niño # años");
        check("", "");
    }

    #[test]
    fn any_bytes_are_masked_without_fear() {
        for byte in 0..=255u8 {
            let mut out = Vec::new();
            mask(&[byte, b'/', byte, b'1', b'-', byte], &mut out);
            assert!(!out.contains(&b'1'));
        }
    }
}
