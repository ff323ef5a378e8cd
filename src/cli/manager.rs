//! What the service manager is told (sd_notify(3)); nothing where there is none.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::journal::{self, Level};

/// It runs, or runs again after a reload.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// It takes its files in again, until it is [`ready`].
pub(super) fn reloading() {
    // Type=notify-reload tells one reload from another by the time (systemd.service(5)).
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// It ends, within `limit`.
pub(super) fn stopping(limit: Duration) {
    let micros = u32::try_from(limit.as_micros()).unwrap_or(u32::MAX);
    tell(&[
        NotifyState::Stopping,
        NotifyState::Status("runs under way may end"),
        NotifyState::ExtendTimeoutUsec(micros),
    ]);
}

/// Everything moves; `status` is what `systemctl status` shows.
pub(super) fn alive(status: &str) {
    // One that is lost is made good by the next.
    let _ = sd_notify::notify(&[NotifyState::Watchdog, NotifyState::Status(status)]);
}

/// After how long without a sign of life it is killed and started again.
pub(super) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        let said = format!("cannot tell the service manager: {error}");
        journal::say(Level::Warning, said);
    }
}
