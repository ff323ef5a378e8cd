//! Gathers matching lines into patterns, in bounded memory.

use std::borrow::Cow;
use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::hash::{fnv1a, shape};
use super::mask::mask;
use super::memory::{MAX_PATTERNS, Memory};
use super::stamp::{Calendar, locate};
use super::tree::Tree;

/// How much of a line decides its pattern, in bytes.
const DECIDES: usize = 1024;
/// How much of a line is kept as the example, in bytes.
const EXAMPLE: usize = 2 * 1024;
/// How many patterns one look keeps apart, the remembered ones included.
const MAX_GROUPS: usize = MAX_PATTERNS + 1_000;
/// How many shapes of lines are known without asking the tree.
const SHORTCUTS: usize = 16 * 1024;

/// Lines alike but for numbers, ids and times.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Its name in memory: the hash of the masked line that founded it, so it stays when the template generalises.
    pub id: String,
    /// Lines of this look.
    pub count: u64,
    /// The earliest and the latest of the lines' own times.
    pub first: Option<DateTime<Utc>>,
    /// See `first`.
    pub last: Option<DateTime<Utc>>,
    /// The latest line.
    pub example: String,
    /// Which source the example is from.
    pub source: usize,
    /// The order of the latest lines.
    pub order: u64,
}

/// The patterns of one look.
#[derive(Debug)]
pub struct Tally<'a> {
    /// Lines that match.
    pub count: u64,
    /// Of these, lines that were not UTF-8.
    pub replaced: u64,
    /// Of these, lines beyond the bound on patterns.
    pub other: u64,
    calendar: &'a Calendar,
    tree: Tree,
    groups: Vec<Group>,
    shortcuts: HashMap<u64, Place>,
    source: usize,
}

impl<'a> Tally<'a> {
    /// An empty tally whose tree knows the remembered templates.
    pub fn new(memory: Option<&Memory>, calendar: &'a Calendar) -> Self {
        let mut tally = Tally {
            count: 0,
            replaced: 0,
            other: 0,
            calendar,
            tree: Tree::default(),
            groups: Vec::new(),
            shortcuts: HashMap::new(),
            source: 0,
        };
        let patterns = memory.iter().flat_map(|memory| &memory.patterns);
        for (id, pattern) in patterns.take(MAX_PATTERNS) {
            tally.found(id.clone(), &pattern.template);
        }
        tally
    }

    /// The lines that follow are from source number `source`.
    pub fn enter(&mut self, source: usize) {
        self.source = source;
    }

    /// Counts one line; a blank one, or one of Reveille's own, is none.
    pub fn add(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let shape = shape(&line[..line.len().min(DECIDES)]);
        let place = match self.shortcuts.get(&shape) {
            Some(&place) => place,
            None => self.place(line, shape),
        };
        let place = match place {
            Place::Nowhere => return,
            Place::Other => None,
            Place::Group(index) => Some(index),
        };
        let text = match std::str::from_utf8(line) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(line),
        };
        self.count += 1;
        self.replaced += u64::from(matches!(text, Cow::Owned(_)));
        let Some(index) = place else {
            self.other += 1;
            return;
        };
        let group = &mut self.groups[index];
        if group.count == 0 || group.source != self.source {
            // Times are read of the first and the latest line of each source only.
            let first = self.calendar.time_of(line);
            let last = self.calendar.time_of(group.example.as_bytes());
            group.last = group.last.max(last);
            group.first = [group.first, first].into_iter().flatten().min();
        }
        group.count += 1;
        group.source = self.source;
        group.order = self.count;
        let example = &text[..text.floor_char_boundary(EXAMPLE)];
        group.example.clear();
        group.example.push_str(example);
    }

    /// The groups that have lines, with their templates, the latest last.
    pub fn finish(mut self) -> (Vec<(Group, String)>, Totals) {
        let totals = Totals {
            count: self.count,
            replaced: self.replaced,
            other: self.other,
        };
        let mut groups: Vec<_> = std::mem::take(&mut self.groups)
            .into_iter()
            .enumerate()
            .filter(|(_, group)| group.count > 0)
            .map(|(index, mut group)| {
                let last = self.calendar.time_of(group.example.as_bytes());
                group.last = group.last.max(last);
                (group, self.tree.text(index))
            })
            .collect();
        groups.sort_by_key(|(group, _)| group.order);
        (groups, totals)
    }

    /// Finds the place of a line whose shape was not seen yet.
    fn place(&mut self, line: &[u8], shape: u64) -> Place {
        let stamp = locate(line);
        let (before, after) = stamp.map_or((&b""[..], line), |stamp| {
            (&line[..stamp.start], &line[stamp.end..])
        });
        let place = if line.trim_ascii().is_empty() || is_own(after) {
            Place::Nowhere
        } else {
            let mut masked = Vec::new();
            mask(before, &mut masked);
            mask(&after[..after.len().min(DECIDES)], &mut masked);
            let text = String::from_utf8_lossy(&masked);
            match self.tree.find(&text) {
                Some(index) => Place::Group(index),
                None if self.tree.len() >= MAX_GROUPS => Place::Other,
                None => Place::Group(self.found(format!("{:016x}", fnv1a(&masked)), &text)),
            }
        };
        if self.shortcuts.len() >= SHORTCUTS {
            self.shortcuts.clear();
        }
        self.shortcuts.insert(shape, place);
        place
    }

    fn found(&mut self, id: String, template: &str) -> usize {
        self.groups.push(Group {
            id,
            ..Group::default()
        });
        self.tree.add(template)
    }
}

/// Where a line belongs.
#[derive(Debug, Clone, Copy)]
enum Place {
    Group(usize),
    /// Beyond the bound on patterns.
    Other,
    /// A line that does not count.
    Nowhere,
}

/// What a tally counted.
#[derive(Debug, Clone, Copy)]
pub struct Totals {
    /// Lines that match.
    pub count: u64,
    /// Of these, lines that were not UTF-8.
    pub replaced: u64,
    /// Of these, lines beyond the bound on patterns.
    pub other: u64,
}

/// Whether the program that wrote the line (after its timestamp: host, program) is Reveille.
fn is_own(rest: &[u8]) -> bool {
    rest.trim_ascii_start()
        .splitn(3, |&byte| byte == b' ')
        .take(2)
        .any(|word| word.starts_with(b"reveille[") || word.starts_with(b"reveille:"))
}
