//! Tools: kinds of step whose keys a model fills in. What it writes is checked as a job file is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use regex::{Captures, Regex};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{Arguments, Profile};
use crate::config::Settings;
use crate::config::diagnostic::{Severity, Source};
use crate::config::read::Reader;
use crate::config::resolve::{Scope, World};
use crate::llm;
use crate::step::schema::Schema;
use crate::step::{Authored, COMMON, Context, Kind};

/// What a model may use.
#[derive(Debug, Clone)]
pub(super) enum Tool {
    /// A kind of step.
    Kind(&'static Known),
    /// Another profile.
    Profile(Arc<Profile>),
}

/// A kind of step as a tool: the keys that the job has said by naming it, and those that the model fills in.
#[derive(Debug)]
pub(super) struct Known {
    pub name: &'static str,
    word: &'static str,
    /// The kind key's value; the model's where there is none.
    verb: Option<&'static str>,
    keys: &'static [&'static str],
    about: &'static str,
    effects: bool,
    /// It may bring in what somebody else wrote.
    pub outside: bool,
}

/// The tools of this version.
pub(super) const KNOWN: &[Known] = &[
    Known {
        name: "calendar.list",
        word: "calendar",
        verb: Some("list"),
        keys: &["range", "from"],
        about: "Lists the entries of the person's calendars, with times. `range` is today, tomorrow, week or a number of days, as 3d.",
        effects: false,
        outside: true,
    },
    Known {
        name: "calendar.search",
        word: "calendar",
        verb: Some("search"),
        keys: &["words", "range", "start", "end", "from"],
        about: "Finds entries of the person's calendars by words of their title or place. Each has an `entry`, by which others mean it.",
        effects: false,
        outside: true,
    },
    Known {
        name: "calendar.free",
        word: "calendar",
        verb: Some("free"),
        keys: &["start", "end", "from"],
        about: "Tells whether a time is free, and when the day has room. `start` and `end` are as 2026-11-24T17:30, a day as 2026-11-24.",
        effects: false,
        outside: true,
    },
    Known {
        name: "calendar.create",
        word: "calendar",
        verb: Some("create"),
        keys: &["title", "start", "end", "location", "description"],
        about: "Puts an entry into the person's calendar. Times are as 2026-11-24T17:30; a day alone, as 2026-11-24, is the whole day.",
        effects: true,
        outside: true,
    },
    Known {
        name: "calendar.update",
        word: "calendar",
        verb: Some("update"),
        keys: &["entry", "title", "start", "end", "location"],
        about: "Changes an entry of the person's calendar: `entry` is what a list or a search said of it.",
        effects: true,
        outside: true,
    },
    Known {
        name: "calendar.delete",
        word: "calendar",
        verb: Some("delete"),
        keys: &["entry"],
        about: "Deletes an entry of the person's calendar: `entry` is what a list or a search said of it.",
        effects: true,
        outside: true,
    },
    Known {
        name: "remind",
        word: "remind",
        verb: Some("add"),
        keys: &["words"],
        about: "Reminds the person of something: `words` say when and of what, as \"tomorrow at 9 call the dentist\".",
        effects: true,
        outside: false,
    },
    Known {
        name: "system",
        word: "system",
        verb: None,
        keys: &["system"],
        about: "Tells how this computer is: disks, memory, load, temperature, services that failed.",
        effects: false,
        outside: false,
    },
    Known {
        name: "file.read",
        word: "file",
        verb: Some("read"),
        keys: &["path"],
        about: "Reads a text file of the workspace.",
        effects: false,
        outside: true,
    },
    Known {
        name: "file.write",
        word: "file",
        verb: Some("write"),
        keys: &["path", "text"],
        about: "Writes a text file of the workspace, in place of what it held.",
        effects: true,
        outside: false,
    },
    Known {
        name: "file.append",
        word: "file",
        verb: Some("append"),
        keys: &["path", "text"],
        about: "Adds text at the end of a file of the workspace.",
        effects: true,
        outside: false,
    },
    Known {
        name: "remember",
        word: "remember",
        verb: None,
        keys: &["remember"],
        about: "Remembers a short text for later conversations.",
        effects: true,
        outside: false,
    },
    Known {
        name: "recall",
        word: "recall",
        verb: None,
        keys: &["recall"],
        about: "Finds what was remembered by some words.",
        effects: false,
        outside: true,
    },
];

impl Tool {
    /// Its name in job files.
    pub fn name(&self) -> String {
        match self {
            Tool::Kind(known) => known.name.to_owned(),
            Tool::Profile(profile) => format!("agent.{}", profile.name),
        }
    }

    /// Its name for models: providers take letters, digits, `_` and `-`.
    pub fn called(&self) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        self.name().chars().map(plain).take(64).collect()
    }

    /// Whether it changes something.
    pub fn has_effects(&self) -> bool {
        match self {
            Tool::Kind(known) => known.effects,
            // What it would ask for it cannot ask: it is not given such tools.
            Tool::Profile(_) => false,
        }
    }

    /// Whether it looks at calendars.
    pub fn reads_calendars(&self) -> bool {
        match self {
            Tool::Kind(known) => known.word == "calendar",
            Tool::Profile(profile) => profile.tools.iter().any(Tool::reads_calendars),
        }
    }

    /// As models are told of it.
    pub fn told(&self) -> llm::Tool {
        let description = match self {
            Tool::Kind(known) => known.about.to_owned(),
            Tool::Profile(profile) => profile.description.clone(),
        };
        llm::Tool {
            name: self.called(),
            description,
            parameters: self.parameters(),
        }
    }

    fn parameters(&self) -> Value {
        match self {
            Tool::Profile(_) => json!({
                "type": "object",
                "properties": {"task": {"type": "string", "description": "What it is to do, with all that it has to know."}},
                "required": ["task"],
                "additionalProperties": false,
            }),
            Tool::Kind(known) => known.parameters(),
        }
    }

    /// Whether these may be its arguments.
    ///
    /// # Errors
    /// What is wrong with them, for the model.
    pub fn check<'a>(&self, arguments: &'a Value) -> Result<&'a Arguments, String> {
        let known = arguments.as_object();
        let known = known.ok_or("the arguments are not a JSON object")?;
        Schema::new(&self.parameters())?.check(arguments)?;
        Ok(known)
    }
}

impl Known {
    /// The schema of the keys that a model fills in, taken from the kind's own.
    fn parameters(&self) -> Value {
        let mut settings = SchemaSettings::draft07();
        settings.inline_subschemas = true;
        let mut generator = settings.into_generator();
        let schemas = Authored::schemas(&mut generator);
        let whole = schemas.into_iter().find(|(word, _)| *word == self.word);
        let whole = whole.map_or(Value::Null, |(_, schema)| schema.to_value());
        let keys = self.keys.iter();
        let properties = keys.map(|key| ((*key).to_owned(), whole["properties"][*key].clone()));
        let required = whole["required"].as_array().into_iter().flatten();
        let mut required: Vec<Value> = required
            .filter(|key| self.keys.iter().any(|known| *key == known))
            .cloned()
            .collect();
        if self.keys.contains(&"text") && !required.iter().any(|key| key == "text") {
            required.push("text".into());
        }
        json!({
            "type": "object",
            "properties": Map::from_iter(properties),
            "required": required,
            "additionalProperties": false,
        })
    }

    /// The step that these arguments make.
    ///
    /// # Errors
    /// What is wrong with them, as `check` says it of a job file.
    pub fn step(&self, arguments: &Arguments, context: &Context<'_>) -> Result<Kind, String> {
        let mut table = toml::Table::new();
        if let Some(verb) = self.verb {
            table.insert(self.word.to_owned(), verb.into());
        }
        for (key, value) in arguments.iter().filter(|(_, value)| !value.is_null()) {
            let mut value = value.clone();
            disarm(&mut value);
            let value = toml::Value::try_from(value).map_err(|error| error.to_string())?;
            table.insert(key.clone(), value);
        }
        let source = Source::new("call", table.to_string());
        self.resolve(&source, context.settings, context)
    }

    fn resolve(
        &self,
        source: &Arc<Source>,
        settings: &Settings,
        context: &Context<'_>,
    ) -> Result<Kind, String> {
        let mut problems = Vec::new();
        let mut reader = Reader {
            source,
            problems: &mut problems,
        };
        let mut root = reader.parse(&source.text);
        let word = reader.kind(&mut root, "step", &[self.word], COMMON);
        let authored = word.and_then(|word| Authored::read(word, root, &mut reader));
        let world = World {
            settings: settings.clone(),
            prompts: BTreeMap::new(),
            jobs: BTreeSet::new(),
        };
        let mut scope = Scope {
            source,
            settings: &world.settings,
            world: &world,
            problems: &mut problems,
            examples: Map::new(),
            outside: BTreeSet::new(),
            hand_typed: false,
            checker: context.templates,
            prompts: BTreeSet::new(),
        };
        let kind = authored.and_then(|authored| authored.resolve(&mut scope));
        let wrong = problems
            .iter()
            .filter(|found| found.severity == Severity::Error);
        let wrong: Vec<String> = wrong
            .map(|found| format!("{}: {}", found.message, found.label))
            .collect();
        match (kind, wrong.is_empty()) {
            (Some(kind), true) => Ok(kind),
            _ => Err(wrong.join("; ")),
        }
    }
}

static TEMPLATE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\{[{%#]").expect("a constant pattern"));

/// Texts of a model that are templates in a job file stand for themselves.
fn disarm(value: &mut Value) {
    match value {
        Value::String(text) => {
            let itself = |found: &Captures<'_>| format!("{{{{ \"{}\" }}}}", &found[0]);
            if let std::borrow::Cow::Owned(plain) = TEMPLATE.replace_all(text, itself) {
                *text = plain;
            }
        }
        Value::Array(list) => list.iter_mut().for_each(disarm),
        Value::Object(table) => table.values_mut().for_each(disarm),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_model_writes_is_no_template() {
        let rendered = |text: &str| {
            let mut value = json!(text);
            disarm(&mut value);
            let environment = minijinja::Environment::new();
            environment.render_str(value.as_str().unwrap(), ()).unwrap()
        };
        for text in [
            "plain",
            "{{ secret }}",
            "{% for x in y %}{# no #}",
            "{{{{ {%% {{% #} }}",
            "{{ \"{{\" }}",
            "{",
        ] {
            assert_eq!(rendered(text), text);
        }
    }

    #[test]
    fn arguments_are_held_to_the_keys_of_the_kind() {
        let tool = |name: &str| {
            let known = KNOWN.iter().find(|known| known.name == name);
            Tool::Kind(known.unwrap())
        };
        let list = tool("calendar.list");
        assert_eq!(list.called(), "calendar_list");
        assert!(list.check(&json!({})).is_ok());
        assert!(list.check(&json!({"range": "tomorrow"})).is_ok());
        for wrong in [
            json!("today"),
            json!({"range": 7}),
            json!({"range": "yesterday"}),
            json!({"calendar": "delete"}),
            json!({"range": "today", "path": "/etc/passwd"}),
        ] {
            assert!(list.check(&wrong).is_err(), "{wrong}");
        }
        let write = tool("file.write");
        assert!(write.check(&json!({"path": "a.txt"})).is_err());
        assert!(write.check(&json!({"path": "a.txt", "text": "b"})).is_ok());
        for known in KNOWN {
            let told = Tool::Kind(known).told();
            for key in known.keys {
                assert!(!told.parameters["properties"][*key].is_null(), "{key}");
            }
        }
    }
}
