//! `reveille status`

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde_json::{Value, json};

use super::context::Context;
use super::moment::shown;
use super::next::timed;
use super::out::outln;
use crate::config::Config;
use crate::engine::Subject;
use crate::engine::schedule::{Occurrences, outlook};
use crate::error::Error;
use crate::job::{Alert, Mute, RunState, Wait};
use crate::store::{RunRow, Waiting, lock};
use crate::system::{Disk, Machine, Synchronized};
use crate::zone::Tz;

#[derive(Debug, Args)]
pub struct Arguments {
    /// All of it as JSON
    #[arg(long)]
    json: bool,
}

/// So many moments to come are shown.
const NEXT: usize = 3;

/// How everything stands.
struct Status {
    zone: Tz,
    daemon: Daemon,
    loaded: usize,
    broken: Vec<String>,
    under_way: usize,
    queued: usize,
    /// Runs that wait for a word.
    asking: usize,
    outbox: Vec<Waiting>,
    /// Messages that went out without their looks, of the last ones.
    plain: u32,
    alerts: Vec<Alert>,
    mutes: Vec<Mute>,
    clock: Synchronized,
    next: Vec<(DateTime<Utc>, String)>,
    disk: Option<Disk>,
}

enum Daemon {
    /// It answers.
    Runs(DateTime<Utc>),
    /// It has its lock, and does not answer.
    Silent(u32),
    None,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let status = look(context)?;
    if arguments.json {
        outln!("{}", status.to_json());
    } else {
        for (name, text) in status.lines() {
            outln!("{}  {text}", context.paint.bold(&format!("{name:8}")));
        }
    }
    Ok(0)
}

fn look(context: &Context) -> Result<Status, Error> {
    let (_, config) = context.config()?;
    let now = context.clock.now();
    let loaded = match &context.lent {
        Some(lent) => lent.intake.loaded().jobs.len(),
        None => config.jobs.len(),
    };
    let wrong = config
        .sources
        .keys()
        .filter(|name| !config.jobs.contains_key(*name));
    let mut status = Status {
        zone: config.settings.timezone,
        daemon: match (&context.lent, lock::daemon_pid(&context.state)) {
            (Some(lent), _) => Daemon::Runs(lent.since),
            (None, Some(pid)) => Daemon::Silent(pid),
            (None, None) => Daemon::None,
        },
        loaded,
        broken: wrong.cloned().collect(),
        under_way: 0,
        queued: 0,
        asking: 0,
        outbox: Vec::new(),
        plain: 0,
        alerts: Vec::new(),
        mutes: Vec::new(),
        clock: Machine::default().synchronized(),
        next: next(&config, now),
        disk: context.state.ancestors().find_map(Disk::of),
    };
    if let Some(store) = context.existing_store()? {
        let read = store.read_now(|reader| {
            let active = reader.active()?;
            let queued = active.iter().filter(|row| row.state == RunState::Queued);
            status.queued = queued.count();
            let asks = |row: &&RunRow| matches!(row.state, RunState::Waiting(Wait::Token(_)));
            status.asking = active.iter().filter(asks).count();
            status.under_way = active.len() - status.queued - status.asking;
            status.outbox = reader.waiting()?;
            status.plain = reader.sent_plain()?;
            status.alerts = reader.alerts()?;
            status.mutes = reader.mutes(now)?;
            Ok(())
        });
        read.map_err(Error::from)?;
    }
    Ok(status)
}

/// The moments to come, of all jobs.
fn next(config: &Config, now: DateTime<Utc>) -> Vec<(DateTime<Utc>, String)> {
    let jobs = config.jobs.values().filter(|job| job.enabled);
    let crons = jobs.flat_map(|job| timed(job).map(move |(_, cron)| (job, cron)));
    let mut next: Vec<_> = crons
        .flat_map(|(job, cron)| {
            let moments = Occurrences::new(&cron.entry, cron.timezone);
            let coming = outlook(&moments, cron.timezone, now, NEXT).into_iter();
            coming.map(|(due, _)| (due, job.name.clone()))
        })
        .collect();
    next.sort();
    next.truncate(NEXT);
    next
}

impl Status {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("daemon", self.daemon()), ("jobs", self.jobs())];
        let mut runs = format!("{} under way, {} queued", self.under_way, self.queued);
        if self.asking > 0 {
            runs += &format!(
                ", {} waiting for your word: `reveille approvals`",
                self.asking
            );
        }
        lines.push(("runs", runs));
        let outbox = self.outbox.iter().map(|waiting| {
            let since = self.moment(waiting.oldest);
            format!("{} {}, the oldest of {since}", waiting.count, waiting.state)
        });
        let outbox: Vec<String> = outbox.collect();
        let outbox = match outbox.is_empty() {
            true => "empty".to_owned(),
            false => outbox.join("; "),
        };
        let plain = match self.plain {
            0 => String::new(),
            count => format!("; sent without their looks: {count} of late"),
        };
        lines.push(("outbox", outbox + &plain));
        if self.alerts.is_empty() {
            lines.push(("alerts", "none open".to_owned()));
        }
        lines.extend(
            self.alerts
                .iter()
                .map(|alert| ("alerts", self.alert(alert))),
        );
        lines.extend(self.mutes.iter().map(|mute| {
            let until = self.moment(mute.until);
            ("muted", format!("`{}` until {until}", mute.pattern))
        }));
        let clock = match self.clock {
            Synchronized::Yes => "confirmed by a time server",
            Synchronized::NotYet => "no time server has confirmed it yet",
            Synchronized::NobodySays => "nothing here says whether it is right",
        };
        lines.push(("clock", clock.to_owned()));
        lines.extend(
            self.next
                .iter()
                .map(|(due, job)| ("next", format!("{}  {job}", self.moment(*due)))),
        );
        if let Some(disk) = &self.disk {
            let (free, percent) = (disk.free >> 20, disk.percent);
            lines.push(("disk", format!("{free} MiB free, {percent} % used")));
        }
        lines
    }

    fn daemon(&self) -> String {
        let version = env!("CARGO_PKG_VERSION");
        match self.daemon {
            Daemon::Runs(since) => format!("up since {}, version {version}", self.moment(since)),
            Daemon::Silent(pid) => format!("runs as process {pid}, and cannot be reached"),
            Daemon::None => "none runs: jobs start by hand only (`reveille install`)".to_owned(),
        }
    }

    fn jobs(&self) -> String {
        let broken: Vec<_> = self.broken.iter().map(|name| format!("`{name}`")).collect();
        match broken.as_slice() {
            [] => format!("{} loaded", self.loaded),
            broken => format!(
                "{} loaded; not as it is written: {} (`reveille check`)",
                self.loaded,
                broken.join(", ")
            ),
        }
    }

    fn alert(&self, alert: &Alert) -> String {
        let reason = alert.reason.lines().next().unwrap_or_default();
        let since = self.moment(alert.first_at);
        let times = match alert.count {
            1 => since,
            count => format!("{count} times since {since}"),
        };
        let run = alert.run.map(|run| format!(", {run}")).unwrap_or_default();
        let about = match Subject::of(&alert.about) {
            None => format!("`{}`", alert.about),
            Some(Subject::File(path)) => path,
            Some(Subject::Watch(job)) => format!("`{job}`"),
            Some(Subject::Chats) => "the chats".to_owned(),
            Some(Subject::Budget) => "the budget".to_owned(),
            Some(Subject::SignIn(account)) => format!("the calendars of `{account}`"),
            Some(Subject::Place(place)) => format!("messages to {place}"),
        };
        format!("{about} ({times}{run}): {reason}")
    }

    fn moment(&self, at: DateTime<Utc>) -> String {
        shown(at, self.zone, self.zone)
    }

    fn to_json(&self) -> Value {
        let time = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
        json!({
            "daemon": match self.daemon {
                Daemon::Runs(since) => json!({ "since": time(since) }),
                Daemon::Silent(pid) => json!({ "pid": pid, "reachable": false }),
                Daemon::None => Value::Null,
            },
            "version": env!("CARGO_PKG_VERSION"),
            "jobs": { "loaded": self.loaded, "not_as_written": self.broken },
            "runs": { "under_way": self.under_way, "queued": self.queued, "asking": self.asking },
            "sent_plain": self.plain,
            "outbox": self.outbox.iter().map(|waiting| json!({
                "state": waiting.state,
                "count": waiting.count,
                "oldest": time(waiting.oldest),
            })).collect::<Vec<_>>(),
            "alerts": self.alerts.iter().map(|alert| json!({
                "about": alert.about,
                "reason": alert.reason,
                "run": alert.run,
                "count": alert.count,
                "first_at": time(alert.first_at),
                "last_at": time(alert.last_at),
                "told_at": alert.told_at.map(time),
            })).collect::<Vec<_>>(),
            "mutes": self.mutes.iter().map(|mute| json!({
                "pattern": mute.pattern,
                "until": time(mute.until),
            })).collect::<Vec<_>>(),
            "clock": match self.clock {
                Synchronized::Yes => "synchronised",
                Synchronized::NotYet => "not yet",
                Synchronized::NobodySays => "unknown",
            },
            "next": self.next.iter().map(|(due, job)| json!({
                "job": job,
                "due_at": time(*due),
            })).collect::<Vec<_>>(),
            "disk": self.disk.as_ref().map(|disk| json!({
                "free": disk.free,
                "total": disk.total,
                "percent": disk.percent,
            })),
        })
    }
}
