//! Caps, through the whole daemon.

use super::den::Den;
use super::prompt::models;
use crate::llm::fake::{Ollama, Script};

const JOB: &str = "[[step]]\nid = \"text\"\nset.n = \"1\"\n\n[[step]]\nid = \"said\"\nprompt = \"say.md\"\nroute = \"quick\"\nfallback = \"plain.md\"\n";

#[test]
fn a_budget_that_is_used_up_is_told_once_and_when_there_is_room_again() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let ollama = runtime.block_on(Ollama::start(Script::says("Hi")));
    let price = "max_output = 512\nlocal = false\nprice.input = 1\nprice.output = 1";
    let settings = models(&[("dear", &ollama.url, price)]);
    // A call takes 312 and 96 tokens; before it is made it counts for 512 and more.
    let settings = format!("{settings}\n[budget]\nday.tokens = 1100\n");
    let mut den = Den::new(&settings, &[]);
    std::fs::write(den.path("prompts/say.md"), "Say it.\n").unwrap();
    std::fs::write(den.path("prompts/plain.md"), "Plain.\n").unwrap();
    den.write("says", JOB);
    den.die();
    den.live();
    let says = |times: usize| {
        for _ in 0..times {
            den.happens("says");
            den.emptied();
        }
    };
    let asked = || ollama.bodies("/api/chat").len();
    says(3);
    assert_eq!(asked(), 2);
    let told = den.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("the day's budget is used up"), "{told:?}");
    says(2);
    assert_eq!((asked(), den.told().len()), (2, 1));
    // Another day has room.
    den.clock.advance(std::time::Duration::from_secs(86_400));
    says(1);
    assert_eq!(asked(), 3);
    assert_eq!(den.told()[1], "Models may cost something again");
}
