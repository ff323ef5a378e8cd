//! "Did you mean": the one candidate that a misspelt word is close to.

/// Whether `word` is `candidate` but for a slip or two.
pub fn is_near(word: &str, candidate: &str) -> bool {
    let score = strsim::damerau_levenshtein(word, candidate);
    score <= allowed(word, candidate)
}

/// A third of the word may be wrong, and something has to be right.
fn allowed(word: &str, candidate: &str) -> usize {
    let (word, candidate) = (word.chars().count(), candidate.chars().count());
    1.max(candidate / 3).min(word.saturating_sub(1))
}

/// The candidate nearest to `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let score = strsim::damerau_levenshtein(&folded, &candidate.to_lowercase());
            (score, candidate)
        })
        .filter(|(score, candidate)| *score <= allowed(word, candidate))
        .min_by_key(|(score, _)| *score)
        .map(|(_, candidate)| candidate)
}

/// ``did you mean `x`?`` or nothing.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(word, candidates) {
        Some(near) => format!("did you mean `{near}`?"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        let check = |word: &str, expected: &str| {
            let said = did_you_mean(word, ["cron", "watch", "telegram", "webhook"]);
            assert_eq!(said, expected, "{word}");
        };
        check("corn", "did you mean `cron`?");
        check("Telegramm", "did you mean `telegram`?");
        check("web-hook", "did you mean `webhook`?");
        check("banana", "");
        check("", "");
        assert_eq!(did_you_mean("y", ["x"]), "");
    }
}
