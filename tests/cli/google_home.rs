//! What a calendar on a server holds for home only.

use super::google::{Who, World, event};
use crate::fake_models::{Ollama, Script};

#[test]
fn a_calendar_of_google_for_home_only_goes_to_no_model_elsewhere() {
    for (more, asked) in [("local_only = true\n", false), ("", true)] {
        let world = World::with(Who::Robot, more);
        let cloud = world
            .runtime
            .block_on(Ollama::start(Script::says("Hello.")));
        let settings = world.folder.read("config/reveille.toml");
        let settings = format!(
            "{settings}\n[models.cloud]\nprovider = \"ollama\"\nurl = \"{}\"\nmodel = \"big\"\nlocal = false\nprice.input = 1\nprice.output = 2\n\n[routes.quick]\nmodels = [\"cloud\"]\n",
            cloud.url
        )
        .replace("[defaults]\n", "[defaults]\nroute = \"quick\"\n");
        world.folder.write("config/reveille.toml", settings);
        world.folder.write(
            "prompts/say.md",
            "Say it.\n---\n{{ x.items }}\n{{ x.undo }}\n",
        );
        world.has(event("a", "Party", "2026-11-21T20:00", "2026-11-21T23:00"));
        let entry = world.says("06:59", &["find", "--set", "words=party"]);
        for step in [
            "calendar = \"list\"\nrange = \"week\"".to_owned(),
            "calendar = \"free\"\nstart = \"2026-11-21 20:00\"".to_owned(),
            format!("calendar = \"update\"\nentry = \"{entry}\"\nstart = \"2026-11-21 20:00\""),
        ] {
            let facts = if step.contains("update") {
                "{{ x.title }}"
            } else {
                "{{ x.items | length }}"
            };
            world
                .folder
                .write("prompts/say.md", format!("Say it.\n---\n{facts}\n"));
            let job = format!(
                "[[step]]\nid = \"x\"\n{step}\n\n[[step]]\nid = \"said\"\nprompt = \"say.md\"\n\n[[deliver]]\nconsole = true\ntext = \"{{{{ said }}}}\"\n"
            );
            world.folder.write("jobs/say.toml", job);
            let ran = world.runs("07:00", &["say"]);
            assert_eq!(!cloud.seen().is_empty(), asked, "{step}: {ran}");
            if !asked {
                ran.says(
                    1,
                    &["it is not at home, and what this job reads stays there"],
                );
            }
        }
    }
}
