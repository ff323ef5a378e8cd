//! The steps of a job file.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use serde_json::Value;

use super::job_file::{TAKEN, reader};
use super::read::{Table, split_off};
use super::resolve::Scope;
use crate::step::{self, Retry, Step};

pub(super) fn resolve_steps(scope: &mut Scope<'_>, tables: Vec<Table<'_>>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut ids = BTreeSet::new();
    for mut table in tables {
        let span = table.span.clone();
        let common = split_off(&mut table, step::COMMON);
        let mut reader = reader(scope);
        let common: step::Common = reader.table(common, &[]).unwrap_or_default();
        let word = reader.kind(&mut table, "step", step::WORDS, step::COMMON);
        let authored = word.and_then(|word| step::Authored::read(word, table, &mut reader));
        // An expression of the step sees the steps before it, and never the step itself.
        let stop_if = common
            .stop_if
            .map(|expression| scope.expression(expression));
        let when = common.when.map(|expression| scope.expression(expression));
        let for_each = common
            .for_each
            .map(|expression| scope.expression(expression));
        if for_each.is_some() {
            let item = crate::template::OPAQUE.into();
            scope.examples.insert("item".to_owned(), item);
            // What a list holds is as foreign as the list.
            if for_each
                .as_ref()
                .is_some_and(|list| scope.names_outside(&format!("{{{{ {list} }}}}")))
            {
                scope.outside.insert("item".to_owned());
            }
        }
        let kind = authored.and_then(|authored| authored.resolve(scope));
        scope.examples.remove("item");
        scope.outside.remove("item");
        if let (Some(_), Some(step::Kind::Approve(_))) = (&for_each, &kind) {
            let right = "ask once for all of them, before the step with `for_each`";
            scope.error(span.clone(), "an item cannot wait for a word", right);
        }
        let id = match common.id {
            Some(id) => {
                if TAKEN.contains(&id.value.0.as_str()) {
                    let what = format!("`{}` has a meaning in templates already", id.value.0);
                    scope.error(id.span, what, "choose another id");
                } else if ids.contains(&id.value.0) {
                    let what = format!("two steps of this job are `{}`", id.value.0);
                    scope.error(id.span, what, "choose another id");
                } else if id.value.0.contains('-') {
                    let right = format!("write `{}`", id.value.0.replace('-', "_"));
                    scope.error(id.span, "templates read `-` as minus", &right);
                }
                id.value.0
            }
            None => {
                let name = word.unwrap_or("step");
                if word.is_some() && ids.contains(name) {
                    // A number would move when a step is added, and may be another's id.
                    let what = format!("two steps of this job would be `{name}`");
                    scope.error(span.clone(), what, "give this one an `id`");
                }
                name.to_owned()
            }
        };
        ids.insert(id.clone());
        let Some(kind) = kind else {
            // Later steps may name it: do not report that as well.
            scope.examples.insert(id, crate::template::OPAQUE.into());
            continue;
        };
        if !kind.runs() {
            let word = word.unwrap_or_default();
            let what = format!("this version checks `{word}` steps and cannot run them yet");
            let right = "the step will fail; leave it out until a later version";
            scope.warning(span.clone(), what, right);
        }
        let declared = kind.declaration();
        let retry = common.retry.map_or(Retry::NONE, Retry::from);
        if let step::Kind::Agent(_) = &kind
            && declared.effects
            && retry.after(1).is_some()
        {
            let right = "take out `retry`: where a model fails, the next one of its route goes on with the rounds so far";
            let what = "a second attempt could do again what its tools did in the first";
            scope.error(span.clone(), what, right);
        }
        if declared.outside_text {
            scope.outside.insert(id.clone());
        }
        let example = match for_each {
            Some(_) => Value::Array(vec![declared.example]),
            None => declared.example,
        };
        scope.examples.insert(id.clone(), example);
        steps.push(Step {
            id,
            when,
            stop_if,
            timeout: common.timeout.map_or(declared.timeout, |span| span.0),
            retry,
            on_error: common.on_error.unwrap_or_default(),
            for_each,
            parallel: common.parallel.map_or(1, NonZeroU32::get),
            local_only: common.local_only.unwrap_or(false),
            effects: declared.effects,
            kind: kind.without_example(),
        });
    }
    steps.shrink_to_fit();
    steps
}
