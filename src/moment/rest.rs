//! What a sentence says beside its words of time.

use std::ops::Range;

use super::lex::Token;

/// What only leads to what was taken out.
fn is_connective(word: &str) -> bool {
    matches!(
        word,
        "a" | "al"
            | "las"
            | "la"
            | "el"
            | "los"
            | "de"
            | "del"
            | "y"
            | "e"
            | "en"
            | "por"
            | "para"
            | "que"
            | "on"
            | "at"
            | "the"
            | "to"
            | "in"
            | "for"
            | "from"
            | "and"
            | "by"
            | "of"
            | "-"
            | "desde"
            | "an"
            | "un"
            | "una"
    )
}

/// The text without these words, which are ranges of their numbers in their order.
pub(super) fn rest(text: &str, tokens: &[Token], taken: &[Range<usize>]) -> String {
    let mut taken: Vec<Range<usize>> = taken.to_vec();
    // What stands between two of them and only joins them goes too.
    for place in 1..taken.len() {
        let between = taken[place - 1].end..taken[place].start;
        if tokens[between]
            .iter()
            .all(|token| is_connective(&token.word))
        {
            taken[place - 1].end = taken[place].start;
        }
    }
    trim(tokens, &mut taken);
    let mut left = String::with_capacity(text.len());
    let mut at = 0;
    for range in taken.iter().filter(|range| !range.is_empty()) {
        add(&mut left, &text[at..tokens[range.start].span.start.max(at)]);
        at = tokens[range.end - 1].span.end.max(at);
    }
    add(&mut left, &text[at..]);
    let loose = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '-' | '–' | '—');
    if taken.is_empty() {
        left.trim().to_owned()
    } else {
        left.trim_matches(loose).to_owned()
    }
}

/// Connectives that are left over at the beginning or the end of what stays.
fn trim(tokens: &[Token], taken: &mut [Range<usize>]) {
    let lead = |range: Range<usize>| {
        tokens[range]
            .iter()
            .take_while(|token| is_connective(&token.word))
            .count()
    };
    // "What's on tomorrow": these end a sentence as well.
    let trails = |word: &str| is_connective(word) && !matches!(word, "on" | "in" | "to" | "for");
    let trail = |range: Range<usize>| {
        tokens[range]
            .iter()
            .rev()
            .take_while(|token| trails(&token.word))
            .count()
    };
    let mut begun = 0;
    for place in 0..taken.len() {
        if taken[place].start > begun {
            break;
        }
        let next = taken.get(place + 1).map_or(tokens.len(), |next| next.start);
        taken[place].end += lead(taken[place].end..next);
        begun = taken[place].end;
    }
    let mut end = tokens.len();
    for place in (0..taken.len()).rev() {
        if taken[place].end < end {
            break;
        }
        let before = place.checked_sub(1).map_or(0, |before| taken[before].end);
        let start = taken[place].start.max(before);
        taken[place].start = start - trail(before..start);
        end = taken[place].start;
    }
}

/// Joins what stays by one space, and no sign twice.
fn add(left: &mut String, more: &str) {
    if left.is_empty() {
        left.push_str(more);
        return;
    }
    let kept = left.trim_end();
    let signs = |c: char| matches!(c, ',' | ';' | ':' | '.' | '?' | '!' | ')');
    let more = more.trim_start();
    let kept = match more.starts_with(signs) {
        true if more.starts_with(')') && kept.ends_with('(') => {
            let kept = kept.trim_end_matches('(').trim_end().len();
            left.truncate(kept);
            left.push_str(&more[1..]);
            return;
        }
        true => kept.trim_end_matches([',', ';', ':']),
        false => kept,
    };
    let kept = kept.len();
    left.truncate(kept);
    if !(more.is_empty()
        || more.starts_with(signs)
        || left.is_empty()
        || left.ends_with(['(', '¿', '¡']))
    {
        left.push(' ');
    }
    left.push_str(more);
}
