//! Time, sleep and time-ordered ids. Nothing else in the crate asks the system for any of them.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::net::unix::pipe::Receiver;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::zone::Tz;

/// A boxed future, so that [`Clock`] can be a trait object.
pub type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What the rest of the program may know about time.
pub trait Clock: Debug + Send + Sync {
    /// The wall clock, in UTC. It may jump in either direction.
    fn now(&self) -> DateTime<Utc>;

    /// Time since some fixed moment, never going back: for durations only.
    fn monotonic(&self) -> Duration;

    /// Completes once `duration` of monotonic time has passed.
    fn sleep(&self, duration: Duration) -> Sleep;

    /// Completes once the wall clock reads `moment`, which it may do sooner than it seemed: where it is set meanwhile, this may
    /// complete at any time. More exact than [`Clock::sleep`], which may be late by 2 ms.
    fn sleep_until(&self, moment: DateTime<Utc>) -> Sleep {
        self.sleep(left(self.now(), moment))
    }

    /// A UUIDv7 (RFC 9562, section 5.7) of this moment: ids sort in the order of their making.
    fn id(&self) -> Uuid;
}

/// `future` did not end within its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no answer within {0:?}")]
pub struct Elapsed(pub Duration);

/// Runs `future` for at most `limit`; it is dropped when the limit passes.
pub async fn timeout<F: Future>(
    clock: &dyn Clock,
    limit: Duration,
    future: F,
) -> Result<F::Output, Elapsed> {
    // On the heap: limits stand within limits, and each would else hold its future twice, to the end of a thread's stack.
    let future = Box::pin(future);
    tokio::select! {
        biased;
        output = future => Ok(output),
        () = clock.sleep(limit) => Err(Elapsed(limit)),
    }
}

/// The machine's time zone; UTC where it does not say.
pub fn system_zone() -> Tz {
    iana_time_zone::get_timezone()
        .ok()
        .and_then(|name| name.parse().ok())
        .unwrap_or(Tz::UTC)
}

/// The machine's own clock; with `--now` its wall clock stands still while durations stay real.
#[derive(Debug, Default)]
pub struct SystemClock {
    fixed: Option<DateTime<Utc>>,
}

impl SystemClock {
    /// A clock whose wall time is always `now`.
    pub fn fixed(now: DateTime<Utc>) -> Self {
        SystemClock { fixed: Some(now) }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        self.fixed.unwrap_or_else(Utc::now)
    }

    fn monotonic(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        Box::pin(tokio::time::sleep(duration))
    }

    fn sleep_until(&self, moment: DateTime<Utc>) -> Sleep {
        if self.fixed.is_none()
            && let Some(alarm) = alarm(moment)
        {
            return Box::pin(async move {
                // What cannot be waited for is over.
                let _ = alarm.readable().await;
            });
        }
        self.sleep(left(self.now(), moment))
    }

    fn id(&self) -> Uuid {
        // The real wall clock even under `--now`: two runs with one fixed time are two runs.
        Uuid::now_v7()
    }
}

/// From `now` to `moment`; nothing where that is past.
fn left(now: DateTime<Utc>, moment: DateTime<Utc>) -> Duration {
    (moment - now).to_std().unwrap_or_default()
}

/// Readable once the system's wall clock reads `moment`, and when it is set (timerfd_create(2)). The runtime's own timers know
/// whole milliseconds only, and round up twice.
fn alarm(moment: DateTime<Utc>) -> Option<Receiver> {
    let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
    let alarm = timerfd_create(TimerfdClockId::Realtime, flags).ok()?;
    let at = Itimerspec {
        it_interval: Timespec::default(),
        it_value: Timespec {
            tv_sec: moment.timestamp(),
            tv_nsec: moment.timestamp_subsec_nanos().into(),
        },
    };
    let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
    timerfd_settime(&alarm, flags, &at).ok()?;
    // Not a pipe, but all that is asked of it is whether it is readable; `AsyncFd` has no safe way in.
    Receiver::from_owned_fd_unchecked(alarm).ok()
}

/// A clock that moves only when a test moves it.
#[derive(Debug)]
pub struct TestClock {
    state: Mutex<TestState>,
    changed: tokio::sync::Notify,
}

#[derive(Debug)]
struct TestState {
    wall: DateTime<Utc>,
    monotonic: Duration,
    ids: u64,
    sleepers: BTreeMap<(Duration, u64), oneshot::Sender<()>>,
}

impl TestClock {
    /// A clock that reads `now` until it is moved.
    pub fn at(now: DateTime<Utc>) -> Self {
        let state = TestState {
            wall: now,
            monotonic: Duration::ZERO,
            ids: 0,
            sleepers: BTreeMap::new(),
        };
        TestClock {
            state: Mutex::new(state),
            changed: tokio::sync::Notify::new(),
        }
    }

    /// Lets `duration` pass: both clocks move, and sleepers that are due wake in their order.
    pub fn advance(&self, duration: Duration) {
        let mut state = self.lock();
        state.monotonic += duration;
        state.wall += duration;
        let reached = (state.monotonic, u64::MAX);
        let later = state.sleepers.split_off(&reached);
        let due = std::mem::replace(&mut state.sleepers, later);
        drop(state);
        for (_, waker) in due {
            let _ = waker.send(());
        }
    }

    /// Steps the wall clock alone, as NTP or a person would.
    pub fn set_wall(&self, now: DateTime<Utc>) {
        self.lock().wall = now;
    }

    /// Waits until at least `count` sleeps are under way, so that a test knows when to advance.
    pub async fn sleeping(&self, count: usize) {
        loop {
            let changed = self.changed.notified();
            if self.lock().live_sleepers() >= count {
                return;
            }
            changed.await;
        }
    }

    /// How long until the next of the sleepers is due.
    pub fn next_wake(&self) -> Option<Duration> {
        let mut state = self.lock();
        state.live_sleepers();
        let (due, _) = state.sleepers.first_key_value()?.0;
        Some(due.saturating_sub(state.monotonic))
    }

    fn lock(&self) -> MutexGuard<'_, TestState> {
        self.state
            .lock()
            .expect("no test panics while it holds the clock")
    }
}

impl TestState {
    fn live_sleepers(&mut self) -> usize {
        self.sleepers.retain(|_, waker| !waker.is_closed());
        self.sleepers.len()
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        self.lock().wall
    }

    fn monotonic(&self) -> Duration {
        self.lock().monotonic
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let (waker, woken) = oneshot::channel();
        let mut state = self.lock();
        state.ids += 1;
        let key = (state.monotonic + duration, state.ids);
        state.sleepers.insert(key, waker);
        drop(state);
        self.changed.notify_waiters();
        Box::pin(async move {
            let _ = woken.await;
        })
    }

    fn id(&self) -> Uuid {
        let mut state = self.lock();
        state.ids += 1;
        let millis = u64::try_from(state.wall.timestamp_millis()).unwrap_or(0);
        let mut random = [0; 10];
        random[2..].copy_from_slice(&state.ids.to_be_bytes());
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn clock() -> TestClock {
        TestClock::at(DateTime::from_timestamp(1_800_000_000, 0).expect("in range"))
    }

    fn poll(sleep: &mut Sleep) -> Poll<()> {
        sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_sleep_ends_when_its_time_has_passed_and_not_before() {
        let clock = clock();
        let mut sleep = clock.sleep(Duration::from_secs(10));
        clock.advance(Duration::from_secs(9));
        assert!(poll(&mut sleep).is_pending());
        clock.advance(Duration::from_secs(1));
        assert!(poll(&mut sleep).is_ready());
    }

    #[tokio::test]
    async fn the_systems_clock_wakes_at_a_moment_and_not_before() {
        let clock = SystemClock::default();
        let past = clock.now() - chrono::TimeDelta::seconds(1);
        clock.sleep_until(past).await;
        let moment = clock.now() + chrono::TimeDelta::milliseconds(5);
        clock.sleep_until(moment).await;
        assert!(clock.now() >= moment);
    }

    #[tokio::test]
    async fn a_timeout_drops_what_is_late() {
        let clock = clock();
        let late = timeout(&clock, Duration::from_secs(1), std::future::pending::<()>());
        let (late, ()) = tokio::join!(late, async {
            clock.sleeping(1).await;
            clock.advance(Duration::from_secs(1));
        });
        assert_eq!(late, Err(Elapsed(Duration::from_secs(1))));
    }

    #[test]
    fn ids_sort_in_the_order_of_their_making() {
        let clock = clock();
        let ids: Vec<_> = (0..100).map(|_| clock.id()).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids[0].get_version_num(), 7);
    }
}
