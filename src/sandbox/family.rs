//! All processes that came from one program, and their end.
//!
//! A process leaves its group by setsid(2) and its parent by a double fork, but it keeps the
//! environment that it was started with: so each family carries a mark there, as Jenkins does
//! with its build's cookie. Members are those with the mark, those in the group, and whatever
//! descends from them.

use std::collections::HashSet;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

/// The environment variable that carries the mark.
pub(super) const MARK: &str = "REVEILLE_EXEC";

/// Rounds of killing: each ends all it sees, and a process may be forking meanwhile.
const ROUNDS: usize = 20;

/// Dropped before it is [`gone`](Family::gone), it kills every member.
#[derive(Debug)]
pub(super) struct Family {
    leader: Option<Pid>,
    mark: String,
}

impl Family {
    pub(super) fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Family {
            leader: None,
            mark: format!("{}-{count}", std::process::id()),
        }
    }

    pub(super) fn mark(&self) -> &str {
        &self.mark
    }

    pub(super) fn founded_by(&mut self, leader: Option<Pid>) {
        self.leader = leader;
    }

    /// Nothing is left to be killed.
    pub(super) fn gone(mut self) {
        self.leader = None;
    }

    pub(super) fn signal(&self, signal: Signal) {
        for pid in self.members() {
            let _ = kill_process(pid, signal);
        }
    }

    /// Kills every member that is left, and those that appear meanwhile.
    pub(super) fn kill(&self) {
        for _ in 0..ROUNDS {
            self.kill_group();
            let members = self.members();
            if members.is_empty() {
                return;
            }
            for pid in members {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }

    /// Kills what is left in the group: cheap, and enough where a program ended by itself.
    pub(super) fn kill_group(&self) {
        if let Some(leader) = self.leader {
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }

    fn members(&self) -> Vec<Pid> {
        let Some(leader) = self.leader else {
            return Vec::new();
        };
        let leader = leader.as_raw_nonzero().get();
        let mark = format!("{MARK}={}", self.mark);
        let mut others = Vec::new();
        let mut members = HashSet::new();
        for process in processes() {
            if process.pid == leader || process.group == leader || has_mark(process.pid, &mark) {
                members.insert(process.pid);
            } else {
                others.push(process);
            }
        }
        // Children of members are members: until no more are found.
        loop {
            let before = members.len();
            others.retain(|process| {
                !(members.contains(&process.parent) && members.insert(process.pid))
            });
            if members.len() == before {
                break;
            }
        }
        // The leader first: a shell whose child ends before it is asked to would just go on.
        let mut members: Vec<_> = members.into_iter().collect();
        members.sort_unstable_by_key(|pid| (*pid != leader, *pid));
        members.into_iter().filter_map(Pid::from_raw).collect()
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        if self.leader.is_some() {
            self.kill();
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Process {
    pid: i32,
    parent: i32,
    group: i32,
}

/// Every process that lives; those that wait for their parent's word are dead.
fn processes() -> impl Iterator<Item = Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.filter_map(|entry| {
        let pid = entry.ok()?.file_name().to_str()?.parse().ok()?;
        parse_stat(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    })
}

/// proc_pid_stat(5): the name in parentheses may hold anything, parentheses too.
fn parse_stat(pid: i32, stat: &str) -> Option<Process> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let group = fields.next()?.parse().ok()?;
    let lives = !matches!(state, "Z" | "X" | "x");
    lives.then_some(Process { pid, parent, group })
}

fn has_mark(pid: i32, mark: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment
        .split(|byte| *byte == 0)
        .any(|entry| entry == mark.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_may_have_any_name() {
        let check = |stat: &str, expected: Option<(i32, i32)>| {
            let found = parse_stat(7, stat).map(|process| (process.parent, process.group));
            assert_eq!(found, expected, "{stat}");
        };
        check("7 (sleep) S 5 6 6 0 -1", Some((5, 6)));
        check("7 (a) b) (c) R 5 6 6 0 -1", Some((5, 6)));
        check("7 (gone) Z 5 6 6 0 -1", None);
        check("7 (cut) S 5", None);
        check("", None);
    }
}
