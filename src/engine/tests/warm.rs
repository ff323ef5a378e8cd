//! Models that are loaded ahead, through the whole daemon.

use std::fs;
use std::time::Duration;

use super::den::Den;
use super::prompt::models;
use crate::llm::fake::{Ollama, Script};

const JOB: &str = r#"
[[trigger]]
cron = "30 * * * *"

[[step]]
id = "text"
prompt = "say.md"
route = "quick"
warm = true
"#;

#[test]
fn a_model_is_in_memory_before_the_moment_that_needs_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let ollama = runtime.block_on(Ollama::start(Script::says("Hi")));
    let settings = models(&[("small", &ollama.url, "")]);
    let mut den = Den::new(&settings, &[]);
    fs::write(den.path("prompts/say.md"), "Say it.\n").unwrap();
    den.write("brief", JOB);
    den.die();
    den.live();
    let loads = || ollama.bodies("/api/generate").len();
    // At seven; its moment is at half past, and a load that is not known has two minutes.
    den.block_on(den.clock.sleeping(2));
    den.clock.advance(Duration::from_secs(27 * 60));
    den.block_on(den.clock.sleeping(2));
    assert_eq!(loads(), 0);
    den.clock.advance(Duration::from_secs(60));
    while loads() == 0 {
        std::thread::yield_now();
    }
    let load = &ollama.bodies("/api/generate")[0];
    assert_eq!(load["model"], "tiny");
    assert_eq!(load["options"]["num_ctx"], 2048);
    assert!(ollama.bodies("/api/chat").is_empty());
}
