//! Commands that the bot understands by itself: the verbs of the command line.

use crate::template::Locale;

/// A command of ours.
#[derive(Debug)]
pub struct Own {
    /// Without the slash.
    pub name: &'static str,
    /// What follows it, in brackets where it may be left out.
    pub arguments: &'static str,
    english: &'static str,
    spanish: &'static str,
}

const fn own(
    name: &'static str,
    arguments: &'static str,
    english: &'static str,
    spanish: &'static str,
) -> Own {
    Own {
        name,
        arguments,
        english,
        spanish,
    }
}

/// Those that Telegram offers while somebody types.
pub const OWN: &[Own] = &[
    own("jobs", "", "what there is", "lo que hay"),
    own("run", " [JOB]", "start a job", "iniciar una tarea"),
    own("next", " [JOB]", "what comes", "lo que viene"),
    own(
        "why",
        " JOB WHEN",
        "what became of a moment",
        "qué pasó en un momento",
    ),
    own("show", " RUN", "a run's story", "qué hizo una ejecución"),
    own("retry", " RUN", "a run again", "repetir una ejecución"),
    own("status", "", "how everything stands", "cómo va todo"),
    own("cost", "", "what models cost", "lo que cuestan los modelos"),
    own("cancel", " RUN", "stop a run", "detener una ejecución"),
    own(
        "mute",
        " JOB --for 7d",
        "hear nothing of its failures",
        "no oír sus fallos",
    ),
    own(
        "forget",
        " [all]",
        "forget our conversation",
        "olvidar esta conversación",
    ),
    own("help", "", "what I understand", "lo que entiendo"),
];

/// Verbs that are understood and not offered.
const MORE: &[&str] = &[
    "history",
    "unmute",
    "approvals",
    "outbox",
    "stats",
    "memory",
    "pause",
    "resume",
];

impl Own {
    /// What it does.
    pub fn about(&self, language: Locale) -> &'static str {
        match language {
            Locale::En => self.english,
            Locale::Es => self.spanish,
        }
    }

    /// Whether it is nothing without what follows it.
    pub fn needs_words(&self) -> bool {
        !self.arguments.is_empty() && !self.arguments.contains('[')
    }
}

/// The command that is offered under this name.
pub fn offered(name: &str) -> Option<&'static Own> {
    OWN.iter().find(|own| own.name == name)
}

/// Whether it is a command of ours, offered or not.
pub fn is_own(name: &str) -> bool {
    name == "start" || MORE.contains(&name) || offered(name).is_some()
}
