//! A regular expression that is searched over whole blocks and yet matches within single lines.

use aho_corasick::packed;
use memchr::{memchr, memrchr};
use regex::bytes::Regex;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{
    Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look,
    Repetition,
};

/// How many bytes of each beginning are searched for: three and no more keep Teddy at its widest step.
const BEGINNING: usize = 3;
/// How many beginnings Teddy takes at its widest step.
const BEGINNINGS: usize = 32;
/// After so many candidates in a row that were none, the regular expression alone goes on.
const FALSE_CANDIDATES: usize = 16;

/// What `match` and `ignore` hold: `^` and `$` are the ends of a line, and nothing matches across lines.
#[derive(Debug, Clone)]
pub struct LinePattern {
    regex: Regex,
    beginnings: Option<packed::Searcher>,
}

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
        let hir = within_line(parsed);
        Ok(LinePattern {
            regex: Regex::new(&hir.to_string())?,
            beginnings: beginnings(&hir),
        })
    }

    /// Whether `line` (without its newline) matches.
    pub fn is_match(&self, line: &[u8]) -> bool {
        self.regex.is_match(line)
    }

    /// The first matching line of `block` at or after `from`, which is a line's start, as (start, end)
    /// without the newline; every line of `block` ends in one.
    pub fn next_line(&self, block: &[u8], from: usize) -> Option<(usize, usize)> {
        let mut at = from;
        if let Some(beginnings) = &self.beginnings {
            for _ in 0..FALSE_CANDIDATES {
                let span = aho_corasick::Span::from(at..block.len());
                let found = beginnings.find_in(block, span)?;
                let (start, end) = line_around(block, at, found.start());
                // No match can begin before the first beginning; the line around it is for `^` and `\b`.
                if self
                    .regex
                    .is_match_at(&block[start..end], found.start() - start)
                {
                    return Some((start, end));
                }
                at = (end + 1).min(block.len());
            }
        }
        // The end of the earliest match suffices, because a match never leaves its line.
        let inside = self.regex.shortest_match_at(block, at)?;
        (inside < block.len()).then(|| line_around(block, at, inside))
    }
}

/// The line that `inside` is in; `from` is a line's start at or before it.
fn line_around(block: &[u8], from: usize, inside: usize) -> (usize, usize) {
    let start = memrchr(b'\n', &block[from..inside]).map_or(from, |at| from + at + 1);
    let end = memchr(b'\n', &block[inside..]).map_or(block.len(), |at| inside + at);
    (start, end)
}

/// A search for what every match begins with, several times as fast as the regular expression's own: it holds
/// literals in full, and for `(?i)error|warn|fail` these are too many for the widest step.
fn beginnings(hir: &Hir) -> Option<packed::Searcher> {
    let mut literals = Extractor::new().extract(hir);
    literals.keep_first_bytes(BEGINNING);
    literals.dedup();
    let literals = literals.literals()?;
    let few = (1..=BEGINNINGS).contains(&literals.len());
    if !few || literals.iter().any(|literal| literal.len() < 2) {
        return None;
    }
    let literals = literals.iter().map(|literal| literal.as_bytes());
    packed::Searcher::new(literals)
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
        check("(?i)error|warn", "err\nwar\n", &[]);
        check(
            "warn",
            &("war\n".repeat(40) + "warn\nwar\nwarn\n"),
            &["warn", "warn"],
        );
        check(r"\berr", "xerr\nx err\n", &["x err"]);
        check("^err", "xerr\nerr\n", &["err"]);
        check("ab+|cd", "a\nc\nab\ncd\n", &["ab", "cd"]);
    }

    #[test]
    fn a_wrong_pattern_says_where() {
        let error = LinePattern::new("a(b").expect_err("unclosed");
        assert!(error.to_string().contains("unclosed group"), "{error}");
    }
}
