//! Our own commands: the verbs of the command line, from the phone.

use serde_json::json;

use super::inbox::{Inbox, Who};
use super::{Chats, Reader};
use crate::engine::Taken;
use crate::job::{RunId, TriggerKind};
use crate::telegram::Message;
use crate::telegram::own::{OWN, is_own, offered};
use crate::template::Locale;
use crate::trigger::Kind;

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
        let bare = offered(name).filter(|own| own.needs_words() && words.is_empty());
        if let Some(own) = bare.filter(|_| who == Who::Owner) {
            let about = own.about(self.language());
            let usage = format!("/{name}{}: {about}", own.arguments);
            self.answer(chats, message, usage).await;
            return true;
        }
        match name {
            "start" | "help" => {
                let help = self.help(who, message);
                self.answer(chats, message, help).await;
            }
            _ if who != Who::Owner => return false,
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
            name if is_own(name) => {
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
            let language = self.language();
            let own = OWN.iter();
            let own =
                own.map(|own| format!("/{}{} {}", own.name, own.arguments, own.about(language)));
            lines.extend(own);
        }
        lines.join("\n")
    }

    /// The commands that Telegram offers while somebody types.
    pub(super) fn commands(&self, language: Locale) -> Vec<(String, String)> {
        let own = OWN.iter();
        let own = own.map(|own| (own.name.to_owned(), own.about(language).to_owned()));
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
