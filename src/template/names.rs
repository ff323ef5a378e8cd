//! The names that templates may use, and the search for the one that was meant.

/// Filters: ours, then the engine's.
pub(super) const FILTERS: &[&str] = &[
    "ago",
    "bytes",
    "date",
    "duration",
    "group",
    "json",
    "month",
    "plain",
    "plural",
    "untimed",
    "time",
    "truncate",
    "weekday",
    "abs",
    "attr",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "zip",
];

/// Tests, as in `x is defined`.
pub(super) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
    "!=",
    "<",
    "<=",
    "==",
    ">",
    ">=",
];

/// Functions.
pub(super) const FUNCTIONS: &[&str] = &["debug", "dict", "namespace", "range"];

/// Names that are there without anyone's giving them.
pub(super) const GLOBALS: &[&str] = &["locale"];

/// "did you mean ...", where one of `known` is near enough.
pub(super) fn suggest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let near = known
        .map(|name| (strsim::damerau_levenshtein(wrong, name), name))
        .min_by_key(|(distance, _)| *distance)?;
    let allowed = (wrong.chars().count() / 3).max(1);
    (near.0 <= allowed).then(|| format!("did you mean `{}`?", near.1))
}

/// The names in one line, for a hint where none is near.
pub(super) fn listed<'a>(known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<_> = known.collect();
    match known.len() {
        0..=12 => known.join(", "),
        more => format!("{} and {} more", known[..12].join(", "), more - 12),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_listed_is_known_to_the_engine() {
        let templates = crate::template::tests::templates();
        let context = crate::template::Context::default();
        for (kind, names) in [("filter", FILTERS), ("test", TESTS)] {
            for name in names {
                let known = templates.truthy(&format!("'{name}' is {kind}"), &context);
                assert_eq!(known, Ok(true), "{kind} {name}");
            }
        }
        for name in FUNCTIONS.iter().chain(GLOBALS) {
            let known = templates.truthy(&format!("{name} is defined"), &context);
            assert_eq!(known, Ok(true), "{name}");
        }
    }

    #[test]
    fn near_names_are_suggested_and_far_ones_are_not() {
        let check = |wrong, expected: Option<&str>| {
            let meant = suggest(wrong, FILTERS.iter().copied());
            let expected = expected.map(|name| format!("did you mean `{name}`?"));
            assert_eq!(meant, expected, "{wrong}");
        };
        check("weekdy", Some("weekday"));
        check("durtaion", Some("duration"));
        check("xyzzyx", None);
    }
}
