//! A run that a person waits for: where it is executed, what is heard of it, what is printed.

use std::io::ErrorKind;
use std::sync::{Arc, Mutex, MutexGuard};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::by_hand::told_to_end;
use super::context::Context;
use super::out::{self, calm, errln};
use super::paint::Paint;
use super::spinner::{Sight, Spinner};
use crate::config::Job;
use crate::engine::{ByHand, Deliver, Engine, EngineError, Finished, Intake, Observer, Progress};
use crate::error::Error;
use crate::job::{Event, Outcome, RunId, StepRecord};
use crate::store::StoreError;
use crate::zone::Tz;

/// Where a run is executed.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// By this process.
    Here(&'a Engine),
    /// By the daemon that this process is, in its turn.
    Daemon(&'a Intake),
}

/// What a person asks for.
pub(super) struct Asked {
    /// The job.
    pub job: Arc<Job>,
    /// What it is to be run for.
    pub event: Event,
    /// Steps that it need not do, with their results.
    pub steps: Vec<StepRecord>,
}

/// What is heard of a run, on its way to the thread that prints.
enum Heard {
    Accepted(RunId),
    Sight(Sight),
    Message { text: String, meant_for: String },
    Plain { step: String, why: String },
    Asks { asks: String, until: DateTime<Utc> },
}

/// What the person sees.
struct Screen {
    spinner: Spinner,
    printed: Printed,
    run: Option<RunId>,
    zone: Tz,
}

impl Screen {
    fn take(&mut self, heard: Heard) {
        match heard {
            Heard::Accepted(run) => self.run = Some(run),
            Heard::Sight(sight) => self.spinner.show(sight),
            Heard::Message { text, meant_for } => {
                self.spinner.clear();
                self.printed.message(&text, &meant_for);
            }
            Heard::Plain { step, why } => {
                self.spinner.clear();
                errln!("note: `{step}` is plain text: {}", calm(&why));
            }
            Heard::Asks { asks, until } => {
                self.spinner.clear();
                let run = self.run.map_or(0, |run| run.0);
                let until = until.with_timezone(&self.zone).format("%a %H:%M");
                errln!("run #{run} asks (until {until}): {}", calm(&asks));
                errln!(
                    "hint: `reveille approvals approve {run}` or `deny {run}`, or a button of its message"
                );
            }
        }
    }
}

/// Executes a run and prints what it says; gives the exit code.
///
/// # Errors
/// The store cannot be written, or somebody stopped the run.
pub(super) async fn follow(
    context: &Context,
    place: Place<'_>,
    asked: Asked,
    deliver: Deliver,
    printed: Printed,
) -> Result<u8, Error> {
    let (tell, mut heard) = unbounded_channel();
    let screen = Arc::new(Mutex::new(Screen {
        spinner: Spinner::new(),
        printed,
        run: None,
        zone: zone(place),
    }));
    let observer = observer(place, context.paint, Arc::clone(&screen), tell);
    let mut executed = Box::pin(place.execute(asked, deliver, observer));
    let mut told = Box::pin(told_to_end());
    let mut stop = false;
    let ended = loop {
        // In the daemon, what has no number yet cannot be stopped.
        let stoppable = matches!(place, Place::Here(_)) || lock(&screen).run.is_some();
        if stop && stoppable {
            break None;
        }
        tokio::select! {
            biased;
            Some(heard) = heard.recv() => lock(&screen).take(heard),
            ended = &mut executed => break Some(ended),
            () = &mut told, if !stop => stop = true,
        }
    };
    while let Ok(heard) = heard.try_recv() {
        lock(&screen).take(heard);
    }
    lock(&screen).spinner.clear();
    let run = lock(&screen).run;
    let ended = match (ended, place, run) {
        (Some(ended), ..) => ended.map_err(Error::from)?,
        (None, Place::Here(engine), Some(run)) => {
            drop(executed);
            return Err(cancelled(run, engine.cancel(run).await));
        }
        (None, Place::Daemon(intake), Some(run)) => {
            let said = cancelled(run, intake.cancel(run).await);
            // Its programs have ended then.
            let _ = executed.await;
            return Err(said);
        }
        (None, _, None) => return Err(Error::job("stopped")),
    };
    let Some(finished) = ended else {
        if let Place::Here(_) = place {
            errln!("it goes on in the daemon, once it is answered");
            return Ok(0);
        }
        let hint = "`reveille history` tells what became of it";
        return Err(Error::job("the daemon ends, and lets go of the run").hint(hint));
    };
    say(context, &finished);
    let printed = &mut lock(&screen).printed;
    printed.end(&finished);
    for unsent in finished.unsent.iter().chain(&printed.failed) {
        errln!("{}: not delivered: {unsent}", context.paint.error("error"));
    }
    if !finished.kept.is_empty() {
        let kept = finished.kept.join(", ");
        let said = match place {
            Place::Here(_) => format!("kept in the outbox for the daemon or a later run: {kept}"),
            Place::Daemon(_) => format!("in the outbox: {kept}"),
        };
        errln!("{}", context.paint.faint(&said));
    }
    let sent = finished.unsent.is_empty() && printed.failed.is_none();
    Ok(match finished.outcome {
        Outcome::Ok | Outcome::NothingToSay(_) if sent => 0,
        _ => 1,
    })
}

/// Here a message is printed before it is written down as delivered. In the daemon the observer is not on the thread whose
/// words go to the client.
fn observer(
    place: Place<'_>,
    paint: Paint,
    screen: Arc<Mutex<Screen>>,
    tell: UnboundedSender<Heard>,
) -> Box<Observer<'static>> {
    let take: Box<dyn Fn(Heard) + Send> = match place {
        Place::Here(_) => Box::new(move |heard| lock(&screen).take(heard)),
        Place::Daemon(_) => Box::new(move |heard| drop(tell.send(heard))),
    };
    Box::new(move |progress| match progress {
        Progress::Accepted(run) => take(Heard::Accepted(run)),
        Progress::Asks { asks, until } => take(Heard::Asks {
            asks: asks.to_owned(),
            until,
        }),
        Progress::Plain { step, why } => take(Heard::Plain {
            step: step.to_owned(),
            why: why.to_owned(),
        }),
        Progress::Message(message) => take(Heard::Message {
            text: message.text.to_owned(),
            meant_for: message.meant_for.to_owned(),
        }),
        other => Sight::of(&other, paint)
            .map(Heard::Sight)
            .into_iter()
            .for_each(&take),
    })
}

fn zone(place: Place<'_>) -> Tz {
    match place {
        Place::Here(engine) => engine.loaded.settings.timezone,
        Place::Daemon(intake) => intake.loaded().settings.timezone,
    }
}

fn lock(screen: &Mutex<Screen>) -> MutexGuard<'_, Screen> {
    screen.lock().expect("nothing panics while it prints")
}

impl Place<'_> {
    async fn execute(
        self,
        Asked { job, event, steps }: Asked,
        deliver: Deliver,
        mut observer: Box<Observer<'static>>,
    ) -> Result<Option<Finished>, EngineError> {
        match self {
            Place::Here(engine) => {
                let run = engine.run(&job, event, steps, deliver, &mut *observer);
                run.await
            }
            Place::Daemon(intake) => {
                let hand = ByHand {
                    deliver,
                    steps,
                    observer,
                };
                intake.by_hand(job, event, hand).await
            }
        }
    }
}

fn cancelled(run: RunId, during: Result<Option<String>, EngineError>) -> Error {
    Error::job(match during {
        Ok(None) => format!("run {run} was cancelled"),
        Ok(Some(step)) => {
            format!("run {run} was cancelled during step `{step}`, which may have had its effect")
        }
        Err(StoreError::AlreadyFinished(_)) => {
            format!("run {run} had ended; what it had not sent goes out with the next one")
        }
        Err(error) => return error.into(),
    })
}

/// What did not end well, or said nothing, in one line on stderr.
fn say(context: &Context, finished: &Finished) {
    let run = finished.run;
    match &finished.outcome {
        Outcome::Ok => {}
        Outcome::NothingToSay(_) => {
            let said = format!("run {run}: nothing to say");
            errln!("{}", context.paint.faint(&said));
        }
        outcome => {
            let reason = outcome.reason().unwrap_or_default();
            errln!(
                "{}: run {run} {}: {reason}",
                context.paint.error("error"),
                outcome.word()
            );
            errln!("hint: {}", hint(run, reason));
        }
    }
}

fn hint(run: RunId, reason: &str) -> String {
    let missing = reason
        .split("`event.args.")
        .nth(1)
        .and_then(|rest| rest.split('`').next());
    match missing {
        Some(name) => format!("give it with `--set {name}=VALUE`"),
        None => format!("`reveille show {}` tells the whole story", run.0),
    }
}

/// What a run says on stdout: its messages, or, as JSON, all of it at the end.
pub(super) struct Printed {
    json: Option<Vec<Value>>,
    /// Why a message could not be printed.
    failed: Option<String>,
}

impl Printed {
    pub(super) fn new(json: bool) -> Self {
        Printed {
            json: json.then(Vec::new),
            failed: None,
        }
    }

    fn message(&mut self, text: &str, meant_for: &str) {
        match &mut self.json {
            Some(messages) => messages.push(json!({ "to": meant_for, "text": text })),
            None => self.line(&calm(text)),
        }
    }

    fn end(&mut self, finished: &Finished) {
        if let Some(messages) = self.json.take() {
            let all = json!({
                "run": finished.run,
                "outcome": finished.outcome.word(),
                "reason": finished.outcome.reason(),
                "messages": messages,
                "unsent": finished.unsent,
            });
            self.line(&all.to_string());
        }
    }

    fn line(&mut self, text: &str) {
        match out::message(text) {
            // A closed pipe is the reader's word that it has enough.
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                self.failed = Some(format!("stdout: {error}"));
            }
            _ => {}
        }
    }
}
