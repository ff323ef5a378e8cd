//! The daily briefing of the examples, end to end, without a model.

use crate::support::Folder;

fn examples() -> Folder {
    let folder = Folder::empty();
    folder.run(["init", "."]).prints(&["A working example"]);
    folder
}

const JOB: &str = "[[step]]\nid = \"events\"\ncalendar = \"list\"\nrange = \"3d\"\n\n[[deliver]]\nconsole = true\ntext = \"{% for e in events.items %}{{ e.title }} {% endfor %}{{ events.warnings | join }}.\"\n";

fn calendar(ics: &str) -> Folder {
    Folder::with(JOB).file("config/calendar.ics", ics)
}

fn event(lines: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n{lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

#[test]
fn the_briefing_in_english() {
    let ran = examples().run(["run", "daily-briefing"]);
    ran.prints(&[
        "**Friday 20 November**\n",
        "_Plain text: no model answered._\n",
    ]);
    let why = "note: `text` is plain text: small: no server answers at http://127.0.0.1:11434";
    assert!(ran.stderr.starts_with(why), "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1);
}

#[test]
fn the_briefing_in_spanish() {
    let folder = examples();
    let settings = folder.read("config/reveille.toml");
    let spanish = settings.replace("language = \"en\"", "language = \"es\"");
    assert_ne!(settings, spanish);
    folder.write("config/reveille.toml", spanish);
    folder.run(["run", "daily-briefing"]).prints(&[
        "**Viernes 20 de noviembre**\n",
        "_Texto fijo: ningún modelo respondió._\n",
    ]);
}

#[test]
fn the_briefing_without_a_folder() {
    Folder::empty()
        .run(["run", "daily-briefing"])
        .prints(&["**Friday 20 November**\n"]);
}

#[test]
fn the_plan_of_the_briefing() {
    examples().run(["plan", "daily-briefing"]).prints(&[
        "A run of daily-briefing would do this:",
        "events (calendar)",
        "text (prompt)",
        "deliver to telegram",
    ]);
}

#[test]
fn the_heartbeat_and_the_questions_are_planned() {
    let folder = examples();
    folder
        .run(["plan", "heartbeat"])
        .prints(&["A run of heartbeat would do this:"]);
    folder
        .run(["plan", "ask", "--set", "text=hello"])
        .prints(&["A run of ask would do this:"]);
}

#[test]
fn a_calendar_that_is_not_there() {
    Folder::with(JOB).run(["run", "x"]).says(
        1,
        &[
            "error: run #1 failed: step `events`: home: ",
            "config/calendar.ics",
            "hint: ",
        ],
    );
}

#[test]
fn a_calendar_that_is_a_web_page() {
    let html = "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n";
    calendar(html).run(["run", "x"]).says(
        1,
        &[
            "error: run #1 failed: step `events`: home: ",
            "not a calendar",
        ],
    );
}

#[test]
fn a_calendar_that_is_empty_or_cut_off() {
    calendar("")
        .run(["run", "x"])
        .says(1, &["step `events`: home: "]);
    let cut = event("DTSTART:20261120T100000Z\r\nSUMMARY:Swim");
    let cut = &cut[..cut.len() - 20];
    calendar(cut)
        .run(["run", "x"])
        .says(1, &["step `events`: home: ", "this calendar is cut off"]);
}

#[test]
fn one_calendar_of_two_is_enough() {
    let settings = format!(
        "{}\n[calendars.club]\nics = \"config/club.ics\"\nlabel = \"Club\"\n",
        crate::support::SETTINGS
    );
    let folder = calendar(&event("DTSTART:20261120T100000Z\r\nSUMMARY:Swim"))
        .file("config/reveille.toml", settings);
    folder.run(["run", "x"]).prints(&["Swim ", "Club", "."]);
}

#[test]
fn repetition_without_an_end_ends() {
    let check = |rule: &str, expected: &str| {
        let ics = event(&format!(
            "DTSTART:19700101T080000Z\r\nDURATION:PT1H\r\nSUMMARY:Swim\r\nRRULE:{rule}"
        ));
        calendar(&ics).run(["run", "x"]).prints(&[expected]);
    };
    check("FREQ=DAILY", "Swim Swim Swim");
    check("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", ".");
    check("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", ".");
}

#[test]
fn the_same_slot_is_planned_and_run_alike() {
    let folder = calendar(&event("DTSTART:20261120T100000Z\r\nSUMMARY:Swim"));
    folder.run(["plan", "x"]).prints(&["Swim"]);
    folder.run(["run", "x"]).is(0, "Swim .\n", "");
}

/// Tokens as `o200k` counts them (tiktoken-rs, which ships its table).
fn o200k(text: &str) -> usize {
    let vocabulary = tiktoken_rs::o200k_base().expect("it is shipped");
    vocabulary.encode_ordinary(text).len()
}

#[test]
fn a_day_of_ten_events_is_a_short_prompt_whose_beginning_stays() {
    let folder = Folder::empty();
    folder.run(["init", "."]).prints(&[]);
    let titles = [
        ("Stand-up", ""),
        ("Dentist", "Calle Mayor 4, Madrid"),
        ("Design review", "Room 2"),
        ("Lunch with Marta", "Casa Lucio"),
        ("Call the bank", ""),
        ("Gym", ""),
        ("School meeting", "Colegio San José"),
        ("Pick up the parcel", ""),
        ("Dinner at Ana's", ""),
        ("Read the contract", ""),
    ];
    let mut calendar = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n".to_owned();
    for (number, (title, place)) in titles.iter().enumerate() {
        let hour = 8 + number;
        calendar.push_str(&format!("BEGIN:VEVENT\r\nUID:{number}\r\nDTSTART:20261120T{hour:02}0000\r\nDTEND:20261120T{hour:02}4500\r\nSUMMARY:{title}\r\nLOCATION:{place}\r\nEND:VEVENT\r\n"));
    }
    calendar.push_str("END:VCALENDAR\r\n");
    folder.write("config/calendar.ics", calendar);
    let prompt = |now: &str| {
        let mut command = folder.unclocked(&["--now", now, "plan", "daily-briefing", "--json"]);
        let plan = command.output().expect("it runs").stdout;
        let plan: serde_json::Value = serde_json::from_slice(&plan).expect("JSON");
        let steps = plan["steps"].as_array().expect("steps").iter();
        let mut prompts = steps.filter(|step| step["kind"] == "prompt");
        let plan = prompts.next().expect("a prompt")["plan"].clone();
        let text = |key: &str| plan[key].as_str().expect("a text").to_owned();
        (text("system"), text("user"))
    };
    let (system, user) = prompt("2026-11-20 06:59");
    assert!(user.contains("17:00-17:45: Read the contract"), "{user}");
    let tokens = o200k(&system) + o200k(&user);
    assert!(tokens <= 500, "{tokens} tokens:\n{system}\n{user}");
    let (next_day, _) = prompt("2026-11-21 06:59");
    assert_eq!(system, next_day);
}
