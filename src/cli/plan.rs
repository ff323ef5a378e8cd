//! `reveille plan JOB`

use clap::Args;
use serde_json::{Value, json};

use super::by_hand::{ByHand, by_hand, engine};
use super::context::Context;
use super::out::outln;
use crate::config::Job;
use crate::delivery::{self, Making};
use crate::engine::{Begun, Engine, roots};
use crate::error::Error;
use crate::job::RunId;
use crate::step::{self, Kind, Step};
use crate::store::Mode;
use crate::template::{OPAQUE, Roots, Templates};

#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    by_hand: ByHand,

    /// The plan as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(context: &Context, arguments: &Arguments) -> Result<u8, Error> {
    let (folder, config) = context.config()?;
    let job = context.job(&config, &folder, &arguments.by_hand.job)?;
    let event = by_hand(context, &config.settings, &job, &arguments.by_hand)?;
    let store = context.open_store(Mode::Inline)?;
    let engine = engine(context, folder, config, store, "");
    let now = context.clock.now();
    let mut planner = Planner {
        engine: &engine,
        job: &job,
        templates: Templates::new(
            engine.loaded.settings.language,
            engine.loaded.settings.timezone,
            now,
        ),
        roots: roots(
            &job,
            &engine.loaded.settings,
            &mut Begun::new(RunId(0), event, now),
        ),
    };
    let mut steps = context.block_on(planner.steps())?;
    let mut deliveries = planner.deliveries();
    for planned in steps.iter_mut().chain(&mut deliveries) {
        engine.loaded.secrets.scrub_value(planned);
    }
    if arguments.json {
        outln!(
            "{}",
            json!({ "job": job.name, "steps": steps, "deliveries": deliveries })
        );
    } else {
        print(context, &job, &steps, &deliveries);
    }
    Ok(0)
}

struct Planner<'a> {
    engine: &'a Engine,
    job: &'a Job,
    templates: Templates,
    roots: Roots,
}

impl Planner<'_> {
    async fn steps(&mut self) -> Vec<Value> {
        let mut planned = Vec::new();
        for step in &self.job.steps {
            let gates =
                json!({ "stop_if": self.gate(&step.stop_if), "when": self.gate(&step.when) });
            let (what, mut result) = match &step.for_each {
                Some(list) => self.first_of(step, list).await,
                None => self.step(step, &self.roots).await,
            };
            unmark(&mut result);
            planned.push(json!({
                "id": step.id, "kind": step.kind.word(), "gates": gates, "plan": what,
            }));
            self.roots.insert(step.id.clone(), result);
        }
        planned
    }

    /// An expression and what it gives now.
    fn gate(&self, expression: &Option<String>) -> Option<String> {
        let expression = expression.as_ref()?;
        let holds = self.templates.truthy(expression, &self.roots.context());
        Some(match holds {
            Ok(holds) => format!("{expression}  (now {holds})"),
            Err(error) => format!("{expression}  ({error})"),
        })
    }

    /// What the step would do for the first item of its list, and what that comes to.
    async fn first_of(&self, step: &Step, list: &str) -> (Value, Value) {
        let items = match self.templates.eval(list, &self.roots.context()) {
            Ok(Value::Array(items)) => items,
            Ok(Value::Null) => Vec::new(),
            Ok(_) => {
                let told =
                    json!({ "for_each": "the list is known once the steps before have run" });
                return (told, json!([step.kind.declaration().example]));
            }
            Err(error) => return (json!({ "fails": error.to_string() }), json!([])),
        };
        let count = items.len();
        let Some(first) = items.into_iter().next() else {
            return (json!({ "for_each": "no items" }), json!([]));
        };
        let mut roots = self.roots.clone();
        roots.insert("item".to_owned(), first);
        let (mut told, result) = self.step(step, &roots).await;
        told["for_each"] = json!(format!("{count} items; this is the first"));
        (told, Value::Array(vec![result; count.min(100)]))
    }

    /// What the step would do, and the result that later steps are planned with.
    async fn step(&self, step: &Step, roots: &Roots) -> (Value, Value) {
        let declared = step.kind.declaration();
        let context = self
            .engine
            .context(self.job, step, &self.templates, (RunId(0), roots));
        match &step.kind {
            Kind::Prompt(prompt) => match prompt.plan(&context) {
                Ok(plan) => {
                    let models: Vec<String> = plan
                        .route
                        .models
                        .iter()
                        .map(|model| {
                            format!("{} ({} at {})", model.name, model.backend(), model.url)
                        })
                        .collect();
                    let told = json!({
                        "system": plan.system, "user": plan.user,
                        "tokens_estimated": plan.tokens, "models": models,
                    });
                    (told, json!("(what the model answers)"))
                }
                Err(error) => (json!({ "fails": error.message }), declared.example),
            },
            _ if !step.kind.runs() => {
                let why = format!("this version cannot run `{}` steps yet", step.kind.word());
                (json!({ "fails": why }), declared.example)
            }
            // Of its kind only the picture is an effect.
            Kind::Ledger(ledger) => match ledger.plan(&context).await {
                Ok(value) => (json!({ "result": value }), value),
                Err(error) => (json!({ "fails": error.message }), declared.example),
            },
            _ if declared.effects => {
                let told =
                    json!({ "not_executed": "it has effects", "argv": argv(&step.kind, &context) });
                (told, declared.example)
            }
            kind => match kind.run(&context).await {
                Ok(done) => match done.end {
                    crate::job::StepEnd::Done(value) => (json!({ "result": value }), value),
                    other => (json!({ "ends": other.word() }), Value::Null),
                },
                Err(error) => (json!({ "fails": error.message }), declared.example),
            },
        }
    }

    fn deliveries(&self) -> Vec<Value> {
        let making = Making {
            job: self.job,
            settings: &self.engine.loaded.settings,
            now: self.engine.clock.now(),
            templates: &self.templates,
            roots: &self.roots,
            worded: None,
        };
        let one = |(position, delivery): (usize, &delivery::Delivery)| match delivery::prepare(
            &making, position,
        ) {
            Ok(Some(message)) => {
                json!({ "kind": message.kind, "target": message.target, "text": message.body })
            }
            Ok(None) => json!({ "kind": delivery.kind.word(), "not_sent": "it renders empty" }),
            Err(error) => json!({ "kind": delivery.kind.word(), "fails": error.to_string() }),
        };
        self.job.deliveries.iter().enumerate().map(one).collect()
    }
}

/// Takes out of an example what only the checker understands.
fn unmark(value: &mut Value) {
    match value {
        Value::String(text) if text == OPAQUE => *value = Value::Null,
        Value::Array(items) => items.iter_mut().for_each(unmark),
        Value::Object(fields) => fields.values_mut().for_each(unmark),
        _ => {}
    }
}

/// What an `exec` would start.
fn argv(kind: &Kind, context: &step::Context<'_>) -> Option<Vec<String>> {
    match kind {
        Kind::Exec(exec) => exec.argv(context).ok(),
        _ => None,
    }
}

fn print(context: &Context, job: &Job, steps: &[Value], deliveries: &[Value]) {
    let paint = &context.paint;
    let text = super::show::shown;
    outln!(
        "{}",
        paint.bold(&format!("A run of {} would do this:", job.name))
    );
    for step in steps {
        outln!();
        outln!(
            "{} ({})",
            paint.bold(&text(&step["id"])),
            text(&step["kind"])
        );
        for gate in ["stop_if", "when"] {
            if let Value::String(expression) = &step["gates"][gate] {
                outln!("  {gate}: {expression}");
            }
        }
        if let Value::Object(plan) = &step["plan"] {
            for (name, value) in plan {
                let value = text(value).trim_end().replace('\n', "\n    ");
                outln!("  {name}: {value}");
            }
        }
    }
    for delivery in deliveries {
        outln!();
        outln!(
            "{}",
            paint.bold(&format!("deliver to {}", text(&delivery["kind"])))
        );
        for name in ["target", "text", "not_sent", "fails"] {
            if let Some(value) = delivery.get(name).filter(|value| !value.is_null()) {
                outln!(
                    "  {name}: {}",
                    text(value).trim_end().replace('\n', "\n    ")
                );
            }
        }
    }
}
