//! What is beyond its limit, in words.

use serde::Serialize;

use super::Facts;
use crate::template::Locale;

/// What raises an alarm; `None` never does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Percent of a file system.
    pub disk: Option<f64>,
    /// Percent of the memory.
    pub memory: Option<f64>,
    /// The load average of five minutes.
    pub load: Option<f64>,
    /// Degrees Celsius.
    pub temperature: Option<f64>,
}

/// Full at 90 %; a Raspberry Pi slows itself down from 80 degrees on. Memory that a model fills and
/// load are nothing to be told of unless somebody asks.
impl Default for Limits {
    fn default() -> Self {
        Limits {
            disk: Some(90.0),
            memory: None,
            load: None,
            temperature: Some(80.0),
        }
    }
}

/// One thing that somebody should look at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alarm {
    /// `disk /`, `memory`, `load`, `temperature cpu-thermal`, `unit nginx.service`, `reboot`.
    pub what: String,
    /// As measured, with its unit.
    pub value: String,
    /// What it should not exceed; empty where there is no number.
    pub limit: String,
    /// The whole in one sentence without a full stop.
    pub text: String,
}

/// "90%" as 90.0; 0 to 100.
pub fn parse_percent(text: &str) -> Option<f64> {
    let number: f64 = text.trim().strip_suffix('%')?.trim_end().parse().ok()?;
    (0.0..=100.0).contains(&number).then_some(number)
}

/// "75C" or "75 °C" as 75.0; -100 to 200.
pub fn parse_celsius(text: &str) -> Option<f64> {
    let number = text.trim().strip_suffix('C')?.trim_end();
    let number: f64 = number
        .strip_suffix('°')
        .unwrap_or(number)
        .trim_end()
        .parse()
        .ok()?;
    (-100.0..=200.0).contains(&number).then_some(number)
}

/// The alarms that `facts` raise.
pub(super) fn raised(facts: &Facts, limits: &Limits, locale: Locale) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    let mut over = |what: String, value: f64, limit: Option<f64>, unit: &str, text: String| {
        let Some(limit) = limit.filter(|limit| value > *limit) else {
            return;
        };
        let with_unit = |number| format!("{}{unit}", locale.decimal(number));
        let (value, limit) = (with_unit(value), with_unit(limit));
        let text = format!("{} ({})", text.replace("{}", &value), above(locale, &limit));
        alarms.push(Alarm {
            what,
            value,
            limit,
            text,
        });
    };
    for disk in facts.disk.iter().flatten() {
        let text = match locale {
            Locale::En => format!("Disk {} is {{}} full", disk.mount),
            Locale::Es => format!("El disco {} está lleno al {{}}", disk.mount),
        };
        let what = format!("disk {}", disk.mount);
        over(what, f64::from(disk.percent), limits.disk, " %", text);
    }
    if let Some(memory) = &facts.memory {
        let text = match locale {
            Locale::En => "Memory is {} full",
            Locale::Es => "La memoria está llena al {}",
        };
        let percent = f64::from(memory.percent);
        over("memory".into(), percent, limits.memory, " %", text.into());
    }
    if let Some(load) = &facts.load {
        let text = match locale {
            Locale::En => "Load over five minutes is {}",
            Locale::Es => "La carga en cinco minutos es {}",
        };
        over("load".into(), load.five, limits.load, "", text.into());
    }
    for sensor in facts.temperature.iter().flatten() {
        let text = match locale {
            Locale::En => format!("Temperature of {} is {{}}", sensor.sensor),
            Locale::Es => format!("La temperatura de {} es {{}}", sensor.sensor),
        };
        let what = format!("temperature {}", sensor.sensor);
        over(what, sensor.celsius, limits.temperature, " °C", text);
    }
    alarms.extend(facts.failed_units.iter().flatten().map(|unit| {
        let text = match locale {
            Locale::En => format!("{} failed: {}", unit.unit, unit.description),
            Locale::Es => format!("{} ha fallado: {}", unit.unit, unit.description),
        };
        plain(format!("unit {}", unit.unit), "failed", text)
    }));
    if let Some(boot) = facts.boot.as_ref().filter(|boot| boot.rebooted) {
        let seconds = i64::try_from(boot.uptime).unwrap_or(i64::MAX);
        let ago = locale.relative(-seconds);
        let text = match locale {
            Locale::En => format!("The machine restarted {ago}"),
            Locale::Es => format!("La máquina se reinició {ago}"),
        };
        alarms.push(plain("reboot".into(), &boot.at, text));
    }
    alarms
}

fn plain(what: String, value: &str, text: String) -> Alarm {
    Alarm {
        what,
        value: value.to_owned(),
        limit: String::new(),
        text,
    }
}

fn above(locale: Locale, limit: &str) -> String {
    match locale {
        Locale::En => format!("limit {limit}"),
        Locale::Es => format!("límite {limit}"),
    }
}
