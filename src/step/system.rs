//! `system`: this machine's disks, memory, load, temperature, failed units and restarts.

use std::path::Path;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Context, Declaration, Done, StepError};
use crate::config::resolve::Scope;
use crate::config::value::{Celsius, Percent};
use crate::system::{Asked, Fact, Limits, Machine};

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
    limits: Limits,
}

impl Authored {
    pub(super) fn resolve(self, _: &mut Scope<'_>) -> Option<System> {
        let usual = Limits::default();
        Some(System {
            facts: self.system,
            limits: Limits {
                disk: self.disk.above.map(|share| share.0).or(usual.disk),
                memory: self.memory.above.map(|share| share.0).or(usual.memory),
                load: self.load.above.or(usual.load),
                temperature: self
                    .temperature
                    .above
                    .map(|degrees| degrees.0)
                    .or(usual.temperature),
            },
        })
    }
}

/// The name under which the last boot is remembered.
const BOOT: &str = "boot";

impl System {
    pub(super) fn declaration(&self) -> Declaration {
        let mut example = crate::system::example();
        if let Value::Object(fields) = &mut example {
            fields.retain(|field, _| self.gives(field));
        }
        Declaration {
            effects: false,
            outside_text: false,
            private: false,
            timeout: Duration::from_secs(20),
            example,
        }
    }

    /// Whether the result has this field: only what was asked for is there.
    fn gives(&self, field: &str) -> bool {
        let fact = match field {
            "disk" => Fact::Disk,
            "memory" => Fact::Memory,
            "load" => Fact::Load,
            "temperature" => Fact::Temperature,
            "failed_units" => Fact::FailedUnits,
            "boot" => Fact::Reboots,
            _ => return true,
        };
        self.facts.contains(&fact)
    }

    pub(super) async fn run(&self, context: &Context<'_>) -> Result<Done, StepError> {
        let key = context.cursor(BOOT);
        let asked_for = key.clone();
        let last = context
            .store
            .read(move |reader| reader.cursor(&asked_for))
            .await;
        let last = last.map_err(|error| StepError::new(error.to_string()))?;
        let asked = Asked {
            facts: &self.facts,
            limits: self.limits,
            last_boot: last.as_ref().and_then(Value::as_str),
            locale: context.settings.language,
        };
        let facts = Machine::default()
            .look(&asked, Path::new("/"), context.clock.as_ref())
            .await;
        let boot = facts
            .boot
            .as_ref()
            .map(|boot| Value::String(boot.id.clone()));
        let moved = boot.filter(|boot| Some(boot) != last.as_ref());
        let result =
            serde_json::to_value(facts).map_err(|error| StepError::new(error.to_string()))?;
        Ok(Done {
            cursors: moved.map(|boot| (key, Some(boot))).into_iter().collect(),
            ..Done::result(result)
        })
    }
}
