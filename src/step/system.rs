//! `system`: this machine's disks, memory, load, temperature, failed units and restarts.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Context, Declaration, Done, StepError};
use crate::config::resolve::Scope;
use crate::config::value::{Celsius, Percent};
use crate::system::{Fact, Thresholds};

/// As typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Authored {
    /// What is looked at.
    system: Vec<Fact>,
    /// When a disk is too full.
    #[serde(default)]
    disk: Above<Percent>,
    /// When memory is too full.
    #[serde(default)]
    memory: Above<Percent>,
    /// When the load of 5 minutes, by core, is too high.
    #[serde(default)]
    load: Above<f64>,
    /// When the machine is too hot.
    #[serde(default)]
    temperature: Above<Celsius>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Above<T> {
    /// An alarm when it is above this.
    above: Option<T>,
}

impl<T> Default for Above<T> {
    fn default() -> Self {
        Above { above: None }
    }
}

/// This machine.
#[derive(Debug, Clone)]
pub struct System {
    facts: Vec<Fact>,
    thresholds: Thresholds,
}

impl Authored {
    pub(super) fn resolve(self, _: &mut Scope<'_>) -> Option<System> {
        Some(System {
            facts: self.system,
            thresholds: Thresholds {
                disk: self.disk.above.map(|share| share.0),
                memory: self.memory.above.map(|share| share.0),
                load: self.load.above,
                temperature: self.temperature.above.map(|degrees| degrees.0),
            },
        })
    }
}

impl System {
    pub(super) fn declaration(&self) -> Declaration {
        Declaration {
            effects: false,
            outside_text: false,
            private: false,
            timeout: Duration::from_secs(20),
            example: crate::system::example(),
        }
    }

    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        todo!()
    }
}
