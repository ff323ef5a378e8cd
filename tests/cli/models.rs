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
max_output   = 512
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
        failed.says(
            1,
            &["it is not at home, and what this job reads stays there"],
        );
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

#[test]
fn a_command_that_nobody_has_reaches_no_model() {
    let world = World::new("");
    world
        .folder
        .piped(&["ask", "/staus now"], "")
        .says(2, &["there is no command /staus", "did you mean /status?"]);
    assert_eq!(world.asked(), [0, 0, 0]);
}

#[test]
fn a_prompt_for_each_item_is_planned_by_its_first_and_says_who_worded_it() {
    let world = World::new("");
    let each = "[[step]]\nid = \"answer\"\nfor_each = \"[{'text': 'one'}, {'text': 'two'}]\"\nprompt = \"item.md\"\nroute = \"best\"\n\n[[deliver]]\nconsole = true\nfrom = true\ntext = \"{{ answer | join('+') }}\"\n";
    world.folder.write("jobs/each.toml", each);
    world
        .folder
        .write("prompts/item.md", "Word it.\n---\n{{ item.text }}\n");
    world.folder.piped(&["plan", "each"], "").prints(&[
        "one",
        "dear (openai/gpt at ",
        "2 items; this is the first",
    ]);
    world
        .folder
        .piped(&["run", "each"], "")
        .prints(&["dear+dear", "openai/gpt, in the cloud"]);
}

#[test]
fn who_runs_by_hand_is_told_why_the_text_is_plain() {
    let folder = Folder::new().job(
        "ask",
        "[[step]]\nid = \"text\"\nprompt = \"ask.md\"\nfallback = \"plain.md\"\n\n[[deliver]]\nconsole = true\ntext = \"{{ text }}\"\n",
    );
    folder.write(
        "config/reveille.toml",
        "[models.gone]\nprovider = \"ollama\"\nurl = \"http://127.0.0.1:9\"\nmodel = \"tiny\"\n\n[routes.home]\nmodels = [\"gone\"]\n\n[defaults]\nroute = \"home\"\n",
    );
    folder.write("prompts/ask.md", "Answer.\n---\n{{ now }}\n");
    folder.write("prompts/plain.md", "Plain.");
    folder
        .piped(&["run", "ask"], "")
        .says(0, &["note: `text` is plain text: gone: ", "127.0.0.1:9"]);
}

#[test]
fn the_ledger_adds_up_to_what_the_servers_counted() {
    let world = World::new("[defaults]\nreference = \"dear\"\n\n[budget]\nday.money = 0.02\n");
    for words in ["thanks!", "explain the moon", "fetch a", "fetch b"] {
        world.folder.piped(&["ask", words], "").prints(&[]);
    }
    // 312 tokens of which 300 were cached, and 96: 12 at 10, 300 at 1 and 96 at 30 for a million each.
    let call = (12.0 * 10.0 + 300.0 * 1.0 + 96.0 * 30.0) / 1e6;
    let stats = world.folder.piped(&["stats", "--json"], "").json();
    let all = &stats["all"];
    assert_eq!(all["calls"], 4);
    assert_eq!(all["cost"].as_f64(), Some(2.0 * call));
    // What the two at home did would have cost as much, but for what nobody had cached.
    let uncached = (312.0 * 10.0 + 96.0 * 30.0) / 1e6;
    let saved = all["saved"].as_f64().expect("a number");
    assert!((saved - 2.0 * uncached).abs() < 1e-9, "{saved}");
    let by = world
        .folder
        .piped(&["stats", "--by", "class", "--json"], "")
        .json();
    let classes = by["rows"].as_array().expect("rows").iter();
    let classes: Vec<_> = classes.map(|row| row["key"].as_str()).collect();
    assert_eq!(classes, ["complex", "simple", "tool"].map(Some));
    world.folder.piped(&["stats"], "").prints(&[
        "calls",
        "dear (openai/gpt)",
        "large (ollama/big)",
        "4 calls, 0.0066 spent",
        "saved",
    ]);
    world
        .folder
        .piped(&["cost"], "")
        .prints(&["today", "0.0066 of 0.0200"]);
    let csv = world.folder.piped(&["export", "--format", "csv"], "");
    csv.prints(&["at,job,run", "ask", "openai/gpt", "0.0033"]);
    world
        .folder
        .piped(
            &["export", "--format", "jsonl", "--output", "calls.jsonl"],
            "",
        )
        .prints(&[]);
    let calls = world.folder.read("calls.jsonl");
    assert_eq!(calls.lines().count(), 4);
    // The next one might cost 0.0156 at worst, which is more than is left.
    let over = world
        .folder
        .piped(&["ask", "--model", "dear", "thanks!"], "");
    over.says(1, &["the day's budget is used up: this call may take 0."]);
    assert_eq!(world.asked(), [1, 1, 2]);
}

#[test]
fn a_run_is_recorded_and_its_job_tried_again_without_the_world() {
    let world = World::new("");
    let job = "[[step]]\nid = \"found\"\nexec = [\"cat\", \"facts.txt\"]\n\n[[step]]\nid = \"text\"\nprompt = \"say.md\"\nroute = \"best\"\n\n[[deliver]]\nconsole = true\ntext = \"{{ now | time }} {{ text }}: {{ found.stdout }}\"\n";
    world.folder.write("jobs/say.toml", job);
    world
        .folder
        .write("prompts/say.md", "Say it.\n---\n{{ found.stdout }}\n");
    let facts = "state/workspace/facts.txt";
    world.folder.write(facts, "Dentist at 10");
    world.folder.run(["run", "say", "--record"]).prints(&[
        "dear: Dentist at 10",
        "jobs/say.",
        ".json",
    ]);
    let asked = world.asked();
    // The world is another one, and nobody is asked.
    world.folder.write(facts, "gone");
    world.folder.piped(&["test"], "").prints(&["say.", ": ok"]);
    assert_eq!(world.asked(), asked);
    let edited = job.replace("{{ text }}:", "{{ text }} says");
    world.folder.write("jobs/say.toml", &edited);
    let differs = world.folder.piped(&["test", "say"], "");
    assert_eq!(differs.code, 1, "{differs}");
    assert!(differs.stdout.contains("differs"), "{differs}");
    assert!(
        differs.stdout.contains("dear: Dentist at 10\n"),
        "{differs}"
    );
    assert!(
        differs.stdout.contains("dear says Dentist at 10\n"),
        "{differs}"
    );
    world
        .folder
        .piped(&["test", "--update"], "")
        .prints(&["updated"]);
    world.folder.piped(&["test"], "").prints(&[": ok"]);
    // A step that was not there has no result.
    let more = format!("[[step]]\nid = \"more\"\nexec = [\"true\"]\n\n{edited}");
    world.folder.write("jobs/say.toml", more);
    let told = world.folder.piped(&["test"], "");
    assert!(
        told.stdout.contains("step `more` has no recorded result"),
        "{told}"
    );
}

#[test]
fn models_are_listed_tried_and_fetched() {
    let world = World::new("");
    let listed = world.folder.piped(&["models"], "");
    listed.prints(&[
        "dear   openai/gpt, in the cloud, 10 in and 30 out a million  ready",
        "large  ollama/big, at home  the server has no model `big`: pull it: `ollama pull big`",
        "small  ollama/tiny, at home  loaded, 0 MiB, without a GPU",
    ]);
    let listed = world.folder.piped(&["models", "--json"], "").json();
    assert_eq!(listed[0]["ready"], true);
    assert_eq!(listed[1]["ready"], false);
    world
        .folder
        .piped(&["models", "test", "small", "dear"], "")
        .prints(&["first token", "dear", "312 + 96", "small", "312 + 96"]);
    // What that took is in the ledger too.
    let stats = world
        .folder
        .piped(&["stats", "--by", "job", "--json"], "")
        .json();
    assert_eq!(stats["rows"][0]["key"], "models");
    world
        .folder
        .piped(&["models", "pull", "large"], "")
        .prints(&["big is there"]);
    let asked: Vec<_> = world.large.bodies("/api/pull");
    assert_eq!(asked[0]["model"], "big");
    world
        .folder
        .piped(&["models", "test", "huge"], "")
        .says(2, &["there is no model `huge`"]);
    world
        .folder
        .piped(&["models", "advise"], "")
        .prints(&["of memory", "qwen2.5:1.5b"]);
    let folder = Folder::new();
    folder.write(
        "config/reveille.toml",
        "[models.small]\nprovider = \"ollama\"\nurl = \"http://127.0.0.1:9\"\nmodel = \"tiny\"\n",
    );
    folder
        .piped(&["models"], "")
        .prints(&["no server answers", "start it with `ollama serve`"]);
}

#[test]
fn the_days_are_drawn_where_somebody_says() {
    let world = World::new("[defaults]\nreference = \"dear\"\n");
    let draws = |words: &[&str]| {
        world
            .folder
            .piped(&[&["stats", "--plot"], words].concat(), "")
    };
    draws(&["week.svg"]).says(0, &["wrote week.svg (7 days, 0 calls)"]);
    assert!(world.folder.read("week.svg").contains("no calls to models"));
    world.folder.piped(&["ask", "thanks!"], "").prints(&[]);
    let best = ["ask", "--route", "best", "thanks!"];
    world.folder.piped(&best, "").prints(&[]);
    draws(&["week.svg"]).says(0, &["wrote week.svg (7 days, 2 calls)"]);
    let picture = world.folder.read("week.svg");
    // 300 + 12 + 96 tokens by each; the one at home saved what the dear one would have cost.
    for said in [
        "small",
        "dear",
        "408",
        "0.0033 spent",
        "saved",
        "816 tokens",
    ] {
        assert!(picture.contains(said), "{said}: {picture}");
    }
    draws(&["classes.svg", "--by", "class"]).says(0, &["wrote"]);
    let classes = world.folder.read("classes.svg");
    assert!(
        classes.contains("(none)") && classes.contains("simple"),
        "{classes}"
    );
    world
        .folder
        .piped(&["stats", "--by", "class"], "")
        .prints(&["(none) ", "simple "]);
    draws(&["week.png"]).says(0, &["wrote week.png"]);
    let bytes = std::fs::read(world.folder.path("week.png")).expect("a picture");
    assert!(bytes.starts_with(b"\x89PNG"));
    draws(&["week.jpg"]).says(2, &["cannot draw `week.jpg`", ".png or .svg"]);
    draws(&["none/week.png"]).says(2, &["cannot write none/week.png", "no such folder"]);
    let left: Vec<_> = std::fs::read_dir(world.folder.path(""))
        .expect("a folder")
        .collect();
    assert!(
        left.iter()
            .flatten()
            .all(|file| !file.file_name().to_string_lossy().contains("tmp"))
    );
}

#[test]
fn a_job_draws_its_ledger_into_the_workspace_and_its_plan_does_not() {
    let world = World::new("");
    let job = "[[step]]\nid = \"week\"\nledger = \"7d\"\nplot = \"pictures/week.svg\"\n\n[[deliver]]\nconsole = true\ntext = \"{{ week.picture }}: {{ week.calls }}\"\n";
    world.folder.write("jobs/week.toml", job);
    world.folder.piped(&["ask", "thanks!"], "").prints(&[]);
    let picture = world.folder.path("state/workspace/pictures/week.svg");
    world
        .folder
        .piped(&["plan", "week"], "")
        .prints(&["pictures/week.svg: 1"]);
    assert!(!picture.exists());
    world
        .folder
        .run(["run", "week"])
        .prints(&["pictures/week.svg: 1"]);
    let drawn = std::fs::read_to_string(&picture).expect("a picture");
    assert!(drawn.contains("408 tokens, 1 call;"), "{drawn}");
}
