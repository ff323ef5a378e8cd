//! What Markdown looks like on a phone.

use proptest::prelude::*;

use super::*;

/// The text with each look marked, as `bold[word]`.
fn marked(markdown: &str) -> String {
    let rich = render(markdown);
    let mut marks: Vec<(usize, u8, String)> = Vec::new();
    for entity in &rich.entities {
        let name = match &entity.style {
            Style::Bold => "b".to_owned(),
            Style::Italic => "i".to_owned(),
            Style::Strike => "s".to_owned(),
            Style::Code => "code".to_owned(),
            Style::Pre(language) => format!("pre:{}", language.as_deref().unwrap_or("")),
            Style::Link(url) => format!("<{url}>"),
            Style::Quote => "q".to_owned(),
        };
        marks.push((entity.start, 1, format!("{name}[")));
        marks.push((entity.end, 0, "]".to_owned()));
    }
    marks.sort_by_key(|(place, order, _)| (*place, *order));
    let mut shown = rich.text;
    for (place, _, mark) in marks.into_iter().rev() {
        shown.insert_str(place, &mark);
    }
    shown
}

#[test]
fn a_briefing_looks_as_it_was_written() {
    let briefing = "**Friday 20 November**\n09:00-09:30  Stand-up\n11:30-12:30  Dentist, Calle Mayor 4  (overlaps Design review)\n\nTomorrow starts at 10:00.";
    let expected = "b[Friday 20 November]\n09:00-09:30  Stand-up\n11:30-12:30  Dentist, Calle Mayor 4  (overlaps Design review)\n\nTomorrow starts at 10:00.";
    assert_eq!(marked(briefing), expected);
}

#[test]
fn every_form_has_its_look() {
    for (markdown, expected) in [
        ("# Title\n\ntext", "b[Title]\n\ntext"),
        ("a *b* ~~c~~ `d`", "a i[b] s[c] code[d]"),
        ("**a `b` c**", "b[a] code[b] b[c]"),
        ("***a***", "b[i[a]]"),
        (
            "- a\n- b\n  - c\n\n1. d\n2. e",
            "• a\n• b\n  • c\n\n1. d\n2. e",
        ),
        ("- [x] a\n- [ ] b", "☑ a\n☐ b"),
        ("> a\n> b\n>\n> > c\n\nd", "q[a\nb\n\nc]\n\nd"),
        ("```rust\nfn a() {}\n```\nb", "pre:rust[fn a() {}]\n\nb"),
        (
            "| a | bb |\n|---|---|\n| ccc | d |",
            "pre:[a    bb\nccc  d]",
        ),
        ("[a](https://x.org/y)", "<https://x.org/y>[a]"),
        ("![a](https://x.org/y)", "<https://x.org/y>[a]"),
        ("a\n\n---\n\nb", "a\n\n———\n\nb"),
        ("- a\n\n  b\n- c", "• a\nb\n• c"),
    ] {
        assert_eq!(marked(markdown), expected, "{markdown}");
    }
}

#[test]
fn a_quotation_comes_before_the_code_that_is_all_of_it() {
    let styles: Vec<_> = render("> `a`")
        .entities
        .into_iter()
        .map(|entity| entity.style)
        .collect();
    assert_eq!(styles, [Style::Quote, Style::Code]);
}

#[test]
fn nothing_written_is_lost() {
    for (markdown, expected) in [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("a <b>c</b> <!-- d -->", "a <b>c</b> <!-- d -->"),
        (
            "[error]: http://x.org\nnext",
            "[error]: http://x.org\n\nnext",
        ),
        ("first\n\n[a]: /b\n\nlast", "first\n\n[a]: /b\n\nlast"),
        ("~~~a b\n", "pre:[a b]"),
        ("```last words", "pre:[last words]"),
        ("```words", "pre:words[words]"),
        ("[x](tg://resolve?domain=y)", "x (tg://resolve?domain=y)"),
        ("[x](javascript:alert)", "x (javascript:alert)"),
        ("2 * 3 * 4 snake_case_word", "2 * 3 * 4 snake_case_word"),
        ("a\u{202e}b\u{0}c\td", "abc\td"),
        ("", ""),
        ("   \n\n ", ""),
    ] {
        assert_eq!(marked(markdown), expected, "{markdown}");
    }
}

proptest! {
    #[test]
    fn entities_are_valid_whatever_is_written(markdown in "([ *_`~>#\\[\\]()!|\\-:\n]|[a-z]|é|😀|<b>|https://x.y|1\\. |```)*") {
        let rich = render(&markdown);
        prop_assert_eq!(rich.text.trim(), rich.text.as_str());
        for (place, entity) in rich.entities.iter().enumerate() {
            prop_assert!(entity.start < entity.end && entity.end <= rich.text.len());
            prop_assert!(rich.text.is_char_boundary(entity.start) && rich.text.is_char_boundary(entity.end));
            for other in &rich.entities[place + 1..] {
                let apart = other.start >= entity.end;
                let within = other.start >= entity.start && other.end <= entity.end;
                prop_assert!(apart || within, "{entity:?} {other:?}");
                let hard = |style: &Style| matches!(style, Style::Code | Style::Pre(_));
                prop_assert!(apart || !hard(&entity.style), "{entity:?} {other:?}");
                prop_assert!(apart || entity.style == Style::Quote || !hard(&other.style), "{entity:?} {other:?}");
            }
        }
    }

    #[test]
    fn every_word_is_there(words in proptest::collection::vec("[a-zé😀]{1,8}", 0..40), marks in proptest::collection::vec("[*_~>#|\n -]{0,3}", 40)) {
        let markdown: String = words.iter().zip(&marks).map(|(word, mark)| format!("{mark}{word} ")).collect();
        let shown = render(&markdown).text;
        for word in words {
            prop_assert!(shown.contains(&word), "{word} of {markdown:?} is not in {shown:?}");
        }
    }

    /// Strangers' words in the lines of a briefing, put there by the filter `plain`, look as they were written.
    #[test]
    fn plain_words_stay_plain(
        one in "[a-c1`*_~<>&;#\\[\\]()!|\\\\:./-]{1,9}( [a-c`*_~<>&#\\[\\](|\\\\-]{1,5}){0,3}",
        other in "([a-c`*_~]|```|\\[a\\]\\(http://x\\)|&lt;|<b>|~~|\\*\\*){1,6}",
    ) {
        let now = "2026-11-20T06:00:00Z".parse().expect("a time");
        let templates = crate::template::Templates::new(crate::template::Locale::En, crate::zone::Tz::UTC, now);
        let roots = serde_json::json!({ "one": one, "other": other });
        let context = crate::template::Context::from(roots.as_object().expect("an object"));
        let briefing = |one: &str, other: &str| {
            format!("09:00-09:30  {one}, {other}  (overlaps {other}, {one})\n10:00  {one}\n11:00  {other}\n\nAll day: {other}, {one} (day 2 of 5)\n\nTomorrow: {one}")
        };
        let template = briefing("{{ one | plain }}", "{{ other | plain(80) }}");
        let markdown = templates.render("t", &template, &context).expect("it renders");
        prop_assert_eq!(marked(&format!("**Day**\n{markdown}")), format!("b[Day]\n{}", briefing(&one, &other)));
    }
}
