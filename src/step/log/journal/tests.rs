use std::fs;
use std::io::Read;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::step::log::Only;

/// A journalctl of shell and files: it writes its arguments down and answers with `out`.
struct Fake {
    folder: TempDir,
    journal: Journal,
    look: JournalLook,
    memory: Memory,
}

fn now() -> DateTime<Utc> {
    "2026-11-20T20:00:00Z".parse().expect("a time")
}

impl Fake {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journalctl.sh");
        let script = format!(
            "cd '{}'\necho \"$@\" >>arguments\n{script}\n",
            folder.path().display()
        );
        fs::write(&path, script).expect("written");
        Fake {
            folder,
            journal: Journal {
                command: vec!["sh".to_owned(), path.display().to_string()],
                own_unit: "reveille.service".to_owned(),
            },
            look: JournalLook {
                units: Vec::new(),
                since: Since::LastRun,
                choice: Choice::default(),
            },
            memory: Memory::default(),
        }
    }

    fn entry(&self, number: u32, unit: &str, message: &str) {
        let at = 1_795_172_641_000_000 + u64::from(number) * 1_000_000;
        let line = format!(
            "{{\"__CURSOR\":\"s=c;i={number}\",\"__REALTIME_TIMESTAMP\":\"{at}\",\"_SYSTEMD_UNIT\":\"{unit}\",\
             \"SYSLOG_IDENTIFIER\":\"prog\",\"PRIORITY\":\"3\",\"MESSAGE\":{message}}}\n"
        );
        let path = self.folder.path().join("out");
        let before = fs::read_to_string(&path).unwrap_or_default();
        fs::write(path, before + &line).expect("written");
    }

    fn arguments(&self) -> String {
        fs::read_to_string(self.folder.path().join("arguments")).expect("it was run")
    }

    async fn look(&mut self) -> Result<Reading, JournalError> {
        let zone = Tz::named("Europe/Madrid").unwrap();
        let reading = read_journal(&self.look, &self.memory, &self.journal, now(), zone).await?;
        let values = reading.changes.iter().cloned();
        let kept = values.filter_map(|(name, value)| Some((name, value?)));
        self.memory = Memory::load(kept);
        Ok(reading)
    }
}

#[tokio::test]
async fn entries_are_grouped_and_the_cursor_is_the_last_ones() {
    let mut fake = Fake::new("cat out");
    fake.look.units = vec!["app".to_owned()];
    fake.entry(1, "app.service", "\"error 5 in 3 ms\"");
    fake.entry(
        2,
        "app.service",
        "[101,114,114,111,114,32,55,32,105,110,32,52,32,109,115]",
    );
    fake.entry(3, "app.service", "null");
    fake.entry(4, "app.service", "\"caused by\\nb\"");
    let reading = fake.look().await.expect("read");
    let texts: Vec<_> = reading
        .lines
        .iter()
        .map(|told| (told.count, told.text.as_str()))
        .collect();
    let expected = [
        (2, "2026-11-20T12:04:03+01:00 prog: error 7 in 4 ms"),
        (1, "2026-11-20T12:04:04+01:00 prog: "),
        (1, "2026-11-20T12:04:05+01:00 prog: caused by b"),
    ];
    assert_eq!(texts, expected);
    let told = &reading.lines[0];
    assert_eq!(
        told.first,
        Some("2026-11-20T11:04:02Z".parse().expect("a time"))
    );
    assert_eq!(told.file, "app");
    assert_eq!(reading.total, 4);
    assert!(
        fake.arguments().contains("--output=json")
            && fake.arguments().contains("--lines=500 --unit=app")
    );
    fake.look().await.expect("read");
    assert!(
        fake.arguments().contains("--after-cursor=s=c;i=4"),
        "{}",
        fake.arguments()
    );
}

#[tokio::test]
async fn its_own_unit_moves_the_cursor_and_is_not_told() {
    let mut fake = Fake::new("cat out");
    fake.entry(1, "reveille.service", "\"error\"");
    let reading = fake.look().await.expect("read");
    assert_eq!((reading.count, reading.lines.len()), (0, 0));
    fake.look().await.expect("read");
    assert!(fake.arguments().contains("i=1"));
}

#[tokio::test]
async fn a_cursor_that_journald_forgot_gives_way_to_the_time() {
    let mut fake = Fake::new(
        "case \"$*\" in *after-cursor*) echo 'Failed to seek to cursor: Invalid argument' >&2; exit 1;; esac\ncat out",
    );
    fake.entry(1, "app.service", "\"a\"");
    fake.look().await.expect("read");
    assert_eq!(fake.look().await.expect("read").count, 1);
    assert!(
        fake.arguments().contains("--since=@1795172642.000001"),
        "{}",
        fake.arguments()
    );
}

#[tokio::test]
async fn a_window_and_patterns_work_as_in_files() {
    let mut fake = Fake::new("cat out");
    fake.look.since = Since::Within(Duration::from_secs(600));
    fake.look.choice.only = vec![Only::New];
    fake.entry(1, "app.service", "\"error 5\"");
    assert_eq!(fake.look().await.expect("read").lines.len(), 1);
    let again = fake.look().await.expect("read");
    assert_eq!((again.lines.len(), again.known), (0, 1));
    assert!(
        fake.arguments().contains("--since=@1795204200.000000"),
        "{}",
        fake.arguments()
    );
}

#[tokio::test]
async fn a_step_that_found_nothing_goes_on_from_its_look() {
    let mut fake = Fake::new(":");
    assert!(fake.look().await.expect("read").lines.is_empty());
    fake.look().await.expect("read");
    assert!(
        fake.arguments().contains("--since=@1795204800.000000"),
        "{}",
        fake.arguments()
    );
}

#[tokio::test]
async fn an_endless_entry_is_cut_and_passed() {
    let mut fake = Fake::new(
        "printf '{\"__CURSOR\":\"s=big\",\"__REALTIME_TIMESTAMP\":\"1795172641000000\",\"MESSAGE\":\"'\nhead -c 3000000 /dev/zero | tr '\\0' x\necho '\"}'\ncat out",
    );
    fake.entry(1, "app.service", "\"after\"");
    let reading = fake.look().await.expect("read");
    assert_eq!((reading.cut, reading.count), (1, 1));
}

async fn check_error(script: &str, expected: &str) {
    let error = Fake::new(script).look().await.expect_err("an error");
    assert!(error.to_string().contains(expected), "{error}");
}

#[tokio::test]
async fn each_failure_says_what_to_do() {
    check_error(
        "echo 'Hint: You are currently not seeing messages from other users' >&2",
        "group systemd-journal",
    )
    .await;
    check_error(
        "echo 'No journal files were opened due to insufficient permissions.' >&2; exit 1",
        "group systemd-journal",
    )
    .await;
    check_error(
        "echo 'Failed to open: broken' >&2; exit 3",
        "exit status: 3): Failed to open: broken",
    )
    .await;
    let mut fake = Fake::new("");
    fake.journal.command = vec!["/nowhere/journalctl".to_owned()];
    let error = fake.look().await.expect_err("an error");
    assert!(error.to_string().contains("is not there"), "{error}");
}

#[tokio::test]
async fn dropping_the_look_ends_the_whole_group() {
    let mut fake = Fake::new("exec 3>pipe\nsleep 1000 &\necho started >&3\nwait");
    let pipe = fake.folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo runs").success());
    let (started, is_started) = tokio::sync::oneshot::channel();
    let reader = tokio::task::spawn_blocking(move || {
        let mut pipe = fs::File::open(pipe).expect("opened");
        pipe.read_exact(&mut [0; 8]).expect("started");
        started.send(()).expect("somebody waits");
        // Ends only when nobody holds the pipe open any more: neither the shell nor its child.
        pipe.read_to_end(&mut Vec::new()).expect("read");
    });
    tokio::select! {
        _ = fake.look() => panic!("it does not end by itself"),
        _ = is_started => {}
    }
    reader.await.expect("all ended");
}

#[tokio::test]
async fn the_machines_own_journalctl_speaks_the_same_language() {
    let mut fake = Fake::new("");
    fake.journal.command = vec!["journalctl".to_owned()];
    match fake.look().await {
        Ok(reading) => assert_eq!(reading.cut, 0, "every entry is understood"),
        // Without systemd, or without the right to read: said as what it is.
        Err(JournalError::Missing(_) | JournalError::Denied) => {}
        Err(error) => panic!("{error}"),
    }
}
