//! The words of a model: good ones, invented ones, and what is written down of the talk.

use std::time::Duration;

use serde_json::json;

use super::{Home, Ran};
use crate::job::Outcome;
use crate::llm::fake::Act::{Done, Hang, Say};
use crate::llm::fake::{Act, Ollama, Script};

pub(super) const JOB: &str = "[[step]]\nid = \"found\"\nset.at = \"'10:30'\"\n\
    [[step]]\nid = \"text\"\nprompt = \"p.md\"\nroute = \"quick\"\nfacts = \"strict\"\nfallback = \"plain.md\"\n\
    [[deliver]]\nconsole = true\ntext = \"{{ text }}\"\n";
pub(super) const PROMPTS: &[(&str, &str)] = &[
    (
        "p.md",
        "+++\nsystem = \"You word facts.\"\nmax_tokens = 200\n+++\nWord this.\n---\nDentist at {{ found.at }}\n",
    ),
    ("plain.md", "Dentist: {{ found.at }}\n"),
];

/// Models by name and address, with more lines for each, and a route through all of them.
pub(super) fn models(models: &[(&str, &str, &str)]) -> String {
    let mut text = String::new();
    for (name, url, more) in models {
        text.push_str(&format!(
            "[models.{name}]\nprovider = \"ollama\"\nurl = {url:?}\nmodel = \"tiny\"\n{more}\n"
        ));
    }
    let names: Vec<_> = models.iter().map(|(name, ..)| name).collect();
    format!("{text}[routes.quick]\nmodels = {names:?}\n")
}

pub(super) fn home(settings: &str) -> Home {
    Home::new(tempfile::tempdir().unwrap(), settings, JOB, PROMPTS)
}

/// Runs the job against a server that answers its chats so.
async fn run(chats: Vec<Vec<Act>>) -> (Home, Ollama, Ran) {
    let script = Script {
        chats,
        ..Script::says("")
    };
    let ollama = Ollama::start(script).await;
    let home = home(&models(&[("small", &ollama.url, "")]));
    let ran = home.run().await;
    (home, ollama, ran)
}

fn says(text: &'static str) -> Vec<Act> {
    vec![Say(text), Done("stop")]
}

const NOT_KEPT: &str = "Dentist: 10:30\n\n_Plain text: the model did not keep to the facts._";

#[tokio::test]
async fn a_good_answer_is_delivered_and_its_call_written_down() {
    let (home, ollama, ran) = run(vec![says("Dentist at 10:30.")]).await;
    assert_eq!(
        (&ran.finished.outcome, ran.said()),
        (&Outcome::Ok, vec!["Dentist at 10:30."])
    );
    let story = home.story(ran.finished.run);
    let call = &story.calls[0];
    assert_eq!(
        (&call.step[..], &call.model[..], &call.backend[..]),
        ("text", "small", "ollama/tiny")
    );
    assert_eq!(
        (call.tokens_in, call.tokens_out, &call.error),
        (312, 96, &None)
    );
    let chat = &ollama.bodies("/api/chat")[0];
    let detail = story.steps[1].detail.as_ref().unwrap();
    assert_eq!(detail["prompt"]["system"], chat["messages"][0]["content"]);
    assert_eq!(detail["prompt"]["user"], chat["messages"][1]["content"]);
    assert_eq!(detail["answer"], "Dentist at 10:30.");
}

#[tokio::test]
async fn times_of_a_call_are_written_down() {
    let mut script = Script::chat(vec![Act::Wait, Say("Dentist at 10:30."), Done("stop")]);
    script.load = vec![Act::Wait];
    let ollama = Ollama::start(script).await;
    let home = home(&models(&[("small", &ollama.url, "")]));
    let (ran, ()) = tokio::join!(home.run(), async {
        for (path, seconds) in [("/api/generate", 40), ("/api/chat", 7)] {
            ollama.asked(path).await;
            home.clock.sleeping(3).await;
            home.clock.advance(Duration::from_secs(seconds));
            ollama.go_on();
        }
    });
    let call = &home.story(ran.finished.run).calls[0];
    let seconds = [call.load, call.first_token, call.total].map(|time| time.as_secs());
    assert_eq!(seconds, [40, 7, 47]);
}

#[tokio::test]
async fn an_invention_is_named_and_asked_for_again() {
    let chats = vec![
        says("Dentist at 11:45."),
        says("Dentist at half past ten: 10:30."),
    ];
    let (home, ollama, ran) = run(chats).await;
    assert_eq!(ran.said(), ["Dentist at half past ten: 10:30."]);
    let second = &ollama.bodies("/api/chat")[1]["messages"];
    let expected = json!([
        {"role": "assistant", "content": "Dentist at 11:45."},
        {"role": "user", "content": "These are not in the facts: 11:45. Write it again with nothing but the facts."}
    ]);
    assert_eq!(json!(second.as_array().unwrap()[2..]), expected);
    let story = home.story(ran.finished.run);
    let detail = story.steps[1].detail.as_ref().unwrap();
    assert_eq!(detail["answer_invented"], "11:45");
    assert_eq!(story.calls.len(), 2);
}

#[tokio::test]
async fn after_two_inventions_the_plain_text_goes_out_and_says_so() {
    let (home, ollama, ran) = run(vec![says("Dentist at 11:45.")]).await;
    assert_eq!(
        (&ran.finished.outcome, ran.said()),
        (&Outcome::Ok, vec![NOT_KEPT])
    );
    assert_eq!(ollama.bodies("/api/chat").len(), 2);
    assert_eq!(home.story(ran.finished.run).calls.len(), 2);
}

#[tokio::test]
async fn a_second_question_does_not_change_the_context() {
    let long = "+++\nmax_tokens = 200\n+++\nWord this.\n---\nDentist at {{ found.at }}\n";
    // So long that prompt and answer fit a context of 2048 and a talk of two answers does not.
    let long = format!("{long}{}\n", "word ".repeat(1700));
    let prompts = [("p.md", &long[..]), PROMPTS[1]];
    let chats = vec![says("Dentist at 11:45."), says("Dentist at 10:30.")];
    let ollama = Ollama::start(Script {
        chats,
        ..Script::says("")
    })
    .await;
    let settings = models(&[("small", &ollama.url, "context = 8192")]);
    let home = Home::new(tempfile::tempdir().unwrap(), &settings, JOB, &prompts);
    assert_eq!(home.run().await.said(), ["Dentist at 10:30."]);
    for path in ["/api/generate", "/api/chat"] {
        let contexts = ollama.bodies(path).into_iter();
        let contexts: Vec<_> = contexts
            .map(|body| body["options"]["num_ctx"].clone())
            .collect();
        assert_eq!(contexts, [4096, 4096], "{path}");
    }
}

#[tokio::test]
async fn the_second_model_answers_when_the_first_does_not() {
    let (bad, good) = tokio::join!(
        Ollama::start(Script::chat(vec![Say("oops\u{fffd}"), Done("stop")])),
        Ollama::start(Script::says("Dentist at 10:30."))
    );
    let home = home(&models(&[
        ("first", &bad.url, ""),
        ("second", &good.url, ""),
    ]));
    let ran = home.run().await;
    assert_eq!(ran.said(), ["Dentist at 10:30."]);
    let calls = home.story(ran.finished.run).calls;
    let calls: Vec<_> = calls
        .iter()
        .map(|call| (&call.model[..], call.error.as_deref()))
        .collect();
    assert_eq!(
        calls,
        [
            ("first", Some("the answer is not readable text")),
            ("second", None)
        ]
    );
}

#[tokio::test]
async fn a_model_that_is_not_at_home_gets_no_connection() {
    let everywhere = format!("local_only = true\n{JOB}");
    for (setting, job) in [("", &everywhere[..]), ("local_only = true", JOB)] {
        let (cloud, small) = tokio::join!(
            Ollama::start(Script::says("Dentist at 10:30.")),
            Ollama::start(Script::chat(vec![Done("stop")]))
        );
        let both = [
            (
                "cloud",
                &cloud.url[..],
                "local = false\nprice.input = 1\nprice.output = 2",
            ),
            ("small", &small.url[..], ""),
        ];
        let settings = format!("{setting}\n{}", models(&both));
        let home = Home::new(tempfile::tempdir().unwrap(), &settings, job, PROMPTS);
        let said = "Dentist: 10:30\n\n_Plain text: no model answered._";
        assert_eq!(home.run().await.said(), [said]);
        assert_eq!(cloud.seen().len(), 0, "{setting}");
        assert_eq!(small.bodies("/api/chat").len(), 1);
        // And without the word it does.
        let home = home.again(&models(&both), JOB, PROMPTS);
        assert_eq!(home.run().await.said(), ["Dentist at 10:30."]);
        assert_eq!(cloud.bodies("/api/chat").len(), 1);
    }
}

#[tokio::test]
async fn the_steps_own_limit_ends_in_the_plain_text() {
    let ollama = Ollama::start(Script::chat(vec![Say("Den"), Hang])).await;
    let settings = models(&[(
        "small",
        &ollama.url,
        "timeout.first_token = \"1h\"\ntimeout.stall = \"1h\"",
    )]);
    let job = JOB.replace(
        "facts = \"strict\"",
        "facts = \"strict\"\ntimeout = \"20s\"",
    );
    let home = Home::new(tempfile::tempdir().unwrap(), &settings, &job, PROMPTS);
    let (ran, ()) = tokio::join!(home.run(), async {
        ollama.asked("/api/chat").await;
        home.clock.sleeping(3).await;
        home.clock.advance(Duration::from_secs(20));
    });
    assert_eq!(
        ran.said(),
        ["Dentist: 10:30\n\n_Plain text: no model answered._"]
    );
    ollama.hung_up().await;
    let call = &home.story(ran.finished.run).calls[0];
    let error = "the whole call took longer than 20s";
    assert_eq!(call.error.as_deref(), Some(error));
    assert_eq!(call.total, Duration::from_secs(20));
}

#[tokio::test]
async fn a_long_prompt_gets_the_context_that_it_needs() {
    let ollama = Ollama::start(Script {
        context: 32_768,
        ..Script::says("Dentist at 10:30.")
    })
    .await;
    let long = format!("{}{}\n", PROMPTS[0].1, "word ".repeat(6000));
    let prompts = [("p.md", &long[..]), PROMPTS[1]];
    let settings = models(&[("small", &ollama.url, "")]);
    let home = Home::new(tempfile::tempdir().unwrap(), &settings, JOB, &prompts);
    assert_eq!(home.run().await.said(), ["Dentist at 10:30."]);
    let context = &ollama.bodies("/api/chat")[0]["options"]["num_ctx"];
    assert!(context.as_u64() > Some(4096), "{context}");
}

#[tokio::test]
async fn a_model_that_its_server_passes_on_is_not_at_home() {
    let ollama = Ollama::start(Script::says("Dentist at 10:30.")).await;
    let settings = models(&[("small", &ollama.url, "")]).replace(
        "\"tiny\"",
        "\"tiny-cloud\"\nprice.input = 1\nprice.output = 2",
    );
    let settings = format!("local_only = true\n{settings}");
    let home = Home::new(tempfile::tempdir().unwrap(), &settings, JOB, PROMPTS);
    let said = "Dentist: 10:30\n\n_Plain text: no model answered._";
    assert_eq!(home.run().await.said(), [said]);
    assert_eq!(ollama.seen().len(), 0);
}
