//! Routes, and what calls to models leave behind.

use crate::fake_models::{Ollama, Script};
use crate::support::Folder;

/// Three servers: a small model and a large one, and a dear one that speaks as OpenAI does.
struct World {
    runtime: tokio::runtime::Runtime,
    folder: Folder,
    small: Ollama,
    large: Ollama,
    dear: Ollama,
}

const ASK: &str = "[[trigger]]\ntelegram = \"any\"\n\n[[step]]\nid = \"answer\"\nprompt = \"ask.md\"\nroute = \"smart\"\n\n[[deliver]]\ntelegram = \"origin\"\nfrom = true\ntext = \"{{ answer }}\"\n";

impl World {
    fn new(more: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let start = |says| runtime.block_on(Ollama::start(Script::says(says)));
        let (small, large, dear) = (start("small"), start("large"), start("dear"));
        let settings = format!(
            "{more}
[models.small]
provider = \"ollama\"
url      = \"{}\"
model    = \"tiny\"

[models.large]
provider = \"ollama\"
url      = \"{}\"
model    = \"big\"

[models.dear]
provider     = \"openai\"
url          = \"{}\"
model        = \"gpt\"
local        = false
price.input  = 10
price.cached = 1
price.output = 30

[routes.smart]
simple  = [\"small\"]
complex = [\"large\", \"dear\"]
tool    = [\"dear\"]

[routes.best]
models = [\"dear\"]
",
            small.url, large.url, dear.url
        );
        let folder = Folder::new().job("ask", ASK);
        folder.write("config/reveille.toml", settings);
        folder.write("prompts/ask.md", "Answer.\n---\n{{ event.text }}\n");
        World {
            runtime,
            folder,
            small,
            large,
            dear,
        }
    }

    /// How often each was asked.
    fn asked(&self) -> [usize; 3] {
        let native = |server: &Ollama| server.bodies("/api/chat").len();
        let dear = self.dear.bodies("/v1/chat/completions").len();
        [native(&self.small), native(&self.large), dear]
    }
}

#[test]
fn a_message_goes_to_the_models_of_its_kind_unless_somebody_says_another() {
    let world = World::new("");
    let ask = |words: &[&str]| {
        let words = [&["ask"], words].concat();
        world.folder.piped(&words, "").prints(&[]);
        world.asked()
    };
    assert_eq!(ask(&["thanks!"]), [1, 0, 0]);
    assert_eq!(ask(&["explain the moon"]), [1, 1, 0]);
    assert_eq!(ask(&["fetch the page"]), [1, 1, 1]);
    assert_eq!(ask(&["/best", "thanks!"]), [1, 1, 2]);
    let bodies = world.dear.bodies("/v1/chat/completions");
    let asked = bodies[1]["messages"].to_string();
    assert!(
        asked.contains("thanks!") && !asked.contains("/best"),
        "{asked}"
    );
    assert_eq!(ask(&["--route", "best", "thanks!"]), [1, 1, 3]);
    assert_eq!(ask(&["--model", "large", "thanks!"]), [1, 2, 3]);
    world
        .folder
        .piped(&["ask", "--model", "huge", "thanks!"], "")
        .says(
            2,
            &["there is no model `huge`", "models: dear, large, small"],
        );
    world
        .folder
        .piped(&["ask", "--explain", "explain the moon"], "")
        .prints(&[
            "ask takes it",
            "step answer, route smart: complex (“explain” needs thought): large, dear",
        ]);
    drop(world.runtime);
}

#[test]
fn what_a_job_keeps_at_home_no_forced_route_lets_out() {
    let world = World::new("[defaults]\nlocal_only = true\n");
    for words in [
        ["ask", "--route", "best", "thanks!"],
        ["ask", "--model", "dear", "thanks!"],
    ] {
        let failed = world.folder.piped(&words, "");
        failed.says(1, &["it is not at home, where this has to stay"]);
    }
    assert_eq!(world.asked(), [0, 0, 0]);
    assert!(world.dear.seen().is_empty());
}

#[test]
fn an_answer_says_who_worded_it() {
    let world = World::new("");
    world
        .folder
        .piped(&["ask", "thanks!"], "")
        .prints(&["small\n", "ollama/tiny, at home"]);
    world
        .folder
        .piped(&["ask", "--model", "dear", "thanks!"], "")
        .prints(&["dear\n", "openai/gpt, in the cloud"]);
}
