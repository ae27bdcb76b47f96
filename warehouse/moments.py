"""Moments: what a build may read and what time it is, landed before its first model runs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from extractors.landing.log import LandingLog
from extractors.landing.records import Record
from warehouse.report import Lane


@dataclass(frozen=True, slots=True)
class Moment:
    """One build: its number, its instant, how far into the log it reads, and what was switched how in it.

    ``flows`` holds the status of each flow, ``switches`` *on* or *off* for each setting that decides about what leaves.
    """

    build_no: int
    as_of: datetime
    upto_seq: int
    lane: Lane
    flows: Mapping[str, str]
    switches: Mapping[str, str] = field(default_factory=dict)


def land(log: LandingLog, moment: Moment) -> None:
    """Land a moment; doing it again changes nothing."""
    payload = json.dumps(
        {
            "build_no": moment.build_no,
            "as_of": moment.as_of.isoformat(),
            "upto_seq": moment.upto_seq,
            "lane": moment.lane,
            "flows": dict(moment.flows),
            "switches": dict(moment.switches),
        },
    )
    log.append(
        f"moments/{moment.build_no}",
        [Record("perennial", "moments", str(moment.build_no), moment.as_of, payload)],
    )


def land_end(log: LandingLog, moment: Moment, closed: Sequence[Mapping[str, Any]] = ()) -> None:
    """Land that a moment is finished: all that it decided has landed before.

    ``closed`` are the landed records of tills by which it learned that an address was closed: where they stand, and the
    channel.
    """
    told = {
        "build_no": moment.build_no,
        "upto_seq": moment.upto_seq,
        "finished": True,
        "closed": list(closed),
    }
    payload = json.dumps(told)
    log.append(
        f"moments/{moment.build_no}/finished",
        [Record("perennial", "moments", f"{moment.build_no}:finished", moment.as_of, payload)],
    )


def covered(log: LandingLog) -> int:
    """Return how far the newest finished moment read: what landed after it has not been built; 0 where none is."""
    # ends land one batch a build, so the newest is near the end of the log
    for batch in reversed(log.batches()):
        if batch.name.startswith("moments/") and batch.name.endswith("/finished"):
            [row] = log.read("perennial", "moments", after=batch.seq - 1, upto=batch.seq)
            upto: int = json.loads(row.payload)["upto_seq"]
            return upto
    return 0


def last_finished(log: LandingLog) -> int:
    """Return the number of the newest moment that is known to be finished; 0 where none is."""
    ends = (json.loads(row.payload) for row in log.read("perennial", "moments"))
    return max((told["build_no"] for told in ends if told.get("finished")), default=0)


def landed(log: LandingLog, after: int = 0) -> list[Moment]:
    """Return the moments in their order."""
    moments = []
    for row in log.read("perennial", "moments", after=after):
        told = json.loads(row.payload)
        if told.get("finished"):
            continue
        moments.append(
            Moment(
                told["build_no"],
                datetime.fromisoformat(told["as_of"]).astimezone(UTC),
                told["upto_seq"],
                told["lane"],
                told["flows"],
                told.get("switches", {}),
            ),
        )
    return moments


def active_since(
    moments: Iterable[Moment], before: Mapping[str, tuple[str, datetime]] | None = None
) -> dict[str, tuple[str, datetime]]:
    """Return the status of each flow and switch in the last moment, and the instant at which it got that status.

    ``before`` is what was so before these moments.
    """
    since = dict(before or {})
    for moment in moments:
        for name, status in {**moment.flows, **moment.switches}.items():
            if name not in since or since[name][0] != status:
                since[name] = (status, moment.as_of)
    return since
