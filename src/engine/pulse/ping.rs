//! A service elsewhere that misses us when we are silent (Healthchecks.io and its like).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::HeaderMap;
use tokio::sync::watch;
use url::Url;

use crate::clock::Clock;
use crate::config::secret::Address;
use crate::engine::Loaded;
use crate::journal::{self, Level};
use crate::net::{Client, Limits, Policy};

/// How long one call may take.
const LIMIT: Duration = Duration::from_secs(30);

/// Calls it.
#[derive(Debug)]
pub struct Ping {
    clock: Arc<dyn Clock>,
    latest: watch::Receiver<Arc<Loaded>>,
    /// By the monotonic clock.
    last: Option<Duration>,
    failing: Arc<AtomicBool>,
}

impl Ping {
    /// What the `latest` reading says is called.
    pub fn new(clock: Arc<dyn Clock>, latest: watch::Receiver<Arc<Loaded>>) -> Self {
        Ping {
            clock,
            latest,
            last: None,
            failing: Arc::default(),
        }
    }

    /// Everything moves: calls it, if it is time to; beside what goes on.
    pub fn alive(&mut self) {
        let loaded = Arc::clone(&self.latest.borrow());
        let Some(heartbeat) = &loaded.settings.heartbeat else {
            self.last = None;
            return;
        };
        let now = self.clock.monotonic();
        if self.last.is_some_and(|last| now < last + heartbeat.every) {
            return;
        }
        self.last = Some(now);
        let (clock, failing) = (Arc::clone(&self.clock), Arc::clone(&self.failing));
        tokio::spawn(async move {
            let called = call(&loaded, clock).await;
            let failed = called.is_err();
            let before = failing.swap(failed, Ordering::Relaxed);
            match called {
                Err(mut why) if !before => {
                    loaded.secrets.scrub(&mut why);
                    journal::say(Level::Warning, format!("[heartbeat] ping: {why}"));
                }
                Ok(()) if before => journal::say(Level::Info, "[heartbeat] ping: it answers again"),
                Ok(()) | Err(_) => {}
            }
        });
    }
}

async fn call(loaded: &Loaded, clock: Arc<dyn Clock>) -> Result<(), String> {
    let Some(heartbeat) = &loaded.settings.heartbeat else {
        return Ok(());
    };
    let url = match &heartbeat.ping {
        Address::Typed(address) => address.0.clone(),
        Address::Secret(secret) => loaded.secrets.get(secret)?.expose().to_owned(),
    };
    // Made anew each time: nothing is kept open for one call in minutes. The owner typed the host.
    let host = Url::parse(&url)
        .ok()
        .and_then(|url| Some(url.host_str()?.to_owned()));
    let limits = Limits {
        total: LIMIT,
        bytes: 64 << 10,
        ..Limits::default()
    };
    let client = Client::new(Policy::allowing(host), limits, clock);
    let answer = client.get(&url, HeaderMap::new()).await;
    let answer = answer.and_then(crate::net::Response::success);
    answer.map(drop).map_err(|error| error.to_string())
}
