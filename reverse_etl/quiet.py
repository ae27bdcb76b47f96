"""When messages may be sent, place by place: the hours that a decision was judged by, asked again at the call.

A call may come long after its decision: the worker was down, or its destination. The hours are the seed that analysts
edit, ``dbt/seeds/quiet_hours.csv``, read as the model ``int_place_hours`` reads it; a test holds the two together.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from perennial.errors import PerennialError
from perennial.settings import Settings
from reverse_etl.seeds import SEEDS, read_seed

HOURS = SEEDS / "quiet_hours.csv"
EVERYWHERE = "*"
_DAY = timedelta(days=1)
_AHEAD = 4 * _DAY  # how far ahead it is looked for an hour that all places allow, as decisions do
_BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the seed; its hours are how far into the local day they lie, no weekday is every day."""

    state: str
    weekday: int | None
    opens: timedelta
    closes: timedelta
    valid_from: date
    covers_transactional: bool


@dataclass(frozen=True, slots=True)
class Hours:
    """The rules, and the ``home`` by which marketing is judged whose decision names no places.

    Decisions name them since the push asks; those of before were judged by the same rules when they were taken.
    """

    rules: tuple[Rule, ...]
    home: str | None = None

    def opening(self, kind: str, places: Sequence[str] | None, now: datetime) -> datetime | None:
        """Return when all places allow a message again, None where they do now.

        A place is a state and its zone (``CO America/Denver``), the state ``*`` where none is known. Places that
        never allow at one time allow nothing for days, as in a decision.
        """
        if places is None:
            places = (self.home,) if self.home is not None and kind == "marketing" else ()
        spans = [_spans(self.rules, place, kind, _today(place, now)) for place in places]
        later = sorted({opens for of_place in spans for opens, _ in of_place if opens > now})
        for instant in (now, *later):
            if all(any(opens <= instant < closes for opens, closes in of_place) for of_place in spans):
                return None if instant == now else instant
        return now + _AHEAD


@lru_cache(maxsize=1024)
def _spans(
    rules: tuple[Rule, ...], place: str, kind: str, today: date
) -> tuple[tuple[datetime, datetime], ...]:
    """Return when a place allows a message, from the day before ``today`` on."""
    state, _, zone = place.partition(" ")
    spans = []
    for day in (today + number * _DAY for number in range(-1, 4)):
        rule = _rule_of(rules, state, day)
        # what serves an order waits only where, and when, the rule says so
        if rule is not None and (kind == "marketing" or rule.covers_transactional):
            opens, closes = rule.opens, rule.closes
        else:
            opens, closes = timedelta(), _DAY
        spans.append((_instant(day, opens, ZoneInfo(zone)), _instant(day, closes, ZoneInfo(zone))))
    return tuple(spans)


def _rule_of(rules: tuple[Rule, ...], state: str, day: date) -> Rule | None:
    """Return a day's rule: the state's own before everybody's, its newest, and that for the day of the week."""
    found = [
        rule
        for rule in rules
        if rule.state in (state, EVERYWHERE)
        and rule.valid_from <= day
        and rule.weekday in (None, day.isoweekday())
    ]
    return max(
        found,
        key=lambda rule: (rule.state != EVERYWHERE, rule.valid_from, rule.weekday is not None),
        default=None,
    )


def _today(place: str, now: datetime) -> date:
    return now.astimezone(ZoneInfo(place.partition(" ")[2])).date()


def _instant(day: date, into_it: timedelta, zone: ZoneInfo) -> datetime:
    """Return when it is so late in a zone: the second of two, and where the clocks skip it, by those before."""
    wall = datetime.combine(day, time()) + into_it
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return second if first.astimezone(zone).replace(tzinfo=None) == wall else first


def hours_of(settings: Settings) -> Hours:
    """Return the hours of an installation; raises where they can't be read."""
    return Hours(read_rules(), f"{EVERYWHERE} {settings.perennial_timezone}")


def read_rules(path: Path = HOURS) -> tuple[Rule, ...]:
    """Read the seed; ``PerennialError`` names the line, because without the hours nothing may be sent."""
    found = read_seed(path, "the quiet hours", _read)
    if EVERYWHERE not in {rule.state for rule in found}:
        raise PerennialError(
            f"{path.name} has no row for {EVERYWHERE}, every state without one of its own", "give it one"
        )
    return tuple(found)


def _read(row: Mapping[str, str], line: int) -> Rule:
    values: dict[str, Any] = {}
    for name, (read, is_to_be) in _FIELDS.items():
        try:
            values[name] = read((row[name] or "").strip())
        except ValueError:
            raise PerennialError(
                f"quiet_hours.csv, line {line}: {name} is to be {is_to_be}",
                "correct it; nothing is sent meanwhile",
            ) from None
    if values["closes_at"] < values["opens_at"]:
        raise PerennialError(
            f"quiet_hours.csv, line {line}: closes_at lies before opens_at, so nothing would ever be sent",
            "write when messages may be sent, not when they may not; nothing is sent meanwhile",
        )
    return Rule(
        values["state"],
        values["weekday"],
        values["opens_at"],
        values["closes_at"],
        values["valid_from"],
        values["covers_transactional"],
    )


def _state(text: str) -> str:
    if text != EVERYWHERE and not re.fullmatch("[A-Z]{2}", text):
        raise ValueError
    return text


def _weekday(text: str) -> int | None:
    if not text:
        return None
    if not re.fullmatch("[1-7]", text):
        raise ValueError
    return int(text)


def _into_the_day(text: str) -> timedelta:
    if not re.fullmatch("([01][0-9]|2[0-3]):[0-5][0-9]|24:00", text):
        raise ValueError
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError
    return _BOOLEANS[text.lower()]


_FIELDS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "state": (_state, "two capital letters, or *"),
    "weekday": (_weekday, "1 (Monday) to 7, or empty"),
    "opens_at": (_into_the_day, "a time of the day as hh:mm"),
    "closes_at": (_into_the_day, "a time of the day as hh:mm"),
    "valid_from": (date.fromisoformat, "a day as yyyy-mm-dd"),
    "covers_transactional": (_boolean, "true or false"),
}
