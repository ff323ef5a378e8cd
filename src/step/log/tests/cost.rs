use std::fs::OpenOptions;
use std::sync::atomic::AtomicBool;

use super::Step;
use crate::step::log::{Cancel, LogError, Memory, Since, Surroundings, read};

#[test]
fn a_second_look_at_a_huge_file_reads_nothing() {
    let mut step = Step::new(&["app.log"]);
    step.append("app.log", "");
    let file = OpenOptions::new().write(true).open(step.path("app.log"));
    file.and_then(|file| file.set_len(10 << 30))
        .expect("a sparse file");
    step.append("app.log", "end\n");
    assert!(step.look().bytes <= 64 * 1024 + 4);
    let reading = step.look();
    assert_eq!((reading.bytes, reading.total), (0, 0));
    assert!(reading.changes.is_empty());
}

#[test]
fn a_cancelled_look_ends() {
    let mut step = Step::new(&["app.log"]);
    step.look.since = Since::Start;
    step.append("app.log", "x\n");
    let stop = AtomicBool::new(true);
    let around = Surroundings {
        now: step.now,
        zone: crate::zone::Tz::UTC,
        own: &[],
        cancel: Cancel(&stop),
    };
    let end = read(&step.look, &Memory::default(), around);
    assert!(matches!(end, Err(LogError::Cancelled)));
}
