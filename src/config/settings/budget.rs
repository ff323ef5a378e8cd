//! `[budget]`: what calls to models may take.

use chrono::{DateTime, Datelike, NaiveTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

use super::Settings;
use super::plain::section;
use crate::config::read::{Reader, Table};
use crate::job::RunId;
use crate::llm::money::amount;
use crate::store::Cap;
use crate::template::Locale;
use crate::zone::Tz;

/// `[budget]`, as typed, in the configuration and in a job file.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthoredBudget {
    /// Of one run.
    run: Option<AuthoredCap>,
    /// Of a day.
    day: Option<AuthoredCap>,
    /// Of a month.
    month: Option<AuthoredCap>,
    /// In all.
    total: Option<AuthoredCap>,
}

/// A cap, as typed.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct AuthoredCap {
    /// Tokens of prompts and answers together.
    tokens: Option<u64>,
    /// Money, in the currency that the prices are in.
    money: Option<f64>,
}

/// The longest stretch of time that a cap is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stretch {
    Run,
    Day,
    Month,
    Total,
}

/// What calls to models may take at most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Budget(Vec<(Stretch, Option<u64>, Option<u64>)>);

impl From<AuthoredBudget> for Budget {
    fn from(typed: AuthoredBudget) -> Self {
        let caps = [
            (Stretch::Run, typed.run),
            (Stretch::Day, typed.day),
            (Stretch::Month, typed.month),
            (Stretch::Total, typed.total),
        ];
        let caps = caps.into_iter().filter_map(|(stretch, cap)| {
            let cap = cap?;
            Some((stretch, cap.tokens, cap.money.map(amount)))
        });
        Budget(caps.collect())
    }
}

impl Budget {
    /// What was spent in each stretch and may be, for people.
    pub fn stretches(
        &self,
        when @ (now, zone, language): (DateTime<Utc>, Tz, Locale),
    ) -> Vec<(&'static str, Cap)> {
        let all = [Stretch::Day, Stretch::Month, Stretch::Total];
        let each = all.map(|stretch| {
            let words = match (language, stretch) {
                (Locale::En, Stretch::Day) => "today",
                (Locale::En, Stretch::Month) => "this month",
                (Locale::En, _) => "in all",
                (Locale::Es, Stretch::Day) => "hoy",
                (Locale::Es, Stretch::Month) => "este mes",
                (Locale::Es, _) => "en total",
            };
            let since = since(stretch, now, zone);
            let caps = self.caps((RunId(0), None), when).into_iter();
            let mut caps = caps.filter(|cap| cap.run.is_none() && cap.since == since);
            let known = caps.next();
            let none = || Cap {
                name: String::new(),
                job: None,
                run: None,
                since,
                tokens: None,
                money: None,
            };
            (words, known.unwrap_or_else(none))
        });
        each.into()
    }

    /// The caps for a call at `now`; of a job where it is a job's own budget.
    pub fn caps(
        &self,
        (run, job): (RunId, Option<&str>),
        (now, zone, language): (DateTime<Utc>, Tz, Locale),
    ) -> Vec<Cap> {
        let caps = self.0.iter().map(|(stretch, tokens, money)| Cap {
            name: name(*stretch, job, language),
            job: job.map(str::to_owned),
            run: (*stretch == Stretch::Run).then_some(run),
            since: since(*stretch, now, zone),
            tokens: *tokens,
            money: *money,
        });
        caps.collect()
    }
}

fn name(stretch: Stretch, job: Option<&str>, language: Locale) -> String {
    let words = match (language, stretch) {
        (Locale::En, Stretch::Run) => "the budget of the run",
        (Locale::En, Stretch::Day) => "the day's budget",
        (Locale::En, Stretch::Month) => "the month's budget",
        (Locale::En, Stretch::Total) => "the whole budget",
        (Locale::Es, Stretch::Run) => "el presupuesto de la ejecución",
        (Locale::Es, Stretch::Day) => "el presupuesto del día",
        (Locale::Es, Stretch::Month) => "el presupuesto del mes",
        (Locale::Es, Stretch::Total) => "todo el presupuesto",
    };
    match (job, language) {
        (None, _) => words.to_owned(),
        (Some(job), Locale::En) => format!("{words} of `{job}`"),
        (Some(job), Locale::Es) => format!("{words} de `{job}`"),
    }
}

/// Where the day or the month of `now` began in its zone.
fn since(stretch: Stretch, now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let today = now.with_timezone(&zone).date_naive();
    let first = match stretch {
        Stretch::Run | Stretch::Total => return DateTime::UNIX_EPOCH,
        Stretch::Day => today,
        Stretch::Month => today.with_day(1).unwrap_or(today),
    };
    let midnight = first.and_time(NaiveTime::MIN).and_local_timezone(zone);
    // A day that begins without a midnight begins with its first hour.
    midnight
        .earliest()
        .or_else(|| {
            let later = first.and_hms_opt(1, 0, 0)?;
            later.and_local_timezone(zone).earliest()
        })
        .map_or(now, |begin| begin.to_utc())
}

pub(super) fn resolve(reader: &mut Reader<'_>, root: &mut Table<'_>, settings: &mut Settings) {
    if let Some(typed) = section::<AuthoredBudget>(reader, root, "budget") {
        settings.budget = typed.into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_a_month_begin_where_the_owner_lives() {
        let zone: Tz = "Europe/Madrid".parse().unwrap();
        let now = "2026-11-30T23:30:00Z".parse().unwrap();
        let check = |stretch, expected: &str| {
            assert_eq!(since(stretch, now, zone).to_rfc3339(), expected);
        };
        check(Stretch::Day, "2026-11-30T23:00:00+00:00");
        check(Stretch::Month, "2026-11-30T23:00:00+00:00");
        check(Stretch::Total, "1970-01-01T00:00:00+00:00");
    }
}
