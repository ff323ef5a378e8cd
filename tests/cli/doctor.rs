//! `reveille doctor`, on whatever machine the tests run.

use crate::support::Folder;

const JOB: &str = "description = \"x\"\n[[deliver]]\nconsole = true\ntext = \"x\"\n";

#[test]
fn every_line_has_a_verdict_and_the_end_counts_them() {
    let folder = Folder::with(JOB);
    let outcome = folder.run_bare(&["--state", "state", "doctor"], &[]);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    let with = |verdict: &str| {
        lines
            .iter()
            .filter(|line| line.starts_with(verdict))
            .count()
    };
    let (ok, warnings, cannot) = (with("ok       "), with("warning  "), with("cannot   "));
    assert_eq!(ok + warnings + cannot, lines.len(), "{outcome}");
    assert!(lines.len() > 12, "{outcome}");
    let root = folder.path("").canonicalize().expect("it is there");
    let place = format!("configuration   {}", root.display());
    assert!(outcome.stdout.contains(&place), "{outcome}");
    let end = format!("{ok} ok, {warnings} warnings, {cannot} that cannot be\n");
    assert_eq!(outcome.stderr, end);
    assert_eq!(outcome.code, i32::from(cannot > 0), "{outcome}");
}

#[test]
fn what_the_configuration_needs_and_cannot_have_is_exit_code_1() {
    let job = format!("{JOB}[[step]]\nexec = [\"reveille-no-such-program\"]\n");
    let folder = Folder::with(&job);
    let outcome = folder.run_bare(&["--state", "state", "doctor", "--json"], &[]);
    assert_eq!(outcome.code, 1, "{outcome}");
    let said = outcome.json();
    let mut findings = said["findings"].as_array().expect("a list").iter();
    let found = findings
        .find(|found| found["about"] == "programs")
        .expect("told");
    assert_eq!(found["verdict"], "cannot");
    assert!(found["do"].is_string(), "{found}");
}
