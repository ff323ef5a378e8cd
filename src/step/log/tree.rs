//! Drain's parse tree: which pattern a masked line belongs to.
//!
//! After P. He, J. Zhu, Z. Zheng, M. R. Lyu, "Drain: An Online Log Parsing Approach with Fixed Depth Tree",
//! IEEE ICWS 2017: lines go down by their number of words, then by their first words, and join the most similar
//! template of that leaf or found a new one. Two things differ, because a pattern seen for the first time is news
//! here: similarity counts only the words below the leaf, and a word of trouble is never taken for a parameter
//! ("backup done" and "backup failed" stay two patterns).

use std::collections::HashMap;

use super::hash::fnv1a;

/// The place of a parameter in a template.
pub const PARAMETER: &str = "<*>";
/// How many first words lead to a leaf (host and program in syslog).
const DEPTH: usize = 2;
/// The least share of equal words that makes a line join a template, in percent.
const SIMILAR: usize = 60;
/// Parts of words that tell what happened rather than to whom.
const TELLING: [&str; 23] = [
    "abort", "alert", "corrupt", "crit", "dead", "denied", "down", "emerg", "err", "except",
    "expire", "fail", "fatal", "full", "invalid", "kill", "lost", "panic", "refuse", "segfault",
    "timed", "timeout", "warn",
];

/// Templates in the order of their making.
#[derive(Debug, Default)]
pub struct Tree {
    templates: Vec<Vec<Box<str>>>,
    leaves: HashMap<u64, Vec<usize>>,
}

impl Tree {
    /// The number of templates.
    pub fn len(&self) -> usize {
        self.templates.len()
    }

    /// The text of a template.
    pub fn text(&self, template: usize) -> String {
        self.templates[template].join(" ")
    }

    /// The template that `masked` belongs to, which it may generalise.
    pub fn find(&mut self, masked: &str) -> Option<usize> {
        let words: Vec<&str> = masked.split(' ').collect();
        let leaf = self.leaves.get(&leaf(&words))?;
        let templates = &self.templates;
        let similar = |&template: &usize| {
            let equal = equal_words(&templates[template], &words)?;
            let wanted = words.len().saturating_sub(DEPTH);
            (equal * 100 >= wanted * SIMILAR).then_some((equal, template))
        };
        let (_, template) = leaf
            .iter()
            .filter_map(similar)
            // The first of equally similar ones, so that the answer does not depend on later templates.
            .max_by_key(|&(equal, template)| (equal, std::cmp::Reverse(template)))?;
        for (known, word) in self.templates[template].iter_mut().zip(words) {
            if **known != *word {
                *known = PARAMETER.into();
            }
        }
        Some(template)
    }

    /// Founds a template.
    pub fn add(&mut self, text: &str) -> usize {
        let words: Vec<&str> = text.split(' ').collect();
        let template = self.templates.len();
        self.leaves.entry(leaf(&words)).or_default().push(template);
        self.templates
            .push(words.into_iter().map(Box::from).collect());
        template
    }
}

fn leaf(words: &[&str]) -> u64 {
    let first = words.iter().take(DEPTH).map(|word| fnv1a(word.as_bytes()));
    first.fold(words.len() as u64, |leaf, word| {
        leaf.rotate_left(21).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ word
    })
}

/// How many words below the leaf are equal; `None` if one that tells what happened is not.
fn equal_words(template: &[Box<str>], words: &[&str]) -> Option<usize> {
    let mut equal = 0;
    for (position, (known, word)) in template.iter().zip(words).enumerate() {
        if **known == **word {
            equal += usize::from(position >= DEPTH && **known != *PARAMETER);
        } else if position < DEPTH || tells(known) || tells(word) {
            return None;
        }
    }
    Some(equal)
}

fn tells(word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    TELLING.iter().any(|part| word.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], expected: &[&str]) {
        let mut tree = Tree::default();
        for line in lines {
            if tree.find(line).is_none() {
                tree.add(line);
            }
        }
        let texts: Vec<_> = (0..tree.len())
            .map(|template| tree.text(template))
            .collect();
        assert_eq!(texts, expected);
    }

    #[test]
    fn lines_alike_but_for_names_share_a_template() {
        check(
            &[
                "pi sshd[#]: Invalid user admin from # port #",
                "pi sshd[#]: Invalid user bob from # port #",
                "pi sshd[#]: Invalid user eve from # port #",
            ],
            &["pi sshd[#]: Invalid user <*> from # port #"],
        );
    }

    #[test]
    fn lines_that_tell_something_else_do_not() {
        let pairs = [
            (
                "pi app: nightly backup of the photos done",
                "pi app: nightly backup of the photos failed",
            ),
            ("pi app: starting worker", "pi app: stopping worker"),
            ("pi app: a b c d", "pi app: a b c d e"),
            ("pi app: a b c d", "pi cron: a b c d"),
            ("a", "b"),
        ];
        for (one, other) in pairs {
            check(&[one, other], &[one, other]);
        }
    }

    #[test]
    fn a_parameter_does_not_swallow_trouble() {
        check(
            &[
                "pi app: job of user ana was started",
                "pi app: job of user bob was started",
                "pi app: job of user failed was started",
            ],
            &[
                "pi app: job of user <*> was started",
                "pi app: job of user failed was started",
            ],
        );
    }

    #[test]
    fn a_template_read_back_takes_the_lines_it_took() {
        let mut tree = Tree::default();
        let seeded = tree.add("pi sshd[#]: Invalid user <*> from # port #");
        let line = "pi sshd[#]: Invalid user zoe from # port #";
        assert_eq!(tree.find(line), Some(seeded));
        assert_eq!(
            tree.text(seeded),
            "pi sshd[#]: Invalid user <*> from # port #"
        );
    }
}
