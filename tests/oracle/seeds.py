"""The seeds that the rules read, read for themselves."""

import csv
from datetime import date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo

from warehouse.project import PROJECT


@cache
def seed(name: str) -> list[dict[str, str]]:
    """Return the rows of a seed."""
    with (PROJECT / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def minimum_age(state: str | None, programme: str) -> int:
    """Return the age from which marketing is allowed."""
    ages = {(row["state"], row["programme"]): int(row["minimum_age"]) for row in seed("age_rules")}
    return ages.get((state or "*", programme), ages["*", programme])


def cap(state: str | None, channel: str, day: date) -> tuple[int, int]:
    """Return how many messages, in how many hours, by the newest rule of the state, else of everybody."""
    for place in (state, "*"):
        rules = [
            row
            for row in seed("message_caps")
            if row["state"] == place
            and row["channel"] == channel
            and date.fromisoformat(row["valid_from"]) <= day
        ]
        if rules:
            newest = max(rules, key=lambda row: row["valid_from"])
            return int(newest["max_messages"]), int(newest["window_hours"])
    raise AssertionError("there is a rule for everybody")


def places(state: str | None, phone: str | None) -> set[tuple[str, str]]:
    """Return where somebody may be: where her address is, and where numbers of her area code are."""
    found = {(row["state"], row["time_zone"]) for row in seed("states") if row["state"] == state}
    code = phone[2:5] if phone and phone.startswith("+1") else None
    found |= {(row["state"], row["time_zone"]) for row in seed("area_codes") if row["area_code"] == code}
    return found or {("*", "America/Denver")}


def is_open(place: tuple[str, str], at: datetime) -> bool:
    """Say whether messages may be sent in a place."""
    state, zone = place
    local = at.astimezone(ZoneInfo(zone))
    for known in (state, "*"):
        rules = [
            row
            for row in seed("quiet_hours")
            if row["state"] == known
            and date.fromisoformat(row["valid_from"]) <= local.date()
            and row["weekday"] in {"", str(local.isoweekday())}
        ]
        if rules:
            rule = max(rules, key=lambda row: (row["valid_from"], row["weekday"]))
            return (
                time.fromisoformat(rule["opens_at"]) <= local.time() < time.fromisoformat(rule["closes_at"])
            )
    raise AssertionError("there is a rule for everybody")
