use std::os::unix::fs::PermissionsExt;

use chrono::TimeDelta;

use super::{Step, notes};
use crate::step::log::{LinePattern, Only};

#[test]
fn ten_thousand_alike_lines_are_one() {
    let mut step = Step::new(&["app.log"]);
    step.look();
    for line in 0..10_000 {
        let (minute, second) = (line / 60 % 60, line % 60);
        let text = format!(
            "Nov 20 12:{minute:02}:{second:02} pi app[{line}]: error {line} at 0x{line:x}\n"
        );
        step.append("app.log", text);
    }
    let reading = step.look();
    assert_eq!(reading.lines.len(), 1, "{:?}", reading.lines);
    let told = &reading.lines[0];
    assert_eq!(told.count, 10_000);
    assert_eq!(told.pattern, "pi app[#]: error # at #");
    assert_eq!(
        told.first,
        Some("2026-11-20T11:00:00Z".parse().expect("a time"))
    );
    assert_eq!(
        told.last,
        Some("2026-11-20T11:46:39Z".parse().expect("a time"))
    );
    let last = "Nov 20 12:46:39 pi app[9999]: error 9999 at 0x270f";
    assert_eq!(reading.text, format!("10000× {last}"));
    assert!(told.file.ends_with("app.log"));
}

#[test]
fn match_and_ignore_choose() {
    let mut step = Step::new(&["app.log"]);
    step.look.choice.matches = Some(LinePattern::new("(?i)error").expect("valid"));
    step.look.choice.ignore = Some(LinePattern::new("harmless$").expect("valid"));
    step.append(
        "app.log",
        "Error: a b\nok\nerror harmless\nERROR harmless not\n",
    );
    let reading = step.check(&["Error: a b", "ERROR harmless not"]);
    assert_eq!((reading.count, reading.total), (2, 4));
}

#[test]
fn nothing_is_an_empty_list() {
    let mut step = Step::new(&["app.log"]);
    step.append("app.log", "\n  \n");
    let reading = step.check(&[]);
    let value = serde_json::to_value(&reading).expect("JSON");
    assert_eq!(value["lines"], serde_json::json!([]));
    assert_eq!(value["text"], "");
    assert_eq!(value["files"][0]["state"], "read");
    assert!(value.get("changes").is_none());
}

#[test]
fn its_own_lines_and_files_never_feed_it() {
    let mut step = Step::new(&["**/*.log"]);
    step.append(
        "app.log",
        "Nov 20 12:00:00 pi reveille[7]: error\nNov 20 12:00:00 pi app: a reveille: error\n",
    );
    std::fs::create_dir(step.path("state")).expect("made");
    step.append("state/own.log", "error\n");
    step.own = vec![step.path("state")];
    step.check(&["Nov 20 12:00:00 pi app: a reveille: error"]);
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_goes_on() {
    let mut step = Step::new(&["gone.log", "secret.log", "folder", "*.none", "app.log"]);
    std::fs::create_dir(step.path("folder")).expect("made");
    step.append("secret.log", "x\n");
    std::fs::set_permissions(step.path("secret.log"), PermissionsExt::from_mode(0o000))
        .expect("set");
    step.append("app.log", "fine\n");
    let reading = step.look();
    assert!(reading.lines.iter().any(|told| told.text == "fine"));
    assert_eq!(reading.missing.len(), 2);
    assert!(notes(&reading).contains("not a regular file"));
    let root = rustix::process::geteuid().is_root();
    assert!(
        root || notes(&reading).contains("group adm"),
        "{}",
        notes(&reading)
    );
    let denied = super::super::reader::unreadable(&std::io::ErrorKind::PermissionDenied.into());
    assert!(format!("{denied:?}").contains("usermod -aG adm"));
}

#[test]
fn long_lines_are_cut_and_foreign_bytes_replaced() {
    let mut step = Step::new(&["app.log"]);
    step.look();
    step.append("app.log", b"caf\xe9 closed\n");
    step.append("app.log", "y".repeat(100_000) + "\n");
    step.append("app.log", "z".repeat(65_536) + "\n");
    let reading = step.look();
    assert_eq!((reading.total, reading.cut, reading.replaced), (3, 1, 1));
    assert_eq!(reading.lines[0].text, "caf\u{fffd} closed");
    assert!(reading.lines.iter().all(|told| told.text.len() <= 2048));
}

#[test]
fn an_incomplete_line_waits_for_its_newline() {
    let mut step = Step::new(&["app.log"]);
    step.append("app.log", "half");
    step.check(&[]);
    step.append("app.log", " and half\n");
    step.check(&["half and half"]);
}

#[test]
fn the_newest_patterns_are_told_when_there_is_no_room() {
    let words = ["alpha", "bravo", "charlie", "delta", "echo"];
    let lines: String = words
        .iter()
        .map(|word| format!("{word} {word}\n"))
        .collect();
    let mut step = Step::new(&["app.log"]);
    step.look.choice.max_lines = 2;
    step.append("app.log", &lines);
    let reading = step.check(&["delta delta", "echo echo"]);
    assert_eq!((reading.omitted, reading.count), (3, 5));

    let mut step = Step::new(&["app.log"]);
    step.look.choice.max_text = 25;
    step.append("app.log", &lines);
    assert_eq!(step.check(&["delta delta", "echo echo"]).omitted, 3);
}

#[test]
fn of_too_many_bytes_the_newest_are_read() {
    let mut step = Step::new(&["app.log"]);
    step.look();
    step.look.max_bytes = Some(10);
    step.append("app.log", "aaaa\nbbbb\ncccc\ndddd\n");
    let reading = step.check(&["cccc", "dddd"]);
    assert!(
        notes(&reading).contains("\"skipped\":10"),
        "{}",
        notes(&reading)
    );
    step.check(&[]);
}

#[test]
fn patterns_in_bounded_number_and_the_rest_is_counted() {
    let mut step = Step::new(&["app.log"]);
    step.look();
    let word = |mut number: u32| {
        let mut word = String::new();
        for _ in 0..4 {
            word.push(char::from(b'g' + (number % 20) as u8));
            number /= 20;
        }
        word
    };
    let lines: String = (0..4_000).map(|number| word(number) + "\n").collect();
    step.append("app.log", lines);
    let reading = step.look();
    assert_eq!((reading.count, reading.other), (4_000, 1_000));
    assert_eq!((reading.lines.len(), reading.omitted), (50, 2_950));
}

fn remembering() -> Step {
    let mut step = Step::new(&["app.log"]);
    step.look.choice.only = vec![Only::New, Only::Surging];
    step.look();
    step
}

#[test]
fn the_same_harmless_line_is_told_once() {
    let mut step = remembering();
    step.append(
        "app.log",
        "pi sshd[1]: Invalid user admin from 10.0.0.1 port 1\n",
    );
    let reading = step.check(&["pi sshd[1]: Invalid user admin from 10.0.0.1 port 1"]);
    assert!(reading.lines[0].new && !reading.lines[0].surging);
    step.append(
        "app.log",
        "pi sshd[2]: Invalid user admin from 10.0.0.2 port 2\n",
    );
    assert_eq!(step.check(&[]).known, 1);
    // Another name generalises the template, which stays the same pattern in memory.
    step.append(
        "app.log",
        "pi sshd[3]: Invalid user bob from 10.0.0.2 port 2\n",
    );
    step.check(&[]);
    step.append(
        "app.log",
        "pi sshd[4]: Invalid user eve from 10.0.0.2 port 2\n",
    );
    step.check(&[]);
    let patterns = step
        .cursors
        .iter()
        .filter(|(name, _)| name.starts_with("pattern:"));
    let patterns: Vec<_> = patterns.map(|(_, value)| value).collect();
    assert_eq!(patterns.len(), 1);
    assert_eq!(
        patterns[0]["template"],
        "pi sshd[#]: Invalid user <*> from # port #"
    );
    assert_eq!(patterns[0]["count"], 4);
    step.append("app.log", "pi sshd[5]: Failed password for root\n");
    step.check(&["pi sshd[5]: Failed password for root"]);
}

#[test]
fn a_pattern_is_new_again_after_thirty_days() {
    let mut step = remembering();
    step.append("app.log", "a b c\n");
    step.check(&["a b c"]);
    step.now += TimeDelta::days(29);
    step.append("app.log", "a b c\n");
    step.check(&[]);
    step.now += TimeDelta::days(31);
    step.append("app.log", "a b c\n");
    assert!(step.check(&["a b c"]).lines[0].new);
}

#[test]
fn a_surge_is_ten_lines_and_four_times_what_is_usual() {
    let mut step = remembering();
    for _ in 0..48 {
        step.append("app.log", "usual line\n".repeat(3));
        step.look();
    }
    step.append("app.log", "usual line\n".repeat(9));
    step.check(&[]);
    step.append("app.log", "usual line\n".repeat(30));
    let reading = step.check(&["usual line"]);
    assert!(reading.lines[0].surging && !reading.lines[0].new);
    // As many lines over a proportionally longer time are no surge.
    step.now += TimeDelta::hours(6);
    step.append("app.log", "usual line\n".repeat(30));
    step.check(&[]);
}

#[test]
fn only_so_many_patterns_are_remembered() {
    let mut step = remembering();
    let word = |mut number: u32| {
        let mut word = String::new();
        for _ in 0..4 {
            word.push(char::from(b'g' + (number % 20) as u8));
            number /= 20;
        }
        word
    };
    for block in [0..1_500, 1_500..3_000] {
        let lines: String = block.map(|number| word(number) + "\n").collect();
        step.append("app.log", lines);
        step.look();
    }
    let kept = |step: &Step| {
        step.cursors
            .keys()
            .filter(|name| name.starts_with("pattern:"))
            .count()
    };
    assert_eq!(kept(&step), 2_000);
    step.append("app.log", word(2_999) + "\n");
    assert_eq!(step.look().known, 1, "the latest are kept");
}
