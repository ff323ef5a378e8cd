//! The HTTP listener: `POST /hooks/NAME` brings events, `GET /health` tells a watcher how the daemon is.
//!
//! It is there while `[web]` is configured, a job has a webhook, or Telegram brings its news.

mod call;
mod doors;
mod hook;
mod host;
mod lock;
mod news;
mod serve;
mod signature;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex};

use tokio::sync::mpsc;

pub use call::{Call, names, raise};
pub use serve::Listener;

use crate::clock::Clock;
use crate::config::Settings;
use crate::engine::chats::Brought;
use crate::engine::{Daemon, Intake, Loaded};
use doors::Doors;

/// Tells how the daemon is: the reason why it is not well.
pub type Health = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What requests are answered with.
pub struct Web {
    /// Where events go.
    intake: Intake,
    clock: Arc<dyn Clock>,
    health: Health,
    /// Where news of Telegram go.
    news: mpsc::Sender<Brought>,
    /// Who may call, by the reading of the folder that it is of.
    doors: Mutex<Option<(Arc<Loaded>, Arc<Doors>)>>,
}

impl fmt::Debug for Web {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Web").finish_non_exhaustive()
    }
}

impl Web {
    /// Requests become events of `daemon`.
    pub fn new(daemon: &Daemon, clock: Arc<dyn Clock>, health: Health) -> Self {
        Web {
            intake: daemon.intake.clone(),
            clock,
            health,
            news: daemon.news(),
            doors: Mutex::default(),
        }
    }

    /// Who may call now; made once for each reading of the folder.
    fn doors(&self) -> Arc<Doors> {
        let loaded = self.intake.loaded();
        let mut doors = self.doors.lock().expect("nothing panics at the doors");
        match &*doors {
            Some((of, doors)) if Arc::ptr_eq(of, &loaded) => Arc::clone(doors),
            _ => {
                let new = Arc::new(Doors::of(&loaded));
                *doors = Some((loaded, Arc::clone(&new)));
                new
            }
        }
    }
}

/// Where the listener has to be, if it has to be.
fn wanted(loaded: &Loaded) -> Option<std::net::SocketAddr> {
    let web: &Settings = &loaded.settings;
    let default = crate::config::settings::DEFAULT_LISTEN;
    let chats = || {
        web.telegram
            .as_ref()
            .is_some_and(|chats| chats.webhook.is_some())
    };
    let hooked = || doors::webhooks(loaded).next().is_some() || chats();
    web.web.listen.or_else(|| hooked().then_some(default))
}
