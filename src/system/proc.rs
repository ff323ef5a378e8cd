//! What /proc tells of memory, load and uptime: pure parsers (proc(5)).

use std::time::Duration;

use serde::Serialize;

use super::disk::percent;

/// Memory, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// What the kernel has to give.
    pub total: u64,
    /// What programs may still take without swapping.
    pub available: u64,
    /// The rest.
    pub used: u64,
    /// Used of the total, rounded up.
    pub percent: u32,
    /// Memory on disk.
    pub swap: Swap,
}

/// Swap, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Swap {
    /// 0 where there is none.
    pub total: u64,
    /// What lies there.
    pub used: u64,
    /// Used of the total, rounded up.
    pub percent: u32,
}

/// Load averages: runnable and waiting processes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Load {
    /// Over one minute.
    pub one: f64,
    /// Over five.
    pub five: f64,
    /// Over fifteen.
    pub fifteen: f64,
    /// Processors that are online.
    pub cores: u32,
}

/// `/proc/meminfo`. A unit with `ProcSubset=pid` sees an empty one.
pub(super) fn memory(text: &str) -> Option<Memory> {
    let field = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        let number: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
        Some(number * 1024)
    };
    let total = field("MemTotal").filter(|total| *total > 0)?;
    let available = field("MemAvailable").or_else(|| field("MemFree"))?;
    let used = total.saturating_sub(available);
    let swap_total = field("SwapTotal").unwrap_or(0);
    let swap_used = swap_total.saturating_sub(field("SwapFree").unwrap_or(0));
    Some(Memory {
        total,
        available,
        used,
        percent: percent(used, total),
        swap: Swap {
            total: swap_total,
            used: swap_used,
            percent: percent(swap_used, swap_total),
        },
    })
}

/// `/proc/loadavg`, with `/sys/devices/system/cpu/online` as "0-3" or "0,2-3".
pub(super) fn load(text: &str, online: &str) -> Option<Load> {
    let mut numbers = text.split(' ').map_while(|number| number.parse().ok());
    Some(Load {
        one: numbers.next()?,
        five: numbers.next()?,
        fifteen: numbers.next()?,
        cores: online.trim().split(',').filter_map(length).sum(),
    })
}

/// `/proc/uptime`: seconds, with a fraction.
pub(super) fn uptime(text: &str) -> Option<Duration> {
    let seconds: f64 = text.split_ascii_whitespace().next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn length(range: &str) -> Option<u32> {
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last): (u32, u32) = (first.parse().ok()?, last.parse().ok()?);
    Some(last.checked_sub(first)? + 1)
}
