//! The bugs that are put back to try the tests: each still fits the sources.

use std::fs;

use super::sources::root;

#[test]
fn every_bug_of_the_list_fits() {
    let list = fs::read_to_string(root().join("tests/mutations/list.toml")).expect("the list");
    let list: toml::Table = list.parse().expect("TOML");
    let bugs = list["mutation"].as_array().expect("a list");
    assert!(bugs.len() >= 20);
    for bug in bugs {
        let of = |key: &str| bug[key].as_str().expect("a text");
        let text = fs::read_to_string(root().join(of("file"))).expect("a file");
        let found = text.matches(of("search")).count();
        assert_eq!(
            found,
            1,
            "{}: its text is {found} times in {}",
            of("bug"),
            of("file")
        );
        assert_ne!(of("search"), of("replace"));
    }
}
