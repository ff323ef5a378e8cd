//! "Did you mean": the one candidate that a misspelt word is close to.

/// The candidate nearest to `word`, if one is near enough to be meant.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let limit = allowed(word, candidate);
            if at_least(word, candidate) > limit {
                return None;
            }
            let score = strsim::damerau_levenshtein(&folded, &candidate.to_lowercase());
            (score <= limit).then_some((score, candidate))
        })
        .min_by_key(|(score, _)| *score)
        .map(|(_, candidate)| candidate)
}

/// Whether `word` is `candidate` but for a slip or two.
pub fn is_near(word: &str, candidate: &str) -> bool {
    strsim::damerau_levenshtein(word, candidate) <= allowed(word, candidate)
}

/// A third of the word may be wrong, and something has to be right.
fn allowed(word: &str, candidate: &str) -> usize {
    let (word, candidate) = (word.chars().count(), candidate.chars().count());
    1.max(candidate / 3).min(word.saturating_sub(1))
}

/// A lower bound of the distance, cheap enough for 600 time zones: the letters that one word has more often.
fn at_least(word: &str, candidate: &str) -> usize {
    const CLASSES: usize = 64;
    // Upper and lower case fall together; so do all letters beyond ASCII.
    let class = |letter: char| match letter {
        '\0'..='\x7f' => (letter as usize | 0x20) % CLASSES,
        _ => CLASSES - 1,
    };
    let mut surplus = [0_i32; CLASSES];
    word.chars().for_each(|letter| surplus[class(letter)] += 1);
    candidate
        .chars()
        .for_each(|letter| surplus[class(letter)] -= 1);
    let more: i32 = surplus.iter().map(|count| (*count).max(0)).sum();
    let fewer: i32 = surplus.iter().map(|count| (-*count).max(0)).sum();
    more.max(fewer).unsigned_abs() as usize
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
        check("CRON", "did you mean `cron`?");
        check("banana", "");
        check("", "");
        assert_eq!(did_you_mean("y", ["x"]), "");
    }

    #[test]
    fn the_cheap_bound_never_hides_a_near_word() {
        let words = [
            "Europe/Madird",
            "euorpe/madrid",
            "Europe/Madrid",
            "UTC",
            "utx",
            "Ñandú",
            "ñandu",
            "",
        ];
        for (one, other) in words
            .iter()
            .flat_map(|one| words.map(|other| (*one, other)))
        {
            let (folded, near) = (one.to_lowercase(), other.to_lowercase());
            let distance = strsim::damerau_levenshtein(&folded, &near);
            assert!(at_least(one, other) <= distance, "{one} {other}");
        }
    }
}
