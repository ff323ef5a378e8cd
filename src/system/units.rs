//! Units of systemd that failed, as `systemctl list-units --failed --output=json` tells them.

use serde::{Deserialize, Serialize};

use crate::sandbox::{Ended, Finished};

/// One unit that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Its name: `nginx.service`.
    pub unit: String,
    /// Its own words about itself.
    #[serde(default)]
    pub description: String,
}

/// The units, or why they are not known.
pub(super) fn parse(finished: &Finished) -> Result<Vec<Unit>, String> {
    match finished.ended {
        Ended::Code(0) => serde_json::from_slice(&finished.stdout.bytes)
            .map_err(|error| format!("systemctl's answer cannot be read: {error}")),
        Ended::TimedOut => Err("systemctl did not answer".to_owned()),
        Ended::Code(_) | Ended::Signal(_) => {
            let text = finished.stderr.text();
            let line = text.lines().next().unwrap_or("no reason given");
            Err(format!("failed units are not known: {line}"))
        }
    }
}
