//! Texts with several files in them, and texts without what differs from run to run.

use regex::Regex;

/// The files in a text, each below its line `-- NAME --`.
pub fn sections(text: &str) -> Vec<(&str, &str)> {
    let head = Regex::new(r"(?m)^-- (\S+) --\n").expect("a pattern");
    let heads: Vec<_> = head.captures_iter(text).collect();
    let ends = heads
        .iter()
        .skip(1)
        .map(|next| next.get(0).expect("all of it").start());
    let ends = ends.chain([text.len()]);
    let section = |(head, end): (&regex::Captures<'_>, usize)| {
        let name = head.get(1).expect("a name").range();
        let start = head.get(0).expect("all of it").end();
        (&text[name], &text[start..end])
    };
    heads.iter().zip(ends).map(section).collect()
}

/// The text with `?` for every length of time that was measured.
pub fn untimed(text: &str) -> String {
    let took = Regex::new(r" *\b[0-9]+(\.[0-9])? (ms|s|min)\b").expect("a pattern");
    took.replace_all(text, " ?").into_owned()
}
