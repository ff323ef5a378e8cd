//! `kill -9` at a commit of a real daemon, life after life, and everything accounted for at the end.
//!
//! `REVEILLE_KILLS=2000` takes more of them. A release build has no place to die at: there these tests do nothing.

mod checks;
mod folder;
mod google;

use std::thread;

use folder::Victim;

/// So many kills in all.
const KILLS: u64 = 200;

/// Lives of one folder.
const LIVES: u64 = 10;

/// Folders at a time.
const AT_ONCE: u64 = 4;

#[test]
fn a_daemon_killed_at_any_commit_loses_nothing_and_does_nothing_twice() {
    if !cfg!(debug_assertions) {
        return;
    }
    let kills = std::env::var("REVEILLE_KILLS");
    let kills = kills.map_or(KILLS, |kills| kills.parse().expect("a number"));
    let folders = kills.div_ceil(LIVES);
    thread::scope(|scope| {
        for part in 0..AT_ONCE {
            scope.spawn(move || {
                for folder in (0..folders).filter(|folder| folder % AT_ONCE == part) {
                    one(folder);
                }
            });
        }
    });
}

fn one(folder: u64) {
    let mut victim = Victim::new();
    for life in 0..LIVES {
        // Each of the first forty commits is one of them, on either side.
        let place = (folder * LIVES + life) * 13 % 80;
        victim.dies(1 + place / 2, place.is_multiple_of(2));
        victim.nothing_changed_that_had_an_end();
    }
    victim.ends();
    checks::check(&victim);
}
