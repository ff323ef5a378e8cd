"""What the figures are measured on: the same bytes every time, written in small blocks."""

import datetime
import shutil

MATCH = "(?i)error|warn|fail"
WRONG = """\
descripton = "Today's calendar"
enabled = "yes"
priority = "urgent"
timeout = "5 parsecs"

[[trigger]]
corn = "0 7 * * *"

[[trigger]]
cron = "0 25 * * *"
timezone = "Europe/Madird"
mised = "latest"

[[step]]
id = "events"
calendar = "list"
range = "tomorow"
from = "hoem"

[[step]]
id = "text"
prompt = "daily-breifing.md"
route = "quik"

[[deliver]]
telegram = "origin"
text = "{{ txt }}"
"""
MISTAKES = 13

CALENDAR_JOB = """\
[[step]]
id = "events"
calendar = "list"
range = "today"

[[deliver]]
console = true
text = "{{ events.count }} entries"
"""

LOG_JOB = """\
[[step]]
id = "log"
log = "{path}"
since = "{since}"
match = "{match}"

[[deliver]]
console = true
text = "{{{{ log.count }}}} lines"
"""

RULES = [
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3;BYDAY=MO,TU,WE,TH,FR",
    "FREQ=WEEKLY;BYDAY=MO,WE,FR",
    "FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=YEARLY",
    "FREQ=WEEKLY;BYDAY=TU,TH;COUNT=2000",
    "FREQ=DAILY;UNTIL=20301231T225959Z",
]


def example(repository, folder):
    """The repository's own example, without its jobs; gives its folder `jobs`."""
    for name in ("config", "prompts"):
        shutil.copytree(repository / name, folder / name)
    jobs = folder / "jobs"
    jobs.mkdir()
    return jobs


def good_jobs(repository, folder, count):
    """The examples' jobs in turn, each file a little different."""
    jobs = example(repository, folder)
    texts = [path.read_text() for path in sorted((repository / "jobs").glob("*.toml"))]
    for number in range(count):
        (jobs / f"job-{number}.toml").write_text(f"# {number}\n{texts[number % len(texts)]}")


def wrong_jobs(repository, folder, count):
    """Files with 13 different mistakes each."""
    jobs = example(repository, folder)
    for number in range(count):
        (jobs / f"job-{number}.toml").write_text(WRONG)


def calendar(path, events=10_000, every=5):
    """A calendar in which each `every`-th event recurs since 2016; the same as benches/calendar.rs writes."""
    first = datetime.date(2016, 1, 1)
    with open(path, "w", newline="") as file:
        file.write("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\n")
        for number in range(events):
            recurs = number % every == 0
            day = first + datetime.timedelta(days=number % (365 if recurs else 4_000))
            hour, minute = 7 + number % 12, number % 4 * 15
            zone = f";TZID=Europe/Madrid:{day:%Y%m%d}T"
            file.write(
                f"BEGIN:VEVENT\r\nUID:{number}@bench.example\r\nDTSTAMP:20160101T000000Z\r\nCREATED:20160101T000000Z\r\n"
                f"DTSTART{zone}{hour:02}{minute:02}00\r\nDTEND{zone}{hour + 1:02}{minute:02}00\r\n"
                f"SUMMARY:Event number {number}\\, with some people\r\nLOCATION:Calle Mayor {number}\\, Madrid\r\n"
                "DESCRIPTION:What there is to say about it takes more than one line\\n and so it \r\n"
                " is folded as RFC 5545 asks.\r\nSTATUS:CONFIRMED\r\nSEQUENCE:0\r\nTRANSP:OPAQUE\r\n"
            )
            if recurs:
                file.write(f"RRULE:{RULES[number // every % len(RULES)]}\r\n")
            file.write("END:VEVENT\r\n")
        file.write("END:VCALENDAR\r\n")


def log_text(path, size, every=100):
    """Lines as syslog writes them, one in `every` of which matches."""
    lines = []
    for number in range(10_000):
        stamp = f"Nov 20 {number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}"
        what = "kernel: device eth0 entered promiscuous mode, flags"
        if number % every == 0:
            what = "app: ERROR: request to 10.0.3.7:8080 timed out after"
            if number % (2 * every):
                what = "sshd: Failed password for root from 203.0.113.9 port"
        lines.append(f"{stamp} pi {what} {number * 7919 % 30_000} id {number:x}\n")
    block = "".join(lines).encode()
    with open(path, "wb") as file:
        for _ in range(-(-size // len(block))):
            file.write(block)


def one_line(path, size):
    """One line, and its end."""
    block = b"x" * (1 << 20)
    with open(path, "wb") as file:
        for _ in range(size >> 20):
            file.write(block)
        file.write(b"\n")


def sparse(path, size):
    """A file with a length and no content."""
    with open(path, "wb") as file:
        file.truncate(size)
