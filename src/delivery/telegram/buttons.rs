//! Buttons below a message, as job files write them: the words that a press says to the bot, or `Label -> words`.
//!
//! Words with values in them are a command that is written out, and values of letters, digits and `_ . : + -`: text from outside
//! chooses no command.

use std::sync::LazyLock;

use regex::Regex;

use crate::config::resolve::Scope;
use crate::config::value::At;
use crate::delivery::Making;
use crate::telegram::{Button, LONGEST_DATA};
use crate::template::TemplateError;

/// Between what people read and what the press says.
const ARROW: &str = " -> ";

/// So many buttons a message has at most.
const MOST: usize = 12;

/// So many characters of a label are shown.
const LONGEST_LABEL: usize = 40;

static COMMAND: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:^| -> )(/[A-Za-z0-9_]+)(?:\s|$)").expect("a pattern"));

static PLAIN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^(/[A-Za-z0-9_]+)(?: [A-Za-z0-9_.:+-]+)*$").expect("a pattern"));

/// Checks what is typed.
pub(super) fn resolve(scope: &mut Scope<'_>, typed: Option<Vec<At<String>>>) -> Vec<String> {
    let mut buttons = Vec::new();
    for button in typed.into_iter().flatten() {
        if !has_values(&button.value) {
            let (label, words) = parts(button.value.trim());
            if words.is_empty() || Button::says(label, words).is_none() {
                let what = format!("a button says 1 to {} bytes", LONGEST_DATA - 1);
                let right = "these words are what the press says to the bot";
                scope.error(button.span, what, right);
                continue;
            }
            buttons.push(button.value.trim().to_owned());
            continue;
        }
        if commands(&button.value).is_empty() {
            let what = "a button with values in its words says a command that is written out";
            let right = "write it as \"Label -> /command {{ value }}\"";
            scope.error(button.span.clone(), what, right);
        }
        buttons.push(scope.template(button));
    }
    buttons
}

/// The buttons of a message; each line that a template gives is one. Words that are not what they should be give none.
///
/// # Errors
/// A template fails.
pub(super) fn render(
    making: &Making<'_>,
    buttons: &[String],
) -> Result<Vec<Button>, TemplateError> {
    let mut shown = Vec::new();
    for typed in buttons {
        if !has_values(typed) {
            let (label, words) = parts(typed);
            shown.extend(Button::says(label, words));
            continue;
        }
        let commands = commands(typed);
        let text = making.render("buttons", typed)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        shown.extend(lines.filter_map(|line| button(line, &commands)));
    }
    shown.truncate(MOST);
    Ok(shown)
}

fn button(line: &str, commands: &[String]) -> Option<Button> {
    let (label, words) = parts(line);
    let found = PLAIN.captures(words)?;
    let known = commands.iter().any(|known| *known == found[1]);
    let label: String = label.chars().take(LONGEST_LABEL).collect();
    known.then(|| Button::says(&label, words)).flatten()
}

fn has_values(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// What is read, and what is said.
fn parts(text: &str) -> (&str, &str) {
    text.rsplit_once(ARROW)
        .map_or((text, text), |(label, words)| (label.trim(), words.trim()))
}

/// The commands that a template writes out.
fn commands(template: &str) -> Vec<String> {
    let found = COMMAND.captures_iter(template);
    found.map(|found| found[1].to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_choose_no_command() {
        let commands = commands("{{ item.title }} -> /delete {{ item.entry }}");
        assert_eq!(commands, ["/delete"]);
        let one = |line: &str| button(line, &commands).map(|button| (button.text, button.data));
        let right = Some(("Dentist".to_owned(), "=/delete ab12".to_owned()));
        assert_eq!(one("Dentist -> /delete ab12"), right);
        let tricky = Some(("x -> /run evil".to_owned(), "=/delete ab12".to_owned()));
        assert_eq!(one("x -> /run evil -> /delete ab12"), tricky);
        for wrong in [
            "x -> /run evil",
            "x -> /delete a; /run b",
            "x -> /delete a/../b",
            "x -> delete a",
            "/delete",
        ] {
            let expected = (wrong == "/delete").then(|| (wrong.to_owned(), "=/delete".to_owned()));
            assert_eq!(one(wrong), expected, "{wrong}");
        }
        assert!(one(&format!("x -> /delete {}", "a".repeat(80))).is_none());
    }
}
