//! Files that start runs, through the whole daemon.

use std::fs;

use super::den::{Den, result};
use crate::job::{Outcome, RunId, RunState};

const JOB: &str = r#"
[[trigger]]
watch = "inbox"
settle = "0s"

[[step]]
id = "wait"
exec = ["cat", "FOLDER/gate{{ run.id }}"]

[[step]]
id = "said"
set.text = "event.path ~ ' ' ~ event.change ~ ' ' ~ event.size ~ ' ' ~ event.content ~ (' (cut)' if event.cut else '')"
"#;

/// Puts a whole file into the inbox at once.
fn put(den: &Den, name: &str, text: &str) {
    fs::write(den.path(name), text).unwrap();
    fs::rename(den.path(name), den.path(&format!("inbox/{name}"))).unwrap();
}

/// Waits for a run, and gives what it was told.
fn said(den: &Den, run: RunId) -> String {
    den.gate(run).open();
    den.emptied();
    let story = den.story(run);
    assert_eq!(story.row.state, RunState::Finished(Outcome::Ok));
    result(&story, "said")["text"].as_str().unwrap().to_owned()
}

fn expected(den: &Den, name: &str, rest: &str) -> String {
    format!("{} {rest}", den.path(&format!("inbox/{name}")).display())
}

#[test]
fn each_settled_version_of_a_file_has_one_run_across_lives() {
    let mut den = Den::new("", &[("files", JOB)]);
    fs::create_dir(den.path("inbox")).unwrap();
    den.looked();
    put(&den, "a", "one");
    assert_eq!(said(&den, RunId(1)), expected(&den, "a", "created 3 one"));
    den.die();
    put(&den, "b", "two");
    den.live();
    assert_eq!(said(&den, RunId(2)), expected(&den, "b", "created 3 two"));
    den.die();
    den.live();
    den.looked();
    fs::remove_file(den.path("inbox/a")).unwrap();
    let gone = expected(&den, "a", "removed None None");
    assert_eq!(said(&den, RunId(3)), gone);
    assert_eq!(den.runs().len(), 3);
}

#[test]
fn a_reload_changes_what_is_watched() {
    let den = Den::new("", &[("files", JOB)]);
    fs::create_dir_all(den.path("inbox")).unwrap();
    den.looked();
    den.write("files", &JOB.replace("inbox", "*.csv"));
    den.reload();
    den.looked();
    put(&den, "a", "nobody's");
    fs::write(den.path("held"), "one").unwrap();
    fs::rename(den.path("held"), den.path("x.csv")).unwrap();
    let heard = said(&den, RunId(1));
    assert_eq!(
        heard,
        format!("{} created 3 one", den.path("x.csv").display())
    );
}

#[test]
fn a_version_that_the_store_refused_is_offered_again() {
    let mut den = Den::new("", &[("files", JOB)]);
    fs::create_dir(den.path("inbox")).unwrap();
    den.looked();
    den.die();
    put(&den, "a", "one");
    put(&den, "b", "two");
    let database = rusqlite::Connection::open(den.path("state/reveille.db")).unwrap();
    let refusing =
        "CREATE TRIGGER refusing BEFORE INSERT ON events WHEN instr(NEW.payload, '/inbox/a\"')
                    BEGIN SELECT RAISE(ABORT, 'not now'); END";
    database.execute_batch(refusing).unwrap();
    den.live();
    // Both are found in one look, and offered in the order of their names.
    assert_eq!(said(&den, RunId(1)), expected(&den, "b", "created 3 two"));
    database.execute_batch("DROP TRIGGER refusing").unwrap();
    let limit = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while den.runs().len() < 2 && std::time::Instant::now() < limit {
        den.clock.advance(std::time::Duration::from_secs(60));
        std::thread::yield_now();
    }
    assert_eq!(den.runs().len(), 2, "the other one is not forgotten");
    assert_eq!(said(&den, RunId(2)), expected(&den, "a", "created 3 one"));
}
