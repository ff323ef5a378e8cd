//! What Telegram shows with the news that it brings.

use ring::hmac::{self, HMAC_SHA256, Key};

use crate::net::Secret;

/// The header that holds it. Bot API, `setWebhook.secret_token`.
pub const HEADER: &str = "x-telegram-bot-api-secret-token";

/// What is signed: the secret follows from the token, so that nothing has to be kept.
const WHAT: &[u8] = b"reveille webhook";

fn key(token: &Secret) -> Key {
    Key::new(HMAC_SHA256, token.expose().as_bytes())
}

/// What a bot asks Telegram to show.
pub fn secret(token: &Secret) -> String {
    let tag = hmac::sign(&key(token), WHAT);
    let hex = tag.as_ref().iter().map(|byte| format!("{byte:02x}"));
    hex.collect()
}

/// Whether it was shown; in constant time.
pub fn is_shown(token: &Secret, shown: &[u8]) -> bool {
    let nibble = |byte: &u8| {
        (*byte as char)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let pairs = shown.chunks(2).map(|pair| match pair {
        [high, low] => Some(nibble(high)? << 4 | nibble(low)?),
        _ => None,
    });
    let bytes: Option<Vec<u8>> = pairs.collect();
    bytes.is_some_and(|bytes| hmac::verify(&key(token), WHAT, &bytes).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_secret_of_the_token_opens() {
        let token = Secret::new("1:a");
        let right = secret(&token);
        assert_eq!(right.len(), 64);
        assert!(is_shown(&token, right.as_bytes()));
        let other = secret(&Secret::new("1:b"));
        for wrong in ["", "0", &right[..62], &other, "zz", "\u{e9}"] {
            assert!(!is_shown(&token, wrong.as_bytes()), "{wrong}");
        }
    }
}
