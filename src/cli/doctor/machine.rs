//! The machine: board, memory, power, swap, clock.

use super::finding::Finding;
use super::root::Root;
use crate::system::{Machine, Medium, Synchronized, of_device, storage};
use crate::zone::Tz;

/// All of it.
pub(super) fn look(root: &Root) -> Vec<Finding> {
    let mut findings = vec![board(root)];
    findings.extend(power(root));
    findings.extend([swap(root), real_time_clock(root), synchronised(root)]);
    findings
}

fn board(root: &Root) -> Finding {
    let model = root
        .text("/proc/device-tree/model")
        .or_else(|| root.text("/sys/class/dmi/id/product_name"))
        .unwrap_or_else(|| "an unknown make".to_owned());
    let memory = Machine::below(root.folder()).memory();
    let Some(memory) = memory else {
        let found =
            format!("{model}; its memory is not shown, so `system = [\"memory\"]` tells nothing");
        return Finding::warning(
            "machine",
            found,
            "let the service see /proc (no ProcSubset=pid)",
        );
    };
    let (total, free) = (gib(memory.total), gib(memory.available));
    Finding::ok(
        "machine",
        format!("{model}, {total} of memory, {free} of it free"),
    )
}

/// The firmware's alarm of a Raspberry Pi (drivers/hwmon/raspberrypi-hwmon.c).
fn power(root: &Root) -> Option<Finding> {
    let sensors = root.entries("/sys/class/hwmon");
    let sensor = sensors
        .into_iter()
        .find(|sensor| root.text(sensor.join("name")).as_deref() == Some("rpi_volt"))?;
    let alarm = root.text(sensor.join("in0_lcrit_alarm"))?;
    Some(if alarm == "0" {
        Finding::ok("power", "the voltage holds")
    } else {
        Finding::warning(
            "power",
            "the voltage drops: that is how cards and databases are damaged",
            "use the power supply made for this board",
        )
    })
}

fn swap(root: &Root) -> Finding {
    let swaps = root.text("/proc/swaps").unwrap_or_default();
    let mut found = Vec::new();
    for line in swaps.lines().skip(1) {
        let Some(name) = line.split_ascii_whitespace().next() else {
            continue;
        };
        let device = name.strip_prefix("/dev/");
        let medium = match device {
            Some(device) => of_device(&root.path(format!("/sys/class/block/{device}"))),
            None => storage(root.folder(), name.as_ref()).map_or(Medium::Disk, |on| on.medium),
        };
        if medium == Medium::SdCard {
            return Finding::warning(
                "swap",
                format!(
                    "{name} is on the SD card: it wears the card out, and a swapped model answers no question"
                ),
                "swap to memory instead: `sudo apt install zram-tools`, and switch this one off",
            );
        }
        found.push(match device {
            Some(device) if device.starts_with("zram") => format!("{name}, compressed memory"),
            _ => name.to_owned(),
        });
    }
    match &found[..] {
        [] => Finding::ok("swap", "none"),
        found => Finding::ok("swap", found.join(", ")),
    }
}

fn real_time_clock(root: &Root) -> Finding {
    let Some(clock) = root.entries("/sys/class/rtc").into_iter().next() else {
        return Finding::warning(
            "hardware clock",
            "there is none: after a power cut jobs with a time wait until the network has told it",
            "fit one if it has to run without a network",
        );
    };
    let name = root.text(clock.join("name")).unwrap_or_default();
    let driver = name.split(' ').next().unwrap_or_default();
    match driver {
        // The Pi 5 has one, and forgets the time without the battery that is sold apart.
        "rpi_rtc" => Finding::ok(
            "hardware clock",
            "rpi_rtc, which keeps the time if its battery is fitted",
        ),
        "" => Finding::ok("hardware clock", "there is one"),
        name => Finding::ok("hardware clock", name),
    }
}

fn synchronised(root: &Root) -> Finding {
    let about = "clock";
    match Machine::below(root.folder()).synchronized() {
        Synchronized::Yes => {
            return Finding::ok(about, "synchronised by systemd-timesyncd since the start");
        }
        Synchronized::NotYet => {
            return Finding::warning(
                about,
                "not synchronised since the start: jobs with a time wait for that, and then go ahead marked",
                "look at `timedatectl timesync-status`",
            );
        }
        Synchronized::NobodySays => {}
    }
    let others = [
        ("/run/chrony/chronyd.pid", "chrony"),
        ("/run/chronyd.pid", "chrony"),
        ("/run/ntpd.pid", "ntpd"),
    ];
    match others.into_iter().find(|(path, _)| root.has(path)) {
        // The unit starts after time-sync.target, which waits for chrony only by this service.
        Some((_, "chrony"))
            if root.has("/etc/systemd/system/multi-user.target.wants/chrony-wait.service") =>
        {
            Finding::ok(about, "kept by chrony, which the unit waits for")
        }
        Some((_, "chrony")) => Finding::warning(
            about,
            "kept by chrony, which nobody waits for: after a start jobs believe any time that can be right",
            "`sudo systemctl enable chrony-wait` makes the unit wait until chrony is sure",
        ),
        Some((_, name)) => {
            let found = format!("kept by {name}; jobs wait only for a time that can be right");
            Finding::ok(about, found)
        }
        None => Finding::warning(
            about,
            "nothing keeps it right: 7:00 is when this machine thinks it is",
            "`sudo apt install systemd-timesyncd`",
        ),
    }
}

/// The zone of everything that names none.
pub(super) fn zone(configured: Tz, system: Tz) -> Finding {
    let about = "time zone";
    match (configured, system) {
        (zone, _) if zone.name().ends_with("UTC") => Finding::warning(
            about,
            "UTC: 7:00 is not your 7:00, unless you live by it",
            "timezone = \"Europe/Madrid\" in [defaults], or `sudo timedatectl set-timezone`",
        ),
        (zone, system) if zone != system => {
            Finding::ok(about, format!("{zone} (the machine's is {system})"))
        }
        (zone, _) => Finding::ok(about, zone.name()),
    }
}

/// Bytes, as people say them.
pub(in crate::cli) fn gib(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
    let gib = bytes as f64 / f64::from(1 << 30);
    if gib < 1.0 {
        return format!("{} MiB", bytes >> 20);
    }
    format!("{gib:.1} GiB")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn chrony_has_to_be_waited_for() {
        let machine = tempfile::tempdir().unwrap();
        let said = |path: &str| {
            let path = machine.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
            synchronised(&Root::at(machine.path())).found
        };
        assert!(said("run/chrony/chronyd.pid").contains("nobody waits for"));
        let waits = "etc/systemd/system/multi-user.target.wants/chrony-wait.service";
        assert!(said(waits).contains("the unit waits for"));
    }
}
