//! A week of the shipped heartbeat over the log of a small computer, with incidents planted in it.

use std::fs::File;
use std::io::Write;

use chrono::{DateTime, TimeDelta, Utc};

use crate::fake_models::{Ollama, Script};
use crate::support::Folder;

/// What is in the log every day and is nobody's worry, some of it with the words that the job looks for. `#` is a number.
const USUAL: &[&str] = &[
    "systemd[1]: Started session-#.scope - Session # of User pi.",
    "systemd[1]: Starting apt-daily.service - Daily apt download activities...",
    "systemd[1]: apt-daily.service: Deactivated successfully.",
    "CRON[#]: (root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)",
    "CRON[#]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)",
    "dhcpcd[#]: wlan0: Router Advertisement from fe80::#",
    "kernel: [#.#] wlan0: associated with 00:11:22:33:44:55",
    "avahi-daemon[#]: Registering new address record for 192.168.1.# on wlan0.IPv4.",
    "dpkg: status installed liberror-perl:all 0.17029-2",
    "fail2ban-server[#]: Server ready",
    "rngd[#]: stats: bits received from HRNG source: #, failures: 0",
    "smartd[#]: Device: /dev/sda, SMART Usage Attribute: 194 Temperature_Celsius changed from # to #",
];

/// What goes wrong, each once.
const INCIDENTS: &[&str] = &[
    "kernel: mmc0: error -110 whilst initialising SD card",
    "kernel: EXT4-fs error (device mmcblk0p2): ext4_find_entry:1455: inode #131: comm nginx: reading directory lblock 0",
    "kernel: Under-voltage detected! (0x00050005) power supply failing",
    "kernel: Out of memory: Killed process 812 (ollama), it failed to allocate",
    "systemd[1]: nginx.service: Failed with result 'exit-code'.",
    "sshd[901]: error: maximum authentication attempts exceeded for root from 203.0.113.9 port 4022 ssh2",
    "kernel: usb 1-1.2: device descriptor read/64, error -71",
    "mariadbd[700]: [ERROR] InnoDB: Unable to lock ./ibdata1",
    "dockerd[600]: level=error msg=\"Handler for POST /containers/create returned error: No such image\"",
    "wpa_supplicant[400]: wlan0: CTRL-EVENT-ASSOC-REJECT status_code=16 (association failed)",
    "systemd-timesyncd[300]: Timed out waiting for reply, synchronisation failed",
    "borg[5]: Remote: Permission denied, backup failed",
    "kernel: thermal thermal_zone0: critical temperature reached, warning: shutting down",
    "postfix/smtp[77]: error: timeout exceeded talking to mail.example.org",
    "named[8]: zone example.lan/IN: loading from master file failed: file not found",
    "smbd[9]: smb_panic: internal error in pid 9",
    "certbot[10]: Failed to renew certificate pi.example.org",
    "kernel: I/O error, dev sda, sector 2048 op 0x0:(READ)",
    "cupsd[11]: [Job 7] Stopping job because the scheduler could not execute the backend, filter failed",
    "motion[12]: [ERR] Video device fatal error - Closing video device",
];

/// Numbers that look like chance and are the same every time.
struct Dice(u64);

impl Dice {
    fn next(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % most
    }
}

#[test]
fn a_week_of_the_heartbeat_tells_what_goes_wrong_and_asks_nobody_otherwise() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let model = runtime.block_on(Ollama::start(Script::says("Something happened.")));
    let folder = Folder::empty();
    folder.run(["init", "."]).prints(&[]);
    let log = folder.path("syslog.log");
    let job = folder.read("jobs/heartbeat.toml");
    let job = job.replace("/var/log/*.log", &log.display().to_string());
    let job = job.replace(
        "system     = [\"disk\", \"temperature\", \"failed-units\"]",
        "system     = [\"reboots\"]",
    );
    let job = job.replace("disk.above = \"90%\"\n", "");
    // What comes at night is told in the morning; here it is told at once.
    let job = job.replace("quiet    = \"22:00-07:00\"\n", "");
    folder.write("jobs/heartbeat.toml", job);
    let settings = folder.read("config/reveille.toml");
    let settings = settings.replace("http://127.0.0.1:11434", &model.url);
    folder.write("config/reveille.toml", settings);
    let mut file = File::create(&log).expect("a file");
    let mut dice = Dice(7);
    let mut now: DateTime<Utc> = "2026-11-16T00:00:00Z".parse().expect("a time");
    let (mut told, mut needless, mut messages, mut next) = (0, 0, 0, 0);
    let mut missed = Vec::new();
    for look in 0..7 * 48 {
        // The log was there before the first look.
        let lines = if look == 0 { 300 } else { 12 };
        for _ in 0..lines {
            let line = USUAL[dice.next(USUAL.len() as u64) as usize];
            let number = dice.next(9000).to_string();
            let at = now.format("%b %e %H:%M:%S");
            writeln!(file, "{at} pi {}", line.replace('#', &number)).expect("written");
        }
        // Two days without, so that what is usual is known; then every few hours.
        let planted = look >= 96 && look % 12 == 3 && next < INCIDENTS.len();
        if planted {
            let at = now.format("%b %e %H:%M:%S");
            writeln!(file, "{at} pi {}", INCIDENTS[next]).expect("written");
            next += 1;
        }
        now += TimeDelta::minutes(30);
        let at = now.format("%F %H:%M").to_string();
        let said = folder
            .unclocked(&["--now", &at, "run", "heartbeat"])
            .output()
            .expect("it runs");
        assert!(said.status.success(), "{said:?}");
        if planted && said.stdout.is_empty() {
            missed.push(INCIDENTS[next - 1]);
        }
        if !said.stdout.is_empty() {
            messages += 1;
            let asked = model.bodies("/api/chat");
            let facts = asked.last().expect("it was asked")["messages"].to_string();
            let about = planted && {
                let last = INCIDENTS[next - 1].rsplit(' ').next();
                let last = last.expect("a word").trim_matches(['"', '\'', '.']);
                facts.contains(last)
            };
            told += usize::from(about);
            needless += usize::from(!about);
        }
    }
    assert_eq!(next, INCIDENTS.len());
    assert!(
        told >= 19,
        "{told} of {} were told within half an hour: not {missed:?}",
        INCIDENTS.len()
    );
    // The first look tells what is usual and has the words: nobody knew it before.
    assert!(needless <= 1, "{needless} messages were about nothing");
    assert_eq!(
        model.bodies("/api/chat").len(),
        messages,
        "a silent look asks nobody"
    );
}
