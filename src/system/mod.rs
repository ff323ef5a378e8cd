//! Facts of this machine: disks, memory, load, temperature, units, restarts.
//!
//! Parsers are pure and read what proc(5) and sysfs tell; [`Machine`] reads it below a root that
//! tests put elsewhere. What cannot be read becomes a note and never an error: a heartbeat tells
//! of the rest.

mod alarms;
mod disk;
mod proc;
mod storage;
mod temperature;
#[cfg(test)]
mod tests;
mod units;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::sandbox::Program;
use crate::template::Locale;

pub use alarms::{Alarm, Limits, parse_celsius, parse_percent};
pub use disk::Disk;
pub use proc::{Load, Memory};
pub use storage::{Medium, Storage, of_device, storage};
pub use temperature::Temperature;
pub use units::Unit;

/// What may be asked of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// Local file systems with their sizes.
    Disk,
    /// Memory and swap.
    Memory,
    /// Load averages and cores.
    Load,
    /// Sensors, in degrees Celsius.
    Temperature,
    /// Units of systemd that failed.
    FailedUnits,
    /// How long it has been up, and whether it restarted since the last look.
    Reboots,
}

impl Fact {
    /// All of them.
    pub const ALL: [Fact; 6] = [
        Fact::Disk,
        Fact::Memory,
        Fact::Load,
        Fact::Temperature,
        Fact::FailedUnits,
        Fact::Reboots,
    ];
}

/// Everything that was asked for; what was not is absent from the JSON.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Facts {
    /// The fullest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<Vec<Disk>>,
    /// Memory and swap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<Memory>,
    /// Load averages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
    /// The hottest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Vec<Temperature>>,
    /// Units that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_units: Option<Vec<Unit>>,
    /// The present boot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub boot: Option<Boot>,
    /// What is beyond its limit.
    pub alarms: Vec<Alarm>,
    /// What could not be read, and why.
    pub notes: Vec<String>,
}

/// The time since the machine started.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Boot {
    /// The kernel's random id of this boot: to be remembered, and given as `last_boot` next time.
    pub id: String,
    /// When it started (RFC 3339, UTC).
    pub at: String,
    /// Seconds since then.
    pub uptime: u64,
    /// Whether that was after the last look.
    pub rebooted: bool,
}

/// What to look at, and what is too much.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The facts wanted.
    pub facts: &'a [Fact],
    /// What raises an alarm.
    pub limits: Limits,
    /// The boot id of the last look.
    pub last_boot: Option<&'a str>,
    /// The language of the alarms.
    pub locale: Locale,
}

/// What a machine says of its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synchronized {
    /// A server confirmed it.
    Yes,
    /// A server is being asked.
    NotYet,
    /// Nothing here that would know, as in a container.
    NobodySays,
}

/// The machine, as it shows itself below a root folder.
#[derive(Debug, Clone)]
pub struct Machine {
    root: PathBuf,
}

impl Default for Machine {
    fn default() -> Self {
        Machine::below("/")
    }
}

impl Machine {
    /// A machine whose `/proc`, `/sys` and mounts lie below `root`.
    pub fn below(root: impl Into<PathBuf>) -> Self {
        Machine { root: root.into() }
    }

    /// Its memory; `None` where it does not tell.
    pub fn memory(&self) -> Option<Memory> {
        self.parsed("proc/meminfo", proc::memory).ok()
    }

    /// Looks once. `workspace` is where `systemctl` is run.
    pub async fn look(&self, asked: &Asked<'_>, workspace: &Path, clock: &dyn Clock) -> Facts {
        let machine = self.clone();
        let wanted = asked.facts.to_vec();
        let last_boot = asked.last_boot.map(str::to_owned);
        let now = clock.now();
        // Reading a dying disk may take long.
        let read = tokio::task::spawn_blocking(move || machine.read(&wanted, last_boot, now));
        let mut facts = read.await.expect("reading does not panic");
        if asked.facts.contains(&Fact::FailedUnits) {
            match failed_units(workspace, clock).await {
                Ok(units) => facts.failed_units = Some(units),
                Err(note) => {
                    facts.failed_units = Some(Vec::new());
                    facts.notes.push(note);
                }
            }
        }
        facts.alarms = alarms::raised(&facts, &asked.limits, asked.locale);
        facts
    }

    /// What the machine says of its clock.
    pub fn synchronized(&self) -> Synchronized {
        // systemd-timesyncd(8) makes the folder when it starts, and the file once it heard from a server.
        let service = self.root.join("run/systemd/timesync");
        if service.join("synchronized").exists() {
            Synchronized::Yes
        } else if service.exists() {
            Synchronized::NotYet
        } else {
            Synchronized::NobodySays
        }
    }

    /// When the machine started, by a clock that says `now`; `None` where it does not tell.
    pub fn started(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        Some(now - self.parsed("proc/uptime", proc::uptime).ok()?)
    }

    fn read(&self, wanted: &[Fact], last_boot: Option<String>, now: DateTime<Utc>) -> Facts {
        let mut facts = Facts::default();
        let mut notes = Vec::new();
        for fact in wanted {
            let noted = match fact {
                Fact::Disk => self.disks().map(|disks| facts.disk = Some(disks)),
                Fact::Memory => self
                    .parsed("proc/meminfo", proc::memory)
                    .map(|memory| facts.memory = Some(memory)),
                Fact::Load => self.load().map(|load| facts.load = Some(load)),
                Fact::Temperature => {
                    facts.temperature = Some(temperature::read(&self.root));
                    Ok(())
                }
                Fact::Reboots => self
                    .boot(last_boot.as_deref(), now)
                    .map(|boot| facts.boot = Some(boot)),
                Fact::FailedUnits => Ok(()),
            };
            notes.extend(noted.err());
        }
        facts.notes = notes;
        facts
    }

    fn disks(&self) -> Result<Vec<Disk>, String> {
        let mounts = self.text("proc/self/mountinfo")?;
        let mut disks: Vec<Disk> = disk::mounts(&mounts)
            .into_iter()
            .filter_map(|mount| disk::measure(&self.root, mount))
            .collect();
        disks.sort_by_key(|disk| std::cmp::Reverse(disk.percent));
        Ok(disks)
    }

    fn load(&self) -> Result<Load, String> {
        let cores = self.text("sys/devices/system/cpu/online")?;
        self.parsed("proc/loadavg", |text| proc::load(text, &cores))
    }

    fn boot(&self, last: Option<&str>, now: DateTime<Utc>) -> Result<Boot, String> {
        let uptime = self.parsed("proc/uptime", proc::uptime)?;
        let id = self
            .text("proc/sys/kernel/random/boot_id")?
            .trim()
            .to_owned();
        let at = now - uptime;
        Ok(Boot {
            rebooted: last.is_some_and(|last| last != id),
            id,
            at: at.to_rfc3339_opts(SecondsFormat::Secs, true),
            uptime: uptime.as_secs(),
        })
    }

    fn parsed<T>(&self, path: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        parse(&self.text(path)?).ok_or_else(|| format!("/{path} says nothing that can be read"))
    }

    fn text(&self, path: &str) -> Result<String, String> {
        fs::read_to_string(self.root.join(path)).map_err(|error| format!("/{path}: {error}"))
    }
}

async fn failed_units(workspace: &Path, clock: &dyn Clock) -> Result<Vec<Unit>, String> {
    let argv = [
        "systemctl",
        "list-units",
        "--failed",
        "--output=json",
        "--no-pager",
    ];
    let mut program = Program::new(argv.map(str::to_owned).to_vec(), workspace);
    program.timeout = Duration::from_secs(10);
    program.max_output = 1 << 20;
    let finished = program
        .run(clock)
        .await
        .map_err(|error| error.to_string())?;
    units::parse(&finished)
}

/// An example of [`Facts`] as JSON, with every field, for the check of templates.
pub fn example() -> Value {
    json!({
        "disk": [{"mount": "/", "source": "/dev/mmcblk0p2", "total": 31_000_000_000_u64,
            "used": 29_000_000_000_u64, "free": 2_000_000_000_u64, "percent": 94}],
        "memory": {"total": 4_000_000_000_u64, "available": 1_000_000_000_u64,
            "used": 3_000_000_000_u64, "percent": 75,
            "swap": {"total": 100_000_000, "used": 0, "percent": 0}},
        "load": {"one": 0.5, "five": 0.4, "fifteen": 0.3, "cores": 4},
        "temperature": [{"sensor": "cpu-thermal", "celsius": 61.3}],
        "failed_units": [{"unit": "nginx.service", "description": "A web server"}],
        "boot": {"id": "0b5c5c3e-6f0e-4b1e-9d0c-7d4f6a1b2c3d", "at": "2026-11-20T06:00:00Z",
            "uptime": 86_400, "rebooted": false},
        "alarms": [{"what": "disk /", "value": "94 %", "limit": "90 %",
            "text": "Disk / is 94 % full"}],
        "notes": ["systemd does not run here"],
    })
}
