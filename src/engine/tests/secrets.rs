//! A secret that this process knows is shown and written nowhere.

use serde_json::json;

use super::prompt::models;
use super::{Home, by_hand};
use crate::engine::Deliver;
use crate::job::Outcome;
use crate::llm::fake::{Ollama, Script};

const SECRET: &str = "hunter2hunter2";

/// A secret calendar that no step reads.
const NAMED: &str = "[calendars.home]\nics.env = \"KEY\"\n";

/// A home whose `.env` holds the secret.
fn home(job: &str) -> Home {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), format!("KEY={SECRET}\n")).unwrap();
    Home::new(folder, NAMED, job, &[])
}

/// Runs the job with the secret as an argument; it is nowhere, and its stars are in the story.
async fn check(job: &str, deliver: Deliver) -> (Home, super::Ran) {
    let home = home(job);
    let ran = home
        .run_as(by_hand(json!({ "x": SECRET, SECRET: 1 })), deliver)
        .await;
    assert!(!format!("{ran:?}").contains(SECRET), "{ran:?}");
    assert!(!home.written().contains(SECRET), "{job}");
    let story = home.story(ran.finished.run);
    assert_eq!(story.event.payload["args"], json!({ "x": "***", "***": 1 }));
    (home, ran)
}

#[tokio::test]
async fn it_is_starred_out_of_everything_that_a_run_leaves() {
    let say = "[[deliver]]\nconsole = true\ntext = \"it is {{ event.args.x }}, {{ a.stdout }}\"\n[[deliver]]\nfile = \"{{ event.args.x | length }}.md\"\ntext = \"{{ a.stdout }}\"\n";
    // The program brings it in by itself, as one that reads a key file does.
    let part = &SECRET[..7];
    let brings =
        format!("[[step]]\nid = \"a\"\nexec = [\"printf\", \"%s\", \"{part}\", \"{part}\"]\n");
    for deliver in [Deliver::Send, Deliver::Hold] {
        let (_home, ran) = check(&format!("{brings}{say}"), deliver).await;
        assert_eq!(ran.finished.outcome, Outcome::Ok);
        assert_eq!(ran.said()[0], "it is ***, ***");
    }
}

#[tokio::test]
async fn it_is_starred_out_of_failures_and_their_details() {
    let part = &SECRET[..7];
    let fails = format!(
        "[[step]]\nid = \"a\"\nexec = [\"sh\", \"-c\", \"printf %s%s {part} {part} >&2; exit 3\"]\nretry.attempts = 1\n"
    );
    let (home, ran) = check(&fails, Deliver::Send).await;
    assert_eq!(ran.failure(), "step `a`: exit code 3: ***");
    let step = &home.story(ran.finished.run).steps[0];
    assert_eq!(step.detail, Some(json!({ "output": "***" })));
    assert_eq!(step.error.as_deref(), Some("exit code 3: ***"));
}

#[tokio::test]
async fn it_is_starred_out_of_why_there_is_nothing_to_say() {
    let job = format!("[[step]]\nid = \"a\"\nstop_if = \"'{SECRET}'\"\nset.x = \"1\"\n");
    let (_home, ran) = check(&job, Deliver::Send).await;
    let why = "a: '***'".to_owned();
    assert_eq!(ran.finished.outcome, Outcome::NothingToSay(why));
}

#[tokio::test]
async fn it_is_starred_out_of_prompts() {
    let ollama = Ollama::start(Script::says("Fine.")).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), format!("KEY={SECRET}\n")).unwrap();
    let job = "[[step]]\nid = \"t\"\nprompt = \"p.md\"\nroute = \"quick\"\n";
    let text = format!("Say it.\n---\n{{% set a = '{SECRET}' %}}It is {{{{ a }}}}.\n");
    let settings = models(&[("small", &ollama.url, "api_key.env = \"KEY\"")]);
    let home = Home::new(folder, &settings, job, &[("p.md", &text)]);
    home.run().await;
    let user = ollama.bodies("/api/chat")[0]["messages"][1]["content"].clone();
    assert!(user.as_str().unwrap().contains("It is ***."), "{user}");
}
