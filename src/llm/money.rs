//! What calls cost. Amounts are whole thousand-millionths of the currency: sums are exact.

use super::{Model, Price};
use crate::job::Call;

/// Of one unit of the currency.
pub const UNIT: u64 = 1_000_000_000;

/// What one token costs at so much a million.
fn a_token(million: f64) -> u64 {
    // Three places of a million's price are exact.
    (million * (UNIT as f64) / 1e6).round().max(0.0) as u64
}

/// The amount that somebody wrote as a number.
pub fn amount(typed: f64) -> u64 {
    (typed * UNIT as f64).round().max(0.0) as u64
}

/// An amount as people read it: four places, and more where it is less.
pub fn shown(amount: u64) -> String {
    let units = amount as f64 / UNIT as f64;
    match amount {
        0 => "0".to_owned(),
        small if small < UNIT / 1000 => format!("{units:.6}"),
        _ => format!("{units:.4}"),
    }
}

impl Price {
    /// What a call costs that took so many tokens.
    pub fn of(&self, call: &Call) -> u64 {
        let cached = call.tokens_cached.min(call.tokens_in);
        let parts = [
            (call.tokens_in - cached, self.input),
            (cached, self.cached.unwrap_or(self.input)),
            (call.tokens_out, self.output),
        ];
        let parts = parts.map(|(tokens, million)| tokens.saturating_mul(a_token(million)));
        parts.into_iter().fold(0, u64::saturating_add)
    }
}

impl Model {
    /// Whether caps are about it: it is not at home, or has a price.
    pub fn counts(&self) -> bool {
        !self.local || self.price.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact() {
        let price = Price {
            input: 0.15,
            cached: Some(0.075),
            output: 0.6,
        };
        let call = Call {
            tokens_in: 1_000_000,
            tokens_cached: 400_000,
            tokens_out: 1_000_000,
            ..Call::default()
        };
        // 600,000 at 0.15, 400,000 at 0.075, a million at 0.60.
        assert_eq!(price.of(&call), 90_000_000 + 30_000_000 + 600_000_000);
        let uncached = Price {
            cached: None,
            ..price
        };
        assert_eq!(uncached.of(&call), 150_000_000 + 600_000_000);
        assert_eq!(amount(0.5), 500_000_000);
        let endless = Call {
            tokens_in: u64::MAX,
            ..Call::default()
        };
        assert_eq!(price.of(&endless), u64::MAX);
    }
}
