//! Which job a message is for. Decided by code, in microseconds, and explained.

use std::collections::HashMap;

use regex::{Regex, RegexSet};
use serde_json::{Map, Value};

use crate::words::{fold, stems, words};

/// What one trigger of a job claims.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The job.
    pub job: String,
    /// The trigger.
    pub trigger: String,
    /// What kind of message.
    pub kind: Claims,
    /// Words that claim a message.
    pub words: Vec<String>,
    /// Phrases that claim a message.
    pub phrases: Vec<String>,
    /// A pattern that claims a message.
    pub regex: Option<String>,
}

/// The kind of message that a trigger waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claims {
    /// `/name`, without the stroke.
    Command(String),
    /// A text.
    Text,
    /// A file.
    Document,
    /// What no other job claimed.
    Any,
}

/// A message, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The text, or the words beside a file.
    pub text: &'a str,
    /// Whether a file came.
    pub file: bool,
}

/// Why a job was chosen, the strongest last.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// Nobody else claimed it.
    Any,
    /// It takes every text.
    Text,
    /// It takes every file.
    Document,
    /// These words are in it.
    Words(Vec<String>),
    /// Its pattern fits this many bytes.
    Regex(usize),
    /// This phrase is in it: its words.
    Phrase(Vec<String>),
    /// It is its command.
    Command(String),
}

/// A job that claims a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The job.
    pub job: String,
    /// The trigger.
    pub trigger: String,
    /// Why.
    pub why: Why,
    /// What `event.args` holds: what follows a command, or the named groups of the pattern.
    pub args: Value,
}

/// What all jobs claim, ready to be asked.
#[derive(Debug, Default)]
pub struct Intents {
    claims: Vec<Claim>,
    commands: HashMap<String, usize>,
    /// Roots of words, by language, to the claims with a word of that root and the place of the word in it.
    roots: [HashMap<String, Vec<(usize, usize)>>; 2],
    /// By their first word: the whole phrase and whose it is.
    phrases: HashMap<String, Vec<(Vec<String>, usize)>>,
    patterns: Vec<(Regex, usize)>,
    /// All of them at once, for the texts that none fits.
    any_pattern: RegexSet,
    texts: Vec<usize>,
    documents: Vec<usize>,
    any: Vec<usize>,
}

impl Intents {
    /// Gets ready; the claims come in the order of their files, which decides where nothing else does.
    pub fn new(claims: Vec<Claim>) -> Self {
        let mut intents = Intents::default();
        for (place, claim) in claims.iter().enumerate() {
            intents.learn(place, claim);
        }
        let patterns = intents.patterns.iter().map(|(regex, _)| regex.as_str());
        // Too large together, each is tried by itself.
        intents.any_pattern = RegexSet::new(patterns).unwrap_or_default();
        intents.claims = claims;
        intents
    }

    fn learn(&mut self, place: usize, claim: &Claim) {
        if let Claims::Command(name) = &claim.kind {
            self.commands.entry(fold(name)).or_insert(place);
        }
        for (number, word) in claim.words.iter().enumerate() {
            // Several words are a phrase, wherever they are written.
            match &words(word)[..] {
                [word] => {
                    for (roots, root) in self.roots.iter_mut().zip(stems(word)) {
                        roots.entry(root).or_default().push((place, number));
                    }
                }
                several => self.learn_phrase(place, several.to_vec()),
            }
        }
        for phrase in &claim.phrases {
            self.learn_phrase(place, words(phrase));
        }
        // Checked where it was read; the pattern sees what was written, whatever the case.
        if let Some(Ok(regex)) = claim
            .regex
            .as_ref()
            .map(|regex| Regex::new(&format!("(?i){regex}")))
        {
            self.patterns.push((regex, place));
        }
        let chooses = !claim.words.is_empty() || !claim.phrases.is_empty() || claim.regex.is_some();
        match claim.kind {
            Claims::Text if !chooses => self.texts.push(place),
            Claims::Document if !chooses => self.documents.push(place),
            Claims::Any if !chooses => self.any.push(place),
            _ => {}
        }
    }

    fn learn_phrase(&mut self, place: usize, phrase: Vec<String>) {
        if let Some(first) = phrase.first() {
            let known = self.phrases.entry(first.clone()).or_default();
            known.push((phrase, place));
        }
    }

    /// The jobs that claim a message, the one that gets it first; a job is there once, for its best reason.
    pub fn of(&self, asked: Asked<'_>) -> Vec<Match> {
        if let Some((command, rest)) = command(asked.text) {
            let found = self.commands.get(&fold(command));
            if let Some(place) = found {
                return vec![self.found(*place, Why::Command(fold(command)), Value::from(rest))];
            }
            // A command that nobody has is no text.
            return self.rest(&self.any, Why::Any);
        }
        let mut found: Vec<(usize, Why, Value)> = Vec::new();
        let said = words(asked.text);
        let args = || Value::from(asked.text.trim());
        let mut hits: HashMap<usize, Vec<usize>> = HashMap::new();
        for word in &said {
            for (roots, root) in self.roots.iter().zip(stems(word)) {
                for (place, number) in roots.get(&root).into_iter().flatten() {
                    let numbers = hits.entry(*place).or_default();
                    if !numbers.contains(number) {
                        numbers.push(*number);
                    }
                }
            }
        }
        for (place, mut numbers) in hits {
            numbers.sort_unstable();
            let hit = numbers
                .iter()
                .map(|number| self.claims[place].words[*number].clone());
            found.push((place, Why::Words(hit.collect()), args()));
        }
        for start in 0..said.len() {
            for (phrase, place) in self.phrases.get(&said[start]).into_iter().flatten() {
                if said[start..].starts_with(phrase) {
                    found.push((*place, Why::Phrase(phrase.clone()), args()));
                }
            }
        }
        let fitting = match self.any_pattern.len() == self.patterns.len() {
            true => self.any_pattern.matches(asked.text).into_iter().collect(),
            false => (0..self.patterns.len()).collect::<Vec<_>>(),
        };
        for (regex, place) in fitting.into_iter().map(|number| &self.patterns[number]) {
            if let Some(groups) = regex.captures(asked.text) {
                let named = regex.capture_names().flatten();
                let named: Map<String, Value> = named
                    .filter_map(|name| Some((name.to_owned(), groups.name(name)?.as_str().into())))
                    .collect();
                let args = if named.is_empty() {
                    args()
                } else {
                    named.into()
                };
                found.push((*place, Why::Regex(groups[0].len()), args));
            }
        }
        found.retain(|(place, ..)| match self.claims[*place].kind {
            Claims::Document => asked.file,
            Claims::Text | Claims::Command(_) => !asked.file,
            Claims::Any => true,
        });
        found.sort_by(|one, other| {
            strength(&other.1)
                .cmp(&strength(&one.1))
                .then(one.0.cmp(&other.0))
        });
        let mut matches: Vec<Match> = Vec::new();
        for (place, why, args) in found {
            if !matches
                .iter()
                .any(|known| known.job == self.claims[place].job)
            {
                matches.push(self.found(place, why, args));
            }
        }
        if matches.is_empty() && asked.file {
            matches = self.rest(&self.documents, Why::Document);
        }
        if matches.is_empty() && !asked.file && !said.is_empty() {
            matches = self.rest(&self.texts, Why::Text);
        }
        if matches.is_empty() {
            matches = self.rest(&self.any, Why::Any);
        }
        for found in &mut matches {
            if found.args.is_null() {
                found.args = args();
            }
        }
        matches
    }

    fn rest(&self, places: &[usize], why: Why) -> Vec<Match> {
        let each = places
            .iter()
            .map(|place| self.found(*place, why.clone(), Value::Null));
        each.collect()
    }

    fn found(&self, place: usize, why: Why, args: Value) -> Match {
        let claim = &self.claims[place];
        Match {
            job: claim.job.clone(),
            trigger: claim.trigger.clone(),
            why,
            args,
        }
    }
}

/// More says more: the kind of reason first, then how much of the message it takes.
fn strength(why: &Why) -> (u8, usize) {
    match why {
        Why::Any => (0, 0),
        Why::Text => (1, 0),
        Why::Document => (2, 0),
        Why::Words(words) => (3, words.len()),
        Why::Regex(length) => (4, *length),
        Why::Phrase(words) => (5, words.len()),
        Why::Command(_) => (6, 0),
    }
}

/// A command and what follows it: `/run@my_bot daily` is `run` and `daily`.
pub fn command(text: &str) -> Option<(&str, &str)> {
    let rest = text.trim_start().strip_prefix('/')?;
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let named = !name.is_empty() && name.len() <= 32 && name.chars().all(is_name);
    named.then(|| (name, rest.trim()))
}

/// Two claims of one word, phrase or command by two jobs: what, and whose.
pub fn clashes(claims: &[Claim]) -> Vec<(String, [usize; 2])> {
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut clashes = Vec::new();
    for (place, claim) in claims.iter().enumerate() {
        let command = match &claim.kind {
            Claims::Command(name) => Some(format!("/{}", fold(name))),
            _ => None,
        };
        let phrases = claim
            .words
            .iter()
            .chain(&claim.phrases)
            .map(|phrase| words(phrase).join(" "));
        for said in command
            .into_iter()
            .chain(phrases)
            .filter(|said| !said.is_empty())
        {
            match known.get(&said) {
                Some(other) if claims[*other].job != claim.job => {
                    clashes.push((said, [*other, place]))
                }
                Some(_) => {}
                None => {
                    known.insert(said, place);
                }
            }
        }
    }
    clashes
}

/// Why the first of these got the message, and which others had as good a claim: the order of their files decided.
pub fn because(found: &[Match]) -> Option<String> {
    let (first, others) = found.split_first()?;
    let alike = others.iter().filter(|other| other.why == first.why);
    let alike: Vec<&str> = alike.map(|other| other.job.as_str()).collect();
    Some(match alike.is_empty() {
        true => first.why.words(),
        false => format!(
            "{}, before {} by its name",
            first.why.words(),
            alike.join(", ")
        ),
    })
}

impl Why {
    /// For people.
    pub fn words(&self) -> String {
        let quoted = |words: &[String]| {
            words
                .iter()
                .map(|word| format!("`{word}`"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        match self {
            Why::Any => "nobody else claimed it".to_owned(),
            Why::Text => "it takes every text".to_owned(),
            Why::Document => "it takes every file".to_owned(),
            Why::Words(words) => format!("its words {}", quoted(words)),
            Why::Regex(length) => format!("its pattern, {length} bytes"),
            Why::Phrase(words) => format!("its phrase `{}`", words.join(" ")),
            Why::Command(name) => format!("its command /{name}"),
        }
    }
}

#[cfg(test)]
mod tests;
