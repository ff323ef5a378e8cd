//! What makes two failures the same.

use std::sync::LazyLock;

use regex::Regex;

use crate::hash::fnv1a;

/// The same for failures that differ in numbers, durations, ids and paths only. What stands in backquotes is a name, and
/// tells failures apart.
pub(super) fn fingerprint(outcome: &str, reason: &str) -> String {
    hash(&format!("{outcome}: {}", normal(reason)))
}

/// The same for the same text.
pub(super) fn exact(text: &str) -> String {
    hash(text)
}

fn hash(text: &str) -> String {
    format!("{:016x}", fnv1a(text.as_bytes()))
}

fn normal(reason: &str) -> String {
    static VARYING: LazyLock<Regex> = LazyLock::new(|| {
        // A name; a path; an id or another long number in hex; a number, with its unit.
        let kinds = [
            r"`[\w.:-]+`",
            r"(?:~|\.{1,2}|[A-Za-z]:)?(?:/[^\s/:;,'`()\x22]+)+/?",
            r"\b(?:0x[0-9a-fA-F]+|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\b",
            r"\b[0-9a-fA-F]{7,}\b",
            r"[0-9]+(?:[.,:][0-9]+)*(?: ?(?:ns|µs|us|ms|s|m|min|h|d|B|[KMGT]i?B)\b)?",
        ];
        Regex::new(&kinds.join("|")).expect("a pattern")
    });
    let text = VARYING.replace_all(reason, |found: &regex::Captures<'_>| {
        let found = &found[0];
        // A word such as `deadbeef` or `facade` has no digit in it.
        let word = !found.contains(['/']) && !found.contains(|c: char| c.is_ascii_digit());
        if found.starts_with('`') || word {
            found.to_owned()
        } else {
            "#".to_owned()
        }
    });
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) {
        assert_eq!(normal(one), normal(other));
    }

    fn differ(one: &str, other: &str) {
        assert_ne!(normal(one), normal(other));
    }

    #[test]
    fn what_varies_from_one_time_to_the_next_does_not_make_another_failure() {
        same("no answer within 30s", "no answer within 31.5 s");
        same("it took 4.1 s (312 in)", "it took 12 ms (9 in)");
        same("pid 123 ended with 1", "pid 4567 ended with 2");
        same(
            "cannot read /tmp/a1b2/x: denied",
            "cannot read /tmp/zz/y.log: denied",
        );
        same("commit 3f2a9bc is bad", "commit 00ffee1 is bad");
        same(
            "request 0198f4e2-1c2d-7abc-8def-0123456789ab",
            "request 0198f4e2-1c2d-7abc-8def-ba9876543210",
        );
        same(
            "at 2026-11-20 07:00:01  again",
            "at 2026-11-21 07:00:02 again",
        );
    }

    #[test]
    fn names_and_words_make_another_failure() {
        differ("step `copy1`: no answer", "step `copy2`: no answer");
        differ("no answer", "no space");
        differ("the facade broke", "the effaced broke");
        differ(
            "model `qwen2.5:1.5b` is missing",
            "model `qwen2.5:7b` is missing",
        );
    }

    #[test]
    fn another_end_is_another_failure() {
        assert_ne!(fingerprint("failed", "x"), fingerprint("interrupted", "x"));
    }
}
