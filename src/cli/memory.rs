//! What is remembered of a person, and how it is forgotten: `reveille memory`, `reveille forget`.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::context::Context;
use super::out::outln;
use crate::engine::conversation;
use crate::error::Error;
use crate::store::{Memory, Mode};
use crate::words::words;

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// What is remembered, the newest first
    List {
        /// Whose: `owner`, or the number of somebody else
        #[arg(long, value_name = "WHO", default_value = OWNER)]
        person: String,

        /// The list as JSON
        #[arg(long)]
        json: bool,
    },
    /// What is remembered with these words, the nearest first
    Search {
        /// Words
        #[arg(required = true)]
        words: Vec<String>,

        /// Whose: `owner`, or the number of somebody else
        #[arg(long, value_name = "WHO", default_value = OWNER)]
        person: String,

        /// The list as JSON
        #[arg(long)]
        json: bool,
    },
}

const OWNER: &str = "owner";

/// So many are listed.
const MOST: u32 = 1000;

#[derive(Debug, Args)]
pub struct Forget {
    /// The number of what is remembered, or `all`; the conversation of the last hour when left out
    what: Option<String>,

    /// Whose: `owner`, or the number of somebody else
    #[arg(long, value_name = "WHO", default_value = OWNER)]
    person: String,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (person, sought, as_json) = match &arguments.what {
        What::List { person, json } => (person, Vec::new(), *json),
        What::Search {
            words: typed,
            person,
            json,
        } => (person, words(&typed.join(" ")), *json),
    };
    let store = context.existing_store()?;
    let read = store.map(|store| store.read_now(|reader| reader.memories(person, &sought, MOST)));
    let found = read.transpose().map_err(Error::from)?.unwrap_or_default();
    if as_json {
        let list: Vec<Value> = found.iter().map(to_json).collect();
        outln!("{}", Value::Array(list));
        return Ok(0);
    }
    if found.is_empty() {
        outln!(
            "nothing is remembered{}",
            if sought.is_empty() {
                ""
            } else {
                " with these words"
            }
        );
    }
    let (_, config) = context.config()?;
    for memory in found {
        let at = memory
            .at
            .with_timezone(&config.settings.timezone)
            .format("%F");
        let home = if memory.home { "  (stays at home)" } else { "" };
        outln!("{:>4}  {at}  {}{home}", memory.id, memory.text);
    }
    Ok(0)
}

fn to_json(memory: &Memory) -> Value {
    json!({ "id": memory.id, "at": memory.at, "person": memory.person, "text": memory.text, "home": memory.home })
}

pub(super) fn forget(context: &Context, arguments: &Forget) -> Result<u8, Error> {
    let store = context.open_store(Mode::Inline)?;
    let person = arguments.person.clone();
    let id = match arguments.what.as_deref() {
        None => {
            let forgotten = conversation::forget(&store, &person);
            context.block_on(forgotten)??;
            outln!("the conversation is forgotten");
            return Ok(0);
        }
        Some("all") => None,
        Some(number) => Some(number.parse().map_err(|_| {
            Error::usage(format!("`{number}` is no number of what is remembered"))
                .hint("`reveille memory list` shows them; `all` is everything")
        })?),
    };
    if id.is_none() {
        let forgotten = conversation::forget(&store, &person);
        context.block_on(forgotten)??;
    }
    let count = context.block_on(store.forget_memories(person, id))?;
    match (count.map_err(Error::from)?, id) {
        (0, Some(id)) => Err(Error::usage(format!("nothing is remembered as {id}"))
            .hint("`reveille memory list` shows what is")),
        (1, _) => {
            outln!("1 is forgotten");
            Ok(0)
        }
        (count, _) => {
            outln!("{count} are forgotten");
            Ok(0)
        }
    }
}
