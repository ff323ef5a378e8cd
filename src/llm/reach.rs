//! Where a text may go. What is called is an [`Allowed`] model, and nothing but a [`Reach`] makes one.

use super::Model;

/// Which models may read a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// Only those at home.
    #[default]
    Home,
    /// Any.
    Anywhere,
}

impl Reach {
    /// The reach of two texts together.
    #[must_use]
    pub fn and(self, other: Reach) -> Reach {
        match (self, other) {
            (Reach::Anywhere, Reach::Anywhere) => Reach::Anywhere,
            _ => Reach::Home,
        }
    }

    /// The model, where it may read a text of this reach.
    #[must_use]
    pub fn allows(self, model: Model) -> Option<Allowed> {
        (model.local || self == Reach::Anywhere).then_some(Allowed(model))
    }
}

/// A model that may read what it is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Allowed(Model);

impl Allowed {
    /// It, with less time for the whole call.
    #[must_use]
    pub(super) fn within(mut self, left: std::time::Duration) -> Self {
        self.0.timeouts.total = self.0.timeouts.total.min(left);
        self
    }
}

impl std::ops::Deref for Allowed {
    type Target = Model;

    fn deref(&self) -> &Model {
        &self.0
    }
}
