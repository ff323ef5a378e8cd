//! The invariants of `src/lib.rs`, held against the sources.

mod arrows;
mod mutations;
mod sources;

use regex::Regex;

use sources::{File, root, sources};

/// No line of the sources for which `allowed` is false matches `pattern`.
#[track_caller]
fn only(what: &str, pattern: &str, allowed: impl Fn(&File) -> bool) {
    let pattern = Regex::new(pattern).expect("a pattern");
    let mut found = Vec::new();
    for file in sources().iter().filter(|file| !allowed(file)) {
        for (number, line) in file.code() {
            if pattern.is_match(line) {
                found.push(format!("{}:{number}: {}", file.path, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{what}:\n{}", found.join("\n"));
}

#[test]
fn only_the_clock_knows_the_time() {
    let pattern = r"Utc::now|Local::now|Instant::now|SystemTime|tokio::time|thread::sleep|now_v7|park_timeout";
    only("the system's time, outside src/clock.rs", pattern, |file| {
        file.path == "src/clock.rs"
    });
}

#[test]
fn only_what_gives_memory_back_is_unsafe() {
    only(
        "`unsafe`, outside src/thrift.rs",
        r"\bunsafe\b|unsafe_code",
        |file| file.path == "src/thrift.rs",
    );
}

#[test]
fn only_the_store_knows_sql() {
    let pattern = r#"rusqlite|"\s*(SELECT|INSERT|UPDATE|DELETE|PRAGMA|CREATE|BEGIN (IMMEDIATE|TRANSACTION))\b"#;
    only("SQL, outside src/store/", pattern, |file| {
        file.path.starts_with("src/store/")
    });
}

#[test]
fn the_database_does_not_ask_for_the_time() {
    let pattern = r"(?i)\b(strftime|julianday|unixepoch|current_timestamp|current_time|current_date)\b|(datetime|date)\('now'";
    only("SQL time functions", pattern, |_| false);
}

#[test]
fn only_the_models_know_a_providers_json() {
    let pattern = r#""(keep_alive|num_ctx|eval_count|load_duration|prompt_eval_count)""#;
    only("a provider's JSON, outside src/llm/", pattern, |file| {
        file.path.starts_with("src/llm/")
    });
}

#[test]
fn jobs_and_their_reading_do_no_io() {
    let pattern = r"\bstd::(fs|env|process)\b|std::net::(Tcp|Udp|Unix|ToSocket)|\btokio::(fs|net|process)\b|\breqwest\b|\bfs::|\benv::|File::open|std::io::(stdin|stdout|stderr)";
    only("I/O in job/, moment/ or config/", pattern, |file| {
        let pure = [
            "src/job/",
            "src/moment/",
            "src/config/",
            "src/engine/schedule/",
        ];
        let reads = ["src/config/folder.rs", "src/config/secrets.rs"];
        !pure.iter().any(|folder| file.path.starts_with(folder))
            || reads.contains(&file.path.as_str())
    });
}

#[test]
fn nothing_is_unwrapped_or_left_out() {
    only("`unwrap`", r"\.unwrap\(\)|\.unwrap_err\(\)", |_| false);
    only(
        "what is not there yet",
        r"\b(todo|unimplemented)!|#!\[allow",
        |_| false,
    );
    only(
        "the end of the process",
        r"process::exit|process::abort",
        |_| false,
    );
}

#[test]
fn files_are_small() {
    let long: Vec<String> = sources()
        .iter()
        .map(|file| (file.text.lines().count(), &file.path))
        .filter(|(lines, _)| *lines > 400)
        .map(|(lines, path)| format!("{path} has {lines} lines"))
        .collect();
    assert!(long.is_empty(), "more than 400 lines: {}", long.join(", "));
}

#[test]
fn every_source_says_what_it_is() {
    let silent = |file: &&File| {
        file.path.ends_with(".rs") && !file.is_test() && !file.text.starts_with("//! ")
    };
    let files = sources();
    let silent: Vec<&str> = files
        .iter()
        .filter(silent)
        .map(|file| file.path.as_str())
        .collect();
    assert!(
        silent.is_empty(),
        "no `//!` at the top: {}",
        silent.join(", ")
    );
}

/// Paths in the documents: `src/...`, `tests/...` and the like, in backquotes or plain.
#[test]
fn every_path_in_the_documents_is_there() {
    let path = Regex::new(
        r"(?:^|[\s`(])((?:src|tests|benches|jobs|prompts|config|systemd|docs|fuzz|\.ci)/[\w./-]*\w/?)",
    )
    .expect("a pattern");
    let mut gone = Vec::new();
    for document in ["src/lib.rs", "README.md", "CHANGELOG.md", "CONTRIBUTING.md"] {
        let Ok(text) = std::fs::read_to_string(root().join(document)) else {
            continue;
        };
        for found in path.captures_iter(&text) {
            if !root().join(&found[1]).exists() {
                gone.push(format!("{document}: {}", &found[1]));
            }
        }
    }
    assert!(gone.is_empty(), "not there:\n{}", gone.join("\n"));
}

/// Names of modules in the map, as `[`config::read`]`.
#[test]
fn every_module_in_the_map_is_there() {
    let map = std::fs::read_to_string(root().join("src/lib.rs")).expect("the map");
    let name = Regex::new(r"\[`([a-z_:]+)`\]").expect("a pattern");
    for found in name.captures_iter(&map) {
        let path = format!("src/{}", found[1].replace("::", "/"));
        let there = root().join(format!("{path}.rs")).exists() || root().join(&path).exists();
        assert!(there, "`{}` is in the map and not in the house", &found[1]);
    }
    for module in sources::modules() {
        let drawn = module == "kinds" || map.contains(&format!("[`{module}`]"));
        assert!(drawn, "`{module}` is in the house and not in the map");
    }
}
