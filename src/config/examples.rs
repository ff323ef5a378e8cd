//! The working example inside the binary: what `init` writes and what runs where there is no folder.

/// Files by their path in the folder.
pub const EXAMPLES: &[(&str, &str)] = &[
    (
        "config/reveille.toml",
        include_str!("../../config/reveille.toml"),
    ),
    (
        "config/calendar.ics",
        include_str!("../../config/calendar.ics"),
    ),
    (
        "config/job.schema.json",
        include_str!("../../config/job.schema.json"),
    ),
    (
        "config/reveille.schema.json",
        include_str!("../../config/reveille.schema.json"),
    ),
    ("jobs/ask.toml", include_str!("../../jobs/ask.toml")),
    (
        "jobs/daily-briefing.toml",
        include_str!("../../jobs/daily-briefing.toml"),
    ),
    (
        "jobs/heartbeat.toml",
        include_str!("../../jobs/heartbeat.toml"),
    ),
    ("jobs/today.toml", include_str!("../../jobs/today.toml")),
    (
        "jobs/tomorrow.toml",
        include_str!("../../jobs/tomorrow.toml"),
    ),
    ("prompts/ask.md", include_str!("../../prompts/ask.md")),
    (
        "prompts/daily-briefing.md",
        include_str!("../../prompts/daily-briefing.md"),
    ),
    (
        "prompts/daily-briefing.plain.md",
        include_str!("../../prompts/daily-briefing.plain.md"),
    ),
    (
        "prompts/heartbeat.md",
        include_str!("../../prompts/heartbeat.md"),
    ),
    (
        "prompts/heartbeat.plain.md",
        include_str!("../../prompts/heartbeat.plain.md"),
    ),
    (
        "prompts/tomorrow.plain.md",
        include_str!("../../prompts/tomorrow.plain.md"),
    ),
    ("jobs/review.toml", include_str!("../../jobs/review.toml")),
    (
        "jobs/translate.toml",
        include_str!("../../jobs/translate.toml"),
    ),
    (
        "jobs/week-in-tokens.toml",
        include_str!("../../jobs/week-in-tokens.toml"),
    ),
    ("prompts/code.md", include_str!("../../prompts/code.md")),
    ("prompts/files.md", include_str!("../../prompts/files.md")),
    (
        "prompts/research.md",
        include_str!("../../prompts/research.md"),
    ),
    ("prompts/review.md", include_str!("../../prompts/review.md")),
    (
        "prompts/translate.md",
        include_str!("../../prompts/translate.md"),
    ),
    (
        "prompts/week-in-tokens.plain.md",
        include_str!("../../prompts/week-in-tokens.plain.md"),
    ),
    ("jobs/days.toml", include_str!("../../jobs/days.toml")),
    (
        "jobs/delete-event.toml",
        include_str!("../../jobs/delete-event.toml"),
    ),
    ("jobs/done.toml", include_str!("../../jobs/done.toml")),
    ("jobs/free.toml", include_str!("../../jobs/free.toml")),
    (
        "jobs/move-event.toml",
        include_str!("../../jobs/move-event.toml"),
    ),
    (
        "jobs/new-event.toml",
        include_str!("../../jobs/new-event.toml"),
    ),
    (
        "jobs/next-event.toml",
        include_str!("../../jobs/next-event.toml"),
    ),
    ("jobs/remind.toml", include_str!("../../jobs/remind.toml")),
    (
        "jobs/reminder-due.toml",
        include_str!("../../jobs/reminder-due.toml"),
    ),
    (
        "jobs/reminders.toml",
        include_str!("../../jobs/reminders.toml"),
    ),
    ("jobs/snooze.toml", include_str!("../../jobs/snooze.toml")),
    ("jobs/undo.toml", include_str!("../../jobs/undo.toml")),
    (
        "jobs/unremind.toml",
        include_str!("../../jobs/unremind.toml"),
    ),
    (
        "prompts/changed-event.plain.md",
        include_str!("../../prompts/changed-event.plain.md"),
    ),
    (
        "prompts/days.plain.md",
        include_str!("../../prompts/days.plain.md"),
    ),
    (
        "prompts/free.plain.md",
        include_str!("../../prompts/free.plain.md"),
    ),
    (
        "prompts/next-event.plain.md",
        include_str!("../../prompts/next-event.plain.md"),
    ),
    (
        "prompts/reminder.plain.md",
        include_str!("../../prompts/reminder.plain.md"),
    ),
    (
        "prompts/reminders.plain.md",
        include_str!("../../prompts/reminders.plain.md"),
    ),
];

/// What `init` adds: secrets and state stay out of a repository.
pub const GITIGNORE: &str = "/.env\n/state/\n*.secret\n";
