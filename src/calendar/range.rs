//! Some days in a row.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

/// From the local midnight that begins `start` to the one that ends the last of `days` days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The first day.
    pub start: NaiveDate,
    /// How many days, from 1.
    pub days: u32,
}

impl Range {
    /// The single day `date`.
    pub fn day(date: NaiveDate) -> Self {
        Range {
            start: date,
            days: 1,
        }
    }

    /// The first day after the range.
    pub fn end(self) -> NaiveDate {
        let days = Days::new(u64::from(self.days));
        self.start.checked_add_days(days).unwrap_or(NaiveDate::MAX)
    }
}
