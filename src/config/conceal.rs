//! Keeps secrets out of the lines that errors show. Pure.

use super::suggest::is_near;

/// Keys whose values are secrets; a misspelt one is a key that is near.
const SECRET: &[&str] = &["api_key", "token", "hmac", "password", "secret"];

/// The places that stand in a secret's stead, and may be shown.
const PLACES: &[&str] = &["env", "file", "credential"];

/// Keys that count tokens.
const COUNTS: &[&str] = &["max_tokens", "first_token"];

/// The line from `start` to `end` of `text`, its value starred out where it is or may be a secret.
///
/// Bytes keep their places.
pub fn concealed(text: &str, start: usize, end: usize) -> String {
    let line = &text[start..end];
    match value_at(line) {
        Some((key, at)) if is_secret(key) => starred(line, at),
        Some(_) => without_login(line),
        // The line may be inside of a value that began above.
        None if line.trim_start().starts_with(['[', '#']) => line.to_owned(),
        None => {
            let above = text[..start].lines().rev().find_map(value_at);
            match above {
                Some((key, _)) if is_secret(key) => starred(line, 0),
                _ => line.to_owned(),
            }
        }
    }
}

/// The line without the user and the password of an address in it (`https://user:password@host`).
fn without_login(line: &str) -> String {
    let mut shown = line.to_owned();
    let mut from = 0;
    while let Some(at) = shown[from..].find("://") {
        let start = from + at + 3;
        let rest = &shown[start..];
        let end = rest
            .find(|c: char| matches!(c, '/' | '?' | '#' | '"' | '\'') || c.is_whitespace())
            .unwrap_or(rest.len());
        if let Some(login) = rest[..end].rfind('@') {
            let stars = "*".repeat(login);
            shown.replace_range(start..start + login, &stars);
        }
        from = start;
    }
    shown
}

/// The line with its value starred out, whatever its key is.
pub fn starred_value(line: &str) -> String {
    starred(line, value_at(line).map_or(0, |(_, at)| at))
}

fn starred(line: &str, from: usize) -> String {
    let (shown, hidden) = line.split_at(from);
    let stars = hidden
        .bytes()
        .map(|byte| if byte == b' ' { ' ' } else { '*' });
    shown.chars().chain(stars).collect()
}

/// The key of a line `key = value`, and where its value begins.
fn value_at(line: &str) -> Option<(&str, usize)> {
    let equals = line.find('=')?;
    let key = line[..equals].trim();
    let is_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '"' | ' ');
    let value = &line[equals + 1..];
    let at = line.len() - value.trim_start().len();
    (!key.is_empty() && key.chars().all(is_key)).then_some((key, at))
}

fn is_secret(key: &str) -> bool {
    let parts = key
        .split('.')
        .map(|part| part.trim().trim_matches('"').to_lowercase());
    let mut secret = false;
    let mut last = String::new();
    for part in parts {
        let named = |word: &str| part.contains(word) || is_near(&part, word);
        let innocent = COUNTS.contains(&part.as_str());
        secret |= !innocent && (part.ends_with("key") || SECRET.iter().any(|word| named(word)));
        last = part;
    }
    secret && !PLACES.contains(&last.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_may_be_secrets_are_starred_out() {
        let check = |text: &str, expected: &str| {
            let start = text.rfind('\n').map_or(0, |newline| newline + 1);
            assert_eq!(concealed(text, start, text.len()), expected, "{text}");
        };
        check("token = \"abc\"", "token = *****");
        check("tokn=abc", "tokn=***");
        check("api-key = [\"ab\"]", "api-key = ******");
        check("api_key.key = 'ab'", "api_key.key = ****");
        check("openai_apikey = 'ab'", "openai_apikey = ****");
        check("bot.password = 'ab'", "bot.password = ****");
        check("token.env = \"NAME\"", "token.env = \"NAME\"");
        check("token.file = \"a/b\"", "token.file = \"a/b\"");
        check("max_tokens = x", "max_tokens = x");
        check("timeout.first_token = 5", "timeout.first_token = 5");
        check("model = \"a\"", "model = \"a\"");
        check("api_key = \"\"\"\nabc", "***");
        check("text = \"\"\"\nabc", "abc");
        check("token = 'a'\n[web", "[web");
        check("token = 'ñ'", "token = ****");
        check("ics = 'https://a:b@c.d/e@f'", "ics = 'https://***@c.d/e@f'");
        check(
            "url = \"https://c.d/?a=b@c\"",
            "url = \"https://c.d/?a=b@c\"",
        );
    }
}
