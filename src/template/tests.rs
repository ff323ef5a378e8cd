use serde_json::json;

use super::*;

pub(super) fn templates() -> Templates {
    speaking(Locale::En)
}

fn speaking(locale: Locale) -> Templates {
    let now = "2026-11-20T06:00:00Z".parse().expect("a time");
    Templates::new(locale, Tz::named("Europe/Madrid").unwrap(), now)
}

fn context() -> Context {
    let roots = json!({
        "events": {"items": [
            {"title": "Stand-up", "start": "2026-11-20T08:00:00Z", "day": "fri"},
            {"title": "Swimming", "start": "2026-11-21T09:00:00Z", "day": "sat"},
            {"title": "Dentist", "start": "2026-11-20T10:30:00Z", "day": "fri"},
        ]},
        "text": null,
        "n": 3,
    });
    Context::from(roots.as_object().expect("an object"))
}

fn error(source: &str) -> TemplateError {
    templates()
        .render("t.md", source, &context())
        .expect_err(source)
}

#[test]
fn filters_speak_both_languages() {
    let check = |expression: &str, en: &str, es: &str| {
        for (locale, expected) in [(Locale::En, en), (Locale::Es, es)] {
            let source = format!("{{{{ {expression} }}}}");
            let text = speaking(locale).render("t", &source, &context());
            assert_eq!(text.as_deref(), Ok(expected), "{expression}");
        }
    };
    check("'2026-11-20T08:00:00Z'|time", "09:00", "09:00");
    check("'2026-11-20T08:00:00+03:00'|time", "06:00", "06:00");
    check("'2026-11-20T09:00'|time", "09:00", "09:00");
    check(
        "'2026-11-20T08:00:30Z'|time('%H:%M:%S')",
        "09:00:30",
        "09:00:30",
    );
    check("'2026-11-20'|time", "all day", "todo el día");
    check(
        "'2026-11-20T23:30:00Z'|date",
        "Saturday 21 November",
        "sábado 21 de noviembre",
    );
    check("'2026-11-20'|date('short')", "Fri 20 Nov", "vie 20 nov");
    check("1795158000|date('iso')", "2026-11-20", "2026-11-20");
    check("'2026-11-20'|weekday", "Friday", "viernes");
    check("7|weekday", "Sunday", "domingo");
    check("'2026-09-01'|month", "September", "septiembre");
    check("2|month", "February", "febrero");
    check(
        "'2026-11-20T05:55:00Z'|ago",
        "5 minutes ago",
        "hace 5 minutos",
    );
    check("'2026-11-22'|ago", "in 1 day", "dentro de 1 día");
    check("5400|duration", "1 h 30 min", "1 h 30 min");
    check("'90s'|duration", "1 min 30 s", "1 min 30 s");
    check("4.12|duration", "4.1 s", "4,1 s");
    check("1610612736|bytes", "1.5 GiB", "1,5 GiB");
    check(
        "'Calle Mayor number four'|truncate(15)",
        "Calle Mayor…",
        "Calle Mayor…",
    );
    check("'Donaudampfschiff'|truncate(6)", "Donau…", "Donau…");
    check("'señor'|truncate(5)", "señor", "señor");
    check("'señora'|truncate(0)", "", "");
    check(
        "[1, 'a<b', none]|json",
        "[1,\"a<b\",null]",
        "[1,\"a<b\",null]",
    );
    check("events.items|plural('event', 'events')", "events", "events");
    check("1|plural('event', 'events')", "event", "event");
    check("locale", "en", "es");
    check("text", "", "");
    check("'%.1f'|format(2.25)", "2.2", "2.2");
    check("'a\nb'|indent(2)", "a\n  b", "a\n  b");
}

#[test]
fn local_times_follow_the_zone_through_its_changes() {
    let check = |text: &str, expected: &str| {
        let source = format!("{{{{ '{text}'|time('%H:%M %z') }}}}");
        let result = templates().render("t", &source, &context());
        assert_eq!(result.as_deref(), Ok(expected));
    };
    check("2026-03-29T00:59:00Z", "01:59 +0100");
    check("2026-03-29T01:00:00Z", "03:00 +0200");
    check("2026-03-29T02:30", "03:30 +0200"); // inside the gap
    check("2026-10-25T00:30:00Z", "02:30 +0200");
    check("2026-10-25T01:30:00Z", "02:30 +0100");
    check("2026-10-25T02:30", "02:30 +0200"); // twice: the earlier
}

#[test]
fn groups_keep_the_order_of_first_sight() {
    let source = "{% for g in events.items|group('day') %}\n{{ g.key }}:\n{% for e in g.items %}\n  {{ e.title }}\n{% endfor %}\n{% endfor %}";
    let text = templates().render("t", source, &context());
    assert_eq!(
        text.as_deref(),
        Ok("fri:\n  Stand-up\n  Dentist\nsat:\n  Swimming\n")
    );
}

#[test]
fn errors_say_where_what_and_what_was_meant() {
    let check = |source: &str, at: &str, what: &str, hint: Option<&str>| {
        let error = error(source);
        let range = error.range.expect("a range");
        assert_eq!((&source[range], error.what.as_str()), (at, what));
        assert_eq!(error.hint.as_deref(), hint);
    };
    check(
        "{{ events.itms }}",
        "events.itms",
        "`events.itms` is not defined",
        Some("did you mean `items`?"),
    );
    check(
        "{{ evnts }}",
        "evnts",
        "`evnts` is not defined",
        Some("did you mean `events`?"),
    );
    check(
        "{{ n|duratoin }}",
        "duratoin",
        "unknown filter `duratoin`",
        Some("did you mean `duration`?"),
    );
    check(
        "{{ n is evn }}",
        "evn",
        "unknown test `evn`",
        Some("did you mean `even`?"),
    );
    let error = error("one\ntwo {{ 'x'|time }}");
    assert_eq!(error.line, Some(2));
    assert!(error.what.starts_with("x is not a time"), "{}", error.what);
}

#[test]
fn bad_arguments_are_errors_and_never_panics() {
    for source in [
        "{{ '2026-11-20T08:00:00Z'|time('%Q') }}",
        "{{ 9|weekday }}",
        "{{ -9223372036854775808|weekday }}",
        "{{ 13|month }}",
        "{{ 9223372036854775807|date }}",
        "{{ '90 parsecs'|duration }}",
        "{{ 'many'|bytes }}",
        "{{ events.items|group('dya') }}",
        "{{ 3|group('day') }}",
        "{{ '2026-11-20'|date('medium') }}",
    ] {
        error(source);
    }
}

#[test]
fn expressions_keep_their_types() {
    let check = |expression: &str, expected: Json| {
        assert_eq!(templates().eval(expression, &context()), Ok(expected));
    };
    check("n + 1", json!(4));
    check("n / 2", json!(1.5));
    check("events.items|length > 2", json!(true));
    check(
        "events.items|map(attribute='title')|list",
        json!(["Stand-up", "Swimming", "Dentist"]),
    );
    check("{'z': 1, 'a': [none]}", json!({"z": 1, "a": [null]}));
    check("text", json!(null));
    assert_eq!(
        templates().truthy("text or events.items", &context()),
        Ok(true)
    );
    assert_eq!(
        templates().truthy("not events.items", &context()),
        Ok(false)
    );
    let error = templates()
        .truthy("events.itms", &context())
        .expect_err("undefined");
    assert_eq!(error.hint.as_deref(), Some("did you mean `items`?"));
}

#[test]
fn a_fault_in_an_include_is_told_of_the_include() {
    let sources = BTreeMap::from([
        ("ok.md".to_owned(), "({{ n }})".to_owned()),
        ("bad.md".to_owned(), "\n{{ m }}".to_owned()),
        ("loop.md".to_owned(), "{% include 'loop.md' %}".to_owned()),
    ]);
    let templates = templates().with_sources(Arc::new(sources));
    let render = |source| templates.render("t", source, &context());
    assert_eq!(render("{% include 'ok.md' %}!").as_deref(), Ok("(3)!"));
    let error = render("{% include 'bad.md' %}").expect_err("undefined");
    assert_eq!((error.name.as_str(), error.line), ("bad.md", Some(2)));
    assert!(render("{% include 'loop.md' %}").is_err());
    assert!(render("{% include 'none.md' %}").is_err());
}

#[test]
fn what_does_not_end_is_stopped() {
    let many = "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}";
    assert!(
        error(many).what.contains("does not end"),
        "{}",
        error(many).what
    );
    let long = "{% for i in range(100000) %}0123456789 0123456789{% endfor %}";
    assert_eq!(error(long).what, limits::TOO_LONG);
    let captured =
        "{% set x %}{% for i in range(100000) %}{{ '0123456789' * 1000 }}{% endfor %}{% endset %}";
    assert_eq!(error(captured).what, limits::TOO_LONG);
    for source in [
        "{{ 'x' * 10**9 }}",
        "{{ [0] * 10**8 }}",
        "{{ range(10**9) }}",
        "{{ 'x'|indent(10**9) }}",
        "{{ '%1000000000d'|format(1) }}",
        "{{ '%*d'|format(1000000000, 1) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% for i in [[]] recursive %}{{ loop([[]]) }}{% endfor %}",
    ] {
        error(source);
    }
}

#[test]
fn depth_is_an_error_and_not_a_crash() {
    let n = 100_000;
    for source in [
        format!("{{{{ {}1{} }}}}", "(".repeat(n), ")".repeat(n)),
        format!("{{{{ 1{} }}}}", " + 1".repeat(n)),
        format!("{{{{ n{} }}}}", ".a".repeat(n)),
        format!("{{{{ n{} }}}}", "|abs".repeat(n)),
        format!("{{{{ {}n }}}}", "not ".repeat(n)),
        format!("{{{{ {}n }}}}", "-".repeat(n)),
        "{% if 1 %}".repeat(n),
        "{% for i in [1] %}".repeat(n),
    ] {
        error(&source);
    }
    // What the limits let through does not crash either.
    let longest = format!("{{{{ 1{} }}}}", "+n".repeat(990));
    let text = templates().render("t", &longest, &context());
    assert_eq!(text.as_deref(), Ok("2971"));
}
