//! Sensors: thermal zones and hwmon chips (the kernel's ABI documents of both, in millidegrees).

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// One sensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Temperature {
    /// The chip's name, with the sensor's label where it has one.
    pub sensor: String,
    /// Degrees Celsius, to a tenth.
    pub celsius: f64,
}

/// Every sensor that answers, the hottest first; one that both interfaces show is told once.
pub(super) fn read(root: &Path) -> Vec<Temperature> {
    let mut found: Vec<Temperature> = Vec::new();
    for zone in entries(&root.join("sys/class/thermal"), "thermal_zone") {
        if let (Some(name), Some(value)) = (line(&zone.join("type")), line(&zone.join("temp"))) {
            found.extend(parse(&name, None, &value));
        }
    }
    for chip in entries(&root.join("sys/class/hwmon"), "hwmon") {
        let Some(name) = line(&chip.join("name")) else {
            continue;
        };
        for input in entries(&chip, "temp") {
            let path = input.to_string_lossy();
            let Some(stem) = path.strip_suffix("_input") else {
                continue;
            };
            let label = line(Path::new(&format!("{stem}_label")));
            let sensor = line(&input).and_then(|value| parse(&name, label.as_deref(), &value));
            found.extend(
                sensor.filter(|sensor| !found.iter().any(|known| known.sensor == sensor.sensor)),
            );
        }
    }
    found.sort_by(|a, b| b.celsius.total_cmp(&a.celsius));
    found
}

/// A sensor that is not there shows a value that nothing on a desk has.
fn parse(name: &str, label: Option<&str>, millidegrees: &str) -> Option<Temperature> {
    let millidegrees: i32 = millidegrees.parse().ok()?;
    // The Pi's one sensor is `cpu-thermal` as a zone and `cpu_thermal` as a chip.
    let name = name.replace('_', "-");
    (-50_000..200_000)
        .contains(&millidegrees)
        .then(|| Temperature {
            sensor: label.map_or(name.clone(), |label| format!("{name} {label}")),
            celsius: (f64::from(millidegrees) / 100.0).round() / 10.0,
        })
}

fn entries(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
}

fn line(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
