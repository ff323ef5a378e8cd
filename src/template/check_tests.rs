use serde_json::json;

use super::tests::templates;
use super::*;

fn roots() -> Map<String, Json> {
    let roots = json!({
        "events": {"items": [{"title": "Stand-up", "start": "2026-11-20T08:00:00Z", "place": null}], "day": "2026-11-20"},
        "page": {"json": OPAQUE, "status": 200},
        "event": {"due_at": "2026-11-20T06:00:00Z"},
        "text": "words",
    });
    roots.as_object().cloned().expect("an object")
}

/// `expected`: for each finding, the text under the caret, what is wrong, and the hint.
#[track_caller]
fn check(source: &str, expected: &[(&str, &str, &str)]) {
    let findings = templates().check("t.md", source, &roots());
    let found: Vec<_> = findings
        .iter()
        .map(|finding| {
            let range = finding.range.clone().expect("a range");
            (
                &source[range],
                finding.what.as_str(),
                finding.hint.as_deref().unwrap_or(""),
            )
        })
        .collect();
    assert_eq!(found, expected, "{source}");
}

#[test]
fn good_templates_have_no_findings() {
    for source in [
        "",
        "plain",
        "{{ text }} {{ events.day|date }} {{ locale }}",
        "{% for e in events.items %}{{ loop.index }} {{ e.title|upper }} {{ e.place.street }}{% else %}-{% endfor %}",
        "{% for e in events.items|sort(attribute='start')|selectattr('title') %}{{ e.start|time }}{% endfor %}",
        "{% for g in events.items|group('start') %}{{ g.key }}{% for e in g.items %}{{ e.title }}{% endfor %}{% endfor %}",
        "{{ events.items[0].title }}{{ (events.items|first).title }}{{ events['day'] }}",
        "{{ page.json.any.thing[3].at['all'] }}",
        "{{ event.args|default('none') }}{% if event.args is defined %}x{% endif %}{{ nobody|d(1) }}",
        "{% set a = events.items %}{% for e in a %}{{ e.title }}{% endfor %}",
        "{% set ns = namespace(n=0) %}{% for i in range(3) %}{% set ns.n = ns.n + 1 %}{% endfor %}{{ ns.n }}",
        "{% macro m(x, y=1) %}{{ x }}{{ y }}{% endmacro %}{{ m(text) }}",
        "{% with x = text %}{{ x }}{% endwith %}{% filter upper %}a{% endfilter %}",
        "{% if events is none %}no{% endif %}{{ 'a' if text else 'b' }}",
        "{{ {'a': 1}.a }}{{ [1, 2][0] }}{{ text ~ 1 }}{{ -1 }}{{ not text }}",
        "{{ events.items|map(attribute='title')|join(', ') }}",
    ] {
        check(source, &[]);
    }
}

#[test]
fn names_and_fields_that_are_not_there_are_found_with_their_place() {
    check(
        "{{ evnts.items }}",
        &[("evnts", "`evnts` is not defined", "did you mean `events`?")],
    );
    check(
        "{{ zzz }}",
        &[(
            "zzz",
            "`zzz` is not defined",
            "there are: events, page, event, text",
        )],
    );
    check(
        "a {{ events.itms }}",
        &[("itms", "there is no field `itms`", "did you mean `items`?")],
    );
    check(
        "{{ events['dya'] }}",
        &[("dya", "there is no field `dya`", "did you mean `day`?")],
    );
    check(
        "{% for e in events.items %}{{ e.title }}{{ e.titel }}{% endfor %}",
        &[(
            "titel",
            "there is no field `titel`",
            "did you mean `title`?",
        )],
    );
    check(
        "{{ (events.items|sort|first).titel }}",
        &[(
            "titel",
            "there is no field `titel`",
            "did you mean `title`?",
        )],
    );
    check(
        "{% if false %}{% set a = events %}{{ a.itms }}{% endif %}",
        &[("itms", "there is no field `itms`", "did you mean `items`?")],
    );
    check(
        "{{ event.agrs.first|default('') }}",
        &[("agrs", "there is no field `agrs`", "there are: due_at")],
    );
    check(
        "{{ text.length }}",
        &[("length", "there is no field `length`", "it is a text")],
    );
    check(
        "{{ events.items.title }}",
        &[(
            "title",
            "there is no field `title`",
            "it is a list: its items have fields, in a `for`",
        )],
    );
    check(
        "{% for e in events.items %}{{ loop.indx }}{% endfor %}{{ e }}",
        &[
            ("indx", "there is no field `indx`", "did you mean `index`?"),
            (
                "e",
                "`e` is not defined",
                "there are: events, page, event, text",
            ),
        ],
    );
    check(
        "{% for g in events.items|group('strat') %}{{ g.keys }}{% endfor %}",
        &[
            (
                "strat",
                "the items have no field `strat`",
                "did you mean `start`?",
            ),
            ("keys", "there is no field `keys`", "did you mean `key`?"),
        ],
    );
}

#[test]
fn unknown_filters_tests_functions_and_methods_are_found() {
    check(
        "{{ text|tuncate(3) }} {{ text|date|uper }}",
        &[
            (
                "tuncate",
                "unknown filter `tuncate`",
                "did you mean `truncate`?",
            ),
            ("uper", "unknown filter `uper`", "did you mean `upper`?"),
        ],
    );
    check(
        "{% if text is difined %}{% endif %}",
        &[(
            "difined",
            "unknown test `difined`",
            "did you mean `defined`?",
        )],
    );
    check(
        "{{ rang(3) }}",
        &[("rang", "unknown function `rang`", "did you mean `range`?")],
    );
    check(
        "{{ text.upper() }}",
        &[(
            "upper",
            "values have no method `upper`",
            "write it as a filter: `|upper`",
        )],
    );
    check(
        "{% filter uper %}{% endfilter %}",
        &[("uper", "unknown filter `uper`", "did you mean `upper`?")],
    );
}

#[test]
fn a_syntax_error_is_the_only_finding() {
    let findings = templates().check("t.md", "one\n{{ text|upper }\n", &roots());
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].line, Some(2));
    assert!(
        findings[0].what.starts_with("syntax: "),
        "{}",
        findings[0].what
    );
    assert_eq!(
        templates().syntax("t", "{% if %}").map_err(|e| e.line),
        Err(Some(1))
    );
    assert_eq!(templates().syntax("t", "{{ a }}"), Ok(()));
}

#[test]
fn includes_are_checked_where_they_stand() {
    let sources = BTreeMap::from([
        (
            "item.md".to_owned(),
            "- {{ e.title }}\n- {{ e.titel }}".to_owned(),
        ),
        (
            "circle.md".to_owned(),
            "{% include 'circle.md' %}".to_owned(),
        ),
    ]);
    let templates = templates().with_sources(Arc::new(sources));
    let find = |source| {
        let findings = templates.check("t.md", source, &roots());
        findings.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        find("{% for e in events.items %}{% include 'item.md' %}{% endfor %}"),
        ["item.md:2: there is no field `titel` (did you mean `title`?)"]
    );
    assert_eq!(
        find("{% include 'itm.md' %}"),
        ["t.md:1: there is no template `itm.md` (did you mean `item.md`?)"]
    );
    assert_eq!(
        find("{% include 'circle.md' %}"),
        ["circle.md:1: `circle.md` includes itself"]
    );
}

#[test]
fn expressions_are_checked_alike() {
    let find = |expression| {
        let findings = templates().check_expression(expression, &roots());
        findings
            .into_iter()
            .map(|f| (f.range, f.what))
            .collect::<Vec<_>>()
    };
    assert_eq!(find("not events.items and page.status > 200"), []);
    assert_eq!(
        find("not events.itms and pag.status|foo"),
        [
            (Some(11..15), "there is no field `itms`".into()),
            (Some(31..34), "unknown filter `foo`".into()),
            (Some(20..23), "`pag` is not defined".into()),
        ]
    );
    assert!(find("a b")[0].1.starts_with("syntax"));
}
