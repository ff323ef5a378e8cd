//! What kind of message it is: decided by words, in microseconds, and explained.

use std::collections::HashMap;

use crate::words::{stems, words};

/// Which of a route's chains a message gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Greetings, thanks, jokes, short questions.
    Simple,
    /// What needs thought, and whatever is in doubt.
    Complex,
    /// What needs tools.
    Tool,
}

impl Class {
    /// The word of the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Class::Simple => "simple",
            Class::Complex => "complex",
            Class::Tool => "tool",
        }
    }
}

/// Words and phrases that tell a class, in English and Spanish; the configuration adds to them.
const KNOWN: &[(Class, &str)] = &[
    (Class::Simple, include_str!("class/simple.txt")),
    (Class::Complex, include_str!("class/complex.txt")),
    (Class::Tool, include_str!("class/tool.txt")),
];

/// More words than this are complex, and nobody looks for others behind them.
const LONG: usize = 50;

/// So few words without a sign of more are simple, and so few that ask something.
const SHORT: usize = 5;
const QUESTION: usize = 8;

/// So many lines are complex.
const LINES: usize = 3;

/// Signs of code.
const CODE: &[&str] = &[
    "```", "{", "};", "();", "=>", "==", "->", "::", "</", "def ", "fn ", "#include",
];

/// Tells the class of a message.
#[derive(Debug, Clone)]
pub struct Classifier {
    /// Roots of words, by language.
    roots: [HashMap<String, Class>; 2],
    /// By their first word: the whole phrase.
    phrases: HashMap<String, Vec<(Vec<String>, Class)>>,
}

impl Default for Classifier {
    fn default() -> Self {
        Classifier::new(std::iter::empty())
    }
}

impl Classifier {
    /// One that knows the shipped patterns and these.
    pub fn new<'p>(more: impl Iterator<Item = (Class, &'p str)>) -> Self {
        let mut classifier = Classifier {
            roots: Default::default(),
            phrases: HashMap::new(),
        };
        let shipped = KNOWN.iter().flat_map(|(class, list)| {
            let lines = list.lines().map(str::trim);
            lines
                .filter(|line| !line.is_empty() && !line.starts_with('#'))
                .map(|line| (*class, line))
        });
        for (class, pattern) in shipped.chain(more) {
            classifier.learn(class, pattern);
        }
        classifier
    }

    /// A word, or a phrase of several; the later one counts.
    fn learn(&mut self, class: Class, pattern: &str) {
        match &words(pattern)[..] {
            [] => {}
            [word] => {
                for (roots, root) in self.roots.iter_mut().zip(stems(word)) {
                    roots.insert(root, class);
                }
            }
            several => {
                let known = self.phrases.entry(several[0].clone()).or_default();
                known.push((several.to_vec(), class));
            }
        }
    }

    /// The class of a message, and why.
    pub fn of(&self, text: &str) -> (Class, String) {
        let said = words(text);
        let (near, long) = (&said[..said.len().min(LONG)], said.len() > LONG);
        let found = self.signs(near);
        let sign = |class: Class| found.iter().find(|(known, _)| *known == class);
        if let Some((class, sign)) = sign(Class::Tool) {
            return (*class, format!("“{sign}” needs a tool"));
        }
        if long {
            return (Class::Complex, format!("{} words", said.len()));
        }
        if let Some(code) = CODE.iter().find(|code| text.contains(**code)) {
            return (Class::Complex, format!("`{}` looks like code", code.trim()));
        }
        let lines = text.lines().filter(|line| !line.trim().is_empty()).count();
        if lines >= LINES {
            return (Class::Complex, format!("{lines} lines"));
        }
        let count = |class| found.iter().filter(|(known, _)| *known == class).count();
        let (hard, easy) = (count(Class::Complex), count(Class::Simple));
        match (sign(Class::Complex), sign(Class::Simple)) {
            (Some((class, sign)), _) if hard >= easy => (*class, format!("“{sign}” needs thought")),
            (_, Some((class, sign))) => (*class, format!("“{sign}”")),
            _ if said.len() <= SHORT => (Class::Simple, format!("{} plain words", said.len())),
            _ if said.len() <= QUESTION && text.trim_end().ends_with('?') => {
                (Class::Simple, "a short question".to_owned())
            }
            _ => (Class::Complex, "in doubt, the stronger".to_owned()),
        }
    }

    /// What of the patterns is in a text.
    fn signs(&self, said: &[String]) -> Vec<(Class, String)> {
        let mut signs = Vec::new();
        for (place, word) in said.iter().enumerate() {
            let roots = self.roots.iter().zip(stems(word));
            let mut classes = roots.filter_map(|(roots, root)| roots.get(&root));
            if let Some(class) = classes.next() {
                signs.push((*class, word.clone()));
            }
            for (phrase, class) in self.phrases.get(word).into_iter().flatten() {
                if said[place..].starts_with(phrase) {
                    signs.push((*class, phrase.join(" ")));
                }
            }
        }
        signs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(class: Class, texts: &[&str]) {
        let classifier = Classifier::default();
        for text in texts {
            let (found, why) = classifier.of(text);
            assert_eq!(found, class, "{text}: {why}");
        }
    }

    #[test]
    fn greetings_thanks_jokes_and_short_questions_are_simple() {
        check(
            Class::Simple,
            &[
                "Hello",
                "hi there!",
                "Hey, how are you today my friend?",
                "Good morning",
                "thanks a lot for that, it helped me",
                "Thank you so much!",
                "Tell me a joke",
                "tell me another joke about cats and dogs please",
                "What time is it?",
                "What is the capital of France?",
                "Who are you?",
                "ok",
                "bye, see you tomorrow",
                "Hola",
                "Buenos días",
                "¿Qué tal estás hoy?",
                "Muchas gracias por la ayuda de ayer",
                "Cuéntame un chiste",
                "¿Cuál es la capital de Francia?",
                "¿Qué hora es?",
                "",
            ],
        );
    }

    #[test]
    fn what_needs_thought_is_complex() {
        let long = "word ".repeat(60);
        check(
            Class::Complex,
            &[
                "Explain how DNS works",
                "explain recursion",
                "Debug this for me",
                "Why does my code crash?",
                "Write a function that sorts a list",
                "Design the architecture of a chat service",
                "How do I use this API?",
                "Compare Postgres and SQLite",
                "Analyse my options for the summer holidays",
                "fn main() { println!(\"hi\"); }",
                "a\nb\nc",
                "Explícame qué es un agujero negro",
                "Depura este programa",
                "¿Por qué falla mi código?",
                "Compara estos dos contratos",
                "Diseña la arquitectura del sistema",
                "I have been thinking about moving to another town next year",
                &long,
            ],
        );
    }

    #[test]
    fn what_names_a_tool_is_tool() {
        check(
            Class::Tool,
            &[
                "Run the backup script",
                "run ls",
                "list files in my home",
                "List the files",
                "fetch https://example.com",
                "What is in this directory?",
                "search the web for news",
                "read the file notes.txt",
                "Ejecuta el script",
                "lista los archivos",
                "¿Qué hay en el directorio?",
                "descarga esta página",
                "busca en internet el tiempo",
            ],
        );
    }

    #[test]
    fn the_configuration_adds_patterns() {
        let more = [
            (Class::Tool, "lights"),
            (Class::Simple, "tell me about bees"),
        ];
        let classifier = Classifier::new(more.into_iter());
        assert_eq!(classifier.of("the LIGHT, please").0, Class::Tool);
        let bees = "tell me about bees and what they do all day long";
        assert_eq!(classifier.of(bees).0, Class::Simple);
    }
}
