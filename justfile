# What a change has to pass, and the commands that the documents name.

# list the recipes
default:
    @just --list

# all of it: format, lints, tests, dependencies
check: && test deny
    cargo fmt --check
    cargo clippy --all-targets --locked -- -D warnings
    cargo clippy --lib --bins --locked -- -D warnings -D clippy::unwrap_used

# every test, the binary's own included
test *ARGS:
    cargo test --locked {{ ARGS }}

# licences, doubled crates, sources; the advisories need their database from the network
deny *CHECKS="licenses bans sources":
    cargo deny --locked check {{ CHECKS }}

# every figure of the README: briefing, check, calendar, log, runs, daemon
bench *GROUPS:
    benches/figures {{ GROUPS }}

# write the JSON Schemas beside the configuration
schema:
    cargo run --locked -- --dir . schema

# static programs and .deb packages for arm64 and armhf, tried under qemu: in target/packages/
package *MACHINES:
    systemd/package {{ MACHINES }}

# the units and the package in a real systemd; as root
boot *PROGRAM:
    tests/systemd/boot {{ PROGRAM }}
