use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use chrono::DateTime;
use tempfile::TempDir;

use super::*;
use crate::clock::TestClock;
use crate::llm::fake::{Ollama, Script};

/// A machine in a folder, with a configuration in `/etc/reveille`.
struct Pi {
    root: TempDir,
    person: Person,
}

impl Pi {
    /// A Pi 4 as it comes: everything on its card, no hardware clock, Raspberry Pi OS.
    fn four() -> Self {
        let pi = Pi {
            root: TempDir::new().expect("a folder"),
            person: Person {
                root: true,
                groups: Vec::new(),
            },
        };
        for (path, text) in [
            ("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0"),
            (
                "proc/meminfo",
                "MemTotal: 3884360 kB\nMemAvailable: 2097152 kB\n",
            ),
            (
                "proc/swaps",
                "Filename Type Size Used Priority\n/var/swap file 102396 0 -2\n",
            ),
            (
                "proc/self/mountinfo",
                "28 1 179:2 / / rw,noatime - ext4 /dev/mmcblk0p2 rw\n",
            ),
            ("proc/sys/fs/inotify/max_user_watches", "28000\n"),
            ("sys/devices/mmcblk0/device/type", "SD\n"),
            ("sys/devices/mmcblk0/mmcblk0p2/partition", "2\n"),
            ("sys/class/hwmon/hwmon0/name", "cpu_thermal\n"),
            ("sys/class/hwmon/hwmon1/name", "rpi_volt\n"),
            ("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n"),
            ("sys/kernel/security/lsm", "capability,apparmor\n"),
            ("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io pids\n"),
            ("run/systemd/timesync/clock", ""),
            ("run/log/journal/x", ""),
            ("var/swap", ""),
            ("usr/share/ollama/.ollama/models/x", ""),
            (
                "etc/reveille/jobs/x.toml",
                "description = \"x\"\n[[deliver]]\nconsole = true\ntext = \"x\"\n",
            ),
        ] {
            pi.write(path, text);
        }
        fs::create_dir_all(pi.path("sys/dev/block")).expect("made");
        let device = pi.path("sys/dev/block/179:2");
        symlink("../../devices/mmcblk0/mmcblk0p2", device).expect("linked");
        pi
    }

    /// A Pi 5 that somebody has looked after.
    fn five() -> Self {
        let pi = Pi::four();
        for (path, text) in [
            ("proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0"),
            (
                "proc/swaps",
                "Filename Type Size Used Priority\n/dev/zram0 partition 102396 0 100\n",
            ),
            (
                "proc/self/mountinfo",
                "28 1 259:2 / / rw,noatime - ext4 /dev/nvme0n1p2 rw\n",
            ),
            ("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "0\n"),
            ("sys/class/rtc/rtc0/name", "rpi_rtc soc:rpi_rtc\n"),
            ("sys/kernel/security/lsm", "lockdown,capability,landlock\n"),
            (
                "sys/fs/cgroup/cgroup.controllers",
                "cpuset cpu io memory pids\n",
            ),
            ("run/systemd/timesync/synchronized", ""),
            ("var/log/journal/x", ""),
            ("etc/systemd/system/reveille.service", ""),
            (
                "etc/reveille/config/reveille.toml",
                "[defaults]\ntimezone = \"Europe/Madrid\"\n",
            ),
        ] {
            pi.write(path, text);
        }
        fs::create_dir_all(pi.path("var/lib/reveille")).expect("made");
        let state = pi.path("var/lib/reveille");
        fs::set_permissions(state, Permissions::from_mode(0o700)).expect("changed");
        let wanted = pi.path("etc/systemd/system/multi-user.target.wants");
        fs::create_dir_all(&wanted).expect("made");
        let link = wanted.join("reveille.service");
        symlink("/etc/systemd/system/reveille.service", link).expect("linked");
        pi
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.root.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    fn look(&self) -> Vec<Finding> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(self.asked())
    }

    async fn asked(&self) -> Vec<Finding> {
        let folder = Folder::Disk(self.path("etc/reveille"));
        let config = Config::resolve(folder.read().expect("read"), Tz::UTC);
        let asked = Asked {
            folder: &folder,
            config: &config,
            state: Path::new("/var/lib/reveille"),
            zone: Tz::UTC,
            person: Some(self.person.clone()),
            clock: Arc::new(TestClock::at(DateTime::UNIX_EPOCH)),
        };
        look(&Root::at(self.root.path()), &asked).await
    }

    /// The lines about this, each with its verdict.
    fn about(&self, about: &str) -> Vec<String> {
        let findings = self.look().into_iter().filter(|found| found.about == about);
        let line = |found: Finding| {
            let todo = found.todo.map(|todo| format!(" -> {todo}"));
            format!(
                "{}: {}{}",
                found.verdict.word(),
                found.found,
                todo.unwrap_or_default()
            )
        };
        findings.map(line).collect()
    }

    /// One line about this, which begins so.
    #[track_caller]
    fn says(&self, about: &str, begins: &str) {
        let lines = self.about(about);
        let [line] = &lines[..] else {
            panic!("{about}: {lines:?}");
        };
        assert!(line.starts_with(begins), "{about}: {line}");
    }
}

fn warned(findings: &[Finding]) -> Vec<&'static str> {
    let warned = findings.iter().filter(|found| found.verdict != Verdict::Ok);
    warned.map(|found| found.about).collect()
}

#[test]
fn a_pi_as_it_comes_is_warned_of_what_it_cannot_promise() {
    let pi = Pi::four();
    let findings = pi.look();
    let expected = [
        "power",
        "swap",
        "hardware clock",
        "clock",
        "time zone",
        "disk",
        "Landlock",
        "memory limits",
        "daemon",
        "service",
        "journal",
    ];
    assert_eq!(warned(&findings), expected);
    assert!(
        findings
            .iter()
            .all(|found| found.verdict != Verdict::Cannot)
    );
    pi.says(
        "machine",
        "ok: Raspberry Pi 4 Model B Rev 1.4, 3.7 GiB of memory, 2.0 GiB of it free",
    );
    pi.says("swap", "warning: /var/swap is on the SD card: ");
    pi.says(
        "hardware clock",
        "warning: there is none: after a power cut",
    );
    pi.says("clock", "warning: not synchronised since the start: ");
    pi.says("disk", "warning: ext4 on an SD card, ");
    pi.says("Landlock", "warning: not in this kernel: ");
    pi.says(
        "memory limits",
        "warning: the memory cgroup is off, as on Raspberry Pi OS: ",
    );
    pi.says("service", "warning: not installed: ");
}

#[test]
fn a_pi_that_is_looked_after_has_only_its_daemon_to_start() {
    let pi = Pi::five();
    assert_eq!(warned(&pi.look()), ["daemon"]);
    pi.says("swap", "ok: /dev/zram0, compressed memory");
    pi.says(
        "hardware clock",
        "ok: rpi_rtc, which keeps the time if its battery is fitted",
    );
    pi.says("state", "ok: /var/lib/reveille, private");
    pi.says("commits", "ok: a synced write takes 0.0 ms (median of 9)");
    pi.says("daemon", "warning: not running on this state folder: jobs start by hand only -> `sudo systemctl start");
    let left = fs::read_dir(pi.path("var/lib/reveille"))
        .expect("read")
        .count();
    assert_eq!(left, 0, "the measuring leaves nothing behind");
}

#[test]
fn a_state_that_cannot_hold_a_database_is_told() {
    let pi = Pi::five();
    let mounted = |line: &str| {
        let root = "28 1 259:2 / / rw - ext4 /dev/nvme0n1p2 rw\n";
        pi.write("proc/self/mountinfo", &format!("{root}{line}\n"));
    };
    mounted("43 28 0:50 / /var/lib rw - nfs4 nas:/x rw");
    pi.says("disk", "cannot: nfs4, on another machine: ");
    mounted("43 28 0:50 / /var/lib ro - ext4 /dev/sda1 rw");
    pi.says("disk", "cannot: ext4, read-only: ");
    mounted("43 28 0:50 / /var/lib rw - tmpfs tmpfs rw");
    pi.says("disk", "warning: tmpfs: all is forgotten at a restart");
    let state = pi.path("var/lib/reveille");
    fs::set_permissions(state, Permissions::from_mode(0o755)).expect("changed");
    pi.says(
        "state",
        "warning: /var/lib/reveille is open to every user of this machine",
    );
}

#[test]
fn what_the_jobs_need_and_is_not_there_cannot_be() {
    let pi = Pi::five();
    let job = "description = \"x\"
[[step]]
exec = [\"reveille-no-such-program\", \"x\"]
[[deliver]]
console = true
text = \"x\"
";
    pi.write("etc/reveille/jobs/y.toml", job);
    pi.says("programs", "cannot: job y, step ");
    pi.write("etc/reveille/jobs/y.toml", "descripton = 1\n");
    pi.says("configuration", "cannot: ");
    pi.write(
        "etc/reveille/jobs/y.toml",
        "description = \"x\"\n[[step]]\nexec = [\"vcgencmd\"]\n",
    );
    pi.says("vcgencmd", "cannot: there is no /dev/vcio here");
}

#[test]
fn a_daemon_that_runs_is_seen() {
    let pi = Pi::five();
    let lock = crate::store::lock::daemon(&pi.path("var/lib/reveille")).expect("free");
    let running = format!("ok: running, process {}", std::process::id());
    pi.says("daemon", &running);
    assert_eq!(warned(&pi.look()), [""; 0]);
    drop(lock);
    pi.write("run/reveille/socket", "");
    pi.says(
        "daemon",
        "ok: the service runs, on a state folder of its own",
    );
}

#[test]
fn secrets_are_named_and_never_shown() {
    let pi = Pi::five();
    let settings = "
[calendars.a]
ics.env = \"HOME_CALENDAR\"
[calendars.b]
ics.file = \"work.secret\"
[calendars.c]
ics.credential = \"there\"
[calendars.d]
ics.credential = \"gone\"
";
    pi.write("etc/reveille/config/reveille.toml", settings);
    pi.write("etc/reveille/.env", "HOME_CALENDAR=https://hunter2/\n");
    pi.write("etc/reveille/credentials/there", "https://hunter2/\n");
    let lines = pi.about("secrets");
    let begins = [
        "warning: others may read ",
        "ok: readable: environment variable HOME_CALENDAR",
        "cannot: cannot read the secret in ",
        "cannot: systemd credential gone: not in /etc/reveille/credentials/gone",
        "ok: systemd credential there: in /etc/reveille/credentials/there",
    ];
    assert_eq!(lines.len(), begins.len(), "{lines:#?}");
    for begin in begins {
        assert!(
            lines.iter().any(|line| line.starts_with(begin)),
            "{begin}\n{lines:#?}"
        );
    }
    let all = serde_json::to_string(&pi.look()).expect("JSON");
    assert!(!all.contains("hunter2"), "{all}");
}

#[test]
fn who_is_in_no_group_is_told_what_stays_closed() {
    let mut pi = Pi::five();
    let job = "description = \"x\"
[[step]]
log = \"/var/log/*.log\"
[[step]]
journal = \"*\"
[[deliver]]
console = true
text = \"x\"
";
    pi.write("etc/reveille/jobs/y.toml", job);
    pi.person = Person {
        root: false,
        groups: vec!["adm".to_owned()],
    };
    let lines = pi.about("groups");
    let [service, journal] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert!(service.starts_with("warning: this user is not in `reveille`: "));
    assert!(journal.starts_with("warning: this user is not in `systemd-journal`: "));
}

#[tokio::test]
async fn models_are_asked_for_by_name() {
    let ollama = Ollama::start(Script::says("x")).await;
    let pi = Pi::five();
    let settings = format!(
        "[models.a]\nprovider = \"ollama\"\nurl = \"{url}\"\nmodel = \"tiny\"\n
         [models.b]\nprovider = \"ollama\"\nurl = \"{url}\"\nmodel = \"other:1b\"\n
         [models.c]\nprovider = \"ollama\"\nurl = \"http://127.0.0.1:9\"\nmodel = \"tiny\"\n",
        url = ollama.url,
    );
    pi.write("etc/reveille/config/reveille.toml", &settings);
    // A card for the models alone, as an Ollama unit's drop-in says.
    let unit = "[Service]\nEnvironment=\"OLLAMA_HOST=x\" \"OLLAMA_MODELS=/mnt/card\"\n";
    pi.write("etc/systemd/system/ollama.service.d/override.conf", unit);
    pi.write("mnt/card/x", "");
    let mounts = "28 1 259:2 / / rw - ext4 /dev/nvme0n1p2 rw\n29 28 179:2 / /mnt/card rw - ext4 /dev/mmcblk0p2 rw\n";
    pi.write("proc/self/mountinfo", mounts);
    let findings = pi.asked().await;
    let of = |about| {
        let found = findings.iter().filter(move |found| found.about == about);
        found.map(|found| &found.found[..]).collect::<Vec<_>>()
    };
    let [ready, missing, unreachable] = of("models")[..] else {
        panic!("{findings:#?}");
    };
    assert_eq!(ready, "tiny: ready, 0 MiB");
    assert!(
        missing.starts_with("other:1b: the server does not have it"),
        "{missing}"
    );
    assert!(
        unreachable.starts_with("tiny: no server answers at http://127.0.0.1:9"),
        "{unreachable}"
    );
    let files = of("model files");
    assert!(
        files[0].starts_with("/mnt/card, on the SD card: "),
        "{files:?}"
    );
    assert!(
        findings
            .iter()
            .all(|found| found.verdict != Verdict::Cannot),
        "plain texts go out"
    );
}
