//! Signed bodies: `X-Hub-Signature-256` as GitHub sends it, and Standard Webhooks.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use ring::hmac::{self, HMAC_SHA256, Key};

/// How far the clock of the sender and ours may lie apart
/// (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).
const TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// Who signs.
#[derive(Debug)]
pub(super) struct Signer {
    key: Key,
}

impl Signer {
    /// `whsec_` and base64, as Standard Webhooks hands secrets out, or the bytes themselves.
    pub(super) fn new(secret: &str) -> Self {
        let decoded = secret
            .strip_prefix("whsec_")
            .and_then(|text| STANDARD.decode(text).ok());
        let bytes = decoded.unwrap_or_else(|| secret.as_bytes().to_vec());
        Signer {
            key: Key::new(HMAC_SHA256, &bytes),
        }
    }

    /// Whether the signer signed this body, in one of the two ways.
    pub(super) fn signed(&self, headers: &HeaderMap, now: DateTime<Utc>, body: &[u8]) -> bool {
        if headers.contains_key("webhook-signature") {
            return self.standard(headers, now, body).is_some();
        }
        let hex = headers
            .get("x-hub-signature-256")
            .and_then(|value| value.as_bytes().strip_prefix(b"sha256="));
        let signature = hex.and_then(unhex);
        signature.is_some_and(|tag| hmac::verify(&self.key, body, &tag).is_ok())
    }

    /// `webhook-signature: v1,BASE64 v1,BASE64` over `ID.TIMESTAMP.BODY`.
    fn standard(&self, headers: &HeaderMap, now: DateTime<Utc>, body: &[u8]) -> Option<()> {
        let text = |name: &str| headers.get(name)?.to_str().ok();
        let (id, at) = (text("webhook-id")?, text("webhook-timestamp")?);
        let sent = DateTime::from_timestamp(at.parse().ok()?, 0)?;
        if (now - sent).abs() > TOLERANCE {
            return None;
        }
        let mut signed = format!("{id}.{at}.").into_bytes();
        signed.extend_from_slice(body);
        let signatures = text("webhook-signature")?.split(' ').take(8);
        let tags = signatures.filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
        tags.into_iter()
            .find_map(|tag| hmac::verify(&self.key, &signed, &tag).ok())
    }
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    };
    text.chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            let name = axum::http::HeaderName::from_static(name);
            (name, value.parse().unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn githubs_own_example_holds() {
        // https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
        let signer = Signer::new("It's a Secret to Everybody");
        let right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let check = |value: &str, body: &[u8], expected: bool| {
            let headers = headers(&[("x-hub-signature-256", value)]);
            assert_eq!(
                signer.signed(&headers, Utc::now(), body),
                expected,
                "{value}"
            );
        };
        check(right, b"Hello, World!", true);
        check(&right.replace("=7571", "=7572"), b"Hello, World!", false);
        check(right, b"Hello, World?", false);
        check(&right[..right.len() - 1], b"Hello, World!", false);
        check(&right[..right.len() - 2], b"Hello, World!", false);
        check(right.trim_start_matches("sha256="), b"Hello, World!", false);
        check("sha256=", b"Hello, World!", false);
        check("sha256=+1", b"Hello, World!", false);
        assert!(!signer.signed(&HeaderMap::new(), Utc::now(), b"Hello, World!"));
    }

    #[test]
    fn the_example_of_standard_webhooks_holds() {
        // https://github.com/standard-webhooks/standard-webhooks: the test vector of its libraries.
        let signer = Signer::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = br#"{"test": 2432232314}"#;
        let at = DateTime::from_timestamp(1_614_265_330, 0).unwrap();
        let check = |signature: &str, now: DateTime<Utc>, expected: bool| {
            let headers = headers(&[
                ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
                ("webhook-timestamp", "1614265330"),
                ("webhook-signature", signature),
            ]);
            assert_eq!(
                signer.signed(&headers, now, body),
                expected,
                "{signature} {now}"
            );
        };
        let right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        check(right, at, true);
        check(&format!("v1,AAAA {right}"), at, true);
        check(right, at + TimeDelta::minutes(5), true);
        check(right, at + TimeDelta::seconds(301), false);
        check(right, at - TimeDelta::seconds(301), false);
        check(&right.replace("g0hM", "g0hN"), at, false);
        check("v1,", at, false);
        check("", at, false);
    }
}
