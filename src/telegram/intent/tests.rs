//! Who gets which message.

use super::*;

fn claim(job: &str, kind: Claims) -> Claim {
    Claim {
        job: job.to_owned(),
        trigger: format!("telegram:{job}"),
        kind,
        words: Vec::new(),
        phrases: Vec::new(),
        regex: None,
    }
}

fn house() -> Intents {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Intents::new(vec![
        claim("ask", Claims::Any),
        Claim {
            words: texts(&["hoy", "agenda", "evento", "calendar"]),
            ..claim("briefing", Claims::Command("today".to_owned()))
        },
        Claim {
            regex: Some(r"lunch (?<amount>\d+(\.\d+)?)".to_owned()),
            ..claim("expense", Claims::Text)
        },
        claim("inbox", Claims::Document),
        Claim {
            phrases: texts(&["what's next", "eventos mañana"]),
            ..claim("tomorrow", Claims::Text)
        },
    ])
}

fn who(text: &str) -> Vec<(String, Why)> {
    let asked = Asked { text, file: false };
    let found = house().of(asked).into_iter();
    found.map(|found| (found.job, found.why)).collect()
}

#[test]
fn a_question_finds_its_job() {
    let one = |text: &str| {
        who(text)
            .first()
            .map(|(job, _)| job.clone())
            .unwrap_or_default()
    };
    assert_eq!(one("¿Qué tengo en la AGENDA?"), "briefing");
    assert_eq!(one("/today"), "briefing");
    assert_eq!(one("/TODAY@reveille_bot please"), "briefing");
    assert_eq!(one("any calendars?"), "briefing");
    assert_eq!(one("eventos mañana"), "tomorrow");
    assert_eq!(one("Whats next"), "ask");
    assert_eq!(one("what's next, please"), "tomorrow");
    assert_eq!(one("Lunch 14.50 with client"), "expense");
    assert_eq!(one("why is the sky blue"), "ask");
    assert_eq!(one("/unknown agenda"), "ask");
    assert_eq!(one("😀"), "ask");
    // A word is whole.
    assert_eq!(one("megaagenda"), "ask");
}

#[test]
fn the_more_a_reason_says_the_stronger_it_is() {
    let phrase = vec!["eventos".to_owned(), "manana".to_owned()];
    let words = vec!["hoy".to_owned(), "evento".to_owned()];
    let expected = [
        ("tomorrow".to_owned(), Why::Phrase(phrase)),
        ("briefing".to_owned(), Why::Words(words)),
    ];
    assert_eq!(who("hoy o eventos mañana"), expected);
}

#[test]
fn args_are_what_follows_or_what_was_named() {
    let args = |text: &str| house().of(Asked { text, file: false })[0].args.clone();
    assert_eq!(args("/today  for Ana "), "for Ana");
    assert_eq!(
        args("lunch 14.50 with client"),
        serde_json::json!({ "amount": "14.50" })
    );
    assert_eq!(args("my agenda"), "my agenda");
}

#[test]
fn a_file_goes_to_who_takes_files() {
    let found = house().of(Asked {
        text: "agenda",
        file: true,
    });
    assert_eq!(found[0].job, "inbox");
}

#[test]
fn two_jobs_cannot_claim_the_same() {
    let with = |job: &str, word: &str| Claim {
        words: vec![word.to_owned()],
        ..claim(job, Claims::Text)
    };
    let claims = [
        with("a", "Mañana"),
        with("b", "manana"),
        with("a", "hoy"),
        with("a", "HOY"),
    ];
    assert_eq!(clashes(&claims), [("manana".to_owned(), [0, 1])]);
    let command = |job: &str| claim(job, Claims::Command("today".to_owned()));
    assert_eq!(clashes(&[command("a"), command("b")]).len(), 1);
}

#[test]
fn why_a_job_was_chosen_names_those_that_only_their_names_put_behind() {
    let texts = Claim {
        regex: Some("lunch".to_owned()),
        ..claim("a", Claims::Text)
    };
    let alike = Claim {
        job: "b".to_owned(),
        ..texts.clone()
    };
    let intents = Intents::new(vec![texts, alike, claim("rest", Claims::Any)]);
    let of = |text| {
        let found = intents.of(Asked { text, file: false });
        because(&found)
    };
    let tie = "its pattern, 5 bytes, before b by its name";
    assert_eq!(of("lunch with Ana").as_deref(), Some(tie));
    assert_eq!(of("hello").as_deref(), Some("nobody else claimed it"));
}
