use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::clock::{SystemClock, TestClock};
use crate::sandbox::{Ended, Finished, Output};

const MOUNTS: &str = "\
22 28 0:21 / /proc rw,nosuid shared:5 - proc proc rw
28 1 179:2 / / rw,noatime shared:1 - ext4 /dev/mmcblk0p2 rw
30 28 0:25 / /run rw - tmpfs tmpfs rw,size=400000k
40 28 179:1 / /boot/firmware rw - vfat /dev/mmcblk0p1 rw
41 28 179:2 /srv/a /srv/bind rw - ext4 /dev/mmcblk0p2 rw
42 28 8:1 / /mnt/my\\040disk rw - exfat /dev/sda1 rw
43 28 0:50 / /mnt/nas rw - nfs4 nas:/x rw
44 28 0:51 /@home /home rw - btrfs /dev/sdb rw
45 28 0:52 /@ /mnt/pool/root rw - btrfs /dev/sdb rw
46 28 7:1 / /snap/core rw - squashfs /dev/loop0 ro
broken line
47 28 0:60 / /x rw -";

#[test]
fn local_file_systems_are_found_once() {
    let found: Vec<_> = disk::mounts(MOUNTS)
        .into_iter()
        .map(|m| (m.source, m.point))
        .collect();
    let expected = [
        ("/dev/mmcblk0p1", "/boot/firmware"),
        ("/dev/mmcblk0p2", "/"),
        ("/dev/sda1", "/mnt/my disk"),
        ("/dev/sdb", "/home"),
    ];
    assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let overlay = "28 1 0:44 / / rw - overlay overlay rw,lowerdir=/a";
    assert_eq!(disk::mounts(overlay)[0].point, "/");
}

#[test]
fn percentages_are_rounded_up() {
    let check = |part, whole, expected| assert_eq!(disk::percent(part, whole), expected);
    check(0, 0, 0);
    check(0, 10, 0);
    check(1, 1_000, 1);
    check(90, 100, 90);
    check(u64::MAX, u64::MAX, 100);
}

#[test]
fn proc_files_are_read() {
    let text = "MemTotal:  4000000 kB\nMemFree: 10 kB\nMemAvailable: 1000000 kB\nSwapTotal: 100 kB\nSwapFree: 25 kB\n";
    let memory = proc::memory(text).expect("memory");
    assert_eq!(
        (memory.total, memory.used, memory.percent),
        (4_096_000_000, 3_072_000_000, 75)
    );
    assert_eq!((memory.swap.used, memory.swap.percent), (76_800, 75));
    assert_eq!(proc::memory("MemTotal: 0 kB\nMemAvailable: 0 kB\n"), None);
    assert_eq!(proc::memory(""), None);
    let load = proc::load("0.52 0.58 1.59 1/467 12345\n", "0-3\n").expect("load");
    assert_eq!(
        (load.one, load.five, load.fifteen, load.cores),
        (0.52, 0.58, 1.59, 4)
    );
    assert_eq!(
        proc::load("0.52 0.58 1.59", "0,2-3").map(|load| load.cores),
        Some(3)
    );
    assert_eq!(proc::load("", "0"), None);
    assert_eq!(
        proc::uptime("350735.47 234388.90\n"),
        Some(Duration::from_millis(350_735_470))
    );
    assert_eq!(proc::uptime("-1 2"), None);
}

#[test]
fn thresholds_are_read_with_their_units() {
    let percent = |text, expected| assert_eq!(parse_percent(text), expected, "{text}");
    percent("90%", Some(90.0));
    percent(" 12.5 % ", Some(12.5));
    percent("90", None);
    percent("101%", None);
    percent("NaN%", None);
    let celsius = |text, expected| assert_eq!(parse_celsius(text), expected, "{text}");
    celsius("75C", Some(75.0));
    celsius("75 °C", Some(75.0));
    celsius("75F", None);
    celsius("75", None);
}

#[test]
fn units_are_read_or_a_note_says_why_not() {
    let finished = |ended, out: &str, err: &str| Finished {
        ended,
        stdout: Output {
            bytes: out.into(),
            omitted: 0,
        },
        stderr: Output {
            bytes: err.into(),
            omitted: 0,
        },
        took: Duration::ZERO,
    };
    let one = r#"[{"unit":"a.service","load":"loaded","active":"failed","sub":"failed","description":"A"}]"#;
    let units = units::parse(&finished(Ended::Code(0), one, "")).expect("units");
    assert_eq!(
        (units[0].unit.as_str(), units[0].description.as_str()),
        ("a.service", "A")
    );
    assert_eq!(
        units::parse(&finished(Ended::Code(0), "[]", "")),
        Ok(vec![])
    );
    let note = units::parse(&finished(
        Ended::Code(1),
        "",
        "System has not been booted with systemd\nmore",
    ));
    assert_eq!(
        note,
        Err("failed units are not known: System has not been booted with systemd".into())
    );
    assert!(units::parse(&finished(Ended::TimedOut, "", "")).is_err());
    assert!(units::parse(&finished(Ended::Code(0), "UNIT LOAD", "")).is_err());
}

/// A machine of files: a Pi with one hot sensor, shown twice.
fn machine() -> (TempDir, Machine) {
    let root = tempfile::tempdir().expect("a folder");
    let files = [
        (
            "proc/self/mountinfo",
            "28 1 179:2 / / rw - ext4 /dev/mmcblk0p2 rw\n",
        ),
        ("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 20 kB\n"),
        ("proc/loadavg", "9.00 8.50 8.00 1/1 1\n"),
        ("proc/uptime", "300.00 1.00\n"),
        ("proc/sys/kernel/random/boot_id", "new-boot\n"),
        ("sys/devices/system/cpu/online", "0-3\n"),
        ("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n"),
        ("sys/class/thermal/thermal_zone0/temp", "81234\n"),
        ("sys/class/hwmon/hwmon0/name", "cpu_thermal\n"),
        ("sys/class/hwmon/hwmon0/temp1_input", "81234\n"),
        ("sys/class/hwmon/hwmon1/name", "nvme\n"),
        ("sys/class/hwmon/hwmon1/temp1_input", "45850\n"),
        ("sys/class/hwmon/hwmon1/temp1_label", "Composite\n"),
        ("sys/class/hwmon/hwmon1/temp2_input", "-273150\n"),
        ("sys/class/hwmon/hwmon1/temp3_input", "no number\n"),
    ];
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("made");
        fs::write(path, text).expect("written");
    }
    let machine = Machine::below(root.path());
    (root, machine)
}

async fn look(machine: &Machine, facts: &[Fact], limits: Limits, locale: Locale) -> Facts {
    let asked = Asked {
        facts,
        limits,
        last_boot: Some("old-boot"),
        locale,
    };
    let clock = TestClock::at("2026-11-20T06:00:00Z".parse().expect("a time"));
    machine.look(&asked, Path::new("/"), &clock).await
}

#[tokio::test]
async fn a_look_tells_what_is_beyond_its_limit() {
    let (_root, machine) = machine();
    let facts = [
        Fact::Disk,
        Fact::Memory,
        Fact::Load,
        Fact::Temperature,
        Fact::Reboots,
    ];
    let limits = Limits {
        disk: None,
        memory: Some(95.0),
        load: Some(8.0),
        temperature: Some(80.0),
    };
    let seen = look(&machine, &facts, limits, Locale::En).await;
    assert_eq!(seen.notes, Vec::<String>::new());
    let texts: Vec<_> = seen
        .alarms
        .iter()
        .map(|alarm| alarm.text.as_str())
        .collect();
    assert_eq!(
        texts,
        [
            "Memory is 98 % full (limit 95 %)",
            "Load over five minutes is 8.5 (limit 8)",
            "Temperature of cpu-thermal is 81.2 °C (limit 80 °C)",
            "The machine restarted 5 minutes ago",
        ]
    );
    let sensors: Vec<_> = seen
        .temperature
        .iter()
        .flatten()
        .map(|t| t.sensor.as_str())
        .collect();
    assert_eq!(sensors, ["cpu-thermal", "nvme Composite"]);
    let boot = seen.boot.expect("a boot");
    assert_eq!(
        (boot.id.as_str(), boot.at.as_str()),
        ("new-boot", "2026-11-20T05:55:00Z")
    );
    let disks = seen.disk.expect("disks");
    assert_eq!(disks[0].source, "/dev/mmcblk0p2");
    assert!(disks[0].total >= disks[0].used + disks[0].free);

    let seen = look(&machine, &facts, limits, Locale::Es).await;
    assert_eq!(
        seen.alarms[2].text,
        "La temperatura de cpu-thermal es 81,2 °C (límite 80 °C)"
    );
    assert_eq!(seen.alarms[3].text, "La máquina se reinició hace 5 minutos");
    let full = Limits {
        disk: Some(0.0),
        ..Limits::default()
    };
    let seen = look(&machine, &[Fact::Disk], full, Locale::Es).await;
    assert!(
        seen.alarms[0].text.starts_with("El disco / está lleno al "),
        "{:?}",
        seen.alarms
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_noted_and_the_rest_told() {
    let (root, machine) = machine();
    fs::remove_file(root.path().join("proc/meminfo")).expect("removed");
    fs::write(root.path().join("proc/loadavg"), "").expect("written");
    let seen = look(
        &machine,
        &[Fact::Memory, Fact::Load, Fact::Reboots],
        Limits::default(),
        Locale::En,
    )
    .await;
    assert_eq!(seen.notes.len(), 2, "{:?}", seen.notes);
    assert!(seen.notes[0].starts_with("/proc/meminfo: "));
    assert!(seen.boot.is_some());
}

#[tokio::test]
async fn this_machine_can_be_looked_at_and_the_example_has_its_fields() {
    let asked = Asked {
        facts: &Fact::ALL,
        limits: Limits::default(),
        last_boot: None,
        locale: Locale::En,
    };
    let seen = Machine::default()
        .look(&asked, Path::new("/"), &SystemClock::default())
        .await;
    assert!(!seen.boot.as_ref().expect("a boot").rebooted);
    assert!(seen.memory.is_some() && seen.load.is_some() && seen.failed_units.is_some());
    let real = serde_json::to_value(&seen).expect("JSON");
    let example = example();
    let keys = |value: &Value| {
        let fields = value.as_object().expect("an object");
        fields.keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(keys(&real), keys(&example));
    assert_eq!(keys(&real["memory"]), keys(&example["memory"]));
    assert_eq!(keys(&real["load"]), keys(&example["load"]));
    assert_eq!(keys(&real["boot"]), keys(&example["boot"]));
    if let Some(disk) = real["disk"].get(0) {
        assert_eq!(keys(disk), keys(&example["disk"][0]));
    }
}
