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
];

/// What `init` adds: secrets and state stay out of a repository.
pub const GITIGNORE: &str = "/.env\n/state/\n*.secret\n";
