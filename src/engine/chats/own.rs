//! Our own commands: the verbs of the command line, from the phone.

use serde_json::json;

use super::inbox::{Inbox, Who};
use super::{Chats, Reader};
use crate::engine::Taken;
use crate::job::{RunId, TriggerKind};
use crate::telegram::Message;
use crate::template::Locale;
use crate::trigger::Kind;

/// Our own commands: name, what follows it, what it does in English and in Spanish.
const OWN: &[(&str, &str, &str, &str)] = &[
    ("jobs", "", "what there is", "lo que hay"),
    ("run", " JOB", "start a job", "iniciar una tarea"),
    ("next", " [JOB]", "what comes", "lo que viene"),
    (
        "why",
        " JOB WHEN",
        "what became of a moment",
        "qué pasó en un momento",
    ),
    ("show", " RUN", "a run's story", "qué hizo una ejecución"),
    ("retry", " RUN", "a run again", "repetir una ejecución"),
    ("status", "", "how everything stands", "cómo va todo"),
    ("cancel", " RUN", "stop a run", "detener una ejecución"),
    (
        "mute",
        " JOB --for 7d",
        "hear nothing of its failures",
        "no oír sus fallos",
    ),
    ("help", "", "what I understand", "lo que entiendo"),
];

/// Whether it is a command of ours.
pub(super) fn is_own(name: &str) -> bool {
    MORE.contains(&name) || OWN.iter().any(|own| own.0 == name)
}

/// Verbs that are understood and not offered.
const MORE: &[&str] = &[
    "history",
    "unmute",
    "approvals",
    "outbox",
    "pause",
    "resume",
];

/// Whether one of our commands is nothing without what follows it.
fn needs_words(name: &str) -> bool {
    let own = OWN.iter().find(|own| own.0 == name);
    own.is_some_and(|own| !own.1.is_empty() && !own.1.contains('[') && name != "run")
}

impl Inbox {
    /// Our own commands; whether it was one.
    pub(super) async fn own(
        &self,
        chats: &Chats,
        message: &Message,
        who: Who,
        (name, rest): (&str, &str),
        reader: &Reader,
    ) -> bool {
        let mut words: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
        match name {
            "start" | "help" => {
                let help = self.help(who, message);
                self.answer(chats, message, help).await;
            }
            _ if who != Who::Owner => return false,
            _ if rest.trim().is_empty() && needs_words(name) => {
                let own = OWN.iter().find(|own| own.0 == name);
                let usage = own.map_or_else(String::new, |(name, arguments, english, spanish)| {
                    format!("/{name}{arguments}: {}", self.words(english, spanish))
                });
                self.answer(chats, message, usage).await;
            }
            "run" => match words.first() {
                Some(job) if self.loaded.jobs.contains_key(job) => {
                    let rest = rest
                        .split_once(char::is_whitespace)
                        .map_or("", |(_, rest)| rest.trim());
                    self.start(chats, message, job, &json!(rest), reader).await;
                }
                _ => {
                    let names: Vec<&str> = self.loaded.jobs.keys().map(String::as_str).collect();
                    self.answer(chats, message, format!("/run JOB: {}", names.join(", ")))
                        .await;
                }
            },
            "retry" => {
                let said = self.retry(chats, rest).await;
                self.answer(chats, message, said).await;
            }
            name if MORE.contains(&name) => {
                words.insert(0, name.to_owned());
                let said = (chats.verbs)(words).await;
                let said = format!("```\n{}\n```", said.trim());
                self.answer(chats, message, said).await;
            }
            "jobs" | "show" | "status" | "next" | "why" | "cancel" | "mute" => {
                words.insert(0, name.to_owned());
                let said = (chats.verbs)(words).await;
                let said = said.trim();
                let shown = if said.is_empty() {
                    "✓".to_owned()
                } else {
                    format!("```\n{said}\n```")
                };
                self.answer(chats, message, shown).await;
            }
            _ => return false,
        }
        true
    }

    /// Does a run again for the event that it was for.
    async fn retry(&self, chats: &Chats, run: &str) -> String {
        let number = run.trim().trim_start_matches('#').parse().map(RunId);
        let story = match number {
            Ok(run) => chats.store.read(move |store| store.run(run)).await,
            Err(_) => Ok(None),
        };
        let Ok(Some(story)) = story else {
            let none = self.words("There is no such run", "No existe esa ejecución");
            return format!("{none}: {run}");
        };
        let event = story.event.again(chats.clock.id(), TriggerKind::Telegram);
        let taken = Taken {
            event,
            slot: None,
            cursors: Vec::new(),
        };
        match chats.intake.bring(&taken).await {
            Ok(Some(accepted)) => {
                let begins = self.words("begins", "empieza");
                format!("`{}` {} {begins}", taken.event.job, accepted.run())
            }
            Ok(None) => self
                .words("The job is gone", "La tarea ya no está")
                .to_owned(),
            Err(error) => error.to_string(),
        }
    }

    fn help(&self, who: Who, message: &Message) -> String {
        let jobs = self.jobs_commands();
        let jobs = jobs.filter(|(job, _, _)| self.may(who, message, job));
        let mut lines: Vec<String> = jobs
            .map(|(_, name, about)| format!("/{name} {about}"))
            .collect();
        if who == Who::Owner {
            let own = OWN.iter().map(|(name, arguments, english, spanish)| {
                format!("/{name}{arguments} {}", self.words(english, spanish))
            });
            lines.extend(own);
        }
        lines.join("\n")
    }

    /// The commands that Telegram offers while somebody types.
    pub(super) fn commands(&self, language: Locale) -> Vec<(String, String)> {
        let own = OWN.iter().map(|(name, _, english, spanish)| {
            let about = match language {
                Locale::En => english,
                Locale::Es => spanish,
            };
            ((*name).to_owned(), (*about).to_owned())
        });
        let jobs = self.jobs_commands().map(|(_, name, about)| (name, about));
        jobs.chain(own).collect()
    }

    /// Job, command, and what it does.
    fn jobs_commands(&self) -> impl Iterator<Item = (&str, String, String)> {
        let jobs = self.loaded.jobs.values().filter(|job| job.enabled);
        let triggers = jobs.flat_map(|job| job.triggers.iter().map(move |trigger| (job, trigger)));
        triggers.filter_map(|(job, trigger)| match &trigger.kind {
            Kind::Telegram(telegram) if trigger.enabled => {
                let name = telegram.what.strip_prefix('/')?.to_owned();
                let about = if job.description.is_empty() {
                    &job.name
                } else {
                    &job.description
                };
                Some((job.name.as_str(), name, about.clone()))
            }
            _ => None,
        })
    }
}
