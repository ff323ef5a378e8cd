//! Whole events: a webhook is called, a run of two cheap steps, a webhook is called.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::client::drive;
use super::process::{Daemon, Place, free_port, slow_disk};
use super::relay::Relay;
use super::row;
use super::rows::Bare;

const WIDTH: usize = 256;
const EVENTS: usize = 20_480;
/// Where each commit takes 2 ms and more.
const FEW: usize = 10_240;

/// The least on a disk of 8,000 commits a second.
const BOUND: f64 = 20_000.0;

pub fn events(place: &Place) {
    let commits = Bare::new(&place.folder).commits_per_second();
    let bare = Bare::new(&place.folder).runs(EVENTS as i64, WIDTH as i64);
    let relayed = relayed();
    let ours = through(place, Place::daemon, EVENTS);
    let what = format!("events/s, {WIDTH} in flight");
    let disk = format!(
        "{BOUND}/s at 8000 commits/s; here {commits:.0}, bare loop {bare:.0}/s, HTTP alone {relayed:.0}/s"
    );
    row(&what, ours, "/s", BOUND, &disk);
    let Some(slow) = slow_disk(&place.folder) else {
        eprintln!("there is no C compiler: no figure with a slowed disk");
        return;
    };
    let bare = slow_bare(&place.folder, &slow);
    let ours = through(place, Place::daemon_on_slow_disk, FEW);
    let said = format!("80 % of the bare loop's {bare:.0}/s; HTTP alone {relayed:.0}/s");
    row(
        &format!("{what}, each fsync 2 ms slower"),
        ours,
        "/s",
        bare * 0.8,
        &said,
    );
}

/// Events per second of what only relays them.
fn relayed() -> f64 {
    let hook = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let sink = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let _relay = Relay::start(hook, sink.local_addr().expect("it has an address"));
    EVENTS as f64 / drive(hook, sink, EVENTS, WIDTH).as_secs_f64()
}

fn through(place: &Place, daemon: impl Fn(&Place) -> Daemon, events: usize) -> f64 {
    let port = free_port();
    let sink = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let sink_at = sink.local_addr().expect("it has an address");
    place.settings(&format!("[web]\nlisten = \"127.0.0.1:{port}\"\n"));
    place.job(
        "hook",
        &format!(
            "concurrency.max = {WIDTH}\n\n[[trigger]]\nwebhook = \"in\"\n\n\
             [[step]]\nid = \"first\"\nset.double = \"event.body.n * 2\"\n\n\
             [[step]]\nid = \"second\"\nset.text = \"'event ' ~ first.double\"\n\n\
             [[deliver]]\nwebhook = \"http://{sink_at}/\"\ntext = \"{{{{ event.body.n }}}}\"\n"
        ),
    );
    let daemon = daemon(place);
    let hook = format!("127.0.0.1:{port}").parse().expect("an address");
    let cpu = daemon.cpu();
    let took = drive(hook, sink, events, WIDTH);
    let ended = Instant::now();
    let busy = (daemon.cpu() - cpu).as_secs_f64() / took.as_secs_f64();
    let database = place.database();
    let open = "SELECT count(*) FROM deliveries WHERE state <> 'sent'";
    let open = || {
        database
            .query_row(open, [], |row| row.get::<_, i64>(0))
            .expect("read")
    };
    while open() > 0 {
        assert!(
            ended.elapsed() < Duration::from_secs(30),
            "all is confirmed in the end"
        );
    }
    let took = took + ended.elapsed();
    eprintln!("{events} events in {took:.2?}, the daemon busy {busy:.2} cores");
    events as f64 / took.as_secs_f64()
}

/// The bare loop in a process whose disk is slowed.
fn slow_bare(folder: &Path, slow: &Path) -> f64 {
    let own = std::env::current_exe().expect("it has a path");
    let mut command = Command::new(own);
    command.arg("bare").arg(folder).env("LD_PRELOAD", slow);
    let said = command.output().expect("it starts");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    said.trim().parse().expect("a number")
}

pub fn print_bare(folder: &Path) {
    println!("{}", Bare::new(folder).runs(FEW as i64, WIDTH as i64));
}
