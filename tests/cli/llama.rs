//! A real llama.cpp server, where there is one: `tests/llama` builds and starts it.

use crate::support::Folder;

#[test]
#[ignore = "wants a server of llama.cpp at REVEILLE_LLAMA: tests/llama"]
fn a_real_server_answers_streams_counts_and_is_told_of_as_it_is() {
    let url = std::env::var("REVEILLE_LLAMA").expect("tests/llama sets it");
    let folder = Folder::new().job(
        "ask",
        "[[trigger]]\ntelegram = \"any\"\n\n[[step]]\nid = \"answer\"\nprompt = \"ask.md\"\n\n[[deliver]]\ntelegram = \"origin\"\nfrom = true\ntext = \"[{{ answer }}]\"\n",
    );
    folder.write(
        "config/reveille.toml",
        format!("[models.tiny]\nprovider = \"openai\"\nurl = \"{url}\"\nmodel = \"tiny\"\nmax_output = 400\nprice.input = 1\nprice.output = 2\n\n[routes.home]\nmodels = [\"tiny\"]\n\n[defaults]\nroute = \"home\"\n"),
    );
    folder.write("prompts/ask.md", "Answer.\n---\n{{ event.text }}\n");

    // Random weights say something that cannot be used now and then, and then it says so.
    let mut tries = (0..8).map(|_| folder.piped(&["models", "test"], ""));
    let tested = tries.find(|tested| tested.code == 0);
    println!("{}", tested.expect("a test of the model").stdout);
    let mut tries = (0..8).map(|_| folder.piped(&["ask", "what is the day"], ""));
    let asked = tries.find(|asked| asked.code == 0).expect("an answer");
    println!("{}", asked.stdout);
    asked.prints(&["openai/tiny, at home"]);

    let stats = folder.piped(&["export", "--format", "jsonl"], "");
    println!("{}", stats.stdout);
    let call: serde_json::Value =
        serde_json::from_str(stats.stdout.lines().next().expect("a call")).expect("JSON");
    assert!(call["tokens_in"].as_u64() > Some(5), "{call}");
    assert!(call["tokens_out"].as_u64() <= Some(400), "{call}");
}
