//! Models that give nothing of use: each ends in the plain text, and `show` tells why.

use std::time::Duration;

use super::prompt::{JOB, PROMPTS, home, models};
use super::{Home, Ran};
use crate::job::Outcome;
use crate::llm::fake::Act::{Die, Done, Forever, Hang, Raw, Say, Status};
use crate::llm::fake::{Act, Ollama, Script};

const PLAIN: &str = "Dentist: 10:30\n\n_Plain text: no model answered._";

/// The plain text went out, and the story tells `why`.
#[track_caller]
fn plain(home: &Home, ran: &Ran, why: &str) {
    assert_eq!(
        (&ran.finished.outcome, ran.said()),
        (&Outcome::Ok, vec![PLAIN]),
        "{why}"
    );
    let story = home.story(ran.finished.run);
    let told = &story.steps[1].detail.as_ref().unwrap()["no_answer"];
    assert!(told.to_string().contains(why), "{told} has no {why}");
    let error = story.calls[0].error.as_deref().unwrap();
    assert!(told.to_string().contains(error), "{error}");
}

async fn check(acts: Vec<Act>, why: &str) {
    let ollama = Ollama::start(Script::chat(acts)).await;
    let home = home(&models(&[("small", &ollama.url, "")]));
    let ran = home.run().await;
    plain(&home, &ran, why);
}

#[tokio::test]
async fn an_answer_of_no_use_ends_in_the_plain_text() {
    check(vec![Done("stop")], "the answer is empty").await;
    check(vec![Say("Den"), Die], "the answer broke off").await;
    check(vec![Die], "the answer broke off").await;
    check(vec![Raw(b"hello\n")], "does not speak the protocol").await;
    check(
        vec![Raw(b"<html><body>nginx</body></html>\n")],
        "does not speak the protocol",
    )
    .await;
    check(vec![Status(502, "<html>bad gateway</html>")], "status 502").await;
    check(
        vec![Raw(
            b"{\"message\":{\"content\":\"caf\xe9\"},\"done\":false}\n",
        )],
        "not readable",
    )
    .await;
    check(vec![Forever("la la la ")], "repeats itself").await;
    check(vec![Forever("")], "did not end within 200 tokens").await;
    check(
        vec![Status(404, r#"{"error":"model 'tiny' not found"}"#)],
        "`ollama pull tiny`",
    )
    .await;
}

#[tokio::test]
async fn nobody_at_the_address() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let home = home(&models(&[("small", &url, "")]));
    let ran = home.run().await;
    plain(&home, &ran, "start it with `ollama serve`");
}

/// Lets a limit pass once `path` was asked for; one millisecond before it the run still waits.
async fn late(script: Script, path: &str, limit: Duration, why: &str) -> Ollama {
    let ollama = Ollama::start(script).await;
    let home = home(&models(&[(
        "small",
        &ollama.url,
        "timeout.connect = \"4s\"",
    )]));
    let (ran, ()) = tokio::join!(home.run(), async {
        ollama.asked(path).await;
        // The limits of the run, the call, and of what is waited for.
        home.clock.sleeping(3).await;
        home.clock.advance(limit - Duration::from_millis(1));
        home.clock.sleeping(3).await;
        home.clock.advance(Duration::from_millis(1));
    });
    plain(&home, &ran, why);
    let call = &home.story(ran.finished.run).calls[0];
    assert_eq!(call.total, limit, "{why}");
    ollama
}

#[tokio::test]
async fn each_part_of_a_call_ends_at_its_limit() {
    let load = Script {
        load: vec![Hang],
        ..Script::says("")
    };
    let limit = Duration::from_secs(300);
    let ollama = late(
        load,
        "/api/generate",
        limit,
        "loading the model took longer than 300s",
    )
    .await;
    assert_eq!(
        ollama.bodies("/api/generate").len(),
        1,
        "a load is not repeated"
    );
    let first = Script::chat(vec![Hang]);
    late(
        first,
        "/api/chat",
        Duration::from_secs(120),
        "the first token took longer than 120s",
    )
    .await;
}

#[tokio::test]
async fn a_silent_server_is_left_at_the_limit_of_the_connection() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let home = home(&models(&[("small", &url, "timeout.connect = \"4s\"")]));
    let (ran, ()) = tokio::join!(home.run(), async {
        let _accepted = silent.accept().await.unwrap();
        home.clock.sleeping(4).await;
        home.clock.advance(Duration::from_secs(4));
    });
    plain(&home, &ran, "no server answers at");
}

#[tokio::test]
async fn a_call_ends_at_its_limit_in_all() {
    let ollama = Ollama::start(Script::chat(vec![Hang])).await;
    let limits = "timeout.total = \"50s\"";
    let home = home(&models(&[("small", &ollama.url, limits)]));
    let (ran, ()) = tokio::join!(home.run(), async {
        ollama.asked("/api/chat").await;
        home.clock.sleeping(3).await;
        home.clock.advance(Duration::from_secs(50));
    });
    plain(&home, &ran, "the whole call took longer than 50s");
}

#[tokio::test]
async fn a_prompt_that_does_not_fit_is_not_cut() {
    let ollama = Ollama::start(Script::says("Dentist at 10:30.")).await;
    let long = format!(
        "Word this.\n---\n{}\n{{{{ found.at }}}}\n",
        "word ".repeat(3000)
    );
    let settings = models(&[("small", &ollama.url, "context = 2048")]);
    let prompts = [("p.md", &long[..]), PROMPTS[1]];
    let home = Home::new(tempfile::tempdir().unwrap(), &settings, JOB, &prompts);
    let ran = home.run().await;
    plain(&home, &ran, "more than the 2048 of the model");
    assert_eq!(ollama.bodies("/api/chat").len(), 0);
}

#[tokio::test]
async fn without_a_fallback_the_run_fails_and_says_what_to_do() {
    let ollama = Ollama::start(Script::chat(vec![Status(
        404,
        r#"{"error":"model 'tiny' not found"}"#,
    )]))
    .await;
    let job = JOB.replace("fallback = \"plain.md\"\n", "");
    let settings = models(&[("small", &ollama.url, "")]);
    let home = Home::new(tempfile::tempdir().unwrap(), &settings, &job, PROMPTS);
    let ran = home.run().await;
    let reason = ran.failure();
    assert!(
        reason.starts_with("step `text`: no model answered"),
        "{reason}"
    );
    assert!(
        reason.contains("small: the server has no model `tiny` (pull it: `ollama pull tiny`)"),
        "{reason}"
    );
    assert!(reason.contains("no `fallback`"), "{reason}");
    assert_eq!(home.story(ran.finished.run).calls.len(), 1);
}

#[tokio::test]
async fn a_model_without_its_key_is_skipped_and_told_of() {
    let ollama = Ollama::start(Script::says("Dentist at 10:30.")).await;
    let missing = "api_key.file = \"missing.secret\"";
    let paid = ("paid", "http://127.0.0.1:9", missing);
    let why = "paid: cannot read the secret in ";
    let home = home(&models(&[paid, ("small", &ollama.url, "")]));
    let ran = home.run().await;
    assert_eq!(ran.said(), ["Dentist at 10:30."]);
    let story = home.story(ran.finished.run);
    let told = &story.steps[1].detail.as_ref().unwrap()["skipped"][0];
    assert!(told.as_str().unwrap().starts_with(why), "{told}");

    let home = home.again(&models(&[paid]), JOB, PROMPTS);
    assert_eq!(home.run().await.said(), [PLAIN]);

    let job = JOB.replace("fallback = \"plain.md\"\n", "");
    let home = home.again(&models(&[paid]), &job, PROMPTS);
    let ran = home.run().await;
    assert!(ran.failure().contains(why), "{}", ran.failure());
}

#[tokio::test]
async fn a_prompt_that_cannot_be_filled_in_ends_in_the_plain_text() {
    let ollama = Ollama::start(Script::says("Dentist at 10:30.")).await;
    let settings = models(&[("small", &ollama.url, "")]);
    let bad = "Word this.\n---\n{{ 1 // (found.at | length - 5) }}\n";
    let prompts = [("p.md", bad), PROMPTS[1]];
    let home = Home::new(tempfile::tempdir().unwrap(), &settings, JOB, &prompts);
    let ran = home.run().await;
    let said = "Dentist: 10:30\n\n_Plain text: the prompt could not be filled in._";
    assert_eq!(ran.said(), [said]);
    let story = home.story(ran.finished.run);
    let told = &story.steps[1].detail.as_ref().unwrap()["no_prompt"];
    assert!(told.as_str().is_some(), "{told}");
}
