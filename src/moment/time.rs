//! The times of a day and its parts: "por la tarde", and which of two hours is meant.
//!
//! Hours from 1 to 7 that say neither morning nor evening are those after noon.

/// A part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Small,
    Morning,
    Noon,
    Afternoon,
    Evening,
    Night,
}

impl Part {
    /// Minutes after midnight that it stands for where no hour is said.
    pub(super) fn minutes(self) -> u32 {
        60 * match self {
            Part::Small => 4,
            Part::Morning => 9,
            Part::Noon => 12,
            Part::Afternoon => 16,
            Part::Evening => 20,
            Part::Night => 21,
        }
    }
}

/// A time as it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) hour: u32,
    pub(super) minute: u32,
    /// Minutes that are taken off: "menos diez".
    pub(super) less: u32,
    pub(super) half: Half,
}

/// Which half of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Half {
    /// As it is written.
    Exact,
    /// Of a clock of twelve hours, and no word on which half.
    Open,
    Am,
    Pm,
    Part(Part),
}

impl Clock {
    pub(super) const fn exact(hour: u32) -> Clock {
        Clock {
            hour,
            minute: 0,
            less: 0,
            half: Half::Exact,
        }
    }

    fn is_open(self) -> bool {
        self.half == Half::Open
    }

    /// Minutes after the day's midnight, more than a day's where it is the night that follows.
    pub(super) fn minutes(self, of: Option<Part>) -> u32 {
        let half = match (self.half, of) {
            (Half::Open, Some(part)) => Half::Part(part),
            (half, _) => half,
        };
        let hour = match (half, self.hour) {
            (Half::Am, 12) => 0,
            (Half::Pm, 1..12) | (Half::Open, 1..8) => self.hour + 12,
            (Half::Part(Part::Afternoon | Part::Evening), 1..12) => self.hour + 12,
            (Half::Part(Part::Noon), 1..5) => self.hour + 12,
            (Half::Part(Part::Small), 12) => 0,
            // The small hours of a night belong to the evening before.
            (Half::Part(Part::Night), 12 | 1..5) => 24 + self.hour % 12,
            (Half::Part(Part::Night), 5..12) => self.hour + 12,
            (_, hour) => hour,
        };
        (hour * 60 + self.minute).saturating_sub(self.less)
    }

    fn with(self, half: Half) -> Clock {
        if self.hour > 12 || self.half == Half::Exact {
            self
        } else {
            Clock { half, ..self }
        }
    }

    /// An hour that says its half is not as it is written.
    pub(super) fn said(self, half: Half) -> Clock {
        Clock {
            half: if self.hour > 12 { Half::Exact } else { half },
            ..self
        }
    }
}

/// From and to, in minutes after the day's midnight.
pub(super) fn between(from: Clock, to: Clock, of: Option<Part>) -> (u32, u32) {
    if let (Half::Open, Half::Open, None) = (from.half, to.half, of)
        && to.hour % 12 <= from.hour % 12
        && from.hour != 12
    {
        // "De 9 a 2", "from 7 to 3": over noon.
        return (
            from.with(Half::Am).minutes(None),
            to.with(Half::Pm).minutes(None),
        );
    }
    let end = to.minutes(of);
    let shared = from.with(to.half).minutes(None);
    let start = match from.is_open() && !to.is_open() && to.half != Half::Exact {
        true if shared < end => shared,
        true => from.with(Half::Am).minutes(None),
        false => from.minutes(of),
    };
    let later = match () {
        () if end > start => end,
        () if to.is_open() && end + 720 > start => end + 720,
        () => end + 1440,
    };
    (start, later)
}

/// The part of the day that the words begin with, said by itself.
pub(super) fn part(words: &[&str]) -> Option<(Part, usize)> {
    match words {
        ["por" | "de" | "en" | "a", "la", name, ..] => spanish(name).map(|part| (part, 3)),
        ["al" | "del", "mediodia", ..] => Some((Part::Noon, 2)),
        ["de" | "por", "madrugada", ..] => Some((Part::Small, 2)),
        ["la", name, "de" | "del", ..] => spanish(name).map(|part| (part, 2)),
        ["in" | "during", "the", name, ..] => english(name).map(|part| (part, 3)),
        ["at", "night", ..] => Some((Part::Night, 2)),
        ["a", "primera", "hora", ..] => Some((Part::Morning, 3)),
        ["first", "thing", ..] => Some((Part::Morning, 2)),
        _ => None,
    }
}

/// A part's bare name, as it follows a day: "Friday morning", "el viernes noche".
pub(super) fn bare(word: &str) -> Option<Part> {
    english(word).or_else(|| spanish(word).filter(|_| word != "manana"))
}

pub(super) fn english(name: &str) -> Option<Part> {
    Some(match name {
        "morning" | "mornings" => Part::Morning,
        "afternoon" | "afternoons" => Part::Afternoon,
        "evening" | "evenings" => Part::Evening,
        "night" | "nights" => Part::Night,
        _ => return None,
    })
}

pub(super) fn spanish(name: &str) -> Option<Part> {
    Some(match name {
        "manana" | "mananas" => Part::Morning,
        "tarde" | "tardes" => Part::Afternoon,
        "noche" | "noches" => Part::Night,
        "madrugada" | "madrugadas" => Part::Small,
        _ => return None,
    })
}
