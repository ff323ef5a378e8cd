//! JSON that holds half a character: one message that is broken so must not cost all others.

use serde_json::Value;

/// What an answer holds once halves of characters are replaced; `None` where that does not mend it.
pub(super) fn mended(raw: &str) -> Option<Value> {
    let whole: Value = serde_json::from_str(&without_halves(raw)).ok()?;
    (whole["ok"] == true).then(|| whole["result"].clone())
}

/// Escapes of surrogates that stand alone become the replacement character. RFC 8259, section 7.
fn without_halves(raw: &str) -> String {
    let unit = |at: usize| {
        let escape = raw.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let high = |at: usize| unit(at).is_some_and(|unit| (0xd800..0xdc00).contains(&unit));
    let low = |at: usize| unit(at).is_some_and(|unit| (0xdc00..0xe000).contains(&unit));
    let (mut mended, mut at) = (String::with_capacity(raw.len()), 0);
    while let Some(c) = raw[at..].chars().next() {
        let next = at + c.len_utf8();
        let length = match c {
            '\\' if high(at) && low(at + 6) => 12,
            '\\' if high(at) || low(at) => {
                mended.push('\u{fffd}');
                at += 6;
                continue;
            }
            // Whatever is escaped is passed over with it, a backslash too.
            '\\' => 1 + raw[next..].chars().next().map_or(0, char::len_utf8),
            c => c.len_utf8(),
        };
        mended.push_str(&raw[at..at + length]);
        at += length;
    }
    mended
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(raw: &str) -> Option<String> {
        let answer = format!(r#"{{"ok":true,"result":"{raw}"}}"#);
        mended(&answer)?.as_str().map(str::to_owned)
    }

    #[test]
    fn half_a_character_costs_no_other() {
        assert_eq!(text(r"a\ud800b").as_deref(), Some("a\u{fffd}b"));
        assert_eq!(text(r"\udc00\uDBFF").as_deref(), Some("\u{fffd}\u{fffd}"));
        assert_eq!(text(r"\ud83d\ude00 ñ").as_deref(), Some("😀 ñ"));
        assert_eq!(text(r"\\ud800").as_deref(), Some(r"\ud800"));
        assert_eq!(text(r"\ud800\ud83d\ude00").as_deref(), Some("\u{fffd}😀"));
        assert_eq!(text("\u{1}"), None);
        assert_eq!(mended("<html>"), None);
    }
}
