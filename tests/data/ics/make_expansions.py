#!/usr/bin/env python3
"""Writes rules.json and listings.json: what independent implementations make of the same input.

See README.md here for how to run it, for the versions used, and for what is left out and why.
"""

import json
import random
import sys
from datetime import date, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from dateutil.rrule import rrulestr

HERE = Path(__file__).parent
ZONES = ["Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kolkata", "Pacific/Auckland"]
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]

# The examples of RFC 5545, section 3.8.5.3 (all of America/New_York), with their DTSTART.
RFC = [
    ("19970902T090000", "FREQ=DAILY;COUNT=10"),
    ("19970902T090000", "FREQ=DAILY;UNTIL=19971224T000000Z"),
    ("19970902T090000", "FREQ=DAILY;INTERVAL=2"),
    ("19970902T090000", "FREQ=DAILY;INTERVAL=10;COUNT=5"),
    ("19980101T090000", "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA"),
    ("19980101T090000", "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1"),
    ("19970902T090000", "FREQ=WEEKLY;COUNT=10"),
    ("19970902T090000", "FREQ=WEEKLY;UNTIL=19971224T000000Z"),
    ("19970902T090000", "FREQ=WEEKLY;INTERVAL=2;WKST=SU"),
    ("19970902T090000", "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH"),
    ("19970902T090000", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH"),
    ("19970901T090000", "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR"),
    ("19970902T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH"),
    ("19970905T090000", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR"),
    ("19970905T090000", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR"),
    ("19970907T090000", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU"),
    ("19970922T090000", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO"),
    ("19970928T090000", "FREQ=MONTHLY;BYMONTHDAY=-3"),
    ("19970902T090000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15"),
    ("19970930T090000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1"),
    ("19970910T090000", "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15"),
    ("19970902T090000", "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU"),
    ("19970610T090000", "FREQ=YEARLY;COUNT=10;BYMONTH=6,7"),
    ("19970310T090000", "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3"),
    ("19970101T090000", "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200"),
    ("19970519T090000", "FREQ=YEARLY;BYDAY=20MO"),
    ("19970512T090000", "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO"),
    ("19970313T090000", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH"),
    ("19970605T090000", "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8"),
    ("19980213T090000", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13"),
    ("19970913T090000", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13"),
    ("19961105T090000", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8"),
    ("19970904T090000", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3"),
    ("19970929T090000", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2"),
    ("19970902T090000", "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z"),
    ("19970902T090000", "FREQ=MINUTELY;INTERVAL=15;COUNT=6"),
    ("19970902T090000", "FREQ=MINUTELY;INTERVAL=90;COUNT=4"),
    ("19970902T090000", "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40"),
    ("19970902T090000", "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16"),
    ("19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO"),
    ("19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU"),
    ("20070115T090000", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5"),
]

# Traps: ends of months, leap days, weeks across years, phases, times that DST takes away or repeats.
TRAPS = [
    ("20000131T080000", "Europe/Madrid", "FREQ=MONTHLY", "2026-01-01", 400),
    ("20000130T080000", "Europe/Madrid", "FREQ=MONTHLY;INTERVAL=5", "2026-01-01", 800),
    ("19960229T080000", "Europe/Madrid", "FREQ=YEARLY", "2026-01-01", 1200),
    ("19960229", "Europe/Madrid", "FREQ=YEARLY;INTERVAL=3", "2020-01-01", 5000),
    ("20000229", "UTC", "FREQ=MONTHLY;INTERVAL=12", "2023-01-01", 2000),
    ("20081230T170000", "Europe/Madrid", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU", "2026-01-01", 60),
    ("20081230T170000", "Europe/Madrid", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO", "2026-01-01", 60),
    ("20081230T170000", "Europe/Madrid", "FREQ=WEEKLY;INTERVAL=7;BYDAY=TU,SU;WKST=TH", "2026-01-01", 200),
    ("19900101T120000", "Europe/Madrid", "FREQ=DAILY;INTERVAL=3", "2026-03-20", 30),
    ("19900101T120000", "Europe/Madrid", "FREQ=DAILY;INTERVAL=365", "2024-01-01", 1500),
    ("20260101T023000", "Europe/Madrid", "FREQ=DAILY", "2026-03-25", 10),
    ("20260101T023000", "Europe/Madrid", "FREQ=DAILY", "2026-10-22", 10),
    ("20260101T021500", "Australia/Lord_Howe", "FREQ=DAILY", "2026-10-01", 8),
    ("20260101T014500", "Australia/Lord_Howe", "FREQ=DAILY", "2026-04-01", 8),
    ("20260101T000000", "America/Havana", "FREQ=DAILY", "2026-03-04", 8),
    ("20250904T003000", "America/Santiago", "FREQ=DAILY", "2026-09-01", 8),
    ("20111225T090000", "Pacific/Apia", "FREQ=DAILY", "2011-12-26", 10),
    ("20200102T090000", "UTC", "FREQ=YEARLY;BYWEEKNO=1;BYDAY=TH", "2020-01-01", 4000),
    ("20201231T090000", "UTC", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=TH", "2020-01-01", 6000),
    ("20201231T090000", "UTC", "FREQ=YEARLY;BYWEEKNO=-1;BYDAY=TH,SU", "2021-06-01", 2000),
    ("20201230T090000", "UTC", "FREQ=YEARLY;BYYEARDAY=-1,-2,365,366", "2021-01-01", 2000),
    ("20200101T090000", "UTC", "FREQ=YEARLY;BYYEARDAY=60", "2021-01-01", 2000),
    ("20200106T090000", "UTC", "FREQ=YEARLY;BYDAY=1MO,-1MO", "2023-01-01", 1000),
    ("20200427T090000", "UTC", "FREQ=YEARLY;BYMONTH=4,10;BYDAY=-1MO", "2023-01-01", 1000),
    ("20200131T090000", "UTC", "FREQ=YEARLY;BYMONTH=1,2;BYMONTHDAY=-1", "2023-01-01", 1000),
    ("20200101T090000", "UTC", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2023-01-01", 1000),
    ("20200330T090000", "Europe/Madrid", "FREQ=MONTHLY;BYDAY=5MO", "2026-01-01", 400),
    ("20200131T090000", "UTC", "FREQ=MONTHLY;BYMONTHDAY=31,-31;BYDAY=FR", "2023-01-01", 2000),
    ("20200101T093000", "UTC", "FREQ=DAILY;BYHOUR=9,17;BYMINUTE=0,30;BYSETPOS=2,-1", "2023-01-01", 5),
    ("20200101T000000", "UTC", "FREQ=HOURLY;INTERVAL=7;BYDAY=MO", "2023-01-01", 30),
    ("20200101T000000", "UTC", "FREQ=HOURLY;INTERVAL=5;BYHOUR=9,10", "2023-01-01", 30),
    ("20200101T093000", "UTC", "FREQ=HOURLY;BYMINUTE=10,50;BYSETPOS=-1;BYHOUR=9,12", "2023-01-01", 4),
    ("20200101T000000", "UTC", "FREQ=MINUTELY;INTERVAL=90;BYHOUR=9", "2023-01-01", 9),
    ("20200101T000000", "UTC", "FREQ=MINUTELY;INTERVAL=7;BYDAY=MO;BYHOUR=9;BYMINUTE=0,1,2,3", "2023-01-01", 60),
    ("20200101T000000", "UTC", "FREQ=SECONDLY;INTERVAL=3601;BYHOUR=9", "2023-01-01", 9),
    ("20200101T000000", "UTC", "FREQ=SECONDLY;BYHOUR=9;BYMINUTE=30;BYSECOND=0,30", "2023-01-01", 9),
    ("20200101T000000", "UTC", "FREQ=SECONDLY;INTERVAL=45;BYMONTH=2;BYMONTHDAY=29;BYHOUR=0;BYMINUTE=0", "2023-01-01", 600),
    ("20160105T090000", "Europe/Madrid", "FREQ=WEEKLY;BYDAY=TU,TH;COUNT=1000", "2025-07-20", 60),
    ("20160105T090000", "Europe/Madrid", "FREQ=DAILY;INTERVAL=2;COUNT=1800", "2025-10-20", 60),
    ("20160105T090000", "Europe/Madrid", "FREQ=MONTHLY;BYDAY=1TU;COUNT=120", "2025-06-20", 365),
]


def moment(text):
    return datetime.strptime(text, "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d")


def starts(dtstart, zone, rule, first, days):
    """UTC starts (dates for all-day) within the days, from dateutil on naive time; None: DTSTART does not match."""
    zone, all_day, start = ZoneInfo(zone), "T" not in dtstart, moment(dtstart)
    until, parts = None, []
    for part in rule.split(";"):
        if part.startswith("UNTIL="):
            until = datetime.strptime(part[6:], "%Y%m%dT%H%M%SZ").replace(tzinfo=ZoneInfo("UTC"))
        else:
            parts.append(part)
    series = rrulestr("RRULE:" + ";".join(parts), dtstart=start)
    begin = datetime.fromisoformat(first)
    end = begin + timedelta(days=days)
    margin = timedelta(days=2)
    found = list(takewhile(lambda time: time < end + margin, (t for t in series.xafter(begin - margin, inc=True))))
    head = next(iter(series.xafter(start, count=1, inc=True)), None)
    synchronised = head == start
    if start >= begin - margin and not synchronised:
        if "COUNT" in rule:
            return None
        found.insert(0, start)
    elif not synchronised and "COUNT" in rule:
        return None
    if all_day:
        return [f"{t:%Y-%m-%d}" for t in found if begin <= t < end]
    lower, upper = begin.replace(tzinfo=zone).timestamp(), end.replace(tzinfo=zone).timestamp()
    aware = [time.replace(tzinfo=zone) for time in found]  # fold=0: before a gap, first of a double
    kept = [t for t in aware if lower <= t.timestamp() < upper and (until is None or t <= until)]
    return [f"{datetime.fromtimestamp(t.timestamp(), ZoneInfo('UTC')):%Y-%m-%dT%H:%M:%SZ}" for t in sorted(kept)]


def random_rule(dice):
    frequency = dice.choice(["YEARLY", "MONTHLY", "MONTHLY", "WEEKLY", "WEEKLY", "DAILY", "DAILY", "HOURLY"])
    rule = [f"FREQ={frequency}"]
    if dice.random() < 0.5:
        rule.append(f"INTERVAL={dice.randint(2, 5)}")
    if dice.random() < 0.3:
        rule.append(f"COUNT={dice.randint(2, 600)}")
    some = lambda low, high, most: ",".join(map(str, sorted(dice.sample(range(low, high + 1), dice.randint(1, most)))))
    if dice.random() < 0.3:
        rule.append(f"BYMONTH={some(1, 12, 5)}")
    if frequency in ("YEARLY", "MONTHLY", "DAILY") and dice.random() < 0.4:
        rule.append(f"BYMONTHDAY={dice.choice([some(1, 31, 6), some(-31, -1, 4)])}")
    elif frequency == "YEARLY" and dice.random() < 0.3:
        rule.append(f"BYYEARDAY={dice.choice([some(1, 366, 9), some(-366, -1, 9)])}")
    elif frequency == "YEARLY" and dice.random() < 0.4 and "INTERVAL" not in ";".join(rule):
        rule.append(f"BYWEEKNO={dice.choice([some(1, 53, 4), some(-53, -1, 4)])}")
        rule.append(f"BYDAY={','.join(dice.sample(DAYS, 2))}")
    if "BYWEEKNO" not in ";".join(rule) and dice.random() < 0.5:
        days = dice.sample(DAYS, dice.randint(1, 4))
        if frequency in ("YEARLY", "MONTHLY") and dice.random() < 0.5:
            days = [f"{dice.choice([1, 2, 3, 4, 5, -1, -2])}{day}" for day in days]
        rule.append(f"BYDAY={','.join(days)}")
    if frequency != "HOURLY" and dice.random() < 0.2:
        rule.append(f"BYHOUR={some(0, 23, 3)}")
    if dice.random() < 0.2:
        rule.append(f"BYMINUTE={some(0, 59, 3)}")
    if len(rule) > 2 and any(part.startswith("BY") for part in rule) and dice.random() < 0.25:
        if frequency != "WEEKLY":  # see README.md
            rule.append(f"BYSETPOS={dice.choice(['1', '-1', '2', '1,-1', '-2', '3'])}")
    if dice.random() < 0.3:
        rule.append(f"WKST={dice.choice(DAYS)}")
    return frequency, ";".join(rule)


def rules():
    cases = []

    def add(dtstart, zone, rule, first, days):
        answer = starts(dtstart, zone, rule, first, days)
        if answer is not None and len(answer) < 1500:
            case = {"dtstart": dtstart, "zone": zone, "rule": rule, "from": first, "days": days, "starts": answer}
            cases.append(case)

    for dtstart, rule in RFC:
        add(dtstart, "America/New_York", rule, f"{dtstart[:4]}-01-01", 1000 if "HOUR" not in rule else 330)
    for trap in TRAPS:
        add(*trap)
    dice = random.Random(5545)
    while len(cases) < 240:
        frequency, rule = random_rule(dice)
        base = datetime(2015, 1, 1) + timedelta(minutes=dice.randrange(0, 8 * 365 * 1440, 15))
        # Begin on a day that the rule matches, as the RFC asks.
        first = next(iter(rrulestr("RRULE:" + rule, dtstart=base)), None)
        if first is None or first.year > 2030:
            continue
        zone = dice.choice(ZONES)
        days = {"YEARLY": 1500, "MONTHLY": 700, "WEEKLY": 120, "DAILY": 60, "HOURLY": 12}[frequency]
        window = date(2024, 1, 1) + timedelta(days=dice.randrange(0, 1000))
        add(f"{first:%Y%m%dT%H%M%S}", zone, rule, window.isoformat(), days)
    return cases


# Left out: wild.ics (not valid; the tests say what is expected). Windows: every file in each of these.
FILES = {
    "all-day": [("Europe/Madrid", "2026-03-26", 8), ("America/Los_Angeles", "2026-03-29", 1), ("Asia/Tokyo", "2026-10-24", 3),
                ("Pacific/Kiritimati", "2026-03-31", 1), ("Pacific/Pago_Pago", "2026-03-31", 1)],
    "cancelled": [("Europe/Madrid", "2026-03-01", 31)],
    "dst-lord-howe": [("Australia/Lord_Howe", "2026-04-03", 4), ("Australia/Lord_Howe", "2026-10-02", 4), ("Europe/Madrid", "2026-04-03", 4)],
    "dst-madrid": [("Europe/Madrid", "2026-03-27", 4), ("Europe/Madrid", "2026-10-23", 4), ("America/New_York", "2026-03-27", 4),
                   ("Asia/Tokyo", "2026-10-25", 1), ("Europe/Madrid", "2026-03-29", 1), ("Europe/Madrid", "2026-10-25", 1)],
    "dst-new-york": [("America/New_York", "2026-03-06", 5), ("America/New_York", "2026-10-30", 5), ("Europe/Madrid", "2026-03-06", 25),
                     ("America/New_York", "2026-12-28", 10)],
    "duration": [("Europe/Madrid", "2026-03-28", 2), ("Europe/Madrid", "2026-10-20", 8)],
    "exclusions": [("Europe/Madrid", "2026-03-01", 14), ("Europe/Madrid", "2026-03-28", 6), ("America/New_York", "2026-03-05", 6)],
    "floating": [("Europe/Madrid", "2026-03-28", 3), ("Asia/Tokyo", "2026-03-28", 3), ("America/New_York", "2026-03-20", 2)],
    "infinite": [("Europe/Madrid", "2026-01-01", 366), ("Europe/Madrid", "2028-02-01", 60), ("America/New_York", "2026-12-25", 10)],
    "multi-day": [("Europe/Madrid", "2026-03-18", 1), ("Europe/Madrid", "2026-03-19", 1), ("Europe/Madrid", "2026-03-17", 5),
                  ("Europe/Madrid", "2026-03-22", 1), ("America/New_York", "2026-03-18", 1), ("Europe/Madrid", "2026-06-01", 60)],
    "overrides": [("Europe/Madrid", "2026-03-01", 31), ("Europe/Madrid", "2026-03-09", 2), ("Europe/Madrid", "2026-05-13", 1),
                  ("Europe/Madrid", "2026-03-30", 1)],
    "this-and-future": [("Europe/Madrid", "2026-03-01", 60), ("Europe/Madrid", "2026-04-08", 2), ("Europe/Madrid", "2026-04-29", 90)],
    "vtimezone": [("UTC", "2026-04-01", 20), ("Europe/Madrid", "2026-09-03", 5), ("UTC", "2026-10-23", 5)],
}


def listing(file, zone, first, days):
    viewer = ZoneInfo(zone)
    calendar = icalendar.Calendar.from_ical((HERE / f"{file}.ics").read_bytes())
    begin = datetime.fromisoformat(first)
    end = begin + timedelta(days=days)
    lower, upper = begin.replace(tzinfo=viewer), end.replace(tzinfo=viewer)
    found = []
    # A day more on both sides: whole days and floating times have no instant to be cut by.
    for event in recurring_ical_events.of(calendar).between(lower - timedelta(days=2), upper + timedelta(days=2)):
        if event.get("STATUS") == "CANCELLED":
            continue
        start, stop = event.start, event.end
        if isinstance(start, datetime):
            instants = [t if t.tzinfo else t.replace(tzinfo=viewer) for t in (start, stop)]
            # Ends on the other side of a clock change are not compared: see README.md.
            crosses = instants[0].utcoffset() != instants[1].utcoffset()
            instants = [datetime.fromtimestamp(t.timestamp(), ZoneInfo("UTC")) for t in instants]
            touches = instants[0] < upper and (instants[1] > lower or instants[0] == instants[1] >= lower)
            texts = [f"{t:%Y-%m-%dT%H:%M:%SZ}" for t in instants]
            if crosses:
                texts[1] = "-"
        else:
            touches = start < end.date() and stop > begin.date()
            texts = [start.isoformat(), stop.isoformat()]
        if touches:
            found.append([*texts, str(event["SUMMARY"])])
    return {"file": file, "zone": zone, "from": first, "days": days, "items": sorted(found)}


def write(name, cases):
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
    (HERE / name).write_text(f"[\n{lines}\n]\n")
    print(f"{name}: {len(cases)} expansions", file=sys.stderr)


if __name__ == "__main__":
    write("rules.json", rules())
    write("listings.json", [listing(file, *window) for file, windows in FILES.items() for window in windows])
