//! How many tokens a text has, about, and how large a context it needs.

use super::LlmError;

/// Estimates the tokens of `text`, rather too many than too few, without any model's vocabulary.
///
/// A rule of thumb for byte-pair vocabularies: four ASCII letters of a word make a token (English words average
/// fewer, Spanish ones more), an accented or other alphabetic letter counts as two, each digit, each sign and each
/// run of line breaks is a token, and so is each ideograph; an emoji is two.
pub fn estimate_tokens(text: &str) -> u32 {
    let mut tokens = 0;
    let mut letters: u32 = 0;
    let mut previous = ' ';
    for c in text.chars() {
        match c {
            'a'..='z' | 'A'..='Z' => letters += 1,
            '\u{c0}'..='\u{52f}' => letters += 2,
            _ => {
                tokens += letters.div_ceil(4) + sign_cost(c, previous);
                letters = 0;
            }
        }
        previous = c;
    }
    tokens + letters.div_ceil(4)
}

fn sign_cost(c: char, previous: char) -> u32 {
    match c {
        // A single space belongs to the word after it.
        ' ' => u32::from(previous == ' '),
        '\n' | '\t' | '\r' => u32::from(previous != c),
        c if u32::from(c) > 0xffff => 2,
        _ => 1,
    }
}

/// What the chat template adds to each message.
const MESSAGE_TOKENS: u32 = 12;
/// Ollama loads a model anew when `num_ctx` changes, so that it grows in steps that a day's news do not cross.
pub(super) const CONTEXT_STEP: u32 = 2048;

/// Estimated tokens of all `texts` as messages.
pub(super) fn estimate_prompt<'a>(texts: impl Iterator<Item = &'a str>) -> u32 {
    texts
        .map(|text| estimate_tokens(text) + MESSAGE_TOKENS)
        .sum()
}

/// Whether prompt and answer fit into a context that is known.
///
/// # Errors
/// [`LlmError::TooLong`]: a prompt is never cut.
pub(super) fn fits(prompt: u32, output: u32, context: Option<u32>) -> Result<(), LlmError> {
    context_for(prompt, output, 0, context).map(|_| ())
}

/// The context to ask for: room for prompt and answer, and for the `talk` that may follow, in whole steps, at most `most`.
///
/// # Errors
/// [`LlmError::TooLong`]: a prompt is never cut.
pub(super) fn context_for(
    prompt: u32,
    output: u32,
    talk: u32,
    most: Option<u32>,
) -> Result<u32, LlmError> {
    let needed = prompt.saturating_add(output);
    let most = most.unwrap_or(u32::MAX);
    if needed > most {
        return Err(LlmError::TooLong {
            prompt,
            output,
            context: most,
        });
    }
    let steps = needed.max(talk).div_ceil(CONTEXT_STEP).max(1);
    Ok(steps.saturating_mul(CONTEXT_STEP).min(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, least: u32, most: u32) {
        let estimate = estimate_tokens(text);
        assert!((least..=most).contains(&estimate), "{text}: {estimate}");
    }

    #[test]
    fn estimates_lie_in_a_sane_range() {
        check("", 0, 0);
        check("Hello", 1, 2);
        check("The quick brown fox jumps over the lazy dog.", 10, 16);
        check(
            "El veloz murciélago hindú comía feliz cardillo y kiwi.",
            16,
            26,
        );
        check("09:00-09:30  Stand-up", 9, 18);
        check("2026-11-20T09:00:00+01:00", 14, 26);
        check("こんにちは世界", 4, 10);
        check("🎉🎉", 2, 6);
        check(&"\n".repeat(100), 1, 1);
    }

    #[test]
    fn the_context_grows_in_steps_and_nothing_is_cut() {
        assert_eq!(context_for(10, 100, 0, None), Ok(2048));
        assert_eq!(
            context_for(300, 512, 0, Some(32768)),
            context_for(900, 512, 0, Some(32768))
        );
        assert_eq!(context_for(1948, 100, 0, None), Ok(2048));
        assert_eq!(context_for(1949, 100, 0, None), Ok(4096));
        assert_eq!(context_for(1949, 100, 0, Some(3000)), Ok(3000));
        assert_eq!(context_for(100, 100, 0, Some(512)), Ok(512));
        // Room for a second question, where there is some.
        assert_eq!(context_for(1948, 100, 2049, None), Ok(4096));
        assert_eq!(context_for(400, 100, 5000, Some(1024)), Ok(1024));
        let context = 512;
        let (prompt, output) = (500, 100);
        let too_long = LlmError::TooLong {
            prompt,
            output,
            context,
        };
        assert_eq!(context_for(prompt, output, 0, Some(context)), Err(too_long));
        assert!(context_for(u32::MAX, u32::MAX, 0, Some(8192)).is_err());
    }
}
