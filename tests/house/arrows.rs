//! Arrows point down.

use regex::Regex;

use super::sources::{modules, sources};

/// The floors of the house, from the bottom up. A module names what stands on floors below it, and on its own where
/// that is allowed.
const FLOORS: &[&[&str]] = &[
    &["error", "zone"],
    &["clock", "hash", "glob", "journal", "words"],
    &["job", "moment"],
    // `net` stands below `llm`: calendars and models both call through it.
    &[
        "store",
        "net",
        "plot",
        "sandbox",
        "template",
        "thrift",
        "workspace",
    ],
    &["calendar", "llm", "system", "telegram", "watch"],
    // One floor, as `lib.rs` says: a kind's keys, check and action are one file, so `config` holds the kinds and the kinds
    // name the values and the reader of `config`. `kinds` is the macro that writes their tables.
    KINDS,
    &["engine"],
    &["web"],
    &["cli"],
];

/// The floor whose modules may name each other.
const KINDS: &[&str] = &["kinds", "trigger", "step", "delivery", "config"];

fn floor(module: &str) -> usize {
    let floor = FLOORS.iter().position(|floor| floor.contains(&module));
    floor.unwrap_or_else(|| panic!("`{module}` stands on no floor: add it to `FLOORS`"))
}

#[test]
fn arrows_point_down() {
    let one = Regex::new(r"\bcrate::(?:\{([^}]*)\}|([a-z_]+))").expect("a pattern");
    let mut up = Vec::new();
    for file in sources() {
        let from = file.module();
        if ["lib", "main"].contains(&from) {
            continue;
        }
        let code: Vec<&str> = file.code().map(|(_, line)| line).collect();
        for found in one.captures_iter(&code.join("\n")) {
            let names = found
                .get(1)
                .or(found.get(2))
                .map_or("", |names| names.as_str());
            for name in names
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
            {
                let to = name.split("::").next().unwrap_or(name);
                let same = from == to || (KINDS.contains(&from) && KINDS.contains(&to));
                if !same && floor(to) >= floor(from) {
                    up.push(format!("{}: {from} -> {to}", file.path));
                }
            }
        }
    }
    assert!(
        up.is_empty(),
        "arrows that point up or sideways:\n{}",
        up.join("\n")
    );
}

#[test]
fn every_module_stands_on_a_floor() {
    for module in modules() {
        floor(&module);
    }
    let known = modules();
    for module in FLOORS.iter().copied().flatten() {
        assert!(known.contains(*module), "`{module}` is drawn and not there");
    }
}
