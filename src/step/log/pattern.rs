//! A regular expression that is searched over whole blocks and yet matches within single lines.

use memchr::{memchr, memrchr};
use regex::bytes::Regex;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{
    Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look,
    Repetition,
};

/// What `match` and `ignore` hold: `^` and `$` are the ends of a line, and nothing matches across lines.
#[derive(Debug, Clone)]
pub struct LinePattern(Regex);

impl LinePattern {
    /// Compiles `pattern` (the syntax of the `regex` crate).
    ///
    /// # Errors
    /// The pattern is not valid or compiles to more than 10 MiB; the text shows where.
    pub fn new(pattern: &str) -> Result<Self, regex::Error> {
        let parsed = ParserBuilder::new()
            .utf8(false)
            .multi_line(true)
            .build()
            .parse(pattern)
            .map_err(|error| regex::Error::Syntax(error.to_string()))?;
        Regex::new(&within_line(parsed).to_string()).map(LinePattern)
    }

    /// Whether `line` (without its newline) matches.
    pub fn is_match(&self, line: &[u8]) -> bool {
        self.0.is_match(line)
    }

    /// The first matching line of `block` at or after `from`, which is a line's start, as (start, end)
    /// without the newline; every line of `block` ends in one.
    pub fn next_line(&self, block: &[u8], from: usize) -> Option<(usize, usize)> {
        // The end of the earliest match suffices, because a match never leaves its line.
        let inside = self.0.shortest_match_at(block, from)?;
        if inside >= block.len() {
            return None;
        }
        let start = memrchr(b'\n', &block[from..inside]).map_or(from, |at| from + at + 1);
        let end = memchr(b'\n', &block[inside..]).map_or(block.len(), |at| inside + at);
        Some((start, end))
    }
}

/// Takes the newline out of whatever could match it, so that one search may run over many lines in
/// linear time (`[^x]*` would otherwise run to the block's end from every line).
fn within_line(hir: Hir) -> Hir {
    match hir.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) if literal.0.contains(&b'\n') => Hir::fail(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Class(Class::Unicode(mut class)) => {
            class.difference(&ClassUnicode::new([ClassUnicodeRange::new('\n', '\n')]));
            Hir::class(Class::Unicode(class))
        }
        HirKind::Class(Class::Bytes(mut class)) => {
            class.difference(&ClassBytes::new([ClassBytesRange::new(b'\n', b'\n')]));
            Hir::class(Class::Bytes(class))
        }
        HirKind::Look(Look::Start) => Hir::look(Look::StartLF),
        HirKind::Look(Look::End) => Hir::look(Look::EndLF),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(within_line(*repetition.sub)),
            ..repetition
        }),
        HirKind::Capture(capture) => within_line(*capture.sub),
        HirKind::Concat(parts) => Hir::concat(parts.into_iter().map(within_line).collect()),
        HirKind::Alternation(parts) => {
            Hir::alternation(parts.into_iter().map(within_line).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of `block` that `pattern` finds.
    fn check(pattern: &str, block: &str, expected: &[&str]) {
        let pattern = LinePattern::new(pattern).expect("a valid pattern");
        let mut found = Vec::new();
        let mut at = 0;
        while let Some((start, end)) = pattern.next_line(block.as_bytes(), at) {
            found.push(&block[start..end]);
            at = end + 1;
        }
        assert_eq!(found, expected);
        let alone: Vec<_> = block
            .lines()
            .filter(|line| pattern.is_match(line.as_bytes()))
            .collect();
        assert_eq!(alone, expected, "line by line");
    }

    #[test]
    fn a_block_gives_the_lines_that_match_alone() {
        check(
            "(?i)error|warn",
            "ok\nAn ERROR\nwarned\nok\n",
            &["An ERROR", "warned"],
        );
        check("^b", "ab\nb\nba\n", &["b", "ba"]);
        check("b$", "ab\nba\nb\n", &["ab", "b"]);
        check(r"\Ab\z", "ab\nb\n", &["b"]);
        check("^$", "a\n\nb\n", &[""]);
        check("", "a\n\n", &["a", ""]);
        check("x*", "a\nxx\n", &["a", "xx"]);
        check(r"a[^c]*b", "a\nb\na b\n", &["a b"]);
        check(r"a\s+b", "a\nb\na  b\n", &["a  b"]);
        check("(?s)a.*b", "a\nb\nab\n", &["ab"]);
        check("a\nb", "a\nb\n", &[]);
        check("zzz", "a\nb\n", &[]);
    }

    #[test]
    fn a_wrong_pattern_says_where() {
        let error = LinePattern::new("a(b").expect_err("unclosed");
        assert!(error.to_string().contains("unclosed group"), "{error}");
    }
}
