//! A model and a clock for tests.

use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;

use super::{Model, Provider, Timeouts};
use crate::clock::TestClock;

pub(in crate::llm) fn model(url: &str) -> Model {
    Model {
        name: "small".into(),
        provider: Provider::Ollama,
        url: url.into(),
        model: "tiny".into(),
        api_key: None,
        context: Some(8192),
        max_output: 512,
        timeouts: Timeouts::default(),
        lane: 1,
        keep_alive: Some(Duration::from_secs(1800)),
        local: true,
        price: None,
    }
}

pub(in crate::llm) fn clock() -> Arc<TestClock> {
    Arc::new(TestClock::at(DateTime::UNIX_EPOCH))
}
